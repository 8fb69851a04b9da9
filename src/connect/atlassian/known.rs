//! What is remembered between rounds.

use std::collections::{HashMap, HashSet};

use crate::model::{Fault, Phase, Ref, Timestamp};

/// A policy as far as its backups' rows need it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Note {
    pub id: String,
    pub name: String,
    /// The site's product.
    pub device: Option<Ref>,
    /// Whether it makes backups, where the service says so.
    pub active: Option<bool>,
}

/// A backup of a policy, as far as it has to be found again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Run {
    pub id: String,
    pub phase: Phase,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

/// Times of a backup and of its policy may be told with another precision, in milliseconds.
const SLACK_MS: i64 = 60_000;

/// Backups remembered of one policy; a daily policy has some thirty that can be restored.
const RUNS: usize = 200;

#[derive(Debug, Default)]
pub(super) struct Known {
    /// The policies seen so far.
    pub policies: Vec<Note>,
    /// Whether these are all.
    pub listed: bool,
    /// That some of them could not be read when they were listed.
    pub unread: Option<Fault>,
    /// The last record with all details, by policy.
    pub records: HashMap<String, String>,
    /// Rounds in which details were chosen, and where the next one goes on.
    pub details_rounds: u32,
    pub details_next: usize,
    /// Backups seen of a policy.
    runs: HashMap<String, Vec<Run>>,
    /// Restores seen.
    pub restores: HashSet<String>,
    /// When the newest row of a list was made that was read to its end or far enough, in milliseconds.
    pub newest: HashMap<String, i64>,
    storages: HashMap<String, String>,
    numbers: HashMap<String, u32>,
    /// Moves when something changes that policies' rows show besides their own records.
    pub version: u64,
    /// The version that policies' pages were read with.
    pub read_version: u64,
    /// The policy at which the last round of backups was broken off; empty when it was not.
    pub cursor: String,
    /// Rounds of backups begun.
    pub rounds: u32,
}

impl Known {
    /// The policy with this id.
    pub(super) fn note(&self, policy_id: &str) -> Option<&Note> {
        self.policies.iter().find(|n| n.id == policy_id)
    }

    /// The policies were listed.
    pub(super) fn list(&mut self, notes: Vec<Note>) {
        let ids: HashSet<&str> = notes.iter().map(|n| n.id.as_str()).collect();
        self.records.retain(|id, _| ids.contains(id.as_str()));
        self.runs.retain(|id, _| ids.contains(id.as_str()));
        self.policies = notes;
        self.listed = true;
    }

    /// A policy was read.
    pub(super) fn put(&mut self, note: Note) {
        match self.policies.iter_mut().find(|n| n.id == note.id) {
            Some(held) => *held = note,
            None => self.policies.push(note),
        }
    }

    /// The number of a policy, the same in every round: its pages' range.
    pub(super) fn number(&mut self, policy_id: &str) -> u32 {
        if let Some(number) = self.numbers.get(policy_id) {
            return *number;
        }
        let number = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        self.numbers.insert(policy_id.to_owned(), number);
        number
    }

    /// What a storage is called; its id where no name is known.
    pub(super) fn storage(&self, id: &str) -> String {
        match self.storages.get(id) {
            Some(words) => format!("{words} ({id})"),
            None => id.to_owned(),
        }
    }

    /// The storages were listed.
    pub(super) fn set_storages(&mut self, storages: HashMap<String, String>) {
        if self.storages != storages {
            self.storages = storages;
            self.version += 1;
        }
    }

    /// Backups of a policy were read, newest first: new ones are added, known ones brought up to date.
    pub(super) fn saw_runs(&mut self, policy_id: &str, seen: Vec<Run>) {
        let held = self.runs.entry(policy_id.to_owned()).or_default();
        let mut changed = false;
        for run in seen {
            match held.iter_mut().find(|h| h.id == run.id) {
                Some(known) if *known == run => {}
                Some(known) => {
                    *known = run;
                    changed = true;
                }
                None => {
                    held.push(run);
                    changed = true;
                }
            }
        }
        if held.len() > RUNS {
            held.sort_by_key(|run| std::cmp::Reverse(run.from));
            held.truncate(RUNS);
        }
        self.version += u64::from(changed);
    }

    /// The service knows this backup or restore no more.
    pub(super) fn forget(&mut self, task_id: &str) {
        self.restores.remove(task_id);
        for runs in self.runs.values_mut() {
            runs.retain(|run| run.id != task_id);
        }
    }

    /// The policy of a backup that was seen.
    pub(super) fn policy_of(&self, backup_id: &str) -> Option<String> {
        self.runs
            .iter()
            .find(|(_, runs)| runs.iter().any(|r| r.id == backup_id))
            .map(|(policy, _)| policy.clone())
    }

    /// True while a backup of the policy has not ended, as far as it is known.
    pub(super) fn is_busy(&self, policy_id: &str) -> bool {
        self.runs
            .get(policy_id)
            .is_some_and(|runs| runs.iter().any(|r| r.phase.is_live()))
    }

    /// Whether the policy's backups were read before.
    pub(super) fn knows_runs(&self, policy_id: &str) -> bool {
        self.runs.contains_key(policy_id)
    }

    /// Whether the last backup that a policy tells of can be a good one. Only the time is told: when the backup of
    /// that time is known and did not succeed, it is none.
    pub(super) fn could_be_good(&self, policy_id: &str, told: Timestamp) -> bool {
        let mut spans = self
            .runs
            .get(policy_id)
            .into_iter()
            .flatten()
            .filter(|run| {
                run.from.is_some_and(|from| told >= from.plus(-SLACK_MS))
                    && (run.phase.is_live() || run.to.is_some_and(|to| told <= to.plus(SLACK_MS)))
            })
            .peekable();
        spans.peek().is_none() || spans.any(|run| run.phase == Phase::Succeeded)
    }
}
