"""CSBS by otcextensions: listing, backing up, failing, restoring and deleting."""

from csbs_client import CHECKPOINTS, PROVIDER, SERVER, TIME

STATUSES = {
    "waiting_protect",
    "protecting",
    "available",
    "waiting_restore",
    "restoring",
    "error",
    "waiting_delete",
    "deleting",
    "deleted",
}
ITEM = {
    "id",
    "checkpoint_id",
    "name",
    "status",
    "resource_id",
    "resource_type",
    "created_at",
    "updated_at",
    "tags",
    "backup_data",
    "extend_info",
}
EXTEND = {
    "auto_trigger",
    "average_speed",
    "copy_status",
    "fail_code",
    "fail_op",
    "fail_reason",
    "image_type",
    "incremental",
    "progress",
    "resource_az",
    "resource_name",
    "resource_type",
    "size",
    "volume_backups",
}
NOBODY = "11111111-2222-3333-4444-555555555555"
ACTION = f"/providers/{PROVIDER}/resources/action"


def listing(client):
    """The history: every row whole, filters, order, pages."""
    checks = client.checks
    rows = client.good("the backups are listed", "get", "/checkpoint_items")["checkpoint_items"]
    checks.true("there is a history", len(rows) >= 20, f"{len(rows)} rows")
    checks.true("every row has its keys", all(set(row) >= ITEM for row in rows), ITEM - set(rows[0]))
    missing = [EXTEND - set(row["extend_info"]) for row in rows if not set(row["extend_info"]) >= EXTEND]
    checks.true("and every extend_info", not missing, missing[:1])
    checks.true("statuses are documented ones", {row["status"] for row in rows} <= STATUSES, "another one")
    checks.true(
        "times have microseconds and no zone", all(TIME.match(row["created_at"]) for row in rows), rows[0]["created_at"]
    )
    times = [row["created_at"] for row in rows]
    checks.equal("newest first", times, sorted(times, reverse=True))
    checks.equal(
        "the count agrees", client.good("they are counted", "get", "/checkpoint_items/count"), {"count": len(rows)}
    )

    ids = [row["id"] for row in rows]
    checks.equal("limit", [row["id"] for row in client.items("?limit=3")], ids[:3])
    checks.equal("marker", [row["id"] for row in client.items(f"?limit=3&marker={ids[2]}")], ids[3:6])
    checks.equal("offset", [row["id"] for row in client.items("?limit=3&offset=3")], ids[3:6])
    checks.equal("a page past the end is empty", client.items(f"?limit=3&offset={len(ids)}"), [])
    checks.equal("oldest first", [row["created_at"] for row in client.items("?sort=created_at%3Aasc")], sorted(times))
    names = [row["name"] for row in client.items("?sort=name%3Aasc")]
    checks.equal("by name", names, sorted(row["name"] for row in rows))

    first = rows[0]
    server = first["resource_id"]
    same = [row["id"] for row in rows if row["resource_id"] == server]
    checks.equal("of one server", [row["id"] for row in client.items(f"?resource_id={server}")], same)
    fuzzy = first["extend_info"]["resource_name"][1:-1]
    checks.true(
        "by a part of its name", set(same) <= {row["id"] for row in client.items(f"?resource_name={fuzzy}")}, fuzzy
    )
    for status in ("available", "error"):
        found = client.items(f"?status={status}")
        checks.equal(
            f"status {status}", [row["id"] for row in found], [row["id"] for row in rows if row["status"] == status]
        )
        count = client.call("get", f"/checkpoint_items/count?status={status}").json()
        checks.equal(f"status {status}, counted", count, {"count": len(found)})
    run = client.of_checkpoint(first["checkpoint_id"])
    checks.true("of one run", first["id"] in {row["id"] for row in run}, run)
    both = client.items("?resource_type=OS::Nova::Server&resource_type=OS::Ironic::BareMetalServer")
    checks.equal("a repeated key means either", [row["id"] for row in both], ids)
    checks.equal("an unknown key is ignored", len(client.items("?colour=red")), len(ids))
    checks.equal("one row is the same shown alone", client.item(ids[0]), first)
    client.refused(
        "an unknown backup",
        404,
        "CSBS.3001",
        "get",
        f"/checkpoint_items/{NOBODY}",
        message=f"Checkpoint_item ({NOBODY}) is not found.",
    )


