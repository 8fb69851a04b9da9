//! The terminal: taken over and given back, written to in one piece a frame, read on a thread of its own.

pub mod clipboard;
pub mod guard;
pub mod input;
pub mod link;
pub mod pen;
pub mod screen;
pub mod signals;

pub use guard::Guard;
pub use link::Link;
pub use screen::Screen;
