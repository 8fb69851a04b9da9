//! Keystone v3: the identity service that gives out tokens and the catalogue.
//!
//! Bodies, headers and statuses follow what a real Keystone answered: 300 for the version list, 201 with
//! `X-Subject-Token`, 401 with `WWW-Authenticate` for any wrong login, 404 for an unknown subject token.

use chrono::TimeDelta;
use serde_json::{Map, Value, json};

use super::dialect::{Dialect, DialectEntry, ServiceId};
use super::http::{Request, Response};
use super::service::AuthLine;
use super::switches::{NUMBER, SwitchSpec};
use super::tokens::Token;
use super::world::World;

/// Keystone's own entry; it always runs, and first.
pub const ENTRY: DialectEntry = DialectEntry {
    kind: "keystone",
    name: "keystone",
    path: "/v3",
    catalog: None,
    auth: login,
    switches: &[SwitchSpec {
        name: "keystone.token_ttl",
        values: &["86400", NUMBER],
        about: "seconds that a new token lives, in virtual time",
    }],
    make: |world, service| Box::new(Keystone::new(world, service)),
};

/// The login that every Keystone-protected service names in its ready line and configuration.
#[must_use]
pub fn login(world: &World) -> AuthLine {
    let account = &world.account;
    AuthLine::new("keystone")
        .text("url", world.keystone_url())
        .text("username", &account.user)
        .secret("password", &account.password)
        .text("user_domain", &account.domain)
        .text("project", &account.project)
        .text("project_domain", &account.domain)
}

struct Keystone {
    service: ServiceId,
    role_id: String,
    /// Ids of a service and its endpoint, in the order of the world's services.
    ids: Vec<(String, String)>,
}

/// How far a login reaches.
enum Scope {
    None,
    Project,
    Domain,
}

impl Keystone {
    fn new(world: &mut World, service: ServiceId) -> Self {
        let count = world.services.len();
        Self {
            service,
            role_id: world.hex32(),
            ids: (0..count).map(|_| (world.hex32(), world.hex32())).collect(),
        }
    }

    fn version(&self, world: &World) -> Value {
        json!({
            "id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z",
            "links": [{"rel": "self", "href": format!("{}/v3/", world.root(self.service))}],
            "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
        })
    }

    fn catalog(&self, world: &World, project_id: &str) -> Value {
        let entries = world.services.iter().zip(&self.ids).enumerate();
        entries
            .filter_map(|(index, (line, (id, endpoint)))| {
                let (kind, name, region, path) = match (line.catalog, line.kind) {
                    (Some(entry), _) => (entry.service_type, entry.name, entry.region, entry.path),
                    (None, "keystone") => ("identity", "keystone", "eu-de", "/v3"),
                    (None, _) => return None,
                };
                let url = format!("{}{path}", world.root(ServiceId(index)));
                Some(json!({
                    "id": id, "type": kind, "name": name,
                    "endpoints": [{
                        "id": endpoint, "interface": "public", "region": region, "region_id": region,
                        "url": url.replace("{project_id}", project_id),
                    }],
                }))
            })
            .collect()
    }

    fn token_body(&self, world: &World, token: &Token, with_catalog: bool) -> Value {
        let account = &world.account;
        let domain = json!({"id": account.domain_id, "name": account.domain});
        let mut body = json!({
            "methods": token.methods,
            "user": {"domain": domain, "id": account.user_id, "name": account.user, "password_expires_at": null},
            "audit_ids": [account.user_id.get(..22)],
            "expires_at": micros(token.expires),
            "issued_at": micros(token.issued),
        });
        if let (Some(project_id), Some(body)) = (&token.project_id, body.as_object_mut()) {
            let project = json!({"domain": domain, "id": project_id, "name": account.project});
            body.insert("project".into(), project);
            body.insert("is_domain".into(), false.into());
            body.insert(
                "roles".into(),
                json!([{"id": self.role_id, "name": "member"}]),
            );
            if with_catalog {
                body.insert("catalog".into(), self.catalog(world, project_id));
            }
        }
        json!({"token": body})
    }

