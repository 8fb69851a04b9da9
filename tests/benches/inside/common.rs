//! What both programs share: times, rows of the table, the load.

use std::time::{Duration, Instant};

/// How many tasks a million is.
pub const MILLION: usize = 1_000_000;

/// Counts allocations since the start, where the program does.
pub type Count = Option<fn() -> usize>;

/// The median time of `times` runs.
pub fn median(times: usize, mut run: impl FnMut() -> Duration) -> Duration {
    let mut all: Vec<Duration> = (0..times).map(|_| run()).collect();
    all.sort_unstable();
    all[all.len() / 2]
}

/// How long it takes.
pub fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let begun = Instant::now();
    let done = work();
    (begun.elapsed(), done)
}

pub fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

/// One line of the table.
pub fn row(measure: &str, ours: &str, beside: &str) {
    println!("| {measure} | {ours} | {beside} |");
}

/// What `work` gave, and its cost in words: allocations where they are counted, its time otherwise.
pub fn cost<T>(count: Count, each: Option<usize>, work: impl FnOnce() -> T) -> (String, T) {
    let before = count.map(|c| c());
    let (time, done) = timed(work);
    let made = count.zip(before).map(|(c, before)| c() - before);
    let words = match (made, each) {
        (None, _) => ms(time),
        (Some(made), None) => format!("{made} allocations"),
        (Some(made), Some(rows)) => format!("{:.3} allocations a row", made as f64 / rows as f64),
    };
    (words, done)
}

/// Runs the parts that the arguments name, all of them where they name none.
pub fn run(parts: &[(&str, &dyn Fn())]) {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    println!("<!-- load before: {} -->", load());
    println!("| inside | keepwatch | beside |");
    println!("| --- | --- | --- |");
    for (name, part) in parts {
        if wanted.is_empty() || wanted.iter().any(|w| w == name) {
            part();
        }
    }
    println!("<!-- load after: {} -->", load());
}

fn load() -> String {
    std::fs::read_to_string("/proc/loadavg")
        .unwrap_or_default()
        .split(' ')
        .take(1)
        .collect()
}
