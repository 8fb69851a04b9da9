//! Lenient in: numbers as text, text as numbers, one bad row costs that row.
//!
//! The types here are used as fields of row structs. None of them fails on an odd value: it reads as
//! "nothing", and the raw record, which is kept for every row, still shows it. Only what makes a row
//! unusable (no id) makes a [`BadRow`](crate::model::BadRow).

mod list;
mod mend;
mod time;
mod value;

pub use list::{Raw, bad_row, each, raw_text};
pub use mend::mend;
pub use time::{Epoch, Time, time};
pub use value::{Flag, Float, Int, Loose, Text, read};
