//! The console: one of the two faces, a full-screen terminal program.
//!
//! Its core is a function: [`update()`] folds one [`Message`] into the [`State`] and answers with
//! [`Effect`]s, without clock, I/O or waiting; [`view()`] draws a state and touches nothing. The loop in
//! [`mod@run`] owns the state, carries out effects through a [`Backend`], and draws only when something
//! visible changed.
//!
//! | module | answers |
//! | --- | --- |
//! | [`message`], [`effect`] | what comes in, what goes out |
//! | [`state`] | what the console knows: panes, cursor, marks, what lies on top |
//! | [`mod@update`] | what a message does; one file a subject |
//! | [`mod@view`], [`layout`] | how a state looks; one file a part of the screen |
//! | [`theme`], [`glyphs`], [`text`] | styles, signs, readable ages and names |
//! | [`word`], [`key`], [`keymap`] | which words the operator has, and which key says which word |
//! | [`can`] | whether a word can be carried out now, and if not, why |
//! | [`card`], [`ticket`] | what a failure means, for the screen and for a ticket |
//! | [`remarks`] | acknowledgements and notes, written to and read from history |
//! | [`relation`], [`thing`] | what is related to what |
//! | [`terminal`], [`mod@run`] | the terminal and the loop |

pub mod can;
pub mod card;
pub mod effect;
#[cfg(test)]
mod example;
pub mod glyphs;
pub mod key;
pub mod keymap;
pub mod layout;
pub mod line;
pub mod live;
pub mod message;
pub mod relation;
pub mod remarks;
pub mod run;
pub mod state;
pub mod terminal;
#[cfg(test)]
mod tests;
pub mod text;
pub mod theme;
pub mod thing;
pub mod ticket;
pub mod update;
pub mod view;
pub mod word;

pub use effect::{Backend, Effect, SavedUi};
pub use key::{Key, KeyCode};
pub use keymap::{Keymap, Place};
pub use message::Message;

pub use run::run;
pub use state::{Look, Setup, State};
pub use update::update;
pub use view::view;
pub use word::Word;
