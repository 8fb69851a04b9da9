//! SDRS rows as they stand on the wire, and what they are in our words.
//!
//! Source of shapes and words: SDRS API reference (protection groups, protected instances, replication
//! pairs, DR drills, task center, job status) and the deviations seen in public clients' fixtures.

use serde::Deserialize;

use crate::connect::decode::{Int, Loose, Raw, Text, Time, raw_text};
use crate::model::{CodeRef, Device, Phase, Policy, Ref, Task, Timestamp};

/// The four sorts of resources, by the plural word of paths and filters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Object {
    /// Protection groups.
    Group,
    /// Protected instances.
    Instance,
    /// Replication pairs.
    Pair,
    /// DR drills.
    Drill,
}

impl Object {
    /// Every sort.
    pub const ALL: [Self; 4] = [Self::Group, Self::Instance, Self::Pair, Self::Drill];

    /// The plural word of the interface, as in filters and our `object` field.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Group => "server_groups",
            Self::Instance => "protected_instances",
            Self::Pair => "replications",
            Self::Drill => "disaster_recovery_drills",
        }
    }

    /// The path segment of the collection.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Group => "server-groups",
            Self::Instance => "protected-instances",
            Self::Pair => "replications",
            Self::Drill => "disaster-recovery-drills",
        }
    }

    /// The key of one object in an answer.
    #[must_use]
    pub const fn one(self) -> &'static str {
        match self {
            Self::Group => "server_group",
            Self::Instance => "protected_instance",
            Self::Pair => "replication",
            Self::Drill => "disaster_recovery_drill",
        }
    }

    /// What people call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Group => "protection group",
            Self::Instance => "protected instance",
            Self::Pair => "replication pair",
            Self::Drill => "DR drill",
        }
    }

    /// Reads the word in any spelling that services send: the plural of filters, the singular camel case of
    /// the published failed-task sample and of the audit service.
    #[must_use]
    pub fn read(word: &str) -> Option<Self> {
        Some(match word {
            "server_groups" | "protectionGroup" | "server_group" => Self::Group,
            "protected_instances" | "protectedInstance" | "protected_instance" => Self::Instance,
            "replications" | "replicationPair" | "replication" => Self::Pair,
            "disaster_recovery_drills" | "disasterRecoveryDrill" | "disaster_recovery_drill" => {
                Self::Drill
            }
            _ => return None,
        })
    }
}

/// A group, instance, pair or drill; fields of the other sorts stay empty.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
pub struct Resource<'a> {
    #[serde(borrow)]
    pub id: Text<'a>,
    #[serde(borrow)]
    pub name: Text<'a>,
    #[serde(borrow)]
    pub description: Text<'a>,
    #[serde(borrow)]
    pub status: Text<'a>,
    pub progress: Int,
    pub created_at: Time,
    pub updated_at: Time,
    #[serde(borrow)]
    pub priority_station: Text<'a>,
    #[serde(borrow)]
    pub server_group_id: Text<'a>,
    // groups
    #[serde(borrow)]
    pub source_availability_zone: Text<'a>,
    #[serde(borrow)]
    pub target_availability_zone: Text<'a>,
    #[serde(borrow)]
    pub domain_id: Text<'a>,
    #[serde(borrow)]
    pub domain_name: Text<'a>,
    #[serde(borrow)]
    pub source_vpc_id: Text<'a>,
    #[serde(borrow)]
    pub dr_type: Text<'a>,
    pub protected_instance_num: Int,
    pub replication_num: Int,
    pub disaster_recovery_drill_num: Int,
    // instances
    #[serde(borrow)]
    pub source_server: Text<'a>,
    #[serde(borrow)]
    pub target_server: Text<'a>,
    // pairs
    #[serde(borrow)]
    pub volume_ids: Text<'a>,
    pub fault_level: Int,
    #[serde(borrow)]
    pub failure_detail: Text<'a>,
    #[serde(borrow)]
    pub attachment: Loose<Vec<Attachment<'a>>>,
    // drills
    #[serde(borrow)]
    pub drill_vpc_id: Text<'a>,
}

