//! `keepwatch record`: takes down what a script of a backup product was told, for the console to read.
//!
//! It is called in the middle of somebody's backup. Whatever goes wrong here, it ends soon and with 0, so
//! that it can never stop one: the fault goes to standard error and into a log beside the inbox.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM, SIGXFSZ};

use super::cli::RecordArgs;
use super::services::known_kinds;
use super::{Exit, output};
use crate::config::Config;
use crate::connect::dpod;
use crate::connect::dpod::inbox::{self, Inbox, Record};
use crate::model::{Timestamp, clean};

/// The longest that a script is held up, by a folder on a network that does not answer for instance.
const PATIENCE: Duration = Duration::from_secs(5);
/// The name of the log in the inbox's root folder.
const LOG: &str = "record.log";
/// The largest log; then it begins anew and the old one is kept as `record.log.1`.
const LARGEST_LOG: u64 = 1024 * 1024;

/// True when this command line means `record`, however badly it is written.
pub fn is_meant(args: impl IntoIterator<Item = OsString>) -> bool {
    let mut args = args.into_iter().skip(1);
    while let Some(arg) = args.next() {
        match arg.to_str() {
            Some("--config") => drop(args.next()),
            Some(flag) if flag.starts_with('-') => {}
            Some(word) => return word == "record",
            None => return false,
        }
    }
    false
}

/// Says what is wrong with the command line, and ends well all the same.
pub fn badly_called(error: &clap::Error) -> Exit {
    let text = error.to_string();
    within_patience(move || {
        let root = inbox::root(None);
        tell(
            root.as_deref().ok(),
            "",
            &format!("nothing was recorded: {text}"),
        );
    });
    Exit::Ok
}

/// Records one event.
pub fn run(args: &RecordArgs, config: Option<&Path>) -> Exit {
    let args = args.clone();
    let config = config.map(Path::to_owned);
    within_patience(move || record(&args, config.as_deref()));
    Exit::Ok
}

/// Takes note of the signals that would end the program, and does not obey them: it ends by itself, within
/// [`PATIENCE`] and well. A limit on the size of files is among them (`ulimit -f`): the write that goes beyond it
/// fails then, as on a full disk.
fn outlive_signals() {
    for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGXFSZ] {
        // without it the program would be where it was before: ended by the signal
        let _ = signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)));
    }
}

/// Does the work in a thread of its own and leaves it alone when it takes too long.
fn within_patience(work: impl FnOnce() + Send + 'static) {
    outlive_signals();
    let (done, wait) = mpsc::channel();
    let begun = std::thread::Builder::new().spawn(move || {
        work();
        // nobody waits any more only when the program is ending
        let _ = done.send(());
    });
    if let Err(e) = begun {
        output::complain(&format!("nothing was recorded: no thread can be had: {e}"));
        return;
    }
    match wait.recv_timeout(PATIENCE) {
        Ok(()) => {}
        Err(mpsc::RecvTimeoutError::Timeout) => output::complain(&format!(
            "the inbox did not answer within {} s: the event may be lost",
            PATIENCE.as_secs()
        )),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            output::complain("recording broke off: the event may be lost");
        }
    }
}

fn record(args: &RecordArgs, config: Option<&Path>) {
    let at = Timestamp::now();
    let mut remarks = Vec::new();
    let root = root_for(args, config, &mut remarks);
    let texts: Vec<String> = args
        .args
        .iter()
        .map(|arg| arg.to_string_lossy().into_owned())
        .collect();
    if args.kind != dpod::KIND.name() {
        remarks.push(format!(
            "nothing was recorded: {} has no scripts that report to keepwatch, only {} has",
            args.kind,
            dpod::KIND
        ));
    } else {
        if let Err(why) = dpod::understand(&texts) {
            remarks.push(format!("these arguments can't be read as an event: {why}"));
        }
        let written = match &root {
            Some(root) => Inbox::of(root, &args.service)
                .append(&Record::script(at, texts.clone()))
                .map_err(|e| {
                    format!(
                        "the event is lost: {} can't be written: {e}",
                        root.display()
                    )
                }),
            None => Err("the event is lost: there is no folder for the inbox".to_owned()),
        };
        remarks.extend(written.err());
    }
    for remark in remarks {
        let call = format!("{} {:?}", args.service, texts);
        tell(root.as_deref(), &call, &remark);
    }
}

/// Where the inbox lies: as the command line says, else as the service's configuration says, else the
/// user's own.
fn root_for(
    args: &RecordArgs,
    config: Option<&Path>,
    remarks: &mut Vec<String>,
) -> Option<PathBuf> {
    let mut option = args.inbox.as_ref().map(|dir| dir.display().to_string());
    if option.is_none() {
        match Config::load(config, &known_kinds()) {
            Ok(config) => {
                let service = config.services.iter().find(|s| *s.name == *args.service);
                option = service.and_then(|s| s.options.get("inbox").cloned());
                if service.is_none() && !config.services.is_empty() {
                    remarks.push(format!(
                        "the configuration has no service named {}: the event is kept under that name",
                        args.service
                    ));
                }
            }
            Err(mistakes) => {
                let first = mistakes
                    .first()
                    .map(ToString::to_string)
                    .unwrap_or_default();
                remarks.push(format!(
                    "the configuration can't be used, the event goes to the usual inbox: {first}"
                ));
            }
        }
    }
    inbox::root(option.as_deref())
        .or_else(|why| {
            remarks.push(why);
            inbox::root(None)
        })
        .map_err(|why| remarks.push(why))
        .ok()
}

/// Says it on standard error and writes it into the log.
fn tell(root: Option<&Path>, call: &str, what: &str) {
    output::complain(what.trim_end());
    let Some(root) = root else { return };
    let line = format!("{} {call}: {what}", Timestamp::now().rfc3339());
    if let Err(e) = log(root, &clean(line.trim_end())) {
        output::complain(&format!(
            "the log {} can't be written: {e}",
            root.join(LOG).display()
        ));
    }
}

fn log(root: &Path, line: &str) -> std::io::Result<()> {
    fs::create_dir_all(root)?;
    let path = root.join(LOG);
    if fs::metadata(&path).is_ok_and(|m| m.len() > LARGEST_LOG) {
        fs::rename(&path, root.join(format!("{LOG}.1")))?;
    }
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    file.write_all(format!("{line}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::is_meant;

    #[test]
    fn record_is_told_from_other_commands() {
        let meant = |line: &str| is_meant(line.split(' ').map(Into::into));
        assert!(meant("keepwatch record"));
        assert!(meant(
            "keepwatch --read-only --config x.toml record dpod --bogus"
        ));
        assert!(meant("keepwatch --config=x.toml record"));
        assert!(!meant("keepwatch explain record"));
        assert!(!meant("keepwatch --config record"));
        assert!(!meant("keepwatch"));
    }
}
