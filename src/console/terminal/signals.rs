//! Signals as messages, and stopping the program as Ctrl-Z does.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asked {
    /// End the program (SIGTERM, SIGHUP, SIGINT).
    End,
    /// Stop it (SIGTSTP from outside; the key Ctrl-Z comes as a key).
    Stop,
    /// Look at the terminal's size (SIGWINCH).
    Resize,
    /// It goes on after it was stopped by something else (SIGSTOP).
    GoOn,
}

/// The signals that the console answers to.
#[derive(Debug)]
pub struct Signals {
    term: Signal,
    hup: Signal,
    int: Signal,
    stop: Signal,
    go_on: Signal,
    size: Signal,
}

impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    /// When a handler can't be set.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            hup: signal(SignalKind::hangup())?,
            int: signal(SignalKind::interrupt())?,
            stop: signal(SignalKind::from_raw(signal_hook::consts::SIGTSTP))?,
            go_on: signal(SignalKind::from_raw(signal_hook::consts::SIGCONT))?,
            size: signal(SignalKind::window_change())?,
        })
    }

    /// The next one.
    pub async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.term.recv() => Asked::End,
            _ = self.hup.recv() => Asked::End,
            _ = self.int.recv() => Asked::End,
            _ = self.stop.recv() => Asked::Stop,
            _ = self.go_on.recv() => Asked::GoOn,
            _ = self.size.recv() => Asked::Resize,
        }
    }
}

/// Stops the whole program until somebody lets it go on (the shell's `fg`).
pub fn stop() {
    // without the default handler the program just isn't stopped
    let _ = signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP);
}
