//! What the connector remembers between polls: names, who belongs to whom, when a change was first seen,
//! and the jobs that were started here.

use std::collections::HashMap;

use super::wire::{Object, Resource};
use crate::model::{Ref, Timestamp};

/// A resource as last listed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Seen {
    /// Its name.
    pub name: String,
    /// Its status, letter for letter.
    pub status: String,
    /// The group it belongs to; empty for a group.
    pub group_id: String,
    /// For a pair: the instance it is attached to first; empty for others.
    pub instance_id: String,
    /// When the change that goes on was first seen, by the service's clock; `None` while at rest.
    pub begun: Option<Timestamp>,
}

/// A job that was started here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnJob {
    /// What it does, in our word.
    pub operation: String,
    /// The resource it works on.
    pub object: Object,
    /// The resource's id; empty for one that is only being made.
    pub resource_id: String,
    /// The device, where it works on one.
    pub device: Option<Ref>,
    /// The group.
    pub policy: Option<Ref>,
}

/// Everything remembered.
#[derive(Debug, Default)]
pub struct Known {
    resources: HashMap<(Object, String), Seen>,
    /// Jobs started here that have not ended.
    pub own: HashMap<String, OwnJob>,
}

impl Known {
    /// Notes a listed resource; returns when its change was first seen, while one goes on.
    pub fn note(
        &mut self,
        object: Object,
        row: &Resource<'_>,
        moving: bool,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let key = (object, row.id.owned());
        let before = self.resources.get(&key);
        let begun = if moving {
            before
                .filter(|seen| seen.status == row.status.as_str())
                .and_then(|seen| seen.begun)
                .or(row.updated_at.0)
                .or(Some(now))
        } else {
            None
        };
        self.resources.insert(
            key,
            Seen {
                name: row.name.or(row.id.as_str()).to_owned(),
                status: row.status.owned(),
                group_id: row.server_group_id.owned(),
                instance_id: row.instance_id().to_owned(),
                begun,
            },
        );
        begun
    }

    /// A resource as last listed.
    #[must_use]
    pub fn get(&self, object: Object, id: &str) -> Option<&Seen> {
        self.resources.get(&(object, id.to_owned()))
    }

    /// The ids and names of all groups, by id.
    #[must_use]
    pub fn groups(&self) -> Vec<Ref> {
        let mut groups: Vec<Ref> = self
            .resources
            .iter()
            .filter(|((object, _), _)| *object == Object::Group)
            .map(|((_, id), seen)| Ref::new(id.clone(), seen.name.clone()))
            .collect();
        groups.sort_by(|a, b| a.id.cmp(&b.id));
        groups
    }

    /// Forgets the resources of this sort that a complete list did not hold.
    pub fn keep_only(&mut self, object: Object, ids: &std::collections::HashSet<String>) {
        self.resources
            .retain(|(o, id), _| *o != object || ids.contains(id));
    }

    /// A reference with the name as last listed; `None` for an empty id.
    #[must_use]
    pub fn reference(&self, object: Object, id: &str) -> Option<Ref> {
        if id.is_empty() {
            return None;
        }
        let name = self.get(object, id).map_or("", |seen| seen.name.as_str());
        Some(Ref::new(id, name))
    }

    /// The device and the group that a resource belongs to, itself among them.
    #[must_use]
    pub fn belongs(&self, object: Object, id: &str, seen: &Seen) -> (Option<Ref>, Option<Ref>) {
        match object {
            Object::Group => (None, Some(Ref::new(id, seen.name.clone()))),
            Object::Instance => (
                Some(Ref::new(id, seen.name.clone())),
                self.reference(Object::Group, &seen.group_id),
            ),
            Object::Pair => (
                self.reference(Object::Instance, &seen.instance_id),
                self.reference(Object::Group, &seen.group_id),
            ),
            Object::Drill => (None, self.reference(Object::Group, &seen.group_id)),
        }
    }

    /// True while a job started here works on the resource: its own row shows that.
    #[must_use]
    pub fn is_ours(&self, object: Object, id: &str) -> bool {
        self.own
            .values()
            .any(|job| job.object == object && job.resource_id == id)
    }
}
