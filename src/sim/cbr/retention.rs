//! What is kept of automatic backups, and when the rest goes.
//!
//! Quantity and long-term rules are applied whenever a backup was made; what expires goes in batches between 08:00 and
//! 20:00, as do failed automatic backups older than a month (user guide, creating a backup policy). Backups by hand
//! stay, unless they were given a time of their own.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, FixedOffset, TimeDelta, Timelike, Utc};

use super::backup::{Backup, Status};
use super::log::{Extra, Kind, Status as LogStatus};
use super::policy::LongTerm;
use super::work::Plan;
use super::{Cbr, time, what};
use crate::sim::world::World;

/// Failed automatic backups of a resource that are kept.
const KEEP_FAILED: usize = 10;
/// And for how many days.
const FAILED_DAYS: i64 = 30;

impl Cbr {
    /// The next hour that tidying up begins.
    pub(super) fn next_tidy(&self, world: &mut World) {
        let now = world.now();
        let hour = now
            .with_minute(0)
            .and_then(|time| time.with_second(0))
            .and_then(|time| time.with_nanosecond(0))
            .unwrap_or(now);
        world.schedule(self.service, hour + TimeDelta::hours(1), what::TIDY, 0);
    }

    /// Deletes what has expired, and drops old tasks.
    pub(super) fn tidy(&mut self, world: &mut World) {
        self.next_tidy(world);
        let now = world.now().timestamp_micros();
        let days = world.switches.number("cbr.log_days");
        if days > 0.0 {
            self.drop_logs(now.saturating_sub((days * time::DAY as f64) as i64));
        }
        if !(8..20).contains(&world.now().hour()) {
            return;
        }
        let mut due: Vec<u64> = self
            .expiring
            .range(..=(now, u64::MAX))
            .map(|(_, number)| *number)
            .collect();
        let oldest = now - FAILED_DAYS * time::DAY;
        let failed = Status::Error.slot().into_iter();
        due.extend(
            failed
                .flat_map(|slot| self.backups.in_slot(slot))
                .filter(|number| {
                    self.backups
                        .get(*number)
                        .is_some_and(|backup| backup.auto && backup.created < oldest)
                }),
        );
        for number in due {
            self.delete_unasked(world, number);
        }
    }

    /// Drops the tasks that were over before `before`.
    pub(super) fn drop_logs(&mut self, before: i64) {
        let end = self.logs.made_from(before);
        for number in self.logs.range().start..end {
            self.logs.change(number, |log| {
                if !log.status.live() {
                    log.status = LogStatus::Dropped;
                    log.extra = None;
                }
            });
        }
        let empty: Vec<u64> = self
            .checkpoints
            .oldest()
            .take_while(|(_, point)| point.created < before)
            .filter(|(_, point)| {
                let mut numbers = point.first..point.first + point.count;
                numbers.all(|number| self.backups.get(number).is_none())
            })
            .map(|(number, _)| number)
            .collect();
        for number in empty {
            self.checkpoints.change(number, |point| {
                point.count = 0;
                point.vault = super::NONE;
            });
        }
    }

    /// Deletes a backup that nobody asked to delete, if nothing is in the way.
    pub(super) fn delete_unasked(&mut self, world: &mut World, number: u64) {
        let Some(backup) = self.backups.get(number) else {
            return;
        };
        let resting = matches!(backup.status, Status::Available | Status::Error);
        if !resting || backup.image().is_some() || backup.copying() {
            return;
        }
        let mut plan = self.delete_plan(world, number);
        if !world.switches.on("cbr.retention_logs") {
            let extra = plan.extra.get_or_insert_with(|| Box::new(Extra::default()));
            extra.unseen = true;
        }
        self.begin_delete(world, plan);
    }

    /// The task that deletes a backup.
    pub(super) fn delete_plan(&self, world: &mut World, number: u64) -> Plan {
        let seconds = world.switches.number("cbr.delete_seconds") * (0.5 + world.rng.f64());
        let mut plan = Plan::new(Kind::Delete, super::NONE, seconds);
        plan.backup = number;
        if let Some(backup) = self.backups.get(number) {
            plan.vault = backup.vault;
            plan.checkpoint = backup.checkpoint;
            plan.saved = backup.saved;
            plan.auto = backup.auto;
            let name = backup.extra.as_ref().and_then(|extra| extra.name.clone());
            if name.is_some() {
                plan.extra = Some(Box::new(Extra {
                    backup_name: name,
                    ..Extra::default()
                }));
            }
        }
        plan
    }

    /// Begins to delete.
    pub(super) fn begin_delete(&mut self, world: &mut World, plan: Plan) -> u64 {
        self.backups.change(plan.backup, |backup| {
            backup.status = Status::WaitingDelete;
        });
        self.begin(world, plan)
    }

