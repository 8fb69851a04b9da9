//! How old the last good backup of a device or policy may be, and who is worst off.

use super::{DeviceRow, PolicyRow, Store};
use crate::model::Timestamp;
use crate::query::{Field, Query};

/// A rule: what fits the filter has to have a good backup within so long.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TargetRule {
    /// Which devices and policies.
    pub query: Query,
    /// In milliseconds.
    pub within_ms: i64,
}

/// No rule holds.
const NO_RULE: u32 = u32::MAX;

/// Which rule holds for each device, kept so that counting does not ask every rule about every device.
#[derive(Default)]
pub(super) struct ByRule {
    rules: Vec<u32>,
    /// The change of devices up to which it is true; `None` when nothing is known yet.
    place: Option<u64>,
}

/// Where a target comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TargetFrom {
    /// The rule of this number, from 0.
    Rule(usize),
    /// The schedule itself tells how often a backup is due.
    Schedule,
    /// No rule fits.
    Default,
}

/// How old the last good backup may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Target {
    /// In milliseconds.
    pub within_ms: i64,
    /// Where it comes from.
    pub from: TargetFrom,
}

/// How a device or policy stands against its target. Sorted from the largest down the worst comes first: without
/// any good backup, then by how many times the target is exceeded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Risk {
    /// No good backup is known at all.
    never: bool,
    /// Failures in a row count where none is known.
    failures: u32,
    /// Age of the last good backup in thousandths of the target.
    permille: i64,
}

/// A device or policy.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Party {
    /// A device.
    Device(DeviceRow),
    /// A policy.
    Policy(PolicyRow),
}

impl Store {
    /// Replaces the rules; of several that fit the first one counts. A rule whose filter depends on time is left
    /// out: a target must not depend on whether it is met.
    pub fn set_targets(&mut self, mut rules: Vec<TargetRule>) {
        rules.retain(|rule| !rule.query.depends_on_time());
        if self.targets != rules {
            self.targets = rules;
            self.devices_by_rule = ByRule::default();
            self.settle_targets(false);
            self.generation += 1;
        }
    }

    /// Judges by the same targets as another store.
    pub fn judge_like(&mut self, other: &Self) {
        self.set_overdue_after(other.overdue_after_ms());
        self.set_targets(other.targets.clone());
    }

    /// Finds out which rule holds for devices that changed. `renamed`: names that devices show of others changed.
    pub(super) fn settle_targets(&mut self, renamed: bool) {
        if self.targets.is_empty() {
            return;
        }
        let mut known = std::mem::take(&mut self.devices_by_rule);
        let next = self.device_changes.next();
        let changed = match known.place {
            Some(place) if !renamed => self.device_changes.since(place),
            _ => None,
        };
        let mut rows: Vec<u32> = match changed {
            Some(changed) => changed.map(|(row, _)| row).collect(),
            None => (0..self.devices.rows.len() as u32).collect(),
        };
        rows.sort_unstable();
        rows.dedup();
        for row in rows {
            let at = row as usize;
            if known.rules.len() <= at {
                known.rules.resize(at + 1, NO_RULE);
            }
            let device = self.device(DeviceRow(row));
            let holds = |rule: &TargetRule| rule.query.matches(&device, self.clock);
            let rule = self.targets.iter().position(holds);
            if let Some(known) = known.rules.get_mut(at) {
                *known = rule.and_then(|n| u32::try_from(n).ok()).unwrap_or(NO_RULE);
            }
        }
        known.place = Some(next);
        self.devices_by_rule = known;
    }

    /// The rules.
    #[must_use]
    pub fn targets(&self) -> &[TargetRule] {
        &self.targets
    }

    fn rule(&self, fits: impl Fn(&Query) -> bool) -> Option<Target> {
        let (n, rule) = self
            .targets
            .iter()
            .enumerate()
            .find(|(_, rule)| fits(&rule.query))?;
        Some(Target {
            within_ms: rule.within_ms,
            from: TargetFrom::Rule(n),
        })
    }

