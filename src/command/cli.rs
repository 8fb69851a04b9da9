//! The command line: what can be written and what `--help` says.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::exit;
use crate::model::TargetKind;
use crate::query::Noun;
use crate::sim::SimArgs;
use crate::store::By;

/// The operations console for backups.
///
/// Without a command the console opens on the configured services, or on embedded demo services when
/// nothing is configured.
#[derive(Parser, Debug)]
#[command(name = "keepwatch", version, about, long_about, after_help = exit::HELP)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub common: Common,

    /// What to do instead of opening the console.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The flags of every command.
#[derive(Args, Clone, Debug, Default)]
pub struct Common {
    /// The configuration file (else config.toml in the user's configuration directory).
    #[arg(
        long,
        global = true,
        env = "KEEPWATCH_CONFIG",
        hide_env_values = true,
        value_name = "FILE"
    )]
    pub config: Option<PathBuf>,

    /// Send nothing that changes anything, whatever the configuration allows.
    #[arg(long, global = true)]
    pub read_only: bool,

    /// Keep history in this file, whatever the configuration says.
    #[arg(
        long,
        global = true,
        env = "KEEPWATCH_HISTORY",
        hide_env_values = true,
        value_name = "FILE",
        conflicts_with = "no_history"
    )]
    pub history: Option<PathBuf>,

    /// Keep nothing of what happens in this run.
    #[arg(long, global = true)]
    pub no_history: bool,
}

/// What keepwatch does besides the console.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// List devices, policies, tasks, running or failed jobs, or last good backups, once.
    List(ListArgs),
    /// Run a policy or back up a device now.
    Run(VerbArgs),
    /// Stop a running task.
    Cancel(VerbArgs),
    /// Repeat a failed task.
    Retry(VerbArgs),
    /// Take a failed job off the service's own list.
    Clear(VerbArgs),
    /// Turn a policy's schedule on.
    Enable(VerbArgs),
    /// Turn a policy's schedule off.
    Disable(VerbArgs),
    /// Send any action by its id: restores, deletions, failovers and all others.
    Act(ActionArgs),
    /// List every action that the services offer, by the ids that act takes; no service is asked.
    Actions(ActionsArgs),
    /// Take failed jobs: you have seen them, and the others know.
    Ack(AckArgs),
    /// Give back failed jobs that somebody took.
    Unack(UnackArgs),
    /// Leave a note on failed jobs, which nobody takes by that.
    Note(NoteArgs),
    /// Write the handover: what failed, what was done and by whom, what is open, what has no good backup.
    Report(ReportArgs),
    /// Everything that happened to a task, device or policy. Reads the history; no service is asked.
    Timeline(TimelineArgs),
    /// Every action: who sent what, where, and what came of it. Reads the history; no service is asked.
    Audit(AuditArgs),
    /// Examine the services step by step: what works, what does not, and what to do. Changes nothing.
    Doctor(DoctorArgs),
    /// Say what a code or status means and what to do next; no service is asked.
    Explain(ExplainArgs),
    /// List the catalog: every code and status of every kind.
    Codes(CodesArgs),
    /// Take down what a script of a backup product was told (see assets/hooks). Always ends well.
    Record(RecordArgs),
    /// Run the embedded demo services as a server on this machine.
    ///
    /// Prints one JSON line for each service when it is ready (kind, name, endpoint, auth) and serves until
    /// it is interrupted. With --write-config FILE every other command can be pointed at it: --config FILE.
    Sim(SimArgs),
    /// Print the completion script of a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Text for people or JSON for programs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum TextOrJson {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// A table for people or JSON for programs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum TableOrJson {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// How long services may take.
#[derive(Args, Clone, Copy, Debug)]
pub struct Patience {
    /// How many seconds the services may take to answer.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
}

impl Patience {
    /// The time that they have.
    #[must_use]
    pub const fn limit(self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}

/// Which services a command asks, and for how long.
#[derive(Args, Clone, Debug)]
pub struct Asked {
    /// Only this service; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub service: Vec<String>,
    /// For how long.
    #[command(flatten)]
    pub patience: Patience,
}

/// Text or JSON.
#[derive(Args, Clone, Copy, Debug)]
pub struct TextForm {
    /// text for people, json for programs.
    #[arg(
        long,
        value_enum,
        default_value = "text",
        value_name = "FORM",
        hide_possible_values = true
    )]
    pub output: TextOrJson,
}

