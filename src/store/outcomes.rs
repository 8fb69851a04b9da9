//! How a device or policy has fared: last success apart from last attempt, and failures in a row.

use crate::model::{Phase, Timestamp};

/// How many outcomes are remembered for the row of marks.
pub(super) const RECENT: usize = 8;

/// How a device or policy has fared, as far as its tasks are known.
///
/// Only tasks that protect data count (backups, exports, replications); a good restore or deletion is
/// no good backup. Skipped and cancelled tasks are attempts, but neither break a row of failures nor
/// lengthen it; uncertain ones count as failures; a status that nobody knows is never a success.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// When the last good backup ended.
    pub last_good: Option<Timestamp>,
    /// When the last attempt started (or was last heard of, where no start is told).
    pub last_attempt: Option<Timestamp>,
    /// The phase of the last attempt.
    pub last_attempt_phase: Option<Phase>,
    /// Failures in a row since the last good backup.
    pub streak: u32,
    /// Live tasks of any operation.
    pub running: u32,
    /// All tasks known, of any operation.
    pub tasks: u32,
    /// The service protects it all the time and says that this is in order: as good as a backup now.
    pub good_now: bool,
    recent: [u8; RECENT],
}

impl Stats {
    /// True when a good backup is known, or the service protects it all the time.
    #[must_use]
    pub const fn ever_succeeded(&self) -> bool {
        self.good_now || self.last_good.is_some()
    }

    /// Phases of the last attempts that are over, newest first, at most eight.
    pub fn recent(&self) -> impl Iterator<Item = Phase> + '_ {
        self.recent
            .iter()
            .take_while(|&&n| n != 0)
            .map(|&n| Phase::from_u8(n - 1))
    }

    /// True when good and bad take turns.
    #[must_use]
    pub fn is_flapping(&self) -> bool {
        super::groups::flaps(self.recent())
    }

    /// Takes in a last success that the service itself tells.
    pub(super) fn heed(&mut self, told: Timestamp) {
        if self.last_good.is_none_or(|known| told > known) {
            self.last_good = Some(told);
            if self.last_attempt.is_none_or(|attempt| told >= attempt) {
                self.streak = 0;
            }
        }
    }

    /// How much it needs a person: worst first when sorted descending. Never succeeded with failures is
    /// the worst, then the longest row of failures, then what was never backed up at all.
    #[must_use]
    pub const fn badness(&self) -> u64 {
        match (self.ever_succeeded(), self.streak) {
            (false, 0) => 1,
            (false, n) => (1 << 32) + n as u64,
            (true, 0) => 0,
            (true, n) => 1 + n as u64,
        }
    }
}

/// One task as the statistics see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Outcome {
    /// Orders attempts: by start, then by row.
    pub(super) when: i64,
    pub(super) row: u32,
    pub(super) phase: Phase,
    /// When it ended, or the next best instant.
    pub(super) ended: i64,
    /// True when the operation protects data.
    pub(super) protects: bool,
}

impl Outcome {
    const fn key(&self) -> (i64, u32) {
        (self.when, self.row)
    }
}

/// So many of the failures since the last good backup are remembered one by one.
const FAILURES: usize = 8;

/// Statistics that are kept up to date task by task, with what is needed for that.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    pub(super) stats: Stats,
    attempt: (i64, u32),
    good: (i64, u32),
    /// The newest failures since the last good backup, oldest first.
    failures: Vec<(i64, u32)>,
    /// How many older ones there are, and the newest of those.
    more: u32,
    newest_more: (i64, u32),
    recent: [(i64, u32); RECENT],
    /// False when the tasks have to be gone through again.
    sound: bool,
}

/// Before any task.
const BEFORE: (i64, u32) = (i64::MIN, 0);

impl Default for Tally {
    fn default() -> Self {
        Self {
            stats: Stats::default(),
            attempt: BEFORE,
            good: BEFORE,
            failures: Vec::new(),
            more: 0,
            newest_more: BEFORE,
            recent: [BEFORE; RECENT],
            sound: true,
        }
    }
}

impl Tally {
    /// Statistics over tasks in any order.
    pub(super) fn gather(outcomes: impl Iterator<Item = Outcome>) -> Self {
        let mut tally = Self::default();
        let mut failures: Vec<(i64, u32)> = Vec::new();
        for o in outcomes {
            if o.protects && o.phase.needs_person() && o.key() > tally.good {
                failures.push(o.key());
            }
            tally.add(&o);
        }
        failures.retain(|f| *f > tally.good);
        failures.sort_unstable();
        tally.failures = failures.split_off(failures.len().saturating_sub(FAILURES));
        tally.more = u32::try_from(failures.len()).unwrap_or(u32::MAX);
        tally.newest_more = failures.last().copied().unwrap_or(BEFORE);
        tally.count_streak();
        tally.sound = true;
        tally
    }

    /// The tasks have to be gone through again.
    pub(super) const fn spoil(&mut self) {
        self.sound = false;
    }

    pub(super) const fn is_sound(&self) -> bool {
        self.sound
    }

