"""The embedded DBS as the vendor's two generations of clients reach it, and the checks over both."""

import inspect
import json
import re

from alibabacloud_dbs20190306 import models
from alibabacloud_dbs20190306.client import Client as Current
from alibabacloud_tea_openapi.utils_models import Config
from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import RpcRequest
from checks import Checks
from darabonba.model import DaraModel

REGION = "cn-hangzhou"


def calls_of_client():
    """The client's calls: the name of the method by the name of the action in lower case."""
    methods = vars(Current)
    return {
        name.replace("_", ""): name
        for name in methods
        if f"{name}_with_options" in methods and not name.endswith("_async")
    }


def wrong_types(model, path=""):
    """What in a model does not have the type that its own constructor names."""
    found = []
    for name, parameter in inspect.signature(type(model).__init__).parameters.items():
        value = getattr(model, name, None)
        if name == "self" or value is None:
            continue
        said = str(parameter.annotation)
        here = f"{path}.{name}"
        rows = value if isinstance(value, list) else [value]
        for row in rows:
            if isinstance(row, DaraModel):
                found += wrong_types(row, here)
            elif type(row).__name__ not in re.findall(r"\w+", said.replace("typing", "").lower()):
                found.append(f"{here} is {row!r}, not {said}")
    return found


CALLS = calls_of_client()


class Client:
    """Three clients of one account: current, current with the older signature, and the older client."""

    def __init__(self, sim):
        self.sim = sim
        self.checks = Checks("alibabacloud-dbs20190306")
        self.called = set()
        service = sim.services["dbs"]
        auth = service["auth"]
        self.address = service["endpoint"].split("/")[2]
        self.key, self.secret = auth["access_key"], auth["secret_key"]
        self.current = self.make()
        self.older_signature = self.make(signature_algorithm="v2")
        self.old = AcsClient(self.key, self.secret, REGION)

    def make(self, **changes):
        """A current client with some settings changed."""
        settings = {
            "access_key_id": self.key,
            "access_key_secret": self.secret,
            "region_id": REGION,
            "endpoint": self.address,
            "protocol": "http",
        }
        return Current(Config(**(settings | changes)))

    def call(self, action, client=None, **parameters):
        """One call through a current client; the body of the answer as the client's own model."""
        name = CALLS[action.lower()]
        self.called.add(name)
        method = getattr(client or self.current, name)
        request = getattr(models, f"{action}Request", None)
        answer = method(request(**parameters)) if request else method()
        return answer.body

    def good(self, action, **parameters):
        """A call that must succeed and answer only what the client's model holds, in its types; the body."""
        body = self.call(action, **parameters)
        self.checks.true(f"{action} succeeds", str(body.success).lower() == "true", f"got {body.to_map()}")
        self.checks.equal(f"{action}: types", wrong_types(body), [])
        return body

    def refused(self, what, code, action, client=None, **parameters):
        """A call at which the client must raise this code; the exception."""
        caught = []

        def act():
            return self.call(action, client, **parameters)

        def looks(error):
            caught.append(error)
            got = getattr(error, "code", None)
            return None if got == code else f"got {got} ({error}) instead of {code}"

        self.checks.raises(what, Exception, act, looks)
        return caught[0] if caught else None

    def raw(self, action, **parameters):
        """One call through the older client; the answer as JSON."""
        request = RpcRequest("Dbs", "2019-03-06", action, "cbs")
        request.endpoint = self.address
        request.set_accept_format("JSON")
        for name, value in parameters.items():
            request.add_query_param(name, value)
        return json.loads(self.old.do_action_with_exception(request))

    def raw_refused(self, what, code, action, **parameters):
        """The same, at which the older client must raise this code."""
        self.checks.raises(
            what,
            ServerException,
            lambda: self.raw(action, **parameters),
            lambda error: None if error.get_error_code() == code else f"got {error.get_error_code()}",
        )

    def plans(self, **parameters):
        """All plans that fit."""
        found = []
        for page in range(1000):
            body = self.call("DescribeBackupPlanList", page_num=page, page_size=30, **parameters)
            rows = body.items.backup_plan_detail
            found += rows
            if len(rows) < 30:
                return found
        raise ValueError("the list has no end")

    def plan(self, plan_id):
        """One plan."""
        return self.call("DescribeBackupPlanList", backup_plan_id=plan_id).items.backup_plan_detail[0]

    def sets(self, plan_id):
        """The full backups of a plan, the newest first."""
        return self.call("DescribeFullBackupList", backup_plan_id=plan_id).items.full_backup_file

    def restore(self, task_id):
        """One restore."""
        return self.call("DescribeRestoreTaskList", restore_task_id=task_id).items.restore_task_detail[0]

    def source(self, plan):
        """The path behind the scenes of a plan's database."""
        sources = self.sim.control("GET", "dbs", kind="dbs")["sources"]
        return "dbs/sources/" + next(row["name"] for row in sources if row["host"] == plan.source_endpoint_host)
