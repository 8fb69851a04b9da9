//! The nouns of the field: plain data with documented units, one noun a file.
//!
//! Everything here is owned, comparable and free of I/O. Connectors fill these types from vendor
//! answers; the store folds them; the faces show them. Nothing in here knows HTTP or screens.

mod action;
mod clean;
mod code;
mod device;
mod health;
mod kind;
mod phase;
mod policy;
mod records;
mod rows;
mod service;
mod severity;
mod task;
mod time;
mod transition;

pub use action::{
    ActionSpec, Answer, Danger, Follow, Found, Input, InputKind, Intent, Prepared, RequestPreview,
    SendOutcome, Target, TargetKind, Verb, url_path,
};
pub use clean::{Cleaned, clean, clean_into};
pub use code::CodeRef;
pub use device::Device;
pub use health::{Fault, FaultKind, Health};
pub use kind::Kind;
pub use phase::Phase;
pub use policy::{Due, Policy};
pub use records::RecordsFrom;
pub use rows::{BadRow, Rows};
pub use service::{Service, ServiceId};
pub use severity::{RetryAdvice, Severity};
pub use task::{Asked, Ref, Task};
pub use time::Timestamp;
pub use transition::Transition;
