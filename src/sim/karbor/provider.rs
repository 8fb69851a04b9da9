//! Providers: the two that Karbor comes with. What their plugins say of themselves is what a real 1.6.0 answers.

use serde_json::{Value, json};

use super::Karbor;
use super::fault::{Answer, Fault};
use super::list::Page;
use super::python::{Literal, is_uuid_like};
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

/// Which of the two; the order is that of their ids, by which the service lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Provider {
    /// Does nothing, and well.
    Noop,
    /// Works with the disk and compute services.
    Infra,
}

impl Provider {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Noop, Self::Infra];

    /// Its id.
    pub fn id(self) -> &'static str {
        match self {
            Self::Noop => "b766f37c-d011-4026-8228-28730d734a3f",
            Self::Infra => "cf56bd3e-97a7-4078-b6d5-f36246333fd9",
        }
    }

    /// The provider of that id.
    pub fn find(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.id() == id)
    }

    /// Whether one of its plugins protects resources of that type.
    pub fn protects(self, kind: &str) -> bool {
        match self {
            Self::Noop => TYPES.contains(&kind),
            Self::Infra => {
                TYPES.contains(&kind)
                    && !["OS::Keystone::Project", "OS::Kubernetes::Pod"].contains(&kind)
            }
        }
    }
}

/// The types of resources that a plan's parameters may name.
pub(super) const TYPES: [&str; 8] = [
    "OS::Keystone::Project",
    "OS::Nova::Server",
    "OS::Cinder::Volume",
    "OS::Glance::Image",
    "OS::Manila::Share",
    "OS::Neutron::Network",
    "OS::Trove::Instance",
    "OS::Kubernetes::Pod",
];

/// The providers with their schemas, as they are answered.
const RECORDED: &str = include_str!("providers.json");

/// What a provider is told not to know.
pub(super) fn unknown(id: &str) -> Fault {
    Fault::missing(format!("Provider {id} could not be found."))
}

impl Karbor {
    /// Both providers as they are answered.
    pub(super) fn described() -> Vec<Value> {
        let recorded: Value = serde_json::from_str(RECORDED).unwrap_or_default();
        recorded["providers"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    }

    /// What a provider's plugins say of one thing (`options_schema`, `restore_schema`).
    pub(super) fn says(&self, provider: Provider, what: &str) -> &Value {
        self.providers
            .iter()
            .find(|it| it["id"] == provider.id())
            .map_or(&Value::Null, |it| &it["extended_info_schema"][what])
    }

    /// `GET /providers`.
    pub(super) fn list_providers(&self, world: &World, request: &Request) -> Answer {
        let page = Page::read(request)?;
        let filters = page.filters(&["name", "description"], self.is_admin(world));
        let from = page
            .marker
            .as_deref()
            .and_then(|marker| self.providers.iter().position(|it| it["id"] == marker))
            .map_or(0, |index| index + 1);
        let keeps = |it: &&Value| {
            filters.iter().all(|(key, wanted)| match it.get(key) {
                None => true,
                Some(has) => matches!(wanted, Literal::Text(text) if has == text.as_str()),
            })
        };
        let rows: Vec<Value> = self
            .providers
            .iter()
            .skip(from)
            .filter(keeps)
            .take(page.limit)
            .cloned()
            .collect();
        Ok(Response::json(
            200,
            &page.answer(request, ("providers", "providers"), &self.base(world), rows),
        ))
    }

    /// `GET /providers/{id}`.
    pub(super) fn show_provider(&self, id: &str) -> Answer {
        if !is_uuid_like(id) {
            return Err(Fault::bad("Invalid provider id provided."));
        }
        let found = self.providers.iter().find(|it| it["id"] == id);
        match found {
            Some(it) => Ok(Response::json(200, &json!({"provider": it}))),
            None => Err(unknown(id)),
        }
    }
}