def failures(client):
    """Failed backups of the history tell their code."""
    failed = client.items("?status=error")
    client.checks.true("there are failed ones", failed, "none")
    for row in failed:
        info = row["extend_info"]
        if sorted(info["fail_code"]) != ["Code", "Description"] or info["fail_op"] != "backup":
            client.checks.note("each has fail_code and fail_op", f"{info['fail_code']} {info['fail_op']!r}")
            break
    else:
        client.checks.note("each has fail_code and fail_op", None)
    fine = {str(row["extend_info"]["fail_code"]) for row in client.items("?status=available")}
    client.checks.equal("a good one has an empty fail_code", fine, {"{}"})


def protect(client):
    """A backup by hand, from the first second to the last."""
    checks = client.checks
    (server,) = client.healthy()
    used = quota(client, "backups")["used"]
    name, tags = client.name("by-hand"), [{"key": "purpose", "value": "judge"}]
    body = {"protect": {"backup_name": name, "description": "a judge's", "resource_type": SERVER, "tags": tags}}
    made = client.good("a server is backed up", "post", client.protect_path(server), body)["checkpoint"]
    checks.equal("the run is protecting", (made["status"], made["project_id"]), ("protecting", client.project))
    # before the clock moves: a policy whose time comes makes backups of its own, which count, too
    checks.equal("the quota counts it", quota(client, "backups")["used"], used + 1)
    checks.equal("with nulls where nothing is", (made["resource_graph"], made["extra_info"]), (None, None))
    plan = made["protection_plan"]
    checks.true("its plan is a made-up one", plan["id"].startswith("fake_"), plan["id"])
    checks.equal("named after the server", plan["name"], f"server protect plan for {server}")
    resource = plan["resources"][0]
    checks.equal("over it alone", (len(plan["resources"]), resource["id"], resource["type"]), (1, server, SERVER))
    checks.equal("extra_info is a text", resource["extra_info"], "{}")

    listed = client.of_checkpoint(made["id"])
    checks.equal("one backup is listed at once", [row["status"] for row in listed], ["protecting"])
    item = listed[0]
    checks.equal(
        "with the name, description and tags",
        (item["name"], item["description"], item["tags"]),
        (name, "a judge's", tags),
    )
    checks.true("and its progress", 0 <= item["extend_info"]["progress"] < 100, item["extend_info"]["progress"])
    checks.true(
        "it is among the running ones",
        item["id"] in {row["id"] for row in client.items("?status=protecting")},
        "it is not",
    )
    client.refused("no second one meanwhile", 400, "CSBS.6005", "post", client.protect_path(server), body)
    verdict = client.protectable(server)[0]
    checks.equal("the check says so too", (verdict["result"], verdict.get("error_code")), (False, "CSBS.6005"))
    delete = client.call("delete", f"{CHECKPOINTS}/{made['id']}")
    code = delete.json().get("error_code")
    checks.true(
        "nor can it be deleted", (delete.status_code, code) in ((400, "CSBS.2003"), (400, "CSBS.2004")), delete.text
    )

    client.sim.advance(20)
    later = client.item(item["id"])
    if later["status"] == "protecting":
        checks.true("progress grows", later["extend_info"]["progress"] > 0, later["extend_info"]["progress"])
    item = client.until(item["id"], "available", "error")
    info = item["extend_info"]
    checks.equal("it ends available", (item["status"], info["progress"], info["fail_code"]), ("available", 100, {}))
    checks.true("with the time of its end", TIME.match(info["finished_at"]), info["finished_at"])
    disks = info["volume_backups"]
    checks.true("a backup of each disk", disks and all(disk["status"] == "available" for disk in disks), disks)
    real = next(row for row in client.servers() if row["id"] == server)["volumes"]
    checks.equal(
        "of the server's own disks", {disk["source_volume_id"] for disk in disks}, {disk["id"] for disk in real}
    )
    return item


