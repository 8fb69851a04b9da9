//! What the inside of keepwatch allocates. Prints Markdown rows.
//!
//! `cargo bench --bench counted -- [PART…]`; without a part, all of them. A program of its own, because counting
//! costs time.

mod common;
mod estate;
mod memory;
mod polls;
mod takein;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<std::alloc::System> = &INSTRUMENTED_SYSTEM;

fn main() {
    let count = || ALLOCATOR.stats().allocations;
    let held = || {
        let stats = ALLOCATOR.stats();
        stats.bytes_allocated as i64 - stats.bytes_deallocated as i64
    };
    common::run(&[
        ("memory", &|| memory::run(held)),
        ("polls", &|| polls::run(Some(count))),
        ("takein", &|| takein::run(Some(count))),
    ]);
}
