//! The one world that all embedded services share.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;

use super::clock::Clock;
use super::dialect::{CatalogEntry, ServiceId};
use super::fleet::{self, Fleet};
use super::hook::PastCall;
use super::options::SimOptions;
use super::queue::{Event, Queue};
use super::quotas::Quotas;
use super::switches::Switches;
use super::tokens::Tokens;

/// Who may log in, and to what: one user of one domain with one project.
#[derive(Debug, Clone)]
pub struct Account {
    /// User name.
    pub user: String,
    /// User id (32 hex digits, as all ids here but `default`).
    pub user_id: String,
    /// The user's password.
    pub password: String,
    /// Domain name of user and project.
    pub domain: String,
    /// Domain id.
    pub domain_id: String,
    /// Project name.
    pub project: String,
    /// Project id.
    pub project_id: String,
    /// Access key for signed requests.
    pub access_key: String,
    /// Secret key for signed requests.
    pub secret_key: String,
    /// A temporary access key; it counts only together with `security_token`.
    pub temporary_access_key: String,
    /// Its secret key.
    pub temporary_secret_key: String,
    /// What a request signed with the temporary key carries as `X-Security-Token`.
    pub security_token: String,
}

/// A service that listens, as the catalogue needs it.
#[derive(Debug, Clone)]
pub struct Listening {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: &'static str,
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// Its place in the catalogue.
    pub catalog: Option<CatalogEntry>,
}

/// Everything that more than one service can see.
#[derive(Debug)]
pub struct World {
    /// The virtual clock. Dialects read [`World::now`] instead.
    pub clock: Clock,
    now: DateTime<Utc>,
    /// The only source of chance.
    pub rng: fastrand::Rng,
    queue: Queue,
    /// What the simulation was started with.
    pub options: SimOptions,
    /// The undocumented choices.
    pub switches: Switches,
    /// Servers, disks and zones.
    pub fleet: Fleet,
    /// Limits.
    pub quotas: Quotas,
    /// Tokens that are out.
    pub tokens: Tokens,
    /// Who may log in.
    pub account: Account,
    /// Who listens where; in the order of [`ServiceId`].
    pub services: Vec<Listening>,
    /// What really happened, by name (`csbs.backup.started`), for tests to count.
    pub counters: BTreeMap<String, u64>,
    /// What really happened, in order: for tests that ask which request did what. Bounded.
    pub journal: Vec<Value>,
    /// Who runs the hook for each event, when there is one.
    pub hooks: Option<UnboundedSender<Vec<String>>>,
    /// What scripts were told before the beginning, in order.
    pub past_calls: Vec<PastCall>,
}

/// The journal keeps this many lines; older ones are dropped by halves.
const JOURNAL: usize = 4096;

impl World {
    /// A world with its fleet, before any dialect.
    #[must_use]
    pub fn new(options: SimOptions) -> Self {
        let mut rng = fastrand::Rng::with_seed(options.seed);
        let clock = Clock::new(options.start.unwrap_or_else(Utc::now), options.speed);
        let fleet = Fleet::generate(options.devices, &mut rng);
        let account = Account {
            user: "operator".into(),
            user_id: hex32(&mut rng),
            password: "demo-password".into(),
            domain: "Default".into(),
            domain_id: "default".into(),
            project: "backup-demo".into(),
            project_id: hex32(&mut rng),
            access_key: "KEEPWATCHDEMOACCESS0".into(),
            secret_key: "keepwatch-demo-secret-key-opens-nothing".into(),
            temporary_access_key: "KEEPWATCHTEMPACCESS0".into(),
            temporary_secret_key: "keepwatch-demo-temporary-secret-key".into(),
            security_token: "keepwatch-demo-security-token".into(),
        };
        Self {
            now: clock.now(),
            clock,
            rng,
            queue: Queue::default(),
            options,
            switches: Switches::default(),
            fleet,
            quotas: Quotas::default(),
            tokens: Tokens::default(),
            account,
            services: Vec::new(),
            counters: BTreeMap::new(),
            journal: Vec::new(),
            hooks: None,
            past_calls: Vec::new(),
        }
    }

    /// The virtual time of what is happening: a request's moment, or a due event's own instant.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// Sets the time of what happens next. Only the engine calls this.
    pub(super) fn set_now(&mut self, now: DateTime<Utc>) {
        self.now = self.now.max(now);
    }

    /// Takes the next event due at or before `until`. Only the engine calls this.
    pub(super) fn pop_due(&mut self, until: DateTime<Utc>) -> Option<(DateTime<Utc>, Event)> {
        self.queue.pop_due(until)
    }

    /// Asks for [`super::dialect::Dialect::event`] at `at`, or at once when that is past.
    pub fn schedule(&mut self, service: ServiceId, at: DateTime<Utc>, what: u32, id: u64) {
        let event = Event { service, what, id };
        self.queue.push(at.max(self.now), event);
    }

    /// The same, a while from now.
    pub fn schedule_in(&mut self, service: ServiceId, after: TimeDelta, what: u32, id: u64) {
        let at = self.now.checked_add_signed(after).unwrap_or(self.now);
        self.schedule(service, at, what, id);
    }

    /// A new random UUID.
    pub fn uuid(&mut self) -> String {
        fleet::uuid(&mut self.rng)
    }

    /// A new random id of 32 hex digits.
    pub fn hex32(&mut self) -> String {
        hex32(&mut self.rng)
    }

    /// Counts something that really happened.
    pub fn count(&mut self, name: &str) {
        match self.counters.get_mut(name) {
            Some(count) => *count += 1,
            None => {
                self.counters.insert(name.to_owned(), 1);
            }
        }
    }

    /// Notes something that really happened; also counts it under its `"what"`.
    pub fn note(&mut self, entry: Value) {
        if let Some(what) = entry.get("what").and_then(Value::as_str) {
            self.count(what);
        }
        if self.journal.len() >= JOURNAL {
            self.journal.drain(..JOURNAL / 2);
        }
        self.journal.push(entry);
    }

    /// Calls the scripts of a product with these arguments: notes them, and hands them to the hook if there is one.
    pub fn call_hook(&mut self, what: &str, args: Vec<String>) {
        self.note(json!({"what": what, "at": self.now, "args": args}));
        if let Some(hooks) = &self.hooks {
            // Nobody runs hooks any more only when the simulation is ending.
            let _ = hooks.send(args);
        }
    }

    /// When the next event is due.
    #[must_use]
    pub fn next_due(&self) -> Option<DateTime<Utc>> {
        self.queue.next_due()
    }

    /// The root of a service's own address, `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn root(&self, service: ServiceId) -> String {
        let port = self.services.get(service.0).map_or(0, |line| line.port);
        format!("http://127.0.0.1:{port}")
    }

    /// Where Keystone answers, `http://127.0.0.1:PORT/v3`.
    #[must_use]
    pub fn keystone_url(&self) -> String {
        let port = self
            .services
            .iter()
            .find(|line| line.kind == "keystone")
            .map_or(0, |line| line.port);
        format!("http://127.0.0.1:{port}/v3")
    }

    /// The share of the change rate that one backup service should make, in changes per virtual second.
    #[must_use]
    pub fn change_rate_each(&self) -> f64 {
        let others = self
            .services
            .iter()
            .filter(|line| line.kind != "keystone")
            .count();
        self.options.change_rate / others.max(1) as f64
    }
}

fn hex32(rng: &mut fastrand::Rng) -> String {
    hex::encode(rng.u128(..).to_be_bytes())
}
