//! Failed jobs by what they share: one cause is one line, however many jobs it broke.

use hashbrown::{HashMap, HashSet};

use super::{Store, TaskRow};
use crate::model::{Phase, ServiceId, Timestamp};
use crate::query::quoted;

/// By what failed jobs are grouped.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum By {
    /// The code, or the status where the service gives no code; codes of two products are two causes.
    Code,
    /// The device.
    Device,
    /// The policy.
    Policy,
    /// The service.
    Service,
}

impl By {
    /// Every way.
    pub const ALL: [Self; 4] = [Self::Code, Self::Device, Self::Policy, Self::Service];

    /// The word for it, as on the command line and in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Device => "device",
            Self::Policy => "policy",
            Self::Service => "service",
        }
    }

    /// The next way, round and round.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Code => Self::Device,
            Self::Device => Self::Policy,
            Self::Policy => Self::Service,
            Self::Service => Self::Code,
        }
    }
}

/// Failed jobs that share something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group {
    /// What they share; empty when it is that the service tells none.
    pub name: String,
    /// The service, where all are of one.
    pub service: Option<ServiceId>,
    /// The jobs, the newest first.
    pub rows: Vec<TaskRow>,
    /// Those that nobody took.
    pub open: usize,
    /// How many devices they are on.
    pub devices: usize,
    /// When the first of them happened.
    pub first: Option<Timestamp>,
    /// When the last of them happened.
    pub last: Option<Timestamp>,
    /// The filter that finds them in the list of failed jobs.
    pub filter: String,
}

fn of_code(store: &Store, row: TaskRow) -> (String, String) {
    let task = store.task(row);
    let kind = quoted(task.kind().name());
    if task.code().is_empty() {
        let status = quoted(task.native_status());
        let filter = format!("code:none status={status} kind={kind}");
        (task.native_status().to_owned(), filter)
    } else {
        let filter = format!("code={} kind={kind}", quoted(task.code()));
        (task.code().to_owned(), filter)
    }
}

/// What the job shares with others, and the filter that finds those.
fn shared(store: &Store, row: TaskRow, by: By) -> (String, String) {
    let task = store.task(row);
    let named = |field: &str, label: &str| {
        let service = quoted(task.service_name());
        let filter = if label.is_empty() {
            format!("{field}:none service={service}")
        } else {
            format!("{field}={} service={service}", quoted(label))
        };
        (label.to_owned(), filter)
    };
    match by {
        By::Code => of_code(store, row),
        By::Device => named("device", task.device_label()),
        By::Policy => named("policy", task.policy_label()),
        By::Service => {
            let name = task.service_name();
            (name.to_owned(), format!("service={}", quoted(name)))
        }
    }
}

/// When it happened, as far as is told.
#[must_use]
pub(super) fn happened(store: &Store, row: TaskRow) -> Option<Timestamp> {
    let task = store.task(row);
    task.ended_at().or(task.updated_at()).or(task.started_at())
}

impl Store {
    /// Groups jobs, the largest group first; among groups of one size the newest first.
    #[must_use]
    pub fn groups(&self, rows: impl IntoIterator<Item = TaskRow>, by: By) -> Vec<Group> {
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut groups: Vec<Group> = Vec::new();
        let mut devices: Vec<HashSet<(ServiceId, String)>> = Vec::new();
        for row in rows {
            let task = self.task(row);
            let (name, filter) = shared(self, row, by);
            let at = *places.entry(filter.clone()).or_insert(groups.len());
            if at == groups.len() {
                devices.push(HashSet::new());
                groups.push(Group {
                    name,
                    service: Some(task.service_id()),
                    rows: Vec::new(),
                    open: 0,
                    devices: 0,
                    first: None,
                    last: None,
                    filter,
                });
            }
            let (Some(group), Some(seen)) = (groups.get_mut(at), devices.get_mut(at)) else {
                continue;
            };
            let when = happened(self, row);
            group.rows.push(row);
            group.open += usize::from(!task.is_acknowledged());
            group.first = [group.first, when].into_iter().flatten().min();
            group.last = group.last.max(when);
            if group.service != Some(task.service_id()) {
                group.service = None;
            }
            if !task.device_label().is_empty() {
                seen.insert((task.service_id(), task.device_label().to_owned()));
            }
        }
        for (group, seen) in groups.iter_mut().zip(devices) {
            group.devices = seen.len();
            group
                .rows
                .sort_by_key(|row| std::cmp::Reverse(happened(self, *row)));
        }
        groups.sort_by(|a, b| {
            let size = (b.open, b.rows.len()).cmp(&(a.open, a.rows.len()));
            size.then(b.last.cmp(&a.last)).then(a.name.cmp(&b.name))
        });
        groups
    }

