//! The inbox of one service: where the plan and task scripts of DPOD leave what they were told.
//!
//! DPOD has no call that lists executions or tasks (Appliance Backup REST API, all versions). Its documented
//! feed is a script before and after each plan and each task. `keepwatch record` writes each such call as one
//! line; the console reads what was added since. Lines are only ever added, so that nothing has to run while
//! a script reports, and many may report at once.
//!
//! A line is `SUM JSON`, with an empty line before it: `SUM` is the first 16 hexadecimal digits of the SHA-256
//! of the JSON text. The JSON is `{"v":1,"at":MS,"args":[…]}` for a script (`MS`: milliseconds since 1970,
//! `args`: its arguments), or `{"v":1,"at":MS,"sent":{…}}` for an execute that a console sent. The line break
//! in front ends whatever a crash cut short before; the sum finds what was damaged in another way.
//!
//! The folder of a service holds a file a month and writing machine (`2026-11.HOST.events`): old months may be
//! deleted, and machines that share the folder over a network never write into the same file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model::Timestamp;

/// The environment variable that names the inbox's root folder.
pub const ENV: &str = "KEEPWATCH_INBOX";
/// How the name of a file of events ends.
pub(super) const EXTENSION: &str = "events";
/// The format's version.
const VERSION: u32 = 1;

/// One line.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Record {
    /// The format's version.
    v: u32,
    /// When it was written, by the writing machine's clock, in milliseconds since 1970.
    pub at: i64,
    /// What the script was called with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub args: Option<Vec<String>>,
    /// What a console sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Sent>,
}

/// An execute that DPOD took into its queue.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Sent {
    /// The family's word (`backup`, `sync`, `firmware upgrade`).
    pub family: String,
    /// The plan's API reference.
    #[serde(rename = "ref")]
    pub reference: String,
    /// The plan's name.
    pub plan: String,
    /// DPOD's answer (`Backup plan added to execution queue`).
    pub answer: String,
}

impl Record {
    /// What a script was told.
    #[must_use]
    pub fn script(at: Timestamp, args: Vec<String>) -> Self {
        Self {
            v: VERSION,
            at: at.millis(),
            args: Some(args),
            sent: None,
        }
    }

    /// What a console sent.
    #[must_use]
    pub fn sent(at: Timestamp, sent: Sent) -> Self {
        Self {
            v: VERSION,
            at: at.millis(),
            args: None,
            sent: Some(sent),
        }
    }

    /// The line as it is written, line breaks before and after it included.
    pub(super) fn line(&self) -> io::Result<Vec<u8>> {
        let json = serde_json::to_string(self)?;
        Ok(format!("\n{} {json}\n", sum(json.as_bytes())).into_bytes())
    }

    /// Reads a line without its line break.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(line: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(line).map_err(|_| "the line is not text".to_owned())?;
        let (sum_told, json) = text
            .split_once(' ')
            .ok_or("the line has no check sum: it was cut short, or something else wrote it")?;
        if sum(json.as_bytes()) != sum_told {
            return Err("the check sum is wrong: the line was cut short or damaged".to_owned());
        }
        let record: Self =
            serde_json::from_str(json).map_err(|e| format!("the line is not an event: {e}"))?;
        if record.v > VERSION {
            return Err(format!(
                "the line has version {} and this keepwatch reads up to {VERSION}: update it",
                record.v
            ));
        }
        Ok(record)
    }
}

fn sum(json: &[u8]) -> String {
    hex::encode(Sha256::digest(json).get(..8).unwrap_or_default())
}

/// The folder of one service's events.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Inbox {
    dir: PathBuf,
}

impl Inbox {
    /// The inbox of the service with this name below `root`.
    #[must_use]
    pub fn of(root: &Path, service: &str) -> Self {
        Self {
            dir: root.join(file_name(service)),
        }
    }

    /// The folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Adds one line, in one write, and waits until it is on the disk.
    ///
    /// # Errors
    /// The folder can't be made, the file can't be opened or written, the disk is full.
    pub fn append(&self, record: &Record) -> io::Result<()> {
        self.append_all(std::slice::from_ref(record))
    }

    /// Adds a line for each, each in one write, and waits until all are on the disk. Fast when those of a month come
    /// one after the other.
    ///
    /// # Errors
    /// As [`Inbox::append`]; those before the failure are written.
    pub fn append_all(&self, records: &[Record]) -> io::Result<()> {
        fs::create_dir_all(&self.dir)?;
        let machine = machine();
        for records in records.chunk_by(|a, b| month(Timestamp(a.at)) == month(Timestamp(b.at))) {
            let Some(first) = records.first() else {
                continue;
            };
            let month = month(Timestamp(first.at));
            let path = self.dir.join(format!("{month}.{machine}.{EXTENSION}"));
            let mut file = OpenOptions::new().append(true).create(true).open(path)?;
            for record in records {
                write_line(&mut file, &record.line()?)?;
            }
            file.sync_data()?;
        }
        Ok(())
    }
}

