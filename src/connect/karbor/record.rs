//! Karbor's records as they come: plans, triggers, scheduled operations, operation logs, checkpoints, restores.

use serde::Deserialize;

use super::known::{Known, Schedule};
use crate::connect::decode::{Flag, Loose, Raw, Text, Time, raw_text};
use crate::connect::schedule;
use crate::model::{CodeRef, Device, Phase, Policy, Ref, Task, Timestamp, clean};

/// A plan (Karbor API reference, plans).
#[derive(Deserialize)]
pub(super) struct PlanRow<'a> {
    #[serde(borrow, default)]
    pub id: Text<'a>,
    #[serde(borrow, default)]
    pub name: Text<'a>,
    #[serde(borrow, default)]
    description: Text<'a>,
    #[serde(borrow, default)]
    status: Text<'a>,
    #[serde(borrow, default)]
    pub provider_id: Text<'a>,
    #[serde(borrow, default)]
    resources: Loose<Vec<Raw<'a>>>,
}

#[derive(Deserialize)]
struct ResourceRow<'a> {
    #[serde(borrow, default)]
    id: Text<'a>,
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default, rename = "type")]
    kind: Text<'a>,
}

impl PlanRow<'_> {
    pub(super) fn label(&self) -> &str {
        self.name.or(self.id.as_str())
    }

    /// Its resources as devices that this plan covers.
    pub(super) fn devices(&self) -> Vec<Device> {
        self.resources
            .0
            .iter()
            .flatten()
            .filter_map(|raw| {
                let row: ResourceRow<'_> = serde_json::from_str(raw.get()).ok()?;
                (!row.id.is_empty()).then(|| Device {
                    id: row.id.owned(),
                    name: row.name.or(row.id.as_str()).to_owned(),
                    what: what(row.kind.as_str()),
                    policy_ids: vec![self.id.owned()],
                    facts: vec![("Type", row.kind.owned())],
                    raw: raw_text(raw),
                    ..Device::default()
                })
            })
            .collect()
    }

    /// The plan as a policy. `suspended` is what every plan is called from its making on and says nothing of its
    /// schedules.
    pub(super) fn policy(&self, raw: Raw<'_>, schedules: &[Schedule]) -> Policy {
        let devices = self.devices();
        let mut facts = Vec::new();
        let mut add = |label, value: String| {
            if !value.is_empty() {
                facts.push((label, value));
            }
        };
        add("Description", self.description.owned());
        add("Provider", self.provider_id.owned());
        add("Resources", devices.len().to_string());
        for s in schedules {
            add("Scheduled operation", s.words.clone());
        }
        let on: Vec<&str> = schedules
            .iter()
            .filter(|s| s.enabled != Some(false))
            .map(|s| s.when.as_str())
            .collect();
        Policy {
            id: self.id.owned(),
            name: self.label().to_owned(),
            what: "plan",
            native_status: self.status.owned(),
            enabled: schedules
                .iter()
                .map(|s| s.enabled)
                .reduce(|a, b| if a == Some(true) { a } else { b })
                .flatten(),
            faulty: false,
            protected_now: false,
            schedule: on.join("; "),
            next_run: schedules
                .iter()
                .filter(|s| s.enabled == Some(true))
                .filter_map(|s| s.next)
                .min(),
            device_ids: devices.into_iter().map(|d| d.id).collect(),
            facts,
            raw: raw_text(raw),
            ..Policy::default()
        }
    }
}

/// A server that could be protected, as Nova tells it to Karbor (Karbor API reference, protectables).
#[derive(Deserialize)]
pub(super) struct InstanceRow<'a> {
    #[serde(borrow, flatten)]
    resource: ResourceRow<'a>,
    #[serde(borrow, default)]
    extra_info: Loose<Extra<'a>>,
    #[serde(borrow, default)]
    dependent_resources: Loose<Vec<Raw<'a>>>,
}