    /// True when a good backup is known that began after this time.
    pub(super) const fn has_good_after(&self, when: i64) -> bool {
        self.sound && self.good.0 > when
    }

    /// Takes in a task that was not counted before.
    pub(super) fn add(&mut self, o: &Outcome) {
        self.stats.tasks += 1;
        if o.phase.is_live() {
            self.stats.running += 1;
        }
        if !o.protects {
            return;
        }
        if o.key() >= self.attempt {
            self.attempt = o.key();
            self.stats.last_attempt = Some(Timestamp(o.when));
            self.stats.last_attempt_phase = Some(o.phase);
        }
        if !o.phase.is_live() {
            self.add_end(o);
        }
    }

    /// Takes in a change of a task that was counted before.
    pub(super) fn change(&mut self, before: &Outcome, after: &Outcome) {
        if !before.protects && !after.protects {
            let live = self.stats.running + u32::from(after.phase.is_live());
            self.stats.running = live.saturating_sub(u32::from(before.phase.is_live()));
            return;
        }
        let alike = before.key() == after.key() && before.protects == after.protects;
        if !alike || !before.phase.is_live() {
            if alike && before.phase == after.phase {
                // only when it ended is told in another way
                if self.good == after.key() {
                    self.stats.last_good = Some(Timestamp(after.ended));
                }
            } else {
                self.remove(before);
                self.add(after);
            }
            return;
        }
        if !after.phase.is_live() {
            self.stats.running = self.stats.running.saturating_sub(1);
        }
        if self.attempt == after.key() {
            self.stats.last_attempt_phase = Some(after.phase);
        }
        if !after.phase.is_live() {
            self.add_end(after);
        }
    }

    fn add_end(&mut self, o: &Outcome) {
        let key = o.key();
        let at = self.recent.partition_point(|&r| r > key);
        if at < RECENT {
            self.recent.copy_within(at..RECENT - 1, at + 1);
            self.stats.recent.copy_within(at..RECENT - 1, at + 1);
            if let (Some(slot), Some(phase)) =
                (self.recent.get_mut(at), self.stats.recent.get_mut(at))
            {
                *slot = key;
                *phase = o.phase as u8 + 1;
            }
        }
        if key <= self.good {
            return;
        }
        if o.phase.needs_person() {
            self.add_failure(key);
        } else if o.phase == Phase::Succeeded {
            self.good = key;
            self.stats.last_good = Some(Timestamp(o.ended));
            let older = self.failures.partition_point(|f| *f < key);
            self.failures.drain(..older);
            if key > self.newest_more {
                self.more = 0;
            } else if self.more > 0 {
                // some of those that are only counted are older than this success
                self.spoil();
            }
        }
        self.count_streak();
    }

    fn add_failure(&mut self, key: (i64, u32)) {
        let at = self.failures.partition_point(|f| *f < key);
        let counted = if self.failures.len() < FAILURES {
            self.failures.insert(at, key);
            return;
        } else if at == 0 {
            key
        } else {
            self.failures.insert(at, key);
            self.failures.remove(0)
        };
        self.more = self.more.saturating_add(1);
        self.newest_more = self.newest_more.max(counted);
    }

    fn count_streak(&mut self) {
        let kept = u32::try_from(self.failures.len()).unwrap_or(u32::MAX);
        self.stats.streak = self.more.saturating_add(kept);
    }

    /// Takes out a task that was counted before and is no longer held.
    pub(super) fn remove(&mut self, o: &Outcome) {
        self.stats.tasks = self.stats.tasks.saturating_sub(1);
        if o.phase.is_live() {
            self.stats.running = self.stats.running.saturating_sub(1);
        }
        if !o.protects {
            return;
        }
        let key = o.key();
        let is_open = o.phase.needs_person() && key > self.good;
        // what is older than all that is told leaves no mark
        if is_open || key == self.good || key == self.attempt || self.recent.contains(&key) {
            self.spoil();
        }
    }
}

/// Whether an operation protects data, by its words (a connector writes them in lower case). A service
/// with one sort of task leaves the operation empty: then it does.
pub(super) fn protects(operation: &str) -> bool {
    const GOOD: [&str; 12] = [
        "backup",
        "back up",
        "export",
        "protect",
        "replicat",
        "snapshot",
        "copy",
        "sync",
        "full",
        "increment",
        "differential",
        "checkpoint",
    ];
    const ASIDE: [&str; 21] = [
        "restor",
        "recover",
        "delet",
        "remov",
        "purge",
        "expire",
        "clear",
        "cancel",
        "import",
        "download",
        "verif",
        "precheck",
        "check",
        "disable",
        "stop",
        "detach",
        "unprotect",
        "resize",
        "upgrade",
        "drill",
        "fail",
    ];
    operation.is_empty()
        || (GOOD.iter().any(|w| operation.contains(w))
            && !ASIDE
                .iter()
                .any(|w| operation.contains(w) && !starts_checkpoint(operation, w)))
}

