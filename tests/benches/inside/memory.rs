//! Bytes held for each task.

use crate::common::{MILLION, row};
use crate::estate::Estate;

/// `held` tells the bytes that are allocated now.
pub fn run(held: fn() -> i64) {
    let before = held();
    let store = Estate::store(MILLION);
    let per_task = (held() - before) / MILLION as i64;
    row(
        "1,000,000 tasks in the store",
        &format!("{per_task} bytes a task"),
        "",
    );
    drop(store);
}
