//! What a job can be about, and how each kind is called in jobs, statuses and failed tasks.

use super::status::{self, Status};

/// The kinds of thing that a failed task can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// A protection group.
    Group,
    /// A protected instance.
    Instance,
    /// A replication pair.
    Pair,
    /// A DR drill.
    Drill,
}

impl Resource {
    /// As the filter spells it.
    #[must_use]
    pub fn plural(self) -> &'static str {
        match self {
            Self::Group => "server_groups",
            Self::Instance => "protected_instances",
            Self::Pair => "replications",
            Self::Drill => "disaster_recovery_drills",
        }
    }

    /// As the published answer spells it.
    #[must_use]
    pub fn camel(self) -> &'static str {
        match self {
            Self::Group => "protectionGroup",
            Self::Instance => "protectedInstance",
            Self::Pair => "replicationPair",
            Self::Drill => "disasterRecoveryDrill",
        }
    }
}

/// The operations on a whole group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Protection on for the first time.
    Start,
    /// Protection on again after a failover.
    Reprotect,
    /// Protection off.
    Stop,
    /// Planned failover.
    Reverse,
    /// Failover.
    Failover,
}

impl Action {
    /// From which states it may start.
    #[must_use]
    pub fn from(self) -> &'static [Status] {
        match self {
            Self::Start => &[status::AVAILABLE, status::ERROR_STARTING],
            Self::Reprotect => &[status::FAILED_OVER, status::ERROR_REPROTECTING],
            Self::Stop => &[status::PROTECTED, status::ERROR_STOPPING],
            Self::Reverse => &[status::PROTECTED, status::ERROR_REVERSING],
            Self::Failover => &[
                status::PROTECTED,
                status::ERROR_FAILING_OVER,
                status::ERROR_REVERSING,
            ],
        }
    }

    /// The state on the way.
    #[must_use]
    pub fn through(self) -> Status {
        match self {
            Self::Start => status::STARTING,
            Self::Reprotect => status::REPROTECTING,
            Self::Stop => status::STOPPING,
            Self::Reverse => status::REVERSING,
            Self::Failover => status::FAILING_OVER,
        }
    }

    /// The state after a success.
    #[must_use]
    pub fn done(self) -> Status {
        match self {
            Self::Start | Self::Reprotect | Self::Reverse => status::PROTECTED,
            Self::Stop => status::AVAILABLE,
            Self::Failover => status::FAILED_OVER,
        }
    }

    /// The state after a failure.
    #[must_use]
    pub fn failed(self) -> Status {
        match self {
            Self::Start => status::ERROR_STARTING,
            Self::Reprotect => status::ERROR_REPROTECTING,
            Self::Stop => status::ERROR_STOPPING,
            Self::Reverse => status::ERROR_REVERSING,
            Self::Failover => status::ERROR_FAILING_OVER,
        }
    }
}

/// What a job does, to which thing of ours (by number).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// Makes a group.
    GroupCreate(u64),
    /// Deletes a group.
    GroupDelete(u64),
    /// Switches a group.
    Group(u64, Action),
    /// Makes an instance, with these ids for the pairs of its disks.
    InstanceCreate(u64, Vec<String>),
    /// Deletes an instance.
    InstanceDelete(u64),
    /// Adds a network card.
    NicAdd(u64, String, Option<String>),
    /// Removes a network card.
    NicDelete(u64, String),
    /// Changes flavors; `None` leaves one as it is.
    Resize(u64, [Option<String>; 2]),
    /// Attaches pair to instance under a device name.
    Attach(u64, u64, String),
    /// Detaches pair from instance.
    Detach(u64, u64),
    /// Makes a pair.
    PairCreate(u64),
    /// Deletes a pair.
    PairDelete(u64),
    /// Expands a pair to so many GB.
    Expand(u64, u32),
    /// Makes a drill.
    DrillCreate(u64),
    /// Deletes a drill.
    DrillDelete(u64),
    /// Waits for other jobs: a batch of creations (true) or deletions.
    Batch(bool),
}