/// "checkpoint" holds "check" and is no check.
fn starts_checkpoint(operation: &str, word: &str) -> bool {
    word == "check" && operation.contains("checkpoint")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gather(outcomes: impl Iterator<Item = Outcome>) -> Stats {
        Tally::gather(outcomes).stats
    }

    fn o(when: i64, phase: Phase) -> Outcome {
        Outcome {
            when,
            row: when as u32,
            phase,
            ended: when + 5,
            protects: true,
        }
    }

    #[test]
    fn skipped_and_cancelled_are_neither_and_uncertain_is_a_failure() {
        use Phase::*;
        let all = [
            o(1, Succeeded),
            o(2, Failed),
            o(3, Skipped),
            o(4, Uncertain),
            o(5, Cancelled),
            o(6, Unknown),
            o(7, Running),
        ];
        let stats = gather(all.into_iter());
        assert_eq!(stats.streak, 2);
        assert_eq!(stats.last_good, Some(Timestamp(6)));
        assert_eq!(stats.last_attempt_phase, Some(Running));
        assert_eq!((stats.running, stats.tasks), (1, 7));
        let recent: Vec<Phase> = stats.recent().collect();
        assert_eq!(
            recent,
            [Unknown, Cancelled, Uncertain, Skipped, Failed, Succeeded]
        );
        let mut backwards = all;
        backwards.reverse();
        assert_eq!(
            gather(backwards.into_iter()),
            stats,
            "the order of arrival does not matter"
        );
    }

    #[test]
    fn a_good_restore_is_no_good_backup() {
        let mut restore = o(3, Phase::Succeeded);
        restore.protects = false;
        let stats = gather([o(1, Phase::Failed), restore].into_iter());
        assert!(!stats.ever_succeeded());
        assert_eq!((stats.streak, stats.tasks), (1, 2));
        for (operation, good) in [
            ("backup", true),
            ("", true),
            ("restore", false),
            ("delete backup", false),
            ("export", true),
            ("enable protection", true),
            ("disable protection", false),
            ("checkpoint", true),
            ("precheck", false),
            ("full backup", true),
            ("reprotect", true),
            ("exec", false),
        ] {
            assert_eq!(protects(operation), good, "{operation}");
        }
    }

    #[test]
    fn never_succeeded_is_the_worst() {
        let never = gather([o(1, Phase::Failed)].into_iter());
        let mut long = vec![o(0, Phase::Succeeded)];
        long.extend((1..50).map(|n| o(n, Phase::Failed)));
        let long = gather(long.into_iter());
        let none = gather([].into_iter());
        let fine = gather([o(1, Phase::Succeeded)].into_iter());
        let order = [never, long, none, fine].map(|s| s.badness());
        assert!(order.is_sorted_by(|a, b| a > b), "{order:?}");
    }

    #[test]
    fn kept_task_by_task_it_is_the_same() {
        let mut rng = fastrand::Rng::with_seed(11);
        for _ in 0..2_000 {
            let mut tally = Tally::default();
            let mut all: Vec<Outcome> = Vec::new();
            for row in 0..rng.u32(1..30) {
                let mut new = o(rng.i64(0..12), Phase::from_u8(rng.u8(0..9)));
                new.row = row;
                new.protects = rng.u8(0..5) > 0;
                all.push(new);
                tally.add(&new);
                let n = rng.usize(0..all.len());
                let before = all[n];
                let mut after = before;
                after.phase = Phase::from_u8(rng.u8(0..9));
                if rng.u8(0..3) == 0 {
                    after.phase = before.phase;
                    after.ended += rng.i64(0..3);
                }
                if rng.u8(0..4) == 0 {
                    after.when = rng.i64(0..12);
                }
                all[n] = after;
                tally.change(&before, &after);
                if rng.u8(0..4) == 0 {
                    let gone = all.swap_remove(rng.usize(0..all.len()));
                    tally.remove(&gone);
                }
                if !tally.is_sound() {
                    tally = Tally::gather(all.iter().copied());
                }
                assert_eq!(tally.stats, naive(&all));
            }
        }
    }

    fn naive(all: &[Outcome]) -> Stats {
        let mut stats = Stats {
            tasks: all.len() as u32,
            ..Stats::default()
        };
        stats.running = all.iter().filter(|o| o.phase.is_live()).count() as u32;
        let mut sorted: Vec<Outcome> = all.iter().copied().filter(|o| o.protects).collect();
        sorted.sort_by_key(|o| std::cmp::Reverse((o.when, o.row)));
        if let Some(last) = sorted.first() {
            stats.last_attempt = Some(Timestamp(last.when));
            stats.last_attempt_phase = Some(last.phase);
        }
        for o in &sorted {
            match o.phase {
                Phase::Succeeded => {
                    stats.last_good = Some(Timestamp(o.ended));
                    break;
                }
                Phase::Failed | Phase::Uncertain => stats.streak += 1,
                _ => {}
            }
        }
        let ended = sorted.iter().filter(|o| !o.phase.is_live()).take(RECENT);
        for (slot, o) in stats.recent.iter_mut().zip(ended) {
            *slot = o.phase as u8 + 1;
        }
        stats
    }
}
