//! Calls about jobs and their events, and about actions.

use serde_json::{Map, Value, json};

use super::Freezer;
use super::job::{Agent, Job, JobAction, set, word};
use super::refusal::{Answer, Refusal, nothing};
use super::schedule;
use super::search::Search;
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

/// What a job's schedule part may hold.
const SCHEDULE: &[&str] = &[
    "time_created",
    "time_started",
    "time_ended",
    "event",
    "status",
    "result",
    "schedule_date",
    "schedule_interval",
    "schedule_start_date",
    "schedule_end_date",
    "schedule_year",
    "schedule_month",
    "schedule_day",
    "schedule_week",
    "schedule_day_of_week",
    "schedule_hour",
    "schedule_minute",
    "schedule_second",
    "current_pid",
];

/// Reads a schedule part; a missing one is empty.
///
/// # Errors
/// 400 with what is wrong, in the validator's words.
pub fn read_schedule(value: Option<&Value>) -> Result<Map<String, Value>, Refusal> {
    let schedule = match value {
        None | Some(Value::Null) => return Ok(Map::new()),
        Some(Value::Object(schedule)) => schedule.clone(),
        Some(other) => {
            return Err(Refusal::format(format!("{other} is not of type 'object'")));
        }
    };
    let one_of = |key: &str, words: &[&str]| match schedule.get(key) {
        None => Ok(()),
        Some(Value::String(word)) if words.contains(&word.as_str()) => Ok(()),
        Some(other) => Err(Refusal::format(format!("{other} is not one of {words:?}"))),
    };
    one_of("event", &["", "stop", "start", "abort", "remove"])?;
    one_of(
        "status",
        &[
            "",
            "completed",
            "stop",
            "scheduled",
            "running",
            "aborting",
            "removed",
        ],
    )?;
    one_of("result", &["", "success", "fail", "aborted"])?;
    for (key, value) in &schedule {
        if !SCHEDULE.contains(&key.as_str()) {
            return Err(Refusal::format(format!(
                "Additional properties are not allowed ('{key}' was unexpected)"
            )));
        }
        let number = key.starts_with("time_") || key == "current_pid";
        let text = value.as_str();
        let wrong = match key.as_str() {
            _ if number => value.as_i64().is_none(),
            "schedule_interval" => text.and_then(schedule::every).is_none(),
            "schedule_date" | "schedule_start_date" | "schedule_end_date" => {
                !text.is_some_and(schedule::is_date)
            }
            _ => text.is_none(),
        };
        if wrong {
            return Err(Refusal::format(format!("{value} does not match {key}")));
        }
    }
    Ok(schedule)
}

/// A text that may be missing or null.
fn text(body: &Map<String, Value>, key: &str) -> Result<Option<String>, Refusal> {
    match body.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(Refusal::format(format!("{other} is not of type 'string'"))),
    }
}

/// The body, which must be an object.
pub(super) fn object(request: &Request) -> Result<Map<String, Value>, Refusal> {
    match request.json().map_err(|_| Refusal::json())? {
        Value::Object(body) => Ok(body),
        Value::Null => Ok(Map::new()),
        _ => Err(Refusal::stumbled()),
    }
}

impl Freezer {
    /// `GET /jobs`. The path's project does not matter to one who may see all.
    pub fn list_jobs(&self, world: &World, request: &Request) -> Answer {
        let search = Search::of(request)?;
        let account = &world.account;
        let rows = search.rows(
            self.jobs
                .oldest()
                .map(|(_, job)| job.to_json(&account.project_id, &account.user_id)),
        );
        Ok(Response::json(200, &json!({"jobs": rows})))
    }

    /// `GET /jobs/{id}`.
    pub fn show_job(&self, world: &World, id: &str) -> Answer {
        let account = &world.account;
        let job = self.jobs.find(id).and_then(|key| self.jobs.get(key));
        Ok(job.map_or_else(nothing, |job| {
            Response::json(200, &job.to_json(&account.project_id, &account.user_id))
        }))
    }

