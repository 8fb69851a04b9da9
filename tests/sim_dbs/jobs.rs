//! Full backups, increments, restores and downloads: their walks, and why they fail.

use serde_json::{Value, json};

use crate::client::{Dbs, id, rows};

fn name_of(dbs: &Dbs, plan: &Value) -> String {
    let overview = dbs.control("GET", "dbs", Value::Null);
    let sources = overview["sources"].as_array().expect("sources");
    let source = sources
        .iter()
        .find(|source| source["host"] == plan["SourceEndpointHost"]);
    id(source.expect("the source"), "name")
}

#[tokio::test]
async fn a_full_backup_walks_from_schedule_to_finish_with_progress() {
    let dbs = Dbs::calm().await;
    let plan = id(&dbs.plan_that_is("running", "rds").await, "BackupPlanId");
    dbs.good("StartBackupPlan", &[("BackupPlanId", &plan)])
        .await;
    let set = dbs.sets(&plan).await.remove(0);
    assert_eq!(
        (&set["BackupStatus"], &set["StartTime"]),
        (&json!("schedule"), &json!(0))
    );
    assert_eq!(set["CreateTime"], 1_772_668_800_000_i64);
    dbs.advance(80);
    let set = dbs.sets(&plan).await.remove(0);
    assert_eq!(set["BackupStatus"], "running");
    let data = set["LogicalFullBackupProgress"].as_i64().expect("a number");
    assert!((1..100).contains(&data), "{data}");
    assert_eq!(set["LogicalStructureBackupProgress"], 100);
    dbs.advance(900);
    let set = dbs.sets(&plan).await.remove(0);
    assert_eq!(
        (&set["BackupStatus"], &set["LogicalFullBackupProgress"]),
        (&json!("finish"), &json!(100))
    );
    assert_eq!(set["StorageMethod"], "Standard");
    assert!(set["BackupSize"].as_u64().expect("bytes") > 0);
    assert!(set["BackupSetExpiredTime"].as_i64() > set["FinishTime"].as_i64());
    dbs.switch("dbs.no_error_text", "NULL");
    assert_eq!(dbs.sets(&plan).await[0]["ErrMessage"], "NULL");
    let restorable = dbs.plan(&plan).await["EndTimestampForRestore"]
        .as_i64()
        .expect("ms");
    assert!(restorable >= set["FinishTime"].as_i64().expect("ms"));
}

#[tokio::test]
async fn a_plan_fires_on_its_schedule_in_virtual_time() {
    let dbs = Dbs::calm().await;
    let plan = dbs.plan_that_is("running", "rds").await;
    let plan_id = id(&plan, "BackupPlanId");
    dbs.good(
        "ModifyBackupStrategy",
        &[
            ("BackupPlanId", &plan_id),
            ("BackupPeriod", "Friday,SATURDAY"),
            ("BackupStartTime", "01:30"),
        ],
    )
    .await;
    dbs.advance(86_400 + 5_399);
    assert!(dbs.sets(&plan_id).await.is_empty());
    dbs.advance(1);
    let set = dbs.sets(&plan_id).await.remove(0);
    assert_eq!(set["CreateTime"], 1_772_760_600_000_i64);
    dbs.advance(86_400 * 3);
    assert_eq!(dbs.sets(&plan_id).await.len(), 2);
    assert!(dbs.counted("dbs.plan.fired") >= 2);
}

