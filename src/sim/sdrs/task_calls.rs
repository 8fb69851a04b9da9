//! Calls about failed tasks: list them, clear one, clear many.

use serde_json::json;

use super::Sdrs;
use super::codes::{self, Refusal};
use super::query::{self, Answer, Page};
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

impl Sdrs {
    /// `GET /task-center/failure-jobs`: without a group those of the groups themselves, with one those inside it.
    pub fn list_failed(&self, world: &World, request: &Request) -> Answer {
        let page = Page::of(world, request)?;
        let group = match request.param("server_group_id") {
            None | Some("") => None,
            Some(id) => {
                self.group_key(world, id)?;
                Some(id)
            }
        };
        let switches = &world.switches;
        let exact = switches.get("sdrs.resource_name") == "exact";
        let named = |name: &str| match request.param("resource_name") {
            None | Some("") => true,
            Some(wanted) if exact => name == wanted,
            Some(wanted) => name.contains(wanted),
        };
        let rows = self.task_center.list(group, switches).filter(|task| {
            query::fits(request, "failure_status", task.failure_status)
                && query::fits(request, "resource_type", task.resource.plural())
                && named(&task.resource_name)
        });
        Ok(page.list(world, "failure_jobs", rows, |task| task.to_json(switches)))
    }

    /// `DELETE /task-center/failure-jobs/{id}`. Whether the id is the job's or the resource's is not documented.
    pub fn clear_failed(&mut self, world: &mut World, id: &str) -> Answer {
        let choice = world.switches.get("sdrs.clear_id").to_owned();
        let cleared = self.task_center.remove(|task| match choice.as_str() {
            "job_id" => task.job_id == id,
            "resource_id" => task.resource_id == id,
            _ => task.job_id == id || task.resource_id == id,
        });
        world.note(json!({"what": "sdrs.failed_task.clear", "id": id, "cleared": cleared}));
        match (cleared, world.switches.get("sdrs.clear_unknown")) {
            (0, "400") => Err(codes::PARAMETER.into()),
            (0, "404") => Err(Refusal {
                http: 404,
                wrapper: "itemNotFound",
                ..codes::PARAMETER.into()
            }),
            _ => Ok(Response::empty(204)),
        }
    }

    /// `DELETE /task-center/failure-jobs/batch`, or with a group `/task-center/{group}/failure-jobs/batch`.
    pub fn clear_all_failed(&mut self, world: &mut World, group: Option<&str>) -> Answer {
        if let Some(id) = group {
            self.group_key(world, id)?;
        }
        let cleared = self.task_center.clear_all(group, &world.switches);
        world.note(json!({
            "what": "sdrs.failed_task.clear_all", "group": group, "cleared": cleared,
        }));
        Ok(Response::empty(204))
    }
}
