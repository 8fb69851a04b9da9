#!/usr/bin/env python3
"""Records what Freezer answers, as fixtures under tests/fixtures/freezer. Run it with a fresh set (or one part of it with any):

tests/real/with.sh tests/real/record_freezer.py all
REAL_MEND_ABORT=1 tests/real/with.sh tests/real/record_freezer.py aborted
REAL_TOKEN_TTL=15 tests/real/with.sh tests/real/record_freezer.py expired
"""

import json
import os
import sys
import time
import uuid

import jobs
import rest
from recorder import Recorder

NOBODY = "0" * 32


class Recording:
    """One log-in, one folder of fixtures."""

    def __init__(self):
        self.freezer = jobs.Freezer()
        self.recorder = Recorder("freezer")
        self.seen = set()

    def ask(self, name, method, path, note="", **more):
        """Asks Freezer and keeps the answer."""
        answer = self.freezer.call(method, path, **more)
        request = f"{method} /v2/{{project_id}}{path}"
        sent = more.get("body", more.get("raw"))
        if sent is not None:
            request += " " + (sent.decode() if isinstance(sent, bytes) else json.dumps(sent))
        return self.recorder.keep(name, answer, request, note)

    def follow(self, title, job_id, last, seconds=200):
        """Keeps the job in each state that it goes through, until `last`."""

        def look():
            answer = self.freezer.call("GET", f"/jobs/{job_id}")
            state = jobs.state(answer.json())
            if (title, state) not in self.seen:
                self.seen.add((title, state))
                number = sum(1 for other, _ in self.seen if other == title)
                words = "-".join(word or "none" for word in state)
                note = f"status {state[0] or 'none'}, result {state[1] or 'none'}, event {state[2] or 'none'}"
                self.recorder.keep(f"job-{title}-{number}-{words}", answer, "GET /v2/{project_id}/jobs/{job_id}", note)
            return state == last

        jobs.until(f"{title} {last}", seconds, look)

    def event(self, title, job_id, word):
        """Sends an event and keeps the answer."""
        self.ask(f"event-{title}-{word}", "POST", f"/jobs/{job_id}/event", body={word: None})


def states(recording, bodies):
    """Each job through its states, with the events that a person sends."""
    freezer = recording.freezer
    long = freezer.make(bodies["long-archive"])
    recording.follow("long", long, ("running", "", ""))
    recording.event("running", long, "abort")
    recording.ask("event-running-abort-again", "POST", f"/jobs/{long}/event", body={"abort": None})

    good = freezer.make(bodies["nightly-files"])
    recording.follow("good", good, ("completed", "success", ""))
    recording.event("completed", good, "stop")
    recording.follow("good", good, ("completed", "success", "stop"))

    broken = freezer.make(bodies["broken-path"])
    recording.follow("broken", broken, ("completed", "fail", ""))
    recording.event("completed", broken, "start")
    recording.follow("broken-again", broken, ("completed", "fail", ""))

    waiting = freezer.make(bodies["on-demand"])
    recording.follow("stopped", waiting, ("stop", "", ""))
    recording.event("stopped", waiting, "start")
    recording.follow("stopped", waiting, ("completed", "success", ""))

    interval = freezer.make(bodies["every-20s"])
    recording.follow("interval", interval, ("scheduled", "success", ""))
    recording.event("scheduled", interval, "stop")
    recording.follow("interval", interval, ("stop", "success", ""))

    again = freezer.make(bodies["every-20s"])
    recording.follow("interval-stopped-running", again, ("running", "", ""))
    recording.event("running", again, "stop")
    recording.follow("interval-stopped-running", again, ("completed", "success", ""))

    # What an ignored abort leaves behind when the backup has ended by itself.
    recording.follow("long", long, ("completed", "success", "abort"), 400)


