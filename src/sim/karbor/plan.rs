//! Plans: what to protect, and with which provider.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::fault::{Answer, Fault};
use super::list::{Cell, Page, Rows, loose, select};
use super::provider::{Provider, TYPES};
use super::python::is_uuid_like;
use super::{Karbor, body, schema, tag};
use crate::sim::http::{Request, Response};
use crate::sim::ids::Ids;
use crate::sim::world::World;

/// A thing that a plan protects; it may have gone since.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Resource {
    /// Its id.
    pub id: String,
    /// Its type, such as `OS::Nova::Server`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// More about it, as a JSON text.
    pub extra: Option<String>,
}

/// What of a plan a checkpoint remembers.
#[derive(Debug)]
pub(super) struct Snapshot {
    /// The plan's number.
    pub plan: usize,
    /// The plan's name.
    pub name: String,
    /// Its provider.
    pub provider: Provider,
    /// Its resources.
    pub resources: Vec<Resource>,
}

impl Snapshot {
    /// As checkpoints show it.
    pub fn to_json(&self, ids: Ids, with_provider: bool) -> Value {
        let resources: Vec<Value> = self
            .resources
            .iter()
            .map(
                |it| json!({"id": it.id, "type": it.kind, "name": it.name, "extra_info": it.extra}),
            )
            .collect();
        let mut plan = json!({
            "id": ids.uuid(tag::PLAN, self.plan as u64), "name": self.name, "resources": resources,
        });
        if with_provider {
            plan["provider_id"] = self.provider.id().into();
        }
        plan
    }
}

/// A plan.
#[derive(Debug)]
pub(super) struct Plan {
    /// What its next checkpoint remembers.
    pub now: Arc<Snapshot>,
    /// What it is for.
    pub description: Option<String>,
    /// `suspended` when new; otherwise whatever somebody wrote.
    pub status: Option<String>,
    /// Settings for the plugins, all of them texts.
    pub parameters: Value,
    /// When it was made, in microseconds since 1970.
    pub created: i64,
    /// Whether it was deleted.
    pub deleted: bool,
}

/// The plans with what their columns need.
pub(super) struct Plans<'a> {
    rows: &'a [Plan],
    ids: Ids,
    project: &'a str,
}

impl Rows for Plans<'_> {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "name",
        "description",
        "provider_id",
        "project_id",
        "status",
        "parameters",
        "created_at",
        "updated_at",
        "deleted_at",
        "deleted",
    ];

    fn count(&self) -> usize {
        self.rows.len()
    }

    fn there(&self, number: usize) -> bool {
        self.rows.get(number).is_some_and(|plan| !plan.deleted)
    }

    fn find(&self, id: &str) -> Option<usize> {
        super::exact(self.ids, tag::PLAN, id)
    }

    fn cell(&self, number: usize, column: &str) -> Cell {
        let Some(plan) = self.rows.get(number) else {
            return Cell::Null;
        };
        match column {
            "id" => Cell::Text(self.ids.uuid(tag::PLAN, number as u64)),
            "name" => Cell::Text(plan.now.name.clone()),
            "description" => Cell::maybe(plan.description.as_deref()),
            "provider_id" => Cell::Text(plan.now.provider.id().to_owned()),
            "project_id" => Cell::Text(self.project.to_owned()),
            "status" => Cell::maybe(plan.status.as_deref()),
            "parameters" => Cell::Text(plan.parameters.to_string()),
            "created_at" => Cell::Number(plan.created),
            _ => Cell::Null,
        }
    }
}

impl Karbor {
    fn plans<'a>(&'a self, world: &'a World) -> Plans<'a> {
        Plans {
            rows: &self.plans,
            ids: self.ids,
            project: &world.account.project_id,
        }
    }

    /// The number of a plan that is still there.
    pub(super) fn plan_number(&self, id: &str) -> Result<usize, Fault> {
        super::exact(self.ids, tag::PLAN, id)
            .filter(|number| self.plans.get(*number).is_some_and(|plan| !plan.deleted))
            .ok_or_else(|| Fault::missing(format!("Plan {id} could not be found.")))
    }