    /// `POST /v3/auth/tokens`.
    fn issue(&self, world: &mut World, request: &Request) -> Response {
        let body = match request.json() {
            Ok(body) => body,
            Err(_) => return error(400, "Expecting to find valid JSON in the request body."),
        };
        let Some(identity) = body.pointer("/auth/identity").and_then(Value::as_object) else {
            return error(400, "'identity' is a required property");
        };
        let Some(methods) = identity.get("methods").and_then(Value::as_array) else {
            return error(400, "'methods' is a required property");
        };
        let mut methods: Vec<String> = methods
            .iter()
            .filter_map(|method| method.as_str().map(str::to_owned))
            .collect();
        let accepted = !methods.is_empty()
            && methods.iter().all(|method| match method.as_str() {
                "password" => password_ok(world, identity),
                "token" => world
                    .tokens
                    .check(given_token(identity), world.now())
                    .is_ok(),
                _ => false,
            });
        let scope = if accepted {
            scope(world, body.pointer("/auth/scope"))
        } else {
            None
        };
        let Some(scope) = scope else {
            world.count("keystone.login.refused");
            return self.unauthorized(world);
        };
        let seconds = world.switches.number("keystone.token_ttl");
        let ttl = TimeDelta::milliseconds((seconds * 1000.0) as i64);
        let mut expires = world.now().checked_add_signed(ttl).unwrap_or(world.now());
        // A token got with a token ends with that one, and remembers how that one was got.
        let parent = given_token(identity).filter(|_| methods.iter().any(|word| word == "token"));
        if let Ok(parent) = world.tokens.check(parent, world.now()) {
            expires = expires.min(parent.expires);
            for method in &parent.methods {
                if !methods.contains(method) {
                    methods.push(method.clone());
                }
            }
        }
        let token = Token {
            issued: world.now(),
            expires,
            project_id: matches!(scope, Scope::Project).then(|| world.account.project_id.clone()),
            methods,
        };
        let mut answer = self.token_body(world, &token, request.param("nocatalog").is_none());
        if let (Scope::Domain, Some(token)) = (scope, answer.pointer_mut("/token")) {
            token["domain"] = json!({"id": world.account.domain_id, "name": world.account.domain});
        }
        let text = format!("gAAAAA{}{}{}", world.hex32(), world.hex32(), world.hex32());
        world.tokens.insert(text.clone(), token);
        world.count("keystone.token.issued");
        Response::json(201, &answer)
            .with("x-subject-token", text)
            .with("vary", "X-Auth-Token")
    }

    /// `GET`, `HEAD` or `DELETE /v3/auth/tokens`: about another token, which is named by a header.
    fn subject(&self, world: &mut World, request: &Request) -> Response {
        let subject = request.header("x-subject-token");
        let token = match (subject, world.tokens.check(subject, world.now())) {
            (Some(_), Ok(token)) => token.clone(),
            _ => return error(404, "Could not find token."),
        };
        match (request.method.as_str(), subject) {
            ("DELETE", Some(subject)) => {
                world.tokens.revoke(subject);
                Response::empty(204)
            }
            (_, subject) => {
                let catalog = request.param("nocatalog").is_none();
                Response::json(200, &self.token_body(world, &token, catalog))
                    .with("x-subject-token", subject.unwrap_or_default())
            }
        }
    }

    fn unauthorized(&self, world: &World) -> Response {
        error(401, "The request you have made requires authentication.").with(
            "www-authenticate",
            format!("Keystone uri=\"{}/v3\"", world.root(self.service)),
        )
    }
}

