//! How a call is signed, read, refused and answered.

use serde_json::{Value, json};

use crate::client::{Dbs, id, now, query, rows};

#[tokio::test]
async fn wrong_signatures_keys_times_and_nonces_are_refused_each_in_its_way() {
    let mut dbs = Dbs::calm().await;
    dbs.good("DescribeRegions", &[]).await;
    let secret = std::mem::replace(&mut dbs.secret, "wrong".into());
    let body = dbs
        .refused("DescribeRegions", &[], 400, "SignatureDoesNotMatch")
        .await;
    // Clients read the text to sign behind the first colon.
    let message = body["Message"].as_str().expect("text");
    assert!(
        message
            .split_once(':')
            .expect("a colon")
            .1
            .starts_with("ACS3-HMAC-SHA256\n")
    );
    for name in ["RequestId", "HostId", "Recommend"] {
        assert!(body[name].is_string(), "{name}");
    }
    dbs.secret = secret;
    let key = std::mem::replace(&mut dbs.key, "LTAInobody".into());
    dbs.refused("DescribeRegions", &[], 404, "InvalidAccessKeyId.NotFound")
        .await;
    dbs.key = "KEEPWATCHDEMOCLOSED0".into();
    dbs.refused("DescribeRegions", &[], 400, "InvalidAccessKeyId.Inactive")
        .await;
    dbs.key = key;

    let twice = dbs.headers_with("POST", "DescribeRegions", "", "", "same", &now());
    assert_eq!(dbs.send("POST", "", twice.clone(), "").await.status(), 200);
    let again: Value = dbs
        .send("POST", "", twice, "")
        .await
        .json()
        .await
        .expect("JSON");
    assert_eq!(again["Code"], "SignatureNonceUsed");
    for (time, code) in [
        ("2020-01-01T00:00:00Z", "InvalidTimeStamp.Expired"),
        ("20260305T000000Z", "InvalidTimeStamp.Format"),
    ] {
        let headers = dbs.headers_with("POST", "DescribeRegions", "", "", time, time);
        let answer = dbs.send("POST", "", headers, "").await;
        assert_eq!(answer.status(), 400);
        assert_eq!(answer.json::<Value>().await.expect("JSON")["Code"], code);
    }
    // The clock that a client goes by may also be the simulation's own.
    let headers = dbs.headers_with(
        "POST",
        "DescribeRegions",
        "",
        "",
        "v",
        "2026-03-05T00:10:00Z",
    );
    assert_eq!(dbs.send("POST", "", headers, "").await.status(), 200);
    // A changed body, and a changed query.
    for (query, body) in [("", "TaskId=1"), ("a=b", "")] {
        let headers = dbs.headers("POST", "DescribeRegions", "", "");
        let answer = dbs.send("POST", query, headers, body).await;
        assert_eq!(
            answer.json::<Value>().await.expect("JSON")["Code"],
            "SignatureDoesNotMatch"
        );
    }
}

#[tokio::test]
async fn temporary_keys_need_their_token() {
    let mut dbs = Dbs::calm().await;
    dbs.key = "KEEPWATCHTEMPACCESS0".into();
    dbs.secret = "keepwatch-demo-temporary-secret-key".into();
    dbs.refused("DescribeRegions", &[], 404, "InvalidAccessKeyId.NotFound")
        .await;
    dbs.token = Some("keepwatch-demo-security-token".into());
    dbs.good("DescribeRegions", &[]).await;
}

#[tokio::test]
async fn who_may_only_read_is_forbidden_to_write() {
    let mut dbs = Dbs::calm().await;
    let plan = dbs.plan_that_is("running", "").await;
    dbs.key = "KEEPWATCHDEMOREADER0".into();
    dbs.good("DescribeBackupPlanList", &[]).await;
    let body = dbs
        .refused(
            "StartBackupPlan",
            &[("BackupPlanId", plan["BackupPlanId"].as_str().expect("id"))],
            403,
            "Request.Forbidden",
        )
        .await;
    assert_eq!(body["Message"], "Have no Permissions");
    assert_eq!(dbs.counted("dbs.full.started"), 0);
}

