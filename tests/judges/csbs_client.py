"""The embedded CSBS as otcextensions reaches it: log-in, catalog, and the raw calls that its empty proxy leaves."""

import re
import time

import openstack
from checks import Checks
from otcextensions import sdk

PROVIDER = "fc4d5750-22e7-4798-8a46-f48f62c4c1da"
CHECKPOINTS = f"/providers/{PROVIDER}/checkpoints"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$")
SERVER = "OS::Nova::Server"


class Client:
    """One connection, the simulation behind it, and the checks over both."""

    def __init__(self, sim):
        self.sim = sim
        self.checks = Checks("otcextensions")
        self.connection = openstack.connect(
            **sim.login(), region_name="eu-de", load_yaml_config=False, load_envvars=False
        )
        sdk.register_otc_extensions(self.connection)
        self.csbs = self.connection.csbs
        self.project = self.connection.session.get_project_id()
        self.serial = 0

    def name(self, word):
        """A name that was not used yet."""
        self.serial += 1
        return f"{word}-{self.serial}"

    def call(self, method, path, body=None):
        """One raw call; any status is an answer."""
        send = getattr(self.csbs, method)
        return send(path) if body is None else send(path, json=body)

    def good(self, what, method, path, body=None):
        """A call that must answer 200; its body."""
        answer = self.call(method, path, body)
        self.checks.equal(what, answer.status_code, 200)
        if answer.status_code != 200:
            raise ValueError(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json()

    def done(self, what, method, path, body=None):
        """A call that must answer 204 with nothing to read (tags are written so)."""
        answer = self.call(method, path, body)
        self.checks.equal(what, (answer.status_code, answer.text), (204, ""))

    def refused(self, what, status, code, method, path, body=None, message=None):
        """A call that must be refused in CSBS's own dialect: two keys, this status, this code, and this message where it is given."""
        answer = self.call(method, path, body)
        try:
            said = answer.json()
        except ValueError:
            said = answer.text
        if not isinstance(said, dict) or sorted(said) != ["error_code", "error_msg"]:
            self.checks.note(what, f"{answer.status_code} {said!r} instead of {status} {code}")
            return
        self.checks.equal(what, (answer.status_code, said["error_code"]), (status, code))
        if message is not None:
            self.checks.equal(f"{what}: its message", said["error_msg"], message)

    def gateway(self, what, status, code, method, path, body=None):
        """A call that must be refused in the gateway's dialect: three keys."""
        answer = self.call(method, path, body)
        said = answer.json()
        self.checks.equal(what, (answer.status_code, said.get("error_code")), (status, code))
        self.checks.equal(f"{what}: its keys", sorted(said), ["error_code", "error_msg", "request_id"])

    def items(self, query=""):
        """Backups."""
        answer = self.call("get", f"/checkpoint_items{query}")
        if answer.status_code != 200:
            raise ValueError(f"/checkpoint_items{query}: {answer.status_code} {answer.text[:300]}")
        return answer.json()["checkpoint_items"]

    def item(self, item_id):
        """One backup."""
        return self.call("get", f"/checkpoint_items/{item_id}").json()["checkpoint_item"]

    def of_checkpoint(self, checkpoint_id):
        """The backups of one run."""
        return self.items(f"?checkpoint_id={checkpoint_id}")

    def until(self, item_id, *statuses):
        """Moves the clock, step by step, until the backup is in one of these states; gives it."""
        deadline = time.monotonic() + 60
        for _ in range(2000):
            found = self.item(item_id)
            if found["status"] in statuses:
                return found
            if time.monotonic() > deadline:
                break
            self.sim.advance(5)
        raise ValueError(f"backup {item_id} is {found['status']}, never {statuses}")

    def servers(self):
        """The servers behind the scenes."""
        return self.sim.control("GET", "servers", kind="csbs")

    def set_server(self, server_id, **changes):
        """Changes a server behind the scenes."""
        return self.sim.control("POST", f"servers/{server_id}", changes, kind="csbs")

    def protectable(self, *server_ids):
        """What check_protectable says to each of them."""
        asked = [{"resource_id": server_id, "resource_type": SERVER} for server_id in server_ids]
        body = {"check_protectable": asked}
        return self.call("post", f"/providers/{PROVIDER}/resources/action", body).json()["protectable"]

    def healthy(self, number=1):
        """Ids of servers that can be backed up now, by the service's own word."""
        verdicts = self.protectable(*(server["id"] for server in self.servers()))
        good = [verdict["resource_id"] for verdict in verdicts if verdict["result"]]
        if len(good) < number:
            raise ValueError(f"only {len(good)} servers can be backed up")
        return good[:number]

    def protect_path(self, server_id):
        """Where one server is backed up."""
        return f"/providers/{PROVIDER}/resources/{server_id}/action"

    def backup(self, server_id, name=None):
        """Starts a backup of a server, and gives the backup as listed at once."""
        body = {"protect": {"backup_name": name or self.name("judge")}}
        answer = self.call("post", self.protect_path(server_id), body)
        if answer.status_code != 200:
            raise ValueError(f"protect {server_id}: {answer.status_code} {answer.text[:300]}")
        return self.of_checkpoint(answer.json()["checkpoint"]["id"])[0]
