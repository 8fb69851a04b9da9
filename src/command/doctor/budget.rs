//! The service's clock against ours, and what polling costs of the rate budget.

use serde_json::json;

use crate::config::ServiceConfig;
use crate::connect::Way;

use super::ask::Asked;
use super::step::{State, Step};
use super::visit::Visit;

/// Differences up to this are the granularity of HTTP dates and the time on the way, in milliseconds.
const SAME_MS: i64 = 5_000;
/// Beyond this a person should know, in milliseconds.
const NOTED_MS: i64 = 60_000;
/// Beyond this signatures are refused by both vendors that take them, in milliseconds (CSBS and DBS documents:
/// 15 minutes).
const SIGNED_MS: i64 = 900_000;

/// The difference of clocks. `signed` says that our clock stands in every signature, `refused` that the
/// credentials were refused.
pub fn clock(visit: &mut Visit, way: Option<Way<'_>>, signed: bool, refused: bool) {
    let Some((theirs, ours)) = way.and_then(|way| way.http().clock()) else {
        visit.skip("clock", "clock", "no answer came with a date");
        return;
    };
    let off = theirs.since(ours);
    let words = if off.abs() <= SAME_MS {
        "the service's clock and this machine's agree".to_owned()
    } else {
        let way = if off < 0 { "behind" } else { "ahead of" };
        format!(
            "the service's clock is {} {way} this machine's",
            span(off.unsigned_abs() / 1000)
        )
    };
    let too_far = signed && off.abs() > SIGNED_MS;
    let state = match off.abs() {
        _ if too_far && refused => State::Failed,
        ms if ms > NOTED_MS => State::Warning,
        _ => State::Ok,
    };
    let mut step = Step::new("clock", "clock", state, words)
        .with("service_ms_ahead", off)
        .with("service_time", theirs.rfc3339());
    if too_far {
        step = step.with_remedy(
            "Set this machine's clock (NTP): signatures older or newer than 15 minutes are refused.",
        );
    } else if state != State::Ok {
        step = step.with_remedy(
            "Find out which of the two is wrong (NTP): times of the service are shown by its own clock.",
        );
    }
    visit.push(step);
}

/// What is configured, what the service says of limits, and what a minute of polling costs.
pub fn rate(visit: &mut Visit, way: Option<Way<'_>>, service: &ServiceConfig, asked: &[Asked]) {
    let Some(http) = way.map(Way::http) else {
        visit.skip("rate", "rate", "the connector does not tell");
        return;
    };
    let limit = http.rate_per_minute();
    let by = if service.rate_per_minute.is_some() {
        "configured"
    } else {
        "the kind's own"
    };
    let costs: Option<Vec<(f64, f64)>> = asked
        .iter()
        .map(|list| {
            let n = list.requests()? as f64;
            let a_minute = |ms: u64| n * 60_000.0 / ms.max(1) as f64;
            let spec = list.spec();
            Some((
                a_minute(spec.interval(false, service.every_ms)),
                a_minute(spec.interval(true, service.every_ms)),
            ))
        })
        .collect();
    let said = http.limits();
    let spoken = if said.is_empty() {
        "the service named no limit".to_owned()
    } else {
        let words: Vec<String> = said.iter().map(|(k, v)| format!("{k}: {v}")).collect();
        format!("the service says {}", words.join(", "))
    };
    let said: serde_json::Map<_, _> = said.into_iter().map(|(k, v)| (k, json!(v))).collect();
    let (state, cost) = match &costs {
        None => (
            State::Ok,
            "what polling costs shows when every list was read".to_owned(),
        ),
        Some(costs) => {
            let sum = |of: fn(&(f64, f64)) -> f64| costs.iter().map(of).sum::<f64>();
            let (idle, busy) = (sum(|c| c.0).ceil(), sum(|c| c.1).ceil());
            // polling may use four fifths: the rest is an operator's
            let share = f64::from(limit) * 0.8;
            let waits = if busy > share {
                " (more than polling may use: it waits its turn then)"
            } else {
                ""
            };
            (
                if idle > share {
                    State::Warning
                } else {
                    State::Ok
                },
                format!(
                    "a minute of polling costs up to {idle:.0}, while tasks run up to {busy:.0}{waits}"
                ),
            )
        }
    };
    let mut step = Step::new(
        "rate",
        "rate",
        state,
        format!("{limit} requests a minute ({by}); {cost}; {spoken}"),
    )
    .with("per_minute", limit)
    .with("said", said);
    if let Some(costs) = costs {
        step = step
            .with("idle_per_minute", costs.iter().map(|c| c.0).sum::<f64>())
            .with("busy_per_minute", costs.iter().map(|c| c.1).sum::<f64>());
    }
    if state == State::Warning {
        step = step.with_remedy(
            "Polling waits for its turn and data gets older: set every to a longer time, or raise rate_per_minute if the service allows it.",
        );
    }
    visit.push(step);
}

/// Seconds in words: `42 s`, `17 min`, `3 h 5 min`, `12 days`.
pub fn span(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn spans_are_told_in_the_unit_that_fits() {
        for (seconds, words) in [
            (0, "0 s"),
            (119, "119 s"),
            (120, "2 min"),
            (7_260, "2 h 1 min"),
            (172_800, "2 days"),
        ] {
            assert_eq!(span(seconds), words);
        }
    }
}
