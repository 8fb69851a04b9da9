#!/usr/bin/env python3
"""Records what Keystone answers, as fixtures under tests/fixtures/keystone. Needs env.sh of a running set."""

import copy
import os
import sys

import rest
from recorder import Recorder


def main():
    """Log-ins that succeed and fail, and the other answers that a client meets."""
    login = rest.from_environment()
    recorder = Recorder("keystone")
    tokens = f"{login.auth_url}/auth/tokens"
    good = rest.password_request(os.environ["REAL_PASSWORD"])

    def ask(name, body, note=""):
        return recorder.keep(name, rest.call("POST", tokens, body=body), "POST /v3/auth/tokens", note)

    ask("token", good, "the token itself is in the header X-Subject-Token")
    wrong = rest.password_request("not-the-password")
    ask("wrong-password", wrong)
    stranger = rest.password_request("not-the-password", user="nobody")
    ask("unknown-user", stranger, "no different from a wrong password")
    elsewhere = rest.password_request(os.environ["REAL_PASSWORD"], project="nowhere")
    ask("unknown-project", elsewhere)
    by_name = copy.deepcopy(good)
    by_name["auth"]["scope"]["project"]["domain"] = {"name": "Default"}
    ask("token-domain-by-name", by_name)
    by_token = {"identity": {"methods": ["token"], "token": {"id": login.token}}, "scope": good["auth"]["scope"]}
    ask("token-by-token", {"auth": by_token})
    unscoped = {"auth": {"identity": good["auth"]["identity"], "scope": "unscoped"}}
    ask("token-unscoped", unscoped, "no project, no catalog")
    ask("bad-body", {"auth": {"identity": {"methods": "password"}}})
    recorder.keep(
        "token-nocatalog", rest.call("POST", f"{tokens}?nocatalog", body=good), "POST /v3/auth/tokens?nocatalog"
    )

    base = login.auth_url.removesuffix("/v3")
    recorder.keep("versions", rest.call("GET", f"{base}/"), "GET /")
    recorder.keep("version", rest.call("GET", login.auth_url), "GET /v3")
    recorder.keep("path-unknown", rest.call("GET", f"{login.auth_url}/nothing", token=login.token), "GET /v3/nothing")
    recorder.keep("token-none", rest.call("GET", f"{login.auth_url}/projects"), "GET /v3/projects without a token")
    print(f"recorded into {recorder.folder}")


if __name__ == "__main__":
    if len(sys.argv) != 1:
        raise SystemExit(__doc__)
    main()
