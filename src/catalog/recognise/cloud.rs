//! Shapes of the OpenStack family: CSBS, SDRS, CBR, Karbor, Freezer, Keystone and the API gateway.

use serde_json::{Map, Value};

use super::super::Question;
use super::{Finding, Verdict, Walk, as_http, fail_reason, first_text, object_of, text_of};

/// A failed task of the task centre, or a job with its sub-jobs (SDRS API reference).
pub(super) fn sdrs_job(walk: &mut Walk<'_>, row: &Map<String, Value>, _: &str) -> Verdict {
    let is_job = row.contains_key("fail_reason")
        && (row.contains_key("job_type")
            || row.contains_key("failure_status")
            || row.contains_key("entities"));
    if !is_job {
        return Verdict::No;
    }
    let reason = fail_reason(&text_of(row, "fail_reason").unwrap_or_default());
    let code = text_of(row, "error_code");
    let status = first_text(row, &["status", "job_status"]).unwrap_or_default();
    let what = if row.contains_key("failure_status") {
        "SDRS failed task"
    } else {
        "SDRS job"
    };
    // an HTTP 200 carries failed jobs too: the answer's status says nothing about the code
    let ask = |code: &str, operation: &str, message: &str| Question {
        code: code.to_owned(),
        kind: Some("sdrs".to_owned()),
        http: None,
        operation: operation.to_owned(),
        message: message.to_owned(),
    };
    if let Some(code) = &code {
        let mut finding = Finding::new(what, ask(code, "", &reason.message));
        if !reason.step.is_empty() {
            finding.note = format!("Failed in the internal step {}.", reason.step);
        }
        walk.push(finding);
    }
    if !reason.code.is_empty() && code.as_ref() != Some(&reason.code) {
        let mut finding = Finding::new(
            "code inside the fail_reason",
            ask(&reason.code, "", &reason.message),
        );
        if let Some(http) = reason.inner_http {
            finding.note = format!("The inner service answered HTTP {http}.");
        }
        walk.push(finding);
    }
    if let Some(failure) = text_of(row, "failure_status") {
        walk.push(Finding::new(what, ask(&failure, "failure_status", "")));
    } else if code.is_none() && reason.code.is_empty() && !status.is_empty() {
        walk.push(Finding::new(what, ask(&status, "jobs", &reason.message)));
    }
    Verdict::LookInside
}

/// `error_code` with `error_msg`: CSBS, CBR, and with a request id the API gateway in front of them.
/// Capability checks answer the same two names inside a good answer.
pub(super) fn gateway_or_csbs(walk: &mut Walk<'_>, body: &Map<String, Value>, _: &str) -> Verdict {
    let Some(code) = text_of(body, "error_code") else {
        return Verdict::No;
    };
    let message = first_text(body, &["error_msg", "errText", "error_message"]).unwrap_or_default();
    let what = if code.starts_with("APIG") {
        "API gateway error body"
    } else if body.contains_key("result") {
        "result of a capability check"
    } else {
        "Huawei/OTC error body"
    };
    let question = walk.ask(None, &code, &message);
    walk.push(Finding::new(what, question));
    Verdict::Done
}

/// `{"error": {"code", "message"}}`: SDRS and EVS with a text code, Keystone and the token check of
/// OpenStack services with a number.
pub(super) fn wrapped_error(walk: &mut Walk<'_>, body: &Map<String, Value>, _: &str) -> Verdict {
    let Some(error) = object_of(body, "error") else {
        return Verdict::No;
    };
    let message = first_text(error, &["message", "error_msg", "title"]).unwrap_or_default();
    match first_text(error, &["code", "error_code"]) {
        Some(code) => match as_http(&code) {
            Some(http) => {
                let mut question = walk.ask(None, "", &message);
                question.http = Some(http);
                let note = if http == 401 {
                    "Keystone, or a service that asked Keystone about the token, refused who is asking."
                } else {
                    ""
                };
                walk.push(Finding::new("OpenStack error body", question).with_note(note));
            }
            None => {
                let question = walk.ask(None, &code, &message);
                walk.push(Finding::new("Huawei/OTC error body", question));
            }
        },
        None if !message.is_empty() => {
            let question = walk.ask(None, "", &message);
            walk.push(Finding::new("error body without a code", question));
        }
        None => return Verdict::No,
    }
    Verdict::Done
}

/// The names of OpenStack's faults, as Karbor and its relatives write them.
const FAULTS: [&str; 12] = [
    "badRequest",
    "unauthorized",
    "forbidden",
    "itemNotFound",
    "badMethod",
    "conflictingRequest",
    "overLimit",
    "badMediaType",
    "notImplemented",
    "serviceUnavailable",
    "computeFault",
    "internalServerError",
];