/// A table or JSON.
#[derive(Args, Clone, Copy, Debug)]
pub struct TableForm {
    /// table for people, json for programs.
    #[arg(
        long,
        value_enum,
        default_value = "table",
        value_name = "FORM",
        hide_possible_values = true
    )]
    pub output: TableOrJson,
}

/// What can be listed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum ListWhat {
    /// What is protected.
    Devices,
    /// What says when and how to back up.
    Policies,
    /// Every task known: running, ended and failed.
    Tasks,
    /// Tasks that are queued, waiting or running.
    Running,
    /// Tasks that need a person, newest first.
    Failed,
    /// Devices and policies by their last good backup against its target, the worst first.
    Backups,
}

impl ListWhat {
    /// The list of the store behind the word.
    #[must_use]
    pub const fn noun(self) -> Noun {
        match self {
            Self::Devices | Self::Backups => Noun::Devices,
            Self::Policies => Noun::Policies,
            Self::Tasks => Noun::Tasks,
            Self::Running => Noun::Running,
            Self::Failed => Noun::Failed,
        }
    }
}

/// What failed jobs can be grouped by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum GroupBy {
    /// The code, or the status where there is none.
    Code,
    /// The device.
    Device,
    /// The policy.
    Policy,
    /// The service.
    Service,
}

impl GroupBy {
    /// The store's word for it.
    #[must_use]
    pub const fn by(self) -> By {
        match self {
            Self::Code => By::Code,
            Self::Device => By::Device,
            Self::Policy => By::Policy,
            Self::Service => By::Service,
        }
    }
}

/// `keepwatch list`.
#[derive(Args, Debug)]
#[command(after_help = "\
The filter is the console's: words, \"phrases\", field:value, field=value, field>n, ended<2h,
since:03:00, !term, and, or, parentheses, ~fuzzy, /regular expression/.

Examples:
  keepwatch list failed
  keepwatch list tasks --where 'phase:running service:otc-eu'
  keepwatch list devices --where 'last_good>1d' --output json
  keepwatch list failed --by code              # one cause, one line, with what to do
  keepwatch list backups --where is:overdue    # what has no good backup within its target
  keepwatch list running --where 'is:stuck or is:slow'
  keepwatch list failed --at 03:10             # as history knew it then; no service is asked

Exit code 4: a service could not be read whole; it is named, and the others' items are given.")]
pub struct ListArgs {
    /// What to list.
    #[arg(value_enum, value_name = "WHAT")]
    pub what: ListWhat,
    /// Only what fits this filter.
    #[arg(long = "where", value_name = "FILTER")]
    pub filter: Option<String>,
    /// Only what fits a view that was saved under this name in the console (W).
    #[arg(long, value_name = "NAME", conflicts_with = "filter")]
    pub view: Option<String>,
    /// As it was known then, out of history: a time (03:10), a date with a time, or how long ago (2h).
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// At most so many rows.
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// With failed: skipped and cancelled tasks too.
    #[arg(long)]
    pub skipped: bool,
    /// With failed: groups instead of single jobs, by code, device, policy or service.
    #[arg(long, value_enum, value_name = "WHAT", hide_possible_values = true)]
    pub by: Option<GroupBy>,
    /// Which services are asked, and for how long.
    #[command(flatten)]
    pub asked: Asked,
    /// What is written.
    #[command(flatten)]
    pub form: TableForm,
}

/// A sort of thing that an action is applied to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum On {
    /// A device.
    Device,
    /// A policy.
    Policy,
    /// A task.
    Task,
}

impl On {
    /// The model's word for it.
    #[must_use]
    pub const fn kind(self) -> TargetKind {
        match self {
            Self::Device => TargetKind::Device,
            Self::Policy => TargetKind::Policy,
            Self::Task => TargetKind::Task,
        }
    }
}