    /// Every failed and uncertain task that was not cleared, in no order.
    pub fn failed_jobs(&self) -> impl Iterator<Item = TaskRow> + '_ {
        self.attention
            .iter()
            .map(TaskRow)
            .filter(|row| self.task(*row).phase().needs_person())
    }
}

/// How often good and bad have to take turns among the last outcomes for a job to be flapping.
const TURNS: usize = 3;

/// True when good and bad take turns: each change is a new surprise, and none of them a cure. `newest_first`:
/// the outcomes.
pub(super) fn flaps(newest_first: impl Iterator<Item = Phase>) -> bool {
    let good = newest_first.filter_map(|phase| match phase {
        Phase::Succeeded => Some(true),
        phase if phase.needs_person() => Some(false),
        _ => None,
    });
    let mut before = None;
    let mut turns = 0;
    for good in good {
        turns += usize::from(before.is_some_and(|b: bool| b != good));
        before = Some(good);
    }
    turns >= TURNS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CodeRef, Kind, Ref, Rows, Service, Task};
    use crate::query::{Noun, Query};
    use crate::store::View;

    fn store() -> Store {
        let service = |n: u16, name: &str, kind| Service {
            id: ServiceId(n),
            name: name.into(),
            kind: Kind(kind),
            embedded: false,
            read_only: false,
        };
        let mut store = Store::new(vec![
            service(0, "otc-eu", "csbs"),
            service(1, "dr eu", "sdrs"),
        ]);
        let task = |id: &str, device: &str, code: &str, at: i64| Task {
            id: id.into(),
            device: Some(Ref::new(device, device)),
            policy: (id != "a3").then(|| Ref::new("p1", "nightly")),
            native_status: "error".into(),
            phase: Phase::Failed,
            ended_at: Some(Timestamp::from_secs(at)),
            failure: (!code.is_empty()).then(|| CodeRef::new(code, "")),
            ..Task::default()
        };
        let rows = |tasks| Rows {
            tasks,
            ..Rows::default()
        };
        let first = vec![
            task("a1", "ecs 1", "Q.1", 100),
            task("a2", "ecs-2", "Q.1", 300),
            task("a3", "ecs-2", "", 200),
        ];
        let second = vec![task("b1", "ecs-2", "Q.1", 400)];
        let now = Timestamp::from_secs(500);
        store.apply(ServiceId(0), "tasks", 0, rows(first), now);
        store.apply(ServiceId(1), "tasks", 0, rows(second), now);
        store
    }

    #[test]
    fn every_group_is_found_again_by_its_filter() {
        let store = store();
        for by in By::ALL {
            let groups = store.groups(store.failed_jobs(), by);
            assert_eq!(groups.iter().map(|g| g.rows.len()).sum::<usize>(), 4);
            for group in groups {
                let mut view = View::new(Noun::Failed);
                view.set_query(Query::parse(&group.filter).expect("a filter"));
                view.refresh(&store, Timestamp::from_secs(500));
                let mut found = view.slice(0..9).to_vec();
                let mut rows: Vec<u32> = group.rows.iter().map(|r| r.0).collect();
                found.sort_unstable();
                rows.sort_unstable();
                assert_eq!(found, rows, "{}", group.filter);
            }
        }
    }

    #[test]
    fn codes_of_two_products_are_two_causes_and_the_largest_comes_first() {
        let store = store();
        let groups = store.groups(store.failed_jobs(), By::Code);
        let names: Vec<(&str, usize, usize)> = groups
            .iter()
            .map(|g| (g.name.as_str(), g.rows.len(), g.devices))
            .collect();
        assert_eq!(names, [("Q.1", 2, 2), ("Q.1", 1, 1), ("error", 1, 1)]);
        let largest = &groups[0];
        assert_eq!(largest.first, Some(Timestamp::from_secs(100)));
        assert_eq!(largest.last, Some(Timestamp::from_secs(300)));
        assert_eq!(largest.service, Some(ServiceId(0)));
    }

    #[test]
    fn a_row_of_failures_is_no_flapping() {
        use Phase::*;
        assert!(!flaps([Failed, Failed, Failed, Succeeded].into_iter()));
        assert!(!flaps([Failed, Succeeded, Failed].into_iter()));
        assert!(flaps(
            [Failed, Succeeded, Skipped, Uncertain, Succeeded].into_iter()
        ));
    }
}
