//! `keepwatch report`: the handover. What failed, what was done and by whom, what is open, what has no good backup.
//!
//! | file | holds |
//! | --- | --- |
//! | `facts` | the facts, as JSON has them |
//! | `gather` | the facts out of the store and history |
//! | `words` | the facts as a page for people |
//! | `page` | what such a page is made of |
//! | `markdown`, `html` | the page as text |

mod facts;
mod gather;
mod html;
mod markdown;
mod page;
mod words;

use std::time::Duration;

use crate::console::text::Zone;
use crate::model::Timestamp;
use crate::query::Moment;
use crate::watch::{Want, collect};

use super::cli::{Common, ReportArgs, ReportForm};
use super::services::Services;
use super::{Exit, history, list, output, past, rpo, runtime, site};

/// Carries out `keepwatch report`.
pub fn run(args: &ReportArgs, common: &Common) -> Exit {
    let from = match since(&args.since, Timestamp::now()) {
        Ok(from) => from,
        Err(why) => {
            output::complain(&format!("--since: {why}"));
            return Exit::Usage;
        }
    };
    let catalog = site::catalog(common.config.as_deref());
    let settings = match history::settings(common) {
        Ok(settings) => settings,
        Err(exit) => return exit,
    };
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(e) => {
            output::complain(&e);
            return Exit::Failure;
        }
    };
    let zone = if settings.ui.utc {
        Zone::Utc
    } else {
        Zone::Local
    };
    let gathered = runtime.block_on(async {
        let services = Services::open(settings, &args.service, true).await?;
        services.say_if_embedded();
        let patience = Duration::from_secs(args.timeout);
        let store = collect(&services.watched, Want::All, patience).await;
        Ok((store, services))
    });
    let (mut store, services) = match gathered {
        Ok(gathered) => gathered,
        Err(exit) => return exit,
    };
    let now = Timestamp::now();
    let demo = services.embedded.is_some();
    let kept = &services.config.history;
    let history = history::open(kept, demo);
    rpo::set(&mut store, &services.config.rpo);
    past::take_in(&mut store, &services, &*history, now, |_| true);
    let facts = gather::Sources {
        store: &store,
        catalog: &catalog,
        history: &*history,
        demo,
        from,
        now,
    }
    .facts();
    for missing in &facts.history_missing {
        output::complain(missing);
    }
    list::complain_of(&facts.services);
    let written = match args.output {
        ReportForm::Json => output::print_json(&facts),
        ReportForm::Markdown => output::print(&markdown::text(&words::page(&facts, zone))),
        ReportForm::Html => output::print(&html::text(&words::page(&facts, zone))),
    };
    if !demo || kept.named {
        history::keep_all(&store, &*history, true);
    }
    history.close();
    list::partial(written, &facts.services)
}

/// The instant from which on the report tells.
fn since(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let expected = "write 12h, 18:00, 2026-01-31 or 2026-01-31T18:00";
    let moment = Moment::parse(text.trim()).ok_or(format!("\"{text}\" is no time; {expected}"))?;
    let (from, _) = moment.span(now);
    if from >= now {
        return Err(format!("\"{text}\" lies ahead; {expected}"));
    }
    Ok(from)
}

#[cfg(test)]
mod tests;