    /// How old the last good backup of a device may be.
    #[must_use]
    pub fn target_of_device(&self, row: DeviceRow) -> Target {
        let known = self.devices_by_rule.rules.get(row.0 as usize);
        let holds = known.and_then(|n| Some((*n, self.targets.get(*n as usize)?)));
        match holds {
            Some((n, rule)) => Target {
                within_ms: rule.within_ms,
                from: TargetFrom::Rule(n as usize),
            },
            None => Target {
                within_ms: self.overdue_after_ms,
                from: TargetFrom::Default,
            },
        }
    }

    /// How old the last good backup of a policy may be; `None` where no rule fits and its schedule tells nothing.
    #[must_use]
    pub fn target_of_policy(&self, row: PolicyRow) -> Option<Target> {
        let policy = self.policy(row);
        // a rule that speaks of devices is about them, not about the policies that cover them
        let about = |query: &Query| !query.names(Field::Device) && !query.names(Field::Place);
        self.rule(|query| about(query) && query.matches(&policy, self.clock))
            .or_else(|| {
                let due = policy.record()?.due?;
                Some(Target {
                    within_ms: due.within_ms,
                    from: TargetFrom::Schedule,
                })
            })
    }

    /// True when a device or policy has no good backup within its target. A policy that is off owes none, one that
    /// has no target neither.
    #[must_use]
    pub fn is_overdue(&self, party: Party, now: Timestamp) -> bool {
        match party {
            Party::Device(row) => self.device(row).lacks_good(now),
            Party::Policy(row) => self.policy(row).overdue_since(now).is_some(),
        }
    }

    /// How a device or policy stands; `None` for what has no target or is protected all the time.
    #[must_use]
    pub fn risk(&self, party: Party, now: Timestamp) -> Option<Risk> {
        let (stats, within) = match party {
            Party::Device(row) => (
                self.device(row).stats(),
                self.target_of_device(row).within_ms,
            ),
            Party::Policy(row) => {
                let policy = self.policy(row);
                if policy.enabled() == Some(false) {
                    return None;
                }
                (policy.stats(), self.target_of_policy(row)?.within_ms)
            }
        };
        if stats.good_now {
            return None;
        }
        let age = stats.last_good.map_or(0, |t| now.since(t).max(0));
        Some(Risk {
            never: stats.last_good.is_none(),
            failures: if stats.last_good.is_none() {
                stats.streak
            } else {
                0
            },
            permille: age.saturating_mul(1_000) / within.max(1),
        })
    }

    /// Every listed device and policy that has to have a good backup, the worst first; true for those that have none
    /// within their target.
    #[must_use]
    pub fn by_risk(&self, now: Timestamp) -> Vec<(Party, bool)> {
        let devices = self.devices().map(Party::Device);
        let policies = self.policies().map(Party::Policy);
        let mut all: Vec<((bool, Option<Risk>), Party)> = devices
            .chain(policies)
            .filter_map(|party| {
                let overdue = self.is_overdue(party, now);
                let risk = self.risk(party, now);
                (overdue || risk.is_some()).then_some(((overdue, risk), party))
            })
            .collect();
        all.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        all.into_iter()
            .map(|((overdue, _), party)| (party, overdue))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Device, Due, Kind, Phase, Policy, Ref, Rows, Service, ServiceId, Task};
    use crate::query::Noun;
    use crate::store::View;

