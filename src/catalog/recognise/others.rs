//! Shapes of Atlassian, Alibaba DBS and DPOD, and what any service may answer.

use serde_json::{Map, Value};

use super::super::Question;
use super::{Finding, Verdict, Walk, as_http, first_text, object_of, text_of};

/// `errorCode` with `errorMessage`, the code being digits in a text (Atlassian backup management APIs).
pub(super) fn atlassian_error(walk: &mut Walk<'_>, body: &Map<String, Value>, _: &str) -> Verdict {
    let (Some(code), Some(message)) = (
        text_of(body, "errorCode"),
        first_text(body, &["errorMessage", "errorMsg"]),
    ) else {
        return Verdict::No;
    };
    let is_atlassian = code.bytes().all(|b| b.is_ascii_digit());
    let mut question = walk.ask(is_atlassian.then_some("atlassian"), &code, &message);
    if is_atlassian {
        question.operation = job_word(&message).unwrap_or_default().to_owned();
    }
    walk.push(Finding::new(
        if is_atlassian {
            "Atlassian error body"
        } else {
            "error body"
        },
        question,
    ));
    Verdict::Done
}

/// Exports and imports share codes; the message names which of them it is.
fn job_word(message: &str) -> Option<&'static str> {
    let upper = message.to_ascii_uppercase();
    let export = upper.contains("EXPORT");
    let import = upper.contains("IMPORT");
    match (export, import) {
        (true, false) => Some("export"),
        (false, true) => Some("import"),
        _ => None,
    }
}

/// The envelope of DBS: the call's own result, and in `Item` a job's error (DescribeJobErrorCode).
pub(super) fn dbs_answer(walk: &mut Walk<'_>, body: &Map<String, Value>, _: &str) -> Verdict {
    let is_envelope = body.contains_key("ErrCode")
        || (body.contains_key("Success") && body.contains_key("RequestId"));
    if !is_envelope {
        return Verdict::No;
    }
    let succeeded = match body.get("Success") {
        Some(Value::Bool(ok)) => *ok,
        Some(Value::String(ok)) => ok.eq_ignore_ascii_case("true"),
        _ => false,
    };
    if let Some(item) = object_of(body, "Item")
        && let Some(code) = text_of(item, "ErrorCode")
    {
        let message = text_of(item, "ErrorMessage").unwrap_or_default();
        let mut question = walk.ask(Some("dbs"), &code, &message);
        question.http = None;
        question.operation = "job".to_owned();
        walk.push(Finding::new("error of a DBS job", question));
    }
    if let Some(code) = first_text(body, &["ErrCode", "ErrorCode", "Code"]) {
        let message = first_text(body, &["ErrMessage", "Message"]).unwrap_or_default();
        let mut question = walk.ask(Some("dbs"), &code, &message);
        question.http = question.http.or_else(|| {
            text_of(body, "HttpStatusCode")
                .and_then(|s| as_http(&s))
                .filter(|s| *s >= 400)
        });
        let note = if succeeded {
            "The answer says Success true: the call itself did not fail, DBS fills these fields all the same."
        } else {
            ""
        };
        walk.push(Finding::new("DBS answer", question).with_note(note));
    }
    Verdict::LookInside
}

/// `Code` with `Message`, as Alibaba's gateway answers before DBS is reached.
pub(super) fn alibaba_error(walk: &mut Walk<'_>, body: &Map<String, Value>, _: &str) -> Verdict {
    let (Some(code), Some(message)) = (text_of(body, "Code"), text_of(body, "Message")) else {
        return Verdict::No;
    };
    let question = walk.ask(Some("dbs"), &code, &message);
    walk.push(Finding::new("Alibaba Cloud error body", question));
    Verdict::Done
}

