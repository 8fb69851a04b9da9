//! The fields that a query can name and a list can be sorted by.

use super::{Noun, TextTest};

/// One field of a device, a policy or a task.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Field {
    /// The user's name of the service.
    Service,
    /// The product: `csbs`, `sdrs` …
    Kind,
    /// The name people use; of a task, its device's.
    Name,
    /// A device's name or id; of a task, the device it works on; of a policy, the devices it covers.
    Device,
    /// A policy's name or id; of a task, the policy it runs for; of a device, the policies that cover it.
    Policy,
    /// What a task does: `backup`, `restore` …
    Operation,
    /// The service's own status word.
    Status,
    /// Our reading of a task's status; of a device or policy, that of its last attempt.
    Phase,
    /// Where inside the task it stands.
    Step,
    /// Percent done.
    Progress,
    /// When a task started.
    Started,
    /// When the service last changed the record.
    Updated,
    /// When a task ended.
    Ended,
    /// From start to end, or to now while it is live.
    Elapsed,
    /// Since the last thing that happened to it.
    Age,
    /// The service's error code.
    Code,
    /// The HTTP status that came with a failure.
    Http,
    /// The service's own text about a failure.
    Message,
    /// The service's own id.
    Id,
    /// What the service calls the object of a task.
    Object,
    /// What sort of device or policy it is, in the service's words.
    What,
    /// Zone, site or host of a device.
    Place,
    /// Whether a policy's schedule is on.
    Enabled,
    /// When a policy fires, in words.
    Schedule,
    /// When a policy fires next.
    NextRun,
    /// The last good backup of a device or policy.
    LastGood,
    /// The last attempt to back it up.
    LastAttempt,
    /// Failures in a row since the last good backup.
    Streak,
    /// How many of its tasks are live.
    Running,
    /// How many tasks are known of it.
    Tasks,
    /// One of the [`Flag`]s.
    Is,
    /// Whether somebody took the failed task, or it resolved itself after that.
    Ack,
}

/// What values a field has, and so which comparisons make sense.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FieldType {
    /// Free text: `:` looks inside it, `=` wants all of it.
    Text,
    /// One word out of few: `:` and `=` both want the whole word.
    Word,
    /// A whole number.
    Number,
    /// A whole number from 0 to 100.
    Percent,
    /// An instant; compared with an age (`<2h`) or a time (`>=03:00`).
    Time,
    /// A length of time.
    Duration,
    /// yes or no.
    YesNo,
    /// One of the [`Flag`]s.
    Flag,
}

impl FieldType {
    /// What is expected after a field of this type, for error messages.
    #[must_use]
    pub const fn expected(self) -> &'static str {
        match self {
            Self::Text => "a text; quote it when it holds spaces",
            Self::Word => "a whole word",
            Self::Number => "a number, as in :404, >=500 or :4xx",
            Self::Percent => "a percentage, as in >50",
            Self::Time => "an age as in <2h, or a time as in >=03:00 or >2026-01-31",
            Self::Duration => "a length of time, as in >90s or <1h30m",
            Self::YesNo => "yes or no",
            Self::Flag => "one of the words of is:",
        }
    }
}

/// A yes-or-no property that has no column: `is:lost`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Flag {
    /// A task that has not ended.
    Live,
    /// A task that has ended.
    Over,
    /// A task that needs a person: failed or uncertain.
    Failed,
    /// A task that vanished at the service while it was live.
    Lost,
    /// A failed task that was taken off the service's own list.
    Cleared,
    /// A task of which something was asked that has not happened yet.
    Asked,
    /// A device or policy that the service itself reports as faulty.
    Faulty,
    /// A policy whose schedule is on.
    Enabled,
    /// A policy whose schedule is off.
    Disabled,
    /// A device or policy of which no good backup is known.
    Never,
    /// A device or policy without a good backup within its target.
    Overdue,
    /// A live task in which nothing happens for longer than usual.
    Stuck,
    /// A running task that takes much longer than usual.
    Slow,
    /// A device or policy whose backups are good and bad by turns; a task of such a device.
    Flapping,
    /// A policy whose schedule is on and has stopped firing.
    Silent,
}

impl Flag {
    /// Every flag.
    pub const ALL: [Self; 15] = [
        Self::Live,
        Self::Over,
        Self::Failed,
        Self::Lost,
        Self::Cleared,
        Self::Asked,
        Self::Faulty,
        Self::Enabled,
        Self::Disabled,
        Self::Never,
        Self::Overdue,
        Self::Stuck,
        Self::Slow,
        Self::Flapping,
        Self::Silent,
    ];

