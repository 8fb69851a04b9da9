"""CBR by the vendor's SDK: runs, restores, deletions, replicas, shares, and what stands before every call."""

from cbr_client import NOBODY, TIME, calls_of_sdk, request_class
from huaweicloudsdkcbr import v1
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException, ServiceResponseException

# What no console needs, and the embedded service says so.
NOT_OFFERED = {
    "add_agent_path",
    "change_order",
    "change_vault_charge_mode",
    "check_agent",
    "create_organization_policy",
    "create_post_paid_vault",
    "delete_organization_policy",
    "import_backup",
    "import_checkpoint",
    "list_agent",
    "list_domain_projects",
    "list_features",
    "list_organization_policies",
    "list_organization_policy_detail",
    "list_projects",
    "migrate_domain",
    "register_agent",
    "remove_agent_path",
    "show_agent",
    "show_domain",
    "show_feature",
    "show_metadata",
    "show_migrate_status",
    "show_organization_policy",
    "unregister_agent",
    "update_agent",
    "update_order",
    "update_organization_policy",
}


def restore_body(backup, server, power_on=True):
    """A restore of every disk to where it came from."""
    mappings = [
        v1.BackupRestoreServerMapping(backup_id=part.id, volume_id=part.resource_id) for part in backup.children
    ]
    return v1.BackupRestoreReq(restore=v1.BackupRestore(server_id=server, mappings=mappings, power_on=power_on))


def runs(client, vault, server):
    """Backups by hand: how they walk, fail and work again."""
    checks = client.checks
    point = client.back_up(vault, name="judged", description="by the SDK", resources=[server])
    checks.equal("begun", (point.status, point.vault.id, point.vault.skipped_resources), ("protecting", vault, []))
    checks.true("sizes are texts", isinstance(point.vault.resources[0].resource_size, str), point.vault.resources[0])
    checks.equal("said back", (point.extra_info.name, point.extra_info.description), ("judged", "by the SDK"))
    log = client.logs(vault_id=vault, status="waiting")[0]
    checks.equal("its task waits", (log.checkpoint_id, log.extra_info.resource.id), (point.id, server))
    client.sim.advance(15)
    running = client.log(log.id)
    checks.true("then runs", running.status == "running" and 0 < running.extra_info.common.progress < 100, running)
    client.refused(
        "a second one meanwhile",
        400,
        "BackupService.0001",
        "create_checkpoint",
        body=v1.VaultBackupReq(
            checkpoint=v1.VaultBackup(vault_id=vault, parameters=v1.CheckpointParam(resources=[server]))
        ),
    )
    client.settle()
    done = client.log(log.id)
    checks.equal("and ends", (done.status, done.extra_info.common.progress, done.error_info.code), ("success", 100, ""))
    checks.true("at a time", TIME.match(done.ended_at), done.ended_at)
    shown = client.call("show_checkpoint", checkpoint_id=point.id).checkpoint
    checks.equal("the checkpoint is available", shown.status, "available")
    rows = client.call("list_backups", resource_id=server, sort="created_at:desc", limit=1)
    checks.equal(
        "its backup is the newest", (rows.backups[0].checkpoint_id, rows.backups[0].name), (point.id, "judged")
    )
    parts = client.call("list_backups", parent_id=rows.backups[0].id).backups
    whole = client.backup(rows.backups[0].id)
    checks.equal("with its parts", [row.id for row in whole.children], [row.id for row in parts])

    point = client.back_up(vault, resources=[server])
    client.sim.advance(10)
    client.set_server(server, state="error")
    client.settle()
    failed = client.logs(vault_id=vault, status="failed")[0]
    checks.equal("a server that breaks fails its backup", failed.error_info.code, "BackupService.7101")
    broken = client.call("list_backups", checkpoint_id=point.id, status="error").backups
    checks.equal("which is in error", [row.id for row in broken], [failed.extra_info.backup.backup_id])
    client.set_server(server, state="active")
    client.call("delete_backup", backup_id=broken[0].id)
    client.settle()
    client.refused("once deleted it", 404, "BackupService.6200", "show_backup", backup_id=broken[0].id)
    deleted = client.logs(operation_type="delete", vault_id=vault)[0]
    checks.equal("its deletion's task", deleted.extra_info.delete.backup_id, broken[0].id)
    again = client.backed_up(vault, server)
    checks.equal("the server is backed up again", again.status, "available")

    client.behind("POST", f"cbr/vaults/{vault}", {"used_mb": 10**9})
    body = v1.VaultBackupReq(checkpoint=v1.VaultBackup(vault_id=vault))
    client.refused("a full vault", 400, "BackupService.6114", "create_checkpoint", body=body)
    client.behind("POST", f"cbr/vaults/{vault}", {"used_mb": 0})
    strange = v1.VaultBackupReq(
        checkpoint=v1.VaultBackup(vault_id=vault, parameters=v1.CheckpointParam(resources=[NOBODY]))
    )
    client.refused("a server of nobody", 400, "BackupService.6135", "create_checkpoint", body=strange)
    client.refused("an unknown task", 404, "BackupService.6500", "show_op_log", operation_log_id=NOBODY)
    client.refused("an unknown checkpoint", 404, "BackupService.6217", "show_checkpoint", checkpoint_id=NOBODY)
    new_name = v1.BackupUpdateReq(backup=v1.BackupUpdate(name="kept"))
    checks.equal("renamed", client.call("update_backup", backup_id=again.id, body=new_name).backup.name, "kept")
    return again


