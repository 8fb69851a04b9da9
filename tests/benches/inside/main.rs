//! What the inside of keepwatch takes: filters, sorting, taking in polls. Prints Markdown rows.
//!
//! `cargo bench --bench inside -- [PART…]`; without a part, all of them. Memory is `cargo bench --bench counted`.

mod common;
mod estate;
mod lists;
mod polls;
mod takein;

/// The program's own, so that the times are the program's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    common::run(&[
        ("lists", &lists::run),
        ("polls", &|| polls::run(None)),
        ("takein", &|| takein::run(None)),
    ]);
}
