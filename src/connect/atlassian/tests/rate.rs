//! The organisation's hundred reads a minute are everybody's: whatever the schedule asks comes out of one budget.
//!
//! How many that are in a minute is the budget's own test (`connect::http`), and how the share sets it stands in
//! `configured.rs`.

use super::*;

/// A service of three policies with a running backup each; from its `limit`th answer on it says "too many", when
/// there is a limit.
async fn busy(limit: Option<usize>) -> Scripted {
    let list: Vec<Value> = (0..3).map(|n| policy(&format!("p{n}"), "ACTIVE")).collect();
    Scripted::start(move |seen, nth| {
        if limit.is_some_and(|limit| nth >= limit) {
            return Say::json(429, "").with("Retry-After", "3600");
        }
        match below(seen).as_str() {
            "policies" => listed("policies", &list),
            "restores" => listed("restores", &[]),
            "storages" => listed("storages", &[]),
            path if path.ends_with("/backups") => listed(
                "backups",
                &[backup(path, "IN_PROGRESS", "2026-11-20T02:00:00Z", "")],
            ),
            path => path.strip_prefix("policies/").map_or_else(
                || Say::json(404, ""),
                |id| Say::json(200, policy(id, "ACTIVE").to_string()),
            ),
        }
    })
    .await
}

/// Everything that is asked for without a person's word: both lists twice, and a task that has left its list.
async fn asked_by_schedule(atlassian: &Arc<dyn Connector>) {
    for _ in 0..2 {
        for feed in [POLICIES, TASKS] {
            let _ = poll(atlassian, feed).await;
        }
        let _ = atlassian.look_up("gone").await;
    }
}

#[tokio::test]
async fn every_scheduled_read_comes_out_of_the_shared_budget() {
    let server = busy(None).await;
    asked_by_schedule(&connect(&server)).await;
    let all = server.seen().len();
    assert!(all > 10, "{all} requests");
    for limit in 0..all {
        let server = busy(Some(limit)).await;
        asked_by_schedule(&connect(&server)).await;
        let seen = server.seen();
        assert_eq!(
            seen.len(),
            limit + 1,
            "asked on past the limit: {:?}",
            seen.last().map(|s| &s.target)
        );
    }
}

#[tokio::test]
async fn a_person_is_not_kept_waiting_by_it() {
    let server = serve(|seen, path| match (seen.method.as_str(), path) {
        (_, "restores") => Some(Say::json(429, "").with("Retry-After", "3600")),
        ("GET", "policies/p1") => Some(Say::json(200, policy("p1", "INACTIVE").to_string())),
        _ => None,
    })
    .await;
    let atlassian = connect(&server);
    let (report, _) = poll(&atlassian, TASKS).await;
    assert_eq!(report.unwrap_err().kind, FaultKind::Limited);
    let before = server.seen().len();
    let prepared = atlassian.prepare(&on_policy("p1", "INACTIVE")).await;
    assert!(prepared.is_ok(), "{prepared:?}");
    assert_eq!(server.seen().len(), before + 1);
}
