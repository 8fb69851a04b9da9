//! One connector at one embedded service, with a store that holds what it reads.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use chrono::{DateTime, Utc};

use keepwatch::config::Config;
use keepwatch::connect::dpod::inbox::{Inbox, Record};
use keepwatch::connect::{Connector, Page, PageSink, PollContext, PollReport, Settings};
use keepwatch::kinds;
use keepwatch::model::{
    ActionSpec, Device, Fault, InputKind, Intent, Phase, Policy, Prepared, Ref, Rows, SendOutcome,
    Service, ServiceId, Target, TargetKind, Task, Timestamp,
};
use keepwatch::sim::dialect::DialectEntry;
use keepwatch::sim::{self, Hook, Running, SimOptions};
use keepwatch::store::Store;
use keepwatch::watch::{Round, WatchEvent, fold};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;

/// How far back tasks are asked for.
const HISTORY_MS: i64 = 30 * 86_400_000;

/// A clock that stands still fills up no quota again.
const GENEROUS: [(&str, &str); 1] = [("atlassian.reads_per_minute", "1000000")];

/// A furnished world with some history, standing still: the same one each time.
pub fn world() -> SimOptions {
    static NOW: LazyLock<DateTime<Utc>> = LazyLock::new(Utc::now);
    SimOptions {
        start: Some(*NOW),
        tasks: 60,
        furnished: true,
        ..SimOptions::quiet()
    }
}

/// One connector at work.
pub struct Bench {
    pub kind: &'static str,
    pub running: Running,
    pub settings: Settings,
    pub connector: Arc<dyn Connector>,
    pub store: Store,
    // what its scripts have told, if it calls any
    _inbox: TempDir,
    marks: HashMap<&'static str, Timestamp>,
    shown: HashMap<(&'static str, u32), Rows>,
}

/// One round of one feed: what it showed, and how it ended.
pub struct Read {
    pub feed: &'static str,
    pub rows: Rows,
    pub outcome: Result<PollReport, Fault>,
}

struct Pages<'a> {
    feed: &'static str,
    shown: &'a mut HashMap<(&'static str, u32), Rows>,
    rows: Rows,
    pages: Vec<(u32, Page)>,
}

#[async_trait::async_trait]
impl PageSink for Pages<'_> {
    async fn page(&mut self, number: u32, page: Page) -> bool {
        let key = (self.feed, number);
        let rows = match &page {
            Page::Rows(rows) => {
                self.shown.insert(key, rows.clone());
                rows.clone()
            }
            Page::Same => self.shown.get(&key).cloned().unwrap_or_else(|| {
                panic!(
                    "{} calls page {number} the same, which it never showed",
                    self.feed
                )
            }),
        };
        self.rows.devices.extend(rows.devices);
        self.rows.policies.extend(rows.policies);
        self.rows.tasks.extend(rows.tasks);
        self.rows.bad.extend(rows.bad);
        self.pages.push((number, page));
        true
    }
}

/// Everything that a store holds of a service, in order.
#[derive(PartialEq, Debug, Default)]
pub struct Held {
    pub devices: BTreeMap<String, Device>,
    pub policies: BTreeMap<String, Policy>,
    pub tasks: BTreeMap<String, Task>,
}

impl Held {
    /// Fails with what is different.
    pub fn is(&self, expected: &Self, when: &str) {
        let mut found = Vec::new();
        differences(&self.devices, &expected.devices, &mut found);
        differences(&self.policies, &expected.policies, &mut found);
        differences(&self.tasks, &expected.tasks, &mut found);
        let more = found.len().saturating_sub(3);
        found.truncate(3);
        assert!(
            found.is_empty(),
            "{when}: {} (and {more} more)",
            found.join("\n")
        );
    }
}

fn differences<T: PartialEq + std::fmt::Debug>(
    now: &BTreeMap<String, T>,
    before: &BTreeMap<String, T>,
    found: &mut Vec<String>,
) {
    for (id, was) in before {
        match now.get(id) {
            None => found.push(format!("{id} is gone: {was:?}")),
            Some(is) if is != was => found.push(format!("{id} was {was:?} and is {is:?}")),
            Some(_) => {}
        }
    }
    let new = now.keys().filter(|id| !before.contains_key(*id));
    found.extend(new.map(|id| format!("{id} is new")));
}

