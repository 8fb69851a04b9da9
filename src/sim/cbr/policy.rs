//! One policy: what a client may set, and how it is shown.

use chrono::{FixedOffset, NaiveDate};
use serde_json::{Map, Value, json};

use super::codes::{self, Refusal};
use super::query::{self, bad};
use super::schedule::Schedule;
use super::time;
use crate::sim::world::World;

/// A policy.
#[derive(Debug, Clone)]
pub(super) struct Policy {
    pub name: String,
    pub enabled: bool,
    /// It replicates; else it backs up.
    pub replication: bool,
    /// `operation_definition`, as it was set.
    pub definition: Map<String, Value>,
    /// `trigger.properties.pattern`, given back letter for letter.
    pub pattern: Vec<String>,
    pub schedule: Schedule,
    pub created: i64,
    /// Changes with every change, so that old events are known as such.
    pub generation: u32,
}

/// How many backups a policy keeps for long, by day, week, month and year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LongTerm {
    pub days: usize,
    pub weeks: usize,
    pub months: usize,
    pub years: usize,
    pub zone: FixedOffset,
}

/// The words of `operation_type`.
pub(super) fn operation(replication: bool) -> &'static str {
    if replication { "replication" } else { "backup" }
}

impl Policy {
    /// The day from which an interval counts.
    pub fn first_day(&self) -> NaiveDate {
        time::instant(self.created).date_naive()
    }

    fn positive(&self, key: &str) -> Option<i64> {
        self.definition
            .get(key)
            .and_then(Value::as_i64)
            .filter(|number| *number > 0)
    }

    /// How many automatic backups of a resource are kept, if limited.
    pub fn max_backups(&self) -> Option<usize> {
        self.positive("max_backups")
            .and_then(|most| usize::try_from(most).ok())
    }

    /// For how many days automatic backups are kept, if limited.
    pub fn retention_days(&self) -> Option<i64> {
        self.positive("retention_duration_days")
    }

    /// Every how many incremental backups a full one is made.
    pub fn full_interval(&self) -> Option<i64> {
        self.positive("full_backup_interval")
    }

    /// What is kept besides the newest ones.
    pub fn long_term(&self) -> Option<LongTerm> {
        let count = |key: &str| {
            let number = self.positive(key).unwrap_or(0);
            usize::try_from(number).unwrap_or(0)
        };
        let long = LongTerm {
            days: count("day_backups"),
            weeks: count("week_backups"),
            months: count("month_backups"),
            years: count("year_backups"),
            zone: self
                .definition
                .get("timezone")
                .and_then(Value::as_str)
                .and_then(zone)
                .or_else(|| FixedOffset::east_opt(0))?,
        };
        let any = long.days + long.weeks + long.months + long.years > 0;
        any.then_some(long)
    }

    /// As the service shows it, with the vaults that it is applied to.
    pub fn to_json(&self, world: &World, id: &str, trigger: &str, vaults: Vec<Value>) -> Value {
        query::dress(
            world,
            json!({
                "id": id, "name": self.name, "enabled": self.enabled,
                "operation_type": operation(self.replication),
                "operation_definition": self.definition,
                "trigger": {"id": trigger, "name": "default", "type": "time", "properties": {
                    "pattern": self.pattern, "start_time": time::start(world, self.created),
                }},
                "associated_vaults": vaults,
            }),
        )
    }
}

/// `UTC+01:00` and the like.
pub(super) fn zone(text: &str) -> Option<FixedOffset> {
    let (hours, minutes) = text.strip_prefix("UTC")?.split_once(':')?;
    let sign = if hours.starts_with('-') { -1 } else { 1 };
    let hours: i32 = hours.trim_start_matches(['+', '-']).parse().ok()?;
    let minutes: i32 = minutes.parse().ok()?;
    FixedOffset::east_opt(sign * (hours * 3600 + minutes * 60))
}

const LONG_TERM: [&str; 4] = [
    "day_backups",
    "week_backups",
    "month_backups",
    "year_backups",
];

/// Reads `operation_definition`.
pub(super) fn definition(
    world: &World,
    given: Option<&Value>,
    replication: bool,
) -> Result<Map<String, Value>, Refusal> {
    let Some(Value::Object(given)) = given else {
        return Err(bad("operation_definition is missing"));
    };
    query::known_keys(
        world,
        given,
        &[
            "retention_duration_days",
            "max_backups",
            "day_backups",
            "week_backups",
            "month_backups",
            "year_backups",
            "timezone",
            "destination_region",
            "destination_project_id",
        ],
        &[
            "full_backup_interval",
            "enable_acceleration",
            "created_by",
            "cross_account_urn",
            "advanced_retention_rules",
        ],
    )?;
    let least = if query::huawei(world) { 0 } else { 1 };
    let most = query::number(given, "max_backups", -1..=99_999)?;
    let days = query::number(given, "retention_duration_days", -1..=99_999)?;
    if most.is_some_and(|most| (0..least).contains(&most)) || days == Some(0) {
        return Err(bad(
            "max_backups and retention_duration_days are -1 or 1 to 99999",
        ));
    }
    let limited = |number: Option<i64>| number.is_some_and(|number| number > 0);
    let mut long = false;
    for key in LONG_TERM {
        long |= limited(query::number(given, key, 0..=100)?);
    }
    if limited(days) && (limited(most) || long) {
        return Err(bad(
            "retention_duration_days goes neither with max_backups nor with long-term retention",
        ));
    }
    let zoned = query::optional(given, "timezone")?;
    if zoned.is_some_and(|text| zone(text).is_none()) || long && zoned.is_none() {
        return Err(bad(
            "timezone has the form UTC+01:00, and long-term retention needs it",
        ));
    }
    query::number(given, "full_backup_interval", -1..=100)?;
    if replication {
        query::text(given, "destination_region")?;
        query::text(given, "destination_project_id")?;
    }
    Ok(given.clone())
}

/// Reads `trigger`.
pub(super) fn trigger(
    world: &World,
    given: Option<&Value>,
) -> Result<(Vec<String>, Schedule), Refusal> {
    let Some(Value::Object(properties)) = given.and_then(|trigger| trigger.get("properties"))
    else {
        return Err(bad("trigger.properties is missing"));
    };
    query::known_keys(
        world,
        properties,
        &["pattern", "start_time"],
        &["start_window_minutes"],
    )?;
    let pattern: Vec<String> = query::list(properties, "pattern")?
        .iter()
        .map(|rule| rule.as_str().map(str::to_owned))
        .collect::<Option<_>>()
        .ok_or_else(|| bad("pattern is a list of texts"))?;
    let schedule = Schedule::parse(pattern.iter().map(String::as_str)).map_err(bad)?;
    Ok((pattern, schedule))
}

/// Reads `operation_type`.
pub(super) fn operation_type(given: &Map<String, Value>) -> Result<bool, Refusal> {
    match query::text(given, "operation_type")? {
        "backup" => Ok(false),
        "replication" => Ok(true),
        _ => Err(codes::POLICY_TYPE.plain()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_zones() {
        let hours = |text: &str| zone(text).map(|zone| zone.local_minus_utc());
        assert_eq!(hours("UTC+01:00"), Some(3600));
        assert_eq!(hours("UTC-03:30"), Some(-12_600));
        for text in ["", "UTC", "+01:00", "UTC+1", "UTC+99:00"] {
            assert_eq!(hours(text), None, "{text}");
        }
    }
}
