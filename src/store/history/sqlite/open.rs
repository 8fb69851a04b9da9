//! Opening the file: made when it is not there, set aside when it is not ours or not whole.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use uuid::Uuid;

use super::{Options, fault, schema};
use crate::model::Timestamp;
use crate::store::history::{HistoryError, Place};

/// How long one program waits for another's write.
const BUSY: Duration = Duration::from_secs(5);
/// So many prepared statements are kept.
const STATEMENTS: usize = 64;
/// The writer holds so many KiB of pages at most: those of the tasks that go on, and the numbers of new ones, which come
/// in no order.
const CACHE_KIB: i64 = 16 << 10;
/// So many pages of log are copied into the file at once: a page that was written again and again is copied once.
const LOG_PAGES: i64 = 4_000;
/// The write-ahead log is cut back to this size after it grew in a storm, in bytes.
const LARGEST_LOG: i64 = 16 << 20;
/// A write-ahead log of so many bytes is read in a moment at the next start.
const SMALL_LOG: u64 = 1 << 20;

/// What a connection is opened to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Target {
    /// A file.
    File(PathBuf),
    /// A database in memory, by its name in this process.
    Memory(String),
}

impl Target {
    /// For messages.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Memory(_) => String::new(),
        }
    }
}

/// The result of opening.
pub(super) struct Opened {
    /// What was opened; another file than asked for when that one is of a newer program.
    pub(super) target: Target,
    /// The writer's connection, or why there is none.
    pub(super) connection: Result<Connection, HistoryError>,
    /// What the person has to know.
    pub(super) notices: Vec<String>,
}

/// Why a file is not used as it is.
enum Unfit {
    Damaged(String),
    Foreign(String),
    Newer(i32),
    Failed(rusqlite::Error),
}

/// What the options name.
pub(super) fn wanted(options: &Options) -> Target {
    match &options.place {
        Place::File(path) => Target::File(path.clone()),
        Place::Memory | Place::Off(_) => {
            Target::Memory(format!("file:/keepwatch-{}?vfs=memdb", Uuid::new_v4()))
        }
    }
}

/// Opens what the options name.
pub(super) fn open(options: &Options) -> Opened {
    let mut notices = Vec::new();
    let mut target = wanted(options);
    let connection = open_at(&mut target, options, &mut notices);
    Opened {
        target,
        connection,
        notices,
    }
}

fn open_at(
    target: &mut Target,
    options: &Options,
    notices: &mut Vec<String>,
) -> Result<Connection, HistoryError> {
    let path = match target {
        Target::Memory(_) => {
            let made = || {
                let mut connection = raw(target, true)?;
                for_writing(&connection, target)?;
                schema::migrate(&mut connection)?;
                limit(&connection, options)?;
                Ok(connection)
            };
            return made().map_err(|e| fault::explain(&e, target));
        }
        Target::File(path) => path.clone(),
    };
    make_room(&path).map_err(|e| {
        HistoryError::new(
            format!("the directory of the history can't be made: {e}"),
            "Make it yourself, or name another file with [history] path",
        )
        .at(path.display().to_string())
    })?;
    // one program at a time decides whether a file is fit; without a lock it does so alone
    let _turn = lock(&beside(&path, ".lock"));
    // a file set aside makes room for a new one; a second unfit one in its place is not ours to fight with
    for _ in 0..3 {
        match look(target) {
            Ok(connection) => {
                return limit(&connection, options)
                    .map(|()| connection)
                    .map_err(|e| fault::explain(&e, target));
            }
            Err(Unfit::Newer(version)) => {
                let own = path.with_extension(format!("v{}.db", schema::VERSION));
                notices.push(format!(
                    "{} was written by a newer keepwatch (version {version} of its form, this one knows {}): it is \
                     left alone, and history is kept in {}",
                    path.display(),
                    schema::VERSION,
                    own.display()
                ));
                *target = Target::File(own);
            }
            Err(Unfit::Failed(e)) => return Err(fault::explain(&e, target)),
            Err(Unfit::Damaged(why)) => set_aside(target, "damaged", &why, notices)?,
            Err(Unfit::Foreign(why)) => set_aside(target, "foreign", &why, notices)?,
        }
    }
    Err(HistoryError::new(
        "the history can't be opened: its place is taken by something else again and again",
        "Name another file with [history] path",
    )
    .at(target.shown()))
}

/// The directory and an empty file that nobody else may read.
fn make_room(path: &Path) -> io::Result<()> {
    if let Some(dir) = path.parent().filter(|d| !d.as_os_str().is_empty()) {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::DirBuilderExt;
            builder.mode(0o700);
        }
        builder.create(dir)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    match options.open(path) {
        Ok(_) => Ok(()),
        // whatever else is wrong with it SQLite says better
        Err(_) => Ok(()),
    }
}