impl Bench {
    pub async fn start(entry: DialectEntry) -> Self {
        Self::start_with(entry, world(), |_| {}).await
    }

    /// The same with settings of one's own.
    pub async fn start_with(
        entry: DialectEntry,
        mut options: SimOptions,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let inbox = tempfile::tempdir().expect("a folder");
        options.hook = Some(recorder(entry.name, inbox.path()));
        let own = |name: &str| name.split('.').next() == Some(entry.kind);
        for (name, value) in GENEROUS.into_iter().filter(|(name, _)| own(name)) {
            options.switches.push((name.to_owned(), value.to_owned()));
        }
        let running = sim::start(options, vec![entry]).await.expect("starts");
        remember(&running, inbox.path());
        let known: Vec<_> = kinds::drivers().map(|d| d.kind).collect();
        let text = running.config_toml();
        let config = Config::parse(&text, "sim", Path::new("."), &known).expect("a configuration");
        let mut settings = config.services[0].settings(ServiceId(0)).expect("settings");
        settings.rate_per_minute = Some(1_000_000);
        settings.max_body = 4 * 1024 * 1024;
        settings.timeout_ms = 60_000;
        if entry.kind == "dpod" {
            let inbox = inbox.path().display().to_string();
            settings.options.insert("inbox".into(), inbox);
        }
        change(&mut settings);
        let connector = open(&settings);
        let service = Service {
            id: ServiceId(0),
            name: Arc::clone(&settings.name),
            kind: settings.kind,
            embedded: true,
            read_only: false,
        };
        Self {
            kind: entry.kind,
            running,
            connector,
            settings,
            store: Store::new(vec![service]),
            _inbox: inbox,
            marks: HashMap::new(),
            shown: HashMap::new(),
        }
    }

    pub fn service(&self) -> Service {
        self.store.service(ServiceId(0)).service.clone()
    }

    /// How far the service's clock is ahead of ours, in milliseconds, as last noticed.
    pub fn clock_offset(&self) -> Option<i64> {
        self.store.service(ServiceId(0)).clock_offset_ms
    }

