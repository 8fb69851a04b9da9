"""SDRS by the vendor's SDK: versions, groups, instances, pairs, drills, and the actions on them."""

from huaweicloudsdksdrs import v1
from sdrs_client import BLANK_TIME, JOB_TIME, NOBODY

GROUP_STATUSES = {
    "creating",
    "available",
    "protected",
    "deleting",
    "error-deleting",
    "error",
    "starting",
    "error-starting",
    "reprotecting",
    "error-reprotecting",
    "stopping",
    "error-stopping",
    "reversing",
    "error-reversing",
    "failing-over",
    "failed-over",
    "error-failing-over",
}


def basics(client):
    """Versions, domains, quotas."""
    checks = client.checks
    versions = client.call("list_api_versions").versions
    checks.equal("one version, current", [(row.id, row.status) for row in versions], [("v1", "CURRENT")])
    one = client.call("show_specified_api_version", api_version="v1").version
    checks.equal("shown alone", (one.id, one.links[0].rel), ("v1", "self"))
    domains = client.call("list_active_active_domains").domains
    checks.true("there are domains", domains, "none")
    zones = [
        (row.local_replication_cluster.availability_zone, row.remote_replication_cluster.availability_zone)
        for row in domains
    ]
    checks.true("of two zones each", all(local != remote for local, remote in zones), zones)
    checks.equal("none sold out", {row.sold_out for row in domains}, {False})
    quotas = client.call("show_quota").quotas.resources
    checks.equal("two quotas", [row.type for row in quotas], ["server_groups", "replications"])
    groups = client.call("list_protection_groups")
    checks.equal(
        "the groups in use are counted", (quotas[0].used, len(groups.server_groups)), (groups.count, groups.count)
    )
    checks.true(
        "statuses of groups are documented ones",
        {row.status for row in groups.server_groups} <= GROUP_STATUSES,
        "others",
    )


def paging(client):
    """Pages by offset."""
    checks = client.checks
    everything = client.call("list_protected_instances")
    ids = [row.id for row in everything.protected_instances]
    checks.true("there are instances", len(ids) >= 5, f"{len(ids)}")
    checks.equal("all are counted", everything.count, len(ids))
    pages = [client.call("list_protected_instances", limit=2, offset=offset) for offset in range(0, len(ids) + 2, 2)]
    checks.equal("pages by offset give each once", [row.id for page in pages for row in page.protected_instances], ids)
    checks.equal("and say how many there are at all", {page.count for page in pages}, {len(ids)})
    past = client.call("list_protected_instances", limit=2, offset=len(ids) + 5)
    checks.equal("past the end is empty", past.protected_instances, [])
    client.refused("a limit of 1001", 400, "SDRS.0221", "list_protected_instances", limit=1001)
    client.refused("an offset of -1", 400, "SDRS.0222", "list_protected_instances", offset=-1)
    rows = everything.protected_instances
    group = rows[0].server_group_id
    inside = client.call("list_protected_instances", server_group_id=group).protected_instances
    checks.equal("of one group", [row.id for row in inside], [row.id for row in rows if row.server_group_id == group])
    pick = f'["{ids[0]}","{ids[2]}","{NOBODY}"]'
    some = client.call("list_protected_instances", protected_instance_ids=pick).protected_instances
    checks.equal("by a list of ids, unknown ones left out", {row.id for row in some}, {ids[0], ids[2]})
    many = str([NOBODY] * 31).replace("'", '"')
    client.refused("31 ids", 400, "SDRS.0226", "list_protected_instances", protected_instance_ids=many)
    pairs = client.call("list_replications", server_group_id=group)
    checks.equal("pairs are counted", pairs.count, len(pairs.replications))
    two = [len(row.volume_ids.split(",")) for row in pairs.replications]
    checks.equal("a pair has two disks", set(two), {2})


def group_body(client, **changes):
    """A group to create, between the two zones of the first domain."""
    domain = client.call("list_active_active_domains").domains[0]
    wanted = {
        "name": client.name("judge"),
        "description": "a judge's",
        "source_availability_zone": domain.local_replication_cluster.availability_zone,
        "target_availability_zone": domain.remote_replication_cluster.availability_zone,
        "domain_id": domain.id,
        "source_vpc_id": client.behind("GET", "site")["vpc"],
        "dr_type": "migration",
    }
    params = v1.CreateProtectionGroupRequestParams(**{**wanted, **changes})
    return v1.CreateProtectionGroupRequestBody(server_group=params)


