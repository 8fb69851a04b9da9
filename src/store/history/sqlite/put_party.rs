//! Writing a device or policy: its last state, and an entry when its own state changed.

use rusqlite::OptionalExtension;
use serde::{Deserialize, Serialize};

use super::writer::Batch;
use crate::model::{Device, Due, Policy, Timestamp};
use crate::store::history::words::lasting_facts;
use crate::store::history::{PartySeen, PartyState, Sort, lasting};

/// What makes an entry when it changes.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Shape {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) status: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) faulty: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) enabled: Option<bool>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) schedule: String,
}

impl Shape {
    fn of(state: &PartyState) -> Option<Self> {
        match state {
            PartyState::Device(d) => Some(Self {
                status: d.native_status.clone(),
                faulty: d.faulty,
                ..Self::default()
            }),
            PartyState::Policy(p) => Some(Self {
                status: p.native_status.clone(),
                faulty: p.faulty,
                enabled: p.enabled,
                schedule: p.schedule.clone(),
            }),
            PartyState::DeviceGone(_) | PartyState::PolicyGone(_) => None,
        }
    }

    /// The text kept of it; empty for what is no longer listed.
    fn text(shape: Option<&Self>) -> String {
        shape.map_or_else(String::new, |s| {
            serde_json::to_string(s).unwrap_or_default()
        })
    }

    /// Back from the text; `None` for what was no longer listed then.
    pub(super) fn read(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| serde_json::from_str(text).unwrap_or_default())
    }

    /// The state in words.
    pub(super) fn words(text: &str) -> String {
        let Some(shape) = Self::read(text) else {
            return "no longer listed".to_owned();
        };
        let mut parts = Vec::new();
        if !shape.status.is_empty() {
            parts.push(shape.status);
        }
        match shape.enabled {
            Some(true) => parts.push("enabled".to_owned()),
            Some(false) => parts.push("disabled".to_owned()),
            None => {}
        }
        if shape.faulty {
            parts.push("faulty".to_owned());
        }
        if !shape.schedule.is_empty() {
            parts.push(shape.schedule);
        }
        if parts.is_empty() {
            "listed".to_owned()
        } else {
            parts.join(" · ")
        }
    }
}

/// What is kept of a device or policy besides its id, name and shape.
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(super) struct Body {
    what: String,
    place: String,
    /// Policies of a device, devices of a policy.
    related: Vec<String>,
    protected_now: bool,
    last_success: Option<i64>,
    next_run: Option<i64>,
    /// How often a good backup of a policy is due, and counted from when, in milliseconds.
    due: Option<(i64, Option<i64>)>,
    facts: Vec<(String, String)>,
}

fn owned(facts: &[(&'static str, String)]) -> Vec<(String, String)> {
    facts
        .iter()
        .map(|(label, value)| ((*label).to_owned(), value.clone()))
        .collect()
}

impl Body {
    fn of(state: &PartyState) -> Option<Self> {
        match state {
            PartyState::Device(d) => Some(Self {
                what: d.what.to_owned(),
                place: d.place.clone(),
                related: d.policy_ids.clone(),
                protected_now: d.protected_now,
                last_success: d.last_success.map(|t| t.0),
                next_run: None,
                due: None,
                facts: owned(&d.facts),
            }),
            PartyState::Policy(p) => Some(Self {
                what: p.what.to_owned(),
                place: String::new(),
                related: p.device_ids.clone(),
                protected_now: p.protected_now,
                last_success: p.last_success.map(|t| t.0),
                due: p.due.map(|d| (d.within_ms, d.from.map(|t| t.0))),
                next_run: p.next_run.map(|t| t.0),
                facts: owned(&p.facts),
            }),
            PartyState::DeviceGone(_) | PartyState::PolicyGone(_) => None,
        }
    }

    pub(super) fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    pub(super) fn device(self, id: String, name: String, shape: Shape) -> Device {
        Device {
            id,
            name,
            what: lasting(&self.what),
            native_status: shape.status,
            faulty: shape.faulty,
            place: self.place,
            policy_ids: self.related,
            protected_now: self.protected_now,
            last_success: self.last_success.map(Timestamp),
            facts: lasting_facts(self.facts),
            raw: String::new(),
        }
    }

    pub(super) fn policy(self, id: String, name: String, shape: Shape) -> Policy {
        Policy {
            id,
            name,
            what: lasting(&self.what),
            native_status: shape.status,
            enabled: shape.enabled,
            faulty: shape.faulty,
            protected_now: self.protected_now,
            last_success: self.last_success.map(Timestamp),
            due: self.due.map(|(within_ms, from)| Due {
                within_ms,
                from: from.map(Timestamp),
            }),
            schedule: shape.schedule,
            next_run: self.next_run.map(Timestamp),
            device_ids: self.related,
            facts: lasting_facts(self.facts),
            raw: String::new(),
        }
    }
}

impl Batch<'_> {
    pub(super) fn put_party(&mut self, seen: &PartySeen) -> rusqlite::Result<()> {
        let service = self.service(&seen.service)?;
        let (sort, native, name) = match &seen.state {
            PartyState::Device(d) => (Sort::Device, &d.id, d.name.as_str()),
            PartyState::Policy(p) => (Sort::Policy, &p.id, p.name.as_str()),
            PartyState::DeviceGone(id) => (Sort::Device, id, ""),
            PartyState::PolicyGone(id) => (Sort::Policy, id, ""),
        };
        let held: Option<(i64, i64, String, String, i64)> = self
            .c
            .prepare_cached(
                "SELECT id, state, body, name, feeds FROM party
                 WHERE service = ?1 AND sort = ?2 AND native = ?3",
            )?
            .query_row((service, sort as u8, native), |row| {
                Ok((
                    row.get(0)?,
                    row.get(1)?,
                    row.get(2)?,
                    row.get(3)?,
                    row.get(4)?,
                ))
            })
            .optional()?;
        let state = self.word(&Shape::text(Shape::of(&seen.state).as_ref()))?;
        let body = Body::of(&seen.state).map(|b| serde_json::to_string(&b).unwrap_or_default());
        let feeds = self.word(&seen.feeds.join(" "))?;
        let Some((id, before, held_body, held_name, held_feeds)) = held else {
            let Some(body) = body else {
                // gone before it was ever known
                return Ok(());
            };
            let id = self
                .c
                .prepare_cached(
                    "INSERT INTO party (service, sort, native, name, state, body, feeds, first_seen, seen_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
                )?
                .insert((
                    service, sort as u8, native, name, state, body, feeds, seen.at.0,
                ))?;
            return self.put_change(id, None, state, seen.at);
        };
        if before != state {
            self.put_change(id, Some(before), state, seen.at)?;
        }
        let body = body.unwrap_or_else(|| held_body.clone());
        let name = if name.is_empty() { &held_name } else { name };
        if before != state || body != held_body || name != held_name || feeds != held_feeds {
            self.c
                .prepare_cached(
                    "UPDATE party SET name = ?2, state = ?3, body = ?4, feeds = ?5, seen_at = ?6 WHERE id = ?1",
                )?
                .execute((id, name, state, body, feeds, seen.at.0))?;
        }
        Ok(())
    }

    fn put_change(
        &mut self,
        party: i64,
        from: Option<i64>,
        to: i64,
        at: Timestamp,
    ) -> rusqlite::Result<()> {
        let n = self.number();
        self.c
            .prepare_cached(
                "INSERT INTO party_change (writer, n, party, seen_at, from_state, to_state)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((self.writer, n, party, at.0, from, to))?;
        Ok(())
    }
}
