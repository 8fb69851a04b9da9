//! The console's connection to the world: effects go to the operator and the watchers, what they learn
//! comes back as messages through one bounded channel.

use std::path::PathBuf;

use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, Receiver, Sender, UnboundedReceiver};

use super::effect::{Backend, Effect, SavedUi};
use super::message::Message;
use crate::operate::{ActionEvent, Operator};
use crate::watch::{WatchEvent, WatchHandle};

/// How many messages may wait for the loop before their senders wait for it.
const QUEUE: usize = 256;

/// Carries out what the console wants done.
#[derive(Debug)]
pub struct Live {
    operator: Operator,
    watchers: WatchHandle,
    runtime: Handle,
    out: Sender<Message>,
    ui_file: Option<PathBuf>,
}

impl Live {
    /// Connects the console. `runtime` carries the requests; `ui_file` keeps what the operator arranged.
    #[must_use]
    pub fn connect(
        runtime: &Handle,
        operator: Operator,
        watchers: WatchHandle,
        mut seen: Receiver<WatchEvent>,
        mut actions: UnboundedReceiver<ActionEvent>,
        ui_file: Option<PathBuf>,
    ) -> (Self, Receiver<Message>) {
        let (out, inbox) = mpsc::channel(QUEUE);
        let forward = out.clone();
        runtime.spawn(async move {
            while let Some(event) = seen.recv().await {
                if forward.send(Message::Watch(event)).await.is_err() {
                    return;
                }
            }
        });
        let forward = out.clone();
        runtime.spawn(async move {
            while let Some(event) = actions.recv().await {
                if forward.send(Message::Action(event)).await.is_err() {
                    return;
                }
            }
        });
        let live = Self {
            operator,
            watchers,
            runtime: runtime.clone(),
            out,
            ui_file,
        };
        (live, inbox)
    }

    /// Another way in, for what is not learnt from services.
    #[must_use]
    pub fn sender(&self) -> Sender<Message> {
        self.out.clone()
    }

    fn save(&self, ui: SavedUi) {
        let Some(file) = self.ui_file.clone() else {
            return;
        };
        let out = self.out.clone();
        self.runtime.spawn_blocking(move || {
            if let Err(e) = write(&file, &ui) {
                let what = format!(
                    "the arrangement of the screen could not be kept in {}: {e}",
                    file.display()
                );
                // the loop may be gone already when the program ends
                let _ = out.blocking_send(Message::Notice(what));
            }
        });
    }
}

/// Written beside and moved into place, so that a crash leaves the old file or the new one.
fn write(file: &std::path::Path, ui: &SavedUi) -> std::io::Result<()> {
    if let Some(dir) = file.parent() {
        std::fs::create_dir_all(dir)?;
    }
    let text = toml::to_string(ui).map_err(std::io::Error::other)?;
    let beside = file.with_extension("new");
    std::fs::write(&beside, text)?;
    std::fs::rename(&beside, file)
}

/// What the operator arranged the last time; nothing when there is no file, and a sentence when it can't
/// be read.
#[must_use]
pub fn saved_ui(file: Option<&std::path::Path>) -> (SavedUi, Option<String>) {
    let Some(file) = file else {
        return (SavedUi::default(), None);
    };
    match std::fs::read_to_string(file) {
        Ok(text) => match toml::from_str(&text) {
            Ok(ui) => (ui, None),
            Err(e) => {
                let what = format!(
                    "{} can't be read and is not used: {}",
                    file.display(),
                    e.message()
                );
                (SavedUi::default(), Some(what))
            }
        },
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => (SavedUi::default(), None),
        Err(e) => (
            SavedUi::default(),
            Some(format!("{} can't be read: {e}", file.display())),
        ),
    }
}

impl Backend for Live {
    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Prepare { ask, intent } => {
                let operator = self.operator.clone();
                let out = self.out.clone();
                self.runtime.spawn(async move {
                    let result = operator.prepare(&intent).await.map(Box::new);
                    let _ = out.send(Message::Prepared { ask, result }).await;
                });
            }
            Effect::Send(confirmed) => {
                let operator = self.operator.clone();
                self.runtime
                    .spawn(async move { operator.send(*confirmed).await });
            }
            Effect::PollNow(service) => self.watchers.poll_now(service),
            Effect::Busy(service, busy) => self.watchers.set_busy(service, busy),
            Effect::LookUp { service, task } => self.watchers.look_up(service, task),
            Effect::SaveUi(ui) => self.save(*ui),
            Effect::Copy { .. } | Effect::Repaint | Effect::Suspend | Effect::Quit => {}
        }
    }
}
