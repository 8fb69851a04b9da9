//! What an operator console can do with this API, want by want: offered, partly, or not, and then why.

use super::*;
use crate::connect::{Capabilities, Support};
use crate::model::{Due, Verb};

async fn capabilities(options: &[(&str, &str)]) -> Capabilities {
    let server = serve(|_, _| None).await;
    *connect_with(&server, options).capabilities()
}

#[tokio::test]
async fn devices_are_taken_from_policies() {
    let server = serve(|_, path| {
        let mut other = policy("p2", "ACTIVE");
        other["productType"] = json!("CONFLUENCE");
        let mut nowhere = policy("p3", "ACTIVE");
        nowhere["cloudInfo"] = json!(null);
        (path == "policies").then(|| listed("policies", &[policy("p1", "ACTIVE"), other, nowhere]))
    })
    .await;
    let atlassian = connect(&server);
    let devices = read(&atlassian, POLICIES).await.devices;
    let names: Vec<&str> = devices.iter().map(|d| d.name.as_str()).collect();
    assert_eq!(names, ["acme JIRA", "acme CONFLUENCE"]);
    // the inventory of the organisation is another API with other credentials
    assert!(
        atlassian
            .capabilities()
            .devices
            .remark()
            .contains("those that have a policy")
    );
    assert!(server.seen().iter().all(|s| s.path().starts_with(BASE)));
}

#[tokio::test]
async fn policies_are_listed_as_the_sheet_has_it() {
    let server = serve(|_, _| None).await;
    let atlassian = connect(&server);
    read(&atlassian, POLICIES).await;
    let first = &server.seen()[0];
    assert_eq!(
        first.target,
        format!("{BASE}/policies?start=0&pageSize=50&sortOrder=DESC")
    );
    assert_eq!(atlassian.capabilities().policies, Support::Yes);
}

#[tokio::test]
async fn running_and_failed_are_picked_from_all_backups_and_restores() {
    let server = serve(|_, path| match path {
        "restores" => Some(listed(
            "restores",
            &[json!({"restoreId": "r1", "status": "IN_PROGRESS"})],
        )),
        "policies/p1/backups" => Some(listed(
            "backups",
            &[
                backup("b3", "IN_PROGRESS", "2026-11-20T02:00:00Z", ""),
                backup(
                    "b2",
                    "FAILED",
                    "2026-11-19T02:00:00Z",
                    "2026-11-19T02:10:00Z",
                ),
                backup(
                    "b1",
                    "COMPLETED",
                    "2026-11-18T02:00:00Z",
                    "2026-11-18T02:10:00Z",
                ),
            ],
        )),
        _ => None,
    })
    .await;
    let atlassian = connect(&server);
    let tasks = read(&atlassian, TASKS).await.tasks;
    let live: Vec<&str> = tasks
        .iter()
        .filter(|t| t.phase.is_live())
        .map(|t| t.id.as_str())
        .collect();
    assert_eq!(live, ["r1", "b3"]);
    assert_eq!(tasks.iter().filter(|t| t.phase.needs_person()).count(), 1);
    // no filter is documented, so none is sent
    assert!(server.seen().iter().all(|s| s.query("status").is_none()));
    let c = atlassian.capabilities();
    assert!(
        c.running.remark().contains("no list of tasks")
            && c.running.remark().contains("imports and exports")
    );
    assert!(c.failed.remark().contains("no list takes a filter"));
    let feed = atlassian.feeds().iter().find(|f| f.id == TASKS).unwrap();
    assert!(
        feed.covers.live && !feed.covers.failed,
        "a backup that is listed no more is no failure that was cleared"
    );
}

#[tokio::test]
async fn what_is_not_offered_says_why() {
    let c = capabilities(&[]).await;
    for (verb, why) in [
        (Verb::Trigger, "one-time schedule"),
        (Verb::Cancel, "no way to stop"),
        (Verb::Clear, "no list of failed jobs"),
        (Verb::Restore, "Atlassian Administration"),
        (Verb::Delete, "deletes no policy"),
    ] {
        assert!(!c.of(verb).is_offered(), "{verb:?}");
        assert!(
            c.of(verb).remark().contains(why),
            "{verb:?}: {}",
            c.of(verb).remark()
        );
    }
    assert!(c.progress.remark().contains("no progress"));
    let Support::Partly(how) = c.enable else {
        panic!("{:?}", c.enable);
    };
    assert!(how.contains("can be activated") && how.contains("removing its schedule"));
    // a restore is checked again where the configuration gives the path; a backup never is
    let unset = c.retry.remark();
    assert!(
        unset.contains("once the option path_revalidate is set"),
        "{unset}"
    );
    let c = capabilities(&[("path_revalidate", "restores/{restoreId}/revalidate")]).await;
    let set = c.retry.remark();
    for how in [unset, set] {
        assert!(how.contains("three times, 30 minutes apart"), "{how}");
    }
    assert!(!set.contains("option") && c.retry.is_offered());
    // nothing that stops, deletes, exports or creates is among the actions
    let server = serve(|_, _| None).await;
    let verbs: Vec<Verb> = connect(&server).actions().iter().map(|a| a.verb).collect();
    assert_eq!(verbs, [Verb::Enable, Verb::Retry]);
}

/// What needs nothing undocumented: no inferred path answers, and still the policy tells whether it is well.
#[tokio::test]
async fn health_is_told_by_documented_calls_alone() {
    let server = Scripted::start(|seen, _| match below(seen).as_str() {
        "policies/p1" => Say::json(
            200,
            policy_told("p1", "2026-11-10T03:00:00Z", 9).to_string(),
        ),
        _ => Say::json(404, ""),
    })
    .await;
    let atlassian = connect_with(&server, &[("policy_ids", "p1"), ("path_storages", "")]);
    let rows = read(&atlassian, POLICIES).await;
    let p = &rows.policies[0];
    assert_eq!(p.enabled, Some(true));
    assert_eq!(p.last_success, Some(at("2026-11-10T03:00:00Z")));
    assert!(
        matches!(
            p.due,
            Some(Due {
                within_ms: 172_800_000,
                ..
            })
        ),
        "two days for a daily one"
    );
    assert_eq!(rows.devices[0].last_success, p.last_success);
    assert!(server.seen().iter().all(|s| below(s) == "policies/p1"));
    // the other round says what it misses, and the service is not down for it
    let report = poll(&atlassian, TASKS).await.0.unwrap();
    assert!(!report.complete && report.partial.len() == 2);
}
