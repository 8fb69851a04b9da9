"""CBR by the vendor's SDK: vaults, what is bound to them, policies, tags, and what Huawei Cloud alone offers."""

from cbr_client import DISK, NOBODY, SERVER, TIME
from huaweicloudsdkcbr import v1


def estate(client):
    """What is there from the beginning: vaults, policies, and a month of tasks."""
    checks = client.checks
    answer = client.call("list_vault")
    checks.true("there are vaults", answer.count == len(answer.vaults) >= 5, answer.count)
    statuses = {vault.billing.status for vault in answer.vaults}
    checks.equal("all available", statuses, {"available"})
    pages = [client.call("list_vault", limit=1, offset=at).vaults[0].id for at in range(len(answer.vaults))]
    checks.equal("pages by offset", pages, [vault.id for vault in answer.vaults])
    two = [answer.vaults[0].id, answer.vaults[2].id]
    found = [vault.id for vault in client.call("list_vault", id=two).vaults]
    checks.equal("a repeated id filters", found, two)
    bound = next(vault for vault in answer.vaults if vault.resources)
    resource = bound.resources[0].id
    found = [vault.id for vault in client.call("list_vault", resource_ids=resource).vaults]
    checks.equal("found by a resource", found, [bound.id])
    policies = client.call("list_policies")
    checks.true("there are policies", policies.count == len(policies.policies) >= 5, policies.count)
    replicating = client.call("list_policies", operation_type="replication").policies
    checks.equal("one replicates", [row.operation_type for row in replicating], ["replication"])
    applied = next(row for row in policies.policies if row.associated_vaults)
    vault = applied.associated_vaults[0].vault_id
    found = {row.id for row in client.call("list_policies", vault_id=vault).policies}
    checks.true("found by its vault", applied.id in found, found)
    logs = client.call("list_op_logs", limit=1000)
    checks.true("there are tasks", logs.count >= 390, logs.count)
    failed = client.logs(status="failed")
    checks.true("some failed", failed, "none")
    spoken = all(row.error_info.code.startswith("BackupService.") and row.error_info.message for row in failed)
    checks.true("and say why", spoken, failed)
    times = [row.created_at for row in logs.operation_logs]
    checks.equal("newest first", times, sorted(times, reverse=True))
    checks.true("in the form that was seen", all(TIME.match(time) for time in times), times[:3])
    capability = client.call("show_replication_capabilities").regions
    checks.equal(
        "one region, one destination",
        [(row.name, row.replication_destinations) for row in capability],
        [("eu-de", ["eu-nl"])],
    )


