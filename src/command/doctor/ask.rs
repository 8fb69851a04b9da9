//! Asking every list of a service once, and reading off the answers whether it takes our credentials.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::time::timeout;

use crate::connect::{Connector, FeedSpec, Page, PageSink, PollContext, PollReport};
use crate::model::{BadRow, Fault, FaultKind, Timestamp};

use super::step::{State, Step};
use super::visit::Visit;

/// What the rows of a list were.
#[derive(Default)]
struct Count {
    devices: HashSet<String>,
    policies: HashSet<String>,
    tasks: HashSet<String>,
    bad: usize,
    first_bad: Option<BadRow>,
}

#[async_trait]
impl PageSink for Count {
    async fn page(&mut self, _: u32, page: Page) -> bool {
        if let Page::Rows(rows) = page {
            // a list may show a row twice: at first sight, then with its details
            self.devices.extend(rows.devices.into_iter().map(|d| d.id));
            self.policies
                .extend(rows.policies.into_iter().map(|p| p.id));
            self.tasks.extend(rows.tasks.into_iter().map(|t| t.id));
            self.bad += rows.bad.len();
            if self.first_bad.is_none() {
                self.first_bad = rows.bad.into_iter().next();
            }
        }
        true
    }
}

impl Count {
    fn is_empty(&self) -> bool {
        self.devices.is_empty() && self.policies.is_empty() && self.tasks.is_empty()
    }

    fn words(&self) -> String {
        let parts: Vec<String> = [
            (self.devices.len(), "device", "devices"),
            (self.policies.len(), "policy", "policies"),
            (self.tasks.len(), "task", "tasks"),
        ]
        .into_iter()
        .filter(|(n, ..)| *n > 0)
        .map(|(n, one, many)| format!("{n} {}", if n == 1 { one } else { many }))
        .collect();
        if parts.is_empty() {
            "no rows".to_owned()
        } else {
            parts.join(", ")
        }
    }
}

/// What became of one list.
pub struct Asked {
    spec: FeedSpec,
    local: bool,
    outcome: Result<PollReport, Told>,
    count: Count,
    requests: u64,
    took: Duration,
}

/// Why a list was not read.
enum Told {
    Fault(Box<Fault>),
    Skipped(String),
}

impl Asked {
    /// Which list.
    pub const fn spec(&self) -> &FeedSpec {
        &self.spec
    }

    /// How many requests it took; `None` when it was not read.
    pub fn requests(&self) -> Option<u64> {
        self.outcome.is_ok().then_some(self.requests)
    }

    fn fault(&self) -> Option<&Fault> {
        match &self.outcome {
            Err(Told::Fault(fault)) => Some(fault),
            _ => None,
        }
    }
}

/// Asks each list once, one after the other. Without a connection (`cut`) only those of this machine are
/// read. Refused credentials are not shown again, and a service that asks for quiet is left alone.
pub async fn lists(
    connector: &dyn Connector,
    history_ms: i64,
    limit: Duration,
    cut: Option<&str>,
) -> Vec<Asked> {
    let begun = Instant::now();
    let sent = || connector.way().map_or(0, |way| way.http().sent());
    let mut all: Vec<Asked> = Vec::new();
    let mut stop = cut.map(str::to_owned);
    let mut known_good = false;
    for spec in connector.feeds() {
        let local = connector.is_local(spec.id);
        let mut asked = Asked {
            spec: *spec,
            local,
            outcome: Err(Told::Skipped(String::new())),
            count: Count::default(),
            requests: 0,
            took: Duration::ZERO,
        };
        if let Some(why) = stop.as_ref().filter(|_| !local) {
            asked.outcome = Err(Told::Skipped(why.clone()));
            all.push(asked);
            continue;
        }
        let context = PollContext {
            changed_since: None,
            history_from: Some(Timestamp::now().plus(-history_ms)),
            called: true,
        };
        let (before, at) = (sent(), Instant::now());
        let left = limit.saturating_sub(begun.elapsed());
        let answer = timeout(left, connector.poll(spec.id, context, &mut asked.count)).await;
        asked.requests = sent().saturating_sub(before);
        asked.took = at.elapsed();
        asked.outcome = match answer {
            Ok(Ok(report)) => {
                known_good |= !local;
                Ok(report)
            }
            Ok(Err(fault)) => {
                if refuses_credentials(&fault) && !known_good {
                    stop = Some("the service refused the credentials".to_owned());
                } else if fault.kind == FaultKind::Limited {
                    stop = Some("the service asked us to wait".to_owned());
                }
                Err(Told::Fault(Box::new(fault)))
            }
            Err(_) => {
                stop = Some(format!("the {} s are over", limit.as_secs()));
                Err(Told::Fault(Box::new(Fault::new(
                    FaultKind::Timeout,
                    format!(
                        "the list was not read to its end within {} s",
                        limit.as_secs()
                    ),
                    "",
                    "Allow more time with --timeout, or ask for a shorter history in the configuration.",
                ))))
            }
        };
        all.push(asked);
    }
    all
}

