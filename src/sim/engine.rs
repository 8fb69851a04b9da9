//! The engine: one world, its dialects, and the order in which things happen to them.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::control;
use super::dialect::{Dialect, ServiceId};
use super::fault::{Fault, Rule, spoil, take};
use super::http::{Request, Response};
use super::world::World;

/// How the answer is to travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    /// As it is.
    Whole,
    /// Half of it, then the connection breaks.
    Half,
    /// This many bytes of JSON instead.
    Huge(u64),
    /// As it is, after so many real milliseconds.
    Late(u64),
    /// Not at all: the connection breaks.
    Never,
}

/// One request that came, for tests to count.
#[derive(Debug)]
struct Seen {
    service: ServiceId,
    at: DateTime<Utc>,
    id: String,
    method: String,
    target: String,
    status: u16,
    fault: bool,
}

/// How many requests are remembered.
const SEEN: usize = 4096;

/// The world with everybody in it. It lives behind one mutex.
pub(super) struct Engine {
    pub world: World,
    pub dialects: Vec<Box<dyn Dialect>>,
    /// Switched-on faults, a list for each service.
    pub faults: Vec<Vec<Rule>>,
    /// Whether each service listens; the server loops watch it.
    pub listening: Vec<watch::Sender<bool>>,
    seen: VecDeque<Seen>,
    /// What each service may still take at once, and when that was worked out.
    budgets: Vec<(f64, DateTime<Utc>)>,
}

impl Engine {
    pub fn new(
        world: World,
        dialects: Vec<Box<dyn Dialect>>,
        listening: Vec<watch::Sender<bool>>,
    ) -> Self {
        Self {
            faults: dialects.iter().map(|_| Vec::new()).collect(),
            budgets: dialects.iter().map(|_| (f64::MAX, world.now())).collect(),
            world,
            dialects,
            listening,
            seen: VecDeque::new(),
        }
    }

    /// Lets everything happen that is due by the virtual clock.
    pub fn catch_up(&mut self) {
        let until = self.world.clock.now();
        while let Some((at, event)) = self.world.pop_due(until) {
            self.world.set_now(at);
            if let Some(dialect) = self.dialects.get_mut(event.service.0) {
                dialect.event(&mut self.world, event);
            }
        }
        self.world.set_now(until);
    }

    /// Takes one request through faults, controls and dialect.
    pub fn exchange(&mut self, service: ServiceId, request: &Request) -> (Response, Delivery) {
        self.catch_up();
        if request.segments.first().is_some_and(|part| part == "_sim") {
            return (control::handle(self, service, request), Delivery::Whole);
        }
        let fault = self
            .faults
            .get_mut(service.0)
            .and_then(|rules| take(rules, request))
            .or_else(|| self.over_the_limit(service));
        let (response, delivery) = self.respond(service, request, fault.as_ref());
        if self.seen.len() >= SEEN {
            self.seen.pop_front();
        }
        self.seen.push_back(Seen {
            service,
            at: self.world.now(),
            id: request.id.clone(),
            method: request.method.clone(),
            target: match request.raw_query.as_str() {
                "" => request.raw_path.clone(),
                query => format!("{}?{query}", request.raw_path),
            },
            status: response.status,
            fault: fault.is_some(),
        });
        (response, delivery)
    }

    /// The gateway's throttling, when it is switched on; Keystone has none.
    fn over_the_limit(&mut self, service: ServiceId) -> Option<Fault> {
        let limit = self.world.switches.number("gateway.rate_limit");
        if limit <= 0.0 || self.world.services.get(service.0)?.kind == "keystone" {
            return None;
        }
        let now = self.world.now();
        let (left, since) = self.budgets.get_mut(service.0)?;
        let gone = now.signed_duration_since(*since).as_seconds_f64();
        *left = (*left + gone * limit).min(limit.max(1.0));
        *since = now;
        if *left >= 1.0 {
            *left -= 1.0;
            return None;
        }
        Some(Fault::Status {
            status: 429,
            retry_after: Some("1".to_owned()),
        })
    }

    fn respond(
        &mut self,
        service: ServiceId,
        request: &Request,
        fault: Option<&Fault>,
    ) -> (Response, Delivery) {
        let Some(dialect) = self.dialects.get_mut(service.0) else {
            return (Response::empty(500), Delivery::Whole);
        };
        let world = &mut self.world;
        match fault {
            None => (dialect.handle(world, request), Delivery::Whole),
            Some(Fault::Status {
                status,
                retry_after,
            }) => {
                let response = dialect.fault(world, request, *status);
                let response = match retry_after {
                    Some(after) => dialect.retry_after(response, after),
                    None => response,
                };
                (response, Delivery::Whole)
            }
            Some(Fault::Html { status }) => (
                Response::raw(
                    *status,
                    "text/html; charset=utf-8",
                    "<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Sign in</h1></body></html>",
                ),
                Delivery::Whole,
            ),
            Some(Fault::Garbage) => (
                Response::raw(
                    200,
                    "application/json",
                    "{\"items\": [{\"id\": \"1\", }, <?",
                ),
                Delivery::Whole,
            ),
            Some(Fault::BadRow) => (spoil(dialect.handle(world, request)), Delivery::Whole),
            Some(Fault::Truncated) => (dialect.handle(world, request), Delivery::Half),
            Some(Fault::Huge { bytes }) => {
                (Response::json(200, &Value::Null), Delivery::Huge(*bytes))
            }
            Some(Fault::Slow { delay_ms }) => {
                (dialect.handle(world, request), Delivery::Late(*delay_ms))
            }
            Some(Fault::ResetBefore) => (Response::empty(0), Delivery::Never),
            Some(Fault::ResetAfter) => (dialect.handle(world, request), Delivery::Never),
            Some(Fault::ExpiredToken) => {
                if let Some(token) = request.header("x-auth-token") {
                    world.tokens.revoke(token);
                }
                (dialect.handle(world, request), Delivery::Whole)
            }
        }
    }

    /// The remembered requests of a service (or of all), oldest first.
    pub fn seen(&self, service: Option<ServiceId>) -> Vec<Value> {
        self.seen
            .iter()
            .filter(|seen| service.is_none_or(|service| service == seen.service))
            .map(|seen| {
                json!({
                    "service": self.world.services.get(seen.service.0).map(|line| line.name.as_str()),
                    "at": seen.at, "id": seen.id, "method": seen.method, "target": seen.target,
                    "status": seen.status, "fault": seen.fault,
                })
            })
            .collect()
    }

    /// The service of that name or kind.
    pub fn find(&self, name: &str) -> Option<ServiceId> {
        let lines = &self.world.services;
        lines
            .iter()
            .position(|line| line.name == name)
            .or_else(|| lines.iter().position(|line| line.kind == name))
            .map(ServiceId)
    }
}
