//! DBS rows as they stand on the wire, and what they are in our words.
//!
//! Sources: DBS API reference 2019-03-06 and the models of the vendor's Python SDK. In these tables `stop`
//! means failed and `pause` means stopped by an operator; `init` of a plan or a restore means not started or
//! precheck failed.

use serde::Deserialize;

use crate::connect::decode::{Epoch, Flag, Int, Loose, Raw, Text, raw_text};
use crate::model::{CodeRef, Device, Phase, Policy, Ref, Task, Timestamp};

/// A backup plan.
#[derive(Deserialize, Debug, Default)]
#[serde(default, rename_all = "PascalCase")]
pub struct Plan<'a> {
    #[serde(borrow)]
    pub backup_plan_id: Text<'a>,
    #[serde(borrow)]
    pub backup_plan_name: Text<'a>,
    #[serde(borrow)]
    pub backup_plan_status: Text<'a>,
    pub backup_plan_create_time: Epoch,
    #[serde(borrow)]
    pub database_type: Text<'a>,
    #[serde(borrow)]
    pub backup_method: Text<'a>,
    #[serde(borrow)]
    pub source_endpoint_instance_type: Text<'a>,
    #[serde(borrow, rename = "SourceEndpointInstanceID")]
    pub source_endpoint_instance_id: Text<'a>,
    #[serde(borrow)]
    pub source_endpoint_region: Text<'a>,
    #[serde(borrow)]
    pub source_endpoint_ip_port: Text<'a>,
    #[serde(borrow)]
    pub backup_period: Text<'a>,
    #[serde(borrow)]
    pub backup_start_time: Text<'a>,
    pub backup_retention_period: Int,
    pub enable_backup_log: Flag,
    pub begin_timestamp_for_restore: Epoch,
    pub end_timestamp_for_restore: Epoch,
    #[serde(borrow)]
    pub err_message: Text<'a>,
}

impl Plan<'_> {
    /// The id of the database that the plan protects: there is no list of databases, one plan protects one.
    pub fn source_id(&self) -> &str {
        let id = self.source_endpoint_instance_id.as_str();
        if !id.is_empty() {
            id
        } else if !self.source_endpoint_ip_port.is_empty() {
            self.source_endpoint_ip_port.as_str()
        } else {
            self.backup_plan_id.as_str()
        }
    }

    /// The plan as a policy.
    pub fn policy(&self, raw: Raw<'_>) -> Policy {
        let status = self.backup_plan_status.as_str();
        let mut facts = Vec::new();
        fact(&mut facts, "database", self.database_type.as_str());
        fact(&mut facts, "method", self.backup_method.as_str());
        if let Some(days) = self.backup_retention_period.0 {
            facts.push(("kept", format!("{days} days")));
        }
        if self.enable_backup_log.is_true() {
            facts.push(("log backup", "on".to_owned()));
        }
        if let (Some(from), Some(to)) = (
            self.begin_timestamp_for_restore.0,
            self.end_timestamp_for_restore.0,
        ) {
            facts.push(("can be restored", format!("{from} to {to}")));
        }
        fact(
            &mut facts,
            "service says",
            real_text(self.err_message.as_str()),
        );
        Policy {
            id: self.backup_plan_id.owned(),
            name: self
                .backup_plan_name
                .or(self.backup_plan_id.as_str())
                .to_owned(),
            what: "backup plan",
            native_status: status.to_owned(),
            enabled: match status {
                "running" => Some(true),
                "pause" | "stop" | "wait" | "init" | "check_pass" | "locked" => Some(false),
                _ => None,
            },
            faulty: matches!(status, "stop" | "init" | "locked"),
            protected_now: false,
            schedule: self.schedule(),
            next_run: None,
            device_ids: vec![self.source_id().to_owned()],
            facts,
            raw: raw_text(raw),
            ..Policy::default()
        }
    }

    fn schedule(&self) -> String {
        let days = self.backup_period.as_str();
        let at = self.backup_start_time.as_str();
        match (days.is_empty(), at.is_empty()) {
            (true, true) => String::new(),
            (false, true) => days.to_lowercase(),
            (true, false) => format!("at {at} UTC"),
            (false, false) => format!("{} at {at} UTC", days.to_lowercase()),
        }
    }

    /// The database that the plan protects.
    pub fn device(&self) -> Device {
        let mut facts = Vec::new();
        fact(&mut facts, "database", self.database_type.as_str());
        fact(
            &mut facts,
            "sort",
            self.source_endpoint_instance_type.as_str(),
        );
        fact(&mut facts, "address", self.source_endpoint_ip_port.as_str());
        Device {
            id: self.source_id().to_owned(),
            name: self.source_id().to_owned(),
            what: "database",
            place: self.source_endpoint_region.owned(),
            policy_ids: vec![self.backup_plan_id.owned()],
            facts,
            ..Device::default()
        }
    }

    /// A plan that failed or whose precheck failed stands among the failed jobs.
    pub fn failed_task(&self, raw: Raw<'_>) -> Option<Task> {
        let status = self.backup_plan_status.as_str();
        let silent = real_text(self.err_message.as_str()).is_empty();
        // init without a text is a plan that was never started
        if status != "stop" && (status != "init" || silent) {
            return None;
        }
        Some(Task {
            id: task_id("plan", self.backup_plan_id.as_str(), ""),
            device: Some(Ref::new(self.source_id(), self.source_id())),
            policy: Some(Ref::new(
                self.backup_plan_id.owned(),
                self.backup_plan_name.owned(),
            )),
            operation: if status == "init" { "precheck" } else { "plan" }.to_owned(),
            native_status: status.to_owned(),
            phase: Phase::Failed,
            started_at: self.backup_plan_create_time.0,
            failure: Some(CodeRef::new("", real_text(self.err_message.as_str()))),
            object: "plan".to_owned(),
            raw: raw_text(raw),
            ..Task::default()
        })
    }
}