def vaults(client):
    """One vault from making to deleting."""
    checks = client.checks
    first, second = client.free_servers(2)
    tags = [v1.Tag(key="team", value="red")]
    vault = client.make_vault([v1.ResourceCreate(id=first, type=SERVER)], description="judged", tags=tags)
    checks.equal("made", (vault.billing.status, vault.resources[0].id), ("available", first))
    twice = {"vault_id": vault.id, "body": v1.VaultAddResourceReq(resources=[v1.ResourceCreate(id=first, type=SERVER)])}
    client.refused("a server twice", 400, "BackupService.7116", "add_vault_resource", **twice)
    more = v1.VaultAddResourceReq(resources=[v1.ResourceCreate(id=second, type=SERVER)])
    answer = client.call("add_vault_resource", vault_id=vault.id, body=more)
    checks.equal("a second server", answer.add_resource_ids, [second])
    change = v1.VaultUpdate(name=client.name("renamed"), threshold=70, auto_expand=True)
    changed = client.call("update_vault", vault_id=vault.id, body=v1.VaultUpdateReq(vault=change)).vault
    checks.equal("changed", (changed.name, changed.threshold, changed.auto_expand), (change.name, 70, True))
    larger = v1.VaultUpdateReq(vault=v1.VaultUpdate(billing=v1.BillingUpdate(size=6000)))
    changed = client.call("update_vault", vault_id=vault.id, body=larger).vault
    checks.equal("locked while it grows", changed.billing.status, "lock")
    client.sim.advance(10)
    checks.equal("and available then", client.vault(vault.id).billing.status, "available")
    pause = v1.VaultSetResourceReq(resource_ids=[second], action="suspend")
    checks.equal(
        "one is paused", client.call("set_vault_resource", vault_id=vault.id, body=pause).set_resource_ids, [second]
    )
    paused = {row.id: row.auto_protect for row in client.vault(vault.id).resources}
    checks.equal("and shown so", paused, {first: True, second: False})
    other = client.make_vault([])
    move = v1.VaultMigrateResourceReq(destination_vault_id=other.id, resource_ids=[second])
    moved = client.call("migrate_vault_resource", vault_id=vault.id, body=move).migrated_resources
    checks.equal("one moves", moved, [second])
    client.settle()
    checks.equal("to the other vault", [row.id for row in client.vault(other.id).resources], [second])
    client.backed_up(other.id, second)
    away = v1.VaultRemoveResourceReq(resource_ids=[second])
    client.call("remove_vault_resource", vault_id=other.id, body=away)
    removing = [row.protect_status for row in client.vault(other.id).resources]
    checks.equal("it is removed", removing, ["removing"])
    client.settle()
    log = client.logs(operation_type="remove_resource", vault_id=other.id)[0].extra_info.remove_resources
    checks.equal("with its backup", (log.fail_count, log.total_count, log.resources[0].id), (0, 1, second))
    everyone = v1.BatchUpdateVaultRequestBody(vault=v1.VaultBatchUpdate(smn_notify=False, threshold=90))
    ids = client.call("batch_update_vault", body=everyone).updated_vaults_id
    checks.true("all vaults are changed at once", {vault.id, other.id} <= set(ids), ids)
    client.call("delete_vault", vault_id=other.id)
    checks.equal("a vault is deleted", client.vault(other.id).billing.status, "deleting")
    client.settle()
    client.refused("a vault that is gone", 404, "BackupService.6105", "show_vault", vault_id=other.id)
    log = client.logs(operation_type="vault_delete")[0]
    checks.equal(
        "its task", (log.status, log.vault_name, log.extra_info.vault_delete.fail_count), ("success", other.name, 0)
    )
    client.refused("an id that is none", 400, "BackupService.9900", "show_vault", vault_id="x")
    size = v1.VaultCreateReq(
        vault=v1.VaultCreate(
            billing=v1.BillingCreate(
                consistent_level="crash_consistent", object_type="server", protect_type="backup", size=1
            ),
            name="small",
            resources=[],
        )
    )
    client.refused("a vault too small", 400, "BackupService.6101", "create_vault", body=size)
    return vault.id, first


def policies(client, vault):
    """A policy from making to deleting, applied to a vault."""
    checks = client.checks
    pattern = ["FREQ=DAILY;BYHOUR=1,13;BYMINUTE=30"]
    keep = v1.PolicyoODCreate(max_backups=3, day_backups=1, timezone="UTC+01:00")
    trigger = v1.PolicyTriggerReq(properties=v1.PolicyTriggerPropertiesReq(pattern=pattern))
    made = v1.PolicyCreate(
        name=client.name("policy"), operation_type="backup", operation_definition=keep, trigger=trigger
    )
    policy = client.call("create_policy", body=v1.PolicyCreateReq(policy=made)).policy
    checks.equal("made, and on", (policy.name, policy.enabled, policy.trigger.type), (made.name, True, "time"))
    checks.equal("its pattern as sent", policy.trigger.properties.pattern, pattern)
    applied = client.call(
        "associate_vault_policy", vault_id=vault, body=v1.VaultAssociate(policy_id=policy.id)
    ).associate_policy
    checks.equal("applied", (applied.vault_id, applied.policy_id), (vault, policy.id))
    shown = client.call("show_policy", policy_id=policy.id).policy
    checks.equal("shown with its vault", [row.vault_id for row in shown.associated_vaults], [vault])
    found = [row.id for row in client.call("list_vault", policy_id=policy.id).vaults]
    checks.equal("the vault is found by it", found, [vault])
    before = len(client.logs(vault_id=vault))
    client.sim.advance(12 * 3600)
    client.settle()
    after = client.logs(vault_id=vault)
    checks.true("its schedule fires", len(after) > before, len(after))
    checks.equal("as its policy's task", after[0].policy_id, policy.id)
    off = v1.PolicyUpdateReq(policy=v1.PolicyUpdate(enabled=False))
    changed = client.call("update_policy", policy_id=policy.id, body=off).policy
    checks.equal("off", (changed.enabled, changed.name), (False, policy.name))
    lift = v1.VaultDissociate(policy_id=policy.id)
    client.call("disassociate_vault_policy", vault_id=vault, body=lift)
    client.refused("taken off twice", 404, "BackupService.6002", "disassociate_vault_policy", vault_id=vault, body=lift)
    client.call("delete_policy", policy_id=policy.id)
    client.refused("a policy that is gone", 404, "BackupService.6000", "show_policy", policy_id=policy.id)