    /// The word after `is:`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Over => "over",
            Self::Failed => "failed",
            Self::Lost => "lost",
            Self::Cleared => "cleared",
            Self::Asked => "asked",
            Self::Faulty => "faulty",
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::Never => "never",
            Self::Overdue => "overdue",
            Self::Stuck => "stuck",
            Self::Slow => "slow",
            Self::Flapping => "flapping",
            Self::Silent => "silent",
        }
    }

    /// What it means, for completion.
    #[must_use]
    pub const fn help(self) -> &'static str {
        match self {
            Self::Live => "has not ended",
            Self::Over => "has ended",
            Self::Failed => "failed or uncertain",
            Self::Lost => "vanished while it was live",
            Self::Cleared => "taken off the service's own list",
            Self::Asked => "a cancel or start was asked and has not happened",
            Self::Faulty => "the service reports it as faulty",
            Self::Enabled => "its schedule is on",
            Self::Disabled => "its schedule is off",
            Self::Never => "no good backup is known",
            Self::Overdue => "no good backup within its target",
            Self::Stuck => "nothing happens for longer than usual",
            Self::Slow => "takes much longer than usual",
            Self::Flapping => "good and bad by turns",
            Self::Silent => "the schedule is on and does not fire",
        }
    }

    /// True when a row can come to have it, or lose it, by the passing of time alone.
    #[must_use]
    pub const fn moves(self) -> bool {
        matches!(
            self,
            Self::Overdue | Self::Stuck | Self::Slow | Self::Flapping | Self::Silent
        )
    }

    /// True when rows of this list can have it.
    #[must_use]
    pub const fn fits(self, noun: Noun) -> bool {
        match self {
            Self::Live | Self::Over | Self::Lost | Self::Cleared | Self::Asked => {
                noun.is_of_tasks()
            }
            Self::Failed | Self::Flapping => true,
            Self::Stuck | Self::Slow => matches!(noun, Noun::Running | Noun::Tasks),
            Self::Faulty | Self::Never | Self::Overdue => {
                matches!(noun, Noun::Devices | Noun::Policies)
            }
            Self::Enabled | Self::Disabled | Self::Silent => matches!(noun, Noun::Policies),
        }
    }
}

impl Field {
    /// Every field.
    pub const ALL: [Self; 32] = [
        Self::Service,
        Self::Kind,
        Self::Name,
        Self::Device,
        Self::Policy,
        Self::Operation,
        Self::Status,
        Self::Phase,
        Self::Step,
        Self::Progress,
        Self::Started,
        Self::Updated,
        Self::Ended,
        Self::Elapsed,
        Self::Age,
        Self::Code,
        Self::Http,
        Self::Message,
        Self::Id,
        Self::Object,
        Self::What,
        Self::Place,
        Self::Enabled,
        Self::Schedule,
        Self::NextRun,
        Self::LastGood,
        Self::LastAttempt,
        Self::Streak,
        Self::Running,
        Self::Tasks,
        Self::Is,
        Self::Ack,
    ];

    /// The fields in which a plain word is looked for; the id comes last.
    pub const SEARCHED: [Self; 16] = [
        Self::Name,
        Self::Device,
        Self::Policy,
        Self::Status,
        Self::Phase,
        Self::Operation,
        Self::Code,
        Self::Message,
        Self::Step,
        Self::Object,
        Self::Service,
        Self::Kind,
        Self::What,
        Self::Place,
        Self::Schedule,
        Self::Id,
    ];

