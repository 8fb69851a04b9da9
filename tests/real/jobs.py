#!/usr/bin/env python3
"""Real jobs on the set's Freezer: make them, look at them, send them events.

    jobs.py make            makes the five jobs below (they start by themselves) and prints their ids as JSON
    jobs.py list            one line a job: what it is, status, result, event
    jobs.py event ID WORD   asks a job for start, stop or abort
    jobs.py await-client    waits until the scheduler has registered its client

The settings come from env.sh of the running set.
"""

import json
import os
import pathlib
import sys
import time

import rest

CLIENT = "device-1"


class Freezer:
    """The set's Freezer, logged in."""

    def __init__(self):
        self.login = rest.from_environment()
        self.base = f"{os.environ['REAL_FREEZER_URL']}/v2/{self.login.project_id}"

    def call(self, method, path, **more):
        """One call with our token; any status is an answer."""
        return rest.call(method, self.base + path, token=self.login.token, **more)

    def expect(self, status, method, path, **more):
        """One call that must answer with this status."""
        return rest.expect(status, method, self.base + path, token=self.login.token, **more)

    def jobs(self):
        """All jobs, page by page: a page holds ten unless asked for more."""
        rows, step = [], 50
        while True:
            page = self.expect(200, "GET", f"/jobs?limit={step}&offset={len(rows)}").json()["jobs"]
            rows += page
            if len(page) < step:
                return rows

    def job(self, job_id):
        """One job."""
        return self.expect(200, "GET", f"/jobs/{job_id}").json()

    def make(self, body):
        """Makes a job and gives its id."""
        return self.expect(201, "POST", "/jobs", body=body).json()["job_id"]

    def event(self, job_id, word):
        """Asks a job for an event; what the server says to it."""
        return self.expect(202, "POST", f"/jobs/{job_id}/event", body={word: None}).json()["result"]


def state(job):
    """Status, result and event of a job, an absent or null one as ''."""
    schedule = job["job_schedule"]
    return tuple(schedule.get(key) or "" for key in ("status", "result", "event"))


def until(what, seconds, look):
    """Looks again and again until `look` gives something; says what was waited for where it never does."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.2)
    raise SystemExit(f"{what}: not within {seconds} s")


def backup(name, folder, compression="gzip", schedule=None):
    """The body of a job that backs a folder up with tar. No `snapshot` key: false would come back as the text "False", which is true."""
    action = {
        "action": "backup",
        "mode": "fs",
        "storage": "local",
        "container": str(data_folder() / "store"),
        "backup_name": name,
        "path_to_backup": str(folder),
        "engine_name": "tar",
        "compression": compression,
    }
    return {
        "description": name,
        "client_id": CLIENT,
        "job_schedule": schedule or {},
        "job_actions": [{"freezer_action": action, "max_retries": 0, "max_retries_interval": 5}],
    }


def data_folder():
    """Where the folders to back up and the backups are."""
    return pathlib.Path(os.environ["REAL_DIR"]) / "data"


def fill_folders():
    """Makes the two real folders: a few small files, and a large one of noise that no compressor gets through quickly."""
    small, large = data_folder() / "documents", data_folder() / "large"
    for folder in (small, large, data_folder() / "store"):
        folder.mkdir(parents=True, exist_ok=True)
    for number in range(20):
        (small / f"page-{number:02}.txt").write_text(f"page {number}\n" * 500)
    noise = large / "noise.bin"
    size = int(os.environ.get("REAL_LARGE_MIB", "96")) << 20
    if not noise.exists() or noise.stat().st_size != size:
        with noise.open("wb") as file:
            for _ in range(size >> 20):
                file.write(os.urandom(1 << 20))
    return small, large


def bodies():
    """The five jobs: one that works, one whose folder isn't there, a long one to abort, one every 20 seconds, one that waits."""
    small, large = fill_folders()
    return {
        "nightly-files": backup("nightly-files", small),
        "broken-path": backup("broken-path", data_folder() / "not-there"),
        "long-archive": backup("long-archive", large, compression="xz"),
        "every-20s": backup("every-20s", small, schedule={"schedule_interval": "20 seconds"}),
        "on-demand": backup("on-demand", small, schedule={"status": "stop"}),
    }


def make():
    """Makes the five jobs and prints their ids."""
    freezer = Freezer()
    ids = {name: freezer.make(body) for name, body in bodies().items()}
    print(json.dumps(ids, indent=2))


def show():
    """Prints one line a job."""
    for job in Freezer().jobs():
        status, result, event = state(job)
        print(f"{job['job_id']}  {job['description']:<16} {status or '-':<10} {result or '-':<8} {event or '-'}")


def send(job_id, word):
    """Sends one event and prints the answer."""
    print(Freezer().event(job_id, word))


def await_client():
    """Waits until the scheduler has registered its client."""
    freezer = Freezer()

    def known():
        clients = freezer.expect(200, "GET", "/clients?limit=100").json()["clients"]
        return [row for row in clients if row["client"]["client_id"] == CLIENT]

    until(f"client {CLIENT} registered", 60, known)


VERBS = {"make": make, "list": show, "event": send, "await-client": await_client}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in VERBS:
        raise SystemExit(__doc__)
    VERBS[sys.argv[1]](*sys.argv[2:])
