//! Triggers: when scheduled operations are due. The operation engine keeps a copy of each; a change that it can't use is
//! accepted all the same, and the engine goes on with what it had.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::fault::{Answer, Fault};
use super::list::{Cell, DIRECTION, Page, Rows, Trouble, integer, loose, select};
use super::pattern::{Mistake, Pattern};
use super::python::is_uuid_like;
use super::{FIRE, Karbor, body, schema, tag};
use crate::sim::http::{Request, Response};
use crate::sim::ids::Ids;
use crate::sim::world::World;

/// How the service writes instants of triggers.
const FORMAT: &str = "%Y-%m-%d %H:%M:%S";

/// A trigger.
#[derive(Debug)]
pub(super) struct Trigger {
    /// Its name.
    pub name: String,
    /// Its properties, all of them texts.
    pub properties: Map<String, Value>,
    /// When it was made, in microseconds since 1970.
    pub created: i64,
    /// Whether it was deleted.
    pub deleted: bool,
    /// What the engine made of it.
    pub armed: Option<Armed>,
}

/// A trigger as the engine has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Armed {
    pattern: Pattern,
    start: NaiveDateTime,
    end: Option<NaiveDateTime>,
    window: i64,
    /// When it is due next.
    pub due: Option<DateTime<Utc>>,
}

impl Armed {
    fn after(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.pattern
            .next(self.start, now.naive_utc())
            .filter(|point| self.end.is_none_or(|end| *point <= end))
            .map(|point| point.and_utc())
    }

    /// The points between two instants, oldest first: when it was due in the past.
    pub fn between(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        let mut points = Vec::new();
        let mut at = from;
        while let Some(next) = self.pattern.next(self.start, at.naive_utc()) {
            at = next.and_utc();
            if at >= to {
                break;
            }
            points.push(at);
        }
        points
    }
}

/// Why a trigger is refused.
enum Refused {
    /// The engine's own words.
    Words(String),
    /// It stumbled.
    Class(&'static str),
}

struct Triggers<'a> {
    rows: &'a [Trigger],
    ids: Ids,
    project: &'a str,
}

impl Rows for Triggers<'_> {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "name",
        "project_id",
        "type",
        "properties",
        "created_at",
        "updated_at",
        "deleted_at",
        "deleted",
    ];

    fn count(&self) -> usize {
        self.rows.len()
    }

    fn there(&self, number: usize) -> bool {
        self.rows
            .get(number)
            .is_some_and(|trigger| !trigger.deleted)
    }

    fn find(&self, id: &str) -> Option<usize> {
        super::exact(self.ids, tag::TRIGGER, id)
    }

    fn cell(&self, number: usize, column: &str) -> Cell {
        let Some(trigger) = self.rows.get(number) else {
            return Cell::Null;
        };
        match column {
            "id" => Cell::Text(self.ids.uuid(tag::TRIGGER, number as u64)),
            "name" => Cell::Text(trigger.name.clone()),
            "project_id" => Cell::Text(self.project.to_owned()),
            "type" => Cell::Text("time".to_owned()),
            "properties" => Cell::Text(body::dumps(&Value::Object(trigger.properties.clone()))),
            "created_at" => Cell::Number(trigger.created),
            _ => Cell::Null,
        }
    }
}

impl Karbor {
    fn trigger_json(&self, number: usize) -> Value {
        self.triggers.get(number).map_or(Value::Null, |trigger| {
            json!({
                "id": self.ids.uuid(tag::TRIGGER, number as u64), "name": trigger.name, "type": "time",
                "properties": trigger.properties,
            })
        })
    }

    /// The number of a trigger by the id of a path or a body.
    pub(super) fn trigger_number(&self, id: &str) -> Result<usize, Fault> {
        if !is_uuid_like(id) {
            return Err(Fault::bad("Invalid trigger id provided."));
        }
        super::exact(self.ids, tag::TRIGGER, id)
            .filter(|number| self.triggers.get(*number).is_some_and(|it| !it.deleted))
            .ok_or_else(|| Fault::missing(format!("Trigger {id} could not be found.")))
    }

    /// `GET /triggers`. An offset is read and not heeded.
    pub(super) fn list_triggers(&self, world: &World, request: &Request) -> Answer {
        let page = Page::read(request)?;
        let allowed = ["all_tenants", "name", "type", "properties"];
        let mut filters = page.filters(&allowed, self.is_admin(world));
        super::all_tenants(&mut filters)?;
        let triggers = Triggers {
            rows: &self.triggers,
            ids: self.ids,
            project: &world.account.project_id,
        };
        let tests = loose(&filters, &["type"], &["name", "properties"])
            .map_err(|_| Fault::unexpected("<class 're.error'>"))?;
        let rows = select(&triggers, &page, 0, &tests).map_err(|trouble| {
            unexpected(trouble, |id| format!("Trigger {id} could not be found."))
        })?;
        let rows = rows
            .into_iter()
            .map(|number| self.trigger_json(number))
            .collect();
        let keys = ("triggers", "triggers");
        let answer = page.answer(request, keys, &self.base(world), rows);
        Ok(Response::json(200, &answer))
    }

