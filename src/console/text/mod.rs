//! Small things made readable: ages, cut names, wrapped sentences, times in the operator's zone.

pub mod age;
pub mod cut;
pub mod number;
pub mod zone;

pub use age::{Label, SECONDS_BELOW, ago, live, span};
pub use cut::{cut_end, cut_middle, width, wrap};
pub use number::count;
pub use zone::Zone;
