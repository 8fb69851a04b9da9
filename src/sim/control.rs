//! The side path `/_sim/…` on every service's port: how tests and the demo look behind the scenes and change the
//! world. JSON in, JSON out, no login (it is on loopback and the world is a toy).
//!
//! | call | what |
//! | --- | --- |
//! | GET `/_sim/clock` | `{"now","speed"}` |
//! | POST `/_sim/clock` | `{"advance_s": n}` or `{"advance_to": time}` and/or `{"speed": f}`; all that is due happens at once |
//! | GET, POST, DELETE `/_sim/faults` | see [`super::fault`]; `{"fault":"refused","service":…}` closes a port |
//! | GET, POST `/_sim/switches` | `{"name","value"}` sets one |
//! | GET `/_sim/servers` | the fleet |
//! | POST `/_sim/servers/{id or name}` | any of `{"state","az","no_volumes":true}` and `"volumes":[{"index", any of "shared","encrypted","broken","locked","size_gb","storage"}]` |
//! | GET, POST `/_sim/zones` | `{"name","kind","supported": bool}` |
//! | GET, POST `/_sim/quotas` | `{"name","limit"}`; −1 is unlimited |
//! | GET `/_sim/account` | the project's id and the access keys, for clients that sign |
//! | GET `/_sim/counters` | what really happened, counted by name |
//! | GET `/_sim/journal` | what really happened, in order |
//! | GET `/_sim/requests` | the last requests of this service (`?service=NAME`, `*` for all) |
//! | POST `/_sim/tokens/revoke` | all tokens are worth nothing any more |
//! | anything else | the dialect's own, see [`super::dialect::Dialect::control`] |

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::dialect::ServiceId;
use super::engine::Engine;
use super::fault::Rule;
use super::fleet::{Server, ServerState, Storage};
use super::http::{Request, Response};
use super::world::World;

/// The answer to a control path that nobody knows.
#[must_use]
pub fn unknown(path: &[&str]) -> Response {
    refused(404, format!("there is no /_sim/{}", path.join("/")))
}

/// A refusal of a control request, with the reason.
#[must_use]
pub fn refused(status: u16, why: impl Into<String>) -> Response {
    Response::json(status, &json!({"error": why.into()}))
}

/// Answers one control request.
pub(super) fn handle(engine: &mut Engine, here: ServiceId, request: &Request) -> Response {
    let (method, segments) = request.route();
    let path = segments.get(1..).unwrap_or_default();
    let body = match request.json() {
        Ok(body) => body,
        Err(why) => return refused(400, format!("the body is not JSON: {why}")),
    };
    let answer = match (method, path) {
        ("GET", ["clock"]) => Ok(clock(&engine.world)),
        ("POST", ["clock"]) => set_clock(engine, &body),
        ("GET" | "POST" | "DELETE", ["faults"]) => faults(engine, here, request, &body),
        ("GET", ["switches"]) => Ok(switches(&engine.world)),
        ("POST", ["switches"]) => set_switch(&mut engine.world, &body),
        ("GET", ["servers"]) => Ok(engine
            .world
            .fleet
            .servers()
            .iter()
            .map(Server::to_json)
            .collect()),
        ("POST", ["servers", id]) => set_server(&mut engine.world, id, &body),
        ("GET", ["zones"]) => Ok(zones(&engine.world)),
        ("POST", ["zones"]) => set_zone(&mut engine.world, &body),
        ("GET", ["quotas"]) => Ok(quotas(&engine.world)),
        ("POST", ["quotas"]) => set_quota(&mut engine.world, &body),
        ("GET", ["account"]) => Ok(account(&engine.world)),
        ("GET", ["counters"]) => Ok(json!(engine.world.counters)),
        ("GET", ["journal"]) => Ok(json!(engine.world.journal)),
        ("GET", ["requests"]) => match request.param("service") {
            Some("*") => Ok(engine.seen(None).into()),
            other => named(engine, here, other).map(|service| engine.seen(Some(service)).into()),
        },
        ("POST", ["tokens", "revoke"]) => Ok(json!({"revoked": engine.world.tokens.revoke_all()})),
        _ => {
            return match engine.dialects.get_mut(here.0) {
                Some(dialect) => dialect.control(&mut engine.world, path, request),
                None => unknown(path),
            };
        }
    };
    match answer {
        Ok(body) => Response::json(200, &body),
        Err(why) => refused(400, why),
    }
}