#[tokio::test]
async fn stop_means_failed_and_the_job_tells_why_in_two_languages() {
    let dbs = Dbs::calm().await;
    let plan = dbs.plan_that_is("running", "rds").await;
    let plan_id = id(&plan, "BackupPlanId");
    dbs.backed_up(&plan_id).await;
    let source = format!("dbs/sources/{}", name_of(&dbs, &plan));
    dbs.good("StartBackupPlan", &[("BackupPlanId", &plan_id)])
        .await;
    dbs.control("POST", &source, json!({"down": true}));
    dbs.advance(900);
    let set = dbs.sets(&plan_id).await.remove(0);
    assert_eq!(set["BackupStatus"], "stop");
    // Raw text of the program in the row, standardised text in the job's error.
    assert!(
        set["ErrMessage"]
            .as_str()
            .expect("text")
            .contains("\n\tCaused by: java.net.ConnectException")
    );
    let task = id(&set, "BackupSetId");
    let error = dbs.good("DescribeJobErrorCode", &[("TaskId", &task)]).await;
    assert!(
        error.get("ErrCode").is_none(),
        "the call itself had no error"
    );
    let item = &error["Item"];
    assert_eq!(
        (&item["ErrorCode"], &item["Language"]),
        (&json!("failed"), &json!("en"))
    );
    assert_eq!(item["JobId"], task.as_str());
    let chinese = dbs
        .good(
            "DescribeJobErrorCode",
            &[("TaskId", &task), ("Language", "cn")],
        )
        .await;
    assert_ne!(chinese["Item"]["ErrorMessage"], item["ErrorMessage"]);
    assert_eq!(chinese["Item"]["Language"], "cn");
    dbs.refused(
        "DescribeJobErrorCode",
        &[("TaskId", &task), ("Language", "zh")],
        400,
        "InvalidLanguage",
    )
    .await;
    dbs.refused(
        "DescribeJobErrorCode",
        &[("TaskId", "r1iv62udxxxx")],
        400,
        "InvalidJobId",
    )
    .await;
    // One failed backup does not end a plan that worked before; the next one succeeds once the reason is gone.
    assert_eq!(dbs.plan(&plan_id).await["BackupPlanStatus"], "running");
    dbs.control("POST", &source, json!({"down": false}));
    dbs.backed_up(&plan_id).await;
    let good = dbs.sets(&plan_id).await.remove(0);
    let fine = dbs
        .good(
            "DescribeJobErrorCode",
            &[("TaskId", &id(&good, "BackupSetId"))],
        )
        .await;
    assert_eq!(
        (&fine["Item"]["ErrorCode"], &fine["Item"]["JobState"]),
        (&json!(""), &json!("finish"))
    );
}

#[tokio::test]
async fn each_reason_lies_in_the_world() {
    let dbs = Dbs::calm().await;
    let plan = dbs.plan_that_is("running", "agent").await;
    let plan_id = id(&plan, "BackupPlanId");
    let name = name_of(&dbs, &plan);
    let overview = dbs.control("GET", "dbs", Value::Null);
    let sources = overview["sources"].as_array().expect("sources");
    let server = id(
        sources
            .iter()
            .find(|source| source["name"] == name.as_str())
            .expect("one"),
        "server",
    );
    let gateway = id(&plan, "BackupGatewayIdentifier");
    let text = async || {
        dbs.good("StartBackupPlan", &[("BackupPlanId", &plan_id)])
            .await;
        dbs.advance(900);
        let set = dbs.sets(&plan_id).await.remove(0);
        let error = dbs
            .good(
                "DescribeJobErrorCode",
                &[("TaskId", &id(&set, "BackupSetId"))],
            )
            .await;
        id(&error["Item"], "ErrorMessage")
    };
    assert_eq!(text().await, "");
    dbs.control(
        "POST",
        &format!("dbs/gateways/{gateway}"),
        json!({"state": "UPGRADING"}),
    );
    assert!(text().await.contains("gateway is offline"));
    dbs.control(
        "POST",
        &format!("dbs/gateways/{gateway}"),
        json!({"state": null}),
    );
    dbs.control(
        "POST",
        &format!("servers/{server}"),
        json!({"state": "stopped"}),
    );
    assert!(text().await.contains("Failed to connect to the source"));
    dbs.control(
        "POST",
        &format!("servers/{server}"),
        json!({"state": "active"}),
    );
    dbs.control(
        "POST",
        &format!("dbs/sources/{name}"),
        json!({"denied": true}),
    );
    assert!(text().await.contains("no access"));
    dbs.control(
        "POST",
        &format!("dbs/sources/{name}"),
        json!({"denied": false}),
    );
    dbs.switch("dbs.storage", "down");
    assert!(text().await.contains("backup storage"));
    dbs.switch("dbs.storage", "up");
    assert_eq!(text().await, "");
}