/// One write is one line even when many write at once. A short one (a full disk) is ended by the line break of the
/// next, so that trying the whole line again is safe.
fn write_line(file: &mut File, line: &[u8]) -> io::Result<()> {
    for _ in 0..2 {
        if file.write(line)? == line.len() {
            return Ok(());
        }
    }
    Err(io::Error::new(
        io::ErrorKind::StorageFull,
        "only a part of the event could be written",
    ))
}

/// The root folder of all inboxes: the service's option `inbox`, else the environment variable
/// `KEEPWATCH_INBOX`, else `inbox` in the user's data directory.
///
/// # Errors
/// A path that is not absolute, a user without a home directory.
pub fn root(option: Option<&str>) -> Result<PathBuf, String> {
    let named = option
        .filter(|path| !path.is_empty())
        .map(|path| ("the option inbox", PathBuf::from(path)))
        .or_else(|| {
            std::env::var_os(ENV)
                .filter(|path| !path.is_empty())
                .map(|path| (ENV, PathBuf::from(path)))
        });
    let Some((source, path)) = named else {
        return directories::ProjectDirs::from("", "", "keepwatch")
            .map(|dirs| dirs.data_dir().join("inbox"))
            .ok_or_else(|| {
                format!("this user has no home directory for the inbox: set {ENV} to a folder")
            });
    };
    let path = match path.strip_prefix("~") {
        Ok(rest) => directories::BaseDirs::new()
            .map(|dirs| dirs.home_dir().join(rest))
            .ok_or_else(|| format!("{source} begins with ~ and this user has no home directory"))?,
        Err(_) => path,
    };
    if path.is_absolute() {
        Ok(path)
    } else {
        Err(format!(
            "{source} is {}: give a whole path, the scripts run in another folder",
            path.display()
        ))
    }
}

/// A service's name as a file name.
fn file_name(service: &str) -> String {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');
    const LONGEST: usize = 100;
    let mut name = utf8_percent_encode(service, KEPT).to_string();
    if name.starts_with('.') {
        name.replace_range(..1, "%2E");
    }
    if name.is_empty() {
        name.push_str("%00");
    }
    if name.len() > LONGEST {
        // all of it is ASCII now
        name.truncate(LONGEST);
        name.push('-');
        name.push_str(&sum(service.as_bytes()));
    }
    name
}

fn month(at: Timestamp) -> String {
    at.utc()
        .map_or_else(|| "undated".to_owned(), |t| t.format("%Y-%m").to_string())
}

/// The name of this machine, as far as it can be had without asking the network.
fn machine() -> String {
    let name = ["/proc/sys/kernel/hostname", "/etc/hostname"]
        .iter()
        .find_map(|file| fs::read_to_string(file).ok())
        .or_else(|| std::env::var("HOSTNAME").ok())
        .unwrap_or_default();
    match name.trim() {
        "" => "host".to_owned(),
        name => file_name(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_back_and_a_changed_byte_is_found() {
        let odd = vec![
            "BACKUP-TASK".to_owned(),
            "a \"b\"\n\u{1b}[2J~,é".to_owned(),
            String::new(),
        ];
        let record = Record::script(Timestamp(1_700_000_000_123), odd);
        let line = record.line().unwrap();
        assert_eq!((line.first(), line.last()), (Some(&b'\n'), Some(&b'\n')));
        let inside = &line[1..line.len() - 1];
        assert!(!inside.contains(&b'\n'), "one event is one line");
        assert_eq!(Record::read(inside), Ok(record));
        for at in [0, 20, inside.len() - 2] {
            let mut damaged = inside.to_vec();
            damaged[at] = damaged[at].wrapping_add(1);
            assert!(Record::read(&damaged).is_err(), "byte {at}");
            assert!(Record::read(&inside[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_newer_version_is_said_and_not_guessed() {
        let json = r#"{"v":2,"at":1,"args":[]}"#;
        let line = format!("{} {json}", sum(json.as_bytes()));
        assert!(
            Record::read(line.as_bytes())
                .unwrap_err()
                .contains("update")
        );
    }

    #[test]
    fn names_of_services_are_file_names_that_never_collide_or_climb() {
        assert_eq!(file_name("gateways"), "gateways");
        assert_eq!(file_name("../x"), "%2E.%2Fx");
        assert_eq!(file_name("a b/ü"), "a%20b%2F%C3%BC");
        assert_ne!(file_name(""), "");
        let (one, two) = ("ä".repeat(80), format!("{}b", "ä".repeat(79)));
        assert!(file_name(&one).len() < 130);
        assert_ne!(file_name(&one), file_name(&two));
    }

    #[test]
    fn a_relative_inbox_is_refused() {
        assert!(root(Some("inbox")).unwrap_err().contains("whole path"));
        assert_eq!(root(Some("/srv/inbox")), Ok(PathBuf::from("/srv/inbox")));
        assert!(root(Some("~/inbox")).is_ok_and(|p| p.is_absolute() && p.ends_with("inbox")));
    }
}
