"""Judges the embedded CSBS with otcextensions: log-in, catalog entry data-protect, and each call by its raw get, post, put, delete."""

import csbs_backups as backups
import csbs_policies as policies
from csbs_client import Client
from otcextensions.sdk.csbs.v1._proxy import Proxy
from sim import Sim


def reach(client):
    """The client finds the service by the catalog."""
    client.checks.equal("the proxy is otcextensions' own", type(client.csbs), Proxy)
    wanted = client.sim.endpoint("csbs", client.project)
    client.checks.equal("the catalog leads to CSBS", client.csbs.get_endpoint(), wanted)
    client.checks.equal("of the service type", client.csbs.service_type, "data-protect")


def main():
    """All parts; what fails takes only its own part with it."""
    with Sim(["csbs"], "--tasks", "60", "--devices", "16") as sim:
        client = Client(sim)
        step = client.checks.step
        step("reach", lambda: reach(client))
        step("listing", lambda: backups.listing(client))
        step("failures", lambda: backups.failures(client))
        step("quotas", lambda: backups.quotas(client))
        step("refusals", lambda: backups.refusals(client))
        step("failing", lambda: backups.failing(client))
        item = step("protect", lambda: backups.protect(client))
        if item:
            step("restore", lambda: backups.restore(client, item))
            step("tags of a backup", lambda: policies.tags(client, "csbs_backup", item["id"]))
            step("replication", lambda: policies.replication(client, item["id"]))
            step("delete", lambda: backups.delete(client, item))
        made = step("policies", lambda: policies.changing(client))
        if made:
            policy, server = made
            step("policies refused", lambda: policies.refusals(client, policy))
            step("tags of a policy", lambda: policies.tags(client, "csbs_backup_policy", policy))
            step("runs", lambda: policies.running(client, policy, server))
            step("policy deleted", lambda: policies.deleting(client, policy))
        step("before every call", lambda: policies.before(client))
        step("renewal", lambda: policies.renewal(client))
    client.checks.close()


if __name__ == "__main__":
    main()