/// A backup gateway.
#[derive(Deserialize, Debug, Default)]
#[serde(default, rename_all = "PascalCase")]
pub struct Gateway<'a> {
    #[serde(borrow)]
    pub backup_gateway_id: Text<'a>,
    #[serde(borrow)]
    pub display_name: Text<'a>,
    #[serde(borrow)]
    pub backup_gateway_status: Text<'a>,
    #[serde(borrow)]
    pub region: Text<'a>,
    #[serde(borrow)]
    pub source_endpoint_hostname: Text<'a>,
    pub last_heartbeat_time: Epoch,
}

impl Gateway<'_> {
    /// As a device.
    pub fn device(&self, raw: Raw<'_>) -> Device {
        let status = self.backup_gateway_status.as_str();
        let mut facts = Vec::new();
        fact(&mut facts, "host", self.source_endpoint_hostname.as_str());
        if let Some(at) = self.last_heartbeat_time.0 {
            facts.push(("last heartbeat", at.rfc3339()));
        }
        Device {
            id: format!("gateway:{}", self.backup_gateway_id.as_str()),
            name: self
                .display_name
                .or(self.backup_gateway_id.as_str())
                .to_owned(),
            what: "backup gateway",
            native_status: status.to_owned(),
            faulty: matches!(status, "OFFLINE" | "STOPPED"),
            // a gateway is no thing to back up: online is all that is good about it
            protected_now: status == "ONLINE",
            place: self.region.owned(),
            facts,
            raw: raw_text(raw),
            ..Device::default()
        }
    }
}

/// One execution: a full backup, an incremental one, a restore, a download. Fields of the others stay empty.
#[derive(Deserialize, Debug, Default)]
#[serde(default, rename_all = "PascalCase")]
pub struct Run<'a> {
    #[serde(borrow)]
    pub backup_set_id: Text<'a>,
    #[serde(borrow)]
    pub backup_set_job_id: Text<'a>,
    #[serde(borrow)]
    pub restore_task_id: Text<'a>,
    #[serde(borrow)]
    pub restore_task_name: Text<'a>,
    #[serde(borrow)]
    pub backup_set_download_task_id: Text<'a>,
    #[serde(borrow)]
    pub backup_status: Text<'a>,
    #[serde(borrow)]
    pub restore_status: Text<'a>,
    #[serde(borrow)]
    pub backup_set_download_status: Text<'a>,
    #[serde(borrow)]
    pub err_message: Text<'a>,
    pub backup_size: Int,
    pub create_time: Epoch,
    pub finish_time: Epoch,
    pub start_time: Epoch,
    pub end_time: Epoch,
    pub restore_task_create_time: Epoch,
    pub restore_task_finish_time: Epoch,
    pub backup_set_download_create_time: Epoch,
    pub backup_set_download_finish_time: Epoch,
    pub logical_structure_backup_progress: Int,
    pub logical_full_backup_progress: Int,
    #[serde(rename = "FullStruforeRestoreProgress")]
    pub structure_before: Int,
    pub full_data_restore_progress: Int,
    pub full_stru_after_restore_progress: Int,
    pub continuous_restore_progress: Int,
}

