//! Starting the embedded services: inside the console, or as `keepwatch sim`.

use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::dialect::{DialectEntry, ServiceId};
use super::engine::Engine;
use super::error::SimError;
use super::options::SimOptions;
use super::server::{self, Shared};
use super::service::{self, ServiceLine};
use super::world::{Listening, World};
use super::{dialects, keystone, signature, switches};

/// Embedded services that run. They end when this is dropped.
pub struct Running {
    /// The backup services, in the order of their ports.
    pub services: Vec<ServiceLine>,
    /// The identity service.
    pub keystone: ServiceLine,
    shared: Shared,
    // Dropping the set ends the loops in it, and with them every connection.
    _loops: JoinSet<()>,
}

impl Running {
    /// Asks the side path of a service (by name or kind) without HTTP, e.g.
    /// `control("csbs", "POST", "clock", &json!({"advance_s": 60}))`. Answers status and body; an unknown service
    /// answers 404.
    #[must_use]
    pub fn control(&self, service: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
        match server::with(&self.shared, |engine| engine.find(service)) {
            Some(service) => server::control(&self.shared, service, method, path, body),
            None => (404, Value::Null),
        }
    }

    /// A configuration with a block for each backup service.
    #[must_use]
    pub fn config_toml(&self) -> String {
        service::config_toml(&self.services)
    }

    /// All lines, Keystone's first.
    pub fn lines(&self) -> impl Iterator<Item = &ServiceLine> {
        std::iter::once(&self.keystone).chain(&self.services)
    }
}

/// Starts Keystone and those of `entries` whose kind is wanted; they listen when this returns.
///
/// # Errors
/// An unknown kind, a wrong switch, or a port that can't be taken.
pub async fn start(options: SimOptions, entries: Vec<DialectEntry>) -> Result<Running, SimError> {
    let chosen = choose(&options, &entries)?;
    let listeners = bind(options.port, &chosen).await?;
    let mut ports = Vec::new();
    for listener in &listeners {
        ports.push(listener.local_addr()?.port());
    }
    // Making a large history takes seconds of pure work: not on a thread that serves others.
    let made = tokio::task::spawn_blocking(move || make(options, &entries, &chosen, &ports)).await;
    let (engine, mut lines, ups) = made.map_err(|error| SimError::Io(error.into()))??;
    let shared: Shared = Arc::new(Mutex::new(engine));
    let mut loops = JoinSet::new();
    for (index, (listener, up)) in listeners.into_iter().zip(ups).enumerate() {
        loops.spawn(server::listen(
            shared.clone(),
            ServiceId(index),
            listener,
            up,
        ));
    }
    let keystone = lines.remove(0);
    Ok(Running {
        services: lines,
        keystone,
        shared,
        _loops: loops,
    })
}

/// Runs the embedded services as a program: prints a JSON line for each when it is ready, writes a configuration
/// when asked to, and serves until SIGINT or SIGTERM.
///
/// # Errors
/// As [`start`], and when the configuration can't be written.
pub async fn run_cli(options: SimOptions, write_config: Option<PathBuf>) -> Result<(), SimError> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let running = start(options, dialects::all()).await?;
    if let Some(path) = write_config {
        // the past of a made-up world stays beside it, out of the user's own history
        let text = format!(
            "[history]\npath = \"history.db\"\n\n{}",
            running.config_toml()
        );
        std::fs::write(&path, text).map_err(|source| SimError::WriteConfig { path, source })?;
    }
    {
        let mut out = std::io::stdout().lock();
        for line in running.lines() {
            writeln!(out, "{}", line.to_json())?;
        }
        out.flush()?;
    }
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// Keystone and the entries of the wanted kinds.
fn choose(options: &SimOptions, entries: &[DialectEntry]) -> Result<Vec<DialectEntry>, SimError> {
    for kind in &options.kinds {
        if kind != "keystone" && !entries.iter().any(|entry| entry.kind == kind) {
            let known: Vec<&str> = entries.iter().map(|entry| entry.kind).collect();
            return Err(SimError::Kind {
                kind: kind.clone(),
                known: known.join(", "),
            });
        }
    }
    let wanted = |entry: &&DialectEntry| {
        options.kinds.is_empty() || options.kinds.iter().any(|kind| kind == entry.kind)
    };
    Ok(std::iter::once(keystone::ENTRY)
        .chain(entries.iter().filter(wanted).copied())
        .collect())
}

async fn bind(first: u16, chosen: &[DialectEntry]) -> Result<Vec<TcpListener>, SimError> {
    let mut listeners = Vec::new();
    for (index, entry) in chosen.iter().enumerate() {
        let port = match first {
            0 => 0,
            first => {
                u16::try_from(usize::from(first) + index).map_err(|_| SimError::PortRange {
                    port: first,
                    services: chosen.len(),
                })?
            }
        };
        let listener = TcpListener::bind(("127.0.0.1", port))
            .await
            .map_err(|source| SimError::Bind {
                name: entry.name.to_owned(),
                port,
                source,
            })?;
        listeners.push(listener);
    }
    Ok(listeners)
}

type Made = (Engine, Vec<ServiceLine>, Vec<watch::Receiver<bool>>);

fn make(
    options: SimOptions,
    all: &[DialectEntry],
    chosen: &[DialectEntry],
    ports: &[u16],
) -> Result<Made, SimError> {
    let wanted = options.switches.clone();
    let mut world = World::new(options);
    world.switches.declare(&[signature::SWITCH]);
    world.switches.declare(switches::CORE);
    for entry in std::iter::once(&keystone::ENTRY).chain(all) {
        world.switches.declare(entry.switches);
    }
    for (name, value) in wanted {
        world
            .switches
            .set(&name, &value)
            .map_err(SimError::Switch)?;
    }
    world.services = chosen
        .iter()
        .zip(ports)
        .map(|(entry, port)| Listening {
            name: entry.name.to_owned(),
            kind: entry.kind,
            port: *port,
            catalog: entry.catalog,
        })
        .collect();
    let mut dialects = Vec::new();
    for (index, entry) in chosen.iter().enumerate() {
        dialects.push((entry.make)(&mut world, ServiceId(index)));
    }
    let lines = chosen
        .iter()
        .zip(ports)
        .enumerate()
        .map(|(index, (entry, port))| ServiceLine {
            kind: entry.kind,
            name: entry.name.to_owned(),
            port: *port,
            endpoint: format!("{}{}", world.root(ServiceId(index)), entry.path),
            auth: (entry.auth)(&world),
        })
        .collect();
    let (senders, receivers) = chosen.iter().map(|_| watch::channel(true)).unzip();
    Ok((Engine::new(world, dialects, senders), lines, receivers))
}
