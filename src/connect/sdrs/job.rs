//! Jobs as they stand on the wire (SDRS API reference, querying the job status), and what they are in our words.

use serde::Deserialize;

use crate::connect::decode::{Loose, Text, Time};
use crate::model::{CodeRef, Phase, Task};

/// A job, also one of its sub-jobs.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
pub struct Job<'a> {
    #[serde(borrow)]
    pub job_id: Text<'a>,
    #[serde(borrow)]
    pub job_type: Text<'a>,
    pub begin_time: Time,
    pub end_time: Time,
    #[serde(borrow)]
    pub status: Text<'a>,
    #[serde(borrow)]
    pub error_code: Text<'a>,
    #[serde(borrow)]
    pub fail_reason: Text<'a>,
    #[serde(borrow)]
    pub entities: Loose<Entities<'a>>,
}

/// What a job works on; a parent may name nothing itself and leave it to its sub-jobs.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
pub struct Entities<'a> {
    #[serde(borrow)]
    pub server_group_id: Text<'a>,
    #[serde(borrow)]
    pub protected_instance_id: Text<'a>,
    #[serde(borrow)]
    pub replication_pair_id: Text<'a>,
    #[serde(borrow)]
    pub disaster_recovery_drill_id: Text<'a>,
    #[serde(borrow)]
    pub sub_jobs: Loose<Vec<Job<'a>>>,
}

impl Job<'_> {
    /// Our reading of the job's status.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match self.status.as_str() {
            "INIT" => Phase::Queued,
            "RUNNING" => Phase::Running,
            "SUCCESS" => Phase::Succeeded,
            "FAIL" => Phase::Failed,
            _ => Phase::Unknown,
        }
    }

    /// The sub-jobs.
    #[must_use]
    pub fn sub_jobs(&self) -> &[Self] {
        self.entities
            .0
            .as_ref()
            .and_then(|e| e.sub_jobs.0.as_deref())
            .unwrap_or_default()
    }

    /// The failure: the job's own, or the first of its sub-jobs that has one.
    #[must_use]
    pub fn failure(&self) -> Option<CodeRef> {
        if !self.error_code.is_empty() || !self.fail_reason.is_empty() {
            return Some(CodeRef::new(
                self.error_code.owned(),
                self.fail_reason.owned(),
            ));
        }
        self.sub_jobs().iter().find_map(Self::failure)
    }

    /// Percent done: the share of sub-jobs that ended, where there are any.
    #[must_use]
    pub fn progress(&self) -> Option<u8> {
        let all = self.sub_jobs();
        if all.is_empty() {
            return None;
        }
        let done = all.iter().filter(|j| j.phase().is_over()).count();
        u8::try_from(done * 100 / all.len()).ok()
    }

    /// As a task; the caller adds what it knows of device and policy.
    #[must_use]
    pub fn task(&self, id: &str, raw: String) -> Task {
        let phase = self.phase();
        let running = self.sub_jobs().iter().find(|j| j.phase().is_live());
        Task {
            id: id.to_owned(),
            operation: operation_of(self.job_type.as_str()),
            native_status: self.status.owned(),
            phase,
            step: running.map(|j| j.job_type.owned()).unwrap_or_default(),
            progress: if phase.is_live() {
                self.progress()
            } else {
                None
            },
            started_at: self.begin_time.0,
            ended_at: if phase.is_over() {
                self.end_time.0
            } else {
                None
            },
            updated_at: if phase.is_over() {
                self.end_time.0
            } else {
                None
            },
            failure: if phase == Phase::Failed {
                self.failure()
            } else {
                None
            },
            facts: vec![("job type", self.job_type.owned())],
            raw,
            ..Task::default()
        }
    }
}

/// The operation in the word of a job type (`stopProtectionGroupNoCG`); the word itself when it is none of
/// the documented ones, as the interface treats it as open text.
fn operation_of(job_type: &str) -> String {
    const STARTS: [(&str, &str); 15] = [
        ("deleteNic", "remove NIC"),
        ("createDisasterRecoveryDrill", "drill"),
        ("deleteDisasterRecoveryDrill", "end drill"),
        ("create", "create"),
        ("delete", "delete"),
        ("start", "enable protection"),
        ("stop", "disable protection"),
        ("reprotect", "re-enable protection"),
        ("reverse", "planned failover"),
        ("failover", "failover"),
        ("attach", "attach"),
        ("detach", "detach"),
        ("addNic", "add NIC"),
        ("resize", "resize"),
        ("expand", "expand"),
    ];
    STARTS
        .iter()
        .find(|(start, _)| job_type.starts_with(start))
        .map_or_else(|| job_type.to_owned(), |(_, word)| (*word).to_owned())
}
