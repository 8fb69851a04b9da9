//! Who gets in: HTTP Basic, a role that may, and Tomcat's lock-out of users whose password was wrong too often.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{DateTime, Utc};

use crate::sim::http::{Request, Response};
use crate::sim::world::World;

/// A user of the internal registry.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct User {
    /// User name.
    pub name: &'static str,
    /// Password.
    pub password: &'static str,
    /// Built-in role. That these two are the "admin or operator" of the documents is inferred from their names.
    pub role: &'static str,
}

/// Who there is.
pub(super) const USERS: [User; 3] = [
    User {
        name: "operator",
        password: "demo-password",
        role: "OpDashOperatorRole",
    },
    User {
        name: "admin",
        password: "demo-admin-password",
        role: "OpDashAdminRole",
    },
    User {
        name: "investigator",
        password: "demo-investigator-password",
        role: "OpDashInvestigatorRole",
    },
];

/// Roles that may list and execute plans.
const MAY: [&str; 2] = ["OpDashOperatorRole", "OpDashAdminRole"];

/// Names that are remembered at most (the example configuration's cacheSize).
const CACHE: usize = 1000;

/// The door, and how often each name failed at it.
#[derive(Debug, Default)]
pub(super) struct Door(HashMap<String, (u32, DateTime<Utc>)>);

impl Door {
    /// Lets a request in.
    ///
    /// # Errors
    /// The 401, which is the same for a wrong password, a locked user and a missing role.
    pub fn enter(&mut self, world: &mut World, request: &Request) -> Result<(), Response> {
        let Some((name, password)) = credentials(request) else {
            return Err(unauthorized(world));
        };
        let user = USERS
            .iter()
            .find(|user| user.name == name && user.password == password);
        if self.is_shut(world, &name, user.is_some()) || user.is_none() {
            return Err(unauthorized(world));
        }
        match user {
            Some(user) if MAY.contains(&user.role) => Ok(()),
            _ => Err(unauthorized(world)),
        }
    }

    /// Counts the attempt as Tomcat's LockOutRealm does: a failure while a user is locked begins the time anew.
    fn is_shut(&mut self, world: &mut World, name: &str, right: bool) -> bool {
        if !world.switches.on("dpod.lockout") {
            return false;
        }
        let most = world.switches.number("dpod.lockout_failures").max(1.0) as u32;
        let seconds = world.switches.number("dpod.lockout_seconds");
        let now = world.now();
        let over = |since: DateTime<Utc>| (now - since).as_seconds_f64() >= seconds;
        if !right {
            if self.0.len() >= CACHE && !self.0.contains_key(name) {
                let oldest = self.0.iter().min_by_key(|(_, (_, since))| *since);
                if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
                    self.0.remove(&oldest);
                }
            }
            let (count, since) = self.0.entry(name.to_owned()).or_insert((0, now));
            if *count >= most && over(*since) {
                *count = 0;
            }
            *count = count.saturating_add(1);
            *since = now;
            if *count == most {
                world.count("dpod.locked_out");
            }
        }
        let shut = self
            .0
            .get(name)
            .is_some_and(|(count, since)| *count >= most && !over(*since));
        if right && !shut {
            self.0.remove(name);
        }
        shut
    }

    /// The names that are locked or on their way to it.
    pub fn failures(&self) -> impl Iterator<Item = (&str, u32)> {
        self.0
            .iter()
            .map(|(name, (count, _))| (name.as_str(), *count))
    }
}

fn credentials(request: &Request) -> Option<(String, String)> {
    let (scheme, rest) = request.header("authorization")?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(BASE64.decode(rest.trim()).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

/// The 401; its body is not documented.
fn unauthorized(world: &World) -> Response {
    page(world, 401, "Unauthorized")
}

/// An answer of the server below the application.
pub(super) fn page(world: &World, status: u16, title: &str) -> Response {
    match world.switches.get("dpod.error_body") {
        "html" => Response::raw(
            status,
            "text/html;charset=utf-8",
            format!(
                "<!doctype html><html lang=\"en\"><head><title>HTTP Status {status} – {title}</title></head>\
                 <body><h1>HTTP Status {status} – {title}</h1></body></html>"
            ),
        ),
        _ => Response::empty(status),
    }
}