#[tokio::test]
async fn the_newer_shape_has_its_action_in_headers_only() {
    let dbs = Dbs::calm().await;
    let mut headers = dbs.headers("POST", "DescribeRegions", "", "");
    headers.remove("x-acs-action");
    let answer = dbs
        .send("POST", "Action=DescribeRegions", headers, "")
        .await;
    assert_eq!(
        answer.json::<Value>().await.expect("JSON")["Code"],
        "MissingAction"
    );
    dbs.refused("describeRegions", &[], 404, "InvalidApi.NotFound")
        .await;
    for absent in [
        "CancelTask",
        "RetryTask",
        "StopRestoreTask",
        "DescribeEndpointCloudInstances",
    ] {
        dbs.refused(absent, &[], 404, "InvalidApi.NotFound").await;
    }
    let mut headers = dbs.headers("POST", "DescribeRegions", "", "");
    headers.insert("x-acs-version".into(), "2021-01-01".into());
    assert_eq!(dbs.send("POST", "", headers, "").await.status(), 404);
}

#[tokio::test]
async fn the_older_shape_answers_xml_unless_told_otherwise() {
    let dbs = Dbs::calm().await;
    for method in ["GET", "POST"] {
        let query = dbs.query_v1(method, &[("Action", "DescribeRegions")], &[]);
        let answer = dbs.send(method, &query, Default::default(), "").await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/xml;charset=utf-8");
        let text = answer.text().await.expect("text");
        assert!(text.contains("<DescribeRegionsResponse>"), "{text}");
        assert!(
            text.contains("<RegionCode>cn-hangzhou</RegionCode>"),
            "{text}"
        );
    }
    let params = [("Action", "DescribeJobErrorCode"), ("TaskId", "nosuch")];
    let query = dbs.query_v1("POST", &params, &[]);
    let text = dbs
        .send("POST", &query, Default::default(), "")
        .await
        .text()
        .await
        .expect("text");
    assert!(
        text.contains("<Error>") && text.contains("<Code>InvalidJobId</Code>"),
        "{text}"
    );
    // Unknown and empty parameters are tolerated and signed over, as older clients send them.
    let params = [
        ("Action", "DescribeRegions"),
        ("Format", "JSON"),
        ("RegionId", "cn-hangzhou"),
        ("SignatureType", ""),
        ("OwnerId", "1"),
    ];
    let query = dbs.query_v1("POST", &params, &[]);
    let answer = dbs.send("POST", &query, Default::default(), "").await;
    assert_eq!(answer.json::<Value>().await.expect("JSON")["Success"], true);
    let query = dbs.query_v1(
        "POST",
        &[("Action", "DescribeRegions"), ("Format", "YAML")],
        &[],
    );
    let text = dbs
        .send("POST", &query, Default::default(), "")
        .await
        .text()
        .await
        .expect("text");
    assert!(text.contains("InvalidParameter.Format"), "{text}");
}

#[tokio::test]
async fn the_oldest_client_sends_a_form() {
    let dbs = Dbs::calm().await;
    let plan = id(&dbs.plan_that_is("running", "").await, "BackupPlanId");
    let form = [("BackupPlanId", plan.as_str()), ("PageSize", "30")];
    let query_text = dbs.query_v1(
        "POST",
        &[("Action", "DescribeFullBackupList"), ("Format", "json")],
        &form,
    );
    let send = async |body: String| {
        let headers = [(
            "content-type".to_owned(),
            "application/x-www-form-urlencoded".to_owned(),
        )];
        let answer = dbs.send("POST", &query_text, headers.into(), &body).await;
        answer.json::<Value>().await.expect("JSON")
    };
    let body = send(query(&form)).await;
    assert_eq!(body["Success"], true, "{body}");
    let body = send(query(&form).replace("30", "50")).await;
    assert_eq!(body["Code"], "SignatureDoesNotMatch");
}

#[tokio::test]
async fn a_blank_on_the_wire_may_be_a_plus_and_booleans_are_capitals() {
    let dbs = Dbs::calm().await;
    let query = "BackupPlanName=a+b%2Ac&PageNum=0&PageSize=30&ShowRecoverTimeRange=True";
    let headers = dbs.headers("POST", "DescribeBackupPlanList", query, "");
    let answer = dbs.send("POST", query, headers, "").await;
    assert_eq!(
        answer.json::<Value>().await.expect("JSON")["TotalElements"],
        0
    );
    dbs.refused(
        "DescribeBackupPlanList",
        &[("ShowRecoverTimeRange", "yes")],
        400,
        "InvalidShowRecoverTimeRange",
    )
    .await;
}

