//! Taking a confirmed action, sending it once, and following what came of it.
//!
//! The way of an action: [`Operator::offers`] lists what can be done on a target and why the rest can't;
//! [`Operator::prepare`] has the connector work out the exact requests; [`Operator::confirm`] checks the
//! guard and what the person typed and gives a [`Confirmed`], which can be made in no other way, is not
//! clonable and is used up by [`Operator::send`]. Everything after that arrives as [`ActionEvent`]s and is
//! kept in the [`Ledger`].
//!
//! Every step is kept in history as well, and the request leaves only when its confirmation is on the disk: a
//! later run finds what this one left open ([`Operator::take_over`]) and looks what became of it
//! ([`Operator::resolve`]). It never sends it again.

mod earlier;
mod follow;
mod guard;
mod keep;
mod ledger;
mod offer;
mod operator;
mod stage;
#[cfg(test)]
mod tests;

pub use follow::observe;
pub use guard::{Guard, GuardError, Rule};
pub use keep::is_unresolved;
pub use ledger::{ActionRecord, Ledger};
pub use offer::Offer;
pub use operator::{Confirmed, Operator};
pub use stage::{ActionEvent, ActionId, Stage};