/// `keepwatch run`, `cancel`, `retry`, `clear`, `enable`, `disable`.
#[derive(Args, Debug)]
#[command(after_help = "\
All targets are found and prepared first; when one can't be, nothing is sent. What is dangerous asks
at the terminal, or wants --yes, and for some actions --confirm NAME with the target's name; with
--where the verb and the number of targets, as in --confirm 'cancel 12'.
With --where one yes stands for all that the filter finds; what can't be done is left out and said. They
are sent a few at a time, ctrl-c holds back the rest, and a sum says what came of them.
An action is sent once. When its answer is lost, keepwatch looks for signs of it and says what it
found; it never repeats it.

Examples:
  keepwatch run weekly-full --service otc-eu --dry-run
  keepwatch retry ecs-42 --yes
  keepwatch retry --where 'code:CSBS.6027 ended<12h' --dry-run

Exit code 5: sent, and the outcome is not known.")]
pub struct VerbArgs {
    /// On what, and how.
    #[command(flatten)]
    pub on: ActArgs,
    /// Which action, where several fit.
    #[arg(long, value_name = "ID")]
    pub action: Option<String>,
}

/// `keepwatch act`.
#[derive(Args, Debug)]
#[command(after_help = "\
`keepwatch actions` lists the ids. Everything else is as with run, retry and the other verbs: found and prepared
first, asked for or wanting --yes or --confirm, sent once. A task is named by its id here, unless it is one to
cancel, retry or clear.

Examples:
  keepwatch act release weekly-full --dry-run
  keepwatch act fail-over pg-prod --confirm pg-prod
  keepwatch act restore 8f3c2e… --service otc-eu --input server=ecs-7 --confirm ecs-42

Exit code 5: sent, and the outcome is not known.")]
pub struct ActionArgs {
    /// The id of the action.
    #[arg(value_name = "ACTION")]
    pub id: String,
    /// On what, and how.
    #[command(flatten)]
    pub on: ActArgs,
}

/// `keepwatch actions`.
#[derive(Args, Debug)]
#[command(after_help = "\
What may be done in the end also depends on the thing: `keepwatch act ID TARGET --dry-run` says so. An action may
ask for more than stands here when it is prepared, never for less.")]
pub struct ActionsArgs {
    /// Only this service; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub service: Vec<String>,
    /// What is written.
    #[command(flatten)]
    pub form: TableForm,
}

/// What an action is applied to, and how it is confirmed.
#[derive(Args, Debug)]
pub struct ActArgs {
    /// Names or ids of devices, policies or tasks; SERVICE/NAME where a name is not unique.
    #[arg(required_unless_present = "filter", value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Everything that this filter finds instead: failed jobs to retry and clear, running tasks to cancel,
    /// policies to run, enable and disable, unless --on says otherwise.
    #[arg(long = "where", value_name = "FILTER", conflicts_with = "targets")]
    pub filter: Option<String>,
    /// Which sort of thing the targets are, where a name fits several.
    #[arg(long = "on", value_enum, value_name = "SORT")]
    pub sort: Option<On>,
    /// A value that the action needs; may be repeated.
    #[arg(long = "input", value_name = "NAME=VALUE")]
    pub inputs: Vec<String>,
    /// Show the exact requests, the effect and the warnings, and send nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Send without asking what only wants a yes.
    #[arg(long)]
    pub yes: bool,
    /// The target's name, for actions that want it typed; may be repeated. With --where the verb and the number,
    /// as in 'cancel 12'.
    #[arg(long, value_name = "NAME")]
    pub confirm: Vec<String>,
    /// Which services are asked, and for how long.
    #[command(flatten)]
    pub asked: Asked,
    /// What is written.
    #[command(flatten)]
    pub form: TextForm,
}

/// What `keepwatch ack`, `unack` and `note` are about.
#[derive(Args, Debug)]
pub struct AckWhat {
    /// Ids of failed jobs, or names of their devices; SERVICE/NAME where a name is not unique.
    #[arg(required_unless_present = "filter", value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Every failed job that this filter finds instead.
    #[arg(long = "where", value_name = "FILTER", conflicts_with = "targets")]
    pub filter: Option<String>,
    /// Which services are asked, and for how long.
    #[command(flatten)]
    pub asked: Asked,
    /// What is written.
    #[command(flatten)]
    pub form: TextForm,
}