/// The answer of DPOD's REST calls: `resultCode`, `resultErrorCode`, `resultMessage`.
pub(super) fn dpod_answer(walk: &mut Walk<'_>, body: &Map<String, Value>, _: &str) -> Verdict {
    let Some(result) = text_of(body, "resultCode") else {
        return Verdict::No;
    };
    let message = text_of(body, "resultMessage").unwrap_or_default();
    let accepted = matches!(result.as_str(), "SUCCESS" | "OK");
    let code = text_of(body, "resultErrorCode").unwrap_or_default();
    let mut question = walk.ask(Some("dpod"), &code, &message);
    let mut note = "";
    if accepted {
        // SUCCESS is also a task's last status: here it only answers the call
        question.operation = "execute".to_owned();
        note = "DPOD accepted the call. For a plan this means queued: nothing has run yet.";
    } else if code.is_empty() {
        note = "DPOD refused the call and gives no code, only its text.";
    }
    walk.push(Finding::new("DPOD answer", question).with_note(note));
    Verdict::LookInside
}

/// A backup as Atlassian lists it; `statusMessage` holds the reason.
pub(super) fn atlassian_backup(walk: &mut Walk<'_>, row: &Map<String, Value>, _: &str) -> Verdict {
    let (true, Some(status)) = (row.contains_key("backupId"), text_of(row, "status")) else {
        return Verdict::No;
    };
    walk.push(Finding::new(
        "Atlassian backup",
        Question::code(status)
            .with_kind("atlassian")
            .with_message(text_of(row, "statusMessage").unwrap_or_default()),
    ));
    Verdict::Done
}

/// A row of a DBS list: the status field's name says what it is.
pub(super) fn dbs_row(walk: &mut Walk<'_>, row: &Map<String, Value>, _: &str) -> Verdict {
    let increment = row.contains_key("BackupSetJobId");
    let fields = [
        ("BackupPlanStatus", "plan"),
        (
            "BackupStatus",
            if increment {
                "increment_backup"
            } else {
                "full_backup"
            },
        ),
        ("RestoreStatus", "restore"),
        ("BackupGatewayStatus", "gateway"),
        ("BackupSetDownloadStatus", "download"),
        ("State", "precheck_item"),
    ];
    let mut any = false;
    for (field, object) in fields {
        if field == "State" && !row.contains_key("Item") {
            continue;
        }
        if let Some(status) = text_of(row, field) {
            any = true;
            let message = first_text(row, &["ErrMessage", "ErrMsg"])
                .filter(|m| m != "NULL")
                .unwrap_or_default();
            walk.push(Finding::new(
                "DBS row",
                Question::code(status)
                    .with_kind("dbs")
                    .with_operation(object)
                    .with_message(message),
            ));
        }
    }
    if any { Verdict::Done } else { Verdict::No }
}

/// `code` with `message` at the top, as many gateways write it.
pub(super) fn plain_error(walk: &mut Walk<'_>, body: &Map<String, Value>, _: &str) -> Verdict {
    let (Some(code), Some(message)) = (
        first_text(body, &["code", "errorCode", "ErrorCode"]),
        first_text(body, &["message", "errorMessage", "ErrorMessage", "msg"]),
    ) else {
        return Verdict::No;
    };
    let mut question = walk.ask(None, &code, &message);
    if let Some(http) = as_http(&code) {
        question.code.clear();
        question.http = Some(http);
    }
    walk.push(Finding::new("error body", question));
    Verdict::Done
}

/// A row of no known shape whose `status` only one kind uses.
pub(super) fn known_status(walk: &mut Walk<'_>, row: &Map<String, Value>, _: &str) -> Verdict {
    let Some(status) = text_of(row, "status") else {
        return Verdict::No;
    };
    // `error`, `running` and their like are everybody's words; a long one with its own prefix is not
    if !status.contains('_') {
        return Verdict::No;
    }
    let Some(kind) = walk.catalog.owner_of(&status) else {
        return Verdict::No;
    };
    let message = first_text(row, &["errorMessage", "error_message", "message"]);
    walk.push(Finding::new(
        "row with a known status",
        Question::code(status)
            .with_kind(kind)
            .with_message(message.unwrap_or_default()),
    ));
    Verdict::LookInside
}
