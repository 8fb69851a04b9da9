"""SDRS by the vendor's SDK: the task center, tags, the batch calls, and what stands before every call."""

import re

from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException, ServerResponseException
from huaweicloudsdksdrs import v1
from sdrs_client import JOB_TIME, NOBODY, calls_of_sdk
from sdrs_protect import instance_body

REASON = re.compile(r"\w+Task-fail:.+")
KINDS = ("server_groups", "protected_instances", "replications", "disaster_recovery_drills")
FIELDS = (
    "job_status",
    "resource_id",
    "resource_name",
    "resource_type",
    "failure_status",
    "job_id",
    "job_type",
    "begin_time",
    "error_code",
    "fail_reason",
)


def failing(client, group):
    """What fails for a reason in the world: in the group, and of the group itself."""
    checks = client.checks
    zone = client.group(group).target_availability_zone
    server = client.free_servers(client.group(group).source_availability_zone)[0]
    client.behind("POST", "site", {"broken_storage": [zone]})
    body = instance_body(client, group, server)
    job = client.fails("an instance over broken storage", "EVS.2024", "create_protected_instance", body=body)
    client.behind("POST", "site", {"broken_storage": []})
    instance = job.entities.protected_instance_id
    checks.equal("is in error", client.instance(instance).status, "error")
    answer = client.call("list_failure_jobs", server_group_id=group)
    checks.equal("the task center counts", answer.count, len(answer.failure_jobs))
    row = answer.failure_jobs[0]
    checks.equal(
        "newest first: its row", (row.job_id, row.resource_id, row.failure_status), (job.job_id, instance, "createFail")
    )
    checks.true("has all ten fields", all(getattr(row, field) for field in FIELDS), row)
    said = (row.job_status, row.error_code, row.fail_reason)
    checks.equal("with what the job said", said, ("FAIL", "EVS.2024", job.fail_reason))
    checks.true("in the grammar of reasons", REASON.match(row.fail_reason), row.fail_reason)
    checks.equal(
        "its spelling is the sample's",
        (row.resource_type, row.job_type),
        ("protectedInstance", "createProtectedInstance"),
    )
    checks.true("its time too", JOB_TIME.match(row.begin_time), row.begin_time)
    without = {other.job_id for other in client.failed()}
    checks.true("without the group it is not listed", row.job_id not in without, "it is")
    for what, filters in {
        "failure_status": {"failure_status": "createFail"},
        "resource_type": {"resource_type": "protected_instances"},
        "resource_name": {"resource_name": row.resource_name},
    }.items():
        rows = client.failed(server_group_id=group, **filters)
        checks.true(f"found by {what}", row.job_id in {other.job_id for other in rows}, rows)
    rows = client.failed(server_group_id=group, failure_status="stopFail")
    checks.true("not by another status", row.job_id not in {other.job_id for other in rows}, rows)
    gone = v1.DeleteProtectedInstanceRequestBody()
    method = "delete_protected_instance"
    client.does("it is deleted", "deleteProtectedInstanceNoCG", method, protected_instance_id=instance, body=gone)
    again = client.does(
        "and made once the storage is mended", "createProtectedInstanceNoCG", "create_protected_instance", body=body
    )
    client.call("delete_failure_job", failure_job_id=row.job_id)
    left = {other.job_id for other in client.failed(server_group_id=group)}
    checks.true("its row is cleared by the job's id", row.job_id not in left, left)

    client.behind("POST", "site", {"link_down": True})
    job = client.fails("protection over a broken link", "SDRS.1027", **client.act(group, "start"))
    client.behind("POST", "site", {"link_down": False})
    checks.equal("the group says so", client.group(group).status, "error-starting")
    rows = [other for other in client.failed(failure_status="startFail") if other.job_id == job.job_id]
    found = [(other.resource_id, other.resource_type, other.job_type) for other in rows]
    checks.equal(
        "a failure of a group is listed without one", found, [(group, "protectionGroup", "startProtectionGroup")]
    )
    client.call("delete_failure_job", failure_job_id=group)
    left = {other.job_id for other in client.failed()}
    checks.true("its row is cleared by the resource's id too", job.job_id not in left, left)
    client.does("and protection is on once it is mended", "startProtectionGroupNoCG", **client.act(group, "start"))
    client.settle(group)
    client.does("and off", "stopProtectionGroupNoCG", **client.act(group, "stop"))
    end = {"protected_instance_id": again.entities.protected_instance_id, "body": gone}
    client.does("the new instance goes", "deleteProtectedInstanceNoCG", method, **end)