    fn plan_of_path(&self, id: &str) -> Result<usize, Fault> {
        if !is_uuid_like(id) {
            return Err(Fault::bad("Invalid plan id provided."));
        }
        self.plan_number(id)
    }

    fn plan_json(&self, number: usize) -> Value {
        let Some(plan) = self.plans.get(number) else {
            return Value::Null;
        };
        let resources: Vec<Value> = plan
            .now
            .resources
            .iter()
            .map(|it| {
                let mut row = json!({"id": it.id, "name": it.name, "type": it.kind});
                let extra = it
                    .extra
                    .as_deref()
                    .and_then(|text| serde_json::from_str::<Value>(text).ok());
                if let Some(extra) = extra {
                    row["extra_info"] = extra;
                }
                row
            })
            .collect();
        json!({
            "id": self.ids.uuid(tag::PLAN, number as u64), "name": plan.now.name,
            "description": plan.description, "resources": resources, "provider_id": plan.now.provider.id(),
            "status": plan.status, "parameters": plan.parameters,
        })
    }

    /// `GET /plans`.
    pub(super) fn list_plans(&self, world: &World, request: &Request) -> Answer {
        let page = Page::read(request)?;
        let admin = self.is_admin(world);
        let mut filters = page.filters(&["name", "status", "description"], admin);
        super::all_tenants(&mut filters)?;
        let tests = loose(
            &filters,
            &["project_id", "status"],
            &["name", "description"],
        )?;
        let plans = self.plans(world);
        let missing = |id: &str| Fault::missing(format!("Plan {id} could not be found."));
        let rows =
            select(&plans, &page, page.offset, &tests).map_err(|trouble| trouble.told(missing))?;
        let rows = rows
            .into_iter()
            .map(|number| self.plan_json(number))
            .collect();
        let keys = ("plans", "plans");
        let answer = page.answer(request, keys, &self.base(world), rows);
        Ok(Response::json(200, &answer))
    }

    /// `GET /plans/{id}`.
    pub(super) fn show_plan(&self, id: &str) -> Answer {
        let number = self.plan_of_path(id)?;
        Ok(Response::json(
            200,
            &json!({"plan": self.plan_json(number)}),
        ))
    }

    /// `POST /plans`.
    pub(super) fn create_plan(&mut self, world: &mut World, request: &Request) -> Answer {
        let body = body::read(request, schema::PLAN_CREATE)?;
        let plan = &body["plan"];
        let resources = resources(plan.get("resources").ok_or_else(Fault::stumbled)?)?;
        let id = plan["provider_id"].as_str().unwrap_or_default();
        let provider = Provider::find(id)
            .filter(|_| self.protection.up)
            .ok_or_else(|| Fault::bad("The provider could not be found."))?;
        self.check_parameters(provider, &plan["parameters"])?;
        self.reserve(world, "plans")?;
        // A plan without a name passes the schema, and nothing after it.
        let name = plan["name"].as_str().ok_or_else(Fault::stumbled)?;
        let plan = Plan {
            now: Arc::new(Snapshot {
                plan: self.plans.len(),
                name: name.to_owned(),
                provider,
                resources: resources?,
            }),
            description: plan["description"].as_str().map(str::to_owned),
            status: Some("suspended".to_owned()),
            parameters: texts_of_texts(&plan["parameters"]),
            created: world.now().timestamp_micros(),
            deleted: false,
        };
        let number = self.add_plan(plan);
        world.count("karbor.plan.created");
        Ok(Response::json(
            200,
            &json!({"plan": self.plan_json(number)}),
        ))
    }

    /// Adds a plan and counts it; answers its number.
    pub(super) fn add_plan(&mut self, plan: Plan) -> usize {
        self.plans.push(plan);
        self.usage.plans += 1;
        self.plans.len() - 1
    }

