//! What the inside of keepwatch costs: filters, sorting, taking in polls, memory. Prints Markdown rows.
//!
//! `cargo bench --bench inside -- [PART…]`; without a part, all of them.

mod estate;
mod lists;
mod memory;
mod polls;
mod takein;

use std::time::{Duration, Instant};

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<std::alloc::System> = &INSTRUMENTED_SYSTEM;

/// How many tasks a million is.
const MILLION: usize = 1_000_000;

/// The median time of `times` runs.
fn median(times: usize, mut run: impl FnMut() -> Duration) -> Duration {
    let mut all: Vec<Duration> = (0..times).map(|_| run()).collect();
    all.sort_unstable();
    all[all.len() / 2]
}

/// How long it takes.
fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let begun = Instant::now();
    let done = work();
    (begun.elapsed(), done)
}

fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

/// One line of the table.
fn row(measure: &str, ours: &str, beside: &str) {
    println!("| {measure} | {ours} | {beside} |");
}

fn load() -> String {
    std::fs::read_to_string("/proc/loadavg")
        .unwrap_or_default()
        .split(' ')
        .take(1)
        .collect()
}

fn main() {
    let parts: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|p| p == part);
    println!("<!-- load before: {} -->", load());
    println!("| inside | keepwatch | beside |");
    println!("| --- | --- | --- |");
    if wanted("memory") {
        memory::run();
    }
    if wanted("lists") {
        lists::run();
    }
    if wanted("polls") {
        polls::run();
    }
    if wanted("takein") {
        takein::run();
    }
    println!("<!-- load after: {} -->", load());
}
