//! The demo: the embedded services, and what they need of this machine.

use std::ffi::OsString;
use std::path::Path;

use tempfile::TempDir;

use super::services::known_kinds;
use super::{Exit, output};
use crate::config::{Config, ServiceConfig};
use crate::connect::dpod;
use crate::connect::dpod::inbox::{Inbox, Record};
use crate::kinds;
use crate::model::Timestamp;
use crate::sim::dialect::DialectEntry;
use crate::sim::{self, Hook, PastCall, SimError, SimOptions};

/// The embedded services, which run as long as this lives.
pub struct Demo {
    running: sim::Running,
    // Goes after the services that write into it.
    _inbox: Option<TempDir>,
}

impl Demo {
    /// Starts the embedded services whose kinds keepwatch can watch.
    ///
    /// # Errors
    /// [`Exit::Failure`] when they can't start, after the reason was told.
    pub async fn start() -> Result<Self, Exit> {
        Self::with(SimOptions::default(), kinds::dialects())
            .await
            .map_err(|e| {
                output::complain(&e.to_string());
                Exit::Failure
            })
    }

    /// Starts these. The scripts of an embedded DPOD report to an inbox of its own, unless the options say what they
    /// call.
    ///
    /// # Errors
    /// As [`sim::start`].
    pub async fn with(
        mut options: SimOptions,
        entries: Vec<DialectEntry>,
    ) -> Result<Self, SimError> {
        let wanted = |kind| options.kinds.is_empty() || options.kinds.iter().any(|k| k == kind);
        let dpod = entries
            .iter()
            .find(|entry| is_dpod(entry.kind) && wanted(entry.kind))
            .filter(|_| options.hook.is_none());
        let inbox = dpod.and_then(|_| folder());
        if let (Some(entry), Some(inbox)) = (dpod, &inbox) {
            options.hook = recorder(entry.name, inbox.path());
        }
        let mut running = sim::start(options, entries).await?;
        if let Some(inbox) = &inbox {
            remember(&running.past_calls, inbox.path());
            for line in running.services.iter_mut().filter(|it| is_dpod(it.kind)) {
                let inbox = inbox.path().display().to_string();
                line.auth.options.push(("inbox", inbox));
            }
        }
        Ok(Self {
            running,
            _inbox: inbox,
        })
    }

    /// The services.
    pub fn running(&self) -> &sim::Running {
        &self.running
    }

    /// They as if they were configured.
    ///
    /// # Errors
    /// [`Exit::Failure`] when their own configuration can't be read, after the reason was told.
    pub fn services(&self) -> Result<Vec<ServiceConfig>, Exit> {
        let text = self.running.config_toml();
        let parsed = Config::parse(&text, "embedded services", Path::new("."), &known_kinds());
        parsed.map(|config| config.services).map_err(|mistakes| {
            for mistake in mistakes {
                output::complain(&mistake.to_string());
            }
            Exit::Failure
        })
    }
}

/// Writes down what the scripts were told before the simulation began, as if they had been called then.
fn remember(calls: &[PastCall], root: &Path) {
    for calls in calls.chunk_by(|a, b| a.service == b.service) {
        let Some(first) = calls.first() else { continue };
        let records: Vec<Record> = calls
            .iter()
            .map(|call| {
                let at = Timestamp(call.at.timestamp_millis());
                Record::script(at, call.args.clone())
            })
            .collect();
        if let Err(e) = Inbox::of(root, &first.service).append_all(&records) {
            output::complain(&format!("the demo's inbox can't be written: {e}"));
        }
    }
}

fn is_dpod(kind: &str) -> bool {
    kind == dpod::KIND.name()
}

/// How the folders of demos begin, before the number of their process.
const FOLDER: &str = "keepwatch-demo-";

/// A folder for the demo's inbox that goes with it. Without one DPOD's tasks stay unseen, and nothing else changes.
fn folder() -> Option<TempDir> {
    clear_away(&std::env::temp_dir());
    tempfile::Builder::new()
        .prefix(&format!("{FOLDER}{}-", std::process::id()))
        .tempdir()
        .map_err(|e| output::complain(&format!("the demo has no folder for its inbox: {e}")))
        .ok()
}

/// Removes what demos left that were killed.
fn clear_away(temp: &Path) {
    // Only where the system tells which processes there are.
    let processes = Path::new("/proc");
    if !processes.join("self").exists() {
        return;
    }
    let entries = std::fs::read_dir(temp).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let process = name
            .to_str()
            .and_then(|name| name.strip_prefix(FOLDER)?.split_once('-'))
            .and_then(|(number, _)| number.parse::<u32>().ok());
        if process.is_some_and(|number| !processes.join(number.to_string()).exists()) {
            // Somebody else's stays, and one that is gone already is gone.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// This very program as the scripts of a real DPOD call it.
fn recorder(service: &str, inbox: &Path) -> Option<Hook> {
    // A test's own program would take the arguments for names of tests.
    if cfg!(test) {
        return None;
    }
    let program = std::env::current_exe().ok()?;
    let words = ["record", dpod::KIND.name(), "--service", service, "--inbox"];
    let mut args: Vec<OsString> = words.into_iter().map(OsString::from).collect();
    args.push(inbox.as_os_str().to_owned());
    args.push("--".into());
    Some(Hook {
        program: program.into_os_string(),
        args,
        loud: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_demos_that_were_killed_are_cleared_away() {
        let temp = tempfile::tempdir().expect("a folder");
        let make = |name: String| {
            let path = temp.path().join(name);
            std::fs::create_dir_all(path.join("gateways")).expect("made");
            path
        };
        let own = make(format!("{FOLDER}{}-a", std::process::id()));
        // Beyond the largest number that a process can have.
        let killed = make(format!("{FOLDER}4194305-b"));
        let other = make("keepwatch-demo-notes".to_owned());
        clear_away(temp.path());
        assert!(own.exists() && other.exists());
        assert_eq!(killed.exists(), !Path::new("/proc/self").exists());
    }
}
