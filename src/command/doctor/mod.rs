//! `keepwatch doctor`: every configured service, step by step: what works, what does not, and what to do.

mod ask;
mod budget;
mod can;
mod examine;
mod paths;
mod route;
mod step;
mod visit;
mod write;

use std::path::Path;
use std::sync::Arc;

use crate::config::Config;
use crate::console::glyphs::{ASCII, UNICODE};
use crate::kinds;
use crate::model::ServiceId;

use super::cli::{DoctorArgs, TextOrJson};
use super::services::{Chosen, configured};
use super::{Exit, output, runtime, site};
use examine::{Patient, examine};
use step::State;
use visit::Visit;

/// Carries out `keepwatch doctor`.
#[must_use]
pub fn run(args: &DoctorArgs, read_only: bool, config: Option<&Path>) -> Exit {
    let settings = match configured(config) {
        Ok(settings) => settings,
        Err(exit) => return exit,
    };
    runtime()
        .and_then(|runtime| runtime.block_on(visits(args, read_only, settings, config)))
        .unwrap_or_else(|exit| exit)
}

async fn visits(
    args: &DoctorArgs,
    read_only: bool,
    settings: Config,
    config: Option<&Path>,
) -> Result<Exit, Exit> {
    let catalog = Arc::new(site::catalog(config));
    let chosen = Chosen::of(settings, &args.services, "").await?;
    chosen.say_if_embedded();
    let guard = Arc::new(chosen.guard(read_only));
    let glyphs = if chosen.config.ui.ascii {
        &ASCII
    } else {
        &UNICODE
    };
    let at_once: Vec<_> = (0..)
        .zip(&chosen.services)
        .map(|(number, service)| {
            let visit = Visit::new(
                Arc::clone(&service.name),
                service.kind,
                kinds::driver(service.kind).map_or("", |d| d.title),
                chosen.embedded.is_some(),
                Arc::clone(&catalog),
            );
            let patient = Patient {
                service: service.clone(),
                id: ServiceId(number),
                guard: Arc::clone(&guard),
                limit: args.patience.limit(),
            };
            tokio::spawn(examine(patient, visit))
        })
        .collect();
    let mut done = Vec::new();
    for examination in at_once {
        let visit = match examination.await {
            Ok(visit) => visit,
            Err(e) => {
                output::complain(&format!("an examination broke off: {e}"));
                return Err(Exit::Failure);
            }
        };
        if args.form.output == TextOrJson::Text {
            let text = write::text(&visit, glyphs, output::width());
            let text = if done.is_empty() {
                text
            } else {
                format!("\n{text}")
            };
            match output::print(&text) {
                Exit::Ok => {}
                other => return Ok(other),
            }
        }
        done.push(visit);
    }
    let written = match args.form.output {
        TextOrJson::Json => write::json(&done),
        TextOrJson::Text => output::print(&write::summary(&done)),
    };
    if written == Exit::Ok && done.iter().any(|v| v.verdict() == State::Failed) {
        return Ok(Exit::SomeUnreachable);
    }
    Ok(written)
}
