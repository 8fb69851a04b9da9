//! Traps of the interface that no other test of the connector stands for; the whole list is in
//! `assets/docs/traps.md`.

use super::*;

/// A failed task names its job in another vocabulary than the job's own page: what had been tried is read from
/// `failure_status` alone, and the word stays as it came.
#[tokio::test]
async fn the_job_type_of_a_failed_task_decides_nothing() {
    const WORDS: [&str; 3] = [
        "createProtectedInstance",
        "createProtectedInstanceNoCG",
        "deleteSomethingNew",
    ];
    let server = Scripted::start(|seen, _| match seen.path() {
        FAILURE_JOBS => {
            let rows: Vec<Value> = (0..)
                .zip(WORDS)
                .map(|(n, word)| {
                    json!({"job_status": "FAIL", "resource_id": format!("i{n}"), "resource_name": "web",
                        "resource_type": "protected_instances", "failure_status": "createFail",
                        "job_id": format!("j{n}"), "job_type": word, "begin_time": "2019-01-21T12:56:35.754Z",
                        "error_code": "SDRS.1013", "fail_reason": "x"})
                })
                .collect();
            Say::json(200, json!({"count": 3, "failure_jobs": rows}).to_string())
        }
        _ => empty(seen),
    })
    .await;
    let (kept, _) = poll(connector(&server).as_ref(), FAILED).await;
    assert_eq!(kept.rows.tasks.len(), 3);
    for (task, word) in kept.rows.tasks.iter().zip(WORDS) {
        assert_eq!(
            (task.operation.as_str(), task.phase),
            ("create", Phase::Failed)
        );
        assert!(
            task.facts.contains(&("job type", word.to_owned())),
            "{:?}",
            task.facts
        );
    }
}

