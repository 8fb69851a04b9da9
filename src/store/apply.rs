//! Folding what a service tells into the store.

use super::attic::Stored;
use super::changed::FieldSet;
use super::fold::Source;
use super::log::Log;
use super::outcomes::Outcome;
use super::parties::outcome_of;
use super::service_state::PageState;
use super::slots::{NOWHERE, Slots};
use super::symbols::Sym;
use super::tasks::{self, Row};
use super::{Applied, Store, TaskRow};
use crate::model::{Asked, Phase, Rows, ServiceId, Task, Timestamp};
use crate::query::Field;

/// Which tasks of a page are told at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Part {
    /// So many tasks of the page were told before.
    pub from: usize,
    /// No more of the page follow.
    pub is_last: bool,
}

impl Part {
    /// All of them.
    pub const WHOLE: Self = Self {
        from: 0,
        is_last: true,
    };
}

/// What one row did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    New,
    Changed,
    Same,
}

impl Applied {
    fn count(&mut self, fate: Fate) {
        match fate {
            Fate::New => self.new += 1,
            Fate::Changed => self.changed += 1,
            Fate::Same => self.unchanged += 1,
        }
    }

    const fn is_visible(&self) -> bool {
        self.new + self.changed > 0
    }
}

/// Counts a change of a task at its device or policy, or moves it to another.
fn move_task<T>(slots: &mut Slots<T>, from: (u32, &Outcome), to: (u32, &Outcome), number: u32) {
    if from.0 == to.0 {
        slots.recount(to.0, from.1, to.1);
        return;
    }
    if let Some(slot) = slots.get_mut(from.0) {
        slot.tasks.retain(|t| *t != number);
        slots.uncount(from.0, from.1);
    }
    if let Some(slot) = slots.get_mut(to.0) {
        slot.tasks.push(number);
        slots.count(to.0, to.1);
    }
}

impl Store {
    /// Takes in a page of a feed.
    pub fn apply(
        &mut self,
        id: ServiceId,
        feed: &'static str,
        page: u32,
        rows: Rows,
        now: Timestamp,
    ) -> Applied {
        self.apply_part(id, feed, page, rows, Part::WHOLE, now)
    }

    /// Takes in a part of a page of a feed. All devices, policies and unreadable rows come with the first.
    pub fn apply_part(
        &mut self,
        id: ServiceId,
        feed: &'static str,
        page: u32,
        rows: Rows,
        part: Part,
        now: Timestamp,
    ) -> Applied {
        let mut applied = Applied::default();
        self.clock = self.clock.max(now);
        let Some(state) = self.services.get_mut(id.index()) else {
            return applied;
        };
        let feed_state = state.feed_mut(feed);
        let source = Source {
            news: feed_state.is_settled(),
            lists_failed: feed_state.lists_failed,
        };
        // the page's lists are filled anew in place, so that an unchanged page allocates nothing
        let empty = PageState {
            number: page,
            ..PageState::default()
        };
        let mut held = std::mem::replace(feed_state.page(page), empty);
        // folding a task in looks at no feed, so that what this one shows can be noted along the way
        let mut shown = std::mem::take(&mut feed_state.tasks);
        held.seen = true;
        let is_first = part.from == 0;
        if is_first {
            held.devices.clear();
            held.policies.clear();
        }
        for device in rows.devices {
            let (row, fate) = self.put_device(id, device, now);
            held.devices.push(row);
            applied.count(fate);
        }
        for policy in rows.policies {
            let (row, fate) = self.put_policy(id, policy, now);
            held.policies.push(row);
            applied.count(fate);
        }
        let transitions = self.log.count();
        let told = part.from + rows.tasks.len();
        for (place, task) in (part.from..).zip(rows.tasks) {
            // lists come in the same order most of the time: the row is often known without a search
            let likely = held.tasks.get(place).copied();
            let (row, fate) = self.put_task(id, task, source, likely, now);
            match held.tasks.get_mut(place) {
                Some(slot) => *slot = row,
                None => held.tasks.push(row),
            }
            // of a new row all is told anyhow
            if row != NOWHERE && shown.show(row) && fate != Fate::New {
                self.task_changes.note_shown(row);
            }
            applied.count(fate);
        }
        if part.is_last {
            held.tasks.truncate(told);
        }
        applied.transitions = (self.log.count() - transitions) as usize;
        let mut bad = rows.bad;
        bad.truncate(super::service_state::BAD_KEPT);
        let other_bad = is_first && held.bad != bad;
        if is_first {
            held.bad = bad;
        }
        if let Some(state) = self.services.get_mut(id.index()) {
            let feed_state = state.feed_mut(feed);
            feed_state.tasks = shown;
            for &row in &held.devices {
                if feed_state.devices.show(row) {
                    self.device_changes.note_shown(row);
                }
            }
            for &row in &held.policies {
                if feed_state.policies.show(row) {
                    self.policy_changes.note_shown(row);
                }
            }
            *feed_state.page(page) = held;
        }
        self.settle(applied.is_visible() || other_bad, source.news);
        applied
    }

