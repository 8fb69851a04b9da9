//! Opening the console: configuration, services, catalog, keys and the way between them.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::catalog::Catalog;
use crate::config::{Config, paths};
use crate::console::live::{Incoming, Live, Past, saved_ui};
use crate::console::text::Zone;
use crate::console::theme::Theme;
use crate::console::{self, Keymap, Look, Setup, State};
use crate::model::Timestamp;
use crate::watch;

use super::cli::Common;
use super::services::Services;
use super::{Exit, output};

/// Runs the console until the operator quits.
pub fn run(common: &Common) -> Exit {
    let named = common.config.as_deref();
    let config = match super::history::settings(common) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let calm = watch::Calm::default();
    let runtime = match super::calm_runtime(&calm) {
        Ok(runtime) => runtime,
        Err(exit) => return exit,
    };
    let opened = match runtime.block_on(Services::open(config, &[], common.read_only)) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let mut notices = Vec::new();
    if opened.guard.all.read_only {
        notices.push("Read-only: nothing that changes anything is sent.".to_owned());
    }
    let catalog = Arc::new(catalog(named, &mut notices));
    let ui_file = paths::ui_file();
    let (saved, fault) = saved_ui(ui_file.as_deref());
    notices.extend(fault);
    let keymap = keymap(&opened.config, &mut notices);
    let look = look(&opened.config, &saved.theme, &mut notices);

    let (tell, actions) = mpsc::unbounded_channel();
    let kept = super::history::begin(&opened.config.history, opened.embedded.is_some());
    let operator = opened.operator(&catalog, tell, Arc::clone(&kept));
    let past = Past {
        history: Arc::clone(&kept),
        feeds: opened
            .watched
            .iter()
            .map(|w| w.connector.feeds().iter().map(|f| f.id).collect())
            .collect(),
        reach_ms: opened
            .watched
            .iter()
            .map(|w| w.history_ms)
            .max()
            .unwrap_or(0)
            .max(super::past::REACH_MS),
    };
    let (watchers, seen) = {
        let _inside = runtime.enter();
        watch::spawn(&opened.watched)
    };
    let mut state = State::new(Setup {
        services: opened.watched.iter().map(|w| w.service.clone()).collect(),
        catalog,
        operator: operator.clone(),
        keymap,
        look,
        saved,
        config_path: paths::config_file(named).map_or_else(String::new, |p| short(&p)),
        notices,
        now: Timestamp::now(),
    });
    super::rpo::set(&mut state.store, &opened.config.rpo);
    state.store.share_records_from(opened.records_from.clone());
    let (mut live, inbox) = Live::connect(
        runtime.handle(),
        operator,
        watchers,
        Incoming {
            seen,
            actions,
            calm,
        },
        ui_file,
        past,
    );
    let ended = console::run(runtime.handle(), state, &mut live, inbox);
    drop(live);
    // requests that are on their way are not waited for: their fate is in the service's hands
    runtime.shutdown_background();
    kept.close();
    match ended {
        Ok(_) => Exit::Ok,
        Err(e) => {
            output::complain(&e.to_string());
            Exit::Failure
        }
    }
}

/// A path as people write it: the home as `~`.
fn short(path: &Path) -> String {
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty());
    match home.and_then(|home| path.strip_prefix(home).ok().map(Path::to_owned)) {
        Some(inside) => format!("~/{}", inside.display()),
        None => path.display().to_string(),
    }
}

/// The catalog with the site's own entries; mistakes in them are told on the screen.
fn catalog(named: Option<&Path>, notices: &mut Vec<String>) -> Catalog {
    let Some(dir) = paths::catalog_dir(named) else {
        return Catalog::built_in();
    };
    let (catalog, mistakes) = Catalog::with_site(&dir);
    notices.extend(mistakes.iter().map(ToString::to_string));
    catalog
}

fn keymap(config: &Config, notices: &mut Vec<String>) -> Keymap {
    let mut site = None;
    if let Some(file) = &config.ui.keymap {
        match std::fs::read_to_string(file) {
            Ok(text) => site = Some((file.display().to_string(), text)),
            Err(e) => notices.push(format!("the keys in {} can't be read: {e}", file.display())),
        }
    }
    let (keymap, problems) = Keymap::load(site.as_ref().map(|(f, t)| (f.as_str(), t.as_str())));
    notices.extend(problems.iter().map(ToString::to_string));
    keymap
}

fn look(config: &Config, saved: &str, notices: &mut Vec<String>) -> Look {
    let wanted = if saved.is_empty() {
        config.ui.theme.as_str()
    } else {
        saved
    };
    let theme = Theme::named(wanted);
    if theme.is_none() {
        notices.push(format!(
            "there is no theme \"{wanted}\"; the default one is used"
        ));
    }
    let mut look = Look::from_env(theme, |name| std::env::var(name).ok());
    if config.ui.ascii {
        look.glyphs = &console::glyphs::ASCII;
    }
    if config.ui.utc {
        look.zone = Zone::Utc;
    }
    look
}
