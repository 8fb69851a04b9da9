//! One backup plan: what it protects, when, for how long, and how it stands.

use std::collections::VecDeque;

use chrono::{DateTime, Datelike, Days, NaiveTime, TimeDelta, Utc, Weekday};

use super::reasons::Reason;
use super::rows::Increment;

/// `BackupPlanStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PlanStatus {
    /// Not configured yet.
    Wait,
    /// Not started, or its precheck failed.
    Init,
    /// Its precheck passed.
    CheckPass,
    /// In service.
    Running,
    /// Stopped by a person.
    Pause,
    /// Failed. Not "stopped".
    Stop,
    /// The subscription is over.
    Locked,
}

impl PlanStatus {
    pub const ALL: [Self; 7] = [
        Self::Wait,
        Self::Init,
        Self::CheckPass,
        Self::Running,
        Self::Pause,
        Self::Stop,
        Self::Locked,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Init => "init",
            Self::CheckPass => "check_pass",
            Self::Running => "running",
            Self::Pause => "pause",
            Self::Stop => "stop",
            Self::Locked => "locked",
        }
    }
}

/// Where a database is, as the user told the plan (or a restore).
#[derive(Debug, Clone, Default)]
pub(super) struct Endpoint {
    /// Lower case, as answers show it.
    pub kind: String,
    pub instance: String,
    pub region: String,
    pub host: String,
    pub port: String,
    pub database: String,
    pub user: String,
    pub sid: String,
    pub ssl: String,
    pub gateway: i64,
}

impl Endpoint {
    /// `host:port`, or nothing.
    pub fn address(&self) -> String {
        if self.host.is_empty() {
            String::new()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

/// When full backups begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rhythm {
    days: Vec<Weekday>,
    pub time: NaiveTime,
    /// No schedule at all.
    pub manual: bool,
}

const DAYS: [(Weekday, &str); 7] = [
    (Weekday::Mon, "Monday"),
    (Weekday::Tue, "Tuesday"),
    (Weekday::Wed, "Wednesday"),
    (Weekday::Thu, "Thursday"),
    (Weekday::Fri, "Friday"),
    (Weekday::Sat, "Saturday"),
    (Weekday::Sun, "Sunday"),
];

impl Rhythm {
    /// Every day at that time.
    pub fn daily(hour: u32, minute: u32) -> Self {
        Self {
            days: DAYS.map(|(day, _)| day).to_vec(),
            time: NaiveTime::from_hms_opt(hour % 24, minute % 60, 0).unwrap_or_default(),
            manual: false,
        }
    }

    /// Reads `Monday,Thursday` in any case; `None` when a word is no day.
    pub fn days_of(text: &str) -> Option<Vec<Weekday>> {
        text.split(',')
            .map(|word| {
                DAYS.iter()
                    .find(|(_, name)| name.eq_ignore_ascii_case(word.trim()))
                    .map(|(day, _)| *day)
            })
            .collect()
    }

    /// The same with other days.
    pub fn on(mut self, days: Vec<Weekday>) -> Self {
        self.days = days;
        self
    }

    /// The days' names, joined by commas.
    pub fn words(&self, upper: bool) -> String {
        let words: Vec<String> = DAYS
            .iter()
            .filter(|(day, _)| self.days.contains(day))
            .map(|(_, name)| {
                if upper {
                    name.to_uppercase()
                } else {
                    (*name).to_owned()
                }
            })
            .collect();
        words.join(",")
    }

    /// The first point after `after`.
    pub fn next(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if self.manual {
            return None;
        }
        (0..=7)
            .filter_map(|ahead| after.date_naive().checked_add_days(Days::new(ahead)))
            .filter(|day| self.days.contains(&day.weekday()))
            .map(|day| day.and_time(self.time).and_utc())
            .find(|point| *point > after)
    }
}

/// A check before a plan starts or a restore runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Precheck {
    pub job: u64,
    pub begun: i64,
    pub ends: i64,
    /// `None` while it runs.
    pub verdict: Option<Result<(), Reason>>,
}

/// What a plan does when its precheck has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// Waits to be started.
    Wait,
    /// Goes into service with a full backup.
    Start,
    /// Goes on as it was.
    GoOn,
}

