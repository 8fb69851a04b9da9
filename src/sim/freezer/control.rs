//! The side path `/_sim/…` of this service.
//!
//! | call | what |
//! | --- | --- |
//! | GET, POST `/_sim/folders/{client}` | `{"add": {PATH: SECONDS}, "remove": [PATH…]}` changes which folders are there |
//!
//! Why a run failed stands in the journal (`freezer.log`), where a real one keeps it in the scheduler's log file.

use serde_json::{Value, json};

use super::Freezer;
use super::client::Folder;
use crate::sim::control::{refused, unknown};
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

impl Freezer {
    /// Answers a request under `/_sim/`.
    pub fn steer(&mut self, _world: &mut World, path: &[&str], request: &Request) -> Response {
        let body = request.json().unwrap_or_default();
        let ["folders", id] = path else {
            return unknown(path);
        };
        let client = self.clients.find(id);
        let Some(client) = client.and_then(|key| self.clients.get_mut(key)) else {
            return refused(400, format!("there is no client {id:?}"));
        };
        for (path, seconds) in body
            .get("add")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let seconds = seconds.as_i64().unwrap_or(1);
            client.folders.insert(path.clone(), Folder { seconds });
        }
        for path in body
            .get("remove")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            if let Some(path) = path.as_str() {
                client.folders.remove(path);
            }
        }
        let folders: Value = client
            .folders
            .iter()
            .map(|(path, folder)| (path.clone(), json!(folder.seconds)))
            .collect::<serde_json::Map<String, Value>>()
            .into();
        Response::json(200, &folders)
    }
}
