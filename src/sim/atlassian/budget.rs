//! The published quotas: so many calls a minute, for the organisation or for a user.

use std::collections::{HashMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};

use super::codes::uncoded;
use crate::sim::http::Response;
use crate::sim::world::World;

/// A row of the rate table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Quota {
    /// All GETs: 100 a minute for the organisation, unless a test wants to ask more.
    Read,
    /// Create policy, create storage, import: 10 a minute for the organisation.
    Create,
    /// Update policy: 10 a minute for the organisation.
    Update,
    /// Create and revalidate restore: 5 a minute for a user.
    Restore,
    /// Activate is in no row.
    Activate,
}

const MINUTE: TimeDelta = TimeDelta::minutes(1);

/// Whose calls are counted, by row, and by operation where each has the quota for itself.
type Key = (Option<String>, Quota, &'static str);

/// Calls of the last minute.
#[derive(Debug, Default)]
pub(super) struct Budget(HashMap<Key, VecDeque<DateTime<Utc>>>);

impl Budget {
    /// Takes one call off a quota.
    ///
    /// # Errors
    /// The 429, ready to be sent; such a call is not counted.
    pub fn take(
        &mut self,
        world: &World,
        quota: Quota,
        operation: &'static str,
        user: &str,
    ) -> Result<(), Response> {
        let limit = match quota {
            Quota::Read => world.switches.number("atlassian.reads_per_minute") as usize,
            Quota::Create | Quota::Update => 10,
            Quota::Restore => 5,
            Quota::Activate => world.switches.number("atlassian.activate_per_minute") as usize,
        };
        if quota == Quota::Activate && limit == 0 {
            return Ok(());
        }
        let user = (quota == Quota::Restore).then(|| user.to_owned());
        let operation = match world.switches.get("atlassian.quota_scope") {
            "operation" => operation,
            _ => "",
        };
        let now = world.now();
        let sliding = world.switches.get("atlassian.window") == "sliding";
        let calls = self.0.entry((user, quota, operation)).or_default();
        let minute = |at: &DateTime<Utc>| at.timestamp().div_euclid(60);
        calls.retain(|at| {
            if sliding {
                now - *at < MINUTE
            } else {
                minute(at) == minute(&now)
            }
        });
        if calls.len() < limit {
            calls.push_back(now);
            return Ok(());
        }
        let response = uncoded(world, 429, "Rate limit exceeded");
        if !world.switches.on("atlassian.retry_after") {
            return Err(response);
        }
        let wait = match calls.front() {
            Some(first) if sliding => (*first + MINUTE - now).num_seconds() + 1,
            _ => 60 - now.timestamp().rem_euclid(60),
        };
        Err(response.with("retry-after", wait.to_string()))
    }
}
