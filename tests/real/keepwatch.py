#!/usr/bin/env python3
"""Keepwatch against a real Freezer: what it shows, triggers, retries and cancels on servers that nobody here wrote.

Runs inside with.sh: takes the servers from env.sh and the program from KEEPWATCH_BIN. This is the headless face; the console on the
same servers is driven through a pseudo-terminal by tests/real_console.rs.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from checks import Checks

CONFIG = """
[[service]]
name = "files"
kind = "freezer"
endpoint = "{endpoint}"
[service.auth]
method = "keystone"
url = "{auth_url}"
username = "{user}"
password = {{ env = "REAL_TEST_PASSWORD" }}
user_domain = "{domain}"
project = "{project}"
project_domain = "{domain}"
"""


class Keepwatch:
    """The program with a configuration for the running set and a home of its own."""

    def __init__(self, folder):
        self.program = os.environ["KEEPWATCH_BIN"]
        self.folder = pathlib.Path(folder)
        self.config = self.folder / "config.toml"
        self.config.write_text(
            CONFIG.format(
                endpoint=os.environ["REAL_FREEZER_URL"],
                auth_url=os.environ["REAL_AUTH_URL"],
                user=os.environ["REAL_USERNAME"],
                domain=os.environ["REAL_DOMAIN"],
                project=os.environ["REAL_PROJECT"],
            )
        )

    def environment(self, password=None):
        """What the program gets: nothing of ours but the path."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "REAL_TEST_PASSWORD": password or os.environ["REAL_PASSWORD"],
        }

    def run(self, *words, password=None):
        """Runs a headless verb; gives exit code, standard output and standard error."""
        done = subprocess.run(
            [self.program, "--config", str(self.config), *words],
            env=self.environment(password),
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def items(self, noun, *words):
        """The items of a list."""
        code, out, err = self.run("list", noun, "--output", "json", *words)
        if code:
            raise RuntimeError(f"list {noun} ended with {code}: {err}")
        return json.loads(out)["items"]

    def task(self, policy, fits, seconds):
        """Waits for a task of the policy for which `fits` holds."""
        until = time.monotonic() + seconds
        seen = []
        while time.monotonic() < until:
            seen = [item for item in self.items("tasks") if item["policy"] == policy]
            for item in seen:
                if fits(item):
                    return item
            time.sleep(1)
        raise TimeoutError(f"no such task of {policy}; there are {seen}")


class Judge:
    """The checks, in the order in which an operator would meet them."""

    def __init__(self, folder):
        self.checks = Checks("keepwatch")
        self.keepwatch = Keepwatch(folder)

    def lists(self):
        """The client is a device, jobs are policies."""
        devices = self.keepwatch.items("devices")
        self.checks.equal("the client is the one device", [d["device"] for d in devices], [os.environ["REAL_CLIENT_ID"]])
        policies = {p["policy"] for p in self.keepwatch.items("policies")}
        wanted = {"nightly-files", "broken-path", "long-archive", "every-20s", "on-demand"}
        self.checks.true("jobs are policies", wanted <= policies, policies)

    def good(self):
        """A triggered job is seen to run and to end."""
        self.keepwatch.task("nightly-files", lambda t: t["phase"] == "succeeded", 120)
        before = {t["id"] for t in self.keepwatch.items("tasks") if t["policy"] == "on-demand"}
        code, out, _ = self.keepwatch.run("run", "on-demand", "--dry-run")
        self.checks.true("a dry run shows the request", code == 0 and "/event" in out and '"start"' in out, out)
        code, out, err = self.keepwatch.run("run", "on-demand", "--yes")
        self.checks.equal("the trigger is accepted", code, 0)
        task = self.keepwatch.task("on-demand", lambda t: t["id"] not in before and t["phase"] == "succeeded", 120)
        self.checks.equal("its run ends well", task["native_status"], "success")
        self.checks.true("with both times", task["started_at"] and task["ended_at"], task)
        after = [t for t in self.keepwatch.items("tasks") if t["policy"] == "on-demand" and t["id"] not in before]
        self.checks.equal("it ran once", len(after), 1)

    def broken(self):
        """A folder that isn't there: failed, explained, and failed again when it is repeated."""
        first = self.keepwatch.task("broken-path", lambda t: t["phase"] == "failed", 120)
        failed = [t for t in self.keepwatch.items("failed") if t["policy"] == "broken-path"]
        self.checks.true("it stands among the failed jobs", failed, self.keepwatch.items("failed"))
        if failed:
            told = f"{failed[0]['meaning']} {failed[0]['remedy']}"
            self.checks.true("it is explained", failed[0]["meaning"] and failed[0]["remedy"], failed[0])
            self.checks.true("and said that the service gives no reason", "no reason" in told.lower(), told)
        code, _, err = self.keepwatch.run("retry", first["id"], "--yes")
        self.checks.equal("the retry is accepted", code, 0)
        again = self.keepwatch.task("broken-path", lambda t: t["phase"] == "failed" and t["id"] != first["id"], 120)
        self.checks.true("and fails as a run of its own", again["id"] != first["id"], err)

    def abort(self):
        """Freezer 19 takes an abort and lets the job run on: asked is not cancelled."""
        live = [t for t in self.keepwatch.items("tasks") if t["policy"] == "long-archive" and t["phase"] == "running"]
        if not live:
            self.keepwatch.run("run", "long-archive", "--yes")
        task = self.keepwatch.task("long-archive", lambda t: t["phase"] == "running", 120)
        code, out, _ = self.keepwatch.run("cancel", task["id"], "--yes")
        self.checks.equal("the cancel is accepted", code, 0)
        now = self.keepwatch.task("long-archive", lambda t: t["id"] == task["id"], 30)
        self.checks.true("it still runs, and is not called cancelled", now["phase"] in ("running", "succeeded"), now)

    def wrong_password(self):
        """A wrong password is told once, clearly, and never shown."""
        code, out, err = self.keepwatch.run("list", "tasks", "--output", "json", password="not-the-password")
        self.checks.equal("the exit code says that a service could not be read", code, 4)
        service = json.loads(out)["services"][0]
        refused = any(word in service["error"].lower() for word in ("401", "credential", "password"))
        self.checks.true("it says that the login was refused", refused, service)
        self.checks.true("the password is nowhere", "not-the-password" not in out + err, "it was printed")

    def all(self):
        """Every part, whatever becomes of the one before."""
        for part in (self.lists, self.good, self.broken, self.abort, self.wrong_password):
            self.checks.step(part.__name__, part)
        self.checks.close()


def main():
    """Runs the checks in a folder that goes with them."""
    if "KEEPWATCH_BIN" not in os.environ:
        sys.exit("KEEPWATCH_BIN must name the program")
    with tempfile.TemporaryDirectory() as folder:
        Judge(folder).all()


if __name__ == "__main__":
    main()
