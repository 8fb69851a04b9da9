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

use crate::console::text::Zone;
use crate::model::Timestamp;
use crate::query::Moment;
use crate::watch::Want;

use super::cli::{Common, ReportArgs, ReportForm};
use super::services::Round;
use super::{Exit, history, list, output, past, rpo, site};

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
    let zone = if settings.ui.utc {
        Zone::Utc
    } else {
        Zone::Local
    };
    let mut round = match Round::go(settings, &args.asked, Want::All) {
        Ok(round) => round,
        Err(exit) => return exit,
    };
    let services = &round.services;
    let now = Timestamp::now();
    let demo = services.embedded.is_some();
    let kept = &services.config.history;
    let history = history::open(kept, demo);
    rpo::set(&mut round.store, &services.config.rpo);
    past::take_in(&mut round.store, services, &*history, now, |_| true);
    let facts = gather::Sources {
        store: &round.store,
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
        history::keep_all(&round.store, &*history, true);
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