#[derive(Deserialize)]
struct Extra<'a> {
    #[serde(borrow, default)]
    availability_zone: Text<'a>,
}

impl InstanceRow<'_> {
    /// The server as a device that no plan covers yet.
    pub(super) fn device(&self, raw: Raw<'_>) -> Result<Device, String> {
        let row = &self.resource;
        if row.id.is_empty() {
            return Err("the id is missing".into());
        }
        let mut facts = vec![("Type", row.kind.owned())];
        if let Some(parts) = self
            .dependent_resources
            .0
            .as_ref()
            .filter(|p| !p.is_empty())
        {
            facts.push(("Depends on it", format!("{} resources", parts.len())));
        }
        Ok(Device {
            id: row.id.owned(),
            name: row.name.or(row.id.as_str()).to_owned(),
            what: what(row.kind.as_str()),
            place: self
                .extra_info
                .0
                .as_ref()
                .map(|e| e.availability_zone.owned())
                .unwrap_or_default(),
            facts,
            raw: raw_text(raw),
            ..Device::default()
        })
    }
}

fn what(kind: &str) -> &'static str {
    match kind {
        "OS::Nova::Server" => "server",
        "OS::Cinder::Volume" => "volume",
        "OS::Manila::Share" => "share",
        "OS::Trove::Instance" => "database instance",
        "OS::Glance::Image" => "image",
        "OS::Neutron::Network" => "network",
        "OS::Keystone::Project" => "project",
        "OS::Kubernetes::Pod" => "pod",
        _ => "resource",
    }
}

/// A trigger (Karbor API reference, triggers).
#[derive(Deserialize)]
pub(super) struct TriggerRow<'a> {
    /// The sample in the API reference wraps each row once more; the service does not.
    #[serde(borrow, default)]
    trigger_info: Option<Box<TriggerRow<'a>>>,
    #[serde(borrow, default)]
    pub id: Text<'a>,
    #[serde(borrow, default)]
    properties: Loose<Properties<'a>>,
}

#[derive(Deserialize, Default)]
struct Properties<'a> {
    #[serde(borrow, default)]
    format: Text<'a>,
    // Not a cleaned text: its line ends are part of the format.
    #[serde(default)]
    pattern: Option<String>,
    #[serde(default)]
    start_time: Time,
    #[serde(default)]
    end_time: Time,
}

impl TriggerRow<'_> {
    /// The row itself.
    pub(super) fn inner(&self) -> &Self {
        self.trigger_info.as_deref().unwrap_or(self)
    }

    /// When it fires, in words.
    pub(super) fn words(&self) -> String {
        self.properties.0.as_ref().map_or_else(String::new, |p| {
            let pattern = p.pattern.as_deref().unwrap_or("");
            if p.format.as_str() == "crontab" {
                return format!("cron {}", clean(pattern));
            }
            Every::read(pattern).map_or_else(
                || schedule::Schedule::read(pattern).words(),
                |every| every.words(),
            )
        })
    }

    /// The first time that it fires after `now`, by the service's clock; `None` where that is not known.
    pub(super) fn next(&self, now: Timestamp) -> Option<Timestamp> {
        const MINUTE_MS: i64 = 60_000;
        let p = self.properties.0.as_ref()?;
        let pattern = p
            .pattern
            .as_deref()
            .filter(|_| p.format.as_str() != "crontab")?;
        let start = p.start_time.0;
        if let Some(every) = Every::read(pattern) {
            let at = every.next(start?, now);
            return p.end_time.0.is_none_or(|end| at <= end).then_some(at);
        }
        // Seconds that the rule does not name are those of the start (RFC 2445, recurrence rule).
        let second = match start {
            Some(start) if !pattern.contains("BYSECOND") => start.0.rem_euclid(MINUTE_MS),
            _ => 0,
        };
        let from = start.map_or(now, |start| start.plus(-1).max(now));
        let at = schedule::Schedule::read(pattern)
            .next(from.plus(-second))?
            .plus(second);
        p.end_time.0.is_none_or(|end| at <= end).then_some(at)
    }
}

