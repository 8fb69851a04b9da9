//! Sessions: jobs of several clients that are to run as one.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Freezer;
use super::job::{set, word};
use super::job_calls::{object, read_schedule};
use super::refusal::{Answer, Refusal, nothing};
use super::search::Search;
use crate::sim::http::{Request, Response};
use crate::sim::table::Row;
use crate::sim::world::World;

/// A session.
#[derive(Debug)]
pub struct Session {
    /// 32 hex digits.
    pub id: String,
    /// The user's words, or null.
    pub description: Value,
    /// How many rounds it has had.
    pub tag: i64,
    /// `success`, `fail`, empty while it runs, null before the first round.
    pub result: Value,
    /// For so many seconds after a start no new round begins.
    pub hold_off: i64,
    /// `active`, `running` or `completed`.
    pub status: String,
    /// When its last round began; −1 for never.
    pub time_start: i64,
    /// When its last round ended; −1 for never.
    pub time_end: i64,
    /// Its schedule, which replaces that of its jobs.
    pub schedule: Map<String, Value>,
    /// Its jobs by id, each with status, result and times; `None` until it had one.
    pub jobs: Option<BTreeMap<String, Value>>,
}

impl Row for Session {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Session {
    fn to_json(&self, project: &str, user: &str) -> Value {
        let mut body = json!({
            "project_id": project,
            "user_id": user,
            "session_id": self.id,
            "description": self.description,
            "session_tag": self.tag,
            "result": self.result,
            "hold_off": self.hold_off,
            "status": self.status,
            // Two pairs of times: the service fills only the one without the ending.
            "time_ended": -1,
            "time_started": -1,
            "time_end": self.time_end,
            "time_start": self.time_start,
            "schedule": self.schedule,
        });
        if let Some(jobs) = &self.jobs {
            body["jobs"] = json!(jobs);
        }
        body
    }

    fn job_mut(&mut self, id: &str) -> Option<&mut Value> {
        self.jobs.as_mut()?.get_mut(id)
    }

    /// A job wants to begin its part: `success`, `hold-off` or `out-of-sync`.
    fn start(&mut self, job: &str, job_tag: i64, now: i64) -> Result<&'static str, Refusal> {
        if job_tag > self.tag {
            return Err(Refusal::format(format!(
                "requested tag value too high. Session Tag: {} Job Tag: {job_tag}",
                self.tag
            )));
        }
        let fresh = now - self.time_start <= self.hold_off;
        if fresh && job_tag == self.tag {
            return Ok("hold-off");
        }
        if !fresh && job_tag != self.tag {
            return Ok("out-of-sync");
        }
        let Some(line) = self.job_mut(job) else {
            return Err(Refusal::format("job_id not found in session"));
        };
        line["status"] = "running".into();
        line["result"] = "".into();
        line["time_started"] = now.into();
        if !fresh {
            self.tag += 1;
            self.time_start = now;
            self.status = "running".to_owned();
            self.result = "".into();
        }
        Ok("success")
    }

    fn end(&mut self, job: &str, result: &str, now: i64) -> Result<(), Refusal> {
        let Some(line) = self.job_mut(job) else {
            return Err(Refusal::format("job_id not found in session"));
        };
        line["status"] = "completed".into();
        line["result"] = result.into();
        line["time_ended"] = now.into();
        let lines = self.jobs.iter().flat_map(BTreeMap::values);
        let mut overall = "success";
        for line in lines {
            if line["status"] != "completed" {
                overall = "running";
                break;
            }
            if line["result"] != "success" {
                overall = "fail";
                break;
            }
        }
        if self.status != "completed" && overall != "running" {
            self.time_end = now;
            self.result = overall.into();
            self.status = "completed".to_owned();
        }
        Ok(())
    }
}

impl Freezer {
    fn session_mut(&mut self, id: &str) -> Option<&mut Session> {
        let key = self.sessions.find(id)?;
        self.sessions.get_mut(key)
    }

    /// A job's run begins: it tells its session and takes over the round's number.
    pub fn session_start(&mut self, world: &World, key: u64) {
        let Some((id, session, tag)) = self
            .jobs
            .get(key)
            .map(|job| (job.id.clone(), job.session.clone(), job.session_tag))
        else {
            return;
        };
        let now = world.now().timestamp();
        let Some(session) = self.session_mut(&session) else {
            return;
        };
        // Whatever the session says, the job runs: the scheduler only tries five times and goes on.
        if session.start(&id, tag, now) == Ok("success") {
            let tag = session.tag;
            if let Some(job) = self.jobs.get_mut(key) {
                job.session_tag = tag;
            }
        }
    }

    /// A job's run has ended.
    pub fn session_end(&mut self, world: &World, key: u64, result: &str) {
        let Some((id, session)) = self
            .jobs
            .get(key)
            .map(|job| (job.id.clone(), job.session.clone()))
        else {
            return;
        };
        let now = world.now().timestamp();
        if let Some(session) = self.session_mut(&session) {
            // A job that was taken out meanwhile has nobody to tell.
            let _ = session.end(&id, result, now);
        }
    }

    /// `GET /sessions`.
    pub fn list_sessions(&self, world: &World, request: &Request) -> Answer {
        let search = Search::of(request)?;
        let account = &world.account;
        let rows = search.rows(
            self.sessions
                .oldest()
                .map(|(_, session)| session.to_json(&account.project_id, &account.user_id)),
        );
        Ok(Response::json(200, &json!({"sessions": rows})))
    }

