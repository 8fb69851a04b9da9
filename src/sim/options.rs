//! How to set the simulation up: [`SimOptions`], and [`SimArgs`], the same as command line flags.

use std::path::PathBuf;

use chrono::{DateTime, Utc};

use super::hook::Hook;

/// What a simulation starts with.
#[derive(Debug, Clone, PartialEq)]
pub struct SimOptions {
    /// Seed of everything random: the same seed and start give the same world.
    pub seed: u64,
    /// Virtual seconds per real second; 0 stands still until a test advances the clock.
    pub speed: f64,
    /// Where the virtual clock starts; now when absent.
    pub start: Option<DateTime<Utc>>,
    /// Finished tasks to begin with, over the past 30 virtual days, for each service that keeps tasks.
    pub tasks: usize,
    /// Servers in the shared fleet.
    pub devices: usize,
    /// First port: N, N+1 … in the order of the ready lines; 0 lets the system choose.
    pub port: u16,
    /// Only services of these kinds (Keystone always runs); empty for all.
    pub kinds: Vec<String>,
    /// Switches to set, in order.
    pub switches: Vec<(String, String)>,
    /// Changes per virtual second that the world makes on its own, over all services; 0 leaves everything to
    /// schedules and requests.
    pub change_rate: f64,
    /// Whether services begin with policies, groups and the like over the fleet, or with nothing.
    pub furnished: bool,
    /// What is run for each event of a product that calls scripts (DPOD).
    pub hook: Option<Hook>,
}

impl Default for SimOptions {
    /// The demo: real time, a small fleet, some history, something happening every few seconds.
    fn default() -> Self {
        Self {
            seed: 1,
            speed: 1.0,
            start: None,
            tasks: 400,
            devices: 32,
            port: 0,
            kinds: Vec::new(),
            switches: Vec::new(),
            change_rate: 0.5,
            furnished: true,
            hook: None,
        }
    }
}

impl SimOptions {
    /// For tests: the clock stands still, nothing happens that nobody asked for, and there is only the fleet.
    #[must_use]
    pub fn quiet() -> Self {
        Self {
            speed: 0.0,
            tasks: 0,
            change_rate: 0.0,
            furnished: false,
            ..Self::default()
        }
    }
}

/// The flags of `keepwatch sim`.
#[derive(Debug, Clone, clap::Args)]
pub struct SimArgs {
    /// Seed of everything random: the same seed and start give the same world
    #[arg(long, value_name = "N", default_value_t = SimOptions::default().seed)]
    pub seed: u64,
    /// Virtual seconds per real second; 0 stands still until told to advance
    #[arg(long, value_name = "FACTOR", default_value_t = SimOptions::default().speed, value_parser = factor)]
    pub speed: f64,
    /// Where the virtual clock starts, as RFC 3339 [default: now]
    #[arg(long, value_name = "TIME")]
    pub start: Option<DateTime<Utc>>,
    /// Finished tasks each service begins with, over the past 30 days
    #[arg(long, value_name = "N", default_value_t = SimOptions::default().tasks)]
    pub tasks: usize,
    /// Servers in the shared fleet
    #[arg(long, value_name = "N", default_value_t = SimOptions::default().devices)]
    pub devices: usize,
    /// First port, one a service from there on; 0 lets the system choose
    #[arg(long, value_name = "N", default_value_t = SimOptions::default().port)]
    pub port: u16,
    /// Only these kinds, separated by commas [default: all]
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    pub kinds: Vec<String>,
    /// Set a switch (may be repeated); a wrong name lists the known ones
    #[arg(long = "switch", value_name = "NAME=VALUE", value_parser = name_value)]
    pub switches: Vec<(String, String)>,
    /// Changes per virtual second that the world makes on its own
    #[arg(long, value_name = "R", default_value_t = SimOptions::default().change_rate, value_parser = factor)]
    pub change_rate: f64,
    /// Run this for each event that DPOD would call a script for: a program and its leading arguments, separated by
    /// blanks; the script's own arguments follow [default: keepwatch record, into a temporary inbox]
    #[arg(long, value_name = "COMMAND", value_parser = Hook::from_line)]
    pub hook: Option<Hook>,
    /// Write a configuration for these services to FILE (for --config of every other command)
    #[arg(long, value_name = "FILE")]
    pub write_config: Option<PathBuf>,
}

impl SimArgs {
    /// The options that these flags mean.
    #[must_use]
    pub fn options(&self) -> SimOptions {
        SimOptions {
            seed: self.seed,
            speed: self.speed,
            start: self.start,
            tasks: self.tasks,
            devices: self.devices,
            port: self.port,
            kinds: self.kinds.clone(),
            switches: self.switches.clone(),
            change_rate: self.change_rate,
            furnished: true,
            hook: self.hook.clone(),
        }
    }
}

fn name_value(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .ok_or_else(|| format!("expected NAME=VALUE, found {text:?}"))
}

fn factor(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number >= 0.0 => Ok(number),
        _ => Err("expected a number of 0 or more".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: SimArgs,
    }

    #[test]
    fn no_flags_are_the_defaults() {
        let cli = Cli::try_parse_from(["sim"]).expect("parses");
        assert_eq!(cli.args.options(), SimOptions::default());
    }

    #[test]
    fn flags_reach_the_options() {
        let cli = Cli::try_parse_from([
            "sim",
            "--kinds",
            "csbs,sdrs",
            "--switch",
            "a.b=c",
            "--speed",
            "60",
            "--start",
            "2026-01-02T03:04:05Z",
            "--hook",
            "keepwatch record dpod --service gateways --",
        ])
        .expect("parses");
        let options = cli.args.options();
        assert_eq!(options.kinds, ["csbs", "sdrs"]);
        assert_eq!(options.switches, [("a.b".to_owned(), "c".to_owned())]);
        assert_eq!(options.speed, 60.0);
        assert!(options.start.is_some());
        assert!(options.hook.is_some_and(|hook| hook.args.len() == 5));
        assert!(Cli::try_parse_from(["sim", "--speed", "-1"]).is_err());
        assert!(Cli::try_parse_from(["sim", "--switch", "x"]).is_err());
    }
}
