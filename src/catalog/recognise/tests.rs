//! Every dialect is recognised, and bad input never costs more than its own reading.

use super::*;
use crate::catalog::Fit;

/// One catalog for all tests: its tables are read once.
fn catalog() -> &'static Catalog {
    static CATALOG: std::sync::LazyLock<Catalog> = std::sync::LazyLock::new(Catalog::built_in);
    &CATALOG
}

/// Kind, code and HTTP status of each finding.
fn found(input: &str) -> Vec<(String, String, Option<u16>)> {
    recognise(catalog(), input)
        .into_iter()
        .map(|f| {
            let q = f.question;
            (q.kind.unwrap_or_default(), q.code, q.http)
        })
        .collect()
}

fn one(input: &str) -> Finding {
    let mut all = recognise(catalog(), input);
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}

fn is(kind: &str, code: &str, http: Option<u16>) -> Vec<(String, String, Option<u16>)> {
    vec![(kind.to_owned(), code.to_owned(), http)]
}

#[test]
fn csbs_and_gateway_bodies_share_names_and_are_told_apart_by_the_code() {
    assert_eq!(
        found(r#"{"error_code":"CSBS.9009","error_msg":"User is unverified."}"#),
        is("csbs", "CSBS.9009", None)
    );
    let gateway = one(
        r#"{"error_msg":"Incorrect IAM authentication information: x","error_code":"APIGW.0301","request_id":"r1"}"#,
    );
    assert_eq!(gateway.what, "API gateway error body");
    assert_eq!(gateway.question.kind.as_deref(), Some("apigw"));
    assert_eq!(
        found(
            r#"{"protectable":[{"resource_id":"a","result":true},{"resource_id":"b","result":false,"error_code":"CSBS.6027","error_msg":"The AZ …"}]}"#
        ),
        is("csbs", "CSBS.6027", None)
    );
}

#[test]
fn a_whole_http_answer_gives_its_status() {
    let text = "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nX-Request: {a}\r\n\r\n{\"error_code\":\"CSBS.9009\",\"error_msg\":\"User is unverified.\"}";
    assert_eq!(found(text), is("csbs", "CSBS.9009", Some(403)));
    let verbose =
        "< HTTP/2 400 \n< date: x\n< \n{\"error_code\":\"CSBS.9009\",\"error_msg\":\"x\"}";
    assert_eq!(found(verbose), is("csbs", "CSBS.9009", Some(400)));
    assert_eq!(
        found("HTTP 400: {\"error_code\":\"CSBS.9009\",\"error_msg\":\"x\"} (retrying)"),
        is("csbs", "CSBS.9009", Some(400))
    );
    let empty = one("HTTP/1.0 404 Not Found\r\ncontent-length: 0\r\n\r\n");
    assert_eq!(empty.question.http, Some(404));
    assert_eq!(empty.what, "HTTP answer without a body");
}

#[test]
fn sdrs_errors_failed_tasks_and_jobs() {
    assert_eq!(
        found(r#"{"error":{"message":"…","code":"SDRS.1013"}}"#),
        is("sdrs", "SDRS.1013", None)
    );
    assert_eq!(
        found(r#"{"badrequest":{"message":"…","code":"SDRS.0204"}}"#),
        is("sdrs", "SDRS.0204", None)
    );
    let rows = r#"{"count":1,"failure_jobs":[{"job_status":"FAIL","resource_id":"1","resource_name":"Protected-Instance-ab14",
      "resource_type":"protectedInstance","failure_status":"createFail","job_id":"ff","job_type":"createProtectedInstance",
      "begin_time":"2019-01-21T12:56:35.754Z","error_code":"EVS.2024","fail_reason":"SdrsGenerateNativeServerParamsTask-fail:volume is error!"}]}"#;
    let all = recognise(catalog(), rows);
    assert_eq!(all[0].question.code, "EVS.2024");
    assert_eq!(all[0].question.message, "volume is error!");
    assert!(all[0].note.contains("SdrsGenerateNativeServerParamsTask"));
    assert_eq!(all[1].question.code, "createFail");
    assert_eq!(all[1].question.operation, "failure_status");
    let catalog = catalog();
    assert_eq!(catalog.explain(&all[0].question)[0].fit, Fit::Code);
    assert_eq!(catalog.explain(&all[1].question).len(), 1);

    let job = r#"{"job_id":"1","job_type":"x","status":"FAIL","error_code":null,"fail_reason":null,
      "entities":{"sub_jobs":[{"job_id":"2","job_type":"y","status":"FAIL","error_code":"SDRS.0225",
      "fail_reason":"T-fail:SDRS.1013:Client error : {\"badRequest\": {\"message\": \"m\", \"code\": 400}}","entities":{}}]}}"#;
    let codes: Vec<String> = found(job).into_iter().map(|(_, code, _)| code).collect();
    assert_eq!(codes, ["FAIL", "SDRS.0225", "SDRS.1013"]);
}