/// `{"badRequest": {"code", "message"}}`: a fault named by its kind. Karbor and Nova write the HTTP status as code,
/// SDRS a code of its own (and `badrequest` in lower case).
pub(super) fn openstack_fault(walk: &mut Walk<'_>, body: &Map<String, Value>, _: &str) -> Verdict {
    let mut matched = false;
    for (name, value) in body {
        let Some(fault) = value.as_object() else {
            continue;
        };
        let named = FAULTS.iter().find(|f| f.eq_ignore_ascii_case(name));
        let is_fault = named.is_some()
            || (body.len() == 1 && fault.contains_key("code") && fault.contains_key("message"));
        let Some(code) = text_of(fault, "code").filter(|_| is_fault) else {
            continue;
        };
        matched = true;
        let message = text_of(fault, "message").unwrap_or_default();
        if let Some(http) = as_http(&code) {
            let name = named.copied().unwrap_or_default();
            let mut question = walk.ask(Some("karbor"), name, &message);
            question.http = Some(http);
            walk.push(Finding::new(
                "OpenStack fault (Karbor and its relatives)",
                question,
            ));
        } else {
            let question = walk.ask(None, &code, &message);
            walk.push(Finding::new(&format!("fault \"{name}\""), question));
        }
    }
    if matched { Verdict::Done } else { Verdict::No }
}

/// A Freezer job: status, result and event of its schedule. Freezer keeps no reason.
pub(super) fn freezer_job(walk: &mut Walk<'_>, row: &Map<String, Value>, _: &str) -> Verdict {
    let Some(schedule) = object_of(row, "job_schedule") else {
        return Verdict::No;
    };
    let mut any = false;
    for (field, object) in [
        ("result", "job.result"),
        ("status", "job.status"),
        ("event", "job.event"),
    ] {
        if let Some(word) = text_of(schedule, field) {
            any = true;
            let failed = field == "result" && word != "success";
            let question = Question::code(word)
                .with_kind("freezer")
                .with_operation(object);
            walk.push(Finding::new("Freezer job", question).with_note(if failed {
                "Freezer keeps no reason in the job: look into the scheduler's log on the client."
            } else {
                ""
            }));
        }
    }
    if any { Verdict::Done } else { Verdict::No }
}

/// An operation log: CBR's carries `error_info` with code and message, Karbor's is always null.
pub(super) fn operation_log(walk: &mut Walk<'_>, row: &Map<String, Value>, _: &str) -> Verdict {
    if !row.contains_key("operation_type") || !row.contains_key("error_info") {
        return Verdict::No;
    }
    let status = text_of(row, "status").unwrap_or_default();
    let is_karbor = row.contains_key("plan_id") && !row.contains_key("vault_id");
    if let Some(info) = object_of(row, "error_info")
        && let Some(code) = text_of(info, "code")
    {
        let message = text_of(info, "message").unwrap_or_default();
        let mut question = walk.ask(Some("cbr"), &code, &message);
        question.http = None;
        walk.push(Finding::new("CBR task", question));
        return Verdict::Done;
    }
    let (kind, what, note) = if is_karbor {
        (
            "karbor",
            "Karbor operation log",
            "Karbor never writes a reason into its operation log: look into the log of the protection service.",
        )
    } else {
        ("cbr", "CBR task", "The task carries no reason.")
    };
    let question = Question::code(status)
        .with_kind(kind)
        .with_operation(if is_karbor { "operation_log" } else { "task" });
    walk.push(Finding::new(what, question).with_note(note));
    Verdict::Done
}

/// A CSBS backup: `extend_info.fail_code` holds `Code` and `Description`, with capital letters.
pub(super) fn checkpoint_item(walk: &mut Walk<'_>, row: &Map<String, Value>, _: &str) -> Verdict {
    let Some(extend) = object_of(row, "extend_info") else {
        return Verdict::No;
    };
    if !extend.contains_key("fail_code") && !row.contains_key("checkpoint_id") {
        return Verdict::No;
    }
    let operation = text_of(extend, "fail_op").unwrap_or_default();
    let reason = text_of(extend, "fail_reason").unwrap_or_default();
    let mut any = false;
    if let Some(fail) = object_of(extend, "fail_code")
        && let Some(code) = first_text(fail, &["Code", "code"])
    {
        any = true;
        let message = first_text(fail, &["Description", "description"]).unwrap_or(reason.clone());
        let (code, note) = csbs_code(walk, &code);
        let mut question = walk.ask(Some("csbs"), &code, &message);
        question.http = None;
        question.operation.clone_from(&operation);
        walk.push(Finding::new("CSBS backup", question).with_note(note));
    }
    if let Some(status) = text_of(row, "status") {
        any = true;
        walk.push(Finding::new(
            "CSBS backup",
            Question::code(status)
                .with_kind("csbs")
                .with_operation("checkpoint_item")
                .with_message(reason),
        ));
    }
    if any { Verdict::Done } else { Verdict::No }
}