def make_group(client):
    """A protection group is made, found and renamed."""
    checks = client.checks
    body = group_body(client)
    wanted = body.server_group
    answer = client.call("create_protection_group", body=body)
    first = client.job(answer)
    checks.equal(
        "a job begins", (first.status, first.job_type, first.end_time), ("INIT", "createProtectionGroupNoCG", None)
    )
    checks.true("with a time of milliseconds and Z", JOB_TIME.match(first.begin_time), first.begin_time)
    client.sim.advance(3)
    checks.equal("and runs", client.job(answer).status, "RUNNING")
    job = client.ended(answer)
    checks.equal("and succeeds", (job.status, job.error_code, job.fail_reason), ("SUCCESS", None, None))
    checks.true(
        "with the time of its end", JOB_TIME.match(job.end_time) and job.end_time > job.begin_time, job.end_time
    )
    group = client.group(job.entities.server_group_id)
    checks.equal("the group is available", (group.status, group.priority_station), ("available", "source"))
    for key in (
        "name",
        "description",
        "source_availability_zone",
        "target_availability_zone",
        "domain_id",
        "source_vpc_id",
    ):
        checks.equal(f"its {key}", getattr(group, key), getattr(wanted, key))
    fixed = (group.dr_type, group.server_type, group.protection_type)
    checks.equal("of the kind that there is", fixed, ("migration", "ECS", "replication-pair"))
    numbers = (group.protected_instance_num, group.replication_num, group.disaster_recovery_drill_num)
    checks.equal("empty", numbers, (0, 0, 0))
    nulls = (group.protected_status, group.replication_status, group.health_status, group.test_vpc_id)
    checks.equal("with nulls where nothing is", nulls, (None, None, None, None))
    checks.true("times have a blank and no zone", BLANK_TIME.match(group.created_at), group.created_at)
    part = client.call("list_protection_groups", name=wanted.name[2:])
    checks.true(
        "it is found by a part of its name", group.id in {row.id for row in part.server_groups}, part.server_groups
    )
    for query in ({"status": "available"}, {"query_type": "stop_protected"}):
        rows = client.call("list_protection_groups", **query).server_groups
        found = group.id in {row.id for row in rows} and {row.status for row in rows} == {"available"}
        checks.true(f"and by {query}", found, {row.status for row in rows})
    params = v1.UpdateProtectionGroupNameRequestParams(name=f"{wanted.name}-new")
    renamed = v1.UpdateProtectionGroupNameRequestBody(server_group=params)
    said = client.call("update_protection_group_name", server_group_id=group.id, body=renamed).server_group
    checks.equal("it is renamed at once", (said.name, client.group(group.id).name), (params.name, params.name))
    return group.id


def group_refusals(client, group):
    """Groups that can't be."""
    for what, code, changes in (
        ("a bad name", "SDRS.0202", {"name": "a b"}),
        ("an unknown zone", "SDRS.0203", {"source_availability_zone": "mars-01"}),
        ("an unknown network", "SDRS.0204", {"source_vpc_id": NOBODY}),
        ("an unknown domain", "SDRS.0205", {"domain_id": NOBODY}),
        ("a bad description", "SDRS.0212", {"description": "<b>"}),
    ):
        client.refused(what, 400, code, "create_protection_group", body=group_body(client, **changes))
    client.refused("an unknown group", 400, "SDRS.1013", "show_protection_group", server_group_id=NOBODY)
    client.refused("what is no id", 400, "SDRS.0207", "show_protection_group", server_group_id="x")
    client.refused("to delete an unknown one", 400, "SDRS.1013", "delete_protection_group", server_group_id=NOBODY)
    client.refused("to start an empty one", 400, "SDRS.1002", **client.act(group, "start"))
    client.refused("an unknown job", 400, "SDRS.0201", "show_job_status", job_id="0" * 32)


def instance_body(client, group, server, **changes):
    """An instance to create."""
    wanted = {
        "server_group_id": group,
        "server_id": server,
        "name": client.name("instance"),
        "description": "a judge's",
    }
    params = v1.CreateProtectedInstanceRequestParams(**{**wanted, **changes})
    return v1.CreateProtectedInstanceRequestBody(protected_instance=params)