def restores(client, backup, server):
    """A restore that works, and one that fails and leaves its backup available."""
    checks = client.checks
    answer = client.call("restore_backup", backup_id=backup.id, body=restore_body(backup, server))
    checks.equal("a restore is a 202", answer.status_code, 202)
    client.sim.advance(10)
    checks.equal("its backup says so", client.backup(backup.id).status, "restoring")
    client.refused(
        "another meanwhile",
        400,
        "BackupService.2005",
        "restore_backup",
        backup_id=backup.id,
        body=restore_body(backup, server),
    )
    client.settle()
    log = client.logs(operation_type="restore", resource_id=server)[0]
    said = (log.status, log.extra_info.restore.backup_id, log.extra_info.restore.target_resource_id)
    checks.equal("its task", said, ("success", backup.id, server))
    checks.equal("the server runs", client.server(server)["state"], "active")
    client.call("restore_backup", backup_id=backup.id, body=restore_body(backup, server))
    client.sim.advance(10)
    client.set_server(server, state="error")
    client.settle()
    log = client.logs(operation_type="restore", resource_id=server)[0]
    checks.equal("one that fails", (log.status, log.error_info.code), ("failed", "BackupService.2008"))
    checks.equal("leaves its backup available", client.backup(backup.id).status, "available")
    client.set_server(server, state="active")
    nobody = restore_body(backup, NOBODY)
    client.refused("a restore to nobody", 404, "BackupService.7100", "restore_backup", backup_id=backup.id, body=nobody)


def shares(client, vault, server):
    """Sharing a backup with another project."""
    checks = client.checks
    volumes = [{"index": at, "encrypted": False} for at in range(len(client.server(server)["volumes"]))]
    client.set_server(server, volumes=volumes)
    backup = client.backed_up(vault, server).id
    project = "0605767b5780d5762fc5c0118072a564"
    body = v1.AddMembersReq(members=[project])
    made = client.call("add_member", backup_id=backup, body=body).members
    checks.equal("shared", [(row.status, row.dest_project_id) for row in made], [("pending", project)])
    client.refused("twice", 400, "BackupService.6703", "add_member", backup_id=backup, body=body)
    listed = client.call("show_members_detail", backup_id=backup)
    checks.equal("listed", (listed.count, listed.members[0].id), (1, made[0].id))
    accept = v1.UpdateMember(status="accepted", vault_id=vault)
    member = {"backup_id": backup, "member_id": project}
    changed = client.call("update_member_status", body=accept, **member).member
    checks.equal("accepted", (changed.status, changed.vault_id), ("accepted", vault))
    checks.equal("shown", client.call("show_member_detail", **member).member.status, "accepted")
    client.call("delete_member", **member)
    client.refused("a member that is gone", 404, "BackupService.6705", "show_member_detail", **member)