/// Opens the file and looks whether it is ours and whole as far as can be seen quickly.
fn look(target: &Target) -> Result<Connection, Unfit> {
    let failed = |e: rusqlite::Error| {
        if fault::is_damage(&e) {
            Unfit::Damaged(e.to_string())
        } else {
            Unfit::Failed(e)
        }
    };
    if let Target::File(path) = target
        && path.is_dir()
    {
        return Err(Unfit::Foreign("it is a directory".to_owned()));
    }
    let mut connection = raw(target, true).map_err(failed)?;
    let id: i32 = connection
        .pragma_query_value(None, "application_id", |row| row.get(0))
        .map_err(failed)?;
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(failed)?;
    let version = schema::version(&connection).map_err(failed)?;
    if id != schema::APPLICATION_ID && (tables > 0 || id != 0) {
        return Err(Unfit::Foreign(
            "it is a database of another program".to_owned(),
        ));
    }
    if version > schema::VERSION {
        return Err(Unfit::Newer(version));
    }
    if tables > 0 && version < 1 {
        return Err(Unfit::Damaged("it has lost its version".to_owned()));
    }
    // only now that it is known to be ours may it be changed
    for_writing(&connection, target).map_err(failed)?;
    schema::migrate(&mut connection).map_err(failed)?;
    // every table is there and its first page can be read
    for table in [
        "writer",
        "word",
        "service",
        "answered",
        "task",
        "transition",
        "party",
        "party_change",
        "action",
        "action_step",
        "action_open",
        "remark",
        "incident",
    ] {
        let sql = format!("SELECT count(*) FROM (SELECT 1 FROM {table} LIMIT 1)");
        connection
            .query_row(&sql, [], |row| row.get::<_, i64>(0))
            .map_err(|e| match &e {
                rusqlite::Error::SqliteFailure(f, _) if f.code == rusqlite::ErrorCode::Unknown => {
                    Unfit::Damaged(e.to_string())
                }
                _ => failed(e),
            })?;
    }
    Ok(connection)
}

/// Whether a whole file is sound; reads all of it.
pub(super) fn is_sound(target: &Target) -> bool {
    let checked = reader(target)
        .and_then(|c| c.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0)));
    match checked {
        Ok(verdict) => verdict == "ok",
        Err(e) => !fault::is_damage(&e),
    }
}

/// Moves a file that turned out damaged while it was in use out of the way, unless another program did so
/// already. Gives what the person has to know.
pub(super) fn set_aside_if_damaged(
    target: &Target,
    why: &str,
) -> Result<Vec<String>, HistoryError> {
    let Target::File(path) = target else {
        return Ok(Vec::new());
    };
    let _turn = lock(&beside(path, ".lock"));
    let mut notices = Vec::new();
    if !is_sound(target) {
        set_aside(target, "damaged", why, &mut notices)?;
    }
    Ok(notices)
}

fn set_aside(
    target: &Target,
    reason: &str,
    why: &str,
    notices: &mut Vec<String>,
) -> Result<(), HistoryError> {
    let Target::File(path) = target else {
        return Ok(());
    };
    let now = Timestamp::now()
        .utc()
        .map_or_else(String::new, |t| t.format("%Y%m%dT%H%M%SZ").to_string());
    let mut aside = beside(path, &format!(".{reason}-{now}"));
    let mut number = 1;
    while aside.exists() {
        number += 1;
        aside = beside(path, &format!(".{reason}-{now}-{number}"));
    }
    fs::rename(path, &aside).map_err(|e| {
        HistoryError::new(
            format!("the history can't be used ({why}) and can't be set aside either: {e}"),
            "Move the file away, or name another one with [history] path",
        )
        .at(path.display().to_string())
    })?;
    for part in ["-wal", "-shm"] {
        // a leftover log would be taken for the new file's own; it is mostly not there
        let _ = fs::rename(beside(path, part), beside(&aside, part));
    }
    notices.push(format!(
        "{} can't be used as history ({why}); it was set aside as {} and a new one is begun",
        path.display(),
        aside.display()
    ));
    let _ = make_room(path);
    Ok(())
}

/// A path with something added to its name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Takes a lock that ends with the file or the process; `None` where there is none to be had.
fn lock(path: &Path) -> Option<File> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .ok()?;
    file.lock().ok()?;
    Some(file)
}

/// Opens a connection to read.
pub(super) fn reader(target: &Target) -> rusqlite::Result<Connection> {
    let connection = raw(target, false)?;
    connection.pragma_update(None, "query_only", true)?;
    leave_log(&connection)?;
    Ok(connection)
}

/// The write-ahead log stays when this connection is the last to be closed.
pub(super) fn leave_log(connection: &Connection) -> rusqlite::Result<()> {
    let set = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
    connection.set_db_config(set, true).map(|_| ())
}

/// Whether so little was written since the log was last copied into the file that it may stay as it is.
pub(super) fn has_small_log(target: &Target) -> bool {
    match target {
        Target::File(path) => {
            fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() <= SMALL_LOG)
        }
        Target::Memory(_) => false,
    }
}

/// Opens a connection without touching the file.
fn raw(target: &Target, create: bool) -> rusqlite::Result<Connection> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if create {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    let connection = match target {
        Target::File(path) => Connection::open_with_flags(path, flags)?,
        Target::Memory(name) => Connection::open_with_flags(
            name,
            flags | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_URI,
        )?,
    };
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // rows refer only to rows that were written before them; checking each costs ten look-ups
    connection.pragma_update(None, "foreign_keys", false)?;
    // sorting must not need room on a full disk
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

/// Makes a connection the writer's.
fn for_writing(connection: &Connection, target: &Target) -> rusqlite::Result<()> {
    let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
    if pages == 0 && matches!(target, Target::File(_)) {
        // nothing is in it yet that a journal on the disk could save, and each one would cost a first start three
        // waits for the disk
        connection.pragma_update_and_check(None, "journal_mode", "MEMORY", |_| Ok(()))?;
    }
    if pages == 0 {
        // before the first table: pages that retention frees can be given back. Said again it would be written again.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    if matches!(target, Target::File(_)) {
        // asked for first: setting it needs a lock, and it is set for good
        let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
        if mode != "wal" {
            connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        }
    }
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", LOG_PAGES, |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update_and_check(None, "journal_size_limit", LARGEST_LOG, |_| Ok(()))
}

/// Bounds the file where a test wants it.
fn limit(connection: &Connection, options: &Options) -> rusqlite::Result<()> {
    if let Some(pages) = options.max_pages {
        connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
    }
    Ok(())
}
