//! Reading one backup or restore.

use super::Atlassian;
use super::client::{is_gone, is_wrong_path};
use super::list;
use super::paths::Op;
use super::task::{Sort, TaskRow};
use crate::connect::TaskLook;
use crate::connect::http::Reply;
use crate::model::{Fault, FaultKind, Task, clean};

/// The most of a report that is shown, in characters.
const REPORT: usize = 2_000;

impl Atlassian {
    /// One task as it is now. Ids of backups and restores do not tell themselves apart: what was never seen is asked
    /// for as a backup, then as a restore.
    pub(super) async fn look(&self, task_id: &str) -> Result<TaskLook, Fault> {
        let (policy, restore) = {
            let known = self.known();
            (known.policy_of(task_id), known.restores.contains(task_id))
        };
        let sorts: &[Sort] = match (&policy, restore) {
            (_, true) => &[Sort::Restore],
            (Some(_), _) => &[Sort::Backup],
            _ => &[Sort::Backup, Sort::Restore],
        };
        let mut last = TaskLook::NotOffered;
        for &sort in sorts {
            match self.look_as(sort, task_id, policy.as_deref()).await? {
                TaskLook::Found(task) => return Ok(TaskLook::Found(task)),
                TaskLook::Gone => last = TaskLook::Gone,
                TaskLook::NotOffered => {}
            }
        }
        if last == TaskLook::Gone {
            self.known().forget(task_id);
        }
        Ok(last)
    }

    async fn look_as(
        &self,
        sort: Sort,
        task_id: &str,
        policy: Option<&str>,
    ) -> Result<TaskLook, Fault> {
        let op = sort.one();
        let ids: Vec<&str> = [Some(task_id), policy.filter(|_| sort == Sort::Backup)]
            .into_iter()
            .flatten()
            .collect();
        if let Some(call) = self.client.paths.call(op, &ids) {
            match self.client.read(op, &call).await {
                Ok(reply) => {
                    let mut task = self.one(sort, &reply, policy)?;
                    if task.id == task_id {
                        self.add_report(sort, &mut task).await;
                        return Ok(TaskLook::Found(Box::new(task)));
                    }
                    return Err(Fault::new(
                        FaultKind::Garbled,
                        format!(
                            "the answer is about another {} than the one asked for",
                            sort.word()
                        ),
                        reply.place.clone(),
                        format!("Check the option {} of this service.", op.known().option),
                    ));
                }
                Err(fault) if is_gone(&fault) => return Ok(TaskLook::Gone),
                // the path is a guess: the list knows as well
                Err(fault) if is_wrong_path(&fault) => {}
                Err(fault) => return Err(fault),
            }
        }
        self.look_in_list(sort, task_id, policy).await
    }

    async fn look_in_list(
        &self,
        sort: Sort,
        task_id: &str,
        policy: Option<&str>,
    ) -> Result<TaskLook, Fault> {
        let ids = match (sort, policy) {
            (Sort::Backup, Some(policy)) => vec![policy],
            (Sort::Backup, None) => return Ok(TaskLook::NotOffered),
            (Sort::Restore, _) => Vec::new(),
        };
        let (op, key) = sort.list();
        let Some(call) = self.client.paths.call(op, &ids) else {
            return Ok(TaskLook::NotOffered);
        };
        // newest first: what is asked for was live a moment ago
        let reply = self.client.read(op, &self.page_call(&call, 0)).await?;
        let (raws, _) = list::rows(&reply, key)?;
        let known = self.known();
        let note = policy.and_then(|p| known.note(p));
        let found = raws.into_iter().find_map(|raw| {
            let row: TaskRow<'_> = serde_json::from_str(raw.get()).ok()?;
            (row.id(sort) == task_id)
                .then(|| row.task(sort, raw, &known, note).ok())
                .flatten()
        });
        Ok(found.map_or(TaskLook::Gone, |task| TaskLook::Found(Box::new(task))))
    }

    /// The task in an answer about one.
    fn one(&self, sort: Sort, reply: &Reply, policy: Option<&str>) -> Result<Task, Fault> {
        let raw = list::record(reply, sort.word())?;
        let row: TaskRow<'_> = list::parse(raw, &reply.place)?;
        let known = self.known();
        let note = policy.and_then(|p| known.note(p));
        row.task(sort, raw, &known, note).map_err(|why| {
            Fault::new(
                FaultKind::Garbled,
                why,
                reply.place.clone(),
                "The vendor does not publish this record's shape: report the answer to keepwatch's authors.",
            )
        })
    }

    /// What the service reports of a restore that has ended, where the configuration tells where to ask.
    async fn add_report(&self, sort: Sort, task: &mut Task) {
        if sort != Sort::Restore || task.phase.is_live() {
            return;
        }
        let Some(call) = self.client.paths.call(Op::Report, &[&task.id]) else {
            return;
        };
        let text = match self.client.read(Op::Report, &call).await {
            Ok(reply) => {
                let text = String::from_utf8_lossy(&reply.body);
                let cut: String = text.chars().take(REPORT).collect();
                clean(&cut).into_owned()
            }
            Err(fault) if fault.code.as_ref().is_some_and(|c| c.code == "143") => {
                "not available, or not yet (143)".to_owned()
            }
            Err(fault) => fault.to_string(),
        };
        task.facts.push(("Report", text));
    }
}