#[tokio::test]
async fn increments_fill_and_complete_and_none_says_failed() {
    let dbs = Dbs::calm().await;
    let plan = dbs
        .plans()
        .await
        .into_iter()
        .find(|plan| {
            plan["BackupPlanStatus"] == "running"
                && plan["EnableBackupLog"] == true
                && plan["SourceEndpointInstanceType"] == "rds"
        })
        .expect("one");
    let plan_id = id(&plan, "BackupPlanId");
    let status = async || dbs.increments(&plan_id).await[0]["BackupStatus"].clone();
    assert_eq!(status().await, "INIT");
    dbs.advance(100);
    assert_eq!(status().await, "FILLING");
    dbs.advance(1000);
    let rows = dbs.increments(&plan_id).await;
    assert_eq!(rows[1]["BackupStatus"], "COMPLETED");
    assert_ne!(rows[1]["BackupSetId"], rows[1]["BackupSetJobId"]);
    assert_eq!(rows[1]["EndTime"], rows[0]["StartTime"]);
    let source = format!("dbs/sources/{}", name_of(&dbs, &plan));
    dbs.control("POST", &source, json!({"down": true}));
    dbs.advance(1000);
    assert_eq!(
        dbs.increments(&plan_id).await[1]["BackupStatus"],
        "UNCOMPLETED"
    );
    // No error text at all, and no job error either.
    let broken = dbs.increments(&plan_id).await.remove(1);
    assert!(broken.get("ErrMessage").is_none());
    dbs.refused(
        "DescribeJobErrorCode",
        &[("TaskId", &id(&broken, "BackupSetJobId"))],
        400,
        "InvalidJobId",
    )
    .await;
    let hidden = [
        ("BackupPlanId", plan_id.as_str()),
        ("ShowStorageType", "False"),
    ];
    let body = dbs.good("DescribeIncrementBackupList", &hidden).await;
    assert!(
        body["Items"]["IncrementBackupFile"][0]
            .get("StorageMethod")
            .is_none()
    );
    let off = dbs
        .good("DisableBackupLog", &[("BackupPlanId", &plan_id)])
        .await;
    assert_eq!(off["NeedPrecheck"], false);
    let count = dbs.increments(&plan_id).await.len();
    dbs.advance(10_000);
    assert_eq!(dbs.increments(&plan_id).await.len(), count);
    let on = dbs
        .good("EnableBackupLog", &[("BackupPlanId", &plan_id)])
        .await;
    assert_eq!(on["NeedPrecheck"], true);
}

#[tokio::test]
async fn a_restore_is_created_checked_and_then_started() {
    let dbs = Dbs::calm().await;
    let plan = dbs.plan_that_is("running", "rds").await;
    let plan_id = id(&plan, "BackupPlanId");
    let set = dbs.backed_up(&plan_id).await;
    let instance = id(&plan, "SourceEndpointInstanceID");
    let source = format!("dbs/sources/{}", name_of(&dbs, &plan));
    let create = async |instance: &str| {
        let body = dbs
            .good(
                "CreateRestoreTask",
                &[
                    ("BackupPlanId", &plan_id),
                    ("RestoreTaskName", "drill"),
                    ("BackupSetId", &set),
                    ("RestoreObjects", "[{\"DBName\":\"a\",\"NewDBName\":\"b\"}]"),
                    ("DestinationEndpointInstanceType", "RDS"),
                    ("DestinationEndpointInstanceID", instance),
                    ("DestinationEndpointRegion", "cn-hangzhou"),
                ],
            )
            .await;
        id(&body, "RestoreTaskId")
    };
    let restore = create(&instance).await;
    let start = [("RestoreTaskId", restore.as_str())];
    // It only creates.
    assert_eq!(dbs.restore(&restore).await["RestoreStatus"], "init");
    dbs.refused("StartRestoreTask", &start, 400, "InvalidParameter")
        .await;
    dbs.advance(16);
    assert_eq!(dbs.restore(&restore).await["RestoreStatus"], "check_pass");
    dbs.good("StartRestoreTask", &start).await;
    dbs.advance(60);
    let row = dbs.restore(&restore).await;
    assert_eq!(
        (&row["RestoreStatus"], &row["FullStruforeRestoreProgress"]),
        (&json!("running"), &json!(100))
    );
    let data = row["FullDataRestoreProgress"].as_i64().expect("a number");
    assert!((1..100).contains(&data), "{data}");
    dbs.advance(600);
    let row = dbs.restore(&restore).await;
    assert_eq!(
        (&row["RestoreStatus"], &row["FullStruAfterRestoreProgress"]),
        (&json!("finish"), &json!(100))
    );
    dbs.switch("dbs.restore_done", "success");
    assert_eq!(dbs.restore(&restore).await["RestoreStatus"], "success");
    dbs.switch("dbs.restore_done", "finish");

    // The destination goes away meanwhile.
    let second = create(&instance).await;
    dbs.advance(16);
    dbs.good("StartRestoreTask", &[("RestoreTaskId", &second)])
        .await;
    dbs.control("POST", &source, json!({"down": true}));
    dbs.advance(600);
    assert_eq!(dbs.restore(&second).await["RestoreStatus"], "stop");
    let error = dbs
        .good("DescribeJobErrorCode", &[("TaskId", &second)])
        .await;
    assert!(
        error["Item"]["ErrorMessage"]
            .as_str()
            .expect("text")
            .contains("destination")
    );
    assert!(error["Item"].get("JobType").is_none());
    dbs.switch("dbs.start_stopped_restore", "refuse");
    dbs.refused(
        "StartRestoreTask",
        &[("RestoreTaskId", &second)],
        400,
        "InvalidParameter",
    )
    .await;
    // A precheck that fails leaves it at init, with the reason.
    let third = create("rm-nosuch").await;
    dbs.advance(16);
    let row = dbs.restore(&third).await;
    assert_eq!(row["RestoreStatus"], "init");
    assert!(
        row["ErrMessage"]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    );
    let check = dbs
        .good("DescribePreCheckProgressList", &[("RestoreTaskId", &third)])
        .await;
    assert_eq!(check["Status"], "failed");

    let both = [
        ("BackupPlanId", plan_id.as_str()),
        ("RestoreTaskId", restore.as_str()),
    ];
    dbs.refused(
        "DescribeRestoreTaskList",
        &both,
        400,
        "InvalidParameterValid",
    )
    .await;
    dbs.refused(
        "DescribePreCheckProgressList",
        &both,
        400,
        "InvalidParameterValid",
    )
    .await;
    let several = format!("{restore},{second}");
    let body = dbs
        .good("DescribeRestoreTaskList", &[("RestoreTaskId", &several)])
        .await;
    assert_eq!(body["TotalElements"], 2);
}