/// `keepwatch ack`.
#[derive(Args, Debug)]
#[command(after_help = "\
A job that was taken stays failed in every count, and is marked in every console of this history.
It is open again by itself when the same thing fails once more, when its status changes, or when
--until is over; it is resolved when the same thing succeeds. By a device's name all of its failed
jobs are taken. Who took them: KEEPWATCH_OPERATOR, else the user's name.

Examples:
  keepwatch ack ecs-42 --note 'INC-4711, storage team' --until 08:00
  keepwatch ack --where 'code:CSBS.6027' --note 'zone is being moved' --until 3d
  keepwatch list failed --where ack:no")]
pub struct AckArgs {
    /// Which.
    #[command(flatten)]
    pub what: AckWhat,
    /// What the others should know: a ticket, a cause, who is at it.
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    pub note: String,
    /// Until when: 4h, 08:00, 2026-01-31 [default: until it changes or is given back].
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
}

/// `keepwatch unack`.
#[derive(Args, Debug)]
pub struct UnackArgs {
    /// Which.
    #[command(flatten)]
    pub what: AckWhat,
    /// Why.
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    pub note: String,
}

/// `keepwatch note`.
#[derive(Args, Debug)]
#[command(after_help = "\
The note stands in the details of the job in every console of this history, in its timeline, in
`list failed --output json` and in the handover. The job stays open and nobody has it by that.

Examples:
  keepwatch note ecs-42 --text 'disk team asked, answer by 06:00'
  keepwatch note --where 'code:CSBS.6027' --text 'zone moves on Friday'")]
pub struct NoteArgs {
    /// Which.
    #[command(flatten)]
    pub what: AckWhat,
    /// The note.
    #[arg(long, value_name = "TEXT", visible_alias = "note")]
    pub text: String,
}

/// `keepwatch report`.
#[derive(Args, Debug)]
#[command(after_help = "\
One page to send: what is open now, what failed, what was done and by whom, what has no good backup.
Actions, acknowledgements and notes come from history, the rest from one round over the services.

Examples:
  keepwatch report
  keepwatch report --since 18:00 --output html > handover.html
  keepwatch report --since 7d --output json | jq .summary

Exit code 4: a service could not be read whole; the page says which.")]
pub struct ReportArgs {
    /// From when on: 12h, 18:00, 2026-01-31.
    #[arg(long, value_name = "TIME", default_value = "12h")]
    pub since: String,
    /// Which services are asked, and for how long.
    #[command(flatten)]
    pub asked: Asked,
    /// markdown or html for people, json for programs.
    #[arg(
        long,
        value_enum,
        default_value = "markdown",
        value_name = "FORM",
        hide_possible_values = true
    )]
    pub output: ReportForm,
}

/// What a report is written in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum ReportForm {
    /// For people and tickets.
    Markdown,
    /// For people: one file that stands alone.
    Html,
    /// For programs.
    Json,
}

/// `keepwatch timeline`.
#[derive(Args, Debug)]
#[command(after_help = "\
Times: a span (12h, 2d), a time of day (03:10), a date (2026-01-31) or both (2026-01-31T03:10, with Z for UTC).

Examples:
  keepwatch timeline ecs-42 --since 2d
  keepwatch timeline otc-eu/weekly-full --on policy --output json")]
pub struct TimelineArgs {
    /// Name or id of a device or policy, or id of a task; SERVICE/NAME where a name is not unique.
    #[arg(value_name = "TARGET")]
    pub target: String,
    /// Only this service; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub service: Vec<String>,
    /// Which sort of thing it is, where a name fits several.
    #[arg(long, value_enum, value_name = "SORT")]
    pub on: Option<On>,
    /// Only what was seen from here on.
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Only what was seen before.
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// At most so many entries, the newest.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub limit: usize,
    /// What is written.
    #[command(flatten)]
    pub form: TableForm,
}

/// A table for people, JSON or CSV for programs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum AuditForm {
    /// For people.
    Table,
    /// For programs, with every step.
    Json,
    /// For spreadsheets, one line an action.
    Csv,
}

/// `keepwatch audit`.
#[derive(Args, Debug)]
#[command(after_help = "\
The record is append-only: keepwatch never changes or deletes a step. Secrets are not in it. A proposal is an
action that was shown and not confirmed.

