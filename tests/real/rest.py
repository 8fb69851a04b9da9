#!/usr/bin/env python3
"""A few REST calls with nothing but the standard library.

Imported by the scripts beside it; called by the shell scripts as `rest.py VERB ARGUMENT...`.
"""

import json
import os
import socket
import sys
import time
import urllib.error
import urllib.request

# Loopback traffic must not go through a proxy of the environment.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Answer:
    """One HTTP answer as it came: any status is an answer."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def json(self):
        """The decoded body."""
        return json.loads(self.body)


def call(method, url, token=None, body=None, raw=None, headers=None):
    """Sends one request to a server on loopback. `body` goes as JSON, `raw` as the bytes it is; `headers` replace ours."""
    headers = {"Accept": "application/json"} | (headers or {})
    if token:
        headers["X-Auth-Token"] = token
    data = raw
    if body is not None:
        data = json.dumps(body).encode()
    if data is not None:
        headers.setdefault("Content-Type", "application/json")
    request = urllib.request.Request(url, data=data, method=method, headers=headers)
    try:
        with DIRECT.open(request, timeout=60) as answer:
            return Answer(answer.status, answer.headers, answer.read().decode())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers, error.read().decode())


def expect(status, method, url, **more):
    """A call that must answer with this status."""
    answer = call(method, url, **more)
    if answer.status != status:
        raise SystemExit(f"{method} {url}: {answer.status} instead of {status}: {answer.body[:400]}")
    return answer


def password_request(password, user="admin", project="admin"):
    """The body of a Keystone v3 log-in with a password, scoped to a project."""
    domain = {"id": "default"}
    return {
        "auth": {
            "identity": {
                "methods": ["password"],
                "password": {"user": {"name": user, "domain": domain, "password": password}},
            },
            "scope": {"project": {"name": project, "domain": domain}},
        }
    }


class Login:
    """A token of the set's Keystone, and who it is for."""

    def __init__(self, auth_url, password):
        answer = expect(201, "POST", f"{auth_url}/auth/tokens", body=password_request(password))
        self.auth_url = auth_url
        self.token = answer.headers["X-Subject-Token"]
        token = answer.json()["token"]
        self.project_id = token["project"]["id"]
        self.user_id = token["user"]["id"]
        self.expires_at = token["expires_at"]

    def keystone(self, method, path, status, body=None):
        """A call to Keystone itself."""
        return expect(status, method, self.auth_url + path, token=self.token, body=body).json()


def from_environment():
    """The log-in that env.sh of the set describes."""
    try:
        return Login(os.environ["REAL_AUTH_URL"], os.environ["REAL_PASSWORD"])
    except KeyError as missing:
        raise SystemExit(f"{missing.args[0]} is not set: source env.sh of the running set first") from None


def free_port():
    """A port on 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        print(probe.getsockname()[1])


def wait(url, pid):
    """Waits up to two minutes until something answers at `url`, as long as the process lives."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if not os.path.exists(f"/proc/{pid}"):
            raise SystemExit(f"process {pid} ended before it answered")
        try:
            call("GET", url)
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"no answer from {url} within two minutes")


def catalog(kind, name, url):
    """Puts a service with one URL into Keystone's catalog, or moves it there."""
    login = from_environment()
    found = login.keystone("GET", f"/services?type={kind}&name={name}", 200)["services"]
    if not found:
        body = {"service": {"type": kind, "name": name}}
        found = [login.keystone("POST", "/services", 201, body)["service"]]
    service = found[0]["id"]
    listed = login.keystone("GET", f"/endpoints?service_id={service}", 200)["endpoints"]
    known = {endpoint["interface"]: endpoint for endpoint in listed}
    for interface in ("public", "internal", "admin"):
        if interface not in known:
            endpoint = {"service_id": service, "interface": interface, "region_id": "RegionOne", "url": url}
            login.keystone("POST", "/endpoints", 201, {"endpoint": endpoint})
        elif known[interface]["url"] != url:
            path = f"/endpoints/{known[interface]['id']}"
            login.keystone("PATCH", path, 200, {"endpoint": {"url": url}})


def default_project():
    """Gives the user the project of the log-in as default: Karbor's trustee logs in without a scope."""
    login = from_environment()
    body = {"user": {"default_project_id": login.project_id}}
    login.keystone("PATCH", f"/users/{login.user_id}", 200, body)


def project_id():
    """Prints the id of the project."""
    print(from_environment().project_id)


VERBS = {
    "catalog": catalog,
    "default-project": default_project,
    "free-port": free_port,
    "project-id": project_id,
    "wait": wait,
}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in VERBS:
        raise SystemExit(f"usage: rest.py {'|'.join(VERBS)} ARGUMENT...")
    VERBS[sys.argv[1]](*sys.argv[2:])