    /// The automatic backups of a resource in a vault that are good, newest first.
    fn good_ones(&self, vault: u64, id: &str) -> Vec<(u64, &Backup)> {
        self.backups
            .newest()
            .filter(|(_, backup)| {
                backup.vault == vault
                    && backup.auto
                    && backup.status == Status::Available
                    && self.saved(backup.saved).is_some_and(|saved| saved.id == id)
            })
            .collect()
    }

    /// Applies the quantity and long-term rules of the vault's policy to a resource.
    pub(super) fn keep_newest(&mut self, world: &mut World, vault: u64, id: &str) {
        let policy = self.vaults.get(&vault).and_then(|vault| {
            let mut policies = vault.policies.iter();
            policies.find_map(|one| {
                self.policies
                    .get(&one.policy)
                    .filter(|policy| !policy.replication)
            })
        });
        let Some((most, long)) =
            policy.and_then(|policy| Some((policy.max_backups()?, policy.long_term())))
        else {
            return;
        };
        let good = self.good_ones(vault, id);
        let kept_long = long.map(|long| long_term(&good, long)).unwrap_or_default();
        let over: Vec<u64> = good
            .iter()
            .skip(most)
            .map(|(number, _)| *number)
            .filter(|number| !kept_long.contains(number))
            .collect();
        for number in over {
            self.delete_unasked(world, number);
        }
    }

    /// Keeps at most so many failed automatic backups of a resource.
    pub(super) fn forget_failed(&mut self, world: &mut World, vault: u64, id: &str) {
        let over: Vec<u64> = Status::Error
            .slot()
            .into_iter()
            .flat_map(|slot| self.backups.in_slot(slot).rev())
            .filter(|number| {
                self.backups.get(*number).is_some_and(|backup| {
                    backup.auto
                        && backup.vault == vault
                        && self.saved(backup.saved).is_some_and(|saved| saved.id == id)
                })
            })
            .skip(KEEP_FAILED)
            .collect();
        for number in over {
            self.delete_unasked(world, number);
        }
    }
}

/// A time of the policy's own zone.
type Local = DateTime<FixedOffset>;
/// The number of the day, week, month or year that a time belongs to.
type Period = fn(&Local) -> i64;

/// Of the backups, newest first, those that are the last of their day, week, month or year and among the last so many.
fn long_term(backups: &[(u64, &Backup)], long: LongTerm) -> BTreeSet<u64> {
    let local = |backup: &Backup| -> Local {
        let time: DateTime<Utc> = time::instant(backup.created);
        time.with_timezone(&long.zone)
    };
    let mut kept = BTreeSet::new();
    let periods: [(usize, Period); 4] = [
        (long.days, |time| time.num_days_from_ce().into()),
        (long.weeks, |time| {
            let week = time.iso_week();
            i64::from(week.year()) * 100 + i64::from(week.week())
        }),
        (long.months, |time| {
            i64::from(time.year()) * 12 + i64::from(time.month())
        }),
        (long.years, |time| time.year().into()),
    ];
    for (count, period) in periods {
        let mut seen = BTreeSet::new();
        for (number, backup) in backups {
            let of = period(&local(backup));
            if seen.contains(&of) {
                continue;
            }
            if seen.len() == count {
                break;
            }
            seen.insert(of);
            kept.insert(*number);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backup(text: &str) -> Backup {
        let time: DateTime<Utc> = text.parse().expect("a time");
        Backup {
            created: time.timestamp_micros(),
            updated: 0,
            protected: 1,
            expires: 0,
            checkpoint: 0,
            vault: 1,
            saved: 0,
            size_mb: 1,
            status: Status::Available,
            auto: true,
            incremental: true,
            extra: None,
        }
    }

    #[test]
    fn the_last_of_each_period_is_kept_in_the_policy_s_own_time_zone() {
        let all: Vec<Backup> = [
            "2026-03-05T23:30:00Z",
            "2026-03-05T12:00:00Z",
            "2026-03-04T12:00:00Z",
            "2026-02-27T12:00:00Z",
            "2026-02-03T12:00:00Z",
            "2025-12-31T12:00:00Z",
        ]
        .map(backup)
        .to_vec();
        let rows: Vec<(u64, &Backup)> = (0..).zip(&all).collect();
        let keep = |days, weeks, months, years, hours| {
            let zone = FixedOffset::east_opt(hours * 3600).expect("a zone");
            let long = LongTerm {
                days,
                weeks,
                months,
                years,
                zone,
            };
            long_term(&rows, long).into_iter().collect::<Vec<_>>()
        };
        assert_eq!(keep(2, 0, 0, 0, 0), [0, 2]);
        // In Berlin the newest is of the sixth.
        assert_eq!(keep(2, 0, 0, 0, 1), [0, 1]);
        assert_eq!(keep(0, 2, 0, 0, 0), [0, 3]);
        assert_eq!(keep(0, 0, 2, 0, 0), [0, 3]);
        assert_eq!(keep(0, 0, 0, 5, 0), [0, 5]);
        assert_eq!(keep(1, 0, 0, 2, 0), [0, 5]);
    }
}