    /// The actions of a body, and whether the client that it names is known.
    fn read_actions(
        &self,
        world: &mut World,
        body: &Map<String, Value>,
    ) -> Result<Vec<JobAction>, Refusal> {
        let list = match body.get("job_actions") {
            None => {
                return Err(Refusal::format("'job_actions' is a required property"));
            }
            Some(Value::Array(list)) => list,
            Some(_) => return Err(Refusal::stumbled()),
        };
        let mut actions = Vec::new();
        for value in list {
            if !value.is_object() {
                return Err(Refusal::stumbled());
            }
            let action = JobAction::read(value, || world.hex32()).map_err(Refusal::format)?;
            actions.push(action);
        }
        Ok(actions)
    }

    fn known_client(&self, id: Option<&str>) -> Result<String, Refusal> {
        let id = id.unwrap_or("None");
        if self.clients.find(id).is_some() {
            Ok(id.to_owned())
        } else {
            Err(Refusal::client(id))
        }
    }

    /// Puts a job's actions among the actions that can be asked for.
    fn keep_actions(&mut self, actions: &[JobAction]) {
        for action in actions {
            if self.actions.find(&action.id).is_none() {
                self.actions.insert(action.clone());
            }
        }
    }

    /// A job of a body under an id of its own or the given one.
    fn read_job(
        &mut self,
        world: &mut World,
        body: &Map<String, Value>,
        id: Option<&str>,
    ) -> Result<Job, Refusal> {
        let schedule = read_schedule(body.get("job_schedule"))?;
        let actions = self.read_actions(world, body)?;
        let client = self.known_client(text(body, "client_id")?.as_deref())?;
        let id = match id {
            Some(id) => id.to_owned(),
            None => text(body, "job_id")?
                .filter(|id| !id.is_empty())
                .unwrap_or_else(|| world.hex32()),
        };
        Ok(Job {
            id,
            client,
            description: text(body, "description")?.map_or(Value::Null, Value::from),
            session: text(body, "session_id")?.unwrap_or_default(),
            session_tag: body.get("session_tag").and_then(Value::as_i64).unwrap_or(0),
            schedule,
            actions,
            agent: Agent::default(),
        })
    }

    /// Adds a new job, which its client's scheduler will see when it looks next. Answers its number.
    pub fn add_job(&mut self, world: &mut World, mut job: Job) -> u64 {
        set(&mut job.schedule, "time_created", world.now().timestamp());
        set(&mut job.schedule, "time_started", -1);
        set(&mut job.schedule, "time_ended", -1);
        self.keep_actions(&job.actions.clone());
        let key = self.jobs.insert(job);
        self.changed(world, key);
        key
    }

    /// `POST /jobs`.
    pub fn create_job(&mut self, world: &mut World, request: &Request) -> Answer {
        let body = object(request)?;
        let job = self.read_job(world, &body, None)?;
        let id = job.id.clone();
        if self.jobs.find(&id).is_some() {
            return Err(Refusal::exists("Job", &id));
        }
        self.add_job(world, job);
        Ok(Response::json(201, &json!({"job_id": id})))
    }

    /// `POST /jobs/{id}`: replaces, or creates under that id.
    pub fn replace_job(&mut self, world: &mut World, id: &str, request: &Request) -> Answer {
        let body = object(request)?;
        let new = self.read_job(world, &body, Some(id))?;
        match self.jobs.find(id) {
            None => {
                self.add_job(world, new);
            }
            Some(key) => {
                self.keep_actions(&new.actions.clone());
                if let Some(job) = self.jobs.get_mut(key) {
                    *job = Job {
                        agent: std::mem::take(&mut job.agent),
                        ..new
                    };
                }
                self.changed(world, key);
            }
        }
        Ok(Response::json(201, &json!({"job_id": id, "version": id})))
    }

    /// `PATCH /jobs/{id}`.
    pub fn update_job(&mut self, world: &mut World, id: &str, request: &Request) -> Answer {
        let body = object(request)?;
        let key = self.jobs.find(id).ok_or_else(|| {
            let table = "<class 'freezer_api.db.sqlalchemy.models.Job'>";
            Refusal::not_found(format!(
                "Tuple not registered with ID {id} in Table{table} "
            ))
        })?;
        let actions = match body.contains_key("job_actions") {
            true => Some(self.read_actions(world, &body)?),
            false => None,
        };
        let client = match text(&body, "client_id")? {
            Some(client) => Some(self.known_client(Some(&client))?),
            None => None,
        };
        let schedule = match body.get("job_schedule") {
            Some(_) => Some(read_schedule(body.get("job_schedule"))?),
            None => None,
        };
        let (description, session) = (text(&body, "description")?, text(&body, "session_id")?);
        self.keep_actions(&actions.clone().unwrap_or_default());
        if let Some(job) = self.jobs.get_mut(key) {
            job.actions = actions.unwrap_or_else(|| std::mem::take(&mut job.actions));
            job.client = client.unwrap_or_else(|| std::mem::take(&mut job.client));
            job.session = session.unwrap_or_else(|| std::mem::take(&mut job.session));
            if let Some(description) = description {
                job.description = description.into();
            }
            if let Some(schedule) = schedule {
                job.schedule = schedule;
            }
        }
        self.changed(world, key);
        Ok(Response::json(200, &json!({"job_id": id, "version": 0})))
    }

