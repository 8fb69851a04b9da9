//! The headless face: the same store, filter, actions and catalog as the console, without a screen.

mod ack;
mod act;
mod actions;
mod bulk;
pub mod cli;
pub mod codes;
mod console;
mod demo;
mod doctor;
pub mod exit;
pub mod explain;
mod groups;
mod history;
mod item;
pub mod list;
mod outcome;
pub mod output;
mod past;
mod record;
mod report;
mod rpo;
pub mod services;
mod site;
mod table;
mod target;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use self::demo::Demo;
use crate::model::Verb;
use crate::sim::{self, SimArgs, SimError};

pub use cli::{Cli, Command};
pub use exit::Exit;

/// Reads the command line and does what it asks. The way in for the program.
#[must_use]
pub fn main() -> ExitCode {
    // until there is something to hold: the first frame, or the first answer
    crate::threads::huge_pages(false);
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // a script in the middle of a backup must not fail because of us
        Err(e) if e.use_stderr() && record::is_meant(std::env::args_os()) => {
            return record::badly_called(&e).into();
        }
        Err(e) => e.exit(),
    };
    let exit = run(cli);
    ExitCode::from(exit)
}

/// Carries out a parsed command line.
fn run(cli: Cli) -> Exit {
    let common = &cli.common;
    let config = common.config.as_deref();
    if !matches!(cli.command, None | Some(Command::List(_))) {
        crate::threads::huge_pages(true);
    }
    match cli.command {
        Some(Command::List(args)) => list::run(&args, common),
        Some(Command::Run(args)) => act::by_verb(Verb::Trigger, &args, common),
        Some(Command::Cancel(args)) => act::by_verb(Verb::Cancel, &args, common),
        Some(Command::Retry(args)) => act::by_verb(Verb::Retry, &args, common),
        Some(Command::Clear(args)) => act::by_verb(Verb::Clear, &args, common),
        Some(Command::Enable(args)) => act::by_verb(Verb::Enable, &args, common),
        Some(Command::Disable(args)) => act::by_verb(Verb::Disable, &args, common),
        Some(Command::Act(args)) => act::by_id(&args, common),
        Some(Command::Actions(args)) => actions::run(&args, common),
        Some(Command::Ack(args)) => ack::take(&args, common),
        Some(Command::Unack(args)) => ack::give_back(&args, common),
        Some(Command::Note(args)) => ack::note(&args, common),
        Some(Command::Report(args)) => report::run(&args, common),
        Some(Command::Timeline(args)) => history::timeline::run(&args, common),
        Some(Command::Audit(args)) => history::audit::run(&args, common),
        Some(Command::Doctor(args)) => doctor::run(&args, common.read_only, config),
        Some(Command::Explain(args)) => explain::run(&args, config),
        Some(Command::Codes(args)) => codes::run(&args, config),
        Some(Command::Record(args)) => record::run(&args, config),
        Some(Command::Sim(args)) => sim(&args),
        Some(Command::Completions { shell }) => completions(shell),
        None => console::run(common),
    }
}

fn sim(args: &SimArgs) -> Exit {
    let served = match runtime() {
        Ok(runtime) => runtime.block_on(serve(args)),
        Err(exit) => return exit,
    };
    match served {
        Ok(()) => Exit::Ok,
        Err(e) => {
            output::complain(&e.to_string());
            match e {
                SimError::Kind { .. } | SimError::Switch(_) | SimError::PortRange { .. } => {
                    Exit::Usage
                }
                _ => Exit::Failure,
            }
        }
    }
}

/// Runs the embedded services until SIGINT or SIGTERM.
async fn serve(args: &SimArgs) -> Result<(), SimError> {
    let stop = sim::Stop::listen()?;
    let demo = Demo::with(args.options(), crate::kinds::dialects()).await?;
    sim::announce(demo.running(), args.write_config.clone())?;
    stop.wait().await;
    Ok(())
}

/// What requests run on. One thread: two would wake each other at every answer, and decoding is not what takes
/// the time.
///
/// # Errors
/// [`Exit::Failure`] when threads can't be started; it was said.
fn runtime() -> Result<tokio::runtime::Runtime, Exit> {
    start(&mut tokio::runtime::Builder::new_multi_thread())
}

/// The same, with answers that may gather while nothing happens.
fn calm_runtime(calm: &crate::watch::Calm) -> Result<tokio::runtime::Runtime, Exit> {
    let calm = calm.clone();
    start(
        tokio::runtime::Builder::new_multi_thread()
            .on_thread_start(crate::threads::give_way)
            .on_thread_park(move || calm.gather()),
    )
}

fn start(runtime: &mut tokio::runtime::Builder) -> Result<tokio::runtime::Runtime, Exit> {
    crate::connect::grid::begin();
    runtime.worker_threads(1).enable_all().build().map_err(|e| {
        output::complain(&format!("threads can't be started: {e}"));
        Exit::Failure
    })
}

fn completions(shell: clap_complete::Shell) -> Exit {
    use clap::CommandFactory;
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "keepwatch", &mut script);
    match std::io::stdout().lock().write_all(&script) {
        Ok(()) => Exit::Ok,
        Err(e) => output::write_failed(&e),
    }
}
