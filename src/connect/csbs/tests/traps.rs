//! Traps of the interface that no other test of the connector stands for; the whole list is in
//! `assets/docs/traps.md`.

use super::*;
use crate::connect::scripted::Say;
use crate::model::FaultKind;

fn policy(pattern: &str, start_time: &str, resource: Value) -> Say {
    Say::json(
        200,
        json!({"policies": [{"id": "p-1", "name": "daily", "status": "suspended", "resources": [resource],
            "scheduled_operations": [{"id": "op-1", "enabled": true, "trigger": {"properties": {
                "pattern": pattern, "start_time": start_time}}}]}]})
        .to_string(),
    )
}

/// A start may have a blank instead of the `T`, and lines of a pattern may end in CR LF or LF: the schedule is the
/// same.
#[tokio::test]
async fn a_schedule_is_the_same_whatever_ends_its_lines_and_parts_its_start() {
    let mut seen = Vec::new();
    for end in ["\r\n", "\n"] {
        for start in ["2026-11-20 01:00:00", "2026-11-20T01:00:00"] {
            let lines = [
                "BEGIN:VCALENDAR",
                "RRULE:FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=14;BYMINUTE=30",
                "END:VCALENDAR",
                "",
            ];
            let body = policy(
                &lines.join(end),
                start,
                json!({"id": "srv-1", "type": "OS::Nova::Server"}),
            );
            let server = Scripted::start(move |_, _| body.clone()).await;
            let rows = read(&connect(&server), "policies").await;
            let policy = rows.policies[0].clone();
            assert!(
                policy.facts.contains(&("In force since", start.to_owned())),
                "{:?}",
                policy.facts
            );
            seen.push((policy.schedule, policy.next_run));
        }
    }
    assert!(
        seen[0].0.contains("14:30 UTC") && seen[0].1.is_some(),
        "{seen:?}"
    );
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
}

/// `extra_info` of a resource may be a text: the id stays the resource's own.
#[tokio::test]
async fn a_text_in_extra_info_is_no_id() {
    for extra in [
        json!("{}"),
        json!("srv-9"),
        json!({"id": "srv-9"}),
        Value::Null,
    ] {
        let body = policy(
            "BEGIN:VCALENDAR\nRRULE:FREQ=DAILY;BYHOUR=1\nEND:VCALENDAR",
            "",
            json!({"id": "srv-1", "name": "web", "type": "OS::Nova::Server", "extra_info": extra}),
        );
        let server = Scripted::start(move |seen, _| {
            if seen.path().ends_with("/policies") {
                body.clone()
            } else {
                Say::json(200, json!({"checkpoint_items": []}).to_string())
            }
        })
        .await;
        let rows = read(&connect(&server), "policies").await;
        assert_eq!(rows.policies[0].device_ids, ["srv-1"]);
    }
}

/// An error comes in the service's own form, in that of the gateway before it, and in Karbor's, whose paths CSBS
/// keeps: the code or, where there is none, the text is read from each.
#[tokio::test]
async fn errors_of_all_three_families_are_read() {
    for (status, body, code, text) in [
        (
            400,
            r#"{"error_code":"CSBS.3001","error_msg":"own"}"#,
            "CSBS.3001",
            "own",
        ),
        (
            404,
            r#"{"error_msg":"gate","error_code":"APIGW.0101","request_id":"r"}"#,
            "APIGW.0101",
            "gate",
        ),
        (
            400,
            r#"{"badRequest":{"message":"karbor","code":400}}"#,
            "",
            "karbor",
        ),
        (
            404,
            r#"{"itemNotFound":{"message":"karbor","code":404}}"#,
            "",
            "karbor",
        ),
    ] {
        let server = Scripted::start(move |_, _| Say::json(status, body)).await;
        let mut pages = Pages::default();
        let fault = connect(&server)
            .poll("policies", PollContext::default(), &mut pages)
            .await
            .unwrap_err();
        assert_eq!(fault.kind, FaultKind::Refused, "{body}");
        let told = fault.code.unwrap();
        assert_eq!((told.code.as_str(), told.message.as_str()), (code, text));
    }
}
