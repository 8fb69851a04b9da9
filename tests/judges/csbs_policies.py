"""CSBS by otcextensions: policies and their runs, tags, replication, and what stands before every call."""

import re

from csbs_client import CHECKPOINTS, PROVIDER, SERVER

PATTERN = (
    "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nRRULE:FREQ=DAILY;BYHOUR={hour};BYMINUTE=30\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
START = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$")
NOBODY = "11111111-2222-3333-4444-555555555555"
DAY = 24 * 3600


def body_of(name, servers, enabled=True):
    """A policy as it is created."""
    operation = {
        "name": "nightly",
        "enabled": enabled,
        "operation_type": "backup",
        "operation_definition": {"max_backups": 20, "retention_duration_days": -1, "permanent": False},
        "trigger": {"properties": {"pattern": PATTERN.format(hour="1,13")}},
    }
    return {
        "policy": {
            "name": name,
            "description": "a judge's",
            "provider_id": PROVIDER,
            "parameters": {"common": {}},
            "resources": [{"id": server, "type": SERVER, "name": f"name-{server[:4]}"} for server in servers],
            "scheduled_operations": [operation],
        }
    }


def free(client, number):
    """Servers that can be backed up and that no policy holds."""
    policies = client.call("get", "/policies").json()["policies"]
    bound = {resource["id"] for policy in policies for resource in policy["resources"]}
    servers = [server for server in client.healthy() if server not in bound]
    if len(servers) < number:
        servers = [server["id"] for server in client.servers() if server["id"] not in bound]
        servers = [verdict["resource_id"] for verdict in client.protectable(*servers) if verdict["result"]]
    if len(servers) >= number:
        return servers[:number]
    # None is free: take them out of the policies that hold them.
    for policy in policies:
        client.call("put", f"/policies/{policy['id']}", {"policy": {"resources": []}})
    return client.healthy(number)


def changing(client):
    """A policy is made, read, changed."""
    checks = client.checks
    server, other = free(client, 2)
    name = client.name("policy")
    made = client.good("a policy is made", "post", "/policies", body_of(name, [server]))["policy"]
    path = f"/policies/{made['id']}"
    checks.equal("with its name and description", (made["name"], made["description"]), (name, "a judge's"))
    checks.equal("its status is suspended although it is on", made["status"], "suspended")
    operation = made["scheduled_operations"][0]
    checks.equal("its schedule is on", operation["enabled"], True)
    trigger = operation["trigger"]
    checks.equal("its trigger is a default time trigger", (trigger["name"], trigger["type"]), ("default", "time"))
    checks.equal("with the pattern asked for", trigger["properties"]["pattern"], PATTERN.format(hour="1,13"))
    checks.true(
        "and a start time with a space", START.match(trigger["properties"]["start_time"]), trigger["properties"]
    )
    checks.equal("the trigger's id stands twice", operation["trigger_id"], trigger["id"])
    definition = operation["operation_definition"]
    checks.equal(
        "its definition names the policy", (definition["plan_id"], definition["provider_id"]), (made["id"], PROVIDER)
    )
    checks.equal(
        "and what to keep", (int(definition["max_backups"]), int(definition["retention_duration_days"])), (20, -1)
    )
    checks.equal("its servers", [row["id"] for row in made["resources"]], [server])

    shown = client.good("it is shown", "get", path)["policy"]
    for key in ("id", "name", "description", "status", "resources", "created_at"):
        checks.equal(f"with the same {key}", shown[key], made[key])
    listed = client.good("it is found by name", "get", f"/policies?name={name}")["policies"]
    checks.equal("exactly", [row["id"] for row in listed], [made["id"]])
    everything = client.good("it is among all", "get", "/policies")["policies"]
    checks.true("of them", made["id"] in {row["id"] for row in everything}, "it is not")
    ids = [row["id"] for row in everything]
    page = client.good("pages by marker", "get", f"/policies?limit=1&marker={ids[0]}")["policies"]
    checks.equal("go on behind it", [row["id"] for row in page], ids[1:2])

    def update(what, change):
        return client.good(what, "put", path, {"policy": change})["policy"]

    update("it is switched off", {"scheduled_operations": [{"id": operation["id"], "enabled": False}]})
    off = client.call("get", path).json()["policy"]
    checks.equal(
        "it is off and has kept its name", (off["scheduled_operations"][0]["enabled"], off["name"]), (False, name)
    )
    checks.equal("and its status", off["status"], "suspended")
    update("it is renamed", {"name": f"{name}-new"})
    still = client.call("get", path).json()["policy"]
    checks.equal(
        "that changes nothing else",
        (still["name"], [row["id"] for row in still["resources"]]),
        (f"{name}-new", [server]),
    )
    update("an update without enabled", {"scheduled_operations": [{"id": operation["id"]}]})
    on = client.call("get", path).json()["policy"]["scheduled_operations"][0]["enabled"]
    checks.equal("switches it on, as documented", on, True)
    pair = [{"id": each, "type": SERVER, "name": "x"} for each in (server, other)]
    update("a server is bound", {"resources": pair})
    bound = client.call("get", path).json()["policy"]["resources"]
    checks.equal("now there are two", sorted(row["id"] for row in bound), sorted([server, other]))
    client.refused(
        "a server belongs to one policy",
        400,
        "CSBS.6004",
        "post",
        "/policies",
        body_of(client.name("second"), [server]),
    )
    update("it is unbound", {"resources": pair[:1]})
    bound = client.call("get", path).json()["policy"]["resources"]
    checks.equal("now there is one", [row["id"] for row in bound], [server])
    return made["id"], server


def refusals(client, policy):
    """Policies that can't be."""
    name = client.call("get", f"/policies/{policy}").json()["policy"]["name"]
    client.refused("a name twice", 400, "CSBS.9007", "post", "/policies", body_of(name, []), "duplicate service name")
    for key in ("name", "provider_id", "parameters", "scheduled_operations", "resources"):
        lacking = body_of(client.name("lacking"), [])
        del lacking["policy"][key]
        client.refused(f"no {key}", 400, "CSBS.9001", "post", "/policies", lacking)
    bad = body_of(client.name("bad"), [])
    bad["policy"]["scheduled_operations"][0]["trigger"]["properties"]["pattern"] = "every night"
    client.refused("a pattern that is none", 400, "CSBS.9001", "post", "/policies", bad)
    client.refused("an unknown policy", 404, "CSBS.3000", "get", f"/policies/{NOBODY}", message="plan not found")
    client.refused(
        "to change an unknown one", 404, "CSBS.3000", "put", f"/policies/{NOBODY}", {"policy": {"name": "x"}}
    )
    client.refused("to delete an unknown one", 404, "CSBS.3000", "delete", f"/policies/{NOBODY}")
    quotas = client.sim.control("GET", "quotas", kind="csbs")
    before = next(row for row in quotas if row["name"] == "csbs.policies")
    client.sim.control("POST", "quotas", {"name": "csbs.policies", "limit": before["used"]}, kind="csbs")
    client.refused(
        "one too many", 400, "CSBS.0001", "post", "/policies", body_of(client.name("many"), []), "Service over limit"
    )
    client.sim.control("POST", "quotas", {"name": "csbs.policies", "limit": before["limit"]}, kind="csbs")


def running(client, policy, server):
    """A policy runs by hand and on its schedule."""
    checks = client.checks
    name = client.call("get", f"/policies/{policy}").json()["policy"]["name"]
    run = {"checkpoint": {"plan_id": policy, "parameters": {"auto_trigger": False}}}
    made = client.good("it is run now", "post", CHECKPOINTS, run)["checkpoint"]
    plan = made["protection_plan"]
    checks.equal("the run is the policy's", (made["status"], plan["id"], plan["name"]), ("protecting", policy, name))
    rows = client.of_checkpoint(made["id"])
    found = [(row["resource_id"], row["status"], row["extend_info"]["auto_trigger"]) for row in rows]
    checks.equal("its server is being backed up by hand", found, [(server, "protecting", False)])
    client.refused("not twice at once", 500, "CSBS.1001", "post", CHECKPOINTS, run, "The policy is executing backup.")
    client.until(rows[0]["id"], "available")
    of_policy = {row["id"] for row in client.items(f"?policy_id={policy}")}
    checks.true("the backup is found by the policy", rows[0]["id"] in of_policy, of_policy)
    narrow = {"checkpoint": {"plan_id": policy, "parameters": {"resources": [server]}}}
    made = client.good("it is run for one server", "post", CHECKPOINTS, narrow)["checkpoint"]
    rows = client.of_checkpoint(made["id"])
    checks.equal("only that one", [row["resource_id"] for row in rows], [server])
    client.until(rows[0]["id"], "available")
    lacking = {"checkpoint": {"plan_id": policy}}
    client.refused("parameters are required", 400, "CSBS.9001", "post", CHECKPOINTS, lacking)
    unknown = {"checkpoint": {"plan_id": NOBODY, "parameters": {}}}
    client.refused("an unknown policy can't run", 404, "CSBS.3000", "post", CHECKPOINTS, unknown)

    before = {row["id"] for row in client.items(f"?policy_id={policy}")}
    client.sim.advance(DAY)
    client.sim.advance(3600)
    new = [row for row in client.items(f"?policy_id={policy}") if row["id"] not in before]
    checks.true("within a day it fires by itself, twice", len(new) in (2, 3), f"{len(new)} runs")
    checks.equal("as automatic runs", {row["extend_info"]["auto_trigger"] for row in new}, {True})
    minutes = {row["created_at"][14:16] for row in new}
    checks.equal("at the minute of its pattern", minutes, {"30"})

    operation = client.call("get", f"/policies/{policy}").json()["policy"]["scheduled_operations"][0]["id"]
    client.call(
        "put", f"/policies/{policy}", {"policy": {"scheduled_operations": [{"id": operation, "enabled": False}]}}
    )
    before = {row["id"] for row in client.items(f"?policy_id={policy}")}
    client.sim.advance(DAY)
    new = [row["id"] for row in client.items(f"?policy_id={policy}") if row["id"] not in before]
    checks.equal("switched off it does not fire", new, [])
    client.set_server(server, state="error")
    client.refused(
        "nothing that can be backed up", 500, "CSBS.6032", "post", CHECKPOINTS, run, "plan has no resource backup"
    )
    client.set_server(server, state="active")


def deleting(client, policy):
    """A policy goes."""
    answer = client.call("delete", f"/policies/{policy}")
    client.checks.equal("a policy is deleted, with nothing to read", (answer.status_code, answer.text), (200, ""))
    client.refused("and gone", 404, "CSBS.3000", "get", f"/policies/{policy}")


def tags(client, kind, resource):
    """The six calls on tags, of backups or of policies."""
    checks = client.checks
    path = f"/{kind}/{resource}/tags"

    def now():
        rows = client.call("get", path).json()["tags"]
        return {row["key"]: row["value"] for row in rows}

    for old in now():
        client.call("delete", f"{path}/{old}")
    client.done(f"{kind}: a tag is added", "post", path, {"tag": {"key": "team", "value": "blue"}})
    client.done(f"{kind}: it is overwritten", "post", path, {"tag": {"key": "team", "value": "red"}})
    body = {"action": "create", "tags": [{"key": "tier", "value": "gold"}, {"key": "site", "value": ""}]}
    client.done(f"{kind}: two more at once", "post", f"{path}/action", body)
    checks.equal(f"{kind}: all three are there", now(), {"team": "red", "tier": "gold", "site": ""})
    body = {"action": "delete", "tags": [{"key": "tier"}, {"key": "never-was"}]}
    client.done(f"{kind}: one is taken off at once", "post", f"{path}/action", body)
    client.done(f"{kind}: one alone", "delete", f"{path}/site")
    client.refused(f"{kind}: a tag that isn't there", 404, "CSBS.7001", "delete", f"{path}/site")
    checks.equal(f"{kind}: one is left", now(), {"team": "red"})
    many = {"action": "create", "tags": [{"key": f"k{number}", "value": "v"} for number in range(10)]}
    client.refused(f"{kind}: more than ten", 400, "CSBS.7000", "post", f"{path}/action", many)
    client.refused(f"{kind}: a bad key", 400, "CSBS.9001", "post", path, {"tag": {"key": "a b", "value": "c"}})
    project = client.good(f"{kind}: the project's tags", "get", f"/{kind}/tags")["tags"]
    values = next((row["values"] for row in project if row["key"] == "team"), None)
    checks.true(f"{kind}: hold it with its values", values is not None and "red" in values, project)

    search = f"/{kind}/resource_instances/action"
    wanted = [{"key": "team", "values": ["red"]}]
    found = client.good(
        f"{kind}: a search", "post", search, {"action": "filter", "limit": "10", "offset": "0", "tags": wanted}
    )
    checks.equal(f"{kind}: finds it", [row["resource_id"] for row in found["resources"]], [resource])
    row = found["resources"][0]
    checks.equal(
        f"{kind}: counted, with its tags", (found["total_count"], row["tags"]), (1, [{"key": "team", "value": "red"}])
    )
    checks.true(f"{kind}: named and detailed", row["resource_name"] and row["resource_detail"], row)
    count = client.good(f"{kind}: a count", "post", search, {"action": "count", "tags": wanted})
    checks.equal(f"{kind}: gives nothing but the number", count, {"total_count": 1})
    none = client.good(f"{kind}: not_tags", "post", search, {"action": "filter", "not_tags": wanted})
    checks.true(
        f"{kind}: leaves it out", resource not in {row["resource_id"] for row in none["resources"]}, "it does not"
    )
    named = {"action": "filter", "matches": [{"key": "resource_name", "value": row["resource_name"]}]}
    found = client.good(f"{kind}: matches", "post", search, named)["resources"]
    checks.true(f"{kind}: finds it by its name", resource in {row["resource_id"] for row in found}, found[:1])
    both = {"action": "count", "limit": "10", "tags": wanted}
    client.refused(f"{kind}: limit with count", 400, "CSBS.9001", "post", search, both)
    client.done(f"{kind}: the last one goes", "delete", f"{path}/team")


def replication(client, item):
    """Replication: only Huawei's variant offers it."""
    capability = "/replication_capabilities"
    client.gateway("no replication here", 404, "APIGW.0101", "get", capability)
    client.sim.switch("csbs.variant", "huawei")
    regions = client.good("Huawei's variant tells the regions", "get", capability)["regions"]
    target = regions[0]["replication_destinations"][0]
    body = {"replication": {"destination_region": target, "destination_project_id": "0" * 32}}
    path = f"/providers/{PROVIDER}/checkpoint_items/{item}/replicate"
    made = client.good("a backup is replicated", "post", path, body)["replication"]
    said = (made["checkpoint_item_id"], made["destination_region"], made["source_region"])
    client.checks.equal("from here to there", said, (item, target, regions[0]["name"]))
    client.sim.advance(600)
    client.checks.equal("the backup is copied", client.item(item)["extend_info"]["copy_status"], "success")
    records = client.good("the records of what was copied", "get", "/replication_records")
    listed = {row["id"]: row["status"] for row in records["replication_records"]}
    client.checks.equal("hold it", listed, {made["replication_record_id"]: "success"})
    config = client.good("the project's settings", "get", "/protect_config")
    client.checks.equal("are the project's", config["project_id"], client.project)
    client.sim.switch("csbs.variant", "otc")


def before(client):
    """The gateway and the account, which stand before every call."""
    checks = client.checks
    bare = client.connection.session.get(
        client.sim.endpoint("csbs", client.project) + "/quotas", authenticated=False, raise_exc=False
    )
    checks.equal("no token", (bare.status_code, bare.json()["error_code"]), (401, "APIGW.0301"))
    checks.equal("no token: its keys", sorted(bare.json()), ["error_code", "error_msg", "request_id"])
    client.gateway("a path that nobody published", 404, "APIGW.0101", "get", "/tasks")
    other = client.connection.session.get(client.sim.endpoint("csbs", "0" * 32) + "/quotas", raise_exc=False)
    checks.equal("the project of another", other.status_code, 400)
    for word, status, code in (
        ("migrated", 400, "BackupService.4003"),
        ("new", 400, "BackupService.4008"),
        ("unverified", 403, "CSBS.9009"),
    ):
        client.sim.switch("csbs.account", word)
        client.refused(f"an account that is {word}", status, code, "get", "/policies")
    client.sim.switch("csbs.account", "active")
    client.sim.switch("gateway.rate_limit", 1)
    answers = [client.call("get", "/quotas") for _ in range(3)]
    last = answers[-1]
    checks.equal("too many requests", (last.status_code, last.json()["error_code"]), (429, "APIGW.0308"))
    client.sim.switch("gateway.rate_limit", 0)
    checks.equal("and then not", client.call("get", "/quotas").status_code, 200)


def renewal(client):
    """The connection outlives its token."""
    old = client.connection.session.get_token()
    client.sim.advance(DAY + 1)
    answer = client.call("get", "/quotas")
    client.checks.equal("a call a day later goes through", answer.status_code, 200)
    client.checks.true("with another token", client.connection.session.get_token() != old, "the old one")
