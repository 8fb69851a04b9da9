//! Opening what is configured: the services of a run, or the embedded ones when nothing is configured.

use std::path::Path;
use std::sync::Arc;

use crate::config::{Config, ServiceConfig};
use crate::connect::broken::Broken;
use crate::connect::{Connector, Settings};
use crate::kinds;
use crate::model::{Fault, FaultKind, Kind, ServiceId};
use crate::operate::{Guard, Rule};
use crate::sim;
use crate::watch::Watched;

use super::{Exit, output};

/// The services of a run.
pub struct Services {
    /// Each with its way; one that could not be opened answers every question with the reason.
    pub watched: Vec<Watched>,
    /// What may be sent to them.
    pub guard: Guard,
    /// The configuration they came from.
    pub config: Config,
    /// The embedded services, which run as long as this lives.
    pub embedded: Option<sim::Running>,
}

/// Reads the configuration; complains about every mistake.
///
/// # Errors
/// [`Exit::Usage`] when it is faulty.
pub fn configured(named: Option<&Path>) -> Result<Config, Exit> {
    Config::load(named, &known_kinds()).map_err(|mistakes| {
        for mistake in mistakes {
            output::complain(&mistake.to_string());
        }
        Exit::Usage
    })
}

/// Every kind that a service may be of.
#[must_use]
pub fn known_kinds() -> Vec<Kind> {
    kinds::drivers().iter().map(|d| d.kind).collect()
}

impl Services {
    /// Opens the configured services, or starts and opens the embedded ones when nothing is configured. With
    /// `only`, just those of these names. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`Exit::Usage`] for a name that no service has; [`Exit::Failure`] when the embedded services can't start.
    pub async fn open(mut config: Config, only: &[String], read_only: bool) -> Result<Self, Exit> {
        let mut embedded = None;
        if config.services.is_empty() {
            let running = start_embedded().await?;
            config.services = embedded_config(&running)?.services;
            embedded = Some(running);
        }
        let chosen = choose(&config.services, only)?;
        let mut guard = Guard {
            all: Rule {
                read_only: read_only || config.read_only,
                allow: None,
            },
            services: Vec::new(),
        };
        let mut watched = Vec::new();
        for (number, service) in (0..).zip(&chosen) {
            let id = ServiceId(number);
            guard.services.push(Rule {
                read_only: service.read_only,
                allow: service.allow.clone(),
            });
            watched.push(Watched {
                service: service.service(id, embedded.is_some()),
                connector: open_one(service, id),
                history_ms: i64::from(service.history_hours) * 3_600_000,
                every_ms: service.every_ms,
            });
        }
        Ok(Self {
            watched,
            guard,
            config,
            embedded,
        })
    }
}

impl Services {
    /// Says on standard error that what is shown is the demo.
    pub fn say_if_embedded(&self) {
        if self.embedded.is_some() {
            let place = crate::config::paths::config_file(None)
                .map_or_else(String::new, |p| format!(" in {}", p.display()));
            output::complain(&format!(
                "nothing is configured: these are the embedded demo services; add your own{place}"
            ));
        }
    }
}

/// A service's connector; what can't be opened becomes one that says why.
fn open_one(service: &ServiceConfig, id: ServiceId) -> Arc<dyn Connector> {
    let opened =
        service
            .settings(id)
            .and_then(|settings: Settings| match kinds::driver(service.kind) {
                Some(driver) => (driver.open)(&settings),
                None => Err(Fault::new(
                    FaultKind::NotOffered,
                    format!("keepwatch has no way to {} services", service.kind),
                    service.name.to_string(),
                    "",
                )),
            });
    opened.unwrap_or_else(|fault| Arc::new(Broken::new(service.kind, fault)))
}

fn choose(all: &[ServiceConfig], only: &[String]) -> Result<Vec<ServiceConfig>, Exit> {
    for name in only {
        if !all.iter().any(|s| *s.name == **name) {
            let known: Vec<&str> = all.iter().map(|s| &*s.name).collect();
            output::complain(&format!(
                "--service {name}: no service is called so. {}",
                crate::tomlread::one_of(name, &known)
            ));
            return Err(Exit::Usage);
        }
    }
    Ok(all
        .iter()
        .filter(|s| only.is_empty() || only.iter().any(|name| *s.name == **name))
        .cloned()
        .collect())
}

/// The embedded services whose kinds keepwatch can watch.
async fn start_embedded() -> Result<sim::Running, Exit> {
    let known = known_kinds();
    let entries = sim::dialects::all()
        .into_iter()
        .filter(|entry| known.iter().any(|k| k.name() == entry.kind))
        .collect();
    sim::start(sim::SimOptions::default(), entries)
        .await
        .map_err(|e| {
            output::complain(&e.to_string());
            Exit::Failure
        })
}

fn embedded_config(running: &sim::Running) -> Result<Config, Exit> {
    Config::parse(
        &running.config_toml(),
        "embedded services",
        Path::new("."),
        &known_kinds(),
    )
    .map_err(|mistakes| {
        for mistake in mistakes {
            output::complain(&mistake.to_string());
        }
        Exit::Failure
    })
}