/// A refusal of who we are, not of what we may do.
fn refuses_credentials(fault: &Fault) -> bool {
    fault.kind == FaultKind::Auth && fault.code.as_ref().and_then(|c| c.http_status) != Some(403)
}

/// Whether the service takes our credentials, as its answers tell; true when it refused them.
pub fn credentials(visit: &mut Visit, asked: &[Asked], how: &str, open: bool) -> bool {
    let remote = || asked.iter().filter(|a| !a.local);
    if remote().next().is_none() {
        return false;
    }
    if let Some(list) = remote().find(|a| a.outcome.is_ok()) {
        let detail = if open {
            format!("none needed: the service answered \"{}\"", list.spec.id)
        } else {
            format!("{how} accepted by the service")
        };
        visit.push(Step::new("credentials", "credentials", State::Ok, detail));
        return false;
    }
    if let Some(fault) = remote()
        .filter_map(Asked::fault)
        .find(|f| refuses_credentials(f))
    {
        visit.fail("credentials", "credentials", fault);
        return true;
    }
    let forbidden = remote()
        .filter_map(Asked::fault)
        .any(|f| f.kind == FaultKind::Auth);
    if forbidden {
        visit.push(
            Step::new(
                "credentials",
                "credentials",
                State::Warning,
                format!("{how} known to the service, which lets it read none of the lists"),
            )
            .with_remedy(
                "Ask the owner of the account for the right to read, or use another account.",
            ),
        );
    } else {
        let why = "no answer of the service tells";
        visit.skip("credentials", "credentials", why);
    }
    false
}

/// A step for each list.
pub fn steps(visit: &mut Visit, asked: &[Asked], refused: bool) {
    for list in asked {
        let name = format!("list {}", list.spec.id);
        let step = match &list.outcome {
            Err(Told::Skipped(why)) => Step::new("feed", name, State::Skipped, why.as_str()),
            // that is told as the credentials' step
            Err(Told::Fault(fault)) if refused && refuses_credentials(fault) => Step::new(
                "feed",
                name,
                State::Skipped,
                "the service refused the credentials",
            ),
            Err(Told::Fault(fault)) => {
                let mut step = visit.failure("feed", name, fault);
                if !list.count.is_empty() {
                    let words = list.count.words();
                    step.detail.push_str(&format!("; read so far: {words}"));
                }
                step
            }
            Ok(report) => read(visit, list, report, name),
        };
        visit.push(
            step.with("feed", list.spec.id)
                .with("devices", list.count.devices.len())
                .with("policies", list.count.policies.len())
                .with("tasks", list.count.tasks.len())
                .with("bad_rows", list.count.bad)
                .with("requests", list.requests),
        );
    }
}

fn read(visit: &Visit, list: &Asked, report: &PollReport, name: String) -> Step {
    let how = if list.local {
        "read on this machine".to_owned()
    } else {
        let requests = if list.requests == 1 {
            "1 request".to_owned()
        } else {
            format!("{} requests", list.requests)
        };
        format!("{requests}, {} ms", list.took.as_millis())
    };
    let words = format!("{} ({how})", list.count.words());
    if let Some(fault) = report.partial.first() {
        let mut step = visit.failure("feed", name, fault);
        let more = match report.partial.len() - 1 {
            0 => String::new(),
            n => format!("; {n} more parts are missing"),
        };
        step.detail = format!("{words}; a part is missing: {}{more}", step.detail);
        return step;
    }
    if let Some(bad) = &list.count.first_bad {
        let rows = if list.count.bad == 1 {
            "1 row".to_owned()
        } else {
            format!("{} rows", list.count.bad)
        };
        let detail = format!("{words}; {rows} can't be read; {}: {}", bad.place, bad.why);
        return Step::new("feed", name, State::Failed, detail).with_remedy(
            "The other rows are used. Look at the row as it came in the console (press i), and report it.",
        );
    }
    if !report.complete {
        return Step::new(
            "feed",
            name,
            State::Warning,
            format!("{words}; not read to its end"),
        )
        .with_remedy("What is missing at the end is not taken for gone; ask again later.");
    }
    Step::new("feed", name, State::Ok, words)
}
