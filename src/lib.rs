//! Keepwatch: one terminal in which on-call operators watch every backup service live, understand each
//! failure at once, and act on it safely.
//!
//! # The map of the house
//!
//! ```text
//! services ──HTTP──► connect ──pages──► watch ──deltas──► store ──► console   (screen)
//!    ▲                                    │ transitions ──► history ──► command  (headless twin)
//!    └────── operate ◄── confirmed action ┘◄────────────────────────────┘
//! ```
//!
//! | part | holds | may use |
//! | --- | --- | --- |
//! | [`model`] | the nouns: task, device, policy, phase, action … | nothing of ours |
//! | [`tomlread`] | reading TOML that people write, every mistake with its place | nothing of ours |
//! | [`threads`] | which thread goes first | nothing of ours |
//! | [`catalog`] | what a code means and what to do next | model, tomlread |
//! | [`query`] | one filter language for console and command | model |
//! | [`connect`] | one vendor's wire format into our model | model |
//! | [`store`] | what is live, indexed; views over it; what was | model, query, threads |
//! | [`watch`] | schedule, rate budget, health and age, following | model, connect, store |
//! | [`operate`] | a confirmed action, sent once, followed to its end | model, catalog, connect, store |
//! | [`config`] | services, where secrets come from, paths | model, query, connect, tomlread |
//! | [`console`], [`command`] | the two faces | all above |
//! | [`sim`] | the embedded services: vendor-faithful HTTP on loopback | nothing of ours but the catalog's data files |
//! | [`kinds`] | the registry: one line a kind | connect, sim |

#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]
#![warn(missing_docs)]

pub mod catalog;
pub mod command;
pub mod config;
pub mod connect;
pub mod console;
pub mod kinds;
pub mod model;
pub mod operate;
pub mod query;
pub mod sim;
pub mod store;
pub mod threads;
pub mod tomlread;
pub mod watch;
