//! The form of the file and how an older one is brought up to date.

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::keys;

/// `KpWa`: says in the file's header whose it is.
pub(super) const APPLICATION_ID: i32 = 0x4B70_5761;
/// The form that this program reads and writes.
pub(super) const VERSION: i32 = 4;

/// From this version on tasks are found by numbers that SQL can't count.
const KEYED: i32 = 4;

/// One step a version: the first makes an empty file version 1.
const STEPS: [&str; VERSION as usize] = [
    include_str!("schema_1.sql"),
    include_str!("schema_2.sql"),
    include_str!("schema_3.sql"),
    include_str!("schema_4.sql"),
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