/// Documents disagree whether `Code` is a number or a text; a bare number is read as a CSBS code when
/// there is such a one.
fn csbs_code(walk: &Walk<'_>, code: &str) -> (String, String) {
    let full = format!("CSBS.{code:0>4}");
    if code.bytes().all(|b| b.is_ascii_digit()) && walk.catalog.holds(&full) {
        let note = format!("The service wrote {code} without a prefix; read as {full}.");
        (full, note)
    } else {
        (code.to_owned(), String::new())
    }
}

/// Freezer's own errors: `title` and mostly `description`. The title is the nearest thing to a code; the
/// framework below Freezer writes the HTTP status into it.
pub(super) fn freezer_error(walk: &mut Walk<'_>, body: &Map<String, Value>, key: &str) -> Verdict {
    let Some(title) = text_of(body, "title") else {
        return Verdict::No;
    };
    let description = text_of(body, "description").unwrap_or_default();
    let others = body
        .keys()
        .any(|k| !matches!(k.as_str(), "title" | "description" | "link" | "code"));
    if others || !key.is_empty() {
        return Verdict::No;
    }
    let status = title.split(' ').next().and_then(as_http);
    let question = if status.is_some() {
        Question {
            http: status,
            ..walk.ask(Some("freezer"), "", &title)
        }
    } else {
        walk.ask(Some("freezer"), &title, &description)
    };
    walk.push(Finding::new("Freezer error body", question));
    Verdict::Done
}

/// The answer to an event that was sent to a Freezer job: the word says whether it was noted, nothing more.
pub(super) fn freezer_event(walk: &mut Walk<'_>, body: &Map<String, Value>, key: &str) -> Verdict {
    let (true, true, Some(word)) = (body.len() == 1, key.is_empty(), text_of(body, "result"))
    else {
        return Verdict::No;
    };
    let question = Question::code(word)
        .with_kind("freezer")
        .with_operation("event.answer");
    walk.push(Finding::new("Freezer's answer to an event", question));
    Verdict::Done
}

/// A checkpoint, restore, verification or plan as Karbor shows it; CSBS answers a started backup or restore in the
/// same shape.
pub(super) fn karbor_resource(walk: &mut Walk<'_>, row: &Map<String, Value>, key: &str) -> Verdict {
    let object = match key {
        "checkpoint" | "checkpoints" => "checkpoint",
        "restore" | "restores" => "restore",
        "verification" | "verifications" => "verification",
        "plan" | "plans" => "plan",
        _ => return Verdict::No,
    };
    let Some(status) = text_of(row, "status") else {
        return Verdict::No;
    };
    let question = Question {
        operation: object.to_owned(),
        ..walk.ask(None, "", "")
    };
    let question = Question {
        code: status,
        http: None,
        ..question
    };
    walk.push(
        Finding::new(&format!("{object} (Karbor or CSBS)"), question)
            .with_note("Karbor and CSBS share this shape: add --kind to see one of them alone."),
    );
    Verdict::Done
}

/// A group, instance, pair or drill: its status, and `failure_detail` where it failed.
pub(super) fn sdrs_resource(walk: &mut Walk<'_>, row: &Map<String, Value>, key: &str) -> Verdict {
    let object = match key {
        "server_group" | "server_groups" => "server_groups",
        "protected_instance" | "protected_instances" => "protected_instances",
        "replication" | "replications" => "replications",
        "disaster_recovery_drill" | "disaster_recovery_drills" => "disaster_recovery_drills",
        _ => return Verdict::No,
    };
    let Some(status) = text_of(row, "status") else {
        return Verdict::No;
    };
    if let Some(code) = text_of(row, "failure_detail") {
        let mut question = walk.ask(Some("sdrs"), &code, "");
        question.http = None;
        walk.push(Finding::new("SDRS resource", question));
    }
    walk.push(Finding::new(
        "SDRS resource",
        Question::code(status)
            .with_kind("sdrs")
            .with_operation(object),
    ));
    Verdict::Done
}