/// A rule that counts from its trigger's start: so many minutes, hours or days, and nothing else. Karbor's reference
/// shows such ones, and a real one fired at the start's own second.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Every {
    count: u32,
    unit: &'static str,
    unit_ms: i64,
}

impl Every {
    fn read(pattern: &str) -> Option<Self> {
        let rule = schedule::rule(pattern)?;
        let mut every = None;
        let mut count = 1;
        for part in rule.split(';').filter(|p| !p.is_empty()) {
            match part.split_once('=')? {
                ("FREQ", "MINUTELY") => every = Some(("minute", 60_000)),
                ("FREQ", "HOURLY") => every = Some(("hour", 3_600_000)),
                ("FREQ", "DAILY") => every = Some(("day", 86_400_000)),
                ("INTERVAL", n) => count = n.parse().ok().filter(|n| *n > 0)?,
                _ => return None,
            }
        }
        let (unit, unit_ms) = every?;
        Some(Self {
            count,
            unit,
            unit_ms,
        })
    }

    fn words(self) -> String {
        match self.count {
            1 => format!("every {}", self.unit),
            n => format!("every {n} {}s", self.unit),
        }
    }

    /// The first time after `now`.
    fn next(self, start: Timestamp, now: Timestamp) -> Timestamp {
        let step = self.unit_ms.saturating_mul(i64::from(self.count));
        let gone = now.since(start);
        if gone < 0 {
            return start;
        }
        start.plus((gone / step + 1).saturating_mul(step))
    }
}

/// A scheduled operation. The list's key is `operations`, and its rows are flat.
#[derive(Deserialize)]
pub(super) struct OperationRow<'a> {
    /// As with triggers: the sample's wrapping.
    #[serde(borrow, default)]
    scheduled_operation: Option<Box<OperationRow<'a>>>,
    #[serde(borrow, default)]
    pub id: Text<'a>,
    #[serde(borrow, default)]
    pub name: Text<'a>,
    #[serde(borrow, default)]
    pub operation_type: Text<'a>,
    #[serde(borrow, default)]
    pub trigger_id: Text<'a>,
    #[serde(default)]
    pub enabled: Flag,
    #[serde(borrow, default)]
    pub operation_definition: Loose<Definition<'a>>,
}

impl OperationRow<'_> {
    /// The row itself.
    pub(super) fn inner(&self) -> &Self {
        self.scheduled_operation.as_deref().unwrap_or(self)
    }
}

#[derive(Deserialize)]
pub(super) struct Definition<'a> {
    #[serde(borrow, default)]
    pub plan_id: Text<'a>,
}

/// An operation log (Karbor API reference, operation logs).
#[derive(Deserialize)]
pub(super) struct LogRow<'a> {
    #[serde(borrow, default)]
    pub id: Text<'a>,
    #[serde(borrow, default)]
    operation_type: Text<'a>,
    #[serde(borrow, default)]
    pub checkpoint_id: Text<'a>,
    #[serde(borrow, default)]
    pub plan_id: Text<'a>,
    #[serde(borrow, default)]
    pub provider_id: Text<'a>,
    #[serde(borrow, default)]
    pub restore_id: Text<'a>,
    #[serde(borrow, default)]
    scheduled_operation_id: Text<'a>,
    #[serde(borrow, default)]
    pub status: Text<'a>,
    #[serde(default)]
    pub started_at: Time,
    #[serde(default)]
    ended_at: Time,
    #[serde(borrow, default)]
    error_info: Text<'a>,
}