/// A resource of that sort in that state; every change of it answers with a job.
async fn resource(object: &'static str, row: Value) -> Scripted {
    Scripted::start(move |seen, _| match seen.method.as_str() {
        "GET" => Say::json(200, json!({object: row}).to_string()),
        _ => Say::json(200, r#"{"job_id":"j2"}"#),
    })
    .await
}

/// The last request that changed something.
fn last_change(server: &Scripted) -> Seen {
    let mut all = server.seen();
    all.retain(|s| s.method != "GET");
    all.pop().expect("something was sent")
}

/// Deleting takes a JSON body, in a wrapper for pairs and without one for instances; the wrapper may not be
/// missing though all in it is optional.
#[tokio::test]
async fn a_deletion_carries_its_body() {
    let pair = json!({"id": "r1", "name": "d", "status": "error-deleting"});
    let server = resource("replication", pair).await;
    let c = connector(&server);
    let wish = intent(
        "retry-delete-pair",
        failed("deleteFail", "replications", "r1"),
        &[("delete_target_volume", "no")],
    );
    let prepared = prepare(c.as_ref(), &wish).await;
    assert!(
        prepared.requests[0].body.contains("\"replication\""),
        "the person sees it too"
    );
    c.send(&prepared, &|_| {}).await;
    let sent = last_change(&server);
    assert_eq!(
        (sent.method.as_str(), sent.path()),
        ("DELETE", "/v1/p1/replications/r1")
    );
    assert_eq!(sent.header("content-type"), "application/json");
    assert_eq!(
        sent.json(),
        json!({"replication": {"delete_target_volume": false}})
    );

    let instance = json!({"id": "i1", "name": "web", "status": "error-deleting"});
    let server = resource("protected_instance", instance).await;
    let c = connector(&server);
    let wish = intent(
        "retry-delete-instance",
        failed("deleteFail", "protected_instances", "i1"),
        &[("delete_target_server", "yes"), ("delete_target_eip", "no")],
    );
    let prepared = prepare(c.as_ref(), &wish).await;
    c.send(&prepared, &|_| {}).await;
    assert_eq!(
        last_change(&server).json(),
        json!({"delete_target_server": true, "delete_target_eip": false})
    );
}

/// Protecting again has no call of its own: the same one turns protection on, and the job says which it was.
#[tokio::test]
async fn protecting_again_is_the_same_call_and_the_job_tells_which_it_is() {
    for (action, status, job_type, operation) in [
        (
            "enable",
            "available",
            "startProtectionGroupNoCG",
            "enable protection",
        ),
        (
            "protect-again",
            "failed-over",
            "reprotectProtectionGroupNoCG",
            "re-enable protection",
        ),
    ] {
        let server = Scripted::start(move |seen, _| match (seen.method.as_str(), seen.path()) {
            ("GET", "/v1/p1/jobs/j2") => Say::json(
                200,
                json!({"job_id": "j2", "job_type": job_type, "status": "RUNNING", "entities": {}}).to_string(),
            ),
            ("GET", _) => Say::json(
                200,
                json!({"server_group": {"id": "g1", "name": "web", "status": status, "replication_num": 1}})
                    .to_string(),
            ),
            _ => Say::json(200, r#"{"job_id":"j2"}"#),
        })
        .await;
        let c = connector(&server);
        let wish = intent(action, target(TargetKind::Policy, "g1", status), &[]);
        let prepared = prepare(c.as_ref(), &wish).await;
        c.send(&prepared, &|_| {}).await;
        let sent = last_change(&server);
        assert_eq!(sent.path(), "/v1/p1/server-groups/g1/action");
        assert_eq!(sent.json(), json!({"start-server-group": {}}));
        let (kept, _) = poll(c.as_ref(), JOBS).await;
        assert_eq!(kept.rows.tasks[0].operation, operation);
    }
}

/// Times of groups, instances and drills have no zone and any number of digits; pairs and jobs have forms of
/// their own.
#[tokio::test]
async fn every_published_form_of_a_time_is_read_and_none_without_a_zone_moves() {
    for (written, read) in [
        ("2019-05-23 03:51:58.256", "2019-05-23T03:51:58.256Z"),
        ("2019-05-22 22:11:45.0", "2019-05-22T22:11:45.000Z"),
        ("2019-05-23 01:40:00.74", "2019-05-23T01:40:00.740Z"),
        ("2018-05-04T03:43:24.108526", "2018-05-04T03:43:24.108Z"),
        ("2019-01-21T12:56:35.754Z", "2019-01-21T12:56:35.754Z"),
    ] {
        let server = Scripted::start(move |seen, _| match seen.path() {
            "/v1/p1/server-groups" => Say::json(
                200,
                json!({"count": 1, "server_groups": [{"id": "g1", "name": "web", "status": "starting",
                    "updated_at": written}]})
                .to_string(),
            ),
            FAILURE_JOBS => Say::json(
                200,
                json!({"count": 1, "failure_jobs": [{"job_id": "j1", "resource_id": "g1", "begin_time": written,
                    "resource_type": "server_groups", "failure_status": "startFail"}]})
                .to_string(),
            ),
            _ => empty(seen),
        })
        .await;
        let c = connector(&server);
        for feed in [RESOURCES, FAILED] {
            let (kept, _) = poll(c.as_ref(), feed).await;
            assert_eq!(
                kept.rows.tasks[0]
                    .started_at
                    .map(Timestamp::rfc3339)
                    .as_deref(),
                Some(read),
                "{written} in {feed}"
            );
        }
    }
}

/// A pair whose attaching failed can't be attached from there, and one whose detaching failed can't be deleted.
#[tokio::test]
async fn a_state_that_allows_no_repeat_is_left_first_or_told() {
    let status = Arc::new(Mutex::new("error-attaching"));
    let now = Arc::clone(&status);
    let server = Scripted::start(move |seen, _| {
        let mut status = now.lock().unwrap();
        match seen.method.as_str() {
            "GET" => Say::json(
                200,
                json!({"replication": {"id": "r1", "name": "d", "status": *status,
                    "attachment": [{"protected_instance": "i1", "device": "/dev/vdb"}]}})
                .to_string(),
            ),
            "DELETE" => {
                *status = "available";
                Say::json(200, r#"{"job_id":"j1"}"#)
            }
            // as the service does: from any other state it is refused
            _ if *status == "available" => Say::json(200, r#"{"job_id":"j2"}"#),
            _ => error(400, "SDRS.1002"),
        }
    })
    .await;
    let c = connector(&server);
    let wish = intent(
        "retry-attach",
        failed("attachFail", "replications", "r1"),
        &[],
    );
    let prepared = prepare(c.as_ref(), &wish).await;
    assert_eq!(
        prepared.requests.len(),
        2,
        "both are shown before they are sent"
    );
    let outcome = c.send(&prepared, &|_| {}).await;
    assert!(
        matches!(outcome, SendOutcome::Accepted { .. }),
        "{outcome:?}"
    );
    let changes: Vec<(String, String)> = server
        .seen()
        .iter()
        .filter(|s| s.method != "GET")
        .map(|s| (s.method.clone(), s.path().to_owned()))
        .collect();
    let path = |tail: &str| format!("/v1/p1/protected-instances/i1/{tail}");
    assert_eq!(
        changes,
        [
            ("DELETE".to_owned(), path("detachreplication/r1")),
            ("POST".to_owned(), path("attachreplication")),
        ]
    );

    let pair = json!({"id": "r1", "name": "d", "status": "error-detaching"});
    let server = resource("replication", pair).await;
    let c = connector(&server);
    for (action, failure) in [("retry-delete-pair", "deleteFail"), ("retry", "createFail")] {
        let wish = intent(
            action,
            failed(failure, "replications", "r1"),
            &[("delete_target_volume", "no")],
        );
        let fault = c.prepare(&wish).await.unwrap_err();
        assert!(fault.what.contains("detach it first"), "{fault}");
    }
    assert!(server.seen().iter().all(|s| s.method == "GET"));
}

/// Tags, batches and the literal routes beside ids: no action goes there, so that neither of the two limits of
/// tags nor the calls for many at once can surprise anybody.
#[tokio::test]
async fn no_action_goes_to_tags_or_batches() {
    let everything = json!({"id": "x", "name": "web", "priority_station": "source", "replication_num": 1,
        "source_server": "s1", "volume_ids": "v1,v2", "server_group_id": "g1", "domain_id": "d",
        "attachment": [{"protected_instance": "i1", "device": "/dev/vdb"}]});
    let mut shown = 0;
    for failure in FAILURES_OF_ALL {
        for object in [
            "server_groups",
            "protected_instances",
            "replications",
            "disaster_recovery_drills",
        ] {
            let row = everything.clone();
            let server = Scripted::start(move |seen, _| {
                let one = [
                    "server-groups",
                    "protected-instances",
                    "replications",
                    "disaster-recovery-drills",
                ]
                .iter()
                .zip([
                    "server_group",
                    "protected_instance",
                    "replication",
                    "disaster_recovery_drill",
                ])
                .find(|(path, _)| seen.path().contains(*path))
                .map_or("", |(_, one)| one);
                Say::json(200, json!({one: row}).to_string())
            })
            .await;
            let c = connector(&server);
            let task = failed(failure, object, "x");
            for action in c.actions() {
                if c.available(action, &task).is_err() {
                    continue;
                }
                let inputs = [
                    ("new_size", "20"),
                    ("dr_flavorRef", "s3"),
                    ("production_flavorRef", "s3"),
                ];
                let Ok(prepared) = c.prepare(&intent(action.id, task.clone(), &inputs)).await
                else {
                    continue;
                };
                for request in prepared.requests {
                    shown += 1;
                    let path = request.url.split('?').next().unwrap_or_default();
                    let tail = path.split("/v1/p1/").nth(1).unwrap_or_default();
                    for literal in [
                        "tags",
                        "resource_instances",
                        "protected-instances/batch",
                        "protected-instances/delete",
                    ] {
                        assert!(!tail.contains(literal), "{} sends to {tail}", action.id);
                    }
                }
            }
        }
    }
    assert!(shown > 30, "only {shown} requests were looked at");
}

/// Planned failover, switchover and reversing are one thing under three names.
#[tokio::test]
async fn one_move_of_three_names_is_one_operation() {
    let server = Scripted::start(|seen, _| match seen.path() {
        "/v1/p1/server-groups" => Say::json(
            200,
            r#"{"count":1,"server_groups":[{"id":"g1","name":"web","status":"reversing"}]}"#,
        ),
        FAILURE_JOBS => Say::json(
            200,
            r#"{"count":1,"failure_jobs":[{"job_id":"j1","resource_id":"g1","resource_type":"server_groups","failure_status":"reverseFail","job_type":"reverseProtectionGroup"}]}"#,
        ),
        "/v1/p1/jobs/j2" => Say::json(
            200,
            r#"{"job_id":"j2","job_type":"reverseProtectionGroupNoCG","status":"SUCCESS"}"#,
        ),
        _ => empty(seen),
    })
    .await;
    let c = connector(&server);
    let (moving, _) = poll(c.as_ref(), RESOURCES).await;
    let (failed, _) = poll(c.as_ref(), FAILED).await;
    let TaskLook::Found(job) = c.look_up("j2").await.unwrap() else {
        panic!("found")
    };
    for operation in [
        &moving.rows.tasks[0].operation,
        &failed.rows.tasks[0].operation,
        &job.operation,
    ] {
        assert_eq!(operation, "planned failover");
    }
    let action = c.action("switch-over").unwrap();
    assert!(
        action.label.contains("Switch over") && action.label.contains("planned"),
        "the person finds it under both words: {}",
        action.label
    );
}

/// Some calls answer with 202 where the others say 200: either is an acceptance, and the job is followed.
#[tokio::test]
async fn an_acceptance_may_be_200_or_202() {
    for status in [200, 202] {
        let server = Scripted::start(move |seen, _| match seen.method.as_str() {
            "GET" => Say::json(
                200,
                r#"{"server_group":{"id":"g1","name":"web","status":"available","replication_num":1}}"#,
            ),
            _ => Say::json(status, r#"{"job_id":"j2"}"#),
        })
        .await;
        let c = connector(&server);
        let wish = intent("enable", target(TargetKind::Policy, "g1", "available"), &[]);
        let prepared = prepare(c.as_ref(), &wish).await;
        let SendOutcome::Accepted { follow, .. } = c.send(&prepared, &|_| {}).await else {
            panic!("accepted with {status}")
        };
        assert_eq!(follow.task_ids, ["j2"]);
    }
}

/// The path is signed with a slash at its end though it is sent without one.
#[tokio::test]
async fn a_signed_request_is_sent_without_the_slash_that_is_signed() {
    let server = Scripted::start(|seen, _| published(seen)).await;
    let mut with_keys = settings(KIND, Some(format!("{}/v1/p1", server.url)));
    with_keys.auth = crate::connect::scripted::access_key("p1", "", "");
    let c = (DRIVER.open)(&with_keys).unwrap();
    poll(c.as_ref(), RESOURCES).await;
    for seen in server.seen() {
        assert!(!seen.path().ends_with('/'), "{}", seen.target);
        assert!(
            seen.header("authorization")
                .starts_with("SDK-HMAC-SHA256 Access=AK,")
        );
    }
    assert!(server.seen().len() >= 4);
}