impl Work {
    /// Its `job_type`.
    #[must_use]
    pub fn job_type(&self) -> &'static str {
        match self {
            Self::GroupCreate(_) => "createProtectionGroupNoCG",
            Self::GroupDelete(_) => "deleteProtectionGroupNoCG",
            Self::Group(_, Action::Start) => "startProtectionGroupNoCG",
            Self::Group(_, Action::Reprotect) => "reprotectProtectionGroupNoCG",
            Self::Group(_, Action::Stop) => "stopProtectionGroupNoCG",
            Self::Group(_, Action::Reverse) => "reverseProtectionGroupNoCG",
            Self::Group(_, Action::Failover) => "failoverProtectionGroupNoCG",
            // What a batch is called is not documented; its parts are what the words say.
            Self::InstanceCreate(..) | Self::Batch(true) => "createProtectedInstanceNoCG",
            Self::InstanceDelete(_) | Self::Batch(false) => "deleteProtectedInstanceNoCG",
            Self::NicAdd(..) => "addNicNew",
            Self::NicDelete(..) => "deleteNicNew",
            Self::Resize(..) => "resizeProtectedInstanceNew",
            Self::Attach(..) => "attachReplicationPairNew",
            Self::Detach(..) => "detachReplicationPairNew",
            Self::PairCreate(_) => "createReplicationPairNoCG",
            Self::PairDelete(_) => "deleteReplicationPairNoCG",
            Self::Expand(..) => "expandReplicationPairNew",
            Self::DrillCreate(_) => "createDisasterRecoveryDrill",
            Self::DrillDelete(_) => "deleteDisasterRecoveryDrill",
        }
    }

    /// Which failed task it leaves when it fails; network cards and batches leave none.
    #[must_use]
    pub fn failure_status(&self) -> Option<&'static str> {
        Some(match self {
            Self::GroupCreate(_)
            | Self::InstanceCreate(..)
            | Self::PairCreate(_)
            | Self::DrillCreate(_) => "createFail",
            Self::GroupDelete(_)
            | Self::InstanceDelete(_)
            | Self::PairDelete(_)
            | Self::DrillDelete(_) => "deleteFail",
            Self::Group(_, Action::Start) => "startFail",
            Self::Group(_, Action::Reprotect) => "reprotectFail",
            Self::Group(_, Action::Stop) => "stopFail",
            Self::Group(_, Action::Reverse) => "reverseFail",
            Self::Group(_, Action::Failover) => "failoverFail",
            Self::Resize(..) => "resizeFail",
            Self::Attach(..) => "attachFail",
            Self::Detach(..) => "detachFail",
            Self::Expand(..) => "expandFail",
            Self::NicAdd(..) | Self::NicDelete(..) | Self::Batch(_) => return None,
        })
    }

    /// The thing that a failed task of it names.
    #[must_use]
    pub fn subject(&self) -> Option<(Resource, u64)> {
        Some(match self {
            Self::GroupCreate(key) | Self::GroupDelete(key) | Self::Group(key, _) => {
                (Resource::Group, *key)
            }
            Self::InstanceCreate(key, _)
            | Self::InstanceDelete(key)
            | Self::NicAdd(key, ..)
            | Self::NicDelete(key, _)
            | Self::Resize(key, _) => (Resource::Instance, *key),
            Self::Attach(_, key, _)
            | Self::Detach(_, key)
            | Self::PairCreate(key)
            | Self::PairDelete(key)
            | Self::Expand(key, _) => (Resource::Pair, *key),
            Self::DrillCreate(key) | Self::DrillDelete(key) => (Resource::Drill, *key),
            Self::Batch(_) => return None,
        })
    }

    /// The state of the subject on the way.
    #[must_use]
    pub fn through(&self) -> Status {
        match self {
            Self::GroupCreate(_)
            | Self::InstanceCreate(..)
            | Self::PairCreate(_)
            | Self::DrillCreate(_)
            | Self::Batch(_) => status::CREATING,
            Self::GroupDelete(_)
            | Self::InstanceDelete(_)
            | Self::PairDelete(_)
            | Self::DrillDelete(_) => status::DELETING,
            Self::Group(_, action) => action.through(),
            Self::NicAdd(..) => status::NIC_CREATING,
            Self::NicDelete(..) => status::NIC_DELETING,
            Self::Resize(..) => status::RESIZING,
            Self::Attach(..) => status::ATTACHING,
            Self::Detach(..) => status::DETACHING,
            Self::Expand(..) => status::EXTENDING,
        }
    }

    /// The state of the subject after a failure; `None` when it goes back to the one before.
    #[must_use]
    pub fn failed(&self) -> Option<Status> {
        Some(match self {
            Self::GroupCreate(_)
            | Self::InstanceCreate(..)
            | Self::PairCreate(_)
            | Self::DrillCreate(_) => status::ERROR,
            Self::GroupDelete(_)
            | Self::InstanceDelete(_)
            | Self::PairDelete(_)
            | Self::DrillDelete(_) => status::ERROR_DELETING,
            Self::Group(_, action) => action.failed(),
            Self::Resize(..) => status::ERROR_RESIZING,
            Self::Attach(..) => status::ERROR_ATTACHING,
            Self::Detach(..) => status::ERROR_DETACHING,
            Self::Expand(..) => status::ERROR_EXTENDING,
            Self::NicAdd(..) | Self::NicDelete(..) | Self::Batch(_) => return None,
        })
    }
}