    /// The plugins' settings against what the plugins say of themselves.
    fn check_parameters(&self, provider: Provider, parameters: &Value) -> Result<(), Fault> {
        let options = self.says(provider, "options_schema");
        for (key, given) in parameters.as_object().into_iter().flatten() {
            let kind = match key.split_once('#') {
                Some((_, id)) if id.contains('#') => return Err(Fault::stumbled()),
                Some((_, id)) if !is_uuid_like(id) => {
                    return Err(Fault::bad("The resource_id must be a uuid."));
                }
                Some((kind, _)) => kind,
                None => key.as_str(),
            };
            if !TYPES.contains(&kind) {
                return Err(Fault::bad("The key of plan parameters is invalid."));
            }
            let Some(options) = options.get(kind) else {
                continue;
            };
            // The plugin that does nothing says nothing of itself either.
            let known = options["properties"]
                .as_object()
                .ok_or_else(Fault::stumbled)?;
            let given = given.as_object().ok_or_else(Fault::stumbled)?;
            if !given.keys().all(|name| known.contains_key(name)) {
                return Err(Fault::bad(
                    "The protect property of plan parameters is invalid.",
                ));
            }
        }
        Ok(())
    }

    /// `PUT /plans/{id}`.
    pub(super) fn update_plan(&mut self, id: &str, request: &Request) -> Answer {
        let body = body::read(request, schema::PLAN_UPDATE)?;
        let change = body["plan"].as_object().cloned().unwrap_or_default();
        if change.is_empty() {
            return Err(Fault::bad("Missing updated parameters in request body."));
        }
        let given = change.get("resources").filter(|list| !empty(list));
        let resources = match given {
            Some(list) => Some(resources(list)??),
            None => change.get("resources").map(|_| Vec::new()),
        };
        let number = self.plan_of_path(id)?;
        let plan = self.plans.get_mut(number).ok_or_else(Fault::stumbled)?;
        if plan.status.as_deref() != Some("suspended") {
            return Err(Fault::bad(
                "Invalid plan: The plan can be only updated in suspended status.",
            ));
        }
        let old = &plan.now;
        let name = change.get("name").and_then(Value::as_str);
        plan.now = Arc::new(Snapshot {
            plan: number,
            name: name.unwrap_or(&old.name).to_owned(),
            provider: old.provider,
            resources: resources.unwrap_or_else(|| old.resources.clone()),
        });
        if let Some(status) = change.get("status") {
            plan.status = status.as_str().map(str::to_owned);
        }
        if let Some(description) = change.get("description") {
            plan.description = description.as_str().map(str::to_owned);
        }
        Ok(Response::json(
            200,
            &json!({"plan": self.plan_json(number)}),
        ))
    }

    /// `DELETE /plans/{id}`: schedules of it stay, and fire into nothing from now on.
    pub(super) fn delete_plan(&mut self, id: &str) -> Answer {
        let number = self.plan_of_path(id)?;
        if let Some(plan) = self.plans.get_mut(number) {
            plan.deleted = true;
        }
        self.usage.plans -= 1;
        Ok(body::nothing())
    }
}

fn empty(list: &Value) -> bool {
    list.as_array().is_some_and(Vec::is_empty)
}

/// Reads a list of resources: refused at once when a key is missing, later (and without a word) when a value can't be kept.
fn resources(list: &Value) -> Result<Result<Vec<Resource>, Fault>, Fault> {
    let list = list
        .as_array()
        .filter(|list| !list.is_empty())
        .ok_or_else(|| Fault::input("list resources must be provided when creating a plan."))?;
    let complete = |it: &Value| {
        ["id", "type", "name"]
            .iter()
            .all(|key| it.get(key).is_some())
    };
    if !list.iter().all(complete) {
        return Err(Fault::input(
            "Resource in list must be a dict when creating a plan.The keys of resource are id,type and name.",
        ));
    }
    Ok(list
        .iter()
        .map(|it| {
            let text = |key: &str| body::kept(&it[key]).ok_or_else(Fault::stumbled);
            let extra = it.get("extra_info").filter(|extra| !extra.is_null());
            Ok(Resource {
                id: text("id")?,
                kind: text("type")?,
                name: text("name")?,
                extra: extra.map(body::dumps),
            })
        })
        .collect())
}

/// Settings as the service keeps them: every value as a text.
pub(super) fn texts_of_texts(parameters: &Value) -> Value {
    let mut out = Map::new();
    for (key, inner) in parameters.as_object().into_iter().flatten() {
        let mut row = Map::new();
        for (name, value) in inner.as_object().into_iter().flatten() {
            row.insert(name.clone(), body::kept(value).into());
        }
        out.insert(key.clone(), row.into());
    }
    out.into()
}
