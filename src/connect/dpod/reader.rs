//! Reading what was added to an inbox since the last time.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::inbox::{EXTENSION, Inbox, Record};
use crate::connect::decode::bad_row;
use crate::model::BadRow;

/// The longest line that is read; arguments of a command can't be longer.
const LONGEST_LINE: u64 = 16 * 1024 * 1024;
/// How long a line without an end is given the benefit of the doubt.
const SETTLED: Duration = Duration::from_secs(10);

/// What one reading brought.
#[derive(Debug, Default)]
pub struct Batch {
    /// New events, in order of time.
    pub records: Vec<Record>,
    /// Lines that could not be read.
    pub bad: Vec<BadRow>,
    /// False while no script has ever reported.
    pub exists: bool,
    /// True when a file was cut or replaced: everything is to be read anew, by a new reader.
    pub reset: bool,
}

/// How far one file was read.
#[derive(Debug, Default)]
struct Segment {
    /// The beginning of the first line that was not read.
    offset: u64,
    /// Which file it was.
    identity: (u64, u64),
    /// The length at which a last line without an end was seen.
    loose_end: Option<u64>,
    /// The beginning of a line without an end that was reported.
    reported: Option<u64>,
}

/// Reads one service's inbox bit by bit.
#[derive(Debug)]
pub struct Reader {
    inbox: Inbox,
    segments: BTreeMap<OsString, Segment>,
}

impl Reader {
    /// From the beginning.
    #[must_use]
    pub const fn new(inbox: Inbox) -> Self {
        Self {
            inbox,
            segments: BTreeMap::new(),
        }
    }

    /// The inbox.
    #[must_use]
    pub const fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    /// What was added since the last call.
    ///
    /// # Errors
    /// The folder or a file can't be read. What was read before the error is read again.
    pub fn read_new(&mut self) -> io::Result<Batch> {
        let mut batch = Batch::default();
        let dir = match fs::read_dir(self.inbox.dir()) {
            Ok(dir) => dir,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(batch),
            Err(e) => return Err(e),
        };
        let mut names = Vec::new();
        for entry in dir {
            let name = entry?.file_name();
            if Path::new(&name).extension().is_some_and(|e| e == EXTENSION) {
                names.push(name);
            }
        }
        batch.exists = !names.is_empty();
        batch.reset = self.segments.keys().any(|name| !names.contains(name));
        for name in names {
            let path = self.inbox.dir().join(&name);
            let shown = name.to_string_lossy().into_owned();
            match File::open(&path) {
                Ok(file) => {
                    let segment = self.segments.entry(name).or_default();
                    segment.read(file, &shown, &mut batch)?;
                }
                // deleted in between
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => return Err(e),
            }
        }
        batch.records.sort_by_key(|record| record.at);
        Ok(batch)
    }
}

impl Segment {
    fn read(&mut self, mut file: File, name: &str, batch: &mut Batch) -> io::Result<()> {
        let metadata = file.metadata()?;
        let identity = identity(&metadata);
        if self.offset == 0 {
            self.identity = identity;
        } else if identity != self.identity || metadata.len() < self.offset {
            // another file, or one that somebody cut
            batch.reset = true;
            return Ok(());
        }
        if metadata.len() == self.offset {
            return Ok(());
        }
        file.seek(SeekFrom::Start(self.offset))?;
        let mut bytes = Vec::new();
        file.take(metadata.len() - self.offset)
            .read_to_end(&mut bytes)?;
        let mut rest = bytes.as_slice();
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, after) = rest.split_at(end);
            self.line(line, name, batch);
            self.offset += line.len() as u64 + 1;
            rest = after.get(1..).unwrap_or_default();
        }
        if rest.is_empty() {
            self.loose_end = None;
            return Ok(());
        }
        // A line without an end: somebody is writing it now, or was stopped in the middle of it.
        let length = self.offset + rest.len() as u64;
        let settled = self.loose_end == Some(length)
            || metadata
                .modified()
                .ok()
                .and_then(|at| SystemTime::now().duration_since(at).ok())
                .is_some_and(|age| age > SETTLED);
        self.loose_end = Some(length);
        if settled && self.reported != Some(self.offset) {
            self.reported = Some(self.offset);
            batch.bad.push(bad(
                name,
                self.offset,
                "the line has no end: its writer was stopped, or the disk was full",
                rest,
            ));
        }
        if rest.len() as u64 > LONGEST_LINE {
            self.offset = length;
        }
        Ok(())
    }

    fn line(&mut self, line: &[u8], name: &str, batch: &mut Batch) {
        if line.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        match Record::read(line) {
            Ok(record) => batch.records.push(record),
            Err(_) if self.reported == Some(self.offset) => {}
            Err(why) => batch.bad.push(bad(name, self.offset, &why, line)),
        }
    }
}

