"""Judges the embedded Keystone with keystoneauth1, and with what a real Keystone 30.0.0 answered (tests/fixtures/keystone)."""

import datetime
import json
import pathlib

from checks import Checks
from keystoneauth1 import adapter, discover, exceptions, session
from keystoneauth1.identity import v3
from keystoneauth1.token_endpoint import Token as FixedToken
from sim import Sim

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "keystone"
DAY = 24 * 3600
TIME = "%Y-%m-%dT%H:%M:%S.%fZ"


def recorded(name):
    """What the real Keystone answered."""
    return json.loads((FIXTURES / f"{name}.json").read_text())


class Judge:
    """The checks over one simulation."""

    def __init__(self, sim):
        self.sim = sim
        self.checks = Checks("keystoneauth1")
        self.login = sim.login()
        self.tokens = f"{self.login['auth_url']}/auth/tokens"

    def session(self, **changes):
        """A session that logs in with the password, with some parts of the log-in changed."""
        return session.Session(auth=v3.Password(**{**self.login, **changes}))

    def post(self, auth, query=""):
        """A raw log-in."""
        plain = session.Session()
        return plain.post(self.tokens + query, json={"auth": auth}, raise_exc=False, authenticated=False)

    def identity(self):
        """The password method of a raw log-in."""
        user = {
            "name": self.login["username"],
            "password": self.login["password"],
            "domain": {"name": self.login["user_domain_name"]},
        }
        return {"methods": ["password"], "password": {"user": user}}

    def scope(self):
        """The project of a raw log-in."""
        domain = {"name": self.login["project_domain_name"]}
        return {"project": {"name": self.login["project_name"], "domain": domain}}

    def discovery(self):
        """The versions, unscoped and under /v3."""
        root = self.login["auth_url"].removesuffix("/v3")
        found = discover.Discover(session.Session(), root).version_data()
        self.checks.equal("one version is offered", [row["version"][0] for row in found], [3])
        self.checks.equal("its address", found[0]["url"].rstrip("/"), self.login["auth_url"])
        answer = session.Session().get(root + "/", authenticated=False, redirect=False, raise_exc=False)
        self.checks.equal("the list of versions is a 300", answer.status_code, 300)

    def password(self):
        """A log-in with a password, and what it says."""
        sess = self.session()
        token = sess.get_token()
        self.checks.true("a token is given", len(token) > 30, token)
        access = sess.auth.get_access(sess)
        said = (access.username, access.user_domain_name, access.project_name, access.project_domain_name)
        wanted = tuple(
            self.login[key] for key in ("username", "user_domain_name", "project_name", "project_domain_name")
        )
        self.checks.equal("it is for the user and project asked for", said, wanted)
        self.checks.equal("it lives a day", (access.expires - access.issued).total_seconds(), DAY)
        now = datetime.datetime.fromisoformat(self.sim.control("GET", "clock")["now"])
        self.checks.true("it was issued now", abs((now - access.issued).total_seconds()) < 2, access.issued)
        self.checks.true("there is a role", len(access.role_names) >= 1, access.role_names)
        again = sess.get_token()
        self.checks.equal("it is used again while it lives", again, token)

    def shape(self):
        """The bodies have the keys of a real Keystone's."""
        tokens = {
            "token": {"identity": self.identity(), "scope": self.scope()},
            "token-unscoped": {"identity": self.identity(), "scope": "unscoped"},
        }
        for name, auth in tokens.items():
            answer = self.post(auth)
            self.checks.equal(f"{name} is 201", answer.status_code, 201)
            self.same_keys(name, answer.json()["token"], recorded(name)["token"])
        answer = self.post(tokens["token"], "?nocatalog")
        self.same_keys("token-nocatalog", answer.json()["token"], recorded("token-nocatalog")["token"])
        body = answer.json()["token"]
        self.same_keys("its user", body["user"], recorded("token")["token"]["user"])
        self.same_keys("its project", body["project"], recorded("token")["token"]["project"])
        for key in ("expires_at", "issued_at"):
            self.checks.step(
                f"{key} has microseconds and Z", lambda key=key: datetime.datetime.strptime(body[key], TIME)
            )

    def same_keys(self, what, got, real):
        """Neither a key more nor one less than the real server gives."""
        self.checks.equal(f"keys of {what}", sorted(got), sorted(real))

    def catalog(self):
        """The catalog leads to the services, region and interface by name."""
        sess = self.session()
        project = sess.get_project_id()
        csbs = self.sim.endpoint("csbs", project)
        found = sess.get_endpoint(service_type="data-protect", interface="public", region_name="eu-de")
        self.checks.equal("data-protect leads to CSBS", found, csbs)
        self.checks.equal("without a region too", sess.get_endpoint(service_type="data-protect"), csbs)
        for what, words in {
            "no such region, no endpoint": {"service_type": "data-protect", "region_name": "nowhere"},
            "no such service, no endpoint": {"service_type": "compute-x"},
        }.items():
            missing = exceptions.EndpointNotFound
            self.checks.raises(what, missing, lambda words=words: sess.get_endpoint(**words), lambda _: None)
        self.checks.equal(
            "identity leads to Keystone", sess.get_endpoint(service_type="identity"), self.login["auth_url"]
        )
        nothing = self.session(include_catalog=False)
        self.checks.equal(
            "no catalog when none is asked for", nothing.auth.get_access(nothing).has_service_catalog(), False
        )

    def refusals(self):
        """Log-ins that must fail, and how."""
        unauthorized = recorded("wrong-password")["error"]
        for what, changes in {
            "a wrong password": {"password": "wrong"},
            "an unknown user": {"username": "nobody"},
            "a wrong domain of the user": {"user_domain_name": "elsewhere"},
            "an unknown project": {"project_name": "nowhere"},
        }.items():

            def looks(error):
                found = (error.http_status, error.response.json()["error"])
                return None if found == (401, unauthorized) else f"{found}"

            self.checks.raises(f"{what} is 401", exceptions.Unauthorized, self.session(**changes).get_token, looks)
        for what, auth in {
            "no identity": {},
            "methods that are no list": {"identity": {"methods": "password"}},
        }.items():
            answer = self.post(auth)
            self.checks.equal(f"{what} is 400", (answer.status_code, answer.json()["error"]["code"]), (400, 400))
        answer = self.post({"identity": {**self.identity(), "methods": []}, "scope": self.scope()})
        self.checks.equal("no method at all is 401", answer.status_code, 401)
        sess = self.session()
        get = sess.get(f"{self.login['auth_url']}/nothing", raise_exc=False)
        self.checks.equal("an unknown path is 404", get.status_code, 404)
        bare = session.Session().get(f"{self.login['auth_url']}/projects", authenticated=False, raise_exc=False)
        self.checks.equal("no token is 401", (bare.status_code, bare.json()["error"]), (401, unauthorized))
        self.checks.true(
            "it says where to log in", self.login["auth_url"] in bare.headers.get("WWW-Authenticate", ""), bare.headers
        )

    def token_method(self):
        """A token is exchanged for another of the same life."""
        first = self.session()
        access = first.auth.get_access(first)
        self.sim.advance(60)
        scope = {key: self.login[key] for key in ("project_name", "project_domain_name")}
        second = session.Session(auth=v3.Token(self.login["auth_url"], token=access.auth_token, **scope))
        other = second.auth.get_access(second)
        self.checks.true("another token", other.auth_token != access.auth_token, "the same")
        self.checks.equal("of the same user", other.user_id, access.user_id)
        self.checks.equal("of the same project", other.project_id, access.project_id)
        self.checks.equal("that dies when the first one dies", other.expires, access.expires)
        answer = self.post(
            {"identity": {"methods": ["token"], "token": {"id": access.auth_token}}, "scope": self.scope()}
        )
        methods = answer.json()["token"]["methods"]
        self.checks.equal("its methods tell the way", methods, recorded("token-by-token")["token"]["methods"])
        bad = session.Session(auth=v3.Token(self.login["auth_url"], token="nonsense", **scope))
        self.checks.raises("a token nobody knows is 401", exceptions.Unauthorized, bad.get_token, lambda _: None)

    def life(self):
        """Looking a token up, and taking it back."""
        sess = self.session()
        token = sess.get_token()
        victim = self.session().get_token()
        about = {"X-Subject-Token": victim}
        seen = sess.get(self.tokens, headers=about)
        self.checks.equal(
            "a token can be looked up", seen.json()["token"]["project"]["name"], self.login["project_name"]
        )
        self.checks.equal("a HEAD does it too", sess.head(self.tokens, headers=about).status_code, 200)
        self.checks.equal("it can be revoked", sess.delete(self.tokens, headers=about).status_code, 204)
        gone = sess.get(self.tokens, headers=about, raise_exc=False)
        self.checks.equal("a revoked one is 404", gone.status_code, 404)
        used = self.service(FixedToken(self.csbs(sess), victim)).get("/quotas", raise_exc=False)
        self.checks.equal("and 401 at a service", (used.status_code, used.json()["error_code"]), (401, "APIGW.0301"))
        alive = self.service(FixedToken(self.csbs(sess), token)).get("/quotas", raise_exc=False)
        self.checks.equal("another lives on", alive.status_code, 200)

    def csbs(self, sess):
        """The address of CSBS for the project of that session."""
        return self.sim.endpoint("csbs", sess.get_project_id())

    def service(self, plugin):
        """CSBS, reached with that plugin."""
        return adapter.Adapter(session.Session(auth=plugin), service_type="data-protect")

    def renewal(self):
        """A session logs in again on its own, once, and only when it must."""
        sess = self.session()
        service = adapter.Adapter(sess, service_type="data-protect", interface="public", region_name="eu-de")
        self.checks.equal("a call with a fresh token", service.get("/quotas").status_code, 200)
        old = sess.get_token()
        issued = self.sim.counted("keystone.token.issued")
        self.sim.advance(DAY - 1)
        self.checks.equal("a second before the end it is good", service.get("/quotas").status_code, 200)
        self.checks.equal("and was not renewed", self.sim.counted("keystone.token.issued"), issued)
        self.sim.advance(1)
        dead = self.service(FixedToken(self.csbs(sess), old)).get("/quotas", raise_exc=False)
        self.checks.equal("at the end it is 401", (dead.status_code, dead.json()["error_code"]), (401, "APIGW.0301"))
        self.checks.equal("with three keys", sorted(dead.json()), ["error_code", "error_msg", "request_id"])
        self.checks.equal("the session's call goes through", service.get("/quotas").status_code, 200)
        self.checks.true("with another token", sess.get_token() != old, "the old one")
        self.checks.equal("got by one log-in", self.sim.counted("keystone.token.issued"), issued + 1)
        self.sim.control("POST", "tokens/revoke", {})
        self.checks.equal("after a revocation too", service.get("/quotas").status_code, 200)
        self.checks.equal("by one more", self.sim.counted("keystone.token.issued"), issued + 2)

    def short_life(self):
        """keystoneauth1 renews what has less than half a minute to live by the real clock, so this comes before any advance."""
        self.sim.switch("keystone.token_ttl", 20)
        short = self.session()
        self.checks.true(
            "a token about to die is renewed first", short.get_token() != short.get_token(), "the same twice"
        )
        self.sim.switch("keystone.token_ttl", DAY)


def main():
    """All parts."""
    with Sim(["csbs"], "--tasks", "5", "--devices", "4") as sim:
        judge = Judge(sim)
        parts = (
            judge.short_life,
            judge.discovery,
            judge.password,
            judge.shape,
            judge.catalog,
            judge.refusals,
            judge.token_method,
            judge.life,
            judge.renewal,
        )
        for part in parts:
            judge.checks.step(part.__name__, part)
    judge.checks.close()


if __name__ == "__main__":
    main()
