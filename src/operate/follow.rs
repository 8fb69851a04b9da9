//! Recognising what an accepted action became.

use super::{ActionEvent, ActionRecord, Ledger, Stage};
use crate::model::{Follow, ServiceId, Timestamp};
use crate::store::{Store, TaskRow};

/// How long an accepted action may go without a task before that is said, in milliseconds.
const PATIENCE_MS: i64 = 10 * 60 * 1000;

/// How far a service's clock may lag behind the instant that an answer named, in milliseconds.
const SLACK_MS: i64 = 2_000;

/// What the store shows of the open actions at `now`: one event for each that moved. Pure: the caller
/// applies the events to the ledger.
#[must_use]
pub fn observe(ledger: &Ledger, store: &Store, now: Timestamp) -> Vec<ActionEvent> {
    ledger
        .open()
        .filter_map(|record| step(record, store, now))
        .collect()
}

fn step(record: &ActionRecord, store: &Store, now: Timestamp) -> Option<ActionEvent> {
    let follow = record.follow.as_ref().filter(|f| f.expects_task)?;
    // a run that took it over has to see the services first
    let taken = record
        .taken_at()?
        .max(record.taken_over_at.unwrap_or_default());
    let service = record.prepared.intent.service;
    let event = |stage| {
        Some(ActionEvent {
            id: record.id,
            at: now,
            stage,
            follow: None,
        })
    };
    let Some(row) = find(record, follow, service, store) else {
        let quiet = matches!(
            record.stage(),
            Stage::Accepted { .. } | Stage::FoundDone { .. }
        );
        return if quiet && now.since(taken) > PATIENCE_MS {
            event(Stage::NothingFollowed)
        } else {
            None
        };
    };
    let task = store.task(row);
    let stage = Stage::Observed {
        task_id: task.id().to_owned(),
        phase: task.phase(),
        native_status: task.native_status().to_owned(),
    };
    if *record.stage() == stage {
        None
    } else {
        event(stage)
    }
}

fn find(
    record: &ActionRecord,
    follow: &Follow,
    service: ServiceId,
    store: &Store,
) -> Option<TaskRow> {
    if let Some(id) = record.task_id() {
        return store.find_task(service, id);
    }
    if let Some(row) = follow
        .task_ids
        .iter()
        .find_map(|id| store.find_task(service, id))
    {
        return Some(row);
    }
    if !follow.task_ids.is_empty() {
        return None;
    }
    // without an id: the newest task of the device or policy that is at least as young as the action
    let fits = |row: &TaskRow| {
        let task = store.task(*row);
        let known_operation =
            follow.operations.is_empty() || follow.operations.iter().any(|o| o == task.operation());
        let born = task
            .started_at()
            .max(task.updated_at())
            .max(task.ended_at());
        let young = match (follow.since, born) {
            (Some(since), Some(born)) => born.since(since) >= -SLACK_MS,
            _ => task
                .changed_at()
                .is_some_and(|at| at.since(record.confirmed_at()) >= 0),
        };
        known_operation && young
    };
    if !follow.device_id.is_empty()
        && let Some(device) = store.find_device(service, &follow.device_id)
    {
        return store.tasks_of_device(device).into_iter().find(fits);
    }
    if !follow.policy_id.is_empty()
        && let Some(policy) = store.find_policy(service, &follow.policy_id)
    {
        return store.tasks_of_policy(policy).into_iter().find(fits);
    }
    None
}