/// What a pair is attached to, or an instance holds.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
pub struct Attachment<'a> {
    #[serde(borrow)]
    pub device: Text<'a>,
    #[serde(borrow)]
    pub protected_instance: Text<'a>,
    #[serde(borrow)]
    pub replication: Text<'a>,
}

impl Resource<'_> {
    /// The protected instance that a pair is attached to first; empty when to none.
    #[must_use]
    pub fn instance_id(&self) -> &str {
        self.attachment
            .0
            .as_deref()
            .and_then(|list| list.first())
            .map_or("", |a| a.protected_instance.as_str())
    }

    /// The device name of the first attachment; empty when there is none.
    #[must_use]
    pub fn device_name(&self) -> &str {
        self.attachment
            .0
            .as_deref()
            .and_then(|list| list.first())
            .map_or("", |a| a.device.as_str())
    }

    /// The live side in words.
    fn station(&self) -> String {
        match self.priority_station.as_str() {
            "source" => "production site (source)".to_owned(),
            "target" => "disaster recovery site (target)".to_owned(),
            other => other.to_owned(),
        }
    }

    /// A group as a policy.
    #[must_use]
    pub fn policy(&self, raw: Raw<'_>) -> Policy {
        let status = self.status.as_str();
        let mut facts = Vec::new();
        let zones = format!(
            "{} → {}",
            self.source_availability_zone.or("?"),
            self.target_availability_zone.or("?")
        );
        facts.push(("zones", zones));
        facts.push(("live side", self.station()));
        if let Some(n) = self.protected_instance_num.0 {
            facts.push(("instances", n.to_string()));
        }
        if let Some(n) = self.replication_num.0 {
            facts.push(("pairs", n.to_string()));
        }
        if let Some(n) = self.disaster_recovery_drill_num.0 {
            facts.push(("drills", n.to_string()));
        }
        if !self.description.is_empty() {
            facts.push(("description", self.description.owned()));
        }
        Policy {
            id: self.id.owned(),
            name: self.name.or(self.id.as_str()).to_owned(),
            what: Object::Group.name(),
            native_status: status.to_owned(),
            enabled: match status {
                "protected" | "stopping" | "error-stopping" => Some(true),
                "available" | "starting" | "error-starting" => Some(false),
                _ => None,
            },
            faulty: is_faulty(status),
            protected_now: status == "protected",
            facts,
            raw: raw_text(raw),
            ..Policy::default()
        }
    }

    /// A protected instance as a device.
    #[must_use]
    pub fn device(&self, raw: Raw<'_>) -> Device {
        let status = self.status.as_str();
        let mut facts = vec![("live side", self.station())];
        if !self.source_server.is_empty() {
            facts.push(("production server", self.source_server.owned()));
        }
        if !self.target_server.is_empty() {
            facts.push(("DR server", self.target_server.owned()));
        }
        let disks = self.attachment.0.as_ref().map_or(0, Vec::len);
        facts.push(("pairs attached", disks.to_string()));
        Device {
            id: self.id.owned(),
            name: self.name.or(self.id.as_str()).to_owned(),
            what: Object::Instance.name(),
            native_status: status.to_owned(),
            faulty: is_faulty(status),
            place: self.priority_station.owned(),
            policy_ids: if self.server_group_id.is_empty() {
                Vec::new()
            } else {
                vec![self.server_group_id.owned()]
            },
            protected_now: status == "protected",
            facts,
            raw: raw_text(raw),
            ..Device::default()
        }
    }
}

/// A status that says that something went wrong with the resource itself.
#[must_use]
pub fn is_faulty(status: &str) -> bool {
    status == "error" || status == "invalid" || status == "fault" || status.starts_with("error-")
}