impl Dialect for Keystone {
    fn handle(&mut self, world: &mut World, request: &Request) -> Response {
        let (method, path) = request.route();
        match (method, path.as_slice()) {
            ("GET", []) => {
                Response::json(300, &json!({"versions": {"values": [self.version(world)]}}))
                    .with("location", format!("{}/v3/", world.root(self.service)))
            }
            ("GET", ["v3"]) => Response::json(200, &json!({"version": self.version(world)})),
            ("POST", ["v3", "auth", "tokens"]) => self.issue(world, request),
            (_, ["v3", ..])
                if world
                    .tokens
                    .check(request.header("x-auth-token"), world.now())
                    .is_err() =>
            {
                self.unauthorized(world)
            }
            ("GET" | "HEAD" | "DELETE", ["v3", "auth", "tokens"]) => self.subject(world, request),
            ("GET", ["v3", "auth", "catalog"]) => {
                let project = world.account.project_id.clone();
                Response::json(
                    200,
                    &json!({"catalog": self.catalog(world, &project), "links": {}}),
                )
            }
            ("GET", ["v3", "auth", "projects"] | ["v3", "projects"]) => {
                let wanted = request.param("name");
                let project = project(world);
                let list: Vec<Value> = (wanted.is_none_or(|name| name == world.account.project))
                    .then_some(project)
                    .into_iter()
                    .collect();
                Response::json(200, &json!({"projects": list, "links": {"next": null}}))
            }
            ("GET", ["v3", "projects", id]) if *id == world.account.project_id => {
                Response::json(200, &json!({"project": project(world)}))
            }
            ("GET", ["v3", "projects", id]) => {
                error(404, &format!("Could not find project: {id}."))
            }
            _ => error(404, "The resource could not be found."),
        }
    }

    fn fault(&self, world: &World, request: &Request, status: u16) -> Response {
        let _ = (world, request);
        error(status, &format!("injected HTTP {status}"))
    }
}

fn project(world: &World) -> Value {
    let account = &world.account;
    json!({
        "id": account.project_id, "name": account.project, "domain_id": account.domain_id,
        "enabled": true, "is_domain": false, "description": "", "parent_id": account.domain_id,
    })
}

/// Whether the password method names our user, by id or by name and domain, with the right password.
fn password_ok(world: &World, identity: &Map<String, Value>) -> bool {
    let account = &world.account;
    let Some(user) = identity
        .get("password")
        .and_then(|method| method.get("user"))
    else {
        return false;
    };
    let text = |name: &str| user.get(name).and_then(Value::as_str);
    let known = match (text("id"), text("name")) {
        (Some(id), _) => id == account.user_id,
        (None, Some(name)) => name == account.user && in_domain(world, user.get("domain")),
        (None, None) => false,
    };
    known && text("password") == Some(&account.password)
}

/// The token that the token method names.
fn given_token(identity: &Map<String, Value>) -> Option<&str> {
    identity.get("token")?.get("id")?.as_str()
}

fn in_domain(world: &World, domain: Option<&Value>) -> bool {
    let text = |name: &str| {
        domain
            .and_then(|domain| domain.get(name))
            .and_then(Value::as_str)
    };
    text("id") == Some(&world.account.domain_id) || text("name") == Some(&world.account.domain)
}

/// The scope that is asked for; `None` when it names what the user can't reach. A project wins over a domain.
fn scope(world: &World, scope: Option<&Value>) -> Option<Scope> {
    let Some(scope) = scope.and_then(Value::as_object) else {
        return Some(Scope::None);
    };
    if let Some(project) = scope.get("project") {
        let text = |name: &str| project.get(name).and_then(Value::as_str);
        let reached = match (text("id"), text("name")) {
            (Some(id), _) => id == world.account.project_id,
            (None, Some(name)) => {
                name == world.account.project && in_domain(world, project.get("domain"))
            }
            (None, None) => false,
        };
        return reached.then_some(Scope::Project);
    }
    match scope.get("domain") {
        Some(domain) => in_domain(world, Some(domain)).then_some(Scope::Domain),
        None => Some(Scope::None),
    }
}

fn micros(time: chrono::DateTime<chrono::Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

fn error(status: u16, message: &str) -> Response {
    let title = match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        429 => "Too Many Requests",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    };
    Response::json(
        status,
        &json!({"error": {"code": status, "message": message, "title": title}}),
    )
    .with("vary", "X-Auth-Token")
}
