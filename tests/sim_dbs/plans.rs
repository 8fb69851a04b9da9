//! Plans: their states, what starts, stops, changes and ends them.

use serde_json::{Value, json};

use crate::client::{Dbs, id, rows};

#[tokio::test]
async fn a_fleet_shows_every_state_and_odd_types() {
    let dbs = Dbs::calm().await;
    let plans = dbs.plans().await;
    for status in ["running", "init", "pause", "stop", "locked", "check_pass"] {
        assert!(
            plans.iter().any(|plan| plan["BackupPlanStatus"] == status),
            "{status}"
        );
    }
    let behind = plans
        .iter()
        .find(|plan| plan["BackupGatewayId"] != 0)
        .expect("an agent plan");
    assert_eq!(behind["SourceEndpointInstanceType"], "agent");
    assert!(behind["SourceEndpointPort"].is_string());
    // A number in plans, a text in the list of gateways; the identifier joins them.
    let gateways = dbs
        .good("DescribeBackupGatewayList", &[("Region", "cn-hangzhou")])
        .await;
    let gateway = &rows(&gateways, "BackupGateway")[0];
    assert_eq!(
        gateway["BackupGatewayId"],
        behind["BackupGatewayId"].to_string()
    );
    assert_eq!(gateway["Identifier"], behind["BackupGatewayIdentifier"]);
    assert_eq!(gateway["BackupGatewayStatus"], "ONLINE");
    // JSON inside a text.
    let objects: Value =
        serde_json::from_str(behind["BackupObjects"].as_str().expect("text")).expect("JSON");
    assert!(objects[0]["DBName"].is_string());
    assert!(behind["BackupPlanCreateTime"].as_i64().expect("ms") > 1_600_000_000_000);
    assert!(
        behind["BackupPeriod"]
            .as_str()
            .expect("days")
            .contains("Monday")
    );
    dbs.switch("dbs.period_case", "upper");
    dbs.switch("dbs.new_fields", "off");
    let plan = dbs.plan(&id(behind, "BackupPlanId")).await;
    assert!(
        plan["BackupPeriod"]
            .as_str()
            .expect("days")
            .contains("MONDAY")
    );
    assert!(
        plan.get("BackupGatewayIdentifier").is_none() && plan.get("BackupPlanRegion").is_none()
    );
    assert!(plan.get("SourceEndpointIpPort").is_some());
}

#[tokio::test]
async fn lists_filter_as_documented() {
    let dbs = Dbs::calm().await;
    let plans = dbs.plans().await;
    let count = |wanted: &dyn Fn(&Value) -> bool| plans.iter().filter(|plan| wanted(plan)).count();
    for (name, value, expected) in [
        (
            "BackupPlanStatus",
            "running",
            count(&|p| p["BackupPlanStatus"] == "running"),
        ),
        (
            "Region",
            "cn-shanghai",
            count(&|p| p["BackupPlanRegion"] == "cn-shanghai"),
        ),
        (
            "BackupMethod",
            "physical",
            count(&|p| p["BackupMethod"] == "physical"),
        ),
        ("ResourceGroupId", "nosuch", 0),
    ] {
        let body = dbs.good("DescribeBackupPlanList", &[(name, value)]).await;
        assert_eq!(body["TotalElements"], expected, "{name}={value}");
    }
    let two = format!(
        "{},{}",
        id(&plans[0], "BackupPlanId"),
        id(&plans[1], "BackupPlanId")
    );
    let body = dbs
        .good("DescribeBackupPlanList", &[("BackupPlanId", &two)])
        .await;
    assert_eq!(body["TotalElements"], 2);
    dbs.refused(
        "DescribeBackupPlanList",
        &[("BackupPlanStatus", "stopped")],
        400,
        "InvalidParameterValid",
    )
    .await;
}