    /// The fields in which a text without a field is looked for. Ids are left out of fuzzy searches:
    /// they are no words, and their letters match most needles sooner or later.
    #[must_use]
    pub fn searched(test: &TextTest) -> &'static [Self] {
        match (test, Self::SEARCHED.split_last()) {
            (TextTest::Fuzzy(_), Some((_, names))) => names,
            _ => &Self::SEARCHED,
        }
    }

    /// The name in a query.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Kind => "kind",
            Self::Name => "name",
            Self::Device => "device",
            Self::Policy => "policy",
            Self::Operation => "operation",
            Self::Status => "status",
            Self::Phase => "phase",
            Self::Step => "step",
            Self::Progress => "progress",
            Self::Started => "started",
            Self::Updated => "updated",
            Self::Ended => "ended",
            Self::Elapsed => "elapsed",
            Self::Age => "age",
            Self::Code => "code",
            Self::Http => "http",
            Self::Message => "message",
            Self::Id => "id",
            Self::Object => "object",
            Self::What => "what",
            Self::Place => "place",
            Self::Enabled => "enabled",
            Self::Schedule => "schedule",
            Self::NextRun => "next",
            Self::LastGood => "last_good",
            Self::LastAttempt => "last_attempt",
            Self::Streak => "streak",
            Self::Running => "running",
            Self::Tasks => "tasks",
            Self::Is => "is",
            Self::Ack => "ack",
        }
    }

    /// Other names that mean the same.
    #[must_use]
    pub const fn aliases(self) -> &'static [&'static str] {
        match self {
            Self::Service => &["svc"],
            Self::Device => &["dev", "server", "client", "gateway"],
            Self::Policy => &["plan", "group", "job"],
            Self::Operation => &["op"],
            Self::Status => &["native_status", "native"],
            Self::Progress => &["percent", "done"],
            Self::Started => &["start", "started_at"],
            Self::Updated => &["changed", "updated_at"],
            Self::Ended => &["end", "ended_at"],
            Self::Elapsed => &["took", "duration"],
            Self::Code => &["error"],
            Self::Http => &["http_status"],
            Self::Message => &["msg", "text", "reason"],
            Self::Id => &["task"],
            Self::What => &["sort", "type"],
            Self::Place => &["zone", "site", "host", "az"],
            Self::NextRun => &["next_run", "due"],
            Self::LastGood => &["good", "lastgood", "last_success"],
            Self::LastAttempt => &["attempt", "lastattempt"],
            Self::Streak => &["failures"],
            Self::Ack => &["acked", "acknowledged", "taken"],
            _ => &[],
        }
    }

    /// What values it has.
    #[must_use]
    pub const fn kind(self) -> FieldType {
        match self {
            Self::Kind | Self::Phase => FieldType::Word,
            Self::Progress => FieldType::Percent,
            Self::Http | Self::Streak | Self::Running | Self::Tasks => FieldType::Number,
            Self::Started
            | Self::Updated
            | Self::Ended
            | Self::NextRun
            | Self::LastGood
            | Self::LastAttempt => FieldType::Time,
            Self::Elapsed | Self::Age => FieldType::Duration,
            Self::Enabled | Self::Ack => FieldType::YesNo,
            Self::Is => FieldType::Flag,
            _ => FieldType::Text,
        }
    }

    /// True when rows of this list have the field.
    #[must_use]
    pub const fn fits(self, noun: Noun) -> bool {
        match self {
            Self::Service
            | Self::Kind
            | Self::Name
            | Self::Device
            | Self::Policy
            | Self::Status
            | Self::Phase
            | Self::Age
            | Self::Id
            | Self::Is => true,
            Self::Operation
            | Self::Step
            | Self::Progress
            | Self::Started
            | Self::Updated
            | Self::Ended
            | Self::Elapsed
            | Self::Code
            | Self::Http
            | Self::Message
            | Self::Object
            | Self::Ack => noun.is_of_tasks(),
            Self::Place => matches!(noun, Noun::Devices),
            Self::Enabled | Self::Schedule | Self::NextRun => matches!(noun, Noun::Policies),
            Self::What
            | Self::LastGood
            | Self::LastAttempt
            | Self::Streak
            | Self::Running
            | Self::Tasks => matches!(noun, Noun::Devices | Noun::Policies),
        }
    }

    /// One short sentence on it, for completion.
    #[must_use]
    pub const fn help(self) -> &'static str {
        match self {
            Self::Service => "the configured service",
            Self::Kind => "the product",
            Self::Name => "the name people use",
            Self::Device => "the device, by name or id",
            Self::Policy => "the policy, by name or id",
            Self::Operation => "backup, restore, failover …",
            Self::Status => "the service's own status word",
            Self::Phase => "queued, running, failed …",
            Self::Step => "where inside the task",
            Self::Progress => "percent done",
            Self::Started => "when it started",
            Self::Updated => "when the record last changed",
            Self::Ended => "when it ended",
            Self::Elapsed => "how long it took or has taken",
            Self::Age => "since the last thing that happened",
            Self::Code => "the service's error code",
            Self::Http => "the HTTP status of the failure",
            Self::Message => "the service's own text",
            Self::Id => "the service's own id",
            Self::Object => "what the service calls the object",
            Self::What => "server, gateway, plan …",
            Self::Place => "zone, site or host",
            Self::Enabled => "whether the schedule is on",
            Self::Schedule => "when it fires, in words",
            Self::NextRun => "when it fires next",
            Self::LastGood => "the last good backup",
            Self::LastAttempt => "the last attempt",
            Self::Streak => "failures in a row",
            Self::Running => "live tasks of it",
            Self::Tasks => "known tasks of it",
            Self::Is => "live, failed, lost, cleared …",
            Self::Ack => "whether somebody took it",
        }
    }

    /// The field with this name or alias, in any case; `-` and `_` are alike.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        let same = |name: &str| {
            name.len() == word.len()
                && name
                    .bytes()
                    .zip(word.bytes())
                    .all(|(a, b)| a == b.to_ascii_lowercase() || (a == b'_' && b == b'-'))
        };
        Self::ALL
            .into_iter()
            .find(|f| same(f.name()) || f.aliases().iter().any(|a| same(a)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_means_two_fields() {
        let mut seen = std::collections::BTreeMap::new();
        for f in Field::ALL {
            for name in std::iter::once(f.name()).chain(f.aliases().iter().copied()) {
                assert_eq!(seen.insert(name, f), None, "{name} is used twice");
                assert_eq!(Field::named(name), Some(f));
                assert_eq!(
                    Field::named(&name.to_uppercase().replace('_', "-")),
                    Some(f)
                );
            }
        }
        assert_eq!(Field::named("stauts"), None);
    }

    #[test]
    fn the_list_is_in_the_order_of_the_numbers() {
        for (i, f) in Field::ALL.into_iter().enumerate() {
            assert_eq!(f as usize, i);
        }
    }
}