impl LogRow<'_> {
    /// What it did. A deletion is logged as `protect` and shows in its status only.
    pub(super) fn operation(&self) -> String {
        match (self.operation_type.as_str(), self.status.as_str()) {
            (_, "deleting" | "deleted" | "error-deleting") => "delete".into(),
            ("protect" | "", _) => "backup".into(),
            (other, _) => other.to_owned(),
        }
    }

    fn phase(&self) -> Phase {
        match self.status.as_str() {
            "protecting" | "deleting" | "in_progress" | "copying" => Phase::Running,
            "wait_copying" => Phase::Queued,
            "available" | "deleted" | "success" | "finished" => Phase::Succeeded,
            "error" | "error-deleting" | "fail" => Phase::Failed,
            _ => Phase::Unknown,
        }
    }

    /// The log as a task. It works on all of the plan's resources; only a plan of one tells the device.
    pub(super) fn task(&self, raw: Raw<'_>, known: &Known) -> Task {
        let phase = self.phase();
        let operation = self.operation();
        let plan = self.plan_id.or(known.plan_of(self.checkpoint_id.as_str()));
        let mut facts = Vec::new();
        for (label, value) in [
            ("Checkpoint", &self.checkpoint_id),
            ("Restore", &self.restore_id),
            ("Provider", &self.provider_id),
            ("Scheduled operation", &self.scheduled_operation_id),
        ] {
            if !value.is_empty() {
                facts.push((label, value.owned()));
            }
        }
        if phase == Phase::Failed && self.error_info.is_empty() {
            facts.push((
                "Reason",
                "Karbor gives none: ask for the log of karbor-protection at that time".to_owned(),
            ));
        }
        if operation == "verify" && phase == Phase::Running {
            facts.push((
                "Note",
                "Karbor 1.6.0 leaves the log of a failed verification open for ever".to_owned(),
            ));
        }
        let failure = (phase == Phase::Failed && !self.error_info.is_empty()).then(|| CodeRef {
            operation: operation.clone(),
            ..CodeRef::new("", self.error_info.owned())
        });
        Task {
            id: self.id.owned(),
            device: known.only_device(plan),
            policy: (!plan.is_empty()).then(|| Ref::new(plan, known.plan_name(plan))),
            native_status: self.status.owned(),
            object: "operation_log".to_owned(),
            phase,
            started_at: self.started_at.0,
            updated_at: self.ended_at.0.or(self.started_at.0),
            ended_at: self.ended_at.0.filter(|_| phase.is_over()),
            failure,
            facts,
            raw: raw_text(raw),
            operation,
            ..Task::default()
        }
    }
}

/// A checkpoint. Its plan stands in it as a whole.
#[derive(Deserialize)]
pub(super) struct Checkpoint<'a> {
    #[serde(borrow, default)]
    pub id: Text<'a>,
    #[serde(borrow, default)]
    pub status: Text<'a>,
    #[serde(borrow, default)]
    pub protection_plan: Loose<PlanRow<'a>>,
}

/// A restore; `resources_reason` is often empty, and the sample in the API reference calls it `resource_reason`.
#[derive(Deserialize)]
pub(super) struct Restore<'a> {
    #[serde(borrow, default)]
    pub id: Text<'a>,
    #[serde(borrow, default)]
    pub status: Text<'a>,
    #[serde(default, alias = "resource_reason")]
    resources_reason: Loose<serde_json::Map<String, serde_json::Value>>,
}

impl Restore<'_> {
    /// What it says of the resources that could not be restored; empty when nothing.
    pub(super) fn reasons(&self) -> String {
        let words: Vec<String> = self
            .resources_reason
            .0
            .iter()
            .flatten()
            .map(|(id, why)| format!("{id}: {}", why.as_str().unwrap_or_default()))
            .collect();
        clean(&words.join("; ")).into_owned()
    }
}

/// The single answers.
#[derive(Deserialize)]
pub(super) struct One<'a> {
    #[serde(borrow, default)]
    pub plan: Loose<PlanRow<'a>>,
    #[serde(borrow, default)]
    pub checkpoint: Loose<Checkpoint<'a>>,
    #[serde(borrow, default)]
    pub restore: Loose<Restore<'a>>,
    #[serde(borrow, default)]
    pub operation_log: Option<Raw<'a>>,
}