/// The four sorts of executions.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Sort {
    /// Full backups.
    Full,
    /// Incremental backups.
    Increment,
    /// Restores.
    Restore,
    /// Downloads of backup sets.
    Download,
}

impl Sort {
    /// Every sort.
    pub const ALL: [Self; 4] = [Self::Full, Self::Increment, Self::Restore, Self::Download];

    /// The word in task ids and as the object of statuses.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Full => "full_backup",
            Self::Increment => "increment_backup",
            Self::Restore => "restore",
            Self::Download => "download",
        }
    }

    /// The action that lists it, and the key of the list inside `Items`.
    pub const fn list(self) -> (&'static str, &'static str) {
        match self {
            Self::Full => ("DescribeFullBackupList", "FullBackupFile"),
            Self::Increment => ("DescribeIncrementBackupList", "IncrementBackupFile"),
            Self::Restore => ("DescribeRestoreTaskList", "RestoreTaskDetail"),
            Self::Download => (
                "DescribeBackupSetDownloadTaskList",
                "BackupSetDownloadTaskDetail",
            ),
        }
    }

    /// The sort with this word.
    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.word() == word)
    }

    /// Our reading of a status of this sort. A restore has no documented word for success.
    pub fn phase(self, status: &str) -> Phase {
        match (self, status) {
            (Self::Full, "schedule") | (Self::Download, "schedule") | (Self::Increment, "INIT") => {
                Phase::Queued
            }
            (Self::Full | Self::Restore | Self::Download, "running")
            | (Self::Increment, "FILLING") => Phase::Running,
            (Self::Download, "checking") => Phase::Running,
            (Self::Full | Self::Download, "finish") | (Self::Increment, "COMPLETED") => {
                Phase::Succeeded
            }
            (Self::Full | Self::Restore | Self::Download, "stop") => Phase::Failed,
            (Self::Full | Self::Restore | Self::Download, "pause") => Phase::Cancelled,
            (Self::Increment, "UNCOMPLETED") => Phase::Uncertain,
            (Self::Restore | Self::Download, "init" | "check_pass") => Phase::Waiting,
            _ => Phase::Unknown,
        }
    }
}