def clearing(client):
    """The past's failures, cleared by group and all at once."""
    checks = client.checks
    groups = client.call("list_protection_groups").server_groups
    inside = {group.id: client.failed(server_group_id=group.id) for group in groups}
    whole = [rows for rows in inside.values() if rows]
    checks.true("the past holds failures inside groups", whole, "none")
    group = next(key for key, rows in inside.items() if rows)
    kinds = {row.resource_type for rows in whole for row in rows}
    camel = {"protectionGroup", "protectedInstance", "replicationPair", "disasterRecoveryDrill"}
    checks.true("their kinds are spelled one way", kinds <= camel, kinds)
    total = sum(len(rows) for rows in inside.values())
    counted = sum(len(client.failed(server_group_id=each, resource_type=kind)) for each in inside for kind in KINDS)
    checks.equal("the filter by kind takes each once", counted, total)
    pages = [
        row.job_id
        for at in range(len(inside[group]))
        for row in client.failed(server_group_id=group, limit=1, offset=at)
    ]
    checks.equal("pages by offset", pages, [row.job_id for row in inside[group]])
    of_groups = client.failed()
    client.call("delete_server_group_failure_jobs", server_group_id=group)
    left = [row for row in client.failed(server_group_id=group) if row.resource_type != "protectionGroup"]
    checks.equal("one group is cleared", left, [])
    others = {key: [row.job_id for row in rows] for key, rows in inside.items() if key != group}
    now = {key: [row.job_id for row in client.failed(server_group_id=key)] for key in others}
    checks.equal("the others are not", now, others)
    checks.equal(
        "nor those of groups themselves", [row.job_id for row in client.failed()], [row.job_id for row in of_groups]
    )
    client.call("delete_all_server_group_failure_jobs")
    checks.equal("until they are cleared", client.failed(), [])
    now = {
        key: [row.job_id for row in client.failed(server_group_id=key) if row.resource_type != "protectionGroup"]
        for key in others
    }
    wanted = {key: [row.job_id for row in inside[key] if row.resource_type != "protectionGroup"] for key in others}
    checks.equal("which leaves those inside groups", now, wanted)
    client.refused("of an unknown group", 400, "SDRS.1013", "delete_server_group_failure_jobs", server_group_id=NOBODY)


def tags(client):
    """The seven calls on tags."""
    checks = client.checks
    first, second = client.call("list_protected_instances", limit=2).protected_instances
    who = {"protected_instance_id": first.id}

    def now():
        rows = client.call("list_protected_instance_tags", **who).tags
        return {row.key: row.value for row in rows}

    for key in now():
        client.call("delete_protected_instance_tag", key=key, **who)
    tag = v1.ResourceTag(key="team", value="red")
    client.call("add_protected_instance_tags", body=v1.ProtectedInstanceAddTagsRequestBody(tag=tag), **who)
    more = [v1.ResourceTag(key="tier", value="gold"), v1.ResourceTag(key="site", value="one")]
    client.call("batch_add_tags", body=v1.BatchAddTagsRequestBody(action="create", tags=more), **who)
    checks.equal("three tags", now(), {"team": "red", "tier": "gold", "site": "one"})
    fewer = [v1.DeleteResourceTag(key="tier"), v1.DeleteResourceTag(key="never-was")]
    client.call("batch_delete_tags", body=v1.BatchDeleteTagsRequestBody(action="delete", tags=fewer), **who)
    client.call("delete_protected_instance_tag", key="site", **who)
    checks.equal("one is left", now(), {"team": "red"})
    client.refused("a tag that isn't there", 404, "SDRS.2206", "delete_protected_instance_tag", key="site", **who)
    twice = v1.BatchAddTagsRequestBody(action="create", tags=[tag, tag])
    client.refused("a key twice", 400, "SDRS.2209", "batch_add_tags", body=twice, **who)
    project = client.call("list_protected_instances_project_tags").tags
    values = {row.key: row.values for row in project}
    checks.true("the project's tags hold it", "red" in (values.get("team") or []), values)

    def search(**wanted):
        body = v1.ListProtectedInstancesByTagsRequestBody(**wanted)
        return client.call("list_protected_instances_by_tags", body=body)

    red = [v1.TagParams(key="team", values=["red"])]
    found = search(action="filter", limit="10", offset="0", tags=red)
    checks.equal("a search finds it", [row.resource_id for row in found.resources], [first.id])
    checks.equal("with its detail", found.resources[0].resource_detail.server_group_id, first.server_group_id)
    left = {row.resource_id for row in search(action="filter", not_tags=red).resources}
    checks.true("not_tags leaves it out", first.id not in left and second.id in left, left)
    named = [v1.MatchParams(key="resource_name", value=first.name)]
    found = {row.resource_id for row in search(action="filter", matches=named).resources}
    checks.true("matches finds it by its name", first.id in found, found)
    count = search(action="count", tags=red)
    checks.true("a count gives a number alone", count.total_count >= 1 and count.resources is None, count)
    body = v1.ListProtectedInstancesByTagsRequestBody(action="count", limit="10", tags=red)
    client.refused("limit with count", 400, "SDRS.2211", "list_protected_instances_by_tags", body=body)
    client.call("delete_protected_instance_tag", key="team", **who)


