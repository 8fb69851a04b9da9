"""The two Karbors that are compared: a real one, and the one that keepwatch embeds. Both are asked the same by the same walk."""

import json
import os
import re
import time
import uuid

import rest

# Made up for both, in the real one's configuration (karbor.sh) and in the embedded one's switches.
SWITCHES = {
    "karbor.bank": "file_system",
    "karbor.min_interval": "60",
    "karbor.min_window": "5",
    "karbor.max_window": "30",
    "karbor.backup_poll": "1",
    "karbor.nova": "off",
    "karbor.cinder": "off",
}
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
HEX = re.compile(r"(?<![0-9a-f-])[0-9a-f]{32}(?![0-9a-f-])")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?")
DAY = re.compile(r"(?<!\d)\d{4}-\d\d-\d\d(?!\d)")
REQUEST = re.compile(r"req-[0-9a-f-]{32,36}")
# The pattern for descriptions lists every printable character that the Python at hand knows.
PRINTABLE = re.compile(r"does not match '\^\[.*\]\*\$'")
HEADERS = ("Content-Type", "Retry-After", "Www-Authenticate", "X-Compute-Request-Id", "X-Openstack-Request-Id")


class Side:
    """One Karbor with two log-ins to a project that nobody used before: a member's and an administrator's."""

    def __init__(self, name, root, tokens, project, keystone):
        self.name = name
        self.root = root
        self.tokens = tokens
        self.project = project
        self.keystone = keystone
        self.named = {project: "<project>"}
        self.answers = []

    def send(self, method, path, body=None, raw=None, who="member", headers=None, token=None, whole=False):
        """One call; `whole` paths begin at the server's root. Keys go in alphabetical order, so that both quote them alike."""
        url = self.root + path if whole else f"{self.root}/v1/{self.project}{path}"
        if body is not None:
            raw = json.dumps(body, sort_keys=True).encode()
        self.act_as(who)
        return rest.call(method, url, token=token if token is not None else self.tokens[who], raw=raw, headers=headers)

    def act_as(self, who):
        """Nothing to do where the token says who it is."""

    def ask(self, what, method, path, compare="values", **more):
        """One call whose answer is compared under that name: `values` in order, `rows` in any order, `types` alone, or only
        the `keys` of the body itself."""
        answer = self.send(method, path, **more)
        self.answers.append((what, f"{method} {self.plain(path)}", self.normal(answer, compare)))
        return answer

    def name_it(self, word, value):
        """From now on this id is called so, however it is written."""
        for written in (value, value.upper(), value.replace("-", "")):
            self.named[written] = f"<{word}>"
        return value

    def until(self, what, holds, seconds=120):
        """Waits until it holds."""
        deadline = time.monotonic() + seconds
        while not (found := holds()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name}: {what} did not come within {seconds} s")
            time.sleep(0.2)
        return found

    def normal(self, answer, compare):
        """What of an answer both must have in common."""
        headers = {name: self.plain(answer.headers[name]) for name in HEADERS if name in answer.headers}
        try:
            body = json.loads(answer.body) if answer.body else ""
        except ValueError:
            body = answer.body
        if compare == "types":
            body = types(body)
        elif compare == "keys":
            body = {key: type(value).__name__ for key, value in body.items()}
        else:
            body = self.walk(body, compare == "values")
        return {"status": answer.status, "headers": headers, "body": body}

    def walk(self, value, order):
        """A body with everything replaced that is chance."""
        if isinstance(value, dict):
            return {self.plain(key): self.walk(item, order) for key, item in value.items() if key != "resource_graph"} | (
                {"resource_graph": self.graph(value["resource_graph"])} if "resource_graph" in value else {}
            )
        if isinstance(value, list):
            rows = [self.walk(item, order) for item in value]
            return rows if order else sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))
        return self.plain(value) if isinstance(value, str) else value

    def graph(self, text):
        """The graph of a checkpoint without the numbers of its nodes, which are given out in the order of a set."""
        if text is None:
            return None
        nodes, edges = json.loads(text)
        shown = {number: self.walk(node, True) for number, node in nodes.items()}
        pairs = [[shown[parent], sorted(json.dumps(shown[child]) for child in children)] for parent, children in edges]
        return {
            "spaced": text == json.dumps([nodes, edges]),
            "nodes": sorted(json.dumps(node) for node in shown.values()),
            "edges": sorted(json.dumps(pair) for pair in pairs),
        }

    def plain(self, text):
        """A text without addresses, ids and times."""
        text = text.replace(self.keystone, "<keystone>").replace(self.root, "<root>")
        for value, word in self.named.items():
            text = text.replace(value, word)
        text = REQUEST.sub("<request>", text)
        text = HEX.sub("<hex>", UUID.sub("<uuid>", text))
        return PRINTABLE.sub("does not match <printable>", DAY.sub("<day>", MOMENT.sub("<moment>", text)))


