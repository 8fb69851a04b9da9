//! The service's own processes, as an administrator sees them.

use serde_json::{Value, json};

use super::fault::{Answer, Fault};
use super::log::instant;
use super::{Karbor, body};
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

/// How often a process says that it lives, in microseconds.
const BEAT: i64 = 10_000_000;
/// After how long a silence it counts as down, in the same.
const SILENT: i64 = 60_000_000;
/// Where they run.
const HOST: &str = "controller-01";

/// One process.
#[derive(Debug)]
pub(super) struct Daemon {
    /// Its number on the wire.
    pub id: i64,
    /// What it is called.
    pub binary: &'static str,
    /// Whether it runs.
    pub up: bool,
    /// When it stopped, in microseconds since 1970.
    pub since: i64,
    /// Whether an administrator has disabled it, which changes nothing but this.
    pub disabled: bool,
    /// Why.
    pub reason: Option<String>,
}

impl Daemon {
    /// One that runs.
    pub fn new(id: i64, binary: &'static str) -> Self {
        Self {
            id,
            binary,
            up: true,
            since: 0,
            disabled: false,
            reason: None,
        }
    }

    /// Starts or stops it.
    pub fn turn(&mut self, world: &World, up: bool) {
        if self.up && !up {
            self.since = world.now().timestamp_micros();
        }
        self.up = up;
    }

    fn to_json(&self, world: &World) -> Value {
        let now = world.now().timestamp_micros();
        let until = if self.up { now } else { self.since };
        // Each has its own rhythm.
        let phase = self.id * 1_170_031;
        let beat = (until - phase).div_euclid(BEAT) * BEAT + phase;
        json!({
            "id": self.id, "binary": self.binary, "host": HOST,
            "status": if self.disabled { "disabled" } else { "enabled" },
            "state": if now - beat <= SILENT { "up" } else { "down" },
            "updated_at": instant(beat), "disabled_reason": self.reason,
        })
    }
}

impl Karbor {
    /// `GET /os-services`.
    pub(super) fn list_services(&self, world: &World, request: &Request) -> Answer {
        if !self.is_admin(world) {
            return Err(Fault::policy("service:get_all"));
        }
        let host = request.param("host").is_none_or(|host| host == HOST);
        let rows: Vec<Value> = [&self.protection, &self.engine]
            .into_iter()
            .filter(|it| host && request.param("binary").is_none_or(|name| name == it.binary))
            .map(|it| it.to_json(world))
            .collect();
        Ok(Response::json(200, &json!({"services": rows})))
    }

    /// `PUT /os-services/{id}`.
    pub(super) fn update_service(&mut self, world: &World, id: &str, request: &Request) -> Answer {
        let body = body::any(request)?.ok_or_else(Fault::arguments)?;
        if !self.is_admin(world) {
            return Err(Fault::policy("service:update"));
        }
        let daemon = match id {
            "1" => &mut self.protection,
            "2" => &mut self.engine,
            // The service forgets to fill its own words in.
            _ => return Err(Fault::missing("Service %(service_id)s could not be found.")),
        };
        if daemon.id == 1 {
            return Err(Fault::bad(format!(
                "Updating a {} service is not supported. Only karbor-operationengine services can be updated.",
                daemon.binary
            )));
        }
        let reason = body["disabled_reason"].as_str();
        match body["status"].as_str() {
            Some("enabled") if reason.is_some_and(|reason| !reason.is_empty()) => {
                return Err(Fault::bad(
                    "Specifying 'disabled_reason' with status 'enabled' is invalid.",
                ));
            }
            Some("enabled") => {
                daemon.disabled = false;
                daemon.reason = None;
            }
            Some("disabled") => {
                daemon.disabled = true;
                daemon.reason = reason.map(str::to_owned);
            }
            _ => {}
        }
        let body = json!({"service": daemon.to_json(world)});
        Ok(Response::json(200, &body))
    }
}