def make_instance(client, group):
    """A server is protected."""
    checks = client.checks
    zone = client.group(group).source_availability_zone
    other = client.group(group).target_availability_zone
    server = client.free_servers(zone)[0]
    tags = [v1.ResourceTag(key="purpose", value="judge")]
    body = instance_body(client, group, server, tags=tags)
    job = client.does("an instance is made", "createProtectedInstanceNoCG", "create_protected_instance", body=body)
    made = client.instance(job.entities.protected_instance_id)
    disks = next(row for row in client.behind("GET", "servers") if row["id"] == server)["volumes"]
    parts = {part.entities.replication_pair_id for part in job.entities.sub_jobs or []}
    checks.equal("its job had a part for each disk", len(parts), len(disks))
    said = (made.status, made.source_server, made.server_group_id, made.priority_station)
    checks.equal("it protects the server", said, ("available", server, group, "source"))
    checks.true("by another one", made.target_server not in (None, server), made.target_server)
    checks.equal("it has the tags", [(tag.key, tag.value) for tag in made.tags], [("purpose", "judge")])
    checks.equal("and is not frozen", made.metadata.system__frozen, None)
    pairs = client.pairs_of(made.id)
    checks.equal(
        "every disk has a pair", {row.volume_ids.split(",")[0] for row in pairs}, {disk["id"] for disk in disks}
    )
    attached = {(row.replication, row.device) for row in made.attachment}
    told = {(row.id, row.attachment[0].device) for row in pairs}
    checks.equal("instance and pairs tell the same attachments", attached, told)
    whole = client.group(group)
    checks.equal("the group counts them", (whole.protected_instance_num, whole.replication_num), (1, len(pairs)))
    client.refused(
        "a server twice", 400, "SDRS.1305", "create_protected_instance", body=instance_body(client, group, server)
    )
    away = client.free_servers(other)
    if away:
        body = instance_body(client, group, away[0])
        client.refused("a server of another zone", 400, "SDRS.1303", "create_protected_instance", body=body)
    unknown = instance_body(client, group, NOBODY)
    client.refused("an unknown server", 400, "SDRS.1326", "create_protected_instance", body=unknown)
    client.refused("an unknown instance", 400, "SDRS.1320", "show_protected_instance", protected_instance_id=NOBODY)
    client.refused("a group that is not empty", 400, "SDRS.1001", "delete_protection_group", server_group_id=group)
    params = v1.UpdateProtectedInstanceNameRequestParams(name=client.name("renamed"))
    body = v1.UpdateProtectedInstanceNameRequestBody(protected_instance=params)
    client.call("update_protected_instance_name", protected_instance_id=made.id, body=body)
    checks.equal("it is renamed", client.instance(made.id).name, params.name)
    return made.id


def pair(client, group, instance):
    """A free disk is replicated, attached, enlarged, detached, let go."""
    checks = client.checks
    zone = client.group(group).source_availability_zone
    disk = client.behind("POST", "disks", {"az": zone, "size_gb": 50, "name": "judge"})["id"]
    params = v1.CreateReplicationRequestParams(server_group_id=group, volume_id=disk, name=client.name("pair"))
    body = v1.CreateReplicationRequestBody(replication=params)
    job = client.does("a pair is made", "createReplicationPairNoCG", "create_replication", body=body)
    row = client.pair(job.entities.replication_pair_id)
    checks.equal(
        "over the disk", (row.status, row.volume_ids.split(",")[0], row.server_group_id), ("available", disk, group)
    )
    record = row.record_metadata
    checks.equal("of its size", (record.volume_size, record.bootable, record.multiattach), (50, False, False))
    checks.equal("without a fault", str(row.fault_level), "0")
    client.refused("a disk twice", 400, "SDRS.1811", "create_replication", body=body)
    client.refused("an unknown pair", 400, "SDRS.1608", "show_replication", replication_id=NOBODY)

    attach = v1.ProtectedInstanceAttachReplicationRequestParams(replication_id=row.id, device="/dev/vdx")
    body = v1.ProtectedInstanceAttachReplicationRequestBody(replication_attachment=attach)
    method = "attach_protected_instance_replication"
    client.does("it is attached", "attachReplicationPairNew", method, protected_instance_id=instance, body=body)
    where = [(at.protected_instance, at.device) for at in client.pair(row.id).attachment]
    checks.equal("there", where, [(instance, "/dev/vdx")])
    client.refused("not twice", 400, "SDRS.1603", method, protected_instance_id=instance, body=body)
    params = v1.DeleteReplicationRequestParams(server_group_id=group, delete_target_volume=False)
    gone = v1.DeleteReplicationRequestBody(replication=params)
    client.refused(
        "to delete an attached one", 400, "SDRS.1605", "delete_replication", replication_id=row.id, body=gone
    )

    larger = v1.ExtendReplicationRequestBody(extend_replication=v1.ExtendReplicationRequestParams(new_size=80))
    client.does("it is enlarged", "expandReplicationPairNew", "expand_replication", replication_id=row.id, body=larger)
    checks.equal("to the size asked for", client.pair(row.id).record_metadata.volume_size, 80)
    params = v1.UpdateReplicationNameRequestParams(name=client.name("pair-renamed"))
    renamed = v1.UpdateReplicationNameRequestBody(replication=params)
    client.call("update_replication_name", replication_id=row.id, body=renamed)
    checks.equal("it is renamed", client.pair(row.id).name, params.name)

    method = "detach_protected_instance_replication"
    who = {"protected_instance_id": instance, "replication_id": row.id}
    client.does("it is detached", "detachReplicationPairNew", method, **who)
    checks.equal("nowhere", client.pair(row.id).attachment, [])
    client.refused("not twice detached", 400, "SDRS.1604", method, **who)
    client.does("it is deleted", "deleteReplicationPairNoCG", "delete_replication", replication_id=row.id, body=gone)
    client.refused("and gone", 400, "SDRS.1608", "show_replication", replication_id=row.id)