/// A plan.
#[derive(Debug)]
pub(super) struct Plan {
    pub name: String,
    pub status: PlanStatus,
    pub created: DateTime<Utc>,
    pub region: String,
    pub db_type: String,
    pub method: String,
    pub class: String,
    pub prepaid: bool,
    pub expires: DateTime<Utc>,
    pub source: Endpoint,
    pub objects: String,
    pub rhythm: Rhythm,
    /// Days: all, infrequent access, archive.
    pub retention: [i64; 3],
    pub log: bool,
    pub log_seconds: i64,
    pub storage_type: String,
    pub encrypt: String,
    pub bucket: String,
    pub resource_group: String,
    pub cross: [String; 2],
    pub download: DownloadRule,
    pub error: Option<Reason>,
    pub precheck: Option<Precheck>,
    pub then: Then,
    /// An edit that only a start makes count.
    pub needs_check: bool,
    /// Whether a full backup ever ended well.
    pub proven: bool,
    pub released: bool,
    /// Counts up when schedules must be forgotten.
    pub generation: u32,
    pub log_generation: u32,
    pub sets: VecDeque<u64>,
    pub increments: VecDeque<Increment>,
    pub restores: Vec<u64>,
    pub downloads: Vec<u64>,
}

/// What happens to finished sets by themselves.
#[derive(Debug, Clone, Default)]
pub(super) struct DownloadRule {
    pub auto: bool,
    pub dir: String,
    pub target: String,
    pub gateway: i64,
    pub full: String,
    pub increment: String,
}

impl Plan {
    /// A plan that was only bought.
    pub fn bought(
        now: DateTime<Utc>,
        region: String,
        db_type: String,
        method: String,
        class: String,
    ) -> Self {
        Self {
            name: String::new(),
            status: PlanStatus::Wait,
            created: now,
            region,
            db_type,
            method,
            class,
            prepaid: true,
            expires: now + TimeDelta::days(365),
            source: Endpoint::default(),
            objects: String::new(),
            rhythm: Rhythm::daily(18, 0),
            retention: [730, 180, 365],
            log: false,
            log_seconds: 1000,
            storage_type: String::new(),
            encrypt: "encrypted".to_owned(),
            bucket: String::new(),
            resource_group: String::new(),
            cross: Default::default(),
            download: DownloadRule::default(),
            error: None,
            precheck: None,
            then: Then::Wait,
            needs_check: false,
            proven: false,
            released: false,
            generation: 0,
            log_generation: 0,
            sets: VecDeque::new(),
            increments: VecDeque::new(),
            restores: Vec::new(),
            downloads: Vec::new(),
        }
    }

    /// Logical backups show progress of structure and data; physical ones don't.
    pub fn logical(&self) -> bool {
        self.method == "logical"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_point_in_time() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().expect("a time");
        let days = Rhythm::days_of("thursday,MONDAY").expect("days");
        let rhythm = Rhythm::daily(18, 30).on(days);
        // 5 March 2026 is a Thursday.
        assert_eq!(
            rhythm.next(at("2026-03-05T18:29:59Z")),
            Some(at("2026-03-05T18:30:00Z"))
        );
        assert_eq!(
            rhythm.next(at("2026-03-05T18:30:00Z")),
            Some(at("2026-03-09T18:30:00Z"))
        );
        assert_eq!(rhythm.words(false), "Monday,Thursday");
        assert_eq!(Rhythm::days_of("Mon"), None);
        let manual = Rhythm {
            manual: true,
            ..rhythm
        };
        assert_eq!(manual.next(at("2026-03-05T00:00:00Z")), None);
    }
}
