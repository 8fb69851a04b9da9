//! Clients: servers on which a scheduler runs.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Freezer;
use super::job::{ACTIONS, MODES};
use super::refusal::{Answer, Refusal, nothing};
use super::search::Search;
use crate::sim::http::{Request, Response};
use crate::sim::table::Row;
use crate::sim::world::World;

/// A folder on a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Folder {
    /// How long it takes to back it up, in virtual seconds.
    pub seconds: i64,
}

/// A client.
#[derive(Debug)]
pub struct Client {
    /// Its name towards the API.
    pub id: String,
    /// 32 hex digits.
    pub uuid: String,
    /// The server that it is.
    pub server: String,
    /// Its host name.
    pub hostname: String,
    /// Somebody's words about it, or null.
    pub description: Value,
    /// The folders that are there.
    pub folders: BTreeMap<String, Folder>,
}

impl Row for Client {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Client {
    /// The folder that holds a path.
    #[must_use]
    pub fn folder(&self, path: &str) -> Option<Folder> {
        self.folders
            .iter()
            .find(|(name, _)| {
                path.strip_prefix(name.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
            .map(|(_, folder)| *folder)
    }

    fn to_json(&self, project: &str, user: &str) -> Value {
        json!({
            "project_id": project,
            "user_id": user,
            "client": {
                "uuid": self.uuid,
                "hostname": self.hostname,
                "client_id": self.id,
                "is_central": false,
                "description": self.description,
                "supported_actions": ACTIONS,
                "supported_modes": MODES,
                "supported_storages": ["local", "swift", "ssh", "s3", "ftp", "ftps"],
                "supported_engines": ["tar", "rsync", "rsyncv2", "nova", "osbrick", "glance"],
            },
        })
    }
}

impl Freezer {
    /// `GET /clients`.
    pub fn list_clients(&self, world: &World, request: &Request) -> Answer {
        let search = Search::of(request)?;
        let account = &world.account;
        let rows = search.rows(
            self.clients
                .oldest()
                .map(|(_, client)| client.to_json(&account.project_id, &account.user_id)),
        );
        Ok(Response::json(200, &json!({"clients": rows})))
    }

    /// `GET /clients/{id}`.
    pub fn show_client(&self, world: &World, id: &str) -> Answer {
        let account = &world.account;
        let client = self.clients.find(id).and_then(|key| self.clients.get(key));
        Ok(client.map_or_else(nothing, |client| {
            Response::json(200, &client.to_json(&account.project_id, &account.user_id))
        }))
    }

    /// `POST /clients`: a scheduler registers. Whether a server of that name exists is nobody's concern.
    pub fn register_client(&mut self, world: &mut World, request: &Request) -> Answer {
        let body = request.json().map_err(|_| Refusal::json())?;
        let id = body
            .get("client_id")
            .and_then(Value::as_str)
            .ok_or_else(|| Refusal::format("'client_id' is a required property"))?;
        if self.clients.find(id).is_some() {
            return Err(Refusal::exists("Client", id));
        }
        let hostname = body.get("hostname").and_then(Value::as_str).unwrap_or(id);
        let server = world.fleet.find(hostname).map(|server| server.id.clone());
        let client = Client {
            id: id.to_owned(),
            uuid: world.hex32(),
            server: server.unwrap_or_default(),
            hostname: hostname.to_owned(),
            description: body.get("description").cloned().unwrap_or_default(),
            folders: BTreeMap::new(),
        };
        self.clients.insert(client);
        Ok(Response::json(201, &json!({"client_id": id})))
    }

    /// `DELETE /clients/{id}`: gone or not, the answer is the same.
    pub fn delete_client(&mut self, id: &str) -> Answer {
        if let Some(key) = self.clients.find(id) {
            self.clients.remove(key);
        }
        Ok(Response::empty(204))
    }
}