def batches(client, group):
    """Many instances at once, and the trend that no console needs."""
    checks = client.checks
    servers = client.free_servers(client.group(group).source_availability_zone)[:2]
    prefix = client.name("batch")
    wanted = [v1.ServerInfo(server_id=server) for server in servers]
    params = v1.BatchCreateProtectedInstancesRequestParams(name_prefix=prefix, server_group_id=group, servers=wanted)
    body = v1.BatchCreateProtectedInstancesRequestBody(protected_instances=params)
    answer = client.call("batch_create_protected_instances", body=body)
    checks.equal("a batch is a 202", answer.status_code, 202)
    checks.equal("and succeeds", client.ended(answer).status, "SUCCESS")
    made = client.call("list_protected_instances", server_group_id=group, name=prefix).protected_instances
    checks.equal("an instance for each server", {row.source_server for row in made}, set(servers))
    names = sorted(row.name for row in made)
    checks.equal("numbered", names, [f"{prefix}-{number:04}" for number in range(1, len(servers) + 1)])
    rows = [v1.ResourceId(id=row.id) for row in made]
    twice = v1.BatchDeleteProtectedInstancesRequestBody(protected_instances=[rows[0], rows[0]])
    client.refused("an instance twice", 400, "SDRS.1363", "batch_delete_protected_instances", body=twice)
    answer = client.call(
        "batch_delete_protected_instances", body=v1.BatchDeleteProtectedInstancesRequestBody(protected_instances=rows)
    )
    checks.equal("all go at once", (answer.status_code, client.ended(answer).status), (202, "SUCCESS"))
    left = client.call("list_protected_instances", server_group_id=group, name=prefix).protected_instances
    checks.equal("and are gone", left, [])


def trend(client):
    """The one call that no console needs says so."""

    def looks(error):
        return None if error.status_code == 501 else f"{error.status_code} {error.error_code}"

    def ask():
        return client.call("list_rpo_statistics", limit=10)

    client.checks.raises("list_rpo_statistics is a clear 501", ServerResponseException, ask, looks)


def signatures(client):
    """Who signs wrongly is refused by the gateway."""
    account = client.account
    wrong = client.connect(account["access_key"], "not-the-key")
    client.refused("a wrong secret key", 401, "APIGW.0301", "show_quota", sdk=wrong)
    stranger = client.connect("NOBODYSACCESSKEY0000", account["secret_key"])
    client.refused("an unknown access key", 401, "APIGW.0301", "show_quota", sdk=stranger)
    keys = (account["temporary_access_key"], account["temporary_secret_key"])
    temporary = client.connect(*keys, token=account["security_token"])
    rows = client.call("show_quota", sdk=temporary).quotas.resources
    client.checks.equal("temporary keys with their token do", len(rows), 2)
    client.refused("without it they don't", 401, "APIGW.0301", "show_quota", sdk=client.connect(*keys))
    elsewhere = client.connect(account["access_key"], account["secret_key"], project="0" * 32)
    client.refused("the project of another", 400, "SDRS.0001", "show_quota", sdk=elsewhere)

    def looks(error):
        told = error.error_msg and error.request_id and error.request_id != "N/A"
        return None if told else f"{error.error_msg!r} {error.request_id!r}"

    def ask():
        return client.call("show_quota", sdk=wrong)

    client.checks.raises("the refusal has words and a request's id", ClientRequestException, ask, looks)


def shapes(client):
    """The SDK decodes every shape of refusal that the switches offer."""
    unknown = {"method": "show_protection_group", "server_group_id": NOBODY}
    client.sim.switch("sdrs.not_found", "404")
    client.refused("not found as a real 404", 404, "SDRS.1013", **unknown)
    client.sim.switch("sdrs.not_found", "400")
    client.sim.switch("sdrs.error_wrapper", "badrequest")
    client.refused("wrapped in badrequest", 400, "SDRS.1013", **unknown)
    client.sim.switch("sdrs.error_wrapper", "error")
    client.refused("wrapped in error", 400, "SDRS.1013", **unknown)


def everything(client):
    """No call of the SDK was left out."""
    client.checks.equal("the SDK has 49 calls", len(calls_of_sdk()), 49)
    client.checks.equal("each was made", sorted(calls_of_sdk() - client.called), [])