    /// `GET /triggers/{id}`.
    pub(super) fn show_trigger(&self, id: &str) -> Answer {
        let number = self.trigger_number(id)?;
        Ok(Response::json(
            200,
            &json!({"trigger_info": self.trigger_json(number)}),
        ))
    }

    /// `POST /triggers`.
    pub(super) fn create_trigger(&mut self, world: &mut World, request: &Request) -> Answer {
        let body = body::read(request, schema::TRIGGER_CREATE)?;
        let info = &body["trigger_info"];
        let mut properties = texts(&info["properties"]);
        if !properties.contains_key("start_time") {
            let now = world.now().format(FORMAT).to_string();
            properties.insert("start_time".into(), now.into());
        }
        let kind = info["type"].as_str().unwrap_or_default();
        self.engine_answers()?;
        if kind != "time" {
            return Err(Fault::bad(format!("Invalid trigger type:{kind}")));
        }
        let armed = self.verify(world, &properties)?;
        let name = info["name"].as_str().unwrap_or_default().to_owned();
        let number = self.add_trigger(world, name, properties, armed);
        Ok(Response::json(
            200,
            &json!({"trigger_info": self.trigger_json(number)}),
        ))
    }

    /// Adds a trigger and arms it; answers its number.
    pub(super) fn add_trigger(
        &mut self,
        world: &mut World,
        name: String,
        properties: Map<String, Value>,
        armed: Armed,
    ) -> usize {
        self.triggers.push(Trigger {
            name,
            properties,
            created: world.now().timestamp_micros(),
            deleted: false,
            armed: Some(armed),
        });
        let number = self.triggers.len() - 1;
        self.arm(world, number);
        number
    }

    /// What the engine says to the properties of a trigger, as an answer.
    pub(super) fn verify(
        &self,
        world: &World,
        properties: &Map<String, Value>,
    ) -> Result<Armed, Fault> {
        check(world, properties).map_err(|refused| match refused {
            Refused::Words(words) => Fault::bad(words),
            Refused::Class(class) => Fault::unexpected(&format!("<class '{class}'>")),
        })
    }

    /// 500 while the operation engine is down.
    pub(super) fn engine_answers(&self) -> Result<(), Fault> {
        if self.engine.up {
            Ok(())
        } else {
            Err(Fault::unexpected(
                "<class 'oslo_messaging.exceptions.MessagingTimeout'>",
            ))
        }
    }

    /// `PUT /triggers/{id}`. The engine is told without being asked: what it can't use it drops.
    pub(super) fn update_trigger(
        &mut self,
        world: &mut World,
        id: &str,
        request: &Request,
    ) -> Answer {
        let body = body::read(request, schema::TRIGGER_UPDATE)?;
        let number = self.trigger_number(id)?;
        let info = &body["trigger_info"];
        let properties = texts(&info["properties"]);
        if !properties.is_empty() {
            let start = properties.get("start_time").and_then(Value::as_str);
            if start.is_none_or(str::is_empty) {
                return Err(Fault::bad("start_time should be supplied"));
            }
            self.engine_answers()?;
            let armed = self.verify(world, &properties)?;
            let usable = armed.after(world.now()).is_some();
            if let Some(trigger) = self.triggers.get_mut(number) {
                trigger.properties = properties;
                if usable {
                    trigger.armed = Some(armed);
                }
            }
            if usable {
                self.arm(world, number);
            }
        }
        let name = info["name"]
            .as_str()
            .map(str::trim)
            .filter(|name| !name.is_empty());
        if let (Some(name), Some(trigger)) = (name, self.triggers.get_mut(number)) {
            name.clone_into(&mut trigger.name);
        }
        Ok(Response::json(
            200,
            &json!({"trigger_info": self.trigger_json(number)}),
        ))
    }

    /// `DELETE /triggers/{id}`: refused while an operation needs it.
    pub(super) fn delete_trigger(&mut self, id: &str) -> Answer {
        let number = self.trigger_number(id)?;
        let used = self
            .operations
            .iter()
            .any(|it| !it.deleted && it.trigger == number);
        if used {
            return Err(Fault::dependency(
                "Trigger is being used by one or more operations",
            ));
        }
        if let Some(trigger) = self.triggers.get_mut(number) {
            trigger.deleted = true;
            trigger.armed = None;
        }
        Ok(body::nothing())
    }

    /// Works out when a trigger is due next, and sees to it that the engine looks then.
    pub(super) fn arm(&mut self, world: &mut World, number: usize) {
        let now = world.now();
        let Some(armed) = self
            .triggers
            .get_mut(number)
            .and_then(|it| it.armed.as_mut())
        else {
            return;
        };
        armed.due = armed.after(now);
        if let Some(due) = armed.due {
            world.schedule(self.service, polled(world, due), FIRE, number as u64);
        }
    }

