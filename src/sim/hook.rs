//! Hooks: what a product that calls scripts calls here.
//!
//! A program with its leading arguments is run for each event, one after the other and in the order of the events, so
//! that a flood of them never starts more than one process at a time and none is lost. The world never waits for it.

use std::ffi::OsString;
use std::process::Stdio;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::process::Command;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;

use super::server::{self, Shared};

/// What a script was told before the simulation began; nothing can be run for it any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastCall {
    /// The service whose script it was.
    pub service: String,
    /// When.
    pub at: DateTime<Utc>,
    /// The script's arguments.
    pub args: Vec<String>,
}

/// What is run for each event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// The program.
    pub program: OsString,
    /// Its leading arguments; those of the event follow.
    pub args: Vec<OsString>,
    /// Whether the program may write to standard error, and failures are told there.
    pub loud: bool,
}

impl Hook {
    /// A hook from a line of words with blanks in between.
    ///
    /// # Errors
    /// The line has no word.
    pub fn from_line(line: &str) -> Result<Self, String> {
        let mut words = line.split_whitespace().map(OsString::from);
        let program = words
            .next()
            .ok_or("expected a program, perhaps with arguments")?;
        Ok(Self {
            program,
            args: words.collect(),
            loud: true,
        })
    }
}

/// After so long a hook that hangs is ended, so that the others get their turn.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the hook for each event until the world is gone.
pub(super) async fn run(hook: Hook, mut events: UnboundedReceiver<Vec<String>>, shared: Shared) {
    while let Some(event) = events.recv().await {
        let fault = call(&hook, &event).await.err();
        server::with(&shared, |engine| {
            engine.world.count(match fault {
                None => "hook.run",
                Some(_) => "hook.failed",
            });
        });
        if let Some(fault) = fault.filter(|_| hook.loud) {
            eprintln!("keepwatch sim: hook {:?}: {fault}", hook.program);
        }
    }
}

async fn call(hook: &Hook, event: &[String]) -> Result<(), String> {
    let told = if hook.loud {
        Stdio::inherit()
    } else {
        Stdio::null()
    };
    let mut child = Command::new(&hook.program)
        .args(&hook.args)
        .args(event)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(told)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("can't be started: {error}"))?;
    match timeout(PATIENCE, child.wait()).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(format!("ended with {status}")),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!(
            "did not end within {} s and was stopped",
            PATIENCE.as_secs()
        )),
    }
}

/// Lets events happen when they are due, though nobody asks anything: a product calls its scripts by itself.
pub(super) async fn tick(shared: Shared) {
    const LONGEST: Duration = Duration::from_secs(1);
    const SHORTEST: Duration = Duration::from_millis(20);
    loop {
        let wait = server::with(&shared, |engine| {
            engine.catch_up();
            let speed = engine.world.clock.speed();
            let due = engine.world.next_due()?;
            let virtual_wait = due
                .signed_duration_since(engine.world.now())
                .to_std()
                .ok()?;
            (speed > 0.0).then(|| virtual_wait.div_f64(speed.max(1e-3)))
        });
        let wait = wait.unwrap_or(LONGEST).clamp(SHORTEST, LONGEST);
        tokio::time::sleep(wait).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_program_and_arguments() {
        let hook = Hook::from_line("  keepwatch record  dpod -- ").expect("a hook");
        assert_eq!(hook.program, "keepwatch");
        assert_eq!(hook.args, ["record", "dpod", "--"]);
        assert!(Hook::from_line("  ").is_err());
    }
}
