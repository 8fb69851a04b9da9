//! Karbor: the embedded one from outside, held to what a real 1.6.0 answered (`tests/fixtures/karbor`; the whole
//! comparison with a running one is `tests/real/compare_karbor.py`), and the connector on a running one.

mod embedded;
mod real;
#[path = "../sim_support/mod.rs"]
mod sim_support;
