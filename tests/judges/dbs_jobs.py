"""What happens to plans and jobs of the embedded DBS, watched through the vendor's client."""


def running_plan(client):
    """A running plan of a managed database with a log."""
    return next(
        plan
        for plan in client.plans(backup_plan_status="running")
        if plan.source_endpoint_instance_type == "rds" and plan.enable_backup_log
    )


def full(client, plan):
    """A full backup, started once however often the token comes; its id."""
    checks, plan_id = client.checks, plan.backup_plan_id
    token = {"backup_plan_id": plan_id, "client_token": "judge-1"}
    started = client.sim.counted("dbs.full.started")
    first = client.good("StartBackupPlan", **token)
    again = client.good("StartBackupPlan", **token)
    checks.equal("the token's second answer", again.created_full_backupset_id, first.created_full_backupset_id)
    checks.equal("one backup of two calls", client.sim.counted("dbs.full.started") - started, 1)
    row = client.sets(plan_id)[0]
    checks.equal("its row", (row.backup_set_id, row.backup_status), (first.created_full_backupset_id, "schedule"))
    client.sim.advance(80)
    row = client.sets(plan_id)[0]
    checks.equal("runs", row.backup_status, "running")
    checks.true("progress", 0 < row.logical_full_backup_progress < 100, f"got {row.logical_full_backup_progress}")
    client.sim.advance(900)
    row = client.sets(plan_id)[0]
    checks.equal("ends", (row.backup_status, row.storage_method), ("finish", "Standard"))
    return row.backup_set_id


def failing(client, plan):
    """A full backup whose database is away: stop, and DescribeJobErrorCode says why."""
    checks, plan_id = client.checks, plan.backup_plan_id
    source = client.source(plan)
    client.good("StartBackupPlan", backup_plan_id=plan_id)
    client.sim.control("POST", source, {"down": True}, kind="dbs")
    client.sim.advance(900)
    row = client.sets(plan_id)[0]
    checks.equal("stop means failed", row.backup_status, "stop")
    english = client.good("DescribeJobErrorCode", task_id=row.backup_set_id).item
    chinese = client.good("DescribeJobErrorCode", task_id=row.backup_set_id, language="cn").item
    checks.equal("the job's code", (english.error_code, english.language, chinese.language), ("failed", "en", "cn"))
    checks.true("two languages", english.error_message != chinese.error_message, english.error_message)
    client.sim.control("POST", source, {"down": False}, kind="dbs")
    client.sim.advance(3600)
    increments = client.good("DescribeIncrementBackupList", backup_plan_id=plan_id).items.increment_backup_file
    words = {row.backup_status for row in increments}
    checks.true(
        "increments", {"COMPLETED", "UNCOMPLETED"} <= words <= {"INIT", "FILLING", "COMPLETED", "UNCOMPLETED"}, words
    )


def restore(client, plan, set_id):
    """A restore: created, checked, started, done."""
    checks = client.checks
    made = client.good(
        "CreateRestoreTask",
        backup_plan_id=plan.backup_plan_id,
        restore_task_name="judge",
        backup_set_id=set_id,
        restore_objects='[{"DBName":"a","NewDBName":"b"}]',
        destination_endpoint_instance_type="RDS",
        destination_endpoint_instance_id=plan.source_endpoint_instance_id,
        destination_endpoint_region="cn-hangzhou",
    )
    task = made.restore_task_id
    checks.equal("only created", client.restore(task).restore_status, "init")
    client.refused("too early", "InvalidParameter", "StartRestoreTask", restore_task_id=task)
    client.sim.advance(16)
    checks.equal("checked", client.restore(task).restore_status, "check_pass")
    check = client.good("DescribePreCheckProgressList", restore_task_id=task)
    checks.equal("its check", (check.status, check.progress), ("finish", 100))
    client.good("StartRestoreTask", restore_task_id=task)
    client.sim.advance(60)
    row = client.restore(task)
    checks.equal("runs", (row.restore_status, row.full_strufore_restore_progress), ("running", 100))
    client.sim.advance(600)
    checks.equal("done", client.restore(task).restore_status, "finish")


def stopping(client, plan):
    """PLAN pauses the schedule, ALL the jobs too; a start goes on with a new full backup."""
    checks, plan_id = client.checks, plan.backup_plan_id
    client.good("StartBackupPlan", backup_plan_id=plan_id)
    client.good("StopBackupPlan", backup_plan_id=plan_id, stop_method="PLAN")
    checks.equal(
        "the schedule alone",
        (client.plan(plan_id).backup_plan_status, client.sets(plan_id)[0].backup_status),
        ("pause", "schedule"),
    )
    client.good("StopBackupPlan", backup_plan_id=plan_id, stop_method="ALL")
    checks.equal("the jobs too", client.sets(plan_id)[0].backup_status, "pause")
    body = client.good("StartBackupPlan", backup_plan_id=plan_id)
    checks.equal(
        "goes on",
        (client.plan(plan_id).backup_plan_status, client.sets(plan_id)[0].backup_set_id),
        ("running", body.created_full_backupset_id),
    )
    client.sim.advance(900)


