//! What every part of a screen needs: the state, styles, signs, and a note of when it has to be drawn again.

use std::cell::Cell;

use ratatui::style::Style;

use crate::model::{Health, Phase, ServiceId, Timestamp};
use crate::store::TaskRow;

use super::super::glyphs::Glyphs;
use super::super::state::State;
use super::super::text::{Label, SECONDS_BELOW, ago, live};
use super::super::theme::Role;

/// How long a change stands out.
pub const FLASH_MS: i64 = 3_000;

/// Ages are brought up to date together, this often at most.
const BEAT_MS: i64 = 2_000;

/// The state being drawn.
#[derive(Debug)]
pub struct Cx<'s> {
    /// The state.
    pub state: &'s State,
    /// Signs.
    pub glyphs: &'static Glyphs,
    wake: Cell<Due>,
}

/// When the picture changes by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Due {
    /// At this moment, to be kept.
    pub exactly: Option<Timestamp>,
    /// Ages change at about this moment.
    pub ages: Option<Timestamp>,
}

impl Due {
    /// The first of both.
    #[must_use]
    pub fn first(self) -> Option<Timestamp> {
        sooner(self.exactly, self.ages)
    }
}

fn sooner(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    [one, other].into_iter().flatten().min()
}

impl<'s> Cx<'s> {
    /// For drawing a state.
    #[must_use]
    pub fn new(state: &'s State) -> Self {
        let cx = Self {
            state,
            glyphs: state.look.glyphs,
            wake: Cell::default(),
        };
        if let Some(until) = state.toast.as_ref().and_then(|t| t.until) {
            cx.wake_at(until);
        }
        cx
    }

    /// The style of a role.
    #[must_use]
    pub fn style(&self, role: Role) -> Style {
        self.state.look.theme.style(role)
    }

    /// When what is in sight changes by itself.
    #[must_use]
    pub fn wake(&self) -> Due {
        self.wake.get()
    }

    /// Something in sight changes at this moment.
    pub fn wake_at(&self, at: Timestamp) {
        let at = at.max(self.state.now.plus(1));
        let due = self.wake.get();
        self.wake.set(Due {
            exactly: sooner(due.exactly, Some(at)),
            ..due
        });
    }

    /// A label of age in sight changes after this time. Forty rows have forty ages, each changing at a moment of
    /// its own: they are told together, on a beat: at most two seconds late, and some more while nothing else
    /// happens.
    pub fn changes_in(&self, stays_ms: i64) {
        let due = self.wake.get();
        self.wake.set(Due {
            ages: sooner(due.ages, Some(self.on_beat(stays_ms, BEAT_MS))),
            ..due
        });
    }

    /// The first beat after this time.
    fn on_beat(&self, stays_ms: i64, beat: i64) -> Timestamp {
        let at = self.state.now.plus(stays_ms.max(1)).millis();
        Timestamp(at).plus((beat - at.rem_euclid(beat)) % beat)
    }

    fn label(&self, label: Label) -> String {
        self.changes_in(label.stays_ms);
        label.text
    }

    /// How long ago something was.
    #[must_use]
    pub fn ago(&self, t: Timestamp) -> String {
        self.label(ago(self.state.now.since(t)))
    }

    /// The same in a sentence: `3m 12s ago`, `just now`.
    #[must_use]
    pub fn ago_said(&self, t: Timestamp) -> String {
        match self.ago(t).as_str() {
            "now" => "just now".to_owned(),
            age => format!("{age} ago"),
        }
    }

    /// The time by which it is judged whether a live task is slow or stuck: in steps, so that the judgement does
    /// not change between two frames; the next step is shown like the next age.
    #[must_use]
    pub fn step_of_rhythm(&self, row: TaskRow) -> Timestamp {
        const STEP_MS: i64 = 10_000;
        let now = self.state.now;
        let step = Timestamp(now.millis() - now.millis().rem_euclid(STEP_MS));
        if self.state.store.task(row).phase().is_live() {
            self.changes_in(step.plus(STEP_MS).since(now));
        }
        step
    }

    /// How long something has been going on.
    #[must_use]
    pub fn live(&self, since: Timestamp) -> String {
        let lasted = self.state.now.since(since);
        let label = live(lasted);
        if lasted < SECONDS_BELOW {
            self.wake_at(self.on_beat(label.stays_ms, 1_000));
            return label.text;
        }
        self.label(label)
    }

    /// How long it is until something: `12s`, `3m`, `21h`, `3d`; `now` when it is due.
    #[must_use]
    pub fn until(&self, t: Timestamp) -> String {
        let ms = t.since(self.state.now);
        if ms <= 0 {
            return "now".into();
        }
        let (unit, step) = match ms {
            0..60_000 => ('s', 10_000),
            60_000..3_600_000 => ('m', 60_000),
            3_600_000..172_800_000 => ('h', 3_600_000),
            _ => ('d', 86_400_000),
        };
        self.changes_in(ms % step + 1);
        let n = if unit == 's' {
            (ms / step + 1) * 10
        } else {
            ms / step
        };
        format!("{n}{unit}")
    }

    /// True while a change is news; the moment at which it ceases to be is noted.
    #[must_use]
    pub fn is_news(&self, changed_at: Timestamp) -> bool {
        let age = self.state.now.since(changed_at);
        let news = (0..FLASH_MS).contains(&age);
        if news {
            self.wake_at(changed_at.plus(FLASH_MS));
        }
        news
    }

    /// The role of a phase's colour.
    #[must_use]
    pub const fn role_of(&self, phase: Phase) -> Role {
        match phase {
            Phase::Failed => Role::Failed,
            Phase::Uncertain => Role::Uncertain,
            Phase::Running => Role::Running,
            Phase::Queued | Phase::Waiting => Role::Waiting,
            Phase::Succeeded => Role::Good,
            Phase::Skipped | Phase::Cancelled => Role::Off,
            Phase::Unknown => Role::Warning,
        }
    }

    /// True when what is shown of a service may be old: it stands back then.
    #[must_use]
    pub fn is_old(&self, id: ServiceId) -> bool {
        matches!(
            self.state.store.service(id).health,
            Health::Down { .. } | Health::Stale { .. }
        )
    }
}