def quota(client, kind):
    """One quota as the service tells it."""
    rows = client.call("get", "/quotas").json()["quotas"]["resources"]
    return next(row for row in rows if row["type"] == kind)


def quotas(client):
    """Two kinds, and a full one."""
    body = client.good("the quotas", "get", "/quotas")
    kinds = [row["type"] for row in body["quotas"]["resources"]]
    client.checks.equal("their kinds", kinds, ["backup_capacity", "backups"])
    capacity = quota(client, "backup_capacity")
    client.checks.equal("capacity is in GB", capacity.get("unit"), "GB")
    client.checks.true("a count has no unit", "unit" not in quota(client, "backups"), "it has")
    (server,) = client.healthy()
    rows = client.sim.control("GET", "quotas", kind="csbs")
    before = next(row for row in rows if row["name"] == "csbs.backups")
    client.sim.control("POST", "quotas", {"name": "csbs.backups", "limit": before["used"]}, kind="csbs")
    body = {"protect": {"backup_name": client.name("full")}}
    client.refused(
        "a full quota",
        400,
        "CSBS.9006",
        "post",
        client.protect_path(server),
        body,
        "Quota exceeded for resources: backups",
    )
    client.sim.control("POST", "quotas", {"name": "csbs.backups", "limit": before["limit"]}, kind="csbs")
    item = client.backup(server)
    client.checks.equal("and with room again", client.until(item["id"], "available", "error")["status"], "available")


def refusals(client):
    """What can't be backed up, and why."""
    server, other = client.healthy(2)
    body = {"protect": {"backup_name": client.name("refused")}}
    path = client.protect_path
    client.refused("an unknown server", 400, "CSBS.6000", "post", path(NOBODY), body, "server do not exist")
    odd = {"protect": {"backup_name": client.name("odd"), "resource_type": "OS::Cinder::Volume"}}
    client.refused("a type that can't be backed up", 400, "CSBS.6003", "post", path(server), odd)
    client.refused("another provider", 400, "CSBS.9001", "post", f"/providers/{NOBODY}/resources/{server}/action", body)
    client.refused("no protect", 400, "CSBS.9001", "post", path(server), {"guard": {}})
    client.refused("a bad name", 400, "CSBS.9001", "post", path(server), {"protect": {"backup_name": "a b"}})

    client.set_server(server, state="error")
    client.refused("a broken server", 400, "CSBS.6006", "post", path(server), body)
    client.set_server(server, state="active", volumes=[{"index": 0, "shared": True}])
    client.refused("a shared disk", 400, "CSBS.6010", "post", path(server), body)
    verdict = client.protectable(server)[0]
    client.checks.equal("the check agrees", (verdict["result"], verdict.get("error_code")), (False, "CSBS.6010"))
    client.checks.true("in words", "is shareable volume" in verdict.get("error_msg", ""), verdict)
    client.set_server(server, volumes=[{"index": 0, "shared": False}])
    verdict = client.protectable(server)[0]
    client.checks.equal("mended", (verdict["result"], "error_code" in verdict), (True, False))
    zone = next(row for row in client.servers() if row["id"] == other)["az"]
    for supported, what in ((False, "refuses"), (True, "serves again")):
        client.sim.control("POST", "zones", {"name": zone, "kind": "csbs", "supported": supported}, kind="csbs")
        if supported:
            client.checks.equal(f"its zone {what}", client.protectable(other)[0]["result"], True)
        else:
            client.refused(f"its zone {what}", 400, "CSBS.6027", "post", path(other), body)


