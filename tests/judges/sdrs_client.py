"""The embedded SDRS as the vendor's own SDK reaches it: every call signed, every answer decoded by the SDK's models."""

import re

from huawei_client import HuaweiClient, Sdk
from huaweicloudsdksdrs import v1

ENDED = ("SUCCESS", "FAIL")
JOB_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
BLANK_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{1,3}$")
NOBODY = "11111111-2222-3333-4444-555555555555"

SDK = Sdk(v1, v1.SdrsClient)
calls_of_sdk = SDK.calls
request_class = SDK.request_class


class Client(HuaweiClient):
    """What the judges of this service ask and do again and again."""

    def __init__(self, sim):
        super().__init__(sim, "sdrs", SDK)

    def job(self, answer):
        """The job that a change was answered with, as it is now."""
        return self.call("show_job_status", job_id=answer.job_id)

    def ended(self, answer):
        """Moves the clock until the job has ended, and gives it."""
        for _ in range(400):
            job = self.job(answer)
            if job.status in ENDED:
                return job
            self.sim.advance(5)
        raise ValueError(f"job {answer.job_id} is {job.status} for good")

    def does(self, what, job_type, method, **parameters):
        """A change that must succeed; its job."""
        job = self.ended(self.call(method, **parameters))
        self.checks.equal(what, (job.job_type, job.status, job.error_code), (job_type, "SUCCESS", None))
        return job

    def fails(self, what, code, method, **parameters):
        """A change that must be accepted and then fail with this code; its job."""
        job = self.ended(self.call(method, **parameters))
        self.checks.equal(what, (job.status, job.error_code), ("FAIL", code))
        self.checks.true(f"{what}: it says why", "-fail:" in (job.fail_reason or ""), job.fail_reason)
        return job

    def group(self, group):
        """One protection group."""
        return self.call("show_protection_group", server_group_id=group).server_group

    def instance(self, instance):
        """One protected instance."""
        return self.call("show_protected_instance", protected_instance_id=instance).protected_instance

    def pair(self, pair):
        """One replication pair."""
        return self.call("show_replication", replication_id=pair).replication

    def pairs_of(self, instance):
        """The replication pairs of an instance."""
        return self.call("list_replications", protected_instance_id=instance).replications

    def failed(self, **filters):
        """Rows of the task center."""
        return self.call("list_failure_jobs", **filters).failure_jobs

    def act(self, group, word, priority=None):
        """Method and parameters of one of the four actions on a group."""
        start = v1.StartProtectionGroupRequestBody
        station = v1.ReverseProtectionGroupRequestParams(priority_station=priority)
        bodies = {
            "start": ("start_protection_group", start(start_server_group={})),
            "stop": ("stop_protection_group", v1.StopProtectionGroupRequestBody(stop_server_group={})),
            "reverse": (
                "start_reverse_protection_group",
                v1.ReverseProtectionGroupRequestBody(reverse_server_group=station),
            ),
            "failover": (
                "start_failover_protection_group",
                v1.FailoverProtectionGroupRequestBody(failover_server_group={}),
            ),
        }
        method, body = bodies[word]
        return {"method": method, "server_group_id": group, "body": body}

    def settle(self, group):
        """Lets the replication pairs of a group come into step."""
        for row in self.call("list_replications", server_group_id=group).replications:
            self.behind("POST", f"pairs/{row.id}", {"in_sync": True})

    def power(self, server, state):
        """Switches a production server on or off."""
        self.behind("POST", f"servers/{server}", {"state": state})

    def free_servers(self, zone):
        """Servers of a zone that run, that no instance has, and whose disks can be replicated."""
        used = {row.source_server for row in self.call("list_protected_instances").protected_instances}
        good = []
        for server in self.behind("GET", "servers"):
            disks = server["volumes"]
            sound = disks and not any(disk["shared"] or disk["encrypted"] for disk in disks)
            edge = server["name"].startswith("ecs-edge")  # another network
            if server["az"] == zone and server["state"] == "active" and sound and not edge and server["id"] not in used:
                good.append(server["id"])
        return good
