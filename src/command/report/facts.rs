//! What the report tells, as its JSON has it.

use serde::Serialize;

use crate::command::groups::GroupJson;
use crate::command::item::Item;
use crate::command::list::StateJson;

/// The form of the JSON; the number changes when a field goes or changes its meaning.
pub const SCHEMA: &str = "keepwatch.report.1";

/// The report. Instants are RFC 3339 in UTC.
#[derive(Serialize, Debug)]
pub struct Facts {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// When it was made.
    pub generated_at: String,
    /// What failed and was done from this instant on is told.
    pub from: String,
    /// Who made it.
    pub operator: String,
    /// On which machine.
    pub host: String,
    /// True when these are the embedded demo services.
    pub demo: bool,
    /// The figures.
    pub summary: Summary,
    /// How the services answered.
    pub services: Vec<StateJson>,
    /// What failed and is open now, whenever it failed: by cause, the largest first.
    pub open: Vec<Cause>,
    /// What failed in the period, the newest first.
    pub failed: Vec<Failed>,
    /// Actions of the period, the oldest first.
    pub done: Vec<Deed>,
    /// What people said in the period, the oldest first.
    pub said: Vec<Said>,
    /// Devices and policies without a good backup within their target, the worst first.
    pub backups: Vec<Item>,
    /// What needs a look although it has not failed.
    pub look: Vec<Look>,
    /// Why actions and acknowledgements may be missing here.
    pub history_missing: Vec<String>,
}

/// The figures.
#[derive(Serialize, Debug, Default)]
pub struct Summary {
    /// Jobs that failed in the period.
    pub failed: usize,
    /// Of those, what succeeded since.
    pub recovered: usize,
    /// Good backups of the period.
    pub good: usize,
    /// Failed jobs that are open now and that nobody took.
    pub open: usize,
    /// Failed jobs that somebody took.
    pub taken: usize,
    /// Tasks under way.
    pub running: usize,
    /// Actions confirmed in the period.
    pub actions: usize,
    /// Who sent them or said something.
    pub people: Vec<String>,
    /// Devices without a good backup within their target.
    pub overdue_devices: usize,
    /// Policies likewise.
    pub overdue_policies: usize,
}

/// Failed jobs of one cause that did not succeed since.
#[derive(Serialize, Debug)]
pub struct Cause {
    /// The group.
    #[serde(flatten)]
    pub group: GroupJson,
    /// On what: devices, or policies where no device is told; each once.
    pub on: Vec<String>,
    /// Who took some of them.
    pub taken: Vec<Taken>,
    /// What was noted about them.
    pub notes: Vec<Noted>,
}

/// A note about jobs of a cause.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
pub struct Noted {
    /// Who.
    pub by: String,
    /// When.
    pub at: String,
    /// On what: the first of its jobs, by the name people use.
    pub on: String,
    /// On how many of the cause.
    pub jobs: usize,
    /// The words.
    pub text: String,
}

/// Who took jobs.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
pub struct Taken {
    /// Who.
    pub by: String,
    /// How many of the cause.
    pub jobs: usize,
    /// What was said.
    pub note: String,
    /// Until when.
    pub until: Option<String>,
}

/// A job that failed.
#[derive(Serialize, Debug)]
pub struct Failed {
    /// The task.
    #[serde(flatten)]
    pub item: Item,
    /// When it failed.
    pub at: Option<String>,
    /// How it stands: `open`, `taken`, `succeeded since`, `cleared`.
    pub stands: &'static str,
    /// When the same thing succeeded after it.
    pub succeeded_at: Option<String>,
}

/// An action.
#[derive(Serialize, Debug)]
pub struct Deed {
    /// When it was confirmed.
    pub at: String,
    /// Who.
    pub operator: String,
    /// On which machine.
    pub host: String,
    /// What for: `retry`, `trigger` …
    pub verb: String,
    /// On which service.
    pub service: String,
    /// `device`, `policy` or `task`.
    pub target_kind: String,
    /// What people call the target.
    pub target: String,
    /// The stage that it reached.
    pub stage: String,
    /// What there is to say of that.
    pub detail: String,
    /// True when nothing more will come of it.
    pub over: bool,
    /// The action's id.
    pub id: String,
}

/// What somebody said.
#[derive(Serialize, Debug)]
pub struct Said {
    /// When.
    pub at: String,
    /// Who.
    pub operator: String,
    /// `acknowledged`, `note`, `withdrawn`.
    pub kind: &'static str,
    /// On which service.
    pub service: String,
    /// About what, by the name people use where that is known.
    pub about: String,
    /// The words.
    pub text: String,
    /// Until when.
    pub until: Option<String>,
}

/// Something that needs a look.
#[derive(Serialize, Debug)]
pub struct Look {
    /// `stuck`, `slow`, `lost`, `silent`, `flapping`.
    pub what: &'static str,
    /// On which service.
    pub service: String,
    /// `task`, `device` or `policy`.
    pub kind: &'static str,
    /// The service's id.
    pub id: String,
    /// The name people use.
    pub name: String,
    /// Since when, where that is known.
    pub since: Option<String>,
    /// In words, without times.
    pub text: String,
}