type Answer = Result<Value, String>;

/// The longest step of the clock, in days.
const MOST_DAYS: i64 = 400;

fn clock(world: &World) -> Value {
    json!({"now": world.now(), "speed": world.clock.speed()})
}

fn set_clock(engine: &mut Engine, body: &Value) -> Answer {
    if let Some(speed) = body.get("speed") {
        let speed = speed.as_f64().ok_or("speed must be a number")?;
        engine.world.clock.set_speed(speed);
    }
    let now = engine.world.clock.now();
    let mut to = now;
    if let Some(by) = body.get("advance_s") {
        let by = by.as_f64().ok_or("advance_s must be a number of seconds")?;
        let by = TimeDelta::try_milliseconds((by * 1000.0) as i64);
        to = by
            .and_then(|by| now.checked_add_signed(by))
            .ok_or("advance_s is out of range")?;
    }
    if let Some(text) = body.get("advance_to") {
        to = text
            .as_str()
            .and_then(|text| text.parse().ok())
            .ok_or("advance_to must be an RFC 3339 time")?;
    }
    // Everything in between happens now and under the lock: a step of centuries would never end.
    if to.signed_duration_since(now) > TimeDelta::days(MOST_DAYS) {
        return Err(format!(
            "the clock advances by at most {MOST_DAYS} days at once"
        ));
    }
    engine.world.clock.advance_to(to);
    engine.catch_up();
    Ok(clock(&engine.world))
}

/// The service that a control is about: the named one, or the one on whose port it came.
fn named(engine: &Engine, here: ServiceId, name: Option<&str>) -> Result<ServiceId, String> {
    let Some(name) = name else { return Ok(here) };
    engine
        .find(name)
        .ok_or_else(|| format!("there is no service {name:?}"))
}

fn faults(engine: &mut Engine, here: ServiceId, request: &Request, body: &Value) -> Answer {
    let name = request
        .param("service")
        .or_else(|| body.get("service").and_then(Value::as_str));
    if request.method == "DELETE" && name == Some("*") {
        engine.faults.iter_mut().for_each(Vec::clear);
        for up in &engine.listening {
            up.send_replace(true);
        }
        return Ok(json!([]));
    }
    let service = named(engine, here, name)?;
    let rules = engine.faults.get_mut(service.0).ok_or("no such service")?;
    match request.method.as_str() {
        "POST" if body.get("fault").and_then(Value::as_str) == Some("refused") => {
            if let Some(up) = engine.listening.get(service.0) {
                up.send_replace(false);
            }
        }
        "POST" => rules.push(Rule::from_json(body)?),
        "DELETE" => {
            rules.clear();
            if let Some(up) = engine.listening.get(service.0) {
                up.send_replace(true);
            }
        }
        _ => {}
    }
    Ok(rules.iter().map(Rule::to_json).collect())
}

fn switches(world: &World) -> Value {
    world
        .switches
        .list()
        .map(|(spec, value)| {
            json!({"name": spec.name, "value": value, "values": spec.values, "about": spec.about})
        })
        .collect()
}

fn set_switch(world: &mut World, body: &Value) -> Answer {
    let name = text(body, "name")?;
    let value = match body.get("value") {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => return Err("value is missing".into()),
    };
    world.switches.set(name, &value)?;
    Ok(json!({"name": name, "value": value}))
}

