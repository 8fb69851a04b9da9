//! Which actions of earlier runs nobody looks after any more.
//!
//! A run that has sent actions holds a lock on a file of its own beside the database. The lock goes with the
//! process, however it ends, so that a later run can tell the dead from the living.

use std::fs::{self, File, OpenOptions};
use std::path::PathBuf;

use rusqlite::Connection;
use uuid::Uuid;

use super::open::{Target, beside};
use crate::model::Timestamp;
use crate::store::history::{Identity, WriterId};

/// An action of another machine is taken over when nothing was heard of it for so long, in milliseconds: its
/// locks can't be seen from here.
const ELSEWHERE_MS: i64 = 24 * 3_600_000;

/// Shows that a run lives.
pub(super) struct RunLock {
    path: PathBuf,
    file: File,
}

impl RunLock {
    /// Takes this run's lock; `None` where none can be had, for memory for instance.
    pub(super) fn take(target: &Target, writer: WriterId) -> Option<Self> {
        let path = path_of(target, writer)?;
        fs::create_dir_all(path.parent()?).ok()?;
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .ok()?;
        file.try_lock().ok()?;
        Some(Self { path, file })
    }

    /// Ends it.
    pub(super) fn release(self) {
        let _ = fs::remove_file(&self.path);
        drop(self.file);
    }
}

fn path_of(target: &Target, writer: WriterId) -> Option<PathBuf> {
    match target {
        Target::File(path) => Some(beside(path, ".runs").join(writer.0.to_string())),
        Target::Memory(_) => None,
    }
}

/// True when that run is still going on.
fn lives(target: &Target, writer: WriterId) -> bool {
    let Some(path) = path_of(target, writer) else {
        return false;
    };
    let Ok(file) = File::open(&path) else {
        return false;
    };
    // shared, so that two who look at the same time don't take each other for that run
    match file.try_lock_shared() {
        Ok(()) => {
            // nobody holds it: it is a leftover
            let _ = fs::remove_file(&path);
            false
        }
        Err(fs::TryLockError::WouldBlock) => true,
        Err(fs::TryLockError::Error(_)) => false,
    }
}

/// The open actions of other runs that are gone, oldest first. Writes nothing to the database.
pub(super) fn abandoned(
    c: &Connection,
    target: &Target,
    who: &Identity,
) -> rusqlite::Result<Vec<Uuid>> {
    let mut open = c.prepare(
        "SELECT o.action, w.uuid, w.host,
                (SELECT max(at) FROM action_step s WHERE s.action = o.action)
         FROM action_open o JOIN writer w ON w.id = o.writer
         WHERE w.uuid <> ?1
         ORDER BY (SELECT seq FROM action a WHERE a.id = o.action)",
    )?;
    let rows = open.query_map([who.writer.0.as_bytes().as_slice()], |row| {
        Ok((
            Uuid::from_bytes(row.get(0)?),
            WriterId(Uuid::from_bytes(row.get(1)?)),
            row.get::<_, String>(2)?,
            row.get::<_, Option<i64>>(3)?,
        ))
    })?;
    let mut abandoned = Vec::new();
    for row in rows {
        let (action, of, host, last) = row?;
        let gone = if host == who.host {
            !lives(target, of)
        } else {
            Timestamp::now().0 - last.unwrap_or(0) > ELSEWHERE_MS
        };
        if gone {
            abandoned.push(action);
        }
    }
    Ok(abandoned)
}

/// Makes these actions this run's.
pub(super) fn claim(c: &Connection, writer: i64, actions: &[Uuid]) -> rusqlite::Result<()> {
    for action in actions {
        c.prepare_cached("UPDATE action_open SET writer = ?1 WHERE action = ?2")?
            .execute((writer, action.as_bytes().as_slice()))?;
    }
    Ok(())
}
