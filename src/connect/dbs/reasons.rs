//! Why something failed: the reason of a job, and the single items of a precheck, each asked once.

use super::Dbs;
use super::client::Action;
use super::poll::rows_of;
use super::wire::Sort;
use super::wire::{Check, Why, WhyItem};
use crate::connect::decode;
use crate::connect::http::Priority;
use crate::model::{CodeRef, FaultKind, Task};

/// How many characters of an item's text are kept: it may be a whole Java exception.
const TEXT: usize = 300;

impl Dbs {
    /// Asks why failed tasks failed, each once. False when some are left for the next round.
    pub(super) async fn explain(&self, sort: Sort, tasks: &mut [Task], left: &mut usize) -> bool {
        if !matches!(sort, Sort::Full | Sort::Restore) {
            return true;
        }
        let mut all = true;
        let asks = |t: &&mut Task| t.phase.needs_person() && t.native_status != "init";
        for task in tasks.iter_mut().filter(asks) {
            let held = self.known().reasons.get(&task.id).cloned();
            let reason = match held {
                Some(reason) => Some(reason),
                None if *left == 0 => None,
                None => {
                    *left -= 1;
                    let own = own_id(&task.id).to_owned();
                    self.reason(&own).await
                }
            };
            match reason {
                Some(reason) => {
                    self.known().reasons.insert(task.id.clone(), reason.clone());
                    if !reason.is_silent() {
                        let said = task.failure.take().unwrap_or_default();
                        let message = if reason.message.is_empty() {
                            said.message
                        } else {
                            reason.message
                        };
                        task.failure = Some(CodeRef { message, ..reason });
                    }
                }
                None => all = false,
            }
        }
        all
    }

    /// The job's own code and text; `None` when the question failed.
    async fn reason(&self, id: &str) -> Option<CodeRef> {
        let action = Action::new("DescribeJobErrorCode")
            .with("Language", "en")
            .with("TaskId", id);
        let reply = match self.client.read(&action, Priority::Poll).await {
            Ok(reply) => reply,
            // refused for good: the row's own text is all there is
            Err(fault) if fault.kind == FaultKind::Refused => return Some(CodeRef::default()),
            Err(_) => return None,
        };
        let why: Why<'_> = reply.json().ok()?;
        let item: WhyItem<'_> = why.item.0.unwrap_or_default();
        Some(CodeRef::new(
            item.error_code.owned(),
            item.error_message.owned(),
        ))
    }

    /// Asks which items of a precheck failed, each precheck once: a plan or a restore that stands at `init` with
    /// a text. False when some are left for the next round.
    pub(super) async fn explain_checks(&self, tasks: &mut [Task], left: &mut usize) -> bool {
        let mut all = true;
        let failed = |t: &&mut Task| t.phase.needs_person() && t.native_status == "init";
        for task in tasks.iter_mut().filter(failed) {
            let said = task.failure.as_ref().map_or("", |f| f.message.as_str());
            // another text is another precheck
            let key = format!("{} {said}", task.id);
            let held = self.known().checks.get(&key).cloned();
            let items = match held {
                Some(items) => Some(items),
                None if *left == 0 => None,
                None => {
                    *left -= 1;
                    self.checks(task).await
                }
            };
            let Some(items) = items else {
                all = false;
                continue;
            };
            let facts = items.iter().map(|item| ("precheck", item.clone()));
            task.facts.extend(facts);
            self.known().checks.insert(key, items);
        }
        all
    }

    /// The items that did not pass, in the service's order; `None` when the question failed.
    async fn checks(&self, task: &Task) -> Option<Vec<String>> {
        // one of the two ids, never both: the service refuses that
        let list = Action::new("DescribePreCheckProgressList");
        let action = if task.object == Sort::Restore.word() {
            list.with("RestoreTaskId", own_id(&task.id))
        } else {
            list.with("BackupPlanId", task.policy.as_ref()?.id.clone())
        };
        let reply = match self.client.read(&action, Priority::Poll).await {
            Ok(reply) => reply,
            // refused for good: the row's own text is all there is
            Err(fault) if fault.kind == FaultKind::Refused => return Some(Vec::new()),
            Err(_) => return None,
        };
        // the list has no pages
        let (raws, _) = rows_of(&reply, "PreCheckProgressDetail", 0).ok()?;
        let mut items = Vec::new();
        decode::each::<Check<'_>>(
            "PreCheckProgressDetail",
            0,
            &raws,
            &mut Vec::new(),
            |check, _| {
                items.extend(check.trouble(TEXT));
                Ok(())
            },
        );
        Some(items)
    }
}

/// The last part of a task's id: the service's own.
fn own_id(task_id: &str) -> &str {
    task_id.rsplit(':').next().unwrap_or_default()
}