#[tokio::test]
async fn stop_all_pauses_the_jobs_too_and_stop_plan_only_the_schedule() {
    let dbs = Dbs::calm().await;
    let plan = dbs.plan_that_is("running", "rds").await;
    let plan_id = id(&plan, "BackupPlanId");
    let start = [("BackupPlanId", plan_id.as_str())];
    let set = dbs.backed_up(&plan_id).await;
    let restore = dbs
        .good(
            "CreateRestoreTask",
            &[
                ("BackupPlanId", &plan_id),
                ("RestoreTaskName", "drill"),
                ("BackupSetId", &set),
                ("DestinationEndpointInstanceType", "RDS"),
                (
                    "DestinationEndpointInstanceID",
                    plan["SourceEndpointInstanceID"].as_str().expect("id"),
                ),
                ("DestinationEndpointRegion", "cn-hangzhou"),
            ],
        )
        .await;
    let restore = id(&restore, "RestoreTaskId");
    dbs.advance(20);
    dbs.good("StartRestoreTask", &[("RestoreTaskId", &restore)])
        .await;
    dbs.good("StartBackupPlan", &start).await;
    let stop = |method| [("BackupPlanId", plan_id.as_str()), ("StopMethod", method)];
    dbs.refused(
        "StopBackupPlan",
        &stop("TASK"),
        400,
        "InvalidParameterValid",
    )
    .await;
    dbs.good("StopBackupPlan", &stop("PLAN")).await;
    assert_eq!(dbs.plan(&plan_id).await["BackupPlanStatus"], "pause");
    assert_eq!(dbs.sets(&plan_id).await[0]["BackupStatus"], "schedule");
    assert_eq!(dbs.restore(&restore).await["RestoreStatus"], "running");
    dbs.good("StopBackupPlan", &stop("ALL")).await;
    assert_eq!(dbs.sets(&plan_id).await[0]["BackupStatus"], "pause");
    assert_eq!(dbs.restore(&restore).await["RestoreStatus"], "pause");
    dbs.advance(100_000);
    let sets = dbs.sets(&plan_id).await;
    assert_eq!((sets.len(), &sets[0]["BackupStatus"]), (2, &json!("pause")));
    let started = dbs.good("StartBackupPlan", &start).await;
    assert_eq!(dbs.plan(&plan_id).await["BackupPlanStatus"], "running");
    let sets = dbs.sets(&plan_id).await;
    assert_eq!(
        (sets.len(), &sets[0]["BackupSetId"]),
        (3, &started["CreatedFullBackupsetId"])
    );
    assert_eq!(sets[0]["BackupStatus"], "schedule");
    assert_eq!(dbs.counted("dbs.plan.stopped_all"), 1);
}

#[tokio::test]
async fn starting_a_running_plan_is_a_switch() {
    let dbs = Dbs::calm().await;
    let plan = id(&dbs.plan_that_is("running", "").await, "BackupPlanId");
    let start = [("BackupPlanId", plan.as_str())];
    dbs.switch("dbs.start_running", "refuse");
    let body = dbs
        .refused("StartBackupPlan", &start, 400, "InvalidParameter")
        .await;
    assert_eq!(body["Message"], "This backupPlan can't support this action");
    dbs.switch("dbs.start_running", "nothing");
    assert!(
        dbs.good("StartBackupPlan", &start)
            .await
            .get("CreatedFullBackupsetId")
            .is_none()
    );
    assert!(dbs.sets(&plan).await.is_empty());
    dbs.switch("dbs.start_running", "extra");
    dbs.good("StartBackupPlan", &start).await;
    assert_eq!(dbs.sets(&plan).await.len(), 1);
    dbs.refused("StartBackupPlan", &start, 400, "InvalidParameter")
        .await;
}

