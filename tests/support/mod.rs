//! Driving the program from outside through a real pseudo-terminal.
//!
//! Tests wait for a screen, never for a time: [`Terminal::wait_for`] returns as soon as the screen shows
//! what is asked for, and fails with the screen as it is when that does not happen within a generous
//! limit (the machine may be busy).

#![allow(
    dead_code,
    reason = "each test binary uses its own part of the support"
)]

use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

/// The longest wait for a screen.
const PATIENCE: Duration = Duration::from_secs(60);

/// What programs ask to learn how far the terminal has read, and its answer (a VT220 with colours).
const QUESTION: &[u8] = b"\x1b[c";
const ANSWER: &[u8] = b"\x1b[?62;22c";

/// What the program wrote, as a terminal shows it.
struct Shown {
    parser: vt100::Parser,
    bytes: usize,
    raw: Vec<u8>,
    closed: bool,
}

/// The program under a pseudo-terminal.
pub struct Terminal {
    shown: Arc<(Mutex<Shown>, Condvar)>,
    writer: Arc<Mutex<Box<dyn Write + Send>>>,
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
}

fn cells(n: u16) -> std::num::NonZeroU16 {
    std::num::NonZeroU16::new(n).expect("a terminal of at least one cell")
}

/// A home of its own for one run, so that no configuration or history of the machine takes part.
pub fn home() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// The program that cargo built for this test run.
pub fn program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_keepwatch"))
}

impl Terminal {
    /// Starts the program with these arguments in a terminal of this size, with `home` as its home.
    pub fn start(columns: u16, rows: u16, home: &std::path::Path, arguments: &[&str]) -> Self {
        Self::start_with(columns, rows, home, arguments, &[])
    }

    /// The same with more environment variables.
    pub fn start_with(
        columns: u16,
        rows: u16,
        home: &std::path::Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let size = PtySize {
            rows,
            cols: columns,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system()
            .openpty(size)
            .expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(program());
        command.args(arguments);
        command.env_clear();
        command.env("HOME", home);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.env("TZ", "UTC");
        for (name, value) in environment {
            command.env(name, value);
        }
        command.cwd(home);
        let child = pair
            .slave
            .spawn_command(command)
            .expect("the program starts");
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let writer = Arc::new(Mutex::new(pair.master.take_writer().expect("a writer")));
        let answers = Arc::clone(&writer);
        let shown = Arc::new((
            Mutex::new(Shown {
                parser: vt100::Parser::new(cells(rows), cells(columns), 0),
                bytes: 0,
                raw: Vec::new(),
                closed: false,
            }),
            Condvar::new(),
        ));
        let sink = Arc::clone(&shown);
        std::thread::spawn(move || {
            let mut buffer = [0_u8; 16 * 1024];
            let mut asked = Vec::new();
            loop {
                let read = reader.read(&mut buffer).unwrap_or(0);
                let (lock, changed) = &*sink;
                let Ok(mut shown) = lock.lock() else { return };
                if read == 0 {
                    shown.closed = true;
                    changed.notify_all();
                    return;
                }
                let part = &buffer[..read];
                shown.parser.process(part);
                shown.bytes += read;
                shown.raw.extend_from_slice(part);
                changed.notify_all();
                drop(shown);
                asked.extend_from_slice(part);
                while let Some(at) = asked.windows(QUESTION.len()).position(|w| w == QUESTION) {
                    asked.drain(..at + QUESTION.len());
                    let mut writer = answers.lock().expect("the terminal");
                    // a program that has just ended wants no answer
                    let _ = writer.write_all(ANSWER).and_then(|()| writer.flush());
                }
                let kept = asked.len().saturating_sub(QUESTION.len() - 1);
                asked.drain(..kept);
            }
        });
        Self {
            shown,
            writer,
            master: pair.master,
            child,
        }
    }

    /// The screen as text, one line a row, trailing blanks cut.
    pub fn screen(&self) -> String {
        self.shown
            .0
            .lock()
            .expect("the screen")
            .parser
            .screen()
            .contents()
    }

    /// Every byte written so far.
    pub fn raw(&self) -> Vec<u8> {
        self.shown.0.lock().expect("the screen").raw.clone()
    }

    /// Waits until `wanted` holds for the screen; returns that screen.
    pub fn wait_until(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let (lock, changed) = &*self.shown;
        let until = Instant::now() + PATIENCE;
        let mut shown = lock.lock().expect("the screen");
        loop {
            let text = shown.parser.screen().contents();
            if wanted(&text) {
                return text;
            }
            let left = until.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero() && !shown.closed,
                "waited in vain for {what}; the screen is:\n{text}"
            );
            shown = changed.wait_timeout(shown, left).expect("the screen").0;
        }
    }

    /// Waits until the screen holds this text.
    pub fn wait_for(&self, text: &str) -> String {
        self.wait_until(&format!("{text:?}"), |screen| screen.contains(text))
    }

    /// Waits until the screen no longer holds this text.
    pub fn wait_gone(&self, text: &str) -> String {
        self.wait_until(&format!("{text:?} to go"), |screen| !screen.contains(text))
    }

    /// Types.
    pub fn press(&mut self, keys: &str) {
        let mut writer = self.writer.lock().expect("the terminal");
        writer
            .write_all(keys.as_bytes())
            .expect("the terminal takes keys");
        writer.flush().expect("the terminal takes keys");
    }

    /// Gives the terminal another size.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.shown
            .0
            .lock()
            .expect("the screen")
            .parser
            .screen_mut()
            .set_size(cells(rows), cells(columns));
        let size = PtySize {
            rows,
            cols: columns,
            pixel_width: 0,
            pixel_height: 0,
        };
        self.master.resize(size).expect("the terminal takes a size");
    }

    /// The program's process id.
    pub fn pid(&self) -> u32 {
        self.child.process_id().expect("a running program")
    }

    /// Waits for the program's end.
    pub fn wait_end(&mut self) -> ExitStatus {
        let (lock, changed) = &*self.shown;
        let until = Instant::now() + PATIENCE;
        let mut shown = lock.lock().expect("the screen");
        while !shown.closed {
            let left = until.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "the program does not end; its screen:\n{}",
                shown.parser.screen().contents()
            );
            shown = changed.wait_timeout(shown, left).expect("the screen").0;
        }
        drop(shown);
        self.child.wait().expect("an exit status")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // ends only the program this test started; it may be over already
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Arrow down.
pub const DOWN: &str = "\x1b[B";
/// Arrow up.
pub const UP: &str = "\x1b[A";
/// Escape.
pub const ESC: &str = "\x1b";
/// Enter.
pub const ENTER: &str = "\r";
/// Tab.
pub const TAB: &str = "\t";
