//! What a service can do at all, with reasons for what it can't.

use crate::model::Verb;

/// Whether a kind offers something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Support {
    /// Offered.
    Yes,
    /// Offered in part or in a roundabout way; the text says how.
    Partly(&'static str),
    /// Not offered; the text says why ("CSBS publishes no call that cancels a task").
    No(&'static str),
}

impl Support {
    /// True for [`Support::Yes`] and [`Support::Partly`].
    #[must_use]
    pub const fn is_offered(self) -> bool {
        !matches!(self, Self::No(_))
    }

    /// The remark or the reason; empty for [`Support::Yes`].
    #[must_use]
    pub const fn remark(self) -> &'static str {
        match self {
            Self::Yes => "",
            Self::Partly(why) | Self::No(why) => why,
        }
    }
}

/// One kind's capabilities: a row for every need of an operator console, none left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Capabilities {
    /// List what is protected.
    pub devices: Support,
    /// List policies.
    pub policies: Support,
    /// List running tasks.
    pub running: Support,
    /// List failed tasks.
    pub failed: Support,
    /// List tasks that ended well.
    pub history: Support,
    /// Percent done of a running task.
    pub progress: Support,
    /// A code or text that says why a task failed.
    pub reasons: Support,
    /// Run or back up now.
    pub trigger: Support,
    /// Stop a running task.
    pub cancel: Support,
    /// Repeat a failed task.
    pub retry: Support,
    /// Take a failed task off the service's list.
    pub clear: Support,
    /// Turn a schedule on and off.
    pub enable: Support,
    /// Bring data back.
    pub restore: Support,
    /// Remove a backup.
    pub delete: Support,
}

impl Capabilities {
    /// The capability behind a verb.
    #[must_use]
    pub const fn of(&self, verb: Verb) -> Support {
        match verb {
            Verb::Trigger => self.trigger,
            Verb::Cancel => self.cancel,
            Verb::Retry => self.retry,
            Verb::Clear => self.clear,
            Verb::Enable | Verb::Disable => self.enable,
            Verb::Restore => self.restore,
            Verb::Delete => self.delete,
        }
    }

    /// Every capability with its name, in a fixed order.
    #[must_use]
    pub const fn rows(&self) -> [(&'static str, Support); 14] {
        [
            ("devices", self.devices),
            ("policies", self.policies),
            ("running tasks", self.running),
            ("failed tasks", self.failed),
            ("history", self.history),
            ("progress", self.progress),
            ("reasons", self.reasons),
            ("trigger", self.trigger),
            ("cancel", self.cancel),
            ("retry", self.retry),
            ("clear", self.clear),
            ("enable", self.enable),
            ("restore", self.restore),
            ("delete", self.delete),
        ]
    }
}