    /// Takes in the answer of a look-up, or a task that an action became.
    pub fn apply_task(&mut self, id: ServiceId, task: Task, now: Timestamp) -> Applied {
        let mut applied = Applied::default();
        if id.index() >= self.services.len() {
            return applied;
        }
        self.clock = self.clock.max(now);
        let transitions = self.log.count();
        let (_, fate) = self.put_task(id, task, Source::LOOK_UP, None, now);
        applied.count(fate);
        applied.transitions = (self.log.count() - transitions) as usize;
        self.settle(applied.is_visible(), true);
        applied
    }

    /// Notes that a live task is gone at the service: nobody knows how it ended.
    pub fn task_vanished(&mut self, id: ServiceId, task_id: &str, now: Timestamp) -> bool {
        let Some(number) = self.tasks.find(id.0, task_id) else {
            return false;
        };
        let before = self.tasks.row(number);
        if !before.phase.is_live() {
            return false;
        }
        let after = Row {
            phase: Phase::Unknown,
            flags: (before.flags | tasks::LOST) & !tasks::ASKED,
            ..before
        };
        self.change(id, number, before, after, None, now);
        self.settle(true, true);
        true
    }

    /// Notes what an operator asked of a task, shown until its status changes; `None` takes it back.
    pub fn ask(&mut self, row: TaskRow, asked: Option<Asked>) {
        let before = tasks::at(&self.tasks.flags, row.0, tasks::DEAD);
        if before & tasks::DEAD != 0 {
            return;
        }
        let after = before & !(tasks::OUR_CANCEL | tasks::OUR_START)
            | match asked {
                Some(Asked::Cancel) => tasks::OUR_CANCEL,
                Some(Asked::Start) => tasks::OUR_START,
                None => 0,
            };
        if after != before {
            tasks::set(&mut self.tasks.flags, row.0, after);
            let fields = FieldSet::of(Field::Is);
            self.mark(row.0, fields, self.clock);
            self.generation += 1;
        }
    }

    /// Brings statistics up to date and moves the generation when something visible changed. `news`: what changes
    /// did so just now, and was not only learnt at the start.
    pub(super) fn settle(&mut self, visible: bool, news: bool) {
        self.settle_stats(news);
        let dropped = self.is_full() && self.drop_old();
        if dropped {
            self.settle_stats(news);
        }
        let visible = visible || dropped;
        let visible = self.review_acks() || visible;
        let names = self.devices.renames + self.policies.renames;
        self.settle_targets(names != self.names);
        if visible || names != self.names {
            self.names = names;
            self.generation += 1;
        }
    }

    fn mark(&mut self, row: u32, fields: FieldSet, now: Timestamp) {
        tasks::set(&mut self.tasks.changed, row, fields);
        tasks::set(&mut self.tasks.changed_at, row, now.0);
        self.task_changes.note(row, fields);
    }

    /// Folds in one task.
    fn put_task(
        &mut self,
        id: ServiceId,
        task: Task,
        source: Source,
        likely: Option<u32>,
        now: Timestamp,
    ) -> (u32, Fate) {
        let held = likely
            .filter(|&row| self.tasks.is(row, id.0, &task.id))
            .or_else(|| self.tasks.find(id.0, &task.id));
        let before = held.map(|number| self.tasks.row(number));
        let after = self.fold(id, before, &task, source, now);
        let reported = task.updated_at.or(task.ended_at).or(task.started_at);
        let (number, mut fate) = match (held, before) {
            (Some(number), Some(before)) => {
                let fate = if before == after {
                    Fate::Same
                } else {
                    self.change(id, number, before, after, reported, now);
                    Fate::Changed
                };
                (number, fate)
            }
            _ if self.is_too_old(&after) => return (NOWHERE, Fate::Same),
            _ => {
                let number = self.add(id, &task.id, after);
                if source.news {
                    self.log_transition(number, None, after, reported, now);
                    tasks::set(&mut self.tasks.changed, number, FieldSet::ALL);
                    tasks::set(&mut self.tasks.changed_at, number, now.0);
                }
                (number, Fate::New)
            }
        };
        let first = after.phase.concerns_people();
        let stored = self
            .attic
            .put(number, first, after.when, task.raw, task.facts);
        if fate == Fate::Same && stored == Stored::Facts {
            self.remembered.remove(number);
            fate = Fate::Changed;
        }
        (number, fate)
    }