def lists(recording, bodies):
    """All the lists, one row of each, and paging."""
    freezer = recording.freezer
    for number in range(25):
        freezer.make({**bodies["on-demand"], "description": f"page-{number:02}"})
    recording.ask("jobs-default-limit", "GET", "/jobs", "ten rows where no limit is given")
    for query in ("limit=10&offset=10", "limit=10&offset=20", "limit=10&offset=1000", "limit=100", "limit=0"):
        recording.ask(f"jobs-{query.replace('&', '-').replace('=', '-')}", "GET", f"/jobs?{query}")
    for query in ("limit=-1", "limit=ten", "offset=-1"):
        recording.ask(f"jobs-bad-{query.replace('=', '-')}", "GET", f"/jobs?{query}")
    search = {"match": [{"status": "completed"}]}
    recording.ask("jobs-search-completed", "GET", "/jobs?limit=100", "the filter is the body of a GET", body=search)
    search = {"match_not": [{"status": "completed"}]}
    recording.ask("jobs-search-not-completed", "GET", "/jobs?limit=100", "the filter is the body of a GET", body=search)
    recording.ask("clients", "GET", "/clients")
    recording.ask("client", "GET", f"/clients/{jobs.CLIENT}")
    for name in ("actions", "backups"):
        rows = recording.ask(name, "GET", f"/{name}").json()[name]
        kind = name.removesuffix("s")
        recording.ask(kind, "GET", f"/{name}/{rows[0][kind + '_id']}")
    version = rest.call("GET", f"{os.environ['REAL_FREEZER_URL']}/")
    recording.recorder.keep("versions", version, "GET /")


def sessions(recording, bodies):
    """A session with a job, before and after its run."""
    freezer = recording.freezer
    recording.ask("sessions-none", "GET", "/sessions")
    body = {"description": "nightly-session", "hold_off": 1, "schedule": {"schedule_interval": "20 seconds"}}
    session = recording.ask("session-made", "POST", "/sessions", body=body).json()["session_id"]
    job = freezer.make({**bodies["on-demand"], "description": "in-a-session"})
    recording.ask("session-job-added", "PUT", f"/sessions/{session}/jobs/{job}")
    recording.ask("session-fresh", "GET", f"/sessions/{session}")
    recording.ask(
        "job-in-session-fresh", "GET", f"/jobs/{job}", "its schedule was replaced by the session's, status and all"
    )

    def ran():
        return freezer.expect(200, "GET", f"/sessions/{session}").json().get("status") == "completed"

    jobs.until("the session having run", 120, ran)
    recording.ask("session-completed", "GET", f"/sessions/{session}")
    recording.ask("sessions", "GET", "/sessions")
    recording.ask("job-in-session-ran", "GET", f"/jobs/{job}")
    recording.event("in-session", job, "stop")


def refusals(recording, bodies):
    """The wrong questions."""
    freezer = recording.freezer
    job = freezer.make({**bodies["on-demand"], "description": "to-be-deleted"})
    event = f"/jobs/{job}/event"
    recording.ask("bad-event-word", "POST", event, body={"explode": None})
    recording.ask("bad-event-empty", "POST", event, body={})
    recording.ask("bad-event-none", "POST", event, "no body at all")
    recording.ask("bad-event-list", "POST", event, body=["start"])
    recording.ask("bad-json", "POST", "/jobs", "the status is no HTTP status", raw=b'{"description": ')
    recording.ask("bad-job-empty", "POST", "/jobs", body={})
    recording.ask("bad-job-no-actions", "POST", "/jobs", body={"description": "x", "client_id": jobs.CLIENT})
    recording.ask("bad-job-unknown-client", "POST", "/jobs", body={**bodies["on-demand"], "client_id": "device-9"})
    recording.ask("event-unknown-job", "POST", f"/jobs/{NOBODY}/event", body={"start": None})
    recording.ask("job-deleted", "DELETE", f"/jobs/{job}")
    recording.ask("job-deleted-again", "DELETE", f"/jobs/{job}", "deleting what is gone is no error")
    recording.ask("job-unknown", "GET", f"/jobs/{job}", "an empty body")
    for kind in ("clients", "actions", "backups", "sessions"):
        recording.ask(f"{kind.removesuffix('s')}-unknown", "GET", f"/{kind}/{NOBODY}", "an empty body")
    recording.ask("path-unknown", "GET", "/nothing")
    recording.ask("method-unknown", "PUT", "/jobs", body={})
    base, keep = freezer.base, recording.recorder.keep
    keep("token-none", rest.call("GET", f"{base}/jobs"), "GET /v2/{project_id}/jobs without a token")
    keep(
        "token-wrong", rest.call("GET", f"{base}/jobs", token="nonsense"), "GET /v2/{project_id}/jobs with a bad token"
    )
    other = f"{os.environ['REAL_FREEZER_URL']}/v2/{NOBODY}/jobs"
    answer = rest.call("GET", other, token=freezer.login.token)
    keep(
        "project-other", answer, f"GET /v2/{NOBODY}/jobs", "the path's project is not the token's; an admin is answered"
    )
    reader = reader_token(freezer.login)
    keep(
        "reader-jobs",
        rest.call("GET", f"{base}/jobs?limit=1", token=reader),
        "GET /v2/{project_id}/jobs?limit=1 as a reader",
    )
    job = freezer.make({**bodies["on-demand"], "description": "for-the-reader"})
    answer = rest.call("POST", f"{base}/jobs/{job}/event", token=reader, body={"start": None})
    keep("reader-event", answer, 'POST /v2/{project_id}/jobs/{job_id}/event {"start": null} as a reader')


