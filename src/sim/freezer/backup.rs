//! Backups: what successful runs leave behind; the only history that this service has.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Freezer;
use super::refusal::{Answer, Refusal, nothing};
use super::search::Search;
use crate::sim::http::{Request, Response};
use crate::sim::table::Row;
use crate::sim::world::World;

/// How many backups are kept; the oldest go first.
pub const MOST: usize = 20_000;

/// A backup.
#[derive(Debug)]
pub struct Backup {
    /// 32 hex digits.
    pub id: String,
    /// The server that it is of.
    pub hostname: String,
    /// The job that made it.
    pub job_id: String,
    /// The action that made it.
    pub action: Arc<Value>,
    /// When, in seconds since 1970.
    pub time: i64,
    /// `available` …
    pub status: String,
    /// What a client reported of its own accord, instead of all that.
    pub metadata: Option<Value>,
}

impl Row for Backup {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Backup {
    fn text(&self, key: &str) -> &str {
        self.action.get(key).and_then(Value::as_str).unwrap_or("")
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text("backup_name")
    }

    fn to_json(&self, project: &str, user: &str) -> Value {
        let metadata = self.metadata.clone().unwrap_or_else(|| {
            let path = self.text("path_to_backup");
            json!({
                "curr_backup_level": 0, "fs_real_path": path, "vol_snap_path": path, "client_os": "linux",
                "client_version": "19.0.0", "time_stamp": self.time, "action": "backup", "always_level": "",
                "backup_media": self.text("mode"), "backup_name": self.name(), "container": self.text("container"),
                "container_segments": "", "dry_run": "", "hostname": self.hostname, "path_to_backup": path,
                "max_level": "", "log_file": "/root/.freezer/freezer.log", "storage": self.text("storage"),
                "mode": self.text("mode"), "proxy": "", "compression": self.text("compression"),
                "ssh_key": "/root/.ssh/id_rsa", "ssh_username": "", "ssh_host": "", "ssh_port": 22,
                "consistency_checksum": "", "cindernative_backup_az": "",
                "cindernative_backup_container": "freezer_backups", "cindernative_vol_id": "", "nova_inst_id": "",
                "cinder_vol_id": "", "cinderbrick_vol_id": "", "glance_image_id": "",
                "engine_name": self.text("engine_name"), "job_id": self.job_id,
            })
        });
        json!({
            "project_id": project, "user_id": user, "backup_id": self.id, "status": self.status,
            "backup_metadata": metadata,
        })
    }
}

impl Freezer {
    /// Adds a backup; the oldest goes when there are too many.
    pub fn keep_backup(&mut self, backup: Backup) {
        self.backups.insert(backup);
        if self.backups.len() > MOST {
            self.backups.remove_oldest(1, |_| true);
        }
    }

    /// `GET /backups`.
    pub fn list_backups(&self, world: &World, request: &Request) -> Answer {
        let search = Search::of(request)?;
        let account = &world.account;
        let rows = search.rows(
            self.backups
                .oldest()
                .map(|(_, backup)| backup.to_json(&account.project_id, &account.user_id)),
        );
        Ok(Response::json(200, &json!({"backups": rows})))
    }

    /// `GET /backups/{id}`.
    pub fn show_backup(&self, world: &World, id: &str) -> Answer {
        let account = &world.account;
        let backup = self.backups.find(id).and_then(|key| self.backups.get(key));
        Ok(backup.map_or_else(nothing, |backup| {
            Response::json(200, &backup.to_json(&account.project_id, &account.user_id))
        }))
    }

    /// `POST /backups`: a client reports one.
    pub fn report_backup(&mut self, world: &mut World, request: &Request) -> Answer {
        let body = request.json().map_err(|_| Refusal::json())?;
        let Value::Object(mut metadata) = body else {
            return Err(Refusal::format("Missing request body"));
        };
        let status = metadata.remove("status");
        let backup = Backup {
            id: world.hex32(),
            hostname: String::new(),
            job_id: String::new(),
            action: Arc::new(Value::Null),
            time: world.now().timestamp(),
            status: status
                .and_then(|status| status.as_str().map(str::to_owned))
                .unwrap_or_else(|| "available".to_owned()),
            metadata: Some(Value::Object(metadata)),
        };
        let id = backup.id.clone();
        self.keep_backup(backup);
        Ok(Response::json(201, &json!({"backup_id": id})))
    }

    /// `DELETE /backups/{id}`: gone or not, the answer is the same.
    pub fn delete_backup(&mut self, id: &str) -> Answer {
        if let Some(key) = self.backups.find(id) {
            self.backups.remove(key);
        }
        Ok(Response::empty(204))
    }
}
