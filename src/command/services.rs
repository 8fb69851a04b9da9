//! Opening what is configured: the services of a run, or the embedded ones when nothing is configured.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;

use crate::catalog::Catalog;
use crate::config::{Config, ServiceConfig};
use crate::connect::broken::Broken;
use crate::connect::{Connector, Settings};
use crate::kinds;
use crate::model::{Fault, FaultKind, Kind, RecordsFrom, ServiceId};
use crate::operate::{ActionEvent, Guard, Operator, Rule};
use crate::store::Store;
use crate::store::history::History;
use crate::watch::{Want, Watched, collect};

use super::cli::Asked;
use super::demo::Demo;
use super::{Exit, output};

/// The services of a run.
pub struct Services {
    /// Each with its way; one that could not be opened answers every question with the reason.
    pub watched: Vec<Watched>,
    /// What may be sent to them.
    pub guard: Guard,
    /// From when on the store keeps records of tasks, for those that decode them.
    pub records_from: RecordsFrom,
    /// The configuration they came from.
    pub config: Config,
    /// The embedded services, which run as long as this lives.
    pub embedded: Option<Demo>,
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
    kinds::drivers().map(|d| d.kind).collect()
}

/// The services that a command is about, not opened yet.
pub struct Chosen {
    /// Those chosen, in the order of the configuration.
    pub services: Vec<ServiceConfig>,
    /// The configuration they came from.
    pub config: Config,
    /// The embedded services, which run as long as this lives.
    pub embedded: Option<Demo>,
}

impl Chosen {
    /// The configured services, or the embedded ones, which are started, when nothing is configured. With `only`,
    /// just those of these names; `flag` is how they were given, for messages. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`Exit::Usage`] for a name that no service has; [`Exit::Failure`] when the embedded services can't start.
    pub async fn of(mut config: Config, only: &[String], flag: &str) -> Result<Self, Exit> {
        let mut embedded = None;
        if config.services.is_empty() {
            let demo = Demo::start().await?;
            config.services = demo.services()?;
            embedded = Some(demo);
        }
        Ok(Self {
            services: choose(&config.services, only, flag)?,
            config,
            embedded,
        })
    }

    /// What may be sent to them, numbered in their order.
    #[must_use]
    pub fn guard(&self, read_only: bool) -> Guard {
        Guard {
            all: Rule {
                read_only: read_only || self.config.read_only,
                allow: None,
            },
            services: self
                .services
                .iter()
                .map(|service| Rule {
                    read_only: service.read_only,
                    allow: service.allow.clone(),
                })
                .collect(),
        }
    }

    /// Says on standard error that what is shown is the demo.
    pub fn say_if_embedded(&self) {
        say_if(self.embedded.is_some());
    }
}

/// One round over the services, which nothing was sent to.
pub struct Round {
    /// What they answered.
    pub store: Store,
    /// The services that were asked.
    pub services: Services,
    /// What the embedded ones run on: it ends last.
    _runtime: tokio::runtime::Runtime,
}

impl Round {
    /// Asks the services once; says on standard error when they are the demo.
    ///
    /// # Errors
    /// As [`Chosen::of`], and [`Exit::Failure`] when threads can't be started.
    pub fn go(config: Config, asked: &Asked, want: Want) -> Result<Self, Exit> {
        let runtime = super::runtime()?;
        let (store, services) = runtime.block_on(async {
            let services = Services::open(config, &asked.service, true).await?;
            services.say_if_embedded();
            crate::threads::huge_pages(true);
            let store = collect(&services.watched, want, asked.patience.limit()).await;
            Ok((store, services))
        })?;
        Ok(Self {
            store,
            services,
            _runtime: runtime,
        })
    }
}

impl Services {
    /// Opens what [`Chosen::of`] chooses; `only` are the values of `--service`.
    ///
    /// # Errors
    /// As [`Chosen::of`].
    pub async fn open(config: Config, only: &[String], read_only: bool) -> Result<Self, Exit> {
        let chosen = Chosen::of(config, only, "--service ").await?;
        let guard = chosen.guard(read_only);
        let mut watched = Vec::new();
        let records_from = RecordsFrom::default();
        for (number, service) in (0..).zip(&chosen.services) {
            let id = ServiceId(number);
            watched.push(Watched {
                service: service.service(id, chosen.embedded.is_some()),
                connector: open_one(service, id),
                history_ms: i64::from(service.history_hours) * 3_600_000,
                every_ms: service.every_ms,
                records_from: records_from.clone(),
            });
        }
        Ok(Self {
            watched,
            guard,
            records_from,
            config: chosen.config,
            embedded: chosen.embedded,
        })
    }

    /// What acts on them; stages go to `events`, every step into `history`.
    #[must_use]
    pub fn operator(
        &self,
        catalog: &Arc<Catalog>,
        events: UnboundedSender<ActionEvent>,
        history: Arc<dyn History>,
    ) -> Operator {
        let ways = self.watched.iter();
        let ways = ways.map(|w| (w.service.clone(), Arc::clone(&w.connector)));
        Operator::new(
            ways.collect(),
            self.guard.clone(),
            Arc::clone(catalog),
            events,
        )
        .with_history(history, self.config.history.required)
        .looking_for(self.config.actions.look_for_ms)
    }

    /// Says on standard error that what is shown is the demo.
    pub fn say_if_embedded(&self) {
        say_if(self.embedded.is_some());
    }
}

fn say_if(embedded: bool) {
    if embedded {
        let place = crate::config::paths::config_file(None)
            .map_or_else(String::new, |p| format!(" in {}", p.display()));
        output::complain(&format!(
            "nothing is configured: these are the embedded demo services; add your own{place}"
        ));
    }
}

/// A service's connector; what can't be opened becomes one that says why.
fn open_one(service: &ServiceConfig, id: ServiceId) -> Arc<dyn Connector> {
    service
        .settings(id)
        .and_then(|settings| connect(&settings))
        .unwrap_or_else(|fault| Arc::new(Broken::new(service.kind, fault)))
}

/// The connector for these settings; talks to nobody.
///
/// # Errors
/// A kind without a connector, and what the kind itself can't work with.
pub fn connect(settings: &Settings) -> Result<Arc<dyn Connector>, Fault> {
    match kinds::driver(settings.kind) {
        Some(driver) => (driver.open)(settings),
        None => Err(Fault::new(
            FaultKind::NotOffered,
            format!("keepwatch has no way to {} services", settings.kind),
            settings.name.to_string(),
            "",
        )),
    }
}

fn choose(all: &[ServiceConfig], only: &[String], flag: &str) -> Result<Vec<ServiceConfig>, Exit> {
    for name in only {
        if !all.iter().any(|s| *s.name == **name) {
            let known: Vec<&str> = all.iter().map(|s| &*s.name).collect();
            output::complain(&format!(
                "{flag}{name}: no service is called so. {}",
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