def types(value):
    """All keys of a value with the types of what they hold; a list has the types of all its items together."""
    if isinstance(value, dict):
        return {key: types(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(types(item), sort_keys=True) for item in value})
    return type(value).__name__


class Real(Side):
    """The Karbor of a running set, with a new project, a member of it, and the administrator."""

    def __init__(self):
        login = rest.from_environment()
        name = f"judge-{uuid.uuid4().hex[:8]}"
        make = {"name": name, "domain_id": "default"}
        project = login.keystone("POST", "/projects", 201, {"project": make})["project"]["id"]
        password = uuid.uuid4().hex
        user = make | {"password": password, "default_project_id": project}
        user = login.keystone("POST", "/users", 201, {"user": user})["user"]["id"]
        for role, who in (("member", user), ("admin", login.user_id)):
            grant(login, project, who, role)
        url = os.environ["REAL_AUTH_URL"]
        tokens = {
            "member": token(url, rest.password_request(password, name, name)),
            "admin": token(url, rest.password_request(os.environ["REAL_PASSWORD"], project=name)),
        }
        super().__init__("real", os.environ["REAL_KARBOR_URL"], tokens, project, url)
        self.named[name] = "<project-name>"


class Embedded(Side):
    """keepwatch's own, with nothing in it but what the walk makes."""

    def __init__(self, sim):
        self.sim = sim
        self.role = "member"
        login = sim.login()
        request = rest.password_request(login["password"], login["username"], login["project_name"])
        answer = rest.expect(201, "POST", f"{login['auth_url']}/auth/tokens", body=request)
        member = answer.headers["X-Subject-Token"]
        project = answer.json()["token"]["project"]["id"]
        root = sim.endpoint("karbor", project).removesuffix(f"/v1/{project}")
        super().__init__("embedded", root, {"member": member, "admin": member}, project, login["auth_url"])
        self.named[login["project_name"]] = "<project-name>"
        for name, value in SWITCHES.items():
            sim.switch(name, value)
        sim.control("POST", "clock", {"speed": 1})
        self.clear()

    def act_as(self, who):
        """One token has to do: the policy changes instead."""
        if who != self.role:
            self.sim.switch("karbor.role", who)
            self.role = who

    def clear(self):
        """Takes away what the embedded one begins with."""
        for path, key in (("/scheduled_operations", "operations"), ("/triggers", "triggers"), ("/plans", "plans")):
            for row in self.send("GET", path).json()[key]:
                self.send("DELETE", f"{path}/{row['id']}")


def grant(login, project, user, role):
    """Gives a user a role on a project; makes the role where Keystone has none of that name."""
    roles = login.keystone("GET", f"/roles?name={role}", 200)["roles"]
    role_id = roles[0]["id"] if roles else login.keystone("POST", "/roles", 201, {"role": {"name": role}})["role"]["id"]
    rest.expect(
        204, "PUT", f"{login.auth_url}/projects/{project}/users/{user}/roles/{role_id}", token=login.token
    )


def token(url, request):
    """A new token."""
    return rest.expect(201, "POST", f"{url}/auth/tokens", body=request).headers["X-Subject-Token"]
