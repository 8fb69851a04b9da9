//! Backups and restores as they come, and what they say as tasks.

use serde::Deserialize;

use super::known::{Known, Note, Run};
use super::paths::Op;
use super::policy::device_ref;
use super::word;
use crate::connect::decode::{Float, Loose, Raw, Text, raw_text, time};
use crate::model::{CodeRef, Phase, Ref, Task, Timestamp};

/// A backup (schema `PublicApiBackupV2Response`), or a restore: of restores no shape is published, so they are
/// taken to look like backups with ids of their own.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct TaskRow<'a> {
    #[serde(borrow)]
    pub backup_id: Text<'a>,
    #[serde(borrow)]
    restore_id: Text<'a>,
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    cloud_id: Text<'a>,
    #[serde(borrow)]
    product: Text<'a>,
    #[serde(borrow)]
    product_type: Text<'a>,
    #[serde(borrow)]
    pub status: Text<'a>,
    #[serde(borrow)]
    status_message: Text<'a>,
    #[serde(borrow)]
    expiry_time: Text<'a>,
    #[serde(borrow)]
    selections: Loose<Vec<Text<'a>>>,
    #[serde(borrow)]
    backup_size: Loose<Size<'a>>,
    #[serde(borrow)]
    created_at: Text<'a>,
    #[serde(borrow)]
    last_updated_at: Text<'a>,
    #[serde(borrow)]
    storage_id: Text<'a>,
    #[serde(borrow)]
    encryption_type: Text<'a>,
}

/// Sizes as written: only the total has its unit in its name, and a number may be whole or not.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Size<'a> {
    #[serde(borrow)]
    users_size: Text<'a>,
    #[serde(borrow)]
    data_size: Text<'a>,
    #[serde(borrow)]
    attachments_size: Text<'a>,
    #[serde(rename = "totalBackupSizeInGB")]
    total: Float,
}

/// What a row is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sort {
    Backup,
    Restore,
}

impl Sort {
    /// The word for it: operation and object of the task.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Restore => "restore",
        }
    }

    /// The call that lists them, and the list's name in its answer.
    pub(super) const fn list(self) -> (Op, &'static str) {
        match self {
            Self::Backup => (Op::Backups, "backups"),
            Self::Restore => (Op::Restores, "restores"),
        }
    }

    /// The call for one of them.
    pub(super) const fn one(self) -> Op {
        match self {
            Self::Backup => Op::Backup,
            Self::Restore => Op::Restore,
        }
    }
}

impl TaskRow<'_> {
    /// The row's own id.
    pub(super) fn id(&self, sort: Sort) -> &str {
        match sort {
            Sort::Backup => self.backup_id.or(self.id.as_str()),
            Sort::Restore => self.restore_id.or(self.id.as_str()),
        }
    }

    /// When it was made.
    pub(super) fn created(&self) -> Option<Timestamp> {
        time(self.created_at.as_str())
    }

    fn changed(&self) -> Option<Timestamp> {
        time(self.last_updated_at.as_str())
    }

    /// What is remembered of it. That `lastUpdatedAt` of an ended backup is when it ended, and of an expired one when
    /// its time was over, is our inference: the documents name the field and say nothing of it.
    pub(super) fn run(&self, sort: Sort) -> Run {
        Run {
            id: self.id(sort).to_owned(),
            phase: word::phase(self.status.as_str()),
            from: self.created(),
            to: if word::is_expired(self.status.as_str()) {
                self.created()
            } else {
                self.changed()
            },
        }
    }

    /// The site's product, by the name that the policies give it.
    fn device(&self, known: &Known, policy: Option<&Note>) -> Option<Ref> {
        let product = self.product.or(self.product_type.as_str());
        let own = device_ref(self.cloud_id.as_str(), "", product);
        let of_policy = policy.and_then(|p| p.device.clone());
        match (own, of_policy) {
            (Some(own), Some(device)) if own.id == device.id => Some(device),
            (Some(own), _) => Some(
                known
                    .policies
                    .iter()
                    .filter_map(|n| n.device.as_ref())
                    .find(|d| d.id == own.id)
                    .cloned()
                    .unwrap_or(own),
            ),
            (None, device) => device,
        }
    }

    /// As a task. `policy` is the one in whose list it stood.
    pub(super) fn task(
        &self,
        sort: Sort,
        raw: Raw<'_>,
        known: &Known,
        policy: Option<&Note>,
    ) -> Result<Task, String> {
        let id = self.id(sort);
        if id.is_empty() {
            return Err(format!("{}Id is missing", sort.word()));
        }
        let status = self.status.as_str();
        let phase = word::phase(status);
        // inferred, see `run`: an expired backup was changed when its time was over, long after it ended
        let expired = word::is_expired(status);
        let changed = self.changed().filter(|_| !expired);
        let message = self.status_message.as_str();
        let bad = matches!(phase, Phase::Failed | Phase::Uncertain);
        Ok(Task {
            id: id.to_owned(),
            device: self.device(known, policy),
            policy: policy.map(|p| Ref::new(p.id.as_str(), p.name.as_str())),
            operation: sort.word().to_owned(),
            native_status: status.to_owned(),
            phase,
            started_at: self.created(),
            updated_at: changed,
            ended_at: changed.filter(|_| phase.is_over()),
            failure: (bad && !message.is_empty()).then(|| CodeRef {
                operation: sort.word().to_owned(),
                ..CodeRef::new("", message)
            }),
            object: sort.word().to_owned(),
            facts: self.facts(sort, known, bad),
            raw: raw_text(raw),
            ..Task::default()
        })
    }

    fn facts(&self, sort: Sort, known: &Known, bad: bool) -> Vec<(&'static str, String)> {
        let mut facts = Vec::new();
        let mut add = |label: &'static str, value: String| {
            if !value.is_empty() {
                facts.push((label, value));
            }
        };
        add("Name", self.name.owned());
        if !bad {
            add("Says", self.status_message.owned());
        }
        if sort == Sort::Restore {
            add("Backup", self.backup_id.owned());
        }
        let selections: Vec<&str> = self
            .selections
            .0
            .iter()
            .flatten()
            .map(Text::as_str)
            .collect();
        add("Holds", selections.join(", "));
        if let Some(size) = &self.backup_size.0 {
            if let Some(total) = size.total.0 {
                add("Size", format!("{total} GB"));
            }
            let parts: Vec<String> = [
                ("users", &size.users_size),
                ("data", &size.data_size),
                ("attachments", &size.attachments_size),
            ]
            .into_iter()
            .filter(|(_, n)| !n.is_empty())
            .map(|(word, n)| format!("{word} {}", n.as_str()))
            .collect();
            if !parts.is_empty() {
                add("Parts", format!("{} (unit not told)", parts.join(", ")));
            }
        }
        add("Expires", self.expiry_time.owned());
        add("Storage", known.storage(self.storage_id.as_str()));
        add("Encryption", self.encryption_type.owned());
        // as told, also where it can't be read as a time
        for (label, text, read) in [
            ("Created", &self.created_at, self.created()),
            ("Last changed", &self.last_updated_at, self.changed()),
        ] {
            if read.is_none() || (label == "Last changed" && word::is_expired(self.status.as_str()))
            {
                add(label, text.owned());
            }
        }
        facts
    }
}
