//! The form of the file and how an older one is brought up to date.

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::keys;

/// `KpWa`: says in the file's header whose it is.
pub(super) const APPLICATION_ID: i32 = 0x4B70_5761;
/// The form that this program reads and writes.
pub(super) const VERSION: i32 = 5;

/// From this version on tasks are found by numbers that SQL can't count.
const KEYED: i32 = 4;

/// Tasks that went well or that nobody has to look after, in the words of their index.
pub(super) const SETTLED: &str = "(phase = 1 OR phase = 5 OR phase = 6)";
/// All others, in the words of theirs.
pub(super) const UNSETTLED: &str = "phase <> 1 AND phase <> 5 AND phase <> 6";

/// One step a version: the first makes an empty file version 1.
const STEPS: [&str; VERSION as usize] = [
    include_str!("schema_1.sql"),
    include_str!("schema_2.sql"),
    include_str!("schema_3.sql"),
    include_str!("schema_4.sql"),
    include_str!("schema_5.sql"),
];

/// Brings an empty file or one of an older version up to date, as a whole or not at all. Two programs may
/// try at once.
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let tx = Transaction::new(connection, TransactionBehavior::Immediate)?;
    let held = version(&tx)?;
    for (number, step) in (1..).zip(STEPS) {
        if number > held {
            tx.execute_batch(step)?;
            if number == KEYED {
                keys::fill(&tx)?;
            }
        }
    }
    if held < VERSION {
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
        tx.pragma_update(None, "user_version", VERSION)?;
    }
    tx.commit()
}

/// The version of a file; 0 for an empty one.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<i32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// An empty history in memory.
#[cfg(test)]
pub(super) fn in_memory() -> Connection {
    let mut c = Connection::open_in_memory().expect("a database");
    c.pragma_update(None, "foreign_keys", false)
        .and_then(|()| migrate(&mut c))
        .expect("an empty history");
    c
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The column of what SQLite says it will do.
    fn told(c: &Connection, sql: &str, column: &str) -> Vec<String> {
        let mut plan = c.prepare(sql).expect("a statement");
        let rows = plan.query_map([], |row| row.get(column)).expect("a plan");
        rows.map(|text| text.expect("a text")).collect()
    }

    #[test]
    fn writing_a_task_makes_no_table_and_the_oldest_are_found_by_an_index() {
        let c = in_memory();
        let steps = told(
            &c,
            "EXPLAIN UPDATE task SET phase = 2, status = 3 WHERE id = 1",
            "opcode",
        );
        assert!(steps.iter().any(|s| s == "OpenWrite"));
        assert!(!steps.iter().any(|s| s == "OpenEphemeral"), "{steps:?}");
        for (phases, index) in [(SETTLED, "task_settled"), (UNSETTLED, "task_phase")] {
            let sql =
                format!("EXPLAIN QUERY PLAN SELECT id FROM task WHERE {phases} ORDER BY seen_hour");
            let plan = told(&c, &sql, "detail").join(", ");
            assert!(plan.contains(index), "{plan}");
            assert_eq!(
                plan.contains("TEMP B-TREE"),
                index == "task_phase",
                "{plan}"
            );
        }
    }
}
