//! The task center: failed tasks, and nothing but failed tasks.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::time::zulu;
use super::work::Resource;
use crate::sim::switches::Switches;

/// A failed task.
#[derive(Debug, Clone)]
pub struct FailedTask {
    /// The job that failed.
    pub job_id: String,
    /// Its `job_type` as jobs spell it.
    pub job_type: &'static str,
    /// What it was about.
    pub resource: Resource,
    /// Its id.
    pub resource_id: String,
    /// Its name.
    pub resource_name: String,
    /// `createFail` …
    pub failure_status: &'static str,
    /// When the job began.
    pub begin: DateTime<Utc>,
    /// The code.
    pub code: &'static str,
    /// The reason.
    pub reason: String,
    /// The id of the group that it happened in.
    pub group: String,
}

impl FailedTask {
    /// The row as the service shows it: exactly these ten fields.
    #[must_use]
    pub fn to_json(&self, switches: &Switches) -> Value {
        let plural = switches.get("sdrs.resource_type") == "plural";
        let short = self.job_type.trim_end_matches("NoCG");
        json!({
            "job_status": "FAIL",
            "resource_id": self.resource_id,
            "resource_name": self.resource_name,
            "resource_type": if plural { self.resource.plural() } else { self.resource.camel() },
            "failure_status": self.failure_status,
            "job_id": self.job_id,
            "job_type": if plural { self.job_type } else { short },
            "begin_time": zulu(self.begin),
            "error_code": self.code,
            "fail_reason": self.reason,
        })
    }

    /// Whether it shows without a group (as one of the groups themselves), or within its group.
    fn shows(&self, inside: bool, switches: &Switches) -> bool {
        match (self.resource, self.failure_status) {
            (Resource::Group, "createFail" | "deleteFail") => !inside,
            (Resource::Group, _) => match switches.get("sdrs.group_actions_listed") {
                "inside" => inside,
                "both" => true,
                _ => !inside,
            },
            _ => inside,
        }
    }
}

type Key = (DateTime<Utc>, u64);

/// All failed tasks, in order of their begin.
#[derive(Debug, Default)]
pub struct TaskCenter {
    rows: BTreeMap<Key, FailedTask>,
    by_group: HashMap<String, BTreeSet<Key>>,
    of_groups: BTreeSet<Key>,
    next: u64,
}

impl TaskCenter {
    /// Adds one.
    pub fn add(&mut self, task: FailedTask) {
        self.next += 1;
        let key = (task.begin, self.next);
        if task.resource == Resource::Group {
            self.of_groups.insert(key);
        }
        self.by_group
            .entry(task.group.clone())
            .or_default()
            .insert(key);
        self.rows.insert(key, task);
    }

    /// Those of a group, or without one those of the groups themselves; newest first.
    pub fn list<'a>(
        &'a self,
        group: Option<&str>,
        switches: &'a Switches,
    ) -> impl Iterator<Item = &'a FailedTask> {
        self.shown(group, switches).map(|(_, task)| task)
    }

    fn shown<'a>(
        &'a self,
        group: Option<&str>,
        switches: &'a Switches,
    ) -> impl Iterator<Item = (Key, &'a FailedTask)> {
        let keys = match group {
            Some(group) => self.by_group.get(group),
            None => Some(&self.of_groups),
        };
        let inside = group.is_some();
        keys.into_iter()
            .flat_map(|keys| keys.iter().rev())
            .filter_map(|key| Some((*key, self.rows.get(key)?)))
            .filter(move |(_, task)| task.shows(inside, switches))
    }

    /// Clears those that [`Self::list`] shows; says how many.
    pub fn clear_all(&mut self, group: Option<&str>, switches: &Switches) -> usize {
        let keys: Vec<Key> = self.shown(group, switches).map(|(key, _)| key).collect();
        self.remove_keys(&keys)
    }

    /// Clears those that fit; says how many.
    pub fn remove(&mut self, fits: impl Fn(&FailedTask) -> bool) -> usize {
        let fitting = self.rows.iter().filter(|(_, task)| fits(task));
        let keys: Vec<Key> = fitting.map(|(key, _)| *key).collect();
        self.remove_keys(&keys)
    }

    fn remove_keys(&mut self, keys: &[Key]) -> usize {
        for key in keys {
            self.of_groups.remove(key);
            if let Some(task) = self.rows.remove(key)
                && let Some(keys) = self.by_group.get_mut(&task.group)
            {
                keys.remove(key);
                if keys.is_empty() {
                    self.by_group.remove(&task.group);
                }
            }
        }
        keys.len()
    }
}