#[tokio::test]
async fn filters_of_time_are_seconds_or_milliseconds() {
    let dbs = Dbs::calm().await;
    let plan = id(&dbs.plan_that_is("running", "rds").await, "BackupPlanId");
    dbs.backed_up(&plan).await;
    let count = async |name: &str, value: &str| {
        let params = [("BackupPlanId", plan.as_str()), (name, value)];
        dbs.good("DescribeFullBackupList", &params).await["TotalElements"].clone()
    };
    for (name, value, expected) in [
        ("StartTimestamp", "1772668800", 1),
        ("StartTimestamp", "1772668800000", 1),
        ("StartTimestamp", "1772668800001", 0),
        ("EndTimestamp", "1772668799", 0),
    ] {
        assert_eq!(count(name, value).await, expected, "{name} {value}");
    }
    dbs.switch("dbs.filter_unit", "ms");
    assert_eq!(count("EndTimestamp", "1772668800").await, 0);
    assert_eq!(count("BackupSetStatus", "finish").await, 1);
    assert_eq!(count("BackupSetStatus", "stop").await, 0);
}

#[tokio::test]
async fn a_word_that_nobody_knows_is_shown_as_it_is() {
    let dbs = Dbs::calm().await;
    let plan = id(&dbs.plan_that_is("running", "rds").await, "BackupPlanId");
    let set = dbs.backed_up(&plan).await;
    dbs.control(
        "POST",
        &format!("dbs/jobs/{set}"),
        json!({"status": "archiving"}),
    );
    assert_eq!(dbs.sets(&plan).await[0]["BackupStatus"], "archiving");
}

#[tokio::test]
async fn downloads_walk_and_restorable_times_are_told() {
    let dbs = Dbs::calm().await;
    let plan = id(&dbs.plan_that_is("running", "rds").await, "BackupPlanId");
    let set = dbs.backed_up(&plan).await;
    let made = dbs
        .good("CreateFullBackupSetDownload", &[("BackupSetId", &set)])
        .await;
    let task = id(&made, "BackupSetDownloadTaskId");
    let row = async || {
        let body = dbs
            .good(
                "DescribeBackupSetDownloadTaskList",
                &[("BackupSetDownloadTaskId", &task)],
            )
            .await;
        rows(&body, "BackupSetDownloadTaskDetail").remove(0)
    };
    assert_eq!(row().await["BackupSetDownloadStatus"], "checking");
    dbs.advance(16);
    assert_eq!(row().await["BackupSetDownloadStatus"], "running");
    dbs.advance(600);
    let done = row().await;
    assert_eq!(done["BackupSetDownloadStatus"], "finish");
    assert_eq!(done["BackupSetJobType"], "cbs_backup_sub_full");
    assert!(
        done["BackupSetDownloadInternetUrl"]
            .as_str()
            .expect("text")
            .starts_with("https://")
    );
    dbs.refused(
        "CreateFullBackupSetDownload",
        &[("BackupSetId", "1nosuch")],
        400,
        "InvalidParameterValid",
    )
    .await;
    let range = dbs
        .good(
            "DescribeRestoreRangeInfo",
            &[
                ("BackupPlanId", &plan),
                ("BeginTimestampForRestore", "0"),
                ("EndTimestampForRestore", "9999999999999"),
            ],
        )
        .await;
    let range = &rows(&range, "DBSRecoverRange")[0];
    assert_eq!(
        range["FullBackupList"]["FullBackupDetail"][0]["BackupSetId"],
        set.as_str()
    );
    assert!(["point", "range"].contains(&range["RangeType"].as_str().expect("text")));
    dbs.good("DescribeDLAService", &[("BackupPlanId", &plan)])
        .await;
}