#[tokio::test]
async fn missing_and_mistyped_parameters_are_named() {
    let dbs = Dbs::calm().await;
    dbs.refused("DescribeJobErrorCode", &[], 400, "MissingTaskId")
        .await;
    dbs.refused(
        "DescribeJobErrorCode",
        &[("TaskId", "")],
        400,
        "MissingTaskId",
    )
    .await;
    dbs.refused(
        "StopBackupPlan",
        &[("BackupPlanId", "x")],
        400,
        "MissingStopMethod",
    )
    .await;
    dbs.refused("DescribeBackupGatewayList", &[], 400, "MissingRegion")
        .await;
    dbs.refused(
        "DescribeBackupPlanList",
        &[("PageNum", "one")],
        400,
        "InvalidPageNum",
    )
    .await;
    dbs.refused("DescribeRestoreTaskList", &[], 400, "MissingBackupPlanId")
        .await;
}

#[tokio::test]
async fn two_error_channels() {
    let dbs = Dbs::calm().await;
    let unknown = [("BackupPlanId", "dbsnosuchplan000")];
    let list = "DescribeBackupPlanList";
    let body = dbs
        .refused(list, &unknown, 400, "InvalidParameterValid")
        .await;
    assert!(body.get("Success").is_none());
    dbs.refused("ReleaseBackupPlan", &unknown, 400, "InvalidJobId")
        .await;
    dbs.refused("DescribeBackupPlanBilling", &unknown, 400, "InvalidJobId")
        .await;
    dbs.switch("dbs.own_error_status", "404");
    dbs.refused(list, &unknown, 404, "InvalidParameterValid")
        .await;
    dbs.switch("dbs.own_errors", "both");
    let body = dbs
        .refused(list, &unknown, 404, "InvalidParameterValid")
        .await;
    assert_eq!(
        (body["Success"].clone(), body["ErrCode"].clone()),
        (json!(false), json!("InvalidParameterValid"))
    );
    dbs.switch("dbs.own_errors", "envelope");
    let (status, body) = dbs.call(list, &unknown).await;
    assert_eq!(status, 200);
    assert_eq!(body["Success"], false);
    assert_eq!(body["ErrCode"], "InvalidParameterValid");
    assert!(body.get("Code").is_none());
    // What the gateway says stays an HTTP error.
    dbs.refused("NoSuchAction", &[], 404, "InvalidApi.NotFound")
        .await;
}

#[tokio::test]
async fn success_may_carry_error_text() {
    let dbs = Dbs::calm().await;
    let body = dbs.good("DescribeRegions", &[]).await;
    assert!(body.get("ErrCode").is_none());
    let id = body["RequestId"].as_str().expect("text");
    assert!(id.len() == 36 && id.to_uppercase() == id, "{id}");
    dbs.switch("dbs.success_err_code", "sample");
    let body = dbs.good("DescribeRegions", &[]).await;
    assert_eq!(body["ErrCode"], "Param.NotFound");
    assert_eq!(body["HttpStatusCode"], 400);
    assert!(body["ErrMessage"].as_str().expect("text").contains("%s"));
    dbs.switch("dbs.success_err_code", "empty");
    assert_eq!(dbs.good("DescribeRegions", &[]).await["ErrCode"], "");
    // The one call that answers texts.
    let (_, body) = dbs.call("InitializeDbsServiceLinkedRole", &[]).await;
    assert_eq!(body["Success"], "true");
    assert_eq!(body["ErrorCode"], "");
}

