//! Everything that the console knows: the store, what the operator arranged, and what lies on top.

pub mod batch;
pub mod deeds;
pub mod detail;
pub mod feed;
pub mod layer;
pub mod look;
pub mod pane;
pub mod panes;
pub mod places;
pub mod toast;

use std::sync::Arc;

use crate::catalog::Catalog;
use crate::model::{Service, Timestamp};
use crate::operate::{Ledger, Operator};
use crate::store::history::{HistoryHealth, Remark};
use crate::store::{Counts, Store};

use super::effect::{AskId, SavedUi, SavedView};
use super::key::Key;
use super::keymap::{Keymap, Place};
use super::thing::Thing;

pub use batch::Batch;
pub use deeds::Deeds;
pub use detail::Detail;
pub use feed::FeedPane;
pub use layer::Layer;
pub use look::Look;
pub use pane::Pane;
pub use panes::{PaneId, Panes};
pub use places::Places;
pub use toast::{Toast, Tone};

/// What the console starts with.
#[derive(Debug)]
pub struct Setup {
    /// The configured services, in their order.
    pub services: Vec<Service>,
    /// What codes mean.
    pub catalog: Arc<Catalog>,
    /// What can be done.
    pub operator: Operator,
    /// Keys.
    pub keymap: Keymap,
    /// Theme, signs, zone.
    pub look: Look,
    /// What the operator arranged the last time.
    pub saved: SavedUi,
    /// Where the operator's configuration lies or would lie, for the notice about embedded services.
    pub config_path: String,
    /// Sentences to show at the start (faulty files, read-only mode).
    pub notices: Vec<String>,
    /// The time.
    pub now: Timestamp,
}

/// The console's whole state. Only [`super::update()`] changes it.
pub struct State {
    /// The time, as last told.
    pub now: Timestamp,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// What is live.
    pub store: Store,
    /// What codes mean.
    pub catalog: Arc<Catalog>,
    /// What can be done.
    pub operator: Operator,
    /// What was done in this run.
    pub ledger: Ledger,
    /// How the keeping of history goes, once told.
    pub history: Option<HistoryHealth>,
    /// How old what came out of history is: the oldest of its services' last answers.
    pub known_at: Option<Timestamp>,
    /// Keys.
    pub keymap: Keymap,
    /// How things look.
    pub look: Look,
    /// The panes with rows.
    pub panes: Panes,
    /// The feed of transitions.
    pub feed: FeedPane,
    /// The pane with the focus.
    pub focus: PaneId,
    /// The pane in focus takes the whole screen.
    pub expanded: bool,
    /// An opened row.
    pub detail: Option<Detail>,
    /// What lies on top, the topmost last.
    pub layers: Vec<Layer>,
    /// Keys of an unfinished sequence.
    pub chord: Vec<Key>,
    /// The next action is shown before it is sent, whatever its danger.
    pub previews: bool,
    /// Where the operator came from.
    pub places: Places,
    /// A sentence for a few seconds.
    pub toast: Option<Toast>,
    /// Actions on their way.
    pub deeds: Deeds,
    /// When the operator was told that quitting leaves actions on their way.
    pub(super) quit_warned: Option<Timestamp>,
    /// What people said about tasks, oldest first.
    pub remarks: Vec<Remark>,
    /// Filters used before, newest last.
    pub filters: Vec<String>,
    /// Filters and orders that were given names.
    pub views: Vec<SavedView>,
    /// The notice about embedded services was put away.
    pub notice_put_away: bool,
    /// Where the configuration lies.
    pub config_path: String,
    /// The terminal window has the focus, as far as it tells.
    pub attended: bool,
    /// Something visible may have changed since the last frame.
    pub dirty: bool,
    /// Something happened that is more than an answer like the one before; the loop takes it.
    pub stirred: bool,
    /// The store's generation when the lists were last brought up to date.
    pub(super) seen_generation: u64,
    /// How many there are of what matters, as of that generation.
    pub counts: Counts,
    /// When the counts change by the passing of time alone.
    pub(super) counts_until: Option<Timestamp>,
    next_ask: u64,
    /// The board of an earlier time, which lies over this one.
    pub past: Option<Box<State>>,
    /// This is the board of an earlier time: its clock stands still, and nothing is sent from it.
    pub then: Option<Then>,
}

/// The instant that a board of the past shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Then {
    /// The instant.
    pub at: Timestamp,
    /// What time it really is.
    pub real_now: Timestamp,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("size", &self.size)
            .field("focus", &self.focus)
            .field("layers", &self.layers)
            .field("panes", &self.panes)
            .finish_non_exhaustive()
    }
}

