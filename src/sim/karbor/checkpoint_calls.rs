//! Calls on checkpoints: list, show, make, delete, set a status by hand, copy.

use serde_json::{Value, json};

use super::bank::Wanted;
use super::checkpoint::{Checkpoint, Status};
use super::fault::{Answer, Fault};
use super::flow::Work;
use super::list::Page;
use super::log::Operation;
use super::provider::{Provider, unknown};
use super::python::is_uuid_like;
use super::{Karbor, body, schema, tag};
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

/// The filters that a member of the project may use.
const FILTERS: &[&str] = &["project_id", "plan_id", "start_date", "end_date"];

impl Karbor {
    fn checkpoint_json(&self, world: &World, number: usize) -> Value {
        let project = &world.account.project_id;
        self.checkpoints
            .get(number)
            .map_or(Value::Null, |it| it.to_json(number, self.ids, project))
    }

    fn checkpoint_id(&self, number: usize) -> String {
        self.ids.uuid(tag::CHECKPOINT, number as u64)
    }

    /// A checkpoint by the ids of a path.
    fn checkpoint_of_path(&self, provider: &str, id: &str) -> Result<usize, Fault> {
        if !is_uuid_like(provider) {
            return Err(Fault::bad("Invalid provider id provided."));
        }
        if !is_uuid_like(id) {
            return Err(Fault::bad("Invalid checkpoint id provided."));
        }
        let provider = Provider::find(provider).ok_or_else(|| unknown(provider))?;
        self.checkpoint_number(provider, id)
            .ok_or_else(|| Fault::missing(format!("Checkpoint {id} could not be found.")))
    }

    /// `GET /providers/{provider}/checkpoints`. The link to the next page leaves the provider out and leads nowhere.
    pub(super) fn list_checkpoints(
        &self,
        world: &World,
        provider: &str,
        request: &Request,
    ) -> Answer {
        let page = Page::read(request)?;
        let admin = self.is_admin(world);
        let mut filters = page.filters(FILTERS, admin);
        let all = super::all_tenants(&mut filters)? && admin;
        let wanted = Wanted::read(self, world, &filters, all)?;
        let provider = Provider::find(provider).ok_or_else(|| unknown(provider))?;
        let numbers = self.listed(world, provider, &page, &wanted)?;
        let rows = numbers
            .into_iter()
            .map(|number| self.checkpoint_json(world, number))
            .collect();
        let keys = ("checkpoints", "checkpoints");
        let answer = page.answer(request, keys, &self.base(world), rows);
        Ok(Response::json(200, &answer))
    }

    /// `GET /providers/{provider}/checkpoints/{id}`: also one that was deleted.
    pub(super) fn show_checkpoint(&self, world: &World, provider: &str, id: &str) -> Answer {
        let number = self.checkpoint_of_path(provider, id)?;
        let body = json!({"checkpoint": self.checkpoint_json(world, number)});
        Ok(Response::json(200, &body))
    }

    /// `POST /providers/{provider}/checkpoints`.
    pub(super) fn create_checkpoint(
        &mut self,
        world: &mut World,
        provider: &str,
        request: &Request,
    ) -> Answer {
        let body = body::read(request, schema::CHECKPOINT_CREATE)?;
        let id = body["checkpoint"]["plan_id"].as_str().unwrap_or_default();
        let number = self.make_checkpoint(world, provider, id)?;
        let project = world.account.project_id.clone();
        let made = self
            .checkpoints
            .get(number)
            .map(|it| it.fresh_json(number, self.ids, &project));
        Ok(Response::json(200, &json!({"checkpoint": made})))
    }

    /// The same, as the operation engine asks for it as well.
    pub(super) fn make_checkpoint(
        &mut self,
        world: &mut World,
        provider: &str,
        plan: &str,
    ) -> Result<usize, Fault> {
        let plan = self.plan_number(plan)?;
        let fits = self
            .plans
            .get(plan)
            .is_some_and(|it| it.now.provider.id() == provider);
        if !fits {
            return Err(Fault::bad(
                "Invalid plan: The parameter provider_id is not the same as the value in the plan.",
            ));
        }
        self.reserve(world, "checkpoints")?;
        self.protect(world, plan)
    }

    /// `DELETE /providers/{provider}/checkpoints/{id}`.
    pub(super) fn delete_checkpoint(
        &mut self,
        world: &mut World,
        provider: &str,
        id: &str,
    ) -> Answer {
        let number = self.checkpoint_of_path(provider, id)?;
        self.remove_checkpoint(world, number)?;
        Ok(Response::json(200, &json!({})))
    }

