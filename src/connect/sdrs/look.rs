//! Reading one thing as it is now: a job, a resource, and what a change that ended became.

use serde::Deserialize;

use super::Sdrs;
use super::job::Job;
use super::known::{OwnJob, Seen};
use super::poll::{is_gone, missing};
use super::wire::{Object, Resource, going_on, is_faulty};
use crate::connect::decode::{Raw, raw_text};
use crate::connect::http::Call;
use crate::connect::{Page, TaskLook};
use crate::model::{CodeRef, Fault, FaultKind, Phase, Task, Timestamp};

/// One object in whatever envelope.
#[derive(Deserialize, Default)]
#[serde(default)]
struct One<'a> {
    #[serde(borrow)]
    server_group: Option<Raw<'a>>,
    #[serde(borrow)]
    protected_instance: Option<Raw<'a>>,
    #[serde(borrow)]
    replication: Option<Raw<'a>>,
    #[serde(borrow)]
    disaster_recovery_drill: Option<Raw<'a>>,
}

impl Sdrs {
    /// One job as a task; `None` when the service knows no such job.
    pub(super) async fn job(&self, id: &str) -> Result<Option<Task>, Fault> {
        let reply = match self.session.read(&Call::get(&["jobs", id])).await {
            Ok(reply) => reply,
            Err(fault) if fault.kind == FaultKind::Refused => return Ok(None),
            Err(fault) => return Err(fault),
        };
        let raw: Raw<'_> = reply.json()?;
        let job: Job<'_> = reply.json()?;
        let mut task = job.task(id, raw_text(raw));
        if let Some(OwnJob {
            operation,
            object,
            device,
            policy,
            ..
        }) = self.known().own.get(id).cloned()
        {
            task.operation = operation;
            task.object = object.word().to_owned();
            task.device = device;
            task.policy = policy;
        }
        Ok(Some(task))
    }

    /// One resource as it is now, `None` when it is gone. Hands its row and record to `read`.
    pub(super) async fn resource<T>(
        &self,
        object: Object,
        id: &str,
        read: impl FnOnce(&Resource<'_>, Raw<'_>) -> T,
    ) -> Result<Option<T>, Fault> {
        let reply = match self.session.ask(&Call::get(&[object.path(), id])).await {
            Ok(reply) => reply,
            Err(fault) if is_gone(&fault) => return Ok(None),
            Err(fault) => return Err(fault),
        };
        let one: One<'_> = reply.json()?;
        let raw = match object {
            Object::Group => one.server_group,
            Object::Instance => one.protected_instance,
            Object::Pair => one.replication,
            Object::Drill => one.disaster_recovery_drill,
        }
        .ok_or_else(|| missing(&reply, object.one()))?;
        let row: Resource<'_> = serde_json::from_str(raw.get()).map_err(|e| {
            Fault::new(
                FaultKind::Garbled,
                format!("the {} can't be read: {e}", object.name()),
                reply.place.clone(),
                "It is asked again at the next round.",
            )
        })?;
        Ok(Some(read(&row, raw)))
    }

    /// A task that left the live list: a job of ours, or a change of a resource.
    pub(super) async fn look(&self, task_id: &str) -> Result<TaskLook, Fault> {
        let Some((object, id, status, begun)) = read_moving_id(task_id) else {
            return Ok(self
                .job(task_id)
                .await?
                .map_or(TaskLook::Gone, |t| TaskLook::Found(Box::new(t))));
        };
        let (before, device, policy) = {
            let known = self.known();
            let seen = known.get(object, id).cloned().unwrap_or_else(|| Seen {
                name: id.to_owned(),
                ..Seen::default()
            });
            let (device, policy) = known.belongs(object, id, &seen);
            (seen, device, policy)
        };
        let now = self.resource(object, id, |row, raw| {
            (
                row.status.owned(),
                row.updated_at.0,
                row.failure_detail.owned(),
                raw_text(raw),
            )
        });
        let mut task = Task {
            id: task_id.to_owned(),
            device,
            policy,
            operation: going_on(status).unwrap_or("operation").to_owned(),
            started_at: Some(begun),
            object: object.word().to_owned(),
            facts: vec![(object.name(), before.name)],
            ..Task::default()
        };
        match now.await? {
            None if status == "deleting" => {
                task.native_status = "deleted".to_owned();
                task.phase = Phase::Succeeded;
                task.ended_at = Some(self.session.service_now());
            }
            None => return Ok(TaskLook::Gone),
            Some((now, updated, detail, raw)) => {
                task.phase = if now == status {
                    Phase::Running
                } else if is_faulty(&now) {
                    Phase::Failed
                } else if going_on(&now).is_some() {
                    // another change began before the end of this one was seen
                    Phase::Unknown
                } else {
                    Phase::Succeeded
                };
                task.native_status = now;
                task.ended_at = if task.phase.is_over() { updated } else { None };
                task.updated_at = updated;
                task.raw = raw;
                if task.phase == Phase::Failed {
                    // the task center holds the same failure under its job id, with code and reason
                    if let Some(found) = self.failure_of(&task, id, begun).await? {
                        return Ok(TaskLook::Found(Box::new(found)));
                    }
                    task.failure = Some(CodeRef::new(detail, ""));
                }
            }
        }
        Ok(TaskLook::Found(Box::new(task)))
    }

    /// The task center's record of a change that failed, when it is listed.
    async fn failure_of(
        &self,
        task: &Task,
        resource_id: &str,
        begun: Timestamp,
    ) -> Result<Option<Task>, Fault> {
        let group = task.policy.clone();
        let inside = group.as_ref().filter(|g| g.id != resource_id);
        for scope in [inside, group.as_ref(), None] {
            for read in self.read_failed(0, scope, false).await? {
                let Page::Rows(rows) = read.page else {
                    continue;
                };
                let found = rows.tasks.into_iter().find(|t| {
                    t.facts
                        .iter()
                        .any(|(k, v)| *k == "resource id" && v == resource_id)
                        && t.operation == task.operation
                        && t.started_at.is_none_or(|at| at.since(begun) > -60_000)
                });
                if found.is_some() {
                    return Ok(found);
                }
            }
        }
        Ok(None)
    }
}

/// The id of a task that is known only as a change of a resource.
pub(super) fn moving_id(object: Object, id: &str, status: &str, begun: Timestamp) -> String {
    format!("{}:{id}:{status}:{}", object.word(), begun.millis())
}

fn read_moving_id(task_id: &str) -> Option<(Object, &str, &str, Timestamp)> {
    let mut parts = task_id.split(':');
    let object = Object::read(parts.next()?)?;
    let (id, status, begun) = (parts.next()?, parts.next()?, parts.next()?);
    Some((object, id, status, Timestamp(begun.parse().ok()?)))
}
