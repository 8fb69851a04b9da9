//! The loop: the only owner of the state. It sleeps until something happens or a label in sight is due,
//! folds everything that has come in, and draws at most one frame for all of it.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use crossterm::terminal::size;
use ratatui::Terminal;
use ratatui::layout::Size;
use tokio::runtime::Handle;
use tokio::sync::mpsc::Receiver;

use crate::model::Timestamp;

use super::effect::{Backend, Effect, Inbox};
use super::message::Message;
use super::state::State;
use super::terminal::clipboard::{Between, copy};
use super::terminal::guard::output;
use super::terminal::input::{self, Said};
use super::terminal::signals::{self, Asked, Signals};
use super::terminal::{Guard, Screen};
use super::update::{fold, settle};
use super::view::{Due, view};

/// The least time between two frames of what services tell: 30 a second are as live as 60.
const GAP: Duration = Duration::from_millis(33);
/// The least time between a frame and the answer to a key: a held key repeats more slowly.
const KEY_GAP: Duration = Duration::from_millis(4);
/// A write that took longer than this met a slow link.
const SLOW: Duration = Duration::from_millis(5);
/// The longest time between two frames on a slow link.
const SLOWEST: Duration = Duration::from_millis(250);
/// The least time between two frames while nobody looks.
const UNATTENDED: Duration = Duration::from_secs(1);
/// Data is folded for at most so long before keys and the screen have their turn.
const SLICE: Duration = Duration::from_millis(8);
/// So long labels of age may wait for company while nothing happens, in milliseconds: somewhat longer than the time
/// between two rounds of a service that is asked often.
const LATE_MS: i64 = 6_000;
/// How many messages are taken in at once.
const BATCH: usize = 64;

/// What a run of the console has written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Written {
    /// Frames.
    pub frames: u64,
    /// Bytes.
    pub bytes: u64,
}

/// Runs the console on this thread until the operator quits. Must not be called from within the runtime.
///
/// # Errors
/// When there is no terminal, or it is gone.
pub fn run(
    runtime: &Handle,
    state: State,
    backend: &mut dyn Backend,
    inbox: Inbox,
) -> io::Result<Written> {
    if !io::stdout().is_terminal() {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "the console needs a terminal; for pipes and scripts there is keepwatch list",
        ));
    }
    let (columns, rows) = size()?;
    let guard = Guard::take()?;
    let screen = Screen::new(output()?, Size::new(columns, rows));
    let mut it = Loop {
        state,
        terminal: Terminal::new(screen)?,
        backend,
        guard: Some(guard),
        drawn: Instant::now().checked_sub(GAP).unwrap_or_else(Instant::now),
        due: Due::default(),
        over: false,
        stopping: false,
        resumed: None,
        resized: false,
        pressed: false,
        keep: None,
    };
    it.take(Message::Resize(columns, rows));
    it.draw()?;
    crate::threads::huge_pages(true);
    let keys = input::listen()?;
    runtime.block_on(async {
        let signals = Signals::listen()?;
        it.go(keys, inbox, signals).await
    })?;
    let (frames, bytes) = it.terminal.backend().totals();
    Ok(Written { frames, bytes })
}

/// The loop's own things.
struct Loop<'b, W: Write> {
    state: State,
    terminal: Terminal<Screen<W>>,
    backend: &'b mut dyn Backend,
    guard: Option<Guard>,
    /// When the last frame was drawn.
    drawn: Instant,
    /// When a label in sight changes by itself.
    due: Due,
    over: bool,
    /// The program is to stop itself.
    stopping: bool,
    /// When the program last went on after it had stopped itself.
    resumed: Option<Instant>,
    /// The terminal has another size, not yet asked which.
    resized: bool,
    /// The next frame is the answer to a key.
    pressed: bool,
    /// There is more to hand on to history, after this wait.
    keep: Option<Duration>,
}

