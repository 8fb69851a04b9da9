//! The embedded DBS from outside, over HTTP: both signatures and both error channels, the walks of plans and jobs, and
//! failures that have a reason in the world.

mod calls;
mod client;
mod demo;
mod jobs;
mod plans;
#[path = "../sim_support/mod.rs"]
mod sim_support;
