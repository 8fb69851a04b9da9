"""A service of Huawei Cloud as the vendor's own SDK reaches it: every call signed, every answer decoded by the SDK's models."""

import inspect

from checks import Checks
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ServiceResponseException


class Sdk:
    """One SDK: its module and its class of clients."""

    def __init__(self, module, client):
        self.module = module
        self.client = client

    def request_class(self, name):
        """The class of a call's request, None where the method is no call."""
        return getattr(self.module, "".join(word.capitalize() for word in name.split("_")) + "Request", None)

    def calls(self):
        """The names of the calls that the SDK has: methods with a request class of their own."""
        methods = inspect.getmembers(self.client, inspect.isfunction)
        return {name for name, _ in methods if self.request_class(name)}


class HuaweiClient:
    """One signing client of a service, the simulation behind it, and the checks over both."""

    def __init__(self, sim, kind, sdk):
        self.sim = sim
        self.kind = kind
        self.vendors = sdk
        self.checks = Checks(f"huaweicloudsdk{kind}")
        self.account = sim.control("GET", "account")
        # the SDK puts the version and the project behind it
        self.root = "/".join(sim.services[kind]["endpoint"].split("/")[:3])
        self.called = set()
        self.serial = 0
        self.sdk = self.connect(self.account["access_key"], self.account["secret_key"])

    def connect(self, access_key, secret_key, token=None, project=None):
        """A client with these keys."""
        credentials = BasicCredentials(access_key, secret_key, project or self.account["project_id"])
        if token:
            credentials = credentials.with_security_token(token)
        return self.vendors.client.new_builder().with_credentials(credentials).with_endpoints([self.root]).build()

    def name(self, word):
        """A name that was not used yet."""
        self.serial += 1
        return f"{word}-{self.serial}"

    def call(self, method, sdk=None, **parameters):
        """One call of the SDK by its name."""
        self.called.add(method)
        return getattr(sdk or self.sdk, method)(self.vendors.request_class(method)(**parameters))

    def refused(self, what, status, code, method, sdk=None, **parameters):
        """A call that must be refused with this status and code, as the SDK decodes them."""

        def looks(error):
            found = (error.status_code, error.error_code)
            return None if found == (status, code) else f"{found} {error.error_msg} instead of {(status, code)}"

        def act():
            return self.call(method, sdk, **parameters)

        self.checks.raises(f"{what} is {code}", ServiceResponseException, act, looks)

    def behind(self, method, path, body=None):
        """One call behind the scenes of this service."""
        return self.sim.control(method, path, body, kind=self.kind)