impl<W: Write> Loop<'_, W> {
    async fn go(
        &mut self,
        mut keys: Receiver<Said>,
        mut inbox: Inbox,
        mut signals: Signals,
    ) -> io::Result<()> {
        let mut batch = Vec::with_capacity(BATCH);
        let mut open = true;
        while !self.over {
            let wait = self.wait();
            tokio::select! {
                biased;
                asked = signals.next() => self.signal(asked)?,
                key = keys.recv() => match key {
                    Some(said) => {
                        self.take(Message::Now(Timestamp::now()));
                        self.hear(said);
                    }
                    None => self.over = true,
                },
                count = inbox.recv_many(&mut batch, BATCH), if open => open = count > 0,
                () = sleep(wait), if wait.is_some() => {}
            }
            self.take(Message::Now(Timestamp::now()));
            let begun = Instant::now();
            for message in batch.drain(..).flat_map(Message::each) {
                // keys come first, also in the middle of a flood
                while let Ok(said) = keys.try_recv() {
                    self.hear(said);
                }
                if self.pressed && self.may_draw() {
                    self.draw()?;
                }
                self.take(message);
                if begun.elapsed() > SLICE && self.may_draw() {
                    self.draw()?;
                }
            }
            while let Ok(said) = keys.try_recv() {
                self.hear(said);
            }
            if std::mem::take(&mut self.stopping) {
                self.last_answers(&mut keys).await;
                self.suspend();
            }
            if std::mem::take(&mut self.state.stirred) {
                self.backend.stirred();
            }
            self.keep = self.backend.keep(&self.state.store, self.state.now);
            if self.due.first().is_some_and(|due| due <= self.state.now) {
                self.due = Due::default();
                self.take(Message::Tick(self.state.now));
            }
            if self.may_draw() {
                self.draw()?;
            }
        }
        self.backend.keep_rest(&self.state.store, self.state.now);
        self.last_answers(&mut keys).await;
        Ok(())
    }

    /// Takes what the terminal says.
    fn hear(&mut self, said: Said) {
        match said {
            Said::Message(message) => self.take(message),
            Said::Answer => self.terminal.backend_mut().link().answered(Instant::now()),
        }
    }

    /// Waits for what the terminal was asked last: the shell must not read the answer as keys.
    async fn last_answers(&mut self, keys: &mut Receiver<Said>) {
        loop {
            let link = self.terminal.backend().on_its_way();
            let Some(left) = link.expected(Instant::now()) else {
                return;
            };
            match tokio::time::timeout(left, keys.recv()).await {
                Ok(Some(Said::Answer)) => self.hear(Said::Answer),
                // keys of the last moment mean nothing any more
                Ok(Some(Said::Message(_))) => {}
                Ok(None) | Err(_) => return,
            }
        }
    }

    /// How long nothing has to be done unless something happens; `None` for ever.
    fn wait(&self) -> Option<Duration> {
        let owed = self.state.dirty.then(|| {
            let gap = self.gap().saturating_sub(self.drawn.elapsed());
            let link = self.terminal.backend().on_its_way();
            link.wait(Instant::now()).map_or(gap, |wait| gap.max(wait))
        });
        // while nothing happens, ages may wait for the next answers, which wake the program anyway
        let late = if self.backend.is_calm() { LATE_MS } else { 0 };
        let ages = self.due.ages.map(|at| at.plus(late));
        let due = [self.due.exactly, ages].into_iter().flatten().min();
        let due = due.map(|at| {
            let ms = at.since(Timestamp::now()).max(0);
            Duration::from_millis(u64::try_from(ms).unwrap_or(0))
        });
        [owed, due, self.keep].into_iter().flatten().min()
    }

    /// The least time between two frames, as things are.
    fn gap(&self) -> Duration {
        if !self.state.attended {
            return UNATTENDED;
        }
        let least = if self.pressed { KEY_GAP } else { GAP };
        let blocked = self.terminal.backend().blocked();
        if blocked > SLOW {
            // a frame that took long to go out is not followed by another at once
            (blocked * 3).clamp(GAP * 2, SLOWEST)
        } else {
            least
        }
    }

    fn may_draw(&self) -> bool {
        let link = self.terminal.backend().on_its_way();
        self.state.dirty
            && self.drawn.elapsed() >= self.gap()
            && link.wait(Instant::now()).is_none()
    }

    /// Folds a message and carries out what it asks for.
    fn take(&mut self, message: Message) {
        match &message {
            // of a storm of sizes only the one that holds when it is drawn matters
            Message::Resize(..) => {
                self.resized = true;
                self.state.dirty = true;
                if self.terminal.backend().totals().0 > 0 {
                    return;
                }
            }
            Message::Action(_) => self.state.stirred = true,
            Message::Key(_) => {
                self.state.stirred = true;
                self.state.attended = true;
                self.pressed = true;
            }
            _ => {}
        }
        let effects = fold(&mut self.state, message);
        self.carry_out(effects);
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Copy { what, text } => {
                    let between = Between::from_env(|name| std::env::var(name).ok());
                    let how = copy(&text, between).map(|(bytes, how)| {
                        self.terminal.backend_mut().append(&bytes);
                        how.to_owned()
                    });
                    self.take(Message::Copied { what, how });
                }
                Effect::Repaint => self.repaint(),
                Effect::Suspend => self.stopping = true,
                Effect::Quit => self.over = true,
                other => self.backend.perform(other),
            }
        }
    }

    fn repaint(&mut self) {
        self.terminal.backend_mut().forget();
        // what is on the screen is forgotten, so everything is drawn anew
        let _ = self.terminal.clear();
        self.state.dirty = true;
    }

    fn signal(&mut self, asked: Asked) -> io::Result<()> {
        match asked {
            Asked::End => self.take(Message::Terminate),
            Asked::Stop => self.stopping = true,
            Asked::Resize => {
                self.resized = true;
                self.state.dirty = true;
            }
            Asked::GoOn => {
                let ours = self
                    .resumed
                    .take()
                    .is_some_and(|at| at.elapsed() < Duration::from_secs(1));
                if !ours {
                    if let Some(guard) = &self.guard {
                        guard.retake()?;
                    }
                    self.take(Message::Resumed);
                }
            }
        }
        Ok(())
    }

    fn suspend(&mut self) {
        let Some(guard) = &self.guard else { return };
        guard.release();
        signals::stop();
        if guard.retake().is_err() {
            self.over = true;
            return;
        }
        self.terminal.backend_mut().link().forget();
        self.resumed = Some(Instant::now());
        self.resized = true;
        self.take(Message::Now(Timestamp::now()));
        self.take(Message::Resumed);
    }

    fn draw(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.resized)
            && self.guard.is_some()
            && let Ok((columns, rows)) = size()
        {
            self.terminal
                .backend_mut()
                .set_size(Size::new(columns, rows));
            // sizes in between may have cut or wrapped what stood there, even where the size is now the
            // one that was drawn last: nothing on the screen can be relied on
            self.repaint();
            let effects = fold(&mut self.state, Message::Resize(columns, rows));
            self.carry_out(effects);
        }
        let effects = settle(&mut self.state);
        self.carry_out(effects);
        self.state.dirty = false;
        self.pressed = false;
        let state = &self.state;
        let mut due = Due::default();
        self.terminal.draw(|frame| due = view(state, frame))?;
        self.due = due;
        self.drawn = Instant::now();
        Ok(())
    }
}

async fn sleep(wait: Option<Duration>) {
    tokio::time::sleep(wait.unwrap_or_default()).await;
}