impl Run<'_> {
    /// Its id within its sort.
    pub fn id(&self, sort: Sort) -> &str {
        match sort {
            Sort::Full => self.backup_set_id.as_str(),
            Sort::Increment => self.backup_set_job_id.or(self.backup_set_id.as_str()),
            Sort::Restore => self.restore_task_id.as_str(),
            Sort::Download => self.backup_set_download_task_id.as_str(),
        }
    }

    fn status(&self, sort: Sort) -> &str {
        match sort {
            Sort::Full | Sort::Increment => self.backup_status.as_str(),
            Sort::Restore => self.restore_status.as_str(),
            Sort::Download => self.backup_set_download_status.as_str(),
        }
    }

    fn times(&self, sort: Sort) -> (Option<Timestamp>, Option<Timestamp>) {
        match sort {
            Sort::Full => (
                self.create_time.0.or(self.start_time.0),
                self.finish_time.0.or(self.end_time.0),
            ),
            Sort::Increment => (self.start_time.0, self.end_time.0),
            Sort::Restore => (
                self.restore_task_create_time.0,
                self.restore_task_finish_time.0,
            ),
            Sort::Download => (
                self.backup_set_download_create_time.0,
                self.backup_set_download_finish_time.0,
            ),
        }
    }

    fn progress(&self, sort: Sort) -> (Option<u8>, &'static str) {
        let steps: &[(Int, &'static str)] = match sort {
            Sort::Full => &[
                (self.logical_structure_backup_progress, "structure"),
                (self.logical_full_backup_progress, "data"),
            ],
            Sort::Restore => &[
                (self.structure_before, "structure"),
                (self.full_data_restore_progress, "data"),
                (
                    self.full_stru_after_restore_progress,
                    "structure after data",
                ),
                (self.continuous_restore_progress, "log"),
            ],
            Sort::Increment | Sort::Download => &[],
        };
        // the first step that is not done is the one that runs
        let told = steps.iter().filter(|(p, _)| p.0.is_some());
        let running = told
            .clone()
            .find(|(p, _)| p.percent() < Some(100))
            .or_else(|| told.clone().next_back());
        running.map_or((None, ""), |(p, step)| (p.percent(), step))
    }

    /// As a task of the plan.
    pub fn task(&self, sort: Sort, plan: &Ref, source: Option<&Ref>, raw: Raw<'_>) -> Task {
        let status = self.status(sort);
        let message = real_text(self.err_message.as_str());
        let phase = match sort.phase(status) {
            // not started or precheck failed, says the reference: with a text it is the second
            Phase::Waiting if sort == Sort::Restore && status == "init" && !message.is_empty() => {
                Phase::Failed
            }
            phase => phase,
        };
        let (started_at, ended_at) = self.times(sort);
        let (progress, step) = self.progress(sort);
        let live = phase.is_live();
        let mut facts = Vec::new();
        if let Some(bytes) = self.backup_size.0.filter(|b| *b > 0) {
            facts.push(("size", format!("{bytes} bytes")));
        }
        fact(&mut facts, "restore", self.restore_task_name.as_str());
        Task {
            id: task_id(sort.word(), &plan.id, self.id(sort)),
            device: source.cloned(),
            policy: Some(plan.clone()),
            operation: match sort {
                Sort::Full => "full backup",
                Sort::Increment => "incremental backup",
                Sort::Restore => "restore",
                Sort::Download => "download",
            }
            .to_owned(),
            native_status: status.to_owned(),
            phase,
            step: if phase == Phase::Running {
                step.to_owned()
            } else {
                String::new()
            },
            progress: if live { progress } else { None },
            started_at,
            updated_at: None,
            ended_at: if live { None } else { ended_at },
            failure: if phase.needs_person() {
                Some(CodeRef::new("", message))
            } else {
                None
            },
            asked: None,
            object: sort.word().to_owned(),
            facts,
            raw: raw_text(raw),
        }
    }
}

/// Why a job failed, as `DescribeJobErrorCode` answers: the job's own code, not the call's.
#[derive(Deserialize, Debug, Default)]
#[serde(default, rename_all = "PascalCase")]
pub struct Why<'a> {
    #[serde(borrow)]
    pub item: Loose<WhyItem<'a>>,
}

/// The item in it.
#[derive(Deserialize, Debug, Default)]
#[serde(default, rename_all = "PascalCase")]
pub struct WhyItem<'a> {
    #[serde(borrow)]
    pub error_code: Text<'a>,
    #[serde(borrow)]
    pub error_message: Text<'a>,
    #[serde(borrow)]
    pub job_state: Text<'a>,
}

/// One item of a precheck.
#[derive(Deserialize, Debug, Default)]
#[serde(default, rename_all = "PascalCase")]
pub struct Check<'a> {
    #[serde(borrow)]
    pub item: Text<'a>,
    #[serde(borrow)]
    pub names: Text<'a>,
    #[serde(borrow)]
    pub state: Text<'a>,
    #[serde(borrow)]
    pub err_msg: Text<'a>,
}

impl Check<'_> {
    /// The item in one line, with at most `text` characters of what it says; `None` when it is no trouble.
    pub fn trouble(&self, text: usize) -> Option<String> {
        let state = self.state.as_str();
        if matches!(state, "init" | "running" | "finish") {
            return None;
        }
        let item = self.item.or(self.names.as_str());
        let said: String = real_text(self.err_msg.as_str())
            .chars()
            .take(text)
            .collect();
        Some(match said.as_str() {
            "" => format!("{item} {state}"),
            said => format!("{item} {state}: {said}"),
        })
    }
}

/// A task's id: its sort, its plan, its own id.
pub fn task_id(sort: &str, plan: &str, id: &str) -> String {
    format!("{sort}:{plan}:{id}")
}

/// The service writes the text "NULL" where there is none.
fn real_text(text: &str) -> &str {
    if text.eq_ignore_ascii_case("null") {
        ""
    } else {
        text
    }
}

fn fact(facts: &mut Vec<(&'static str, String)>, label: &'static str, value: &str) {
    if !value.is_empty() {
        facts.push((label, value.to_owned()));
    }
}