def tags(client, vault):
    """The six calls on tags."""
    checks = client.checks

    def now():
        return {row.key: row.value for row in client.call("show_vault_tag", vault_id=vault).tags}

    checks.equal("from the making", now(), {"team": "red"})
    one = v1.VaultTagsCreateReq(tag=v1.TagCreate(key="tier", value="gold"))
    client.call("create_vault_tags", vault_id=vault, body=one)
    rows = [v1.BulkCreateAndDeleteTags(key="site", value="one"), v1.BulkCreateAndDeleteTags(key="team", value="blue")]
    more = v1.BulkCreateAndDeleteVaultTagsReq(tags=rows, action="create")
    client.call("batch_create_and_delete_vault_tags", vault_id=vault, body=more)
    checks.equal("three now", now(), {"team": "blue", "tier": "gold", "site": "one"})
    client.call("delete_vault_tag", vault_id=vault, key="site")
    client.refused("a tag that is not there", 404, "BackupService.6601", "delete_vault_tag", vault_id=vault, key="site")
    project = {row.key: row.values for row in client.call("show_vault_project_tag").tags}
    checks.true("the project's tags hold it", "blue" in project["team"], project)
    wanted = v1.VaultResourceInstancesReq(
        action="filter", limit="10", offset="0", tags=[v1.TagsReq(key="tier", values=["gold"])]
    )
    found = client.call("show_vault_resource_instances", body=wanted)
    checks.equal("a search finds it", (found.total_count, found.resources[0].resource_id), (1, vault))
    checks.equal("with the vault", found.resources[0].resource_detail.vault.id, vault)
    count = v1.VaultResourceInstancesReq(action="count", tags=[v1.TagsReq(key="tier", values=["gold"])])
    found = client.call("show_vault_resource_instances", body=count)
    checks.equal("a count is a number alone", (found.total_count, found.resources), (1, None))


def usage(client, vault, server):
    """What can be protected, what is stored, vaults abroad, and when backups expire."""
    checks = client.checks
    page = client.call("list_protectable", protectable_type="server", limit=3).instances
    checks.equal("a page of servers", len(page), 3)
    after = client.call("list_protectable", protectable_type="server", limit=3, marker=page[1].id).instances
    checks.equal("pages by marker", after[0].id, page[2].id)
    one = client.call("show_protectable", protectable_type="server", instance_id=server).instance
    checks.equal("a server and its vault", (one.protectable.result, one.protectable.vault.id), (True, vault))
    client.set_server(server, state="migrating")
    one = client.call("show_protectable", protectable_type="server", instance_id=server).instance
    said = (one.protectable.result, one.protectable.code)
    checks.equal("which can't be backed up while it is moved", said, (False, "BackupService.7101"))
    client.set_server(server, state="active")
    disks = client.call("list_protectable", protectable_type="disk", server_id=server).instances
    checks.equal("its disks", {row.type for row in disks}, {DISK})
    client.refused(
        "a disk of nobody", 404, "BackupService.7000", "show_protectable", protectable_type="disk", instance_id=NOBODY
    )
    summary = client.call("show_summary")
    rows = client.call("list_vault").vaults
    checks.equal("the summary's size", summary.size, sum(row.billing.size for row in rows))
    checks.equal("and use", summary.used_size, sum(row.billing.used for row in rows))
    stored = client.call("show_storage_usage", resource_id=server)
    bound = next(row for row in client.vault(vault).resources if row.id == server)
    found = [(row.resource_id, row.backup_count, row.backup_size) for row in stored.storage_usage]
    checks.equal("storage of a server", found, [(server, bound.backup_count, bound.backup_size)])
    checks.equal("counted", stored.resource_count, 1)
    abroad = client.call("list_external_vault", external_project_id="", region_id="eu-nl", protect_type="replication")
    checks.equal("a vault abroad", [row.billing.protect_type for row in abroad.vaults], ["replication"])
    day = v1.UpdateExpirationTimeReq(expect_expiration_date="2099-01-31", time_zone="UTC+01:00")
    client.back_up(vault, resources=[server], retention_duration_days=3)
    client.settle()
    answer = client.call("update_expiration_time", vault_id=vault, body=day)
    checks.equal("an expiry is put off", (answer.affected_backups_count, answer.new_expiration_day), (1, "2099-01-31"))
    log = client.log(answer.operation_log_id).extra_info.update_expiration_time
    checks.equal("and told", (log.affected_backups_count, log.expiration_day), (1, "2099-01-31"))