    /// `DELETE /jobs/{id}`: gone or not, the answer is the same.
    pub fn delete_job(&mut self, world: &mut World, id: &str) -> Answer {
        if let Some(key) = self.jobs.find(id) {
            self.jobs.remove(key);
            world.note(json!({"what": "freezer.job.deleted", "job_id": id}));
        }
        Ok(Response::empty(204))
    }

    /// `POST /jobs/{id}/event`: writes a wish down. That it was accepted says nothing of its being carried out.
    pub fn job_event(&mut self, world: &mut World, id: &str, request: &Request) -> Answer {
        let body = request.json().map_err(|_| Refusal::json())?;
        let event = body
            .as_object()
            .and_then(|body| body.keys().next())
            .ok_or_else(|| Refusal::format("Bad event request format"))?
            .clone();
        if !matches!(event.as_str(), "start" | "stop" | "abort") {
            return Err(Refusal::format("Bad Action Method"));
        }
        // An unknown job is written back as an empty one, which fails for what it lacks.
        let key = self
            .jobs
            .find(id)
            .ok_or_else(|| Refusal::format("'job_actions' is a required property"))?;
        let result = self.ask(world, key, &event);
        Ok(Response::json(202, &json!({"result": result})))
    }

    /// Writes an event into a job's record; what the service answers.
    pub fn ask(&mut self, world: &mut World, key: u64, event: &str) -> String {
        let Some(job) = self.jobs.get_mut(key) else {
            return String::new();
        };
        if word(&job.schedule, "event") == event {
            return format!("{event} already requested");
        }
        set(&mut job.schedule, "event", event);
        if event == "start" {
            set(&mut job.schedule, "status", "");
            set(&mut job.schedule, "result", "");
        }
        world.note(json!({"what": format!("freezer.event.{event}"), "job_id": job.id}));
        self.changed(world, key);
        "success".to_owned()
    }

    /// `GET /actions`.
    pub fn list_actions(&self, world: &World, request: &Request) -> Answer {
        let search = Search::of(request)?;
        let account = &world.account;
        let rows = search.rows(
            self.actions
                .oldest()
                .map(|(_, action)| action.to_json(&account.project_id, &account.user_id, true)),
        );
        Ok(Response::json(200, &json!({"actions": rows})))
    }

    /// `GET /actions/{id}`.
    pub fn show_action(&self, world: &World, id: &str) -> Answer {
        let account = &world.account;
        let action = self.actions.find(id).and_then(|key| self.actions.get(key));
        Ok(action.map_or_else(nothing, |action| {
            let body = action.to_json(&account.project_id, &account.user_id, false);
            Response::json(200, &body)
        }))
    }

    /// `POST /actions`.
    pub fn create_action(&mut self, world: &mut World, request: &Request) -> Answer {
        let body = object(request)?;
        if body.is_empty() {
            return Err(Refusal::format("Missing request body"));
        }
        let action = JobAction::read(&Value::Object(body), || world.hex32());
        let action = action.map_err(Refusal::format)?;
        let id = action.id.clone();
        if self.actions.find(&id).is_some() {
            return Err(Refusal::exists("Action", &id));
        }
        self.actions.insert(action);
        Ok(Response::json(201, &json!({"action_id": id})))
    }

    /// `DELETE /actions/{id}`: gone or not, the answer is the same.
    pub fn delete_action(&mut self, id: &str) -> Answer {
        if let Some(key) = self.actions.find(id) {
            self.actions.remove(key);
        }
        Ok(Response::empty(204))
    }
}