#[tokio::test]
async fn throttling_has_a_code_and_one_of_three_statuses() {
    let dbs = Dbs::calm().await;
    for (status, wait) in [("400", "0"), ("429", "250"), ("503", "0")] {
        dbs.switch("dbs.throttle", status);
        dbs.switch("dbs.throttle_retry_after_ms", wait);
        dbs.control("POST", "faults", json!({"fault": "status", "status": 429}));
        let headers = dbs.headers("POST", "DescribeRegions", "", "");
        let answer = dbs.send("POST", "", headers, "").await;
        assert_eq!(answer.status().as_str(), status);
        let after = answer.headers().get("x-acs-retry-after").cloned();
        assert_eq!(after.is_some(), wait == "250");
        assert_eq!(
            answer.json::<Value>().await.expect("JSON")["Code"],
            "Throttling.User"
        );
    }
    dbs.control("POST", "faults", json!({"fault": "status", "status": 503}));
    dbs.refused("DescribeRegions", &[], 503, "ServiceUnavailable")
        .await;
}

#[tokio::test]
async fn a_client_token_makes_a_call_happen_once() {
    let dbs = Dbs::calm().await;
    let plan = id(&dbs.plan_that_is("running", "").await, "BackupPlanId");
    let params = [("BackupPlanId", plan.as_str()), ("ClientToken", "one")];
    let first = dbs.good("StartBackupPlan", &params).await;
    let second = dbs.good("StartBackupPlan", &params).await;
    assert_eq!(
        first["CreatedFullBackupsetId"],
        second["CreatedFullBackupsetId"]
    );
    assert_ne!(first["RequestId"], second["RequestId"]);
    assert_eq!(dbs.counted("dbs.full.started"), 1);
    assert_eq!(dbs.sets(&plan).await.len(), 1);
    let other = [
        ("BackupPlanId", plan.as_str()),
        ("StopMethod", "PLAN"),
        ("ClientToken", "one"),
    ];
    dbs.good("StopBackupPlan", &other).await;
    dbs.switch("dbs.client_token", "refuse");
    let other = [
        ("BackupPlanId", plan.as_str()),
        ("StopMethod", "ALL"),
        ("ClientToken", "one"),
    ];
    dbs.refused("StopBackupPlan", &other, 400, "InvalidClientToken")
        .await;
    let long = "x".repeat(65);
    dbs.refused(
        "DescribeRegions",
        &[("ClientToken", &long)],
        400,
        "InvalidClientToken",
    )
    .await;
    dbs.advance(86_401);
    dbs.good("StopBackupPlan", &other).await;
}

#[tokio::test]
async fn pages_count_from_0_and_sizes_are_the_documented_ones() {
    let dbs = Dbs::calm().await;
    let all = dbs.plans().await;
    let mut seen = Vec::new();
    for page in 0.. {
        let number = page.to_string();
        let body = dbs
            .good(
                "DescribeBackupPlanList",
                &[("PageNum", &number), ("PageSize", "5")],
            )
            .await;
        assert_eq!(body["TotalElements"], all.len());
        assert_eq!(body["TotalPages"], all.len().div_ceil(5));
        let page = rows(&body, "BackupPlanDetail");
        let short = page.len() < 5;
        seen.extend(page);
        if short {
            break;
        }
    }
    assert_eq!(seen, all);
    let plan = id(&all[0], "BackupPlanId");
    let full = [("BackupPlanId", plan.as_str()), ("PageSize", "5")];
    dbs.refused("DescribeFullBackupList", &full, 400, "InvalidPageSize")
        .await;
    dbs.switch("dbs.page_size", "lenient");
    assert_eq!(
        dbs.good("DescribeFullBackupList", &full).await["PageSize"],
        5
    );
    dbs.refused(
        "DescribeBackupPlanList",
        &[("PageNum", "-1")],
        400,
        "InvalidPageNum",
    )
    .await;
}

#[tokio::test]
async fn an_empty_list_has_three_looks() {
    let dbs = Dbs::calm().await;
    let plan = id(&dbs.plans().await[0], "BackupPlanId");
    let params = [("BackupPlanId", plan.as_str())];
    let body = dbs.good("DescribeFullBackupList", &params).await;
    assert_eq!(body["Items"], json!({"FullBackupFile": []}));
    dbs.switch("dbs.empty_list", "object");
    assert_eq!(
        dbs.good("DescribeFullBackupList", &params).await["Items"],
        json!({})
    );
    dbs.switch("dbs.empty_list", "null");
    assert_eq!(
        dbs.good("DescribeFullBackupList", &params).await["Items"],
        Value::Null
    );
}
