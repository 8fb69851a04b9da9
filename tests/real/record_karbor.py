#!/usr/bin/env python3
"""Records what Karbor answers, as fixtures under tests/fixtures/karbor. Needs a running keystone.sh and karbor.sh, and their env.sh."""

import json
import os
import sys
import time
import uuid

import jobs
import rest
from recorder import Recorder

NOBODY = "11111111-1111-1111-1111-111111111111"
MINUTELY = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nRRULE:FREQ=MINUTELY;INTERVAL=1\r\nEND:VEVENT\r\nEND:VCALENDAR"


class Recording:
    """One log-in, one folder of fixtures."""

    def __init__(self):
        self.login = rest.from_environment()
        self.base = f"{os.environ['REAL_KARBOR_URL']}/v1/{self.login.project_id}"
        self.good = f"/providers/{os.environ['REAL_KARBOR_GOOD']}/checkpoints"
        self.broken = f"/providers/{os.environ['REAL_KARBOR_BROKEN']}/checkpoints"
        self.recorder = Recorder("karbor")
        self.seen = set()

    def call(self, method, path, **more):
        """One call with our token; any status is an answer."""
        return rest.call(method, self.base + path, token=self.login.token, **more)

    def ask(self, name, method, path, note="", **more):
        """Asks Karbor and keeps the answer."""
        answer = self.call(method, path, **more)
        request = f"{method} /v1/{{project_id}}{path}"
        sent = more.get("body", more.get("raw"))
        if sent is not None:
            request += " " + (sent.decode() if isinstance(sent, bytes) else short(sent))
        return self.recorder.keep(name, answer, request, note)

    def plan(self, name, provider, volumes):
        """Makes a plan over disks that only exist in it, and keeps the answer."""
        resources = [
            {"id": str(uuid.uuid4()), "type": "OS::Cinder::Volume", "name": f"vol-{number}"}
            for number in range(volumes)
        ]
        body = {"plan": {"name": name, "provider_id": provider, "resources": resources, "parameters": {}}}
        return self.ask(f"plan-made-{name}", "POST", "/plans", body=body).json()["plan"]["id"]

    def follow(self, title, path, key, last, seconds=120):
        """Keeps a thing in each status that it goes through, until one of `last`."""

        def look():
            answer = self.call("GET", path)
            status = answer.json()[key]["status"] if answer.status == 200 else str(answer.status)
            if (title, status) not in self.seen:
                self.seen.add((title, status))
                number = sum(1 for other, _ in self.seen if other == title)
                self.recorder.keep(
                    f"{title}-{number}-{status}", answer, f"GET /v1/{{project_id}}{path}", f"status {status}"
                )
            return status in last

        jobs.until(f"{title} {last}", seconds, look)


def short(body):
    """A request body that fits a table."""
    text = json.dumps(body)
    return text if len(text) < 300 else text[:300] + "…"


def checkpoints(recording):
    """Checkpoints that are made, fail, are restored and deleted."""
    good = recording.plan("nightly-volumes", os.environ["REAL_KARBOR_GOOD"], 8)
    broken = recording.plan("broken-volumes", os.environ["REAL_KARBOR_BROKEN"], 2)
    recording.ask("plans", "GET", "/plans")
    recording.ask("plan", "GET", f"/plans/{good}")

    made = recording.ask("checkpoint-made", "POST", recording.good, body={"checkpoint": {"plan_id": good}})
    checkpoint = made.json()["checkpoint"]["id"]
    recording.follow("checkpoint-good", f"{recording.good}/{checkpoint}", "checkpoint", {"available", "error"})
    made = recording.ask("checkpoint-made-broken", "POST", recording.broken, body={"checkpoint": {"plan_id": broken}})
    failed = made.json()["checkpoint"]["id"]
    recording.follow("checkpoint-broken", f"{recording.broken}/{failed}", "checkpoint", {"available", "error"})
    recording.ask("checkpoints", "GET", recording.good)
    recording.ask("checkpoints-broken", "GET", recording.broken)

    body = {"restore": {"provider_id": os.environ["REAL_KARBOR_GOOD"], "checkpoint_id": checkpoint, "parameters": {}}}
    restore = recording.ask("restore-made", "POST", "/restores", body=body).json()["restore"]["id"]
    recording.follow("restore-good", f"/restores/{restore}", "restore", {"success", "fail"})
    body = {"restore": {"provider_id": os.environ["REAL_KARBOR_BROKEN"], "checkpoint_id": failed, "parameters": {}}}
    recording.ask("restore-of-error", "POST", "/restores", "200 and yet a failure", body=body)
    recording.ask("restores", "GET", "/restores")
    body = {
        "verification": {"provider_id": os.environ["REAL_KARBOR_GOOD"], "checkpoint_id": checkpoint, "parameters": {}}
    }
    verification = recording.ask("verification-made", "POST", "/verifications", body=body)
    if verification.status == 200:
        path = f"/verifications/{verification.json()['verification']['id']}"
        recording.follow("verification", path, "verification", {"success", "fail"})

    recording.ask("checkpoint-deleted", "DELETE", f"{recording.good}/{checkpoint}")
    recording.follow("checkpoint-deleted", f"{recording.good}/{checkpoint}", "checkpoint", {"deleted", "404"})
    reset = {"os-resetState": {"state": "available"}}
    recording.ask(
        "checkpoint-reset", "PUT", f"{recording.broken}/{failed}", "the error mark taken off by hand", body=reset
    )
    recording.ask("checkpoint-broken-reset", "GET", f"{recording.broken}/{failed}")
    return good