def network(client, instance):
    """A network card comes and goes."""
    body = v1.ProtectedInstanceAddNicRequestBody(subnet_id=NOBODY, security_groups=[])
    job = client.does(
        "a card is added", "addNicNew", "add_protected_instance_nic", protected_instance_id=instance, body=body
    )
    known = client.behind("GET", f"instances/{instance}")
    client.checks.true("the job names it", job.entities.nic_id in {row["id"] for row in known["nics"]}, known["nics"])
    method = "delete_protected_instance_nic"
    for what, code, nic in (
        ("the first card", "SDRS.1311", known["primary_nic"]),
        ("an unknown card", "SDRS.1310", NOBODY),
    ):
        body = v1.ProtectedInstanceDeleteNicRequestBody(nic_id=nic)
        client.refused(f"to delete {what}", 400, code, method, protected_instance_id=instance, body=body)
    body = v1.ProtectedInstanceDeleteNicRequestBody(nic_id=job.entities.nic_id)
    client.does("it is taken out", "deleteNicNew", method, protected_instance_id=instance, body=body)
    client.checks.equal("and gone", client.behind("GET", f"instances/{instance}")["nics"], [])


def resize(client, group, instance):
    """Other flavors, refused by a running server, and done once it is stopped."""
    server = client.instance(instance).source_server
    params = v1.ResizeProtectedInstanceRequestParams(production_flavor_ref="s3.16c.64g")
    who = {"protected_instance_id": instance, "body": v1.ResizeProtectedInstanceRequestBody(resize=params)}
    client.fails("a running server can't be resized", "SDRS.1316", "resize_protected_instance", **who)
    client.checks.equal("the instance says so", client.instance(instance).status, "error-resizing")
    rows = client.failed(server_group_id=group, failure_status="resizeFail")
    client.checks.equal("and the task center", [row.resource_id for row in rows], [instance])
    client.power(server, "stopped")
    client.does("stopped it can", "resizeProtectedInstanceNew", "resize_protected_instance", **who)
    client.checks.equal("the instance is well again", client.instance(instance).status, "available")
    client.refused("the same flavor again", 400, "SDRS.1341", "resize_protected_instance", **who)
    client.power(server, "active")


