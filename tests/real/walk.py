#!/usr/bin/env python3
"""Walks the five jobs of a running set through their states, and checks that the servers are what the scripts promise.

Takes the ids of the jobs from $REAL_DIR/jobs.json (with.sh leaves them there), the rest from env.sh.
"""

import json
import os
import pathlib

import jobs
import rest
from checks import Checks

FAILED = ("completed", "fail", "")
GOOD = ("completed", "success", "")
RUNNING = ("running", "", "")


def polls():
    """How often the scheduler has looked so far."""
    log = pathlib.Path(os.environ["REAL_DIR"]) / "log" / "freezer-scheduler.log"
    return log.read_text().count("Polling for jobs from API")


class Walk:
    """The checks, over one log-in."""

    def __init__(self):
        self.checks = Checks("freezer")
        self.freezer = jobs.Freezer()
        self.ids = json.loads((pathlib.Path(os.environ["REAL_DIR"]) / "jobs.json").read_text())

    def reaches(self, name, state, seconds=60):
        """Waits until the job is in this state, and gives the job."""

        def look():
            job = self.freezer.job(self.ids[name])
            return job if jobs.state(job) == state else None

        job = jobs.until(f"{name} {state}", seconds, look)
        self.checks.equal(f"{name} gets to {'/'.join(state)}", jobs.state(job), state)
        return job

    def good(self):
        """A folder that is there: the backup is made, stored and listed."""
        job = self.reaches("nightly-files", GOOD)
        schedule = job["job_schedule"]
        self.checks.true("it ended after it started", 0 < schedule["time_started"] <= schedule["time_ended"], schedule)
        backups = self.freezer.expect(200, "GET", "/backups?limit=100").json()["backups"]
        names = {row["backup_metadata"]["backup_name"] for row in backups}
        self.checks.true("its backup is listed", "nightly-files" in names, names)

    def broken(self):
        """A folder that isn't there: the run fails, and fails again when it is started again."""
        first = self.reaches("broken-path", FAILED)["job_schedule"]["time_started"]
        self.checks.equal(
            "a failed job can be started", self.freezer.event(self.ids["broken-path"], "start"), "success"
        )

        def again():
            job = self.freezer.job(self.ids["broken-path"])
            return jobs.state(job) == FAILED and job["job_schedule"]["time_started"] > first

        self.checks.true("it fails once more", jobs.until("broken-path failing again", 60, again), "no second run")

    def on_demand(self):
        """A job made stopped waits for its start."""
        self.reaches("on-demand", ("stop", "", ""))
        self.checks.equal("a stopped job can be started", self.freezer.event(self.ids["on-demand"], "start"), "success")
        self.reaches("on-demand", GOOD)

    def interval(self):
        """A scheduled job goes back to scheduled with the result of its last run, until it is stopped."""
        self.reaches("every-20s", ("scheduled", "success", ""), 90)
        self.checks.equal("it can be stopped", self.freezer.event(self.ids["every-20s"], "stop"), "success")
        self.reaches("every-20s", ("stop", "success", ""))

    def abort(self):
        """An abort is accepted; whether it is carried out depends on REAL_MEND_ABORT."""
        job = self.reaches("long-archive", RUNNING)
        agent = jobs.until("the agent of long-archive", 30, lambda: self.agent(job["job_id"]))
        self.checks.equal("an abort is accepted", self.freezer.event(job["job_id"], "abort"), "success")
        if os.environ.get("REAL_MEND_ABORT") == "1":
            self.reaches("long-archive", ("completed", "aborted", "abort"), 30)
            return
        self.checks.equal("a second abort too", self.freezer.event(job["job_id"], "abort"), "abort already requested")
        seen = polls()
        jobs.until("the scheduler having looked twice more", 30, lambda: polls() >= seen + 2)
        self.checks.equal("it runs on", jobs.state(self.freezer.job(job["job_id"])), ("running", "", "abort"))
        self.checks.true("its agent lives", os.path.exists(f"/proc/{agent}"), f"process {agent} is gone")

    def agent(self, job_id):
        """The process id of the job's agent, once it is known."""
        return self.freezer.job(job_id)["job_schedule"].get("current_pid")

    def refusals(self):
        """What Freezer says to the wrong questions."""
        unknown = self.freezer.call("GET", "/jobs/00000000000000000000000000000000")
        self.checks.equal("an unknown job is 404 with nothing to read", (unknown.status, unknown.body), (404, ""))
        bad = self.freezer.call("POST", f"/jobs/{self.ids['broken-path']}/event", body={"explode": None})
        self.checks.equal(
            "an unknown event is 400", (bad.status, bad.json()["description"]), (400, "Bad Action Method")
        )
        stranger = rest.call("GET", f"{self.freezer.base}/jobs", token="nonsense")
        self.checks.equal("a bad token is 401", (stranger.status, stranger.json()["error"]["code"]), (401, 401))


def main():
    """All parts; what waits for long comes last."""
    walk = Walk()
    for part in (walk.abort, walk.good, walk.broken, walk.on_demand, walk.refusals, walk.interval):
        walk.checks.step(part.__name__, part)
    walk.checks.close()


if __name__ == "__main__":
    main()
