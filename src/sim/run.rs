//! Starting the embedded services: inside the console, or as `keepwatch sim`.

use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::dialect::{DialectEntry, ServiceId};
use super::engine::Engine;
use super::error::SimError;
use super::hook::{self, PastCall};
use super::options::SimOptions;
use super::server::{self, Shared};
use super::service::{self, ServiceLine};
use super::tls::Certificate;
use super::world::{Listening, World};
use super::{keystone, signature, switches};

/// Embedded services that run. They end when this is dropped.
pub struct Running {
    /// The backup services, in the order of their ports.
    pub services: Vec<ServiceLine>,
    /// The identity service.
    pub keystone: ServiceLine,
    /// What scripts were told before the beginning, in order: nothing was run for it.
    pub past_calls: Vec<PastCall>,
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
    let hook = options.hook.clone();
    let alive = options.speed > 0.0;
    // Making a large history takes seconds of pure work: not on a thread that serves others.
    let made = tokio::task::spawn_blocking(move || make(options, &entries, &chosen, &ports)).await;
    let (mut engine, mut lines, ups) = made.map_err(|error| SimError::Io(error.into()))??;
    let events = hook.map(|hook| {
        let (sender, events) = mpsc::unbounded_channel();
        engine.world.hooks = Some(sender);
        (hook, events)
    });
    let past_calls = std::mem::take(&mut engine.world.past_calls);
    let shared: Shared = Arc::new(Mutex::new(engine));
    let mut loops = JoinSet::new();
    for (index, ((listener, up), line)) in listeners.into_iter().zip(ups).zip(&lines).enumerate() {
        let tls = line
            .auth
            .certificate
            .map(Certificate::acceptor)
            .transpose()?;
        loops.spawn(server::listen(
            shared.clone(),
            ServiceId(index),
            listener,
            tls,
            up,
        ));
    }
    if let Some((hook, events)) = events {
        loops.spawn(hook::run(hook, events, shared.clone()));
        if alive {
            loops.spawn(hook::tick(shared.clone()));
        }
    }
    let keystone = lines.remove(0);
    Ok(Running {
        services: lines,
        keystone,
        past_calls,
        shared,
        _loops: loops,
    })
}

/// Waits for SIGINT or SIGTERM; from when it is made, so that neither is missed.
pub struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    /// Begins to listen.
    ///
    /// # Errors
    /// The system refuses it.
    pub fn listen() -> Result<Self, SimError> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for either.
    pub async fn wait(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Tells others how to reach services that run: prints a JSON line for each, and writes a configuration when asked to.
///
/// # Errors
/// The configuration can't be written, or nobody reads the lines.
pub fn announce(running: &Running, write_config: Option<PathBuf>) -> Result<(), SimError> {
    if let Some(path) = write_config {
        // the past of a made-up world stays beside it, out of the user's own history
        let text = format!(
            "[history]\npath = \"history.db\"\n\n{}",
            running.config_toml()
        );
        std::fs::write(&path, text).map_err(|source| SimError::WriteConfig { path, source })?;
    }
    let mut out = std::io::stdout().lock();
    for line in running.lines() {
        writeln!(out, "{}", line.to_json())?;
    }
    out.flush()?;
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
        .map(|(index, (entry, port))| {
            let auth = (entry.auth)(&world);
            let root = world.root(ServiceId(index));
            let root = match auth.certificate {
                Some(_) => root.replacen("http:", "https:", 1),
                None => root,
            };
            ServiceLine {
                kind: entry.kind,
                name: entry.name.to_owned(),
                port: *port,
                endpoint: format!("{root}{}", entry.path),
                auth,
            }
        })
        .collect();
    let (senders, receivers) = chosen.iter().map(|_| watch::channel(true)).unzip();
    Ok((Engine::new(world, dialects, senders), lines, receivers))
}