#[test]
fn an_sdrs_resource_gives_status_and_failure() {
    let all = recognise(
        catalog(),
        r#"{"replications":[{"id":"1","status":"error-extending","failure_detail":"SDRS.1820"}]}"#,
    );
    assert_eq!(all[0].question.code, "SDRS.1820");
    assert_eq!(all[1].question.operation, "replications");
    assert_eq!(catalog().explain(&all[1].question).len(), 1);
}

#[test]
fn openstack_writes_the_http_status_as_code() {
    assert_eq!(
        found(r#"{"itemNotFound": {"code": 404, "message": "Checkpoint 1 could not be found."}}"#),
        is("karbor", "itemNotFound", Some(404))
    );
    let keystone = one(
        r#"{"error":{"code":401,"message":"The request you have made requires authentication.","title":"Unauthorized"}}"#,
    );
    assert_eq!(keystone.question.http, Some(401));
    assert_eq!(keystone.question.kind, None);
    assert!(keystone.note.contains("Keystone"));
}

#[test]
fn freezer_gives_titles_and_job_words() {
    let text = "HTTP/1.0 400 Bad Request\r\nServer: x\r\n\r\n{\"title\": \"Bad request format\", \"description\": \"Bad Action Method\"}";
    let error = one(text);
    assert_eq!(error.question.kind.as_deref(), Some("freezer"));
    assert_eq!(error.question.http, Some(400));
    assert_eq!(error.question.code, "Bad request format");
    assert_eq!(error.question.message, "Bad Action Method");
    assert_eq!(
        found(r#"{"title": "405 Method Not Allowed"}"#),
        is("freezer", "", Some(405))
    );
    assert_eq!(
        found(r#"{"result": "abort already requested"}"#),
        is("freezer", "abort already requested", None)
    );
    // a schema that has titles and descriptions inside is no error
    assert_eq!(
        found(r#"{"schema": {"reason": {"title": "Fail Reason", "description": "Why"}}}"#),
        is("", "", None)
    );
    let job = r#"{"jobs":[{"job_id":"1","client_id":"d","job_schedule":{"status":"completed","result":"fail","event":""}}]}"#;
    let all = recognise(catalog(), job);
    assert_eq!(
        (
            all[0].question.code.as_str(),
            all[0].question.operation.as_str()
        ),
        ("fail", "job.result")
    );
    assert_eq!(
        (
            all[1].question.code.as_str(),
            all[1].question.operation.as_str()
        ),
        ("completed", "job.status")
    );
}

#[test]
fn operation_logs_of_cbr_and_karbor() {
    let cbr = r#"{"operation_log":{"id":"1","operation_type":"backup","status":"failed","vault_id":"v","plan_id":null,
      "error_info":{"code":"BackupService.6114","message":"full"},"extra_info":{}}}"#;
    assert_eq!(found(cbr), is("cbr", "BackupService.6114", None));
    let karbor = one(
        r#"{"operation_logs":[{"id":"1","operation_type":"protect","plan_id":"p","checkpoint_id":"c","status":"error","error_info":null}]}"#,
    );
    assert_eq!(karbor.question.kind.as_deref(), Some("karbor"));
    assert_eq!(karbor.question.code, "error");
    assert!(karbor.note.contains("never writes a reason"));
    assert_eq!(karbor.question.operation, "operation_log");
    let checkpoint =
        one(r#"{"checkpoint":{"id":"1","status":"error","protection_plan":{"id":"p"}}}"#);
    let readings = catalog().explain(&checkpoint.question);
    let kinds: Vec<&str> = readings.iter().map(|r| r.entry.kind.as_str()).collect();
    assert!(
        kinds.contains(&"karbor") && kinds.contains(&"csbs"),
        "{kinds:?}"
    );
    assert!(readings.iter().all(|r| r.entry.operation == "checkpoint"));
}

#[test]
fn a_csbs_backup_carries_its_code_with_or_without_prefix() {
    let item = |code: &str| {
        format!(
            r#"{{"checkpoint_items":[{{"id":"1","checkpoint_id":"c","status":"error","extend_info":{{"fail_op":"backup","fail_reason":"","fail_code":{{"Code":{code},"Description":"text"}}}}}}]}}"#
        )
    };
    for code in ["\"CSBS.6027\"", "6027", "\"6027\""] {
        let all = recognise(catalog(), &item(code));
        assert_eq!(all[0].question.code, "CSBS.6027", "{code}");
        assert_eq!(all[0].question.operation, "backup");
        assert_eq!(all[1].question.code, "error");
        assert_eq!(all[1].question.operation, "checkpoint_item");
    }
    let fine = r#"{"checkpoint_item":{"checkpoint_id":"c","status":"available","extend_info":{"fail_code":{}}}}"#;
    assert_eq!(found(fine), is("csbs", "available", None));
}

#[test]
fn atlassian_twins_are_told_apart_by_the_message() {
    let catalog = catalog();
    let error = one(
        r#"{"errorCode":"110","errorMessage":"Brie job=IMPORT with externalId=77 is not present"}"#,
    );
    assert_eq!(error.question.kind.as_deref(), Some("atlassian"));
    let readings = catalog.explain(&error.question);
    assert_eq!(readings.len(), 1);
    assert_eq!(readings[0].entry.operation, "import");
    let number = one(r#"{"errorCode":127,"errorMessage":"x"}"#);
    assert_eq!(number.question.code, "127");
}

#[test]
fn dbs_answers_rows_and_gateway_errors() {
    let sample = r#"{"HttpStatusCode": 200, "RequestId": "1F", "ErrCode": "Param.NotFound", "Success": true,
      "ErrMessage": "The specified parameter %s value is not valid. ",
      "Item": {"JobState": "init", "ErrorMessage": "Describe preCheck progress failed.", "ErrorCode": "failed", "JobId": "r1", "JobType": "t", "Language": "en"}}"#;
    let all = recognise(catalog(), sample);
    assert_eq!(all[0].question.code, "failed");
    assert_eq!(all[1].question.code, "Param.NotFound");
    assert!(all[1].note.contains("did not fail"));
    assert_eq!(all[1].question.http, None);
    assert_eq!(
        found(r#"{"RequestId":"1","HostId":"h","Code":"Throttling.User","Message":"m"}"#),
        is("dbs", "Throttling.User", None)
    );
    assert_eq!(
        found(
            "<?xml version='1.0'?><Error><RequestId>1</RequestId><Code>SignatureDoesNotMatch</Code><Message>m</Message></Error>"
        ),
        is("dbs", "SignatureDoesNotMatch", None)
    );
    let row = r#"{"Items":{"FullBackupFile":[{"BackupSetId":"1","BackupStatus":"stop","ErrMessage":"NULL"}]},"PageNum":0,"Success":"true","RequestId":"r"}"#;
    let all = recognise(catalog(), row);
    assert_eq!(all[0].question.operation, "full_backup");
    assert_eq!(all[0].question.code, "stop");
    assert_eq!(all[0].question.message, "");
}

#[test]
fn dpod_answers_are_no_task_states() {
    let catalog = catalog();
    let queued = one(
        r#"{ "resultCode": "SUCCESS", "resultErrorCode": "SUCCESS", "resultMessage": "Backup plan added to execution queue" }"#,
    );
    let readings = catalog.explain(&queued.question);
    assert_eq!(readings.len(), 1);
    assert_eq!(readings[0].entry.operation, "execute backup plan");
    assert!(queued.note.contains("nothing has run yet"));
    let missing = one(
        r#"{ "resultCode": "ERROR", "resultErrorCode": "PLAN_NOT_FOUND", "resultMessage": "Backup Plan with API Ref x was not found" }"#,
    );
    assert_eq!(catalog.explain(&missing.question).len(), 1);
    assert_eq!(
        found(
            "13,exportDomain,DEV,DOM,EXECUTION_QUIESCE_TIMEOUT_OCCURRED,~14,exportDomain,D,E,SUCCESS,"
        ),
        is("dpod", "EXECUTION_QUIESCE_TIMEOUT_OCCURRED", None)
    );
}

#[test]
fn logs_and_broken_json_are_searched_for_codes() {
    assert_eq!(
        found("2026-11-21 02:00:01 ERROR backup failed: CSBS.6027 at http://x.y/z_1.html"),
        is("csbs", "CSBS.6027", None)
    );
    assert_eq!(
        found(r#"{"error_code":"CSBS.6027","error_msg":"The AZ where the reso"#),
        is("csbs", "CSBS.6027", None)
    );
    // a code that nobody knows is still a code, of the kind whose prefix it bears
    assert_eq!(
        found("failed with SDRS.9876 twice SDRS.9876"),
        is("sdrs", "SDRS.9876", None)
    );
}

#[test]
fn several_rows_and_lines_give_several_findings() {
    let lines = "{\"error_code\":\"CSBS.6027\",\"error_msg\":\"a\"}\n{\"error_code\":\"CSBS.6010\",\"error_msg\":\"b\"}\n";
    let codes: Vec<String> = found(lines).into_iter().map(|(_, code, _)| code).collect();
    assert_eq!(codes, ["CSBS.6027", "CSBS.6010"]);
}

/// Whatever real servers and documents gave: nothing is lost, nothing panics, and every error body is found.
#[test]
fn recorded_answers_are_all_survived_and_errors_found() {
    let catalog = catalog();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut seen = 0;
    for dir in ["csbs", "sdrs", "freezer", "karbor", "keystone"] {
        for entry in std::fs::read_dir(root.join(dir)).unwrap() {
            let path = entry.unwrap().path();
            let Ok(text) = std::fs::read_to_string(&path) else {
                continue;
            };
            let findings = recognise(catalog, &text);
            assert_eq!(findings.is_empty(), text.trim().is_empty(), "{path:?}");
            let start = text.trim_start();
            let is_error = [
                "{\"badRequest",
                "{\"itemNotFound",
                "{\"computeFault",
                "{\"error\"",
                "{\"title",
            ]
            .iter()
            .any(|head| start.starts_with(head));
            if is_error {
                seen += 1;
                let f = &findings[0];
                assert!(
                    f.question.http.is_some()
                        || catalog.holds(&f.question.code)
                        || f.question.code.contains("SDRS")
                        || f.question.code == "Invalid parameter",
                    "{path:?} {f:?}"
                );
                if f.question.http.is_some() {
                    assert!(!catalog.explain(&f.question).is_empty(), "{path:?}");
                }
            }
        }
    }
    assert!(seen > 15, "{seen}");
}

#[test]
fn html_is_called_html() {
    let page =
        one("HTTP/1.1 502 Bad Gateway\n\n<html><head><title>502 Bad Gateway</title></head></html>");
    assert_eq!(page.what, "HTML page");
    assert_eq!(page.question.http, Some(502));
    assert_eq!(page.question.message, "502 Bad Gateway");
}

#[test]
fn hostile_and_odd_input_is_survived_and_cleaned() {
    let catalog = catalog();
    assert_eq!(recognise(catalog, " \u{feff}\n "), []);
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    assert_eq!(recognise(catalog, &deep).len(), 1);
    let nested = format!("{}1{}", "{\"a\":".repeat(100), "}".repeat(100));
    assert_eq!(recognise(catalog, &nested).len(), 1);
    for text in [
        "{",
        "[]",
        "{}",
        "null",
        "\"x\"",
        "3",
        "\u{0}",
        "HTTP/",
        "HTTP/1.1 999 x",
        "é{",
        "<Code>",
        "{\"error\":{}}",
        "{\"error\":\"x\"}",
        "{\"error_code\":{},\"fail_reason\":[]}",
        "{\"job_schedule\":null}",
        "{\"extend_info\":{\"fail_code\":7}}",
    ] {
        let _ = recognise(catalog, text);
        let _ = recognise(catalog, &text.repeat(3));
    }
    let rows: Vec<String> = (0..5_000)
        .map(|n| format!("{{\"error_code\":\"X.{n}\",\"error_msg\":\"m\"}}"))
        .collect();
    let many = format!("[{}]", rows.join(","));
    assert_eq!(recognise(catalog, &many).len(), MAX_FINDINGS);
    let hostile = one("{\"error_code\":\"CSBS.\\u001b[31m\",\"error_msg\":\"a\\u202eb\"}");
    assert_eq!(hostile.question.code, "CSBS.␛[31m");
    assert_eq!(hostile.question.message, "a‹U+202E›b");
}
