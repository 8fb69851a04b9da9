//! Maintenance plans: activities, schedule, window and error policy.

use chrono::{DateTime, TimeDelta, Timelike, Utc};

/// Which sort of plan, each with paths and messages of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// Backup.
    Backup,
    /// Configuration sync.
    Sync,
    /// Firmware upgrade.
    Firmware,
}

impl Family {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Backup, Self::Sync, Self::Firmware];

    /// The path segment.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Backup => "backupplan",
            Self::Sync => "syncplan",
            Self::Firmware => "firmwareupgradeplan",
        }
    }

    /// What an accepted execute says.
    #[must_use]
    pub fn queued(self) -> &'static str {
        match self {
            Self::Backup => "Backup plan added to execution queue",
            Self::Sync => "Sync plan added to execution queue",
            Self::Firmware => "Firmware upgrade plan added to execution queue",
        }
    }

    /// What an execute of an unknown plan says; the capital P is missing in the third only.
    #[must_use]
    pub fn not_found(self, reference: &str) -> String {
        let what = match self {
            Self::Backup => "Backup Plan",
            Self::Sync => "Sync Plan",
            Self::Firmware => "Firmware upgrade plan",
        };
        format!("{what} with API Ref {reference} was not found")
    }
}

/// What is done to a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Everything, encrypted, to be put onto another gateway.
    SecureBackup,
    /// One domain's configuration.
    ExportDomain,
}

impl Action {
    /// The word in the scripts' arguments.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::SecureBackup => "secureBackup",
            Self::ExportDomain => "exportDomain",
        }
    }
}

/// One goal of a plan.
#[derive(Debug, Clone)]
pub(super) struct Activity {
    /// What.
    pub action: Action,
    /// Which gateways, as a pattern.
    pub devices: String,
    /// Which domains, as a pattern; unused by secure backups.
    pub domains: String,
    /// Whether to quiesce before and unquiesce after.
    pub quiesce: bool,
    /// Whether a failure stops the rest; `None` for the plan's default.
    pub halt: Option<bool>,
    /// Whether scripts before and after the task are set.
    pub scripts: bool,
    /// Whether the script after the task is called always, or only on failure.
    pub post_always: bool,
    /// Whether the site's own part of the script before the task succeeds.
    pub pre_script: bool,
}

/// A plan.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// The number that the scripts are given.
    pub id: u64,
    /// Its sort.
    pub family: Family,
    /// Its name.
    pub name: String,
    /// Its description; may be empty.
    pub description: String,
    /// The API Reference, a UUID unless its user wrote something else.
    pub reference: String,
    /// Whether it may run.
    pub enabled: bool,
    /// At which minute of every day it runs.
    pub minute: Option<u32>,
    /// From which to which minute of the day it may start tasks; `None` for no check.
    pub window: Option<(u32, u32)>,
    /// Whether a failure stops the rest.
    pub halt: bool,
    /// Its goals, in order.
    pub activities: Vec<Activity>,
    /// The firmware that an upgrade plan puts on.
    pub firmware: String,
    /// Whether scripts before and after the plan are set.
    pub scripts: bool,
    /// Whether the site's own part of the script before the plan succeeds.
    pub pre_script: bool,
    /// When its definition was changed last, in milliseconds since 1970.
    pub updated: i64,
}

impl Plan {
    /// The next time after `now` by its schedule.
    #[must_use]
    pub fn next(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let minute = i64::from(self.minute?);
        let midnight = now.date_naive().and_time(chrono::NaiveTime::MIN).and_utc();
        let today = midnight + TimeDelta::minutes(minute);
        Some(if today > now {
            today
        } else {
            today + TimeDelta::days(1)
        })
    }

    /// Whether tasks may begin now.
    #[must_use]
    pub fn is_open(&self, now: DateTime<Utc>) -> bool {
        let minute = now.hour() * 60 + now.minute();
        match self.window {
            None => true,
            Some((from, to)) if from <= to => (from..to).contains(&minute),
            Some((from, to)) => minute >= from || minute < to,
        }
    }

    /// When its window closes next.
    #[must_use]
    pub fn closes(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let (_, to) = self.window?;
        Self {
            minute: Some(to),
            ..self.clone()
        }
        .next(now)
    }

    /// Whether any of its activities quiesces.
    #[must_use]
    pub fn quiesces(&self) -> bool {
        self.activities.iter().any(|activity| activity.quiesce)
    }
}

/// Whether a name fits a pattern: `*` for any text, several in a pattern, commas between patterns.
#[must_use]
pub(super) fn fits(patterns: &str, name: &str) -> bool {
    patterns.split(',').any(|pattern| {
        let mut parts = pattern.trim().split('*');
        let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else {
            return false;
        };
        let mut parts = parts.peekable();
        if parts.peek().is_none() {
            return rest.is_empty();
        }
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                return rest.ends_with(part);
            }
            match rest.split_once(part) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
        true
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_as_in_the_product() {
        for (pattern, name, expected) in [
            ("*", "anything", true),
            ("dpgw-*", "dpgw-fra-01", true),
            ("dpgw-*", "other", false),
            ("*-01", "dpgw-fra-01", true),
            ("*-01", "dpgw-fra-011", false),
            ("d*fra*1", "dpgw-fra-01", true),
            ("d*nyc*1", "dpgw-fra-01", false),
            ("a, b ,dpgw-fra-01", "dpgw-fra-01", true),
            ("dpgw", "dpgw-fra-01", false),
            ("ab*ab", "ab", false),
            ("", "x", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn windows_may_go_over_midnight() {
        let at = |text: &str| -> DateTime<Utc> {
            format!("2026-03-05T{text}:00Z").parse().expect("a time")
        };
        let mut plan = Plan {
            id: 1,
            family: Family::Backup,
            name: String::new(),
            description: String::new(),
            reference: String::new(),
            enabled: true,
            minute: Some(60),
            window: Some((22 * 60, 5 * 60)),
            halt: false,
            activities: Vec::new(),
            firmware: String::new(),
            scripts: true,
            pre_script: true,
            updated: 0,
        };
        assert!(plan.is_open(at("23:00")) && plan.is_open(at("04:59")));
        assert!(!plan.is_open(at("05:00")) && !plan.is_open(at("21:59")));
        assert_eq!(plan.closes(at("04:00")), Some(at("05:00")));
        assert_eq!(plan.next(at("00:30")), Some(at("01:00")));
        assert_eq!(
            plan.next(at("01:00")),
            Some(at("01:00") + TimeDelta::days(1))
        );
        plan.window = Some((8 * 60, 9 * 60));
        assert!(plan.is_open(at("08:30")) && !plan.is_open(at("10:00")));
        plan.window = None;
        assert!(plan.is_open(at("10:00")) && plan.closes(at("10:00")).is_none());
    }
}
