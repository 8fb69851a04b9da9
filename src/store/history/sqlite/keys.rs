//! Finding a task's row by the id that its service gave it.
//!
//! Those ids come in no order. An index of the texts themselves was changed at a page of its own for every new task,
//! and each of these pages was written again; in a storm that was most of what history cost. So tasks are found by
//! a number made of service and id. New numbers go into a small table, which many of them share a page of, and from
//! there into the large one, all at once and in order. What goes takes the same way out.

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use super::limits::used;

/// So many new numbers wait at least, and one for so many tasks of the file, before they go into the large table: the
/// more go at once, the more of them share a page.
const NEW: (i64, i64) = (65_536, 16);
/// The same of those that go out of it, which do no harm there: the row that one leads to is gone.
const GONE: (i64, i64) = (65_536, 4);
/// About what a task with its entries takes in the file, to tell how many there are without counting them.
const TASK_BYTES: u64 = 256;
/// So many wait at most.
const MOST: i64 = 1 << 20;

/// The number of a task. Two tasks of one file have the same with a chance of one to some millions even where there
/// are ten million of them; the newer one is found then, and the older, should it change, is written as a new one.
///
/// It stands in the file and must stay as it is: FNV-1a of 64 bits over the service's row and the id.
pub(super) fn hash(service: i64, native: &str) -> i64 {
    let bytes = service.to_le_bytes();
    let mut sum: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in bytes.iter().chain(native.as_bytes()) {
        sum = (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    sum.cast_signed()
}

/// The row that a task's number leads to. It may be another task's: whoever reads it compares the id.
pub(super) fn find(c: &Connection, hash: i64) -> rusqlite::Result<Option<i64>> {
    for sql in [
        "SELECT task FROM task_key_young WHERE hash = ?1",
        "SELECT task FROM task_key WHERE hash = ?1",
    ] {
        let found = c
            .prepare_cached(sql)?
            .query_row([hash], |row| row.get(0))
            .optional()?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// The rows of a task, of which there is one for each service of that name.
pub(super) fn rows(c: &Connection, service: &str, native: &str) -> rusqlite::Result<Vec<i64>> {
    let mut rows = Vec::new();
    let mut services = c.prepare_cached("SELECT id FROM service WHERE name = ?1")?;
    let mut of = services.query([service])?;
    while let Some(row) = of.next()? {
        let service: i64 = row.get(0)?;
        let Some(id) = find(c, hash(service, native))? else {
            continue;
        };
        let is_it = c
            .prepare_cached("SELECT 1 FROM task WHERE id = ?1 AND service = ?2 AND native = ?3")?
            .exists((id, service, native))?;
        if is_it {
            rows.push(id);
        }
    }
    Ok(rows)
}

/// Notes where a new task is.
pub(super) fn put(c: &Connection, hash: i64, task: i64) -> rusqlite::Result<()> {
    c.prepare_cached("INSERT OR REPLACE INTO task_key_young (hash, task) VALUES (?1, ?2)")?
        .execute((hash, task))?;
    Ok(())
}

/// Notes the numbers of tasks that go.
pub(super) fn drop_later(c: &Connection, hash: i64) -> rusqlite::Result<()> {
    c.prepare_cached("INSERT OR IGNORE INTO task_key_gone (hash) VALUES (?1)")?
        .execute([hash])?;
    Ok(())
}

/// Brings the large table up to date where enough waits for it. Counting what waits takes a moment.
pub(super) fn merge_if_many(c: &mut Connection) -> rusqlite::Result<()> {
    let tasks = i64::try_from(used(c)? / TASK_BYTES).unwrap_or(i64::MAX);
    let enough = |(least, share): (i64, i64)| (tasks / share).clamp(least, MOST);
    if number(c, "SELECT count(*) FROM task_key_young")? >= enough(NEW) {
        work_in(c)?;
    }
    if number(c, "SELECT count(*) FROM task_key_gone")? >= enough(GONE) {
        take_out(c)?;
    }
    Ok(())
}

/// The one number that a question gives.
pub(super) fn number(c: &Connection, sql: &str) -> rusqlite::Result<i64> {
    c.prepare_cached(sql)?.query_row([], |row| row.get(0))
}

fn work_in(c: &mut Connection) -> rusqlite::Result<()> {
    let tx = Transaction::new(c, TransactionBehavior::Immediate)?;
    tx.execute_batch(
        "INSERT OR REPLACE INTO task_key (hash, task) SELECT hash, task FROM task_key_young ORDER BY hash;
         DELETE FROM task_key_young;",
    )?;
    tx.commit()
}

fn take_out(c: &mut Connection) -> rusqlite::Result<()> {
    let tx = Transaction::new(c, TransactionBehavior::Immediate)?;
    tx.execute_batch(
        "DELETE FROM task_key WHERE hash IN (SELECT hash FROM task_key_gone)
             AND NOT EXISTS (SELECT 1 FROM task WHERE id = task_key.task);
         DELETE FROM task_key_young WHERE hash IN (SELECT hash FROM task_key_gone)
             AND NOT EXISTS (SELECT 1 FROM task WHERE id = task_key_young.task);
         DELETE FROM task_key_gone;",
    )?;
    tx.commit()
}

/// Fills the large table from the tasks of a file that had none.
pub(super) fn fill(c: &Connection) -> rusqlite::Result<()> {
    let mut keys = c
        .prepare("SELECT service, native, id FROM task")?
        .query_map([], |row| {
            let service = row.get(0)?;
            let native = row.get_ref(1)?;
            Ok((hash(service, native.as_str()?), row.get::<_, i64>(2)?))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    keys.sort_unstable();
    let mut add = c.prepare("INSERT OR REPLACE INTO task_key (hash, task) VALUES (?1, ?2)")?;
    for key in keys {
        add.execute(key)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::super::schema;
    use super::{drop_later, find, hash, put, take_out, work_in};

    #[test]
    fn a_task_is_found_before_and_after_its_number_is_worked_in() {
        let mut c = schema::in_memory();
        let found = |c: &Connection, n: i64| find(c, n).expect("an answer");
        let empty = |c: &Connection, table: &str| -> bool {
            c.query_row(&format!("SELECT count(*) = 0 FROM {table}"), [], |r| {
                r.get(0)
            })
            .expect("a count")
        };
        c.execute_batch(
            "INSERT INTO task (id, service, native, device_id, device_name, policy_id, policy_name, operation, object,
                               status, phase, step, code, code_operation, message, has_failure, facts, flags, feeds,
                               first_seen, seen_at, seen_by)
             VALUES (7, 1, 'b', 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, '', 0, '', 0, 1, 0, 0, 1)",
        )
        .expect("a task");
        for (number, task) in [(-5, 3), (9, 4), (11, 5)] {
            put(&c, number, task).expect("noted");
        }
        assert_eq!(found(&c, -5), Some(3));
        work_in(&mut c).expect("worked in");
        assert!(empty(&c, "task_key_young"));
        assert_eq!((found(&c, -5), found(&c, 10)), (Some(3), None));
        // one goes for good; another went and came back as a new row before its number was taken out
        drop_later(&c, 9).expect("noted");
        drop_later(&c, 11).expect("noted");
        put(&c, 11, 7).expect("noted");
        assert_eq!(found(&c, 11), Some(7));
        take_out(&mut c).expect("taken out");
        assert_eq!((found(&c, 9), found(&c, 11)), (None, Some(7)));
        work_in(&mut c).expect("worked in");
        assert!(empty(&c, "task_key_gone"));
        assert_eq!((found(&c, 9), found(&c, 11)), (None, Some(7)));
    }

    #[test]
    fn the_number_of_a_task_never_changes() {
        // counted by another program
        assert_eq!(hash(0, "").cast_unsigned(), 0xa8c7_f832_281a_39c5);
        assert_eq!(hash(1, "a").cast_unsigned(), 0x529a_4ddc_8ff5_6bbf);
    }
}