Examples:
  keepwatch audit --since 12h
  keepwatch audit --open --look-up             # what became of those whose answer was lost?
  keepwatch audit --since 2026-01-01 --output csv > actions.csv",
    mut_arg("timeout", |arg| {
        arg.requires("look_up").help("With --look-up: how many seconds the services may take to answer")
    }))]
pub struct AuditArgs {
    /// Only actions begun since then: a span, a time, a date [default: 7d; with --open: ever].
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Only on this service.
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,
    /// What was shown and not confirmed too.
    #[arg(long)]
    pub proposed: bool,
    /// Only actions whose end is not known: under way, or their answer was lost.
    #[arg(long)]
    pub open: bool,
    /// Ask the services first what became of those that nobody follows; nothing is sent again.
    #[arg(long, requires = "open")]
    pub look_up: bool,
    /// With --look-up: how long the services may take.
    #[command(flatten)]
    pub patience: Patience,
    /// table for people; json with every step, or csv, for programs.
    #[arg(
        long,
        value_enum,
        default_value = "table",
        value_name = "FORM",
        hide_possible_values = true
    )]
    pub output: AuditForm,
}

/// `keepwatch doctor`.
#[derive(Args, Debug)]
#[command(after_help = "\
For each service: configuration and secrets, name, connection, certificate, login, each list once, each
action, the clocks, the rate budget. What depends on a step that failed is skipped; the other services are
examined all the same. Wrong credentials are shown once, never twice.

Examples:
  keepwatch doctor
  keepwatch doctor otc-eu --output json

Exit code 4: a step of at least one service failed.")]
pub struct DoctorArgs {
    /// Only these services [default: all].
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// How long their lists may take.
    #[command(flatten)]
    pub patience: Patience,
    /// What is written.
    #[command(flatten)]
    pub form: TextForm,
}

/// `keepwatch explain`.
#[derive(Args, Debug)]
#[command(after_help = "\
A code can have several readings; --http, --operation and --message tell them apart.
With - an error body, a row of a list or a whole HTTP answer is read from standard input;
keepwatch finds out whose it is and which codes are in it.

Examples:
  keepwatch explain CSBS.5001
  keepwatch explain CSBS.9009 --http 403
  keepwatch explain 110 --kind atlassian --operation export
  curl -si https://… | keepwatch explain -

Exit code 3: a code is not in the catalog; near ones are named.")]
pub struct ExplainArgs {
    /// Codes or statuses, letter for letter; - reads standard input.
    #[arg(required = true, value_name = "CODE")]
    pub codes: Vec<String>,
    /// Only this kind's table.
    #[arg(long)]
    pub kind: Option<String>,
    /// The HTTP status that the code came with.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(100..=599))]
    pub http: Option<u16>,
    /// The operation that failed, or the object whose status it is.
    #[arg(long)]
    pub operation: Option<String>,
    /// The service's own text.
    #[arg(long)]
    pub message: Option<String>,
    /// What is written.
    #[command(flatten)]
    pub form: TextForm,
}

/// `keepwatch record`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Called by the scripts of DPOD's plans and tasks:
  keepwatch record dpod --service gateways -- \"$@\"

The exit code is always 0, so that a backup never fails because of it; what went wrong is said on
standard error and in record.log beside the inbox. No console has to be running.")]
pub struct RecordArgs {
    /// The product: dpod.
    pub kind: String,
    /// The service's name, as in the configuration of the console.
    #[arg(long, value_name = "NAME")]
    pub service: String,
    /// The inbox's root folder [default: the service's option inbox, else KEEPWATCH_INBOX, else the
    /// user's data directory].
    #[arg(long, value_name = "DIR")]
    pub inbox: Option<PathBuf>,
    /// The script's own arguments, all of them, after --.
    #[arg(last = true, value_name = "ARGUMENT")]
    pub args: Vec<OsString>,
}

/// `keepwatch codes`.
#[derive(Args, Debug)]
pub struct CodesArgs {
    /// Only this kind's table.
    #[arg(long)]
    pub kind: Option<String>,
    /// What is written.
    #[command(flatten)]
    pub form: TableForm,
}
