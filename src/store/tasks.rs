//! The columns of the tasks.

use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

use super::bits::Bits;
use super::ids::Ids;
use super::symbols::Sym;
use crate::model::{Asked, Phase, Timestamp};

/// No instant.
pub(super) const NEVER: i64 = i64::MIN;
/// No percentage.
pub(super) const NO_PERCENT: u8 = u8::MAX;

/// The task vanished at the service while it was live.
pub(super) const LOST: u8 = 1;
/// The failed task was taken off the service's own list.
pub(super) const CLEARED: u8 = 2;
/// A cancel was asked, by the service's word.
pub(super) const THEIR_CANCEL: u8 = 4;
/// A start was asked, by the service's word.
pub(super) const THEIR_START: u8 = 8;
/// A cancel was asked by us.
pub(super) const OUR_CANCEL: u8 = 16;
/// A start was asked by us.
pub(super) const OUR_START: u8 = 32;
/// The row holds no task any more.
pub(super) const DEAD: u8 = 64;
/// Somebody took the failed task, and that holds or it resolved itself since.
pub(super) const ACKED: u8 = 128;
/// Anything asked.
pub(super) const ASKED: u8 = THEIR_CANCEL | THEIR_START | OUR_CANCEL | OUR_START;

/// An instant as a column keeps it.
pub(super) const fn pack(t: Option<Timestamp>) -> i64 {
    match t {
        Some(t) => t.0,
        None => NEVER,
    }
}

/// An instant from a column.
pub(super) const fn unpack(t: i64) -> Option<Timestamp> {
    if t == NEVER { None } else { Some(Timestamp(t)) }
}

/// What was asked, from the flags.
pub(super) const fn asked(flags: u8) -> Option<Asked> {
    if flags & (THEIR_CANCEL | OUR_CANCEL) != 0 {
        Some(Asked::Cancel)
    } else if flags & (THEIR_START | OUR_START) != 0 {
        Some(Asked::Start)
    } else {
        None
    }
}

/// A failure that many tasks share.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Failure {
    pub(super) code: Sym,
    pub(super) message: Sym,
    pub(super) operation: Sym,
    /// 0 for none.
    pub(super) http: u16,
}

/// Failures once each; number 0 is none.
pub(super) struct Failures {
    pub(super) rows: Vec<Failure>,
    free: Vec<u32>,
    index: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Failures {
    fn new() -> Self {
        Self {
            rows: vec![Failure::default()],
            free: Vec::new(),
            index: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
        }
    }

    pub(super) fn get(&self, number: u32) -> Failure {
        self.rows.get(number as usize).copied().unwrap_or_default()
    }

    pub(super) fn intern(&mut self, failure: Failure) -> u32 {
        let hash = self.hasher.hash_one(failure);
        let rows = &self.rows;
        if let Some(&n) = self
            .index
            .find(hash, |&n| rows.get(n as usize) == Some(&failure))
        {
            return n;
        }
        let n = match self.free.pop() {
            Some(n) => {
                set(&mut self.rows, n, failure);
                n
            }
            None => {
                self.rows.push(failure);
                self.rows.len() as u32 - 1
            }
        };
        let (rows, hasher) = (&self.rows, &self.hasher);
        self.index.insert_unique(hash, n, |&n| {
            hasher.hash_one(rows.get(n as usize).copied().unwrap_or_default())
        });
        n
    }

    /// Frees the failures that no task has any more. Numbers given away again are only told from others
    /// by the age of the symbols, so both are swept together.
    pub(super) fn sweep(&mut self, used: &Bits) {
        self.index.clear();
        self.free.clear();
        for n in 1..self.rows.len() as u32 {
            if !used.has(n) {
                set(&mut self.rows, n, Failure::default());
                self.free.push(n);
                continue;
            }
            let hash = self.hasher.hash_one(self.get(n));
            let (rows, hasher) = (&self.rows, &self.hasher);
            self.index.insert_unique(hash, n, |&n| {
                hasher.hash_one(rows.get(n as usize).copied().unwrap_or_default())
            });
        }
    }
}

/// One task as a row of the columns.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) phase: Phase,
    pub(super) flags: u8,
    pub(super) progress: u8,
    pub(super) device: u32,
    pub(super) policy: u32,
    pub(super) operation: Sym,
    pub(super) status: Sym,
    pub(super) step: Sym,
    pub(super) object: Sym,
    pub(super) failure: u32,
    pub(super) started: i64,
    pub(super) updated: i64,
    pub(super) ended: i64,
    /// Orders tasks by age: the start, else the best that is told, else when it was first seen.
    pub(super) when: i64,
}

