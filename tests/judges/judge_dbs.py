"""Judges the embedded DBS with the vendor's own clients: both signatures, every action, both error channels, plans and jobs."""

import dbs_jobs as jobs
from darabonba.exceptions import UnretryableException
from dbs_client import CALLS, REGION, Client
from sim import Sim


def signatures(client):
    """The same call in each generation's signature; a wrong secret, key or permission in each client's exception."""
    checks = client.checks
    current = client.call("DescribeRegions").to_map()
    older = client.call("DescribeRegions", client.older_signature).to_map()
    raw = client.raw("DescribeRegions")
    for body in (current, older, raw):
        body.pop("RequestId")
    checks.equal("the older signature", older, current)
    checks.equal("the older client", raw, current)
    name = "a b*c~d+e/f=g&h 中文"
    for what, one in [("current", client.current), ("older", client.older_signature)]:
        body = client.call("DescribeBackupPlanList", one, backup_plan_name=name, show_recover_time_range=True)
        checks.equal(f"odd letters, {what} signature", body.total_elements, 0)
    checks.equal(
        "odd letters, older client", client.raw("DescribeBackupPlanList", BackupPlanName=name)["TotalElements"], 0
    )
    wrong = client.make(access_key_secret="wrong")
    client.refused("a wrong secret", "SignatureDoesNotMatch", "DescribeRegions", wrong)
    wrong = client.make(access_key_secret="wrong", signature_algorithm="v2")
    client.refused("a wrong secret, older signature", "SignatureDoesNotMatch", "DescribeRegions", wrong)
    wrong = client.make(access_key_id="LTAInobody")
    client.refused("an unknown key", "InvalidAccessKeyId.NotFound", "DescribeRegions", wrong)
    reader = client.make(access_key_id="KEEPWATCHDEMOREADER0")
    plan = client.plans()[0].backup_plan_id
    client.refused("no permission", "Request.Forbidden", "StartBackupPlan", reader, backup_plan_id=plan)
    temporary = client.make(
        access_key_id="KEEPWATCHTEMPACCESS0",
        access_key_secret="keepwatch-demo-temporary-secret-key",
        security_token="keepwatch-demo-security-token",
    )
    checks.equal("temporary keys", client.call("DescribeRegions", temporary).success, True)


def lists(client):
    """Every list; and that the newer model holds all that the older client saw raw."""
    checks = client.checks
    plans = client.plans()
    checks.true("plans", len(plans) > 10, len(plans))
    words = {plan.backup_plan_status for plan in plans}
    checks.true("plan states", {"running", "pause", "stop", "init"} <= words, words)
    first = client.good("DescribeBackupPlanList")
    raw = client.raw("DescribeBackupPlanList")
    checks.equal("every field of a plan is in the model", raw["Items"], first.to_map()["Items"])
    one = next(plan for plan in plans if len(client.sets(plan.backup_plan_id)) > 3)
    for action in ["DescribeFullBackupList", "DescribeIncrementBackupList", "DescribeRestoreTaskList"]:
        body = client.good(action, backup_plan_id=one.backup_plan_id)
        raw = client.raw(action, BackupPlanId=one.backup_plan_id)
        checks.equal(f"{action}: every field is in the model", raw["Items"], body.to_map()["Items"])
    client.good("DescribeBackupSetDownloadTaskList", backup_plan_id=one.backup_plan_id)
    client.good("DescribePreCheckProgressList", backup_plan_id=one.backup_plan_id)
    client.good(
        "DescribeRestoreRangeInfo",
        backup_plan_id=one.backup_plan_id,
        begin_timestamp_for_restore=0,
        end_timestamp_for_restore=9_999_999_999_999,
    )
    gateways = client.good("DescribeBackupGatewayList", region=REGION).items.backup_gateway
    checks.true(
        "a gateway's id is a text", isinstance(gateways[0].backup_gateway_id, str), gateways[0].backup_gateway_id
    )
    behind = [plan for plan in plans if plan.backup_gateway_id == int(gateways[0].backup_gateway_id)]
    checks.true("and a number in plans", bool(behind), "no plan behind it")
    task = client.good("CreateGetDBListFromAgentTask", backup_gateway_id=int(gateways[0].backup_gateway_id))
    names = client.good("GetDBListFromAgent", task_id=task.task_id)
    checks.true("databases behind it", bool(names.db_list.db_name), names.to_map())
    client.good("DescribeNodeCidrList", region=REGION)
    client.good("InitializeDbsServiceLinkedRole")


def channels(client):
    """An unknown plan in both channels; the clients raise in the first only. Throttling as each client takes it."""
    checks = client.checks
    unknown = {"backup_plan_id": "dbsnosuchplan000"}
    error = client.refused("an HTTP error", "InvalidParameterValid", "DescribeBackupPlanList", **unknown)
    checks.true("a client's error", error is not None and error.status_code == 400, vars(error) if error else None)
    client.raw_refused("the older client", "InvalidParameterValid", "DescribeBackupPlanList", BackupPlanId="dbsx")
    client.refused("a job", "InvalidJobId", "StartBackupPlan", **unknown)
    client.refused("a missing parameter", "MissingTaskId", "DescribeJobErrorCode")
    client.sim.switch("dbs.own_errors", "envelope")
    body = client.call("DescribeBackupPlanList", **unknown)
    checks.equal("HTTP 200", (body.success, body.err_code), (False, "InvalidParameterValid"))
    client.sim.switch("dbs.own_errors", "http")
    client.sim.switch("dbs.throttle_retry_after_ms", "250")
    client.sim.control("POST", "faults", {"fault": "status", "status": 429}, kind="dbs")
    error = client.refused("throttled", "Throttling.User", "DescribeRegions")
    checks.equal(
        "with its wait", (type(error).__name__, getattr(error, "retry_after", None)), ("ThrottlingException", 250)
    )
    client.sim.switch("dbs.throttle_retry_after_ms", "0")
    client.sim.control("POST", "faults", {"fault": "status", "status": 429}, kind="dbs")
    error = client.refused("throttled without one", "Throttling.User", "DescribeRegions")
    checks.equal("is a client's error", type(error).__name__, "ClientException")
    client.sim.control("POST", "faults", {"fault": "html", "status": 503}, kind="dbs")
    checks.raises("a page of HTML", UnretryableException, lambda: client.call("DescribeRegions"), lambda _: None)


def everything(client):
    """Every action that the client knows was called."""
    client.checks.equal("no action was left out", sorted(set(CALLS.values()) - client.called), [])
    client.checks.equal("there are 36", len(CALLS), 36)


def main():
    """All parts; what fails takes only its own part with it."""
    with Sim(["dbs"], "--tasks", "400", "--devices", "48") as sim:
        client = Client(sim)
        step = client.checks.step
        step("signatures", lambda: signatures(client))
        step("lists", lambda: lists(client))
        step("channels", lambda: channels(client))
        plan = step("a plan", lambda: jobs.running_plan(client))
        if plan:
            done = step("full backup", lambda: jobs.full(client, plan))
            step("failing", lambda: jobs.failing(client, plan))
            if done:
                step("restore", lambda: jobs.restore(client, plan, done))
                step("downloads", lambda: jobs.downloads(client, plan.backup_plan_id, done))
            step("stopping", lambda: jobs.stopping(client, plan))
            step("making", lambda: jobs.making(client, plan))
        step("every action", lambda: everything(client))
    client.checks.close()


if __name__ == "__main__":
    main()
