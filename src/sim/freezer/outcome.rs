//! How a run goes: how long it takes, and whether its client's folders, disks and backups let it succeed.

use serde_json::{Value, json};

use super::Freezer;
use super::backup::Backup;
use super::job::JobAction;
use crate::sim::world::World;

impl Freezer {
    /// How many virtual seconds a run takes.
    pub fn duration(&self, world: &mut World, key: u64) -> i64 {
        let Some(job) = self.jobs.get(key) else {
            return 1;
        };
        let client = self.clients.find(&job.client);
        let client = client.and_then(|key| self.clients.get(key));
        let mut seconds = 0;
        for action in &job.actions {
            let path = action.text("path_to_backup");
            let size = client
                .and_then(|client| client.folder(path))
                .map_or(2, |folder| folder.seconds);
            let slow = match action.text("compression") {
                "xz" | "bzip2" => 3,
                _ => 1,
            };
            seconds += 2 + size * slow;
            if client.is_some_and(|client| client.folder(path).is_none()) {
                // A failing action is tried again before the run gives up.
                let tries = action.max_retries.clamp(0, 50);
                seconds += tries * (3 + action.max_retries_interval.clamp(0, 86_400));
            }
        }
        seconds + world.rng.i64(0..=seconds / 5 + 1)
    }

    /// What a run that was not killed comes to; a success leaves its backups.
    ///
    /// # Errors
    /// The reason, which only the scheduler's own log tells.
    pub fn outcome(&mut self, world: &mut World, key: u64) -> Result<(), String> {
        let Some(job) = self.jobs.get(key) else {
            return Ok(());
        };
        let (client, job_id) = (job.client.clone(), job.id.clone());
        let actions = job.actions.clone();
        let mut result = Ok(());
        for action in &actions {
            if result.is_err() && !action.mandatory {
                continue;
            }
            match self.trouble(world, &client, action) {
                Some(why) => result = Err(why),
                None if action.text("action") == "backup" => {
                    self.back_up(world, &client, &job_id, action);
                }
                None => {}
            }
        }
        result
    }

    /// What stands in an action's way.
    fn trouble(&self, world: &World, client: &str, action: &JobAction) -> Option<String> {
        let key = self.clients.find(client)?;
        let client = self.clients.get(key)?;
        let server = world.fleet.get(&client.server)?;
        if server.volumes.iter().any(|volume| volume.broken) {
            return Some("[Errno 5] Input/output error".into());
        }
        match action.text("action") {
            "backup" => {
                let path = action.text("path_to_backup");
                let there = path.is_empty() || client.folder(path).is_some();
                (!there).then(|| format!("path_to_backup: {path} does not exist"))
            }
            "restore" => {
                let name = action.text("backup_name");
                let there = self
                    .backups
                    .newest()
                    .any(|(_, backup)| backup.hostname == server.name && backup.name() == name);
                (!there).then(|| format!("No matching backup name {name} found"))
            }
            _ => None,
        }
    }

    fn back_up(&mut self, world: &mut World, client: &str, job_id: &str, action: &JobAction) {
        let name = self
            .clients
            .find(client)
            .and_then(|key| self.clients.get(key))
            .and_then(|client| world.fleet.get(&client.server))
            .map_or_else(|| client.to_owned(), |server| server.name.clone());
        let backup = Backup {
            id: world.hex32(),
            hostname: name,
            job_id: job_id.to_owned(),
            action: action.freezer_action.clone(),
            time: world.now().timestamp(),
            status: "available".to_owned(),
            metadata: None,
        };
        self.keep_backup(backup);
    }

    /// Notes why a run failed, where only a test looks: the API never tells.
    pub fn log(&mut self, world: &mut World, key: u64, why: String) {
        let job = self.jobs.get(key);
        let (id, name) = job.map_or((Value::Null, Value::Null), |job| {
            (job.id.as_str().into(), job.description.clone())
        });
        world.note(json!({
            "what": "freezer.log", "job_id": id, "description": name, "error": why,
        }));
    }
}