#[tokio::test]
async fn a_new_plan_that_never_brings_a_backup_home_fails() {
    let dbs = Dbs::calm().await;
    let instance = dbs.plan_that_is("running", "rds").await;
    let instance = instance["SourceEndpointInstanceID"]
        .as_str()
        .expect("id")
        .to_owned();
    let source = dbs.control("GET", "dbs", Value::Null);
    let source = source["sources"]
        .as_array()
        .expect("sources")
        .iter()
        .find(|source| source["instance"] == instance.as_str())
        .expect("the source")
        .clone();
    let name = source["name"].as_str().expect("a name");
    let params = [
        ("BackupMethod", "logical"),
        ("BackupPlanName", "new"),
        ("DatabaseType", "MySQL"),
        ("InstanceClass", "small"),
        ("PayType", "postpay"),
        ("SourceEndpointInstanceType", "RDS"),
        ("SourceEndpointInstanceID", &instance),
        ("SourceEndpointRegion", "cn-hangzhou"),
        ("SourceEndpointUserName", "u"),
        ("SourceEndpointPassword", "p"),
    ];
    dbs.refused(
        "CreateAndStartBackupPlan",
        &params[..8],
        400,
        "MissingSourceEndpointUserName",
    )
    .await;
    let plan = dbs.good("CreateAndStartBackupPlan", &params).await;
    assert_eq!(plan["CreateBackupSet"], true);
    let plan = id(&plan, "BackupPlanId");
    let check = dbs
        .good("DescribePreCheckProgressList", &[("BackupPlanId", &plan)])
        .await;
    assert_eq!(check["Status"], "running");
    dbs.advance(16);
    let check = dbs
        .good("DescribePreCheckProgressList", &[("BackupPlanId", &plan)])
        .await;
    assert_eq!(
        (&check["Status"], &check["Progress"]),
        (&json!("finish"), &json!(100))
    );
    assert_eq!(dbs.plan(&plan).await["BackupPlanStatus"], "running");
    dbs.control(
        "POST",
        &format!("dbs/sources/{name}"),
        json!({"down": true}),
    );
    dbs.advance(2000);
    let shown = dbs.plan(&plan).await;
    assert_eq!(shown["BackupPlanStatus"], "stop");
    assert!(
        shown["ErrMessage"]
            .as_str()
            .expect("text")
            .contains("ConnectException")
    );
    let set = dbs.sets(&plan).await.remove(0);
    assert_eq!(
        (&set["BackupStatus"], &set["StorageMethod"]),
        (&json!("stop"), &json!("UNKNOWN"))
    );
    // Starting it again checks first: init while the database is away, running once it is back.
    let start = [("BackupPlanId", plan.as_str())];
    dbs.good("StartBackupPlan", &start).await;
    dbs.advance(16);
    assert_eq!(dbs.plan(&plan).await["BackupPlanStatus"], "init");
    let check = dbs
        .good("DescribePreCheckProgressList", &[("BackupPlanId", &plan)])
        .await;
    assert_eq!(check["Status"], "failed");
    let item = &rows(&check, "PreCheckProgressDetail")[0];
    assert_eq!(
        (&item["State"], &item["OrderNum"]),
        (&json!("catched"), &json!("1"))
    );
    dbs.control(
        "POST",
        &format!("dbs/sources/{name}"),
        json!({"down": false}),
    );
    dbs.good("StartBackupPlan", &start).await;
    dbs.advance(1000);
    assert_eq!(dbs.plan(&plan).await["BackupPlanStatus"], "running");
    assert_eq!(dbs.sets(&plan).await[0]["BackupStatus"], "finish");
}

#[tokio::test]
async fn only_pay_as_you_go_plans_can_be_released_and_then_they_are_gone() {
    let dbs = Dbs::calm().await;
    let mut kinds = std::collections::BTreeMap::new();
    for plan in dbs.plans().await {
        let plan_id = id(&plan, "BackupPlanId");
        let billing = dbs
            .good("DescribeBackupPlanBilling", &[("BackupPlanId", &plan_id)])
            .await;
        let kind = id(&billing["Item"], "BuyChargeType");
        assert_eq!(plan["InstanceChargeType"], kind.as_str());
        if plan["BackupPlanStatus"] == "running" {
            kinds.insert(kind, plan_id);
        }
    }
    dbs.refused(
        "ReleaseBackupPlan",
        &[("BackupPlanId", &kinds["PREPAY"])],
        400,
        "InvalidParameter",
    )
    .await;
    let gone = [("BackupPlanId", kinds["POSTPAY"].as_str())];
    dbs.good("ReleaseBackupPlan", &gone).await;
    dbs.refused("ReleaseBackupPlan", &gone, 400, "InvalidJobId")
        .await;
    dbs.refused("DescribeBackupPlanBilling", &gone, 400, "InvalidJobId")
        .await;
    dbs.refused(
        "DescribeBackupPlanList",
        &gone,
        400,
        "InvalidParameterValid",
    )
    .await;
    dbs.refused(
        "DescribeFullBackupList",
        &gone,
        400,
        "InvalidParameterValid",
    )
    .await;
}