impl State {
    /// The state at the start: no data yet, everything else as the operator left it.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let mut panes = Panes::new();
        for saved in &setup.saved.panes {
            if let Some(pane) = PaneId::named(&saved.pane).and_then(|id| panes.get_mut(id)) {
                pane.restore(saved);
                pane.set_hides_acknowledged(saved.hides_taken);
            }
        }
        let several = setup.services.len() > 1;
        let mut toast = None;
        if !setup.notices.is_empty() {
            toast = Some(Toast::lasting(
                setup.notices.join("  "),
                Tone::Warning,
                setup.now,
            ));
        }
        Self {
            now: setup.now,
            size: (80, 24),
            store: Store::new(setup.services),
            catalog: setup.catalog,
            operator: setup.operator,
            ledger: Ledger::default(),
            history: None,
            known_at: None,
            keymap: setup.keymap,
            look: Look {
                several_services: several,
                ..setup.look
            },
            panes,
            feed: FeedPane::default(),
            // what failed is what the operator came for
            focus: PaneId::named(&setup.saved.focus).unwrap_or(PaneId::Failed),
            expanded: false,
            detail: None,
            layers: Vec::new(),
            chord: Vec::new(),
            previews: false,
            places: Places::default(),
            toast,
            deeds: Deeds::default(),
            quit_warned: None,
            remarks: Vec::new(),
            filters: setup.saved.filters,
            views: setup.saved.views,
            notice_put_away: setup.saved.notice_put_away,
            config_path: setup.config_path,
            attended: true,
            dirty: true,
            stirred: true,
            seen_generation: u64::MAX,
            counts: Counts::default(),
            counts_until: None,
            next_ask: 0,
            past: None,
            then: None,
        }
    }

    /// What time it is, also while the board of another time is shown.
    #[must_use]
    pub fn real_now(&self) -> Timestamp {
        self.then.map_or(self.now, |then| then.real_now)
    }

    /// A fresh number for a question.
    pub(super) fn ask(&mut self) -> AskId {
        self.next_ask += 1;
        AskId(self.next_ask)
    }

    /// The pane with rows that has the focus; `None` when the feed has it.
    #[must_use]
    pub fn pane(&self) -> Option<&Pane> {
        self.panes.get(self.focus)
    }

    /// The same, to change.
    pub(super) fn pane_mut(&mut self) -> Option<&mut Pane> {
        self.panes.get_mut(self.focus)
    }

    /// The thing that words are about: the opened row, or the one under the cursor.
    #[must_use]
    pub fn subject(&self) -> Option<Thing> {
        match &self.detail {
            Some(detail) => Some(detail.thing),
            None => self.under_cursor(),
        }
    }

    /// The thing under the cursor of the pane in focus.
    #[must_use]
    pub fn under_cursor(&self) -> Option<Thing> {
        match self.pane() {
            Some(pane) => pane.cursor_thing(),
            None => self.feed.cursor_thing(&self.store),
        }
    }

    /// In which place keys are looked up now.
    #[must_use]
    pub fn place(&self) -> Place {
        match self.layers.last() {
            Some(layer) => layer.place(),
            None if self.detail.is_some() => Place::Detail,
            None if self.focus == PaneId::Feed => Place::Anywhere,
            None => Place::List,
        }
    }

    /// The store went from one generation to another in a way that concerns no list.
    pub(super) fn skip(&mut self, from: u64, to: u64) {
        if self.seen_generation == from {
            self.seen_generation = to;
        }
        for id in PaneId::ALL {
            if let Some(pane) = self.panes.get_mut(id) {
                pane.skip(from, to);
            }
        }
    }

    /// Says something for a few seconds.
    pub(super) fn say(&mut self, text: impl Into<String>, tone: Tone) {
        self.toast = Some(Toast::brief(text, tone, self.now));
        self.dirty = true;
    }

    /// Some service is one that keepwatch itself serves.
    #[must_use]
    pub fn has_embedded(&self) -> bool {
        self.store.services().iter().any(|s| s.service.embedded)
    }

    /// What the operator finds again at the next start.
    #[must_use]
    pub fn to_save(&self) -> SavedUi {
        SavedUi {
            focus: self.focus.word().to_owned(),
            theme: self.look.theme.name.clone(),
            notice_put_away: self.notice_put_away,
            panes: self.panes.all().map(Pane::to_save).collect(),
            filters: self.filters.clone(),
            views: self.views.clone(),
        }
    }
}
