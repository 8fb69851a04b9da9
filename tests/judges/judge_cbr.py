"""Judges the embedded CBR with huaweicloudsdkcbr, the vendor's own client: every call that it offers, signed with access and secret key."""

import cbr_backups as backups
import cbr_vaults as vaults
from cbr_client import Client
from sim import Sim


def main():
    """All parts; what fails takes only its own part with it."""
    arguments = ["--tasks", "400", "--devices", "40", "--switch", "cbr.variant=huawei"]
    with Sim(["cbr"], *arguments) as sim:
        client = Client(sim)
        step = client.checks.step
        step("estate", lambda: vaults.estate(client))
        made = step("vaults", lambda: vaults.vaults(client))
        if made:
            vault, server = made
            step("policies", lambda: vaults.policies(client, vault))
            step("tags", lambda: vaults.tags(client, vault))
            backup = step("runs", lambda: backups.runs(client, vault, server))
            if backup:
                step("restores", lambda: backups.restores(client, backup, server))
            step("shares", lambda: backups.shares(client, vault, server))
            step("replicas", lambda: backups.replicas(client, vault, server))
            step("usage", lambda: vaults.usage(client, vault, server))
        step("signatures", lambda: backups.signatures(client))
        step("variant", lambda: backups.variant(client))
        step("all calls", lambda: backups.everything(client))
    client.checks.close()


if __name__ == "__main__":
    main()