def failing(client):
    """A backup that fails for a reason in the world, and succeeds when the reason is gone."""
    (server,) = client.healthy()
    item = client.backup(server)
    client.set_server(server, state="error")
    item = client.until(item["id"], "available", "error")
    info = item["extend_info"]
    client.checks.equal("a backup fails", (item["status"], info["fail_op"]), ("error", "backup"))
    code = info["fail_code"]
    client.checks.equal("for the server's state", str(code.get("Code")).removeprefix("CSBS."), "6006")
    client.checks.true("described", "is not allowed to protect" in str(code.get("Description")), code)
    client.set_server(server, state="active")
    again = client.until(client.backup(server)["id"], "available", "error")
    client.checks.equal("and succeeds once it is mended", again["status"], "available")
    client.good(
        "the failed one is deleted", "delete", f"{CHECKPOINTS}/{item['checkpoint_id']}?checkpoint_items={item['id']}"
    )
    client.sim.advance(600)
    client.refused("and gone", 404, "CSBS.3001", "get", f"/checkpoint_items/{item['id']}")


def restore(client, item):
    """A backup goes back to its disks."""
    checks = client.checks
    disks = item["extend_info"]["volume_backups"]
    volumes = [{"backup_id": disk["id"], "volume_id": disk["source_volume_id"]} for disk in disks]
    target = {"resource_id": item["resource_id"], "resource_type": SERVER, "volumes": volumes}
    body = {"check_restorable": [{"checkpoint_item_id": item["id"], "target": target}]}
    verdicts = client.good("can it be restored?", "post", ACTION, body)["restorable"]
    checks.equal("it can", [(row["result"], "error_code" in row) for row in verdicts], [(True, False)])
    none = {"check_restorable": [{"checkpoint_item_id": item["id"], "target": {**target, "volumes": []}}]}
    verdict = client.good("and with no disk?", "post", ACTION, none)["restorable"][0]
    checks.equal("it can't", (verdict["result"], verdict.get("error_code")), (False, "CSBS.6018"))

    targets = {"server_id": item["resource_id"], "volumes": volumes}
    parameters = {"checkpoint_item_id": item["id"], "power_on": True, "targets": targets}
    wanted = {"restore": {"provider_id": PROVIDER, "checkpoint_id": item["checkpoint_id"], "parameters": parameters}}
    part = {"restore": {**wanted["restore"], "parameters": {**parameters, "targets": {**targets, "volumes": []}}}}
    client.refused("a part can't be restored", 400, "CSBS.6018", "post", "/restores", part)
    elsewhere = {"restore": {**wanted["restore"], "provider_id": NOBODY}}
    client.refused("nor with another provider", 400, "CSBS.9001", "post", "/restores", elsewhere)
    made = client.good("a restore", "post", "/restores", wanted)["restore"]
    said = (made["status"], made["checkpoint_id"], made["provider_id"], made["project_id"])
    checks.equal("is in progress", said, ("in_progress", item["checkpoint_id"], PROVIDER, client.project))
    checks.equal("as it was asked for", made["parameters"], parameters)
    checks.true("with its own id", made["id"] != item["id"], made["id"])
    checks.equal("the backup is restoring", client.item(item["id"])["status"], "restoring")
    client.refused("not twice", 400, "CSBS.4000", "post", "/restores", wanted)
    checks.equal("and available again", client.until(item["id"], "available", "error")["status"], "available")
    failed = client.items("?status=error&limit=1")[0]
    bad = {**parameters, "checkpoint_item_id": failed["id"]}
    body = {"restore": {**wanted["restore"], "checkpoint_id": failed["checkpoint_id"], "parameters": bad}}
    client.refused("a failed backup can't be restored", 400, "CSBS.4000", "post", "/restores", body)


def delete(client, item):
    """A backup goes."""
    path = f"{CHECKPOINTS}/{item['checkpoint_id']}"
    body = client.good("a run is deleted", "delete", path)
    client.checks.equal("with an empty object", body, {})
    client.checks.equal("its backup is deleting", client.item(item["id"])["status"], "deleting")
    client.refused("not twice", 400, "CSBS.2003", "delete", path)
    client.sim.advance(1800)
    client.refused("and gone", 404, "CSBS.3001", "get", f"/checkpoint_items/{item['id']}")
    client.refused("an unknown run", 404, "CSBS.3001", "delete", f"{CHECKPOINTS}/{NOBODY}")