/// What a transitional status says is going on; `None` for every other status.
#[must_use]
pub fn going_on(status: &str) -> Option<&'static str> {
    Some(match status {
        "creating" => "create",
        "deleting" => "delete",
        "starting" => "enable protection",
        "stopping" => "disable protection",
        "reversing" => "planned failover",
        "failing-over" => "failover",
        "reprotecting" => "re-enable protection",
        "extending" => "expand",
        "attaching" => "attach",
        "detaching" => "detach",
        "resizing" => "resize",
        "nic-creating" => "add NIC",
        "nic-deleting" => "remove NIC",
        _ => return None,
    })
}

/// What a failure status says had been tried.
#[must_use]
pub fn tried(failure_status: &str) -> &'static str {
    match failure_status {
        "createFail" => "create",
        "deleteFail" => "delete",
        "attachFail" => "attach",
        "detachFail" => "detach",
        "expandFail" => "expand",
        "resizeFail" => "resize",
        "startFail" => "enable protection",
        "stopFail" => "disable protection",
        "reverseFail" => "planned failover",
        "failoverFail" => "failover",
        "reprotectFail" => "re-enable protection",
        _ => "operation",
    }
}

/// A failed task of the task center. The record has exactly ten fields; no end time and no group.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
pub struct FailureJob<'a> {
    #[serde(borrow)]
    pub job_status: Text<'a>,
    #[serde(borrow)]
    pub resource_id: Text<'a>,
    #[serde(borrow)]
    pub resource_name: Text<'a>,
    #[serde(borrow)]
    pub resource_type: Text<'a>,
    #[serde(borrow)]
    pub failure_status: Text<'a>,
    #[serde(borrow)]
    pub job_id: Text<'a>,
    #[serde(borrow)]
    pub job_type: Text<'a>,
    pub begin_time: Time,
    #[serde(borrow)]
    pub error_code: Text<'a>,
    #[serde(borrow)]
    pub fail_reason: Text<'a>,
}

impl FailureJob<'_> {
    /// The id under which the task is known: the job's, or one made of what else tells it apart.
    #[must_use]
    pub fn id(&self) -> String {
        if self.job_id.is_empty() {
            let begun = self.begin_time.0.map_or(0, Timestamp::millis);
            format!(
                "{}:{}:{begun}",
                self.resource_id.as_str(),
                self.failure_status.as_str()
            )
        } else {
            self.job_id.owned()
        }
    }

    /// As a task, inside `group` (none: a group-level failure).
    #[must_use]
    pub fn task(&self, group: Option<&Ref>, raw: Raw<'_>) -> Task {
        let object = Object::read(self.resource_type.as_str());
        let resource = Ref::new(
            self.resource_id.owned(),
            self.resource_name.or(self.resource_id.as_str()),
        );
        let mut facts = vec![("job type", self.job_type.owned())];
        let (device, policy) = match object {
            Some(Object::Group) => (None, Some(resource)),
            Some(Object::Instance) => (Some(resource), group.cloned()),
            other => {
                facts.push((
                    other.map_or("resource", Object::name),
                    resource.label().to_owned(),
                ));
                (None, group.cloned())
            }
        };
        facts.push(("resource id", self.resource_id.owned()));
        Task {
            id: self.id(),
            device,
            policy,
            operation: tried(self.failure_status.as_str()).to_owned(),
            native_status: self.failure_status.or(self.job_status.as_str()).to_owned(),
            phase: Phase::Failed,
            started_at: self.begin_time.0,
            failure: Some(CodeRef {
                code: self.error_code.owned(),
                http_status: None,
                operation: String::new(),
                message: self.fail_reason.owned(),
            }),
            object: object.map_or_else(|| self.resource_type.owned(), |o| o.word().to_owned()),
            facts,
            raw: raw_text(raw),
            ..Task::default()
        }
    }
}