    const S: ServiceId = ServiceId(0);
    const HOUR: i64 = 3_600_000;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_secs(1_700_000_000 + hours * 3_600)
    }

    fn store() -> Store {
        let mut store = Store::new(vec![Service {
            id: S,
            name: "otc-eu".into(),
            kind: Kind("csbs"),
            embedded: false,
            read_only: false,
        }]);
        let device = |id: &str| Device {
            id: id.into(),
            name: id.into(),
            policy_ids: vec![if id == "laptop" { "weekly" } else { "nightly" }.into()],
            ..Device::default()
        };
        let policy = |id: &str, due| Policy {
            id: id.into(),
            name: id.into(),
            enabled: Some(true),
            due,
            ..Policy::default()
        };
        let good = |id: &str, device: &str, ended: i64| Task {
            id: id.into(),
            device: Some(Ref::new(device, device)),
            native_status: "available".into(),
            phase: Phase::Succeeded,
            started_at: Some(at(ended)),
            ended_at: Some(at(ended)),
            ..Task::default()
        };
        let due = Due {
            within_ms: 50 * HOUR,
            from: Some(at(0)),
        };
        let rows = Rows {
            devices: vec![device("laptop"), device("db"), device("web"), device("new")],
            policies: vec![policy("nightly", None), policy("weekly", Some(due))],
            tasks: vec![
                good("t1", "laptop", 0),
                good("t2", "db", 60),
                good("t3", "web", 90),
            ],
            ..Rows::default()
        };
        store.apply(S, "all", 0, rows, at(100));
        store
    }

    fn rule(query: &str, hours: i64) -> TargetRule {
        TargetRule {
            query: Query::parse(query).expect("a query"),
            within_ms: hours * HOUR,
        }
    }

    fn overdue(store: &Store, hour: i64) -> Vec<String> {
        let name = |party| match party {
            Party::Device(row) => store.device(row).name().to_owned(),
            Party::Policy(row) => format!("policy {}", store.policy(row).name()),
        };
        let all = store.by_risk(at(hour)).into_iter();
        all.take_while(|(_, overdue)| *overdue)
            .map(|(party, _)| name(party))
            .collect()
    }

    #[test]
    fn the_first_rule_that_fits_counts_and_the_worst_stands_first() {
        let mut store = store();
        assert_eq!(
            overdue(&store, 100),
            ["new", "policy weekly", "laptop", "db"]
        );
        assert_eq!(store.counts(at(100)).without_good, 3);
        assert_eq!(store.next_overdue(at(100)), Some(at(116).plus(1)));
        store.set_targets(vec![rule("policy=weekly", 14 * 24), rule("device:web", 8)]);
        assert_eq!(overdue(&store, 100), ["new", "db", "web"]);
        let web = store.find_device(S, "web").expect("a device");
        let target = store.target_of_device(web);
        assert_eq!(
            (target.within_ms, target.from),
            (8 * HOUR, TargetFrom::Rule(1))
        );
        let weekly = store.find_policy(S, "weekly").expect("a policy");
        let target = store.target_of_policy(weekly).expect("a rule");
        assert_eq!(target.from, TargetFrom::Rule(0));
        let nightly = store.find_policy(S, "nightly").expect("a policy");
        assert_eq!(store.target_of_policy(nightly), None);
        assert_eq!(store.next_overdue(at(100)), Some(at(14 * 24).plus(1)));
    }

    #[test]
    fn a_device_that_changes_gets_the_rule_that_fits_it_now() {
        let mut store = store();
        store.set_targets(vec![rule("place:archive", 30 * 24), rule("is:overdue", 1)]);
        assert_eq!(store.targets().len(), 1, "a target depends on no target");
        let target = |store: &Store| {
            let web = store.find_device(S, "web").expect("a device");
            store.target_of_device(web)
        };
        assert_eq!(target(&store).from, TargetFrom::Default);
        let moved = Device {
            id: "web".into(),
            name: "web".into(),
            place: "archive".into(),
            ..Device::default()
        };
        let rows = Rows {
            devices: vec![moved],
            ..Rows::default()
        };
        store.apply(S, "all", 0, rows, at(100));
        assert_eq!(target(&store).from, TargetFrom::Rule(0));
        store.set_targets(Vec::new());
        assert_eq!(target(&store).from, TargetFrom::Default);
    }

    #[test]
    fn the_filter_finds_the_same_ones() {
        let mut store = store();
        store.set_targets(vec![rule("policy=weekly", 14 * 24)]);
        let mut view = View::new(Noun::Devices);
        view.set_query(Query::parse("is:overdue").expect("a query"));
        view.refresh(&store, at(100));
        assert_eq!(view.len(), 2);
        view.refresh(&store, at(117));
        assert_eq!(view.len(), 3, "time alone made one overdue");
    }
}