    pub(super) fn add(&mut self, id: ServiceId, task_id: &str, row: Row) -> u32 {
        let free = self.free_row();
        let number = self.tasks.add(free, id.0, task_id, row);
        self.remembered.remove(number);
        let outcome = outcome_of(number, &row, &self.protecting);
        if let Some(slot) = self.devices.get_mut(row.device) {
            slot.tasks.push(number);
            self.devices.count(row.device, &outcome);
        }
        if let Some(slot) = self.policies.get_mut(row.policy) {
            slot.tasks.push(number);
            self.policies.count(row.policy, &outcome);
        }
        self.alive.insert(number);
        self.account(id, number, None, row);
        self.task_changes.note(number, FieldSet::ALL);
        number
    }

    /// Writes a changed row with all that follows from it.
    pub(super) fn change(
        &mut self,
        id: ServiceId,
        number: u32,
        before: Row,
        after: Row,
        reported: Option<Timestamp>,
        now: Timestamp,
    ) {
        self.tasks.write(number, after);
        self.remembered.remove(number);
        let was = outcome_of(number, &before, &self.protecting);
        let is = outcome_of(number, &after, &self.protecting);
        move_task(
            &mut self.devices,
            (before.device, &was),
            (after.device, &is),
            number,
        );
        move_task(
            &mut self.policies,
            (before.policy, &was),
            (after.policy, &is),
            number,
        );
        self.account(id, number, Some(before), after);
        if before.status != after.status || before.phase != after.phase {
            self.log_transition(number, Some(before), after, reported, now);
        }
        let fields = self.differing(before, after);
        self.mark(number, fields, now);
    }

    fn log_transition(
        &mut self,
        number: u32,
        before: Option<Row>,
        after: Row,
        reported: Option<Timestamp>,
        now: Timestamp,
    ) {
        let entry = Log::entry(
            TaskRow(number),
            before.map_or(Sym::EMPTY, |b| b.status),
            after.status,
            before.map(|b| b.phase),
            after.phase,
            now,
            reported,
        );
        let last = tasks::at(&self.tasks.transition, number, 0);
        let this = self.log.push(last, entry);
        tasks::set(&mut self.tasks.transition, number, this);
    }

    /// Keeps the sets and counts that follow from a task's phase.
    fn account(&mut self, id: ServiceId, number: u32, before: Option<Row>, after: Row) {
        self.heed_acks(before.is_none(), &after);
        if let Some(state) = self.services.get_mut(id.index()) {
            if let Some(before) = before
                && let Some(n) = state.phases.get_mut(before.phase as usize)
            {
                *n = n.saturating_sub(1);
            }
            if let Some(n) = state.phases.get_mut(after.phase as usize) {
                *n += 1;
            }
        }
        if after.phase.is_live() {
            self.live.insert(number);
        } else {
            self.live.remove(number);
        }
        let wanted = matches!(
            after.phase,
            Phase::Failed | Phase::Uncertain | Phase::Skipped | Phase::Cancelled
        ) && after.flags & tasks::CLEARED == 0;
        if wanted {
            self.attention.insert(number);
        } else {
            self.attention.remove(number);
        }
    }

    fn differing(&self, a: Row, b: Row) -> FieldSet {
        let (f, g) = (
            self.tasks.failures.get(a.failure),
            self.tasks.failures.get(b.failure),
        );
        let pairs = [
            (a.phase != b.phase, Field::Phase),
            (a.flags != b.flags, Field::Is),
            (a.phase != b.phase, Field::Is),
            (a.progress != b.progress, Field::Progress),
            (a.device != b.device, Field::Device),
            (a.device != b.device, Field::Name),
            (a.policy != b.policy, Field::Policy),
            (a.operation != b.operation, Field::Operation),
            (a.status != b.status, Field::Status),
            (a.step != b.step, Field::Step),
            (a.object != b.object, Field::Object),
            (f.code != g.code || f.operation != g.operation, Field::Code),
            (f.http != g.http, Field::Http),
            (f.message != g.message, Field::Message),
            (a.started != b.started || a.when != b.when, Field::Started),
            (a.updated != b.updated, Field::Updated),
            (a.ended != b.ended, Field::Ended),
            (
                a.started != b.started || a.ended != b.ended || a.phase != b.phase,
                Field::Elapsed,
            ),
            (
                a.started != b.started || a.ended != b.ended || a.updated != b.updated,
                Field::Age,
            ),
        ];
        pairs
            .into_iter()
            .filter(|(differs, _)| *differs)
            .fold(FieldSet::NONE, |set, (_, field)| set.with(field))
    }
}