#[tokio::test]
async fn an_edit_that_needs_a_precheck_holds_the_plan_until_it_is_started() {
    let dbs = Dbs::calm().await;
    let plan = id(&dbs.plan_that_is("running", "").await, "BackupPlanId");
    let fires = || dbs.control("GET", &format!("dbs/plans/{plan}"), Value::Null)["fires"].clone();
    let name = [
        ("BackupPlanId", plan.as_str()),
        ("BackupPlanName", "renamed"),
    ];
    assert!(
        dbs.good("ModifyBackupPlanName", &name)
            .await
            .get("NeedPrecheck")
            .is_none()
    );
    let times = [
        ("BackupPlanId", plan.as_str()),
        ("BackupPeriod", "Sunday"),
        ("BackupStartTime", "03:15"),
    ];
    assert_eq!(
        dbs.good("ModifyBackupStrategy", &times).await["NeedPrecheck"],
        false
    );
    // 5 March 2026 is a Thursday.
    let next = dbs.control("GET", &format!("dbs/plans/{plan}"), Value::Null);
    assert_eq!(next["next"], "2026-03-08T03:15:00Z");
    let objects = [
        ("BackupPlanId", plan.as_str()),
        ("BackupObjects", "[{\"DBName\":\"other\"}]"),
    ];
    assert_eq!(
        dbs.good("ModifyBackupObjects", &objects).await["NeedPrecheck"],
        true
    );
    assert_eq!(fires(), false);
    dbs.advance(4 * 86_400);
    assert!(dbs.sets(&plan).await.is_empty());
    dbs.good("StartBackupPlan", &[("BackupPlanId", &plan)])
        .await;
    dbs.advance(16);
    assert_eq!(fires(), true);
    assert_eq!(dbs.plan(&plan).await["BackupPlanName"], "renamed");
    let bad = [("BackupPlanId", plan.as_str()), ("BackupObjects", "orders")];
    dbs.refused("ModifyBackupObjects", &bad, 400, "InvalidParameterValid")
        .await;
    let storage = |ia| {
        [
            ("BackupPlanId", plan.as_str()),
            ("BackupRetentionPeriod", "300"),
            ("DuplicationInfrequentAccessPeriod", ia),
            ("DuplicationArchivePeriod", "200"),
        ]
    };
    assert_eq!(
        dbs.good("ModifyStorageStrategy", &storage("90")).await["NeedPrecheck"],
        false
    );
    dbs.refused(
        "ModifyStorageStrategy",
        &storage("250"),
        400,
        "InvalidParameterValid",
    )
    .await;
}

#[tokio::test]
async fn a_subscription_that_is_over_locks_the_plan_until_it_is_renewed() {
    let dbs = Dbs::calm().await;
    let plan = dbs
        .plans()
        .await
        .into_iter()
        .find(|plan| {
            plan["BackupPlanStatus"] == "running" && plan["InstanceChargeType"] == "PREPAY"
        })
        .expect("one");
    let days = (plan["InstanceExpiredTimestamp"].as_i64().expect("ms")
        - plan["BackupPlanCreateTime"].as_i64().expect("ms"))
        / 86_400_000;
    let plan = id(&plan, "BackupPlanId");
    dbs.advance(u64::try_from(days).expect("ahead") * 86_400);
    assert_eq!(dbs.plan(&plan).await["BackupPlanStatus"], "locked");
    let one = [("BackupPlanId", plan.as_str())];
    assert_eq!(
        dbs.good("DescribeBackupPlanBilling", &one).await["Item"]["IsExpired"],
        true
    );
    dbs.refused("StartBackupPlan", &one, 400, "InvalidParameter")
        .await;
    dbs.good(
        "RenewBackupPlan",
        &[
            ("BackupPlanId", &plan),
            ("Period", "Month"),
            ("UsedTime", "2"),
        ],
    )
    .await;
    dbs.good("StartBackupPlan", &one).await;
    assert_eq!(dbs.plan(&plan).await["BackupPlanStatus"], "running");
}

#[tokio::test]
async fn gateways_are_asked_by_region_and_tell_what_is_behind_them() {
    let dbs = Dbs::calm().await;
    let body = dbs
        .good(
            "DescribeBackupGatewayList",
            &[("Region", "cn-shanghai-finance")],
        )
        .await;
    assert_eq!(body["TotalElements"], 0);
    let body = dbs
        .good("DescribeBackupGatewayList", &[("Region", "cn-hangzhou")])
        .await;
    let gateway = rows(&body, "BackupGateway").remove(0);
    let host = gateway["SourceEndpointHostname"]
        .as_str()
        .expect("a name")
        .to_owned();
    dbs.control(
        "POST",
        &format!("servers/{host}"),
        json!({"state": "stopped"}),
    );
    let body = dbs
        .good("DescribeBackupGatewayList", &[("Region", "cn-hangzhou")])
        .await;
    assert_eq!(
        rows(&body, "BackupGateway")[0]["BackupGatewayStatus"],
        "OFFLINE"
    );
    let number = gateway["BackupGatewayId"].as_str().expect("text");
    let task = dbs
        .good(
            "CreateGetDBListFromAgentTask",
            &[("BackupGatewayId", number)],
        )
        .await["TaskId"]
        .to_string();
    let names = dbs.good("GetDBListFromAgent", &[("TaskId", &task)]).await;
    assert!(
        !names["DbList"]["dbName"]
            .as_array()
            .expect("names")
            .is_empty()
    );
    dbs.good("DescribeNodeCidrList", &[("Region", "cn-hangzhou")])
        .await;
}