fn set_server(world: &mut World, id: &str, body: &Value) -> Answer {
    let id = world
        .fleet
        .find(id)
        .map(|server| server.id.clone())
        .ok_or_else(|| format!("there is no server {id:?}"))?;
    let zones: Vec<String> = world
        .fleet
        .zones
        .iter()
        .map(|zone| zone.name.clone())
        .collect();
    let server = world.fleet.get_mut(&id).ok_or("no such server")?;
    if let Some(word) = body.get("state").and_then(Value::as_str) {
        server.state = ServerState::from_word(word).ok_or_else(|| {
            let known: Vec<&str> = ServerState::ALL.iter().map(|state| state.word()).collect();
            format!("state must be one of {}", known.join(", "))
        })?;
    }
    if let Some(az) = body.get("az").and_then(Value::as_str) {
        if !zones.iter().any(|zone| zone == az) {
            return Err(format!("az must be one of {}", zones.join(", ")));
        }
        az.clone_into(&mut server.az);
    }
    if body.get("no_volumes").and_then(Value::as_bool) == Some(true) {
        server.volumes.clear();
    }
    for change in body
        .get("volumes")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        set_volume(server, change)?;
    }
    Ok(server.to_json())
}

fn set_volume(server: &mut Server, change: &Value) -> Result<(), String> {
    let index = change.get("index").and_then(Value::as_u64).unwrap_or(0);
    let volume = usize::try_from(index)
        .ok()
        .and_then(|index| server.volumes.get_mut(index))
        .ok_or_else(|| format!("the server has no volume with index {index}"))?;
    for (name, field) in [
        ("shared", &mut volume.shared),
        ("encrypted", &mut volume.encrypted),
        ("broken", &mut volume.broken),
        ("locked", &mut volume.locked),
    ] {
        if let Some(value) = change.get(name).and_then(Value::as_bool) {
            *field = value;
        }
    }
    if let Some(size) = change.get("size_gb").and_then(Value::as_u64) {
        volume.size_gb = u32::try_from(size).map_err(|_| "size_gb is too large")?;
    }
    match change.get("storage").and_then(Value::as_str) {
        Some("common") => volume.storage = Storage::Common,
        Some("dss") => volume.storage = Storage::Dss,
        Some("dess") => volume.storage = Storage::Dess,
        Some(_) => return Err("storage must be common, dss or dess".into()),
        None => {}
    }
    Ok(())
}

fn account(world: &World) -> Value {
    let account = &world.account;
    json!({
        "project_id": account.project_id,
        "access_key": account.access_key, "secret_key": account.secret_key,
        "temporary_access_key": account.temporary_access_key,
        "temporary_secret_key": account.temporary_secret_key,
        "security_token": account.security_token,
    })
}

fn zones(world: &World) -> Value {
    world
        .fleet
        .zones
        .iter()
        .map(|zone| json!({"name": zone.name, "refuses": zone.refuses}))
        .collect()
}

fn set_zone(world: &mut World, body: &Value) -> Answer {
    let name = text(body, "name")?;
    let kind = text(body, "kind")?.to_owned();
    let supported = body
        .get("supported")
        .and_then(Value::as_bool)
        .ok_or("supported must be true or false")?;
    let zone = world
        .fleet
        .zones
        .iter_mut()
        .find(|zone| zone.name == name)
        .ok_or_else(|| format!("there is no zone {name:?}"))?;
    if supported {
        zone.refuses.remove(&kind);
    } else {
        zone.refuses.insert(kind);
    }
    Ok(zones(world))
}

fn quotas(world: &World) -> Value {
    world
        .quotas
        .iter()
        .map(|(name, quota)| json!({"name": name, "limit": quota.limit, "used": quota.used}))
        .collect()
}

fn set_quota(world: &mut World, body: &Value) -> Answer {
    let name = text(body, "name")?;
    let limit = body
        .get("limit")
        .and_then(Value::as_i64)
        .ok_or("limit must be a whole number")?;
    if !world.quotas.set_limit(name, limit) {
        return Err(format!("there is no quota {name:?}"));
    }
    Ok(quotas(world))
}

fn text<'a>(body: &'a Value, name: &str) -> Result<&'a str, String> {
    body.get(name)
        .and_then(Value::as_str)
        .ok_or_else(|| format!("{name} must be a text"))
}