/// The columns.
pub(super) struct Tasks {
    pub(super) ids: Ids,
    pub(super) service: Vec<u16>,
    pub(super) phase: Vec<Phase>,
    pub(super) flags: Vec<u8>,
    pub(super) progress: Vec<u8>,
    pub(super) device: Vec<u32>,
    pub(super) policy: Vec<u32>,
    pub(super) operation: Vec<Sym>,
    pub(super) status: Vec<Sym>,
    pub(super) step: Vec<Sym>,
    pub(super) object: Vec<Sym>,
    pub(super) failure: Vec<u32>,
    pub(super) started: Vec<i64>,
    pub(super) updated: Vec<i64>,
    pub(super) ended: Vec<i64>,
    pub(super) when: Vec<i64>,
    pub(super) changed_at: Vec<i64>,
    pub(super) changed: Vec<super::FieldSet>,
    /// The number of the task's newest transition; 0 for none.
    pub(super) transition: Vec<u64>,
    pub(super) failures: Failures,
}

/// The value of a column, or the fallback for a row that is not there.
pub(super) fn at<T: Copy>(column: &[T], row: u32, fallback: T) -> T {
    column.get(row as usize).copied().unwrap_or(fallback)
}

/// Sets a column's value.
pub(super) fn set<T>(column: &mut [T], row: u32, value: T) {
    if let Some(slot) = column.get_mut(row as usize) {
        *slot = value;
    }
}

impl Tasks {
    pub(super) fn new() -> Self {
        Self {
            ids: Ids::new(),
            service: Vec::new(),
            phase: Vec::new(),
            flags: Vec::new(),
            progress: Vec::new(),
            device: Vec::new(),
            policy: Vec::new(),
            operation: Vec::new(),
            status: Vec::new(),
            step: Vec::new(),
            object: Vec::new(),
            failure: Vec::new(),
            started: Vec::new(),
            updated: Vec::new(),
            ended: Vec::new(),
            when: Vec::new(),
            changed_at: Vec::new(),
            changed: Vec::new(),
            transition: Vec::new(),
            failures: Failures::new(),
        }
    }

    /// How many rows there are; numbers run below this.
    pub(super) fn len(&self) -> usize {
        self.service.len()
    }

    pub(super) fn find(&self, service: u16, id: &str) -> Option<u32> {
        self.ids.find(&self.service, service, id)
    }

    /// True when the row holds this task.
    pub(super) fn is(&self, row: u32, service: u16, id: &str) -> bool {
        at(&self.service, row, u16::MAX) == service
            && self.ids.get(row) == id
            && at(&self.flags, row, DEAD) & DEAD == 0
    }

    /// Adds a task, in the place of a dropped one where there is a free one.
    pub(super) fn add(&mut self, free: Option<u32>, service: u16, id: &str, row: Row) -> u32 {
        let number = free.unwrap_or(self.len() as u32);
        if number as usize == self.len() {
            self.service.push(service);
            self.phase.push(row.phase);
            self.flags.push(row.flags);
            self.progress.push(row.progress);
            self.device.push(row.device);
            self.policy.push(row.policy);
            self.operation.push(row.operation);
            self.status.push(row.status);
            self.step.push(row.step);
            self.object.push(row.object);
            self.failure.push(row.failure);
            self.started.push(row.started);
            self.updated.push(row.updated);
            self.ended.push(row.ended);
            self.when.push(row.when);
            self.changed_at.push(NEVER);
            self.changed.push(super::FieldSet::NONE);
            self.transition.push(0);
        } else {
            set(&mut self.service, number, service);
            self.write(number, row);
            set(&mut self.changed_at, number, NEVER);
            set(&mut self.changed, number, super::FieldSet::NONE);
            set(&mut self.transition, number, 0);
        }
        self.ids.put(&self.service, number, id);
        number
    }

    /// The row of the columns. Whoever needs a few of them only reads no more.
    #[inline]
    pub(super) fn row(&self, row: u32) -> Row {
        Row {
            phase: at(&self.phase, row, Phase::Unknown),
            flags: at(&self.flags, row, DEAD),
            progress: at(&self.progress, row, NO_PERCENT),
            device: at(&self.device, row, super::slots::NOWHERE),
            policy: at(&self.policy, row, super::slots::NOWHERE),
            operation: at(&self.operation, row, Sym::EMPTY),
            status: at(&self.status, row, Sym::EMPTY),
            step: at(&self.step, row, Sym::EMPTY),
            object: at(&self.object, row, Sym::EMPTY),
            failure: at(&self.failure, row, 0),
            started: at(&self.started, row, NEVER),
            updated: at(&self.updated, row, NEVER),
            ended: at(&self.ended, row, NEVER),
            when: at(&self.when, row, NEVER),
        }
    }

    pub(super) fn write(&mut self, number: u32, row: Row) {
        set(&mut self.phase, number, row.phase);
        set(&mut self.flags, number, row.flags);
        set(&mut self.progress, number, row.progress);
        set(&mut self.device, number, row.device);
        set(&mut self.policy, number, row.policy);
        set(&mut self.operation, number, row.operation);
        set(&mut self.status, number, row.status);
        set(&mut self.step, number, row.step);
        set(&mut self.object, number, row.object);
        set(&mut self.failure, number, row.failure);
        set(&mut self.started, number, row.started);
        set(&mut self.updated, number, row.updated);
        set(&mut self.ended, number, row.ended);
        set(&mut self.when, number, row.when);
    }
}
