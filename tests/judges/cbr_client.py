"""The embedded CBR as the vendor's own SDK reaches it: every call signed, every answer decoded by the SDK's models."""

import re

from huawei_client import HuaweiClient, Sdk
from huaweicloudsdkcbr import v1

ENDED = ("success", "failed", "timeout", "skipped")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$")
NOBODY = "11111111-2222-4333-8444-555555555555"
SERVER = "OS::Nova::Server"
DISK = "OS::Cinder::Volume"

SDK = Sdk(v1, v1.CbrClient)
calls_of_sdk = SDK.calls
request_class = SDK.request_class


class Client(HuaweiClient):
    """What the judges of this service ask and do again and again."""

    def __init__(self, sim):
        super().__init__(sim, "cbr", SDK)

    def log(self, log):
        """One task."""
        return self.call("show_op_log", operation_log_id=log).operation_log

    def logs(self, **filters):
        """Tasks, newest first."""
        return self.call("list_op_logs", **filters).operation_logs

    def settle(self):
        """Moves the clock until nothing runs."""
        for _ in range(400):
            if not self.logs(status="running", limit=1) and not self.logs(status="waiting", limit=1):
                return
            self.sim.advance(5)
        raise ValueError("something runs for good")

    def vault(self, vault):
        """One vault."""
        return self.call("show_vault", vault_id=vault).vault

    def backup(self, backup):
        """One backup, with the backups of its disks."""
        return self.call("show_backup", backup_id=backup).backup

    def free_servers(self, count):
        """Servers that run, that no vault has, and that can be backed up."""
        rows = self.call("list_protectable", protectable_type="server", limit=50).instances
        fine = [row.id for row in rows if row.protectable.result and row.protectable.vault is None]
        if len(fine) < count:
            raise ValueError(f"only {len(fine)} free servers")
        return fine[:count]

    def server(self, server):
        """One server, from behind."""
        return next(row for row in self.behind("GET", "servers") if row["id"] == server)

    def set_server(self, server, **change):
        """Changes a server, from behind."""
        self.behind("POST", f"servers/{server}", change)

    def make_vault(self, resources, object_type="server", size=5000, **more):
        """A new vault with these resources; the vault."""
        billing = v1.BillingCreate(
            cloud_type="public",
            consistent_level="crash_consistent",
            object_type=object_type,
            protect_type="backup",
            size=size,
            charging_mode="post_paid",
        )
        vault = v1.VaultCreate(billing=billing, name=self.name("vault"), resources=resources, **more)
        return self.call("create_vault", body=v1.VaultCreateReq(vault=vault)).vault

    def back_up(self, vault, **parameters):
        """A backup of a vault now; the checkpoint."""
        body = v1.VaultBackup(vault_id=vault, parameters=v1.CheckpointParam(**parameters))
        return self.call("create_checkpoint", body=v1.VaultBackupReq(checkpoint=body)).checkpoint

    def backed_up(self, vault, server):
        """A backup of one server, once it is made, with the backups of its disks."""
        point = self.back_up(vault, resources=[server])
        self.settle()
        rows = self.call("list_backups", checkpoint_id=point.id).backups
        return self.backup(rows[0].id)
