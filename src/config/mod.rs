//! The configuration: which services, with which credentials, shown how.
//!
//! One TOML file: the one named by `--config` or `KEEPWATCH_CONFIG`, else `config.toml` in the user's
//! configuration directory. Every mistake in it is told with line and column, all at once. Secrets are not
//! in it; it says where they come from, and they are fetched when a service is opened.

mod auth;
mod history;
pub mod paths;
mod rpo;
mod secret;
mod service;

use std::fs;
use std::path::{Path, PathBuf};

use crate::model::Kind;
use crate::tomlread::{Fields, Mistake, Reader};

pub use auth::AuthConfig;
pub use history::HistoryConfig;
pub use rpo::{Rpo, RpoRule};
pub use secret::SecretSource;
pub use service::ServiceConfig;

/// Everything that is configured.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Config {
    /// The file it came from; `None` for none.
    pub file: Option<PathBuf>,
    /// The services, in the order of the file.
    pub services: Vec<ServiceConfig>,
    /// Nothing but reads, for every service.
    pub read_only: bool,
    /// How it is shown.
    pub ui: Ui,
    /// When a device counts as unprotected.
    pub rpo: Rpo,
    /// What is kept of the past.
    pub history: HistoryConfig,
    /// How actions are looked after.
    pub actions: Actions,
}

/// `[ui]`: how it is shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ui {
    /// The theme's name.
    pub theme: String,
    /// Plain ASCII marks instead of Unicode ones.
    pub ascii: bool,
    /// A file with keys of the user's own.
    pub keymap: Option<PathBuf>,
    /// Show times in UTC instead of the machine's own zone.
    pub utc: bool,
}

impl Default for Ui {
    fn default() -> Self {
        Self {
            theme: "default".to_owned(),
            ascii: false,
            keymap: None,
            utc: false,
        }
    }
}

/// `[actions]`: how actions are looked after.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Actions {
    /// Milliseconds for which keepwatch looks for signs of an action whose answer was lost.
    pub look_for_ms: u64,
}

impl Default for Actions {
    /// Services list new work with a delay of up to a minute.
    fn default() -> Self {
        Self {
            look_for_ms: 90_000,
        }
    }
}

impl Config {
    /// Reads the configuration: the file that was named, or the user's own. Without a name, a file that is
    /// not there is no mistake: nothing is configured then.
    ///
    /// # Errors
    /// Everything that is wrong in the file.
    pub fn load(named: Option<&Path>, kinds: &[Kind]) -> Result<Self, Vec<Mistake>> {
        let Some(path) = paths::config_file(named) else {
            return Ok(Self::default());
        };
        match fs::read_to_string(&path) {
            Ok(text) => {
                let mut config = Self::parse(
                    &text,
                    &path.display().to_string(),
                    &paths::beside(&path),
                    kinds,
                )?;
                config.file = Some(path);
                Ok(config)
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && named.is_none() => {
                Ok(Self::default())
            }
            Err(e) => Err(vec![Mistake {
                file: path.display().to_string(),
                line: 0,
                column: 0,
                what: format!("the configuration can't be read: {e}"),
                help: "Check the path, and that the file is UTF-8 text that you may read"
                    .to_owned(),
            }]),
        }
    }

    /// Reads a configuration's text. `file` is its name for messages; relative paths in it start at `base`.
    ///
    /// # Errors
    /// Everything that is wrong in it.
    pub fn parse(
        text: &str,
        file: &str,
        base: &Path,
        kinds: &[Kind],
    ) -> Result<Self, Vec<Mistake>> {
        let reader = Reader::new(file, text);
        let mut config = Self::default();
        if let Some(table) = reader.parse() {
            config.read(&Fields::top(&reader, &table), kinds, base);
        }
        let mistakes = reader.into_mistakes();
        if mistakes.is_empty() {
            Ok(config)
        } else {
            Err(mistakes)
        }
    }

    fn read(&mut self, top: &Fields<'_, '_>, kinds: &[Kind], base: &Path) {
        for fields in top.tables("service", "[[service]]") {
            let place = fields.span_of("name");
            let Some(service) = ServiceConfig::read(fields, kinds, base) else {
                continue;
            };
            if self.services.iter().any(|s| s.name == service.name) {
                top.note(
                    &place,
                    format!("two services are called \"{}\"", service.name),
                    "Give each service a name of its own",
                );
            }
            self.services.push(service);
        }
        self.read_only = top.flag("read_only").unwrap_or(false);
        if let Some(ui) = top.table("ui", "[ui]") {
            if let Some(theme) = ui.filled_text("theme", "\"default\"") {
                self.ui.theme = theme;
            }
            self.ui.ascii = ui.flag("ascii").unwrap_or(false);
            self.ui.keymap = ui
                .filled_text("keymap", "\"keys.toml\"")
                .map(|p| paths::resolve(&p, base));
            self.ui.utc = ui.flag("utc").unwrap_or(false);
            ui.finish();
        }
        self.rpo = Rpo::read(top);
        if let Some(actions) = top.table("actions", "[actions]") {
            if let Some(ms) = actions.duration_within("look_for", 1_000..=3_600_000) {
                self.actions.look_for_ms = ms;
            }
            actions.finish();
        }
        if let Some(history) = top.table("history", "[history]") {
            self.history = HistoryConfig::read(&history, base);
        }
        top.finish();
    }
}

#[cfg(test)]
mod tests;