    /// `GET /sessions/{id}`.
    pub fn show_session(&self, world: &World, id: &str) -> Answer {
        let account = &world.account;
        let key = self.sessions.find(id);
        let session = key.and_then(|key| self.sessions.get(key));
        Ok(session.map_or_else(nothing, |session| {
            Response::json(200, &session.to_json(&account.project_id, &account.user_id))
        }))
    }

    /// `POST /sessions`.
    pub fn create_session(&mut self, world: &mut World, request: &Request) -> Answer {
        let body = object(request)?;
        if body.is_empty() {
            return Err(Refusal::format("Missing request body"));
        }
        let session = Session {
            id: world.hex32(),
            description: body.get("description").cloned().unwrap_or_default(),
            tag: 0,
            result: Value::Null,
            hold_off: body.get("hold_off").and_then(Value::as_i64).unwrap_or(30),
            status: "active".to_owned(),
            time_start: -1,
            time_end: -1,
            schedule: read_schedule(body.get("schedule"))?,
            jobs: None,
        };
        let id = session.id.clone();
        self.sessions.insert(session);
        Ok(Response::json(201, &json!({"session_id": id})))
    }

    fn known_session(&mut self, id: &str) -> Result<&mut Session, Refusal> {
        self.session_mut(id)
            .ok_or_else(|| Refusal::not_found(format!("Session not register with ID {id}")))
    }

    /// `PATCH /sessions/{id}`.
    pub fn update_session(&mut self, id: &str, request: &Request) -> Answer {
        let body = object(request)?;
        let schedule = match body.get("schedule") {
            Some(_) => Some(read_schedule(body.get("schedule"))?),
            None => None,
        };
        let session = self.known_session(id)?;
        if let Some(description) = body.get("description") {
            session.description = description.clone();
        }
        if let Some(hold_off) = body.get("hold_off").and_then(Value::as_i64) {
            session.hold_off = hold_off;
        }
        session.schedule = schedule.unwrap_or_else(|| std::mem::take(&mut session.schedule));
        Ok(Response::json(
            200,
            &json!({"session_id": id, "version": 0}),
        ))
    }

    /// `DELETE /sessions/{id}`: gone or not, the answer is the same.
    pub fn delete_session(&mut self, id: &str) -> Answer {
        if let Some(key) = self.sessions.find(id) {
            self.sessions.remove(key);
        }
        Ok(Response::empty(204))
    }

    /// `POST /sessions/{id}/action`: what schedulers call.
    pub fn session_action(&mut self, world: &World, id: &str, request: &Request) -> Answer {
        let body = request.json().map_err(|_| Refusal::json())?;
        let (action, settings) = body
            .as_object()
            .and_then(|body| body.iter().next())
            .ok_or_else(|| Refusal::format("Bad action request format"))?;
        let now = world.now().timestamp();
        let text = |key: &str| settings.get(key).and_then(Value::as_str);
        let job = text("job_id").ok_or_else(Refusal::stumbled);
        let session = self.session_mut(id).ok_or_else(Refusal::stumbled)?;
        let result = match action.as_str() {
            "start" => {
                let tag = settings.get("current_tag").and_then(Value::as_i64);
                session.start(job?, tag.ok_or_else(Refusal::stumbled)?, now)?
            }
            "end" => {
                session.end(job?, text("result").ok_or_else(Refusal::stumbled)?, now)?;
                "success"
            }
            _ => return Err(Refusal::action()),
        };
        let body = json!({"result": result, "session_tag": session.tag});
        Ok(Response::json(202, &body))
    }

    /// `PUT /sessions/{id}/jobs/{job}`: the job's schedule is replaced by the session's, status, times and all.
    pub fn add_to_session(&mut self, world: &mut World, id: &str, job_id: &str) -> Answer {
        let key = self.jobs.find(job_id).ok_or_else(Refusal::stumbled)?;
        let line = self.jobs.get(key).map(|job| {
            let time = |name: &str| job.schedule.get(name).cloned().unwrap_or("".into());
            json!({
                "client_id": job.client,
                "status": word(&job.schedule, "status"),
                "result": word(&job.schedule, "result"),
                "time_started": time("time_started"),
                "time_ended": time("time_ended"),
            })
        });
        let session = self.known_session(id)?;
        let jobs = session.jobs.get_or_insert_default();
        jobs.insert(job_id.to_owned(), line.unwrap_or_default());
        let (tag, schedule) = (session.tag, session.schedule.clone());
        if let Some(job) = self.jobs.get_mut(key) {
            id.clone_into(&mut job.session);
            job.session_tag = tag;
            job.schedule = schedule;
            if job.agent.run.is_none() {
                // With the stop gone from its record the scheduler takes it for a new one.
                job.agent.known = false;
            }
        }
        self.changed(world, key);
        Ok(Response::empty(204))
    }

    /// `DELETE /sessions/{id}/jobs/{job}`: the job's schedule is left with nothing but a wish to stop.
    pub fn drop_from_session(&mut self, world: &mut World, id: &str, job_id: &str) -> Answer {
        let session = self.session_mut(id).ok_or_else(Refusal::stumbled)?;
        if let Some(jobs) = &mut session.jobs {
            jobs.remove(job_id);
        }
        let key = self
            .jobs
            .find(job_id)
            .ok_or_else(|| Refusal::not_found(format!("Tuple not registered with ID {job_id}")))?;
        if let Some(job) = self.jobs.get_mut(key) {
            job.session.clear();
            job.session_tag = 0;
            job.schedule = Map::new();
            set(&mut job.schedule, "event", "stop");
        }
        self.changed(world, key);
        Ok(Response::empty(204))
    }
}