def downloads(client, plan_id, set_id):
    """A download, and its list."""
    made = client.good("CreateFullBackupSetDownload", backup_set_id=set_id)
    client.sim.advance(600)
    rows = client.good(
        "DescribeBackupSetDownloadTaskList", backup_set_download_task_id=made.backup_set_download_task_id
    )
    row = rows.items.backup_set_download_task_detail[0]
    log = client.call("DescribeIncrementBackupList", backup_plan_id=plan_id).items.increment_backup_file
    done = next(row for row in log if row.backup_status == "COMPLETED")
    client.good("CreateIncrementBackupSetDownload", backup_set_id=done.backup_set_id, backup_set_name="judge")
    client.checks.equal(
        "a download", (row.backup_set_download_status, row.backup_set_job_type), ("finish", "cbs_backup_sub_full")
    )


def making(client, plan):
    """A plan bought, configured, started, changed, upgraded and released."""
    checks = client.checks
    bought = client.good(
        "CreateBackupPlan", backup_method="logical", database_type="MySQL", instance_class="small", pay_type="postpay"
    )
    plan_id = bought.backup_plan_id
    checks.equal("bought", client.plan(plan_id).backup_plan_status, "wait")
    endpoint = {
        "source_endpoint_instance_type": "RDS",
        "source_endpoint_instance_id": plan.source_endpoint_instance_id,
        "source_endpoint_region": "cn-hangzhou",
        "source_endpoint_user_name": "judge",
        "source_endpoint_password": "judge",
    }
    client.good("ConfigureBackupPlan", backup_plan_id=plan_id, backup_plan_name="judge", **endpoint)
    client.sim.advance(16)
    checks.equal("configured", client.plan(plan_id).backup_plan_status, "check_pass")
    client.good("StartBackupPlan", backup_plan_id=plan_id)
    client.sim.advance(900)
    checks.equal("started", client.plan(plan_id).backup_plan_status, "running")
    one = {"backup_plan_id": plan_id}
    checks.equal(
        "renamed", client.good("ModifyBackupPlanName", backup_plan_name="judged", **one).backup_plan_id, plan_id
    )
    client.good("ModifyBackupStrategy", backup_period="MONDAY,Sunday", backup_start_time="03:15", **one)
    client.good(
        "ModifyStorageStrategy",
        backup_retention_period=300,
        duplication_infrequent_access_period=90,
        duplication_archive_period=200,
        **one,
    )
    client.good("ModifyBackupSetDownloadRules", open_auto_download=True, full_data_format="Native", **one)
    client.good("EnableBackupLog", **one)
    client.good("DisableBackupLog", **one)
    client.good("UpgradeBackupPlan", instance_class="large", **one)
    client.good("ModifyBackupSourceEndpoint", **endpoint, **one)
    body = client.good("ModifyBackupObjects", backup_objects='[{"DBName":"other"}]', **one)
    checks.equal("objects need a check", body.need_precheck, True)
    shown = client.plan(plan_id)
    checks.equal(
        "shown",
        (
            shown.backup_plan_name,
            shown.backup_period,
            shown.backup_start_time,
            shown.instance_class,
            shown.backup_retention_period,
        ),
        ("judged", "Monday,Sunday", "03:15", "large", 300),
    )
    checks.equal("billing", client.good("DescribeBackupPlanBilling", **one).item.buy_charge_type, "POSTPAY")
    client.good("DescribeDLAService", **one)
    client.good("ReleaseBackupPlan", **one)
    client.refused("released", "InvalidJobId", "ReleaseBackupPlan", **one)
    client.refused("no bill for it", "InvalidJobId", "DescribeBackupPlanBilling", **one)
    client.refused("not listed any more", "InvalidParameterValid", "DescribeBackupPlanList", **one)
    both = client.good(
        "CreateAndStartBackupPlan",
        backup_method="logical",
        backup_plan_name="judge-2",
        database_type="MySQL",
        instance_class="small",
        **endpoint,
    )
    client.sim.advance(1200)
    checks.equal("in one call", client.plan(both.backup_plan_id).backup_plan_status, "running")
    client.good("RenewBackupPlan", backup_plan_id=both.backup_plan_id, period="Month", used_time=1)