    /// Names of the feeds that ask the service something.
    pub fn remote(&self) -> Vec<&'static str> {
        let feeds = self.connector.feeds().iter().map(|f| f.id);
        feeds.filter(|f| !self.connector.is_local(f)).collect()
    }

    /// Reads every feed once, as the watchers do, and looks up what they would look up.
    pub async fn round(&mut self) -> Vec<Read> {
        self.settle().await;
        let mut all = Vec::new();
        for spec in self.connector.feeds().to_vec() {
            all.push(self.read(spec.id).await);
        }
        all
    }

    /// Waits until whatever the service tells its scripts has been written down.
    pub async fn settle(&self) {
        while self.counted("hook.run") < self.counted("dpod.script") {
            assert_eq!(self.counted("hook.failed"), 0, "a script went wrong");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// The same; every feed has to be read to its end.
    pub async fn whole_round(&mut self) -> Vec<Read> {
        let all = self.round().await;
        for read in &all {
            match &read.outcome {
                Ok(report) => assert!(
                    report.complete && report.partial.is_empty(),
                    "{} is not read whole: {report:?}",
                    read.feed
                ),
                Err(fault) => panic!("{}: {fault}", read.feed),
            }
            assert_eq!(read.rows.bad, [], "{}", read.feed);
        }
        all
    }

    /// A new connector that has read nothing, or every feed but one.
    pub async fn begin_anew(&mut self, all_but: Option<&str>) {
        self.marks.clear();
        self.shown.clear();
        self.connector = open(&self.settings);
        for other in self.connector.feeds().to_vec() {
            if all_but.is_some_and(|feed| other.id != feed) {
                self.read(other.id).await;
            }
        }
    }

    /// Rounds until another one shows nothing new: a list may know only after another one was read what it has to
    /// show, and a service that grants few questions is asked for details a few at a time.
    pub async fn settled(&mut self) -> Held {
        self.whole_round().await;
        let mut held = self.held();
        for _ in 0..20 {
            self.whole_round().await;
            let now = self.held();
            if now == held {
                return now;
            }
            held = now;
        }
        panic!("every round shows something else");
    }

    pub async fn read(&mut self, feed: &'static str) -> Read {
        let connector = Arc::clone(&self.connector);
        let specs = connector.feeds();
        let spec = specs.iter().find(|f| f.id == feed).expect("a feed");
        let mut sink = Pages {
            feed,
            shown: &mut self.shown,
            rows: Rows::default(),
            pages: Vec::new(),
        };
        let context = PollContext {
            changed_since: self.marks.get(feed).copied(),
            history_from: Some(Timestamp::now().plus(-HISTORY_MS)),
            called: true,
        };
        let outcome = connector.poll(feed, context, &mut sink).await;
        let (rows, pages) = (sink.rows, sink.pages);
        if outcome.as_ref().is_ok_and(|report| report.complete) {
            let newest = rows
                .tasks
                .iter()
                .filter_map(|t| t.updated_at.max(t.ended_at))
                .max();
            if let Some(newest) = newest {
                let mark = self.marks.entry(feed).or_insert(newest);
                *mark = newest.max(*mark);
            }
        }
        let service = ServiceId(0);
        for (number, page) in pages {
            let event = WatchEvent::Page {
                service,
                feed,
                number,
                page,
            };
            fold(&mut self.store, event, Timestamp::now());
        }
        let event = WatchEvent::Round {
            service,
            feed,
            round: Box::new(Round {
                covers: spec.covers,
                looks_up: connector.looks_up_at_once(),
                outcome: outcome.clone(),
            }),
            at: Timestamp::now(),
        };
        let wishes = fold(&mut self.store, event, Timestamp::now()).look_up;
        for (_, task_id) in wishes {
            let look = connector.look_up(&task_id).await;
            let event = WatchEvent::Looked {
                service,
                looks: vec![(task_id, look)],
            };
            fold(&mut self.store, event, Timestamp::now());
        }
        Read {
            feed,
            rows,
            outcome,
        }
    }

    /// What the store holds now.
    pub fn held(&self) -> Held {
        let store = &self.store;
        let devices = store.devices().filter_map(|d| store.device(d).record());
        let policies = store.policies().filter_map(|p| store.policy(p).record());
        Held {
            devices: devices.map(|d| (d.id.clone(), d.clone())).collect(),
            policies: policies.map(|p| (p.id.clone(), p.clone())).collect(),
            tasks: store
                .tasks()
                .filter(|t| !store.task(*t).is_gone())
                .map(|t| (store.task(t).id().to_owned(), store.task(t).to_task()))
                .collect(),
        }
    }

    /// Asks the side path of the service.
    pub fn control(&self, method: &str, path: &str, body: Value) -> Value {
        self.control_of(self.kind, method, path, body)
    }

    pub fn control_of(&self, service: &str, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.running.control(service, method, path, &body);
        assert_eq!(status, 200, "{method} /_sim/{path}: {answer}");
        answer
    }

    /// Switches a fault on.
    pub fn fault(&self, fault: Value) {
        self.control("POST", "faults", fault);
    }

    /// Switches every fault off.
    pub fn mend(&self) {
        self.control("DELETE", "faults", Value::Null);
    }

    /// Waits until the port is open, or closed: the server's loop gets to it in its own time.
    pub async fn listening(&self, wanted: bool) {
        let port = self.running.services[0].port;
        while TcpStream::connect(("127.0.0.1", port)).await.is_ok() != wanted {
            tokio::task::yield_now().await;
        }
    }

    pub fn advance(&self, seconds: u64) {
        self.control("POST", "clock", json!({"advance_s": seconds}));
    }

    /// How many requests the service has seen.
    pub fn asked(&self) -> usize {
        self.control("GET", "requests", Value::Null)
            .as_array()
            .expect("a list")
            .len()
    }

    /// How many requests were sent. Not what the service has seen: it may meet those later whose answers nobody
    /// waited for, because another one failed first.
    pub fn sent(&self) -> u64 {
        let way = self.connector.way().expect("it asks over HTTP");
        way.http().sent()
    }

    /// What really happened at the service, counted.
    pub fn happened(&self) -> u64 {
        self.control("GET", "counters", Value::Null)
            .as_object()
            .expect("counters")
            .iter()
            .filter(|(name, _)| !name.starts_with("keystone.") && !name.starts_with("hook."))
            .filter_map(|(_, count)| count.as_u64())
            .sum()
    }

    /// How often something happened.
    pub fn counted(&self, what: &str) -> u64 {
        self.control("GET", "counters", Value::Null)[what]
            .as_u64()
            .unwrap_or(0)
    }

    /// Devices and policies by id: whether the last of their tasks that ended went well.
    fn went_well(&self) -> HashMap<String, bool> {
        let store = &self.store;
        let mut last: HashMap<String, (Option<Timestamp>, bool)> = HashMap::new();
        for task in store.tasks().map(|t| store.task(t)) {
            if task.is_gone() || !task.phase().is_over() {
                continue;
            }
            let now = (task.ended_at(), task.phase() == Phase::Succeeded);
            for (id, _) in [task.device(), task.policy()] {
                let held = last.entry(id.to_owned()).or_insert(now);
                *held = now.max(*held);
            }
        }
        last.into_iter().map(|(id, (_, well))| (id, well)).collect()
    }

    /// Everything of one sort that an action could be applied to; first what last went well, since a furnished world
    /// has things in it that can only be refused.
    pub fn targets(&self, sort: TargetKind) -> Vec<Target> {
        let store = &self.store;
        let well = self.went_well();
        let ordered = |mut all: Vec<Target>| {
            all.sort_by_key(|t| !well.get(&t.id).copied().unwrap_or(false));
            all
        };
        match sort {
            TargetKind::Device => ordered(store.devices().map(|d| self.device(d)).collect()),
            TargetKind::Policy => ordered(store.policies().map(|p| self.policy(p)).collect()),
            TargetKind::Task => store
                .tasks()
                .filter(|t| !store.task(*t).is_gone())
                .map(|t| self.task(t))
                .collect(),
        }
    }

    fn device(&self, row: keepwatch::store::DeviceRow) -> Target {
        let d = self.store.device(row);
        Target {
            device: Ref::new(d.id(), d.name()),
            raw: d.raw().unwrap_or_default().to_owned(),
            ..plain(TargetKind::Device, d.id(), d.name(), d.native_status())
        }
    }

    fn policy(&self, row: keepwatch::store::PolicyRow) -> Target {
        let p = self.store.policy(row);
        Target {
            policy: Ref::new(p.id(), p.name()),
            raw: p.raw().unwrap_or_default().to_owned(),
            ..plain(TargetKind::Policy, p.id(), p.name(), p.native_status())
        }
    }

    fn task(&self, row: keepwatch::store::TaskRow) -> Target {
        let t = self.store.task(row);
        let (device, policy) = (t.device(), t.policy());
        Target {
            phase: t.phase(),
            operation: t.operation().to_owned(),
            object: t.object().to_owned(),
            device: Ref::new(device.0, device.1),
            policy: Ref::new(policy.0, policy.1),
            failure: t.failure(),
            raw: t.raw().unwrap_or_default().to_owned(),
            ..plain(
                TargetKind::Task,
                t.id(),
                t.device_label(),
                t.native_status(),
            )
        }
    }

    /// The first target on which the action can be prepared; otherwise every reason why not.
    pub async fn prepared(&self, spec: &ActionSpec) -> Result<Prepared, Vec<String>> {
        self.prepared_on(spec, |_| true).await
    }

    /// The same among some targets.
    async fn prepared_on(
        &self,
        spec: &ActionSpec,
        wanted: impl Fn(&Target) -> bool,
    ) -> Result<Prepared, Vec<String>> {
        let mut reasons = Vec::new();
        for target in self.targets(spec.target) {
            if !wanted(&target) {
                continue;
            }
            if let Err(why) = self.connector.available(spec, &target) {
                assert!(
                    !why.trim().is_empty(),
                    "{}: no reason on {}",
                    spec.id,
                    target.id
                );
                reasons.push(why);
                continue;
            }
            let intent = Intent {
                service: ServiceId(0),
                action: spec.id,
                inputs: inputs(spec),
                target,
            };
            match self.connector.prepare(&intent).await {
                Ok(prepared) => return Ok(prepared),
                Err(fault) => {
                    assert!(!fault.what.is_empty(), "{}: {fault:?}", spec.id);
                    assert!(!fault.maybe_done, "preparing changes nothing: {fault:?}");
                    reasons.push(fault.what);
                }
            }
        }
        Err(reasons)
    }

    /// Every way to run something now, the nearest to one task first.
    pub fn triggers(&self) -> Vec<ActionSpec> {
        let mut all: Vec<ActionSpec> = self
            .connector
            .actions()
            .iter()
            .filter(|a| a.verb == keepwatch::model::Verb::Trigger)
            .cloned()
            .collect();
        all.sort_by_key(|a| match a.target {
            TargetKind::Device => 0,
            TargetKind::Policy => 1,
            TargetKind::Task => 2,
        });
        all
    }

    /// Something that can be run now.
    pub async fn trigger(&self) -> Prepared {
        let mut reasons = Vec::new();
        for spec in self.triggers() {
            match self.prepared(&spec).await {
                Ok(prepared) => return prepared,
                Err(why) => reasons.extend(why),
            }
        }
        reasons.dedup();
        panic!("nothing can be run in the furnished world: {reasons:#?}");
    }

    /// Something that can be run now; where nothing ever can, another action that the service takes.
    pub async fn sendable(&self) -> Prepared {
        if !self.triggers().is_empty() {
            return self.trigger().await;
        }
        // what is taken shows only when it is sent: to the same world, elsewhere
        let entry = kinds::dialects().into_iter().find(|e| e.kind == self.kind);
        let mut elsewhere = Self::start(entry.expect("its dialect")).await;
        elsewhere.whole_round().await;
        for spec in self.connector.actions() {
            for target in elsewhere.targets(spec.target) {
                let this = |t: &Target| t.id == target.id;
                let Ok(prepared) = elsewhere.prepared_on(spec, this).await else {
                    continue;
                };
                let outcome = elsewhere.connector.send(&prepared, &|_| {}).await;
                if matches!(outcome, SendOutcome::Accepted { .. }) {
                    let here = self.prepared_on(spec, this).await;
                    return here.expect("the worlds are alike");
                }
            }
        }
        panic!("nothing is ever taken");
    }
}

/// The connector of these settings.
pub fn open(settings: &Settings) -> Arc<dyn Connector> {
    let driver = kinds::driver(settings.kind).expect("it is registered");
    (driver.open)(settings).expect("it opens")
}

/// The program as the scripts of a product call it.
fn recorder(service: &str, inbox: &Path) -> Hook {
    let words = ["record", "dpod", "--service", service, "--inbox"];
    let mut args: Vec<OsString> = words.into_iter().map(OsString::from).collect();
    args.extend([inbox.into(), "--".into()]);
    Hook {
        program: env!("CARGO_BIN_EXE_keepwatch").into(),
        args,
        loud: false,
    }
}

/// Writes down what scripts were told before the world began.
fn remember(running: &Running, root: &Path) {
    for call in &running.past_calls {
        let at = Timestamp(call.at.timestamp_millis());
        let record = Record::script(at, call.args.clone());
        let inbox = Inbox::of(root, &call.service);
        inbox.append(&record).expect("written");
    }
}

/// Values for what an action cannot do without.
fn inputs(spec: &ActionSpec) -> BTreeMap<String, String> {
    spec.inputs
        .iter()
        .filter(|input| input.required)
        .map(|input| {
            let value = match input.kind {
                InputKind::Text => "contract",
                InputKind::Number => "1",
                InputKind::YesNo => "no",
                InputKind::OneOf(words) => words[0],
            };
            (input.name.to_owned(), value.to_owned())
        })
        .collect()
}

fn plain(kind: TargetKind, id: &str, name: &str, native_status: &str) -> Target {
    Target {
        native_status: native_status.to_owned(),
        ..Target::new(kind, id, name)
    }
}
