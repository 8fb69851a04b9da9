//! Taking the terminal over and giving it back, whatever happens: at the end, in a panic, on a signal.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crossterm::terminal::{disable_raw_mode, enable_raw_mode};

/// Alternate screen, cursor hidden, bracketed paste, focus reports, blank.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[?1004h\x1b[m\x1b[2J";
/// All of it undone, in the other order; ends a synchronized update that a panic cut in two.
const LEAVE: &[u8] = b"\x1b[?2026l\x1b[m\x1b[?1004l\x1b[?2004l\x1b[?25h\x1b[?1049l";

static TAKEN: AtomicBool = AtomicBool::new(false);
/// Panics of other threads, told when the screen is free again.
static HELD_BACK: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Standard output as a file: written to in one piece, without the line buffering of [`io::stdout`].
///
/// # Errors
/// When the descriptor can't be duplicated.
pub fn output() -> io::Result<File> {
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

/// The terminal is ours while this lives.
#[derive(Debug)]
pub struct Guard(());

impl Guard {
    /// Takes the terminal over and makes sure that a panic gives it back.
    ///
    /// # Errors
    /// When there is no terminal or it can't be set up.
    pub fn take() -> io::Result<Self> {
        enter()?;
        let us = thread::current().id();
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !TAKEN.load(Ordering::SeqCst) {
                before(info);
            } else if thread::current().id() == us {
                leave();
                before(info);
            } else if let Ok(mut held) = HELD_BACK.lock() {
                // the console goes on without that thread: its screen must not be written over
                held.push(info.to_string());
            }
        }));
        Ok(Self(()))
    }

    /// Gives the terminal back for a while (before the program is stopped).
    pub fn release(&self) {
        leave();
    }

    /// Takes it over again.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn retake(&self) -> io::Result<()> {
        // the shell may have changed the terminal's mode behind our back
        let _ = disable_raw_mode();
        enter()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        leave();
        if let Ok(mut held) = HELD_BACK.lock() {
            for panic in held.drain(..) {
                eprintln!("keepwatch: a part of the program failed and was left out: {panic}");
            }
        }
    }
}

fn enter() -> io::Result<()> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    let result = output().and_then(|mut out| out.write_all(ENTER));
    if result.is_err() {
        leave();
    }
    result
}

fn leave() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        if let Ok(mut out) = output() {
            // a terminal that is gone needs nothing back
            let _ = out.write_all(LEAVE);
        }
        let _ = disable_raw_mode();
    }
}