    /// The engine looks at a trigger.
    pub(super) fn fire(&mut self, world: &mut World, number: usize) {
        let now = world.now();
        let Some(trigger) = self.triggers.get(number).filter(|it| !it.deleted) else {
            return;
        };
        let Some(armed) = &trigger.armed else { return };
        let Some(due) = armed.due.filter(|due| *due <= now) else {
            return;
        };
        // Nobody looks while the engine is down; it goes through what is due when it is back.
        if !self.engine.up {
            return;
        }
        let in_time = now <= due + TimeDelta::try_seconds(armed.window).unwrap_or_default();
        self.arm(world, number);
        if in_time {
            self.run_operations(world, number);
        } else {
            world.count("karbor.schedule.missed");
        }
    }

    /// The engine is back and looks at all that was due meanwhile.
    pub(super) fn catch_up(&mut self, world: &mut World) {
        for number in 0..self.triggers.len() {
            self.fire(world, number);
        }
    }
}

/// The next time at which the engine looks at its triggers.
fn polled(world: &World, due: DateTime<Utc>) -> DateTime<Utc> {
    let every = (world.switches.number("karbor.trigger_poll").max(1.0) * 1000.0) as i64;
    let over = due.timestamp_millis().rem_euclid(every);
    let wait = if over == 0 { 0 } else { every - over };
    due + TimeDelta::milliseconds(wait)
}

/// How the calls on triggers and scheduled operations tell what went wrong in a list.
pub(super) fn unexpected(trouble: Trouble, missing: impl Fn(&str) -> String) -> Fault {
    match trouble {
        Trouble::Direction => Fault::unexpected(DIRECTION),
        Trouble::Marker(id) => Fault::unexpected(&missing(&id)),
        Trouble::Column => Fault::unexpected("<class 'oslo_db.exception.InvalidSortKey'>"),
    }
}

/// Properties as they are kept: texts.
fn texts(properties: &Value) -> Map<String, Value> {
    let given = properties.as_object().into_iter().flatten();
    given
        .map(|(key, value)| (key.clone(), body::kept(value).into()))
        .collect()
}

/// The engine's own check, in its order.
fn check(world: &World, properties: &Map<String, Value>) -> Result<Armed, Refused> {
    let words = |text: String| Err(Refused::Words(text));
    let text = |key: &str| properties.get(key).and_then(Value::as_str);
    let written = text("pattern").unwrap_or("None");
    let pattern = match text("pattern").map_or(Err(Mistake::Calendar), Pattern::parse) {
        Ok(pattern) => Some(pattern),
        Err(Mistake::Calendar) => {
            return words(format!("The trigger pattern({written}) is invalid"));
        }
        Err(Mistake::Event) => {
            return words(format!(
                "The trigger pattern({written}) must include less than one VEVENT component"
            ));
        }
        Err(Mistake::Rule) => {
            return words(format!(
                "The first VEVENT component of trigger pattern({written}) must include less than one RRULE property"
            ));
        }
        Err(Mistake::Value) => None,
    };
    let moment = |key: &str| match text(key).filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => NaiveDateTime::parse_from_str(text, FORMAT)
            .map(Some)
            .map_err(|_| Refused::Words(format!("The format of trigger {key} is not correct"))),
    };
    let Some(start) = moment("start_time")? else {
        return words("The trigger's start time is unknown".into());
    };
    let Some(pattern) = pattern else {
        return Err(Refused::Class("ValueError"));
    };
    let first = pattern.next(start, world.now().naive_utc());
    let second = first.and_then(|first| pattern.next(start, first));
    let least = world.switches.number("karbor.min_interval") as i64;
    if let (Some(first), Some(second)) = (first, second)
        && (second - first).num_seconds() < least
    {
        return words(format!(
            "The interval of two adjacent time points is less than {least}"
        ));
    }
    let (low, high) = (
        world.switches.number("karbor.min_window") as i64,
        world.switches.number("karbor.max_window") as i64,
    );
    let window = match text("window") {
        None => low,
        Some(text) => match integer(text) {
            Some(window) => window,
            None => return words(format!("The trigger windows({text}) is not integer")),
        },
    };
    if !(low..=high).contains(&window) {
        return words(format!(
            "The trigger windows {window} must be between {low} and {high}"
        ));
    }
    let end = moment("end_time")?;
    if let Some(end) = end.filter(|end| *end <= start) {
        return words(format!(
            "The trigger's start time({}) is bigger than end time({})",
            start.format(FORMAT),
            end.format(FORMAT)
        ));
    }
    Ok(Armed {
        pattern,
        start,
        end,
        window,
        due: None,
    })
}
