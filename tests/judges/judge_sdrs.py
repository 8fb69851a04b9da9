"""Judges the embedded SDRS with huaweicloudsdksdrs, the vendor's own client: all 49 calls, each signed with access and secret key."""

import sdrs_protect as protect
import sdrs_tasks as tasks
from sdrs_client import Client
from sim import Sim


def main():
    """All parts; what fails takes only its own part with it."""
    with Sim(["sdrs"], "--tasks", "600", "--devices", "48") as sim:
        client = Client(sim)
        step = client.checks.step
        step("basics", lambda: protect.basics(client))
        step("paging", lambda: protect.paging(client))
        step("past failures", lambda: tasks.clearing(client))
        step("tags", lambda: tasks.tags(client))
        group = step("group", lambda: protect.make_group(client))
        if group:
            step("refused groups", lambda: protect.group_refusals(client, group))
            step("failures", lambda: tasks.failing(client, group))
            step("batches", lambda: tasks.batches(client, group))
            instance = step("instance", lambda: protect.make_instance(client, group))
            if instance:
                step("pair", lambda: protect.pair(client, group, instance))
                step("network", lambda: protect.network(client, instance))
                step("resize", lambda: protect.resize(client, group, instance))
                step("actions", lambda: protect.actions(client, group, instance))
                step("drill", lambda: protect.drill(client, group))
                step("end", lambda: protect.end(client, group, instance))
        step("trend", lambda: tasks.trend(client))
        step("shapes", lambda: tasks.shapes(client))
        step("signatures", lambda: tasks.signatures(client))
        step("all calls", lambda: tasks.everything(client))
    client.checks.close()


if __name__ == "__main__":
    main()