fn bad(name: &str, offset: u64, why: &str, line: &[u8]) -> BadRow {
    bad_row(
        &format!("inbox {name}, byte {offset}"),
        why,
        &String::from_utf8_lossy(line),
    )
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> (u64, u64) {
    (0, 1)
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Write;

    use super::*;
    use crate::model::Timestamp;

    fn event(n: i64) -> Record {
        Record::script(Timestamp(n), vec![format!("event {n}")])
    }

    /// An inbox with `n` events, and its only file.
    fn filled(dir: &Path, n: i64) -> (Inbox, std::path::PathBuf) {
        let inbox = Inbox::of(dir, "gw");
        for i in 1..=n {
            inbox.append(&event(i)).unwrap();
        }
        let file = fs::read_dir(inbox.dir()).unwrap().next().unwrap().unwrap();
        (inbox, file.path())
    }

    fn numbers(batch: &Batch) -> Vec<i64> {
        batch.records.iter().map(|r| r.at).collect()
    }

    #[test]
    fn only_what_was_added_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let (inbox, file) = filled(dir.path(), 2);
        let mut reader = Reader::new(inbox.clone());
        assert_eq!(numbers(&reader.read_new().unwrap()), [1, 2]);
        assert_eq!(numbers(&reader.read_new().unwrap()), [0; 0]);
        // the part that was read is really left alone
        let length = fs::metadata(&file).unwrap().len();
        fs::write(&file, vec![b'x'; length as usize]).unwrap();
        inbox.append(&event(3)).unwrap();
        let batch = reader.read_new().unwrap();
        assert_eq!((numbers(&batch), batch.bad.len()), (vec![3], 0));
    }

    #[test]
    fn no_inbox_yet_is_no_error() {
        let dir = tempfile::tempdir().unwrap();
        let batch = Reader::new(Inbox::of(dir.path(), "gw")).read_new().unwrap();
        assert!(!batch.exists && batch.records.is_empty());
    }

    #[test]
    fn a_line_cut_by_a_crash_costs_that_line() {
        let dir = tempfile::tempdir().unwrap();
        let (inbox, path) = filled(dir.path(), 2);
        let whole = fs::metadata(&path).unwrap().len();
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(whole - 9).unwrap();

        let mut reader = Reader::new(inbox.clone());
        let batch = reader.read_new().unwrap();
        assert_eq!(numbers(&batch), [1]);
        assert_eq!(batch.bad, [], "it may still be written");
        let batch = reader.read_new().unwrap();
        assert_eq!(batch.bad.len(), 1, "nobody went on with it");
        assert!(batch.bad[0].why.contains("no end"), "{}", batch.bad[0].why);

        inbox.append(&event(3)).unwrap();
        let batch = reader.read_new().unwrap();
        assert_eq!(numbers(&batch), [3]);
        assert_eq!(batch.bad, [], "it was told before");

        let mut fresh = Reader::new(inbox);
        let batch = fresh.read_new().unwrap();
        assert_eq!((numbers(&batch), batch.bad.len()), (vec![1, 3], 1));
    }

    #[test]
    fn an_old_cut_line_is_told_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let (inbox, path) = filled(dir.path(), 1);
        let mut file = OpenOptions::new().append(true).open(path).unwrap();
        file.write_all(b"\n0123").unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(60))
            .unwrap();
        let batch = Reader::new(inbox).read_new().unwrap();
        assert_eq!((numbers(&batch), batch.bad.len()), (vec![1], 1));
    }

    #[test]
    fn a_line_that_is_being_written_waits_for_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let (inbox, path) = filled(dir.path(), 2);
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 9]).unwrap();
        let mut reader = Reader::new(inbox);
        assert_eq!(numbers(&reader.read_new().unwrap()), [1]);
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(&bytes[bytes.len() - 9..]).unwrap();
        let batch = reader.read_new().unwrap();
        assert_eq!((numbers(&batch), batch.bad.len()), (vec![2], 0));
    }

    #[test]
    fn a_file_that_was_cut_or_replaced_is_read_anew() {
        let dir = tempfile::tempdir().unwrap();
        let (inbox, path) = filled(dir.path(), 3);
        let mut reader = Reader::new(inbox.clone());
        reader.read_new().unwrap();
        fs::remove_file(&path).unwrap();
        assert!(reader.read_new().unwrap().reset);
        inbox.append(&event(9)).unwrap();
        assert!(reader.read_new().unwrap().reset, "until it is read anew");
        assert_eq!(numbers(&Reader::new(inbox).read_new().unwrap()), [9]);
    }

    #[test]
    fn files_of_several_machines_are_read_together_in_order_of_time() {
        let dir = tempfile::tempdir().unwrap();
        let (inbox, path) = filled(dir.path(), 3);
        let other = path.with_file_name("1970-01.other.events");
        fs::rename(&path, &other).unwrap();
        inbox.append(&event(2)).unwrap();
        fs::write(inbox.dir().join("notes.txt"), "not ours").unwrap();
        let mut reader = Reader::new(inbox);
        let batch = reader.read_new().unwrap();
        assert_eq!((numbers(&batch), batch.bad.len()), (vec![1, 2, 2, 3], 0));
    }
}
