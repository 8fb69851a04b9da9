//! Bytes held for each task.

use super::{ALLOCATOR, MILLION, row};
use crate::estate::Estate;

pub fn run() {
    let before = ALLOCATOR.stats();
    let (time, store) = super::timed(|| Estate::store(MILLION));
    let after = ALLOCATOR.stats();
    let held = |s: &stats_alloc::Stats| s.bytes_allocated as i64 - s.bytes_deallocated as i64;
    let per_task = (held(&after) - held(&before)) / MILLION as i64;
    row(
        "1,000,000 tasks in the store",
        &format!("{per_task} bytes a task"),
        "",
    );
    row("making and folding them", &super::ms(time), "");
    drop(store);
}
