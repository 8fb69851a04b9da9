"""Starts `keepwatch sim` for one judge, and changes its world. Nothing here is under judgement: only the standard library."""

import ctypes
import json
import os
import signal
import subprocess
import urllib.request

# Loopback traffic must not go through a proxy of the environment, with any client.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"
PR_SET_PDEATHSIG = 1


def _end_with_parent():
    """The simulation ends when its judge ends, whatever ended that one."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Sim:
    """One running simulation with these kinds. Its clock stands still and moves only when told to."""

    def __init__(self, kinds, *arguments):
        command = [os.environ["KEEPWATCH_BIN"], "sim", "--port", "0", "--speed", "0", "--change-rate", "0"]
        command += ["--kinds", ",".join(kinds), *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=_end_with_parent)  # noqa: PLW1509 (no threads yet)
        self.services = {}
        for line in self.process.stdout:
            service = json.loads(line)
            self.services[service["kind"]] = service
            if len(self.services) == len(kinds) + 1:
                return
        raise SystemExit(f"the simulation ended before it was ready (exit code {self.process.wait()})")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()

    def login(self):
        """The log-in of Keystone's ready line, as keystoneauth1 names its parts."""
        auth = self.services["keystone"]["auth"]
        return {
            "auth_url": auth["url"],
            "username": auth["username"],
            "password": auth["password"],
            "user_domain_name": auth["user_domain"],
            "project_name": auth["project"],
            "project_domain_name": auth["project_domain"],
        }

    def endpoint(self, kind, project_id):
        """The endpoint of a service's ready line, with the project filled in."""
        return self.services[kind]["endpoint"].replace("{project_id}", project_id)

    def control(self, method, path, body=None, kind="keystone"):
        """One call behind the scenes, on the port of that kind's service."""
        root = "/".join(self.services[kind]["endpoint"].split("/")[:3])
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{root}/_sim/{path}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def advance(self, seconds):
        """Moves the clock; all that is due happens at once."""
        self.control("POST", "clock", {"advance_s": seconds})

    def switch(self, name, value):
        """Sets a switch."""
        self.control("POST", "switches", {"name": name, "value": value})

    def counted(self, name):
        """How often something really happened."""
        return self.control("GET", "counters").get(name, 0)