def replicas(client, vault, server):
    """Replicas in the other region."""
    checks = client.checks
    there = client.call("list_external_vault", external_project_id="", region_id="eu-nl").vaults
    remote = next(row for row in there if row.billing.protect_type == "replication")
    where = {
        "destination_region": "eu-nl",
        "destination_project_id": remote.project_id,
        "destination_vault_id": remote.id,
    }
    backup = client.backed_up(vault, server)
    body = v1.BackupReplicateReq(replicate=v1.BackupReplicateReqBody(**where))
    client.behind("POST", "cbr", {"link_down": True})
    answer = client.call("copy_backup", backup_id=backup.id, body=body).replication
    checks.equal("begun", (answer.backup_id, answer.source_region), (backup.id, "eu-de"))
    client.settle()
    log = client.logs(operation_type="replication")[0]
    checks.equal("a broken link fails it", (log.status, log.error_info.code), ("failed", "BackupService.1006"))
    record = client.backup(backup.id).replication_records[0]
    checks.equal("its record says so", (record.id, record.status), (answer.replication_record_id, "fail"))
    client.behind("POST", "cbr", {"link_down": False})
    whole = v1.CheckpointReplicateReq(replicate=v1.CheckpointReplicateParam(vault_id=vault, **where))
    answer = client.call("copy_checkpoint", body=whole).replication
    copied = {row.backup_id for row in answer.backups}
    checks.true("the whole vault is replicated", backup.id in copied, copied)
    client.settle()
    record = client.backup(backup.id).replication_records[0]
    checks.equal("done", (record.status, record.extra_info.progress), ("success", 100))
    client.refused("a replica that exists", 400, "BackupService.1009", "copy_backup", backup_id=backup.id, body=body)


def signatures(client):
    """Who signs wrongly is refused by the gateway."""
    account = client.account
    wrong = client.connect(account["access_key"], "not-the-key")
    client.refused("a wrong secret key", 401, "APIGW.0301", "show_summary", sdk=wrong)
    keys = (account["temporary_access_key"], account["temporary_secret_key"])
    temporary = client.connect(*keys, token=account["security_token"])
    size = client.call("show_summary", sdk=temporary).size
    client.checks.true("temporary keys with their token do", size > 0, size)
    client.refused("without it they don't", 401, "APIGW.0301", "show_summary", sdk=client.connect(*keys))

    def looks(error):
        told = error.error_msg and error.request_id and error.request_id != "N/A"
        return None if told else f"{error.error_msg!r} {error.request_id!r}"

    def ask():
        return client.call("show_summary", sdk=wrong)

    client.checks.raises("the refusal has words and a request's id", ClientRequestException, ask, looks)


def variant(client):
    """On the Open Telekom Cloud Huawei's own calls are not published."""
    client.sim.switch("cbr.variant", "otc")
    client.refused("protectables", 404, "APIGW.0101", "list_protectable", protectable_type="server")
    client.refused("storage usage", 404, "APIGW.0101", "show_storage_usage")
    client.sim.switch("cbr.variant", "huawei")


def everything(client):
    """No call of the SDK was left out: it works, or it is a clear 501."""
    checks = client.checks

    def looks(error):
        return None if error.status_code == 501 else f"{error.status_code} {error.error_code}"

    for method in sorted(NOT_OFFERED):
        kinds = request_class(method).openapi_types
        given = {
            name: {} if name == "body" else NOBODY for name in kinds if name not in ("limit", "offset", "all_regions")
        }

        def ask(method=method, given=given):
            return client.call(method, **given)

        checks.raises(f"{method} is a clear 501", ServiceResponseException, ask, looks)
    checks.equal("each call was made", sorted(calls_of_sdk() - client.called), [])