def actions(client, group, instance):
    """Protection on, switched over, failed over, on again, off."""
    checks = client.checks
    server = client.instance(instance).source_server
    zone = client.group(group).source_availability_zone
    answer = client.call(**client.act(group, "start"))
    checks.equal("it is starting", client.group(group).status, "starting")
    client.refused("nothing else meanwhile", 400, "SDRS.1002", **client.act(group, "stop"))
    job = client.ended(answer)
    checks.equal("protection is on", (job.job_type, job.status), ("startProtectionGroupNoCG", "SUCCESS"))
    checks.equal(
        "the job's part names the group", {part.entities.server_group_id for part in job.entities.sub_jobs}, {group}
    )
    states = (client.group(group).status, client.instance(instance).status, client.pairs_of(instance)[0].status)
    checks.equal("for the group and all in it", states, ("protected", "protected", "protected"))
    client.settle(group)

    client.refused("to switch over to where it is", 400, "SDRS.0201", **client.act(group, "reverse", "source"))
    client.fails("a running server can't be switched over", "SDRS.1352", **client.act(group, "reverse", "target"))
    checks.equal("the group says so", client.group(group).status, "error-reversing")
    client.power(server, "stopped")
    client.does("stopped it can", "reverseProtectionGroupNoCG", **client.act(group, "reverse", "target"))
    now = client.group(group)
    checks.equal("the other side is live", (now.status, now.priority_station), ("protected", "target"))
    stayed = (now.source_availability_zone, client.instance(instance).priority_station)
    checks.equal("the zones stay, the instance follows", stayed, (zone, "target"))

    client.settle(group)
    client.does("it fails over", "failoverProtectionGroupNoCG", **client.act(group, "failover"))
    now = client.group(group)
    checks.equal("and is live at the first side", (now.status, now.priority_station), ("failed-over", "source"))
    client.behind("POST", f"instances/{instance}", {"target_state": "stopped"})
    client.does("it is protected again", "reprotectProtectionGroupNoCG", **client.act(group, "start"))
    checks.equal("as before", client.group(group).status, "protected")
    client.settle(group)
    client.does("protection is off", "stopProtectionGroupNoCG", **client.act(group, "stop"))
    checks.equal("and the group available", client.group(group).status, "available")
    client.refused("to fail over without protection", 400, "SDRS.1002", **client.act(group, "failover"))
    client.power(server, "active")


def drill(client, group):
    """A drill is held."""
    checks = client.checks
    params = v1.CreateDisasterRecoveryDrillRequestParams(server_group_id=group, name=client.name("drill"))
    body = v1.CreateDisasterRecoveryDrillRequestBody(disaster_recovery_drill=params)
    answer = client.call("create_disaster_recovery_drill", body=body)
    job = client.ended(answer)
    checks.equal("a drill is held", (job.job_type, job.status), ("createDisasterRecoveryDrill", "SUCCESS"))
    rows = client.call("list_disaster_recovery_drills", server_group_id=group)
    checks.equal("it is listed", (rows.count, [row.name for row in rows.disaster_recovery_drills]), (1, [params.name]))
    one = rows.disaster_recovery_drills[0]
    shown = client.call("show_disaster_recovery_drill", disaster_recovery_drill_id=one.id).disaster_recovery_drill
    checks.equal("available, in its group", (shown.status, shown.server_group_id), ("available", group))
    checks.equal(
        "with a server for each instance", len(shown.drill_servers), client.group(group).protected_instance_num
    )
    checks.true(
        "in a network of its own",
        shown.drill_vpc_id not in (None, client.group(group).source_vpc_id),
        shown.drill_vpc_id,
    )
    checks.equal("the group counts it", client.group(group).disaster_recovery_drill_num, 1)
    other = v1.UpdateDisasterRecoveryDrillNameRequestParams(name=client.name("drill-renamed"))
    renamed = v1.UpdateDisasterRecoveryDrillNameRequestBody(disaster_recovery_drill=other)
    client.call("update_disaster_recovery_drill_name", disaster_recovery_drill_id=one.id, body=renamed)
    found = client.call("list_disaster_recovery_drills", name=other.name).disaster_recovery_drills
    checks.equal("it is renamed", [row.id for row in found], [one.id])
    who = {"disaster_recovery_drill_id": one.id}
    client.does("it is over", "deleteDisasterRecoveryDrill", "delete_disaster_recovery_drill", **who)
    client.refused("and gone", 400, "SDRS.1902", "show_disaster_recovery_drill", **who)


def end(client, group, instance):
    """Everything is taken down."""
    body = v1.DeleteProtectedInstanceRequestBody(delete_target_server=True, delete_target_eip=False)
    method = "delete_protected_instance"
    client.does(
        "the instance is deleted", "deleteProtectedInstanceNoCG", method, protected_instance_id=instance, body=body
    )
    client.refused("and gone", 400, "SDRS.1320", "show_protected_instance", protected_instance_id=instance)
    for row in client.call("list_replications", server_group_id=group).replications:
        params = v1.DeleteReplicationRequestParams(server_group_id=group, delete_target_volume=True)
        left = v1.DeleteReplicationRequestBody(replication=params)
        client.does(
            "a pair that is left", "deleteReplicationPairNoCG", "delete_replication", replication_id=row.id, body=left
        )
    client.does("the group is deleted", "deleteProtectionGroupNoCG", "delete_protection_group", server_group_id=group)
    client.refused("and gone too", 400, "SDRS.1013", "show_protection_group", server_group_id=group)
