//! The embedded services: vendor-faithful HTTP on loopback over one simulated world.
//!
//! They are what the console shows when nothing is configured, the demo, and the test bed. They share no code with
//! the connectors: a mistake shared by both sides would hide itself.
//!
//! | file | what |
//! | --- | --- |
//! | [`world`] | what all services share: clock, fleet, quotas, tokens, switches, counters |
//! | [`clock`], [`queue`] | virtual time, and what is due when |
//! | [`fleet`] | servers, disks, availability zones |
//! | [`quotas`], [`tokens`], [`switches`] | limits, logins, undocumented choices |
//! | [`table`] | rows by number and by id |
//! | [`dialect`] | **what to implement to add a service**; the crate's registry of kinds lists them |
//! | [`http`], [`gateway`], [`signature`] | plain requests and answers; the API gateway's login check and errors; signed requests |
//! | [`ids`] | ids that can be turned back into numbers, for a million rows without a table |
//! | [`keystone`] | the identity service |
//! | [`rrule`] | recurrence rules of schedules |
//! | [`csbs`] | Cloud Server Backup Service |
//! | [`freezer`], [`sdrs`] | OpenStack Freezer; Storage Disaster Recovery Service |
//! | [`atlassian`] | Atlassian's Backup management API |
//! | [`dpod`] | IBM DataPower Operations Dashboard |
//! | [`cbr`] | Cloud Backup and Recovery |
//! | [`dbs`] | Alibaba Cloud Database Backup |
//! | [`tls`], [`hook`] | a certificate that signed itself; the program that is run for each event of a product with scripts |
//! | [`fault`], [`control`] | the side path `/_sim/…`: failures and changes that tests switch on |
//! | [`options`], [`service`], [`run`] | how to start it, and how services introduce themselves |
//!
//! A request's way: `server` reads it whole, takes the lock, lets the `engine` catch up with everything that is due
//! by the virtual clock (in order of time, over all services), and only then asks the dialect. So nothing needs a
//! timer (but where a hook is to be run in time), an idle simulation costs nothing, and a test that advances the clock
//! sees exactly what would have happened.

pub mod atlassian;
pub mod cbr;
pub mod clock;
pub mod control;
pub mod csbs;
pub mod dbs;
pub mod dialect;
pub mod dpod;
mod engine;
pub mod error;
pub mod fault;
pub mod fleet;
pub mod freezer;
pub mod gateway;
pub mod hook;
pub mod http;
pub mod ids;
pub mod karbor;
pub mod keystone;
pub mod options;
pub mod pace;
pub mod queue;
pub mod quotas;
pub mod rrule;
pub mod run;
pub mod sdrs;
mod server;
pub mod service;
pub mod signature;
pub mod switches;
pub mod table;
pub mod tls;
pub mod tokens;
pub mod world;

pub use error::SimError;
pub use hook::{Hook, PastCall};
pub use options::{SimArgs, SimOptions};
pub use run::{Running, Stop, announce, start};
pub use service::{AuthLine, AuthValue, ServiceLine, config_toml};