    /// Sets a deletion going.
    ///
    /// # Errors
    /// 500 when its status does not allow it.
    pub(super) fn remove_checkpoint(
        &mut self,
        world: &mut World,
        number: usize,
    ) -> Result<(), Fault> {
        let id = self.checkpoint_id(number);
        let checkpoint = self
            .checkpoints
            .get_mut(number)
            .ok_or_else(Fault::stumbled)?;
        if !matches!(checkpoint.status, Status::Available | Status::Error) {
            return Err(Fault::server(format!(
                "The checkpoint {id} can not be deleted."
            )));
        }
        checkpoint.status = Status::Deleting;
        let provider = checkpoint.plan.provider;
        let log = self.begin_log(world, number, Operation::Protect);
        let wait = self.moment(world, provider);
        self.schedule(world, wait, Work::Delete, number, log, None);
        self.usage.checkpoints -= 1;
        world.count("karbor.delete.started");
        Ok(())
    }

    /// `PUT /providers/{provider}/checkpoints/{id}` with `os-resetState`.
    pub(super) fn reset_checkpoint(
        &mut self,
        provider: &str,
        id: &str,
        request: &Request,
    ) -> Answer {
        let body = body::read(request, schema::CHECKPOINT_UPDATE)?;
        let number = self.checkpoint_of_path(provider, id)?;
        let checkpoint = self
            .checkpoints
            .get_mut(number)
            .ok_or_else(Fault::stumbled)?;
        checkpoint.status = match checkpoint.status {
            Status::Available | Status::Error | Status::Copying | Status::WaitCopying => {
                if body["os-resetState"]["state"] == "available" {
                    Status::Available
                } else {
                    Status::Error
                }
            }
            _ => {
                return Err(Fault::bad(format!("The checkpoint {id} can not be reset.")));
            }
        };
        Ok(Response::json(200, &json!({})))
    }

    /// `POST /providers/{provider}/checkpoints/action` with `copy`. No plugin of 1.6.0 can do it: the call fails half-way
    /// and leaves copies behind that wait for good.
    pub(super) fn copy_checkpoints(
        &mut self,
        world: &mut World,
        provider: &str,
        request: &Request,
    ) -> Answer {
        let body = body::read(request, schema::COPY_CREATE)?;
        let copy = &body["copy"];
        let id = copy["plan_id"].as_str().unwrap_or_default();
        if !is_uuid_like(provider) {
            return Err(Fault::input("Invalid provider id provided."));
        }
        let plan = self.plan_number(id)?;
        let now = self
            .plans
            .get(plan)
            .ok_or_else(Fault::stumbled)?
            .now
            .clone();
        if now.provider.id() != provider {
            return Err(Fault::input(
                "The provider id is not the same as the value in the plan.",
            ));
        }
        let all = self
            .alive
            .iter()
            .filter_map(|number| Some((*number, self.checkpoints.get(*number)?)))
            .filter(|(_, it)| it.plan.plan == plan);
        if all.clone().next().is_none() {
            return Err(Fault::input("The plan has not been protected."));
        }
        let sources: Vec<usize> = all
            .filter(|(_, it)| it.status == Status::Available && !it.copy)
            .map(|(number, _)| number)
            .collect();
        let works = world.switches.get("karbor.copy") == "works";
        let mut copies = Vec::new();
        for (index, source) in sources.iter().enumerate() {
            let number = self.add_checkpoint(Checkpoint {
                plan: now.clone(),
                graph: None,
                created: world.now().timestamp_micros(),
                status: Status::WaitCopying,
                lacking: false,
                copy: true,
            });
            copies.push(json!({
                "checkpoint_protect_id": self.checkpoint_id(*source),
                "checkpoint_copy_id": self.checkpoint_id(number),
            }));
            if works || index == 0 {
                let graph = self.graph(world, &now.resources).unwrap_or_default();
                if let Some(checkpoint) = self.checkpoints.get_mut(number) {
                    checkpoint.graph = Some(graph.into());
                }
                let log = self.begin_log(world, number, Operation::Copy);
                if works {
                    let wait = chrono::TimeDelta::seconds(5 * (index as i64 + 1));
                    self.schedule(world, wait, Work::CopyBegins, number, log, None);
                }
            }
        }
        if !works && !sources.is_empty() {
            return Err(Fault::server(
                "Flow: copy, Error: Flow: copy, Error: Internal error",
            ));
        }
        let answer = json!({"copy": {
            "project_id": world.account.project_id, "provider_id": provider, "plan_id": id,
            "checkpoint_id": copies, "parameters": copy["parameters"],
        }});
        Ok(Response::json(200, &answer))
    }
}