def paging(recording, plan):
    """Pages of checkpoints, by marker and by the next link."""
    for _ in range(5):
        recording.call("POST", recording.good, body={"checkpoint": {"plan_id": plan}})

    def settled():
        rows = recording.call("GET", recording.good).json()["checkpoints"]
        return len(rows) >= 5 and all(row["status"] != "protecting" for row in rows)

    jobs.until("five checkpoints", 120, settled)
    first = recording.ask("checkpoints-limit-2", "GET", f"{recording.good}?limit=2").json()["checkpoints"]
    marker = first[-1]["id"]
    recording.ask("checkpoints-limit-2-marker", "GET", f"{recording.good}?limit=2&marker={marker}")
    recording.ask("checkpoints-limit-0", "GET", f"{recording.good}?limit=0")
    recording.ask("checkpoints-sort-both", "GET", f"{recording.good}?sort=created_at:asc&sort_key=id")
    recording.ask("plans-limit-1", "GET", "/plans?limit=1")
    recording.ask("plans-offset-1", "GET", "/plans?limit=1&offset=1")


def schedule(recording, plan):
    """A schedule that fires every minute, and the log of what it did."""
    properties = {"format": "calendar", "pattern": MINUTELY, "window": 30}
    body = {"trigger_info": {"name": "every-minute", "type": "time", "properties": properties}}
    trigger = recording.ask("trigger-made", "POST", "/triggers", body=body).json()["trigger_info"]["id"]
    definition = {"provider_id": os.environ["REAL_KARBOR_GOOD"], "plan_id": plan}
    operation = {
        "name": "nightly",
        "operation_type": "protect",
        "trigger_id": trigger,
        "operation_definition": definition,
    }
    made = recording.ask(
        "scheduled-operation-made", "POST", "/scheduled_operations", body={"scheduled_operation": operation}
    )
    before = len(recording.call("GET", "/operation_logs?limit=1000").json()["operation_logs"])

    def fired():
        return len(recording.call("GET", "/operation_logs?limit=1000").json()["operation_logs"]) > before

    jobs.until("the schedule having fired", 180, fired)
    recording.ask("triggers", "GET", "/triggers")
    recording.ask("scheduled-operations", "GET", "/scheduled_operations")
    recording.ask("trigger-in-use-deleted", "DELETE", f"/triggers/{trigger}")
    operation_id = made.json()["scheduled_operation"]["id"]
    recording.ask("scheduled-operation-deleted", "DELETE", f"/scheduled_operations/{operation_id}")

    def quiet():
        rows = recording.call("GET", "/operation_logs?limit=1000").json()["operation_logs"]
        return all(row["ended_at"] for row in rows if row["operation_type"] != "verify")

    # A verification that has failed stays in_progress in the log for good.
    jobs.until("all other runs having ended", 120, quiet)
    logs = recording.ask("operation-logs", "GET", "/operation_logs").json()["operation_logs"]
    recording.ask("operation-log", "GET", f"/operation_logs/{logs[0]['id']}")
    recording.ask("operation-logs-error", "GET", "/operation_logs?status=error")


def rest_of_it(recording):
    """Providers, protectables, quotas, services, and the wrong questions."""
    project = recording.login.project_id
    recording.ask("providers", "GET", "/providers")
    recording.ask("provider", "GET", f"/providers/{os.environ['REAL_KARBOR_GOOD']}")
    recording.ask("protectables", "GET", "/protectables")
    recording.ask("protectable", "GET", "/protectables/OS::Nova::Server")
    recording.ask("protectable-instances", "GET", "/protectables/OS::Nova::Server/instances", "there is no Nova here")
    recording.ask("quotas", "GET", f"/quotas/{project}")
    recording.ask("quotas-detail", "GET", f"/quotas/{project}/detail")
    recording.ask("services", "GET", "/os-services")
    recording.ask("bad-plan", "POST", recording.good, body={"checkpoint": {"plan_id": "x"}})
    recording.ask("bad-json", "POST", "/plans", raw=b'{"plan": ')
    recording.ask("bad-body", "POST", "/plans", body={"plan": {"colour": "red"}})
    recording.ask("checkpoint-of-unknown-plan", "POST", recording.good, body={"checkpoint": {"plan_id": NOBODY}})
    recording.ask("checkpoint-unknown", "GET", f"{recording.good}/{NOBODY}")
    recording.ask("restore-unknown", "GET", f"/restores/{NOBODY}")
    recording.ask("operation-log-unknown", "GET", f"/operation_logs/{NOBODY}")
    recording.ask("plan-unknown", "GET", f"/plans/{NOBODY}")
    recording.ask("path-unknown", "GET", "/nothing")
    keep = recording.recorder.keep
    path = f"{recording.base}/plans"
    keep("token-none", rest.call("GET", path), "GET /v1/{project_id}/plans without a token")
    keep("token-wrong", rest.call("GET", path, token="nonsense"), "GET /v1/{project_id}/plans with a bad token")
    other = f"{os.environ['REAL_KARBOR_URL']}/v1/{NOBODY.replace('-', '')}/plans"
    answer = rest.call("GET", other, token=recording.login.token)
    keep("project-other", answer, "GET /v1/{another project_id}/plans", "the path's project is not the token's")
    keep("versions", rest.call("GET", f"{os.environ['REAL_KARBOR_URL']}/"), "GET /", "a fault of 1.6.0 over WebOb 1.8")


def main():
    """All of it."""
    begun = time.monotonic()
    recording = Recording()
    plan = checkpoints(recording)
    paging(recording, plan)
    schedule(recording, plan)
    rest_of_it(recording)
    print(f"recorded into {recording.recorder.folder} within {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    if len(sys.argv) != 1:
        raise SystemExit(__doc__)
    main()