def reader_token(login):
    """A token of a new user who has nothing but the role reader."""
    name = f"reader-{uuid.uuid4().hex[:8]}"
    user = login.keystone("POST", "/users", 201, {"user": {"name": name, "password": name}})["user"]["id"]
    roles = login.keystone("GET", "/roles?name=reader", 200)["roles"]
    grant = f"{login.auth_url}/projects/{login.project_id}/users/{user}/roles/{roles[0]['id']}"
    rest.expect(204, "PUT", grant, token=login.token)
    body = rest.password_request(name, user=name)
    return rest.expect(201, "POST", f"{login.auth_url}/auth/tokens", body=body).headers["X-Subject-Token"]


def everything(recording, bodies):
    """All of it but what needs a set of another make."""
    for part in (states, sessions, lists, refusals):
        part(recording, bodies)


def aborted(recording, bodies):
    """An abort that is carried out."""
    long = recording.freezer.make(bodies["long-archive"])
    recording.follow("aborted", long, ("running", "", ""))
    jobs.until("its agent", 30, lambda: recording.freezer.job(long)["job_schedule"].get("current_pid"))
    recording.event("mended", long, "abort")
    recording.follow("aborted", long, ("completed", "aborted", "abort"))
    interval = recording.freezer.make({**bodies["long-archive"], "job_schedule": {"schedule_interval": "20 seconds"}})
    recording.follow("aborted-interval", interval, ("running", "", ""))
    jobs.until("its agent", 30, lambda: recording.freezer.job(interval)["job_schedule"].get("current_pid"))
    recording.event("mended-interval", interval, "abort")
    recording.follow("aborted-interval", interval, ("completed", "aborted", ""))


def expired(recording, _):
    """A token that was good and died."""
    before = recording.ask("token-alive", "GET", "/jobs?limit=1")
    if before.status != 200:
        raise SystemExit(f"the token is dead already: {before.status}")
    path = f"{recording.freezer.base}/jobs"

    def dead():
        return rest.call("GET", path, token=recording.freezer.login.token).status == 401

    jobs.until("the token having died", 60, dead)
    recording.ask("token-expired", "GET", "/jobs?limit=1", "the same token, seconds later")


PARTS = {
    "all": everything,
    "states": states,
    "sessions": sessions,
    "lists": lists,
    "refusals": refusals,
    "aborted": aborted,
    "expired": expired,
}

if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in PARTS:
        raise SystemExit(__doc__)
    begun = time.monotonic()
    kept = Recording()
    PARTS[sys.argv[1]](kept, jobs.bodies())
    print(f"recorded into {kept.recorder.folder} within {time.monotonic() - begun:.0f} s")
