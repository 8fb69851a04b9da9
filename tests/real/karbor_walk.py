"""What is asked of both Karbors, in one order. Each part is a list of questions; most name the mistake that they make."""

import json

NOBODY = "11111111-1111-1111-1111-111111111111"
GOOD = "b766f37c-d011-4026-8228-28730d734a3f"
INFRA = "cf56bd3e-97a7-4078-b6d5-f36246333fd9"
VOLUME = "OS::Cinder::Volume"
LEFT_OUT = object()


def rule(text):
    """A calendar with one event that recurs so."""
    return f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nRRULE:{text}\r\nEND:VEVENT\r\nEND:VCALENDAR"


MINUTELY = rule("FREQ=MINUTELY;INTERVAL=1")


def merged(base, changes):
    """A dictionary with changes; `LEFT_OUT` takes a key away."""
    both = base | changes
    return {key: value for key, value in both.items() if value is not LEFT_OUT}


def disks(count):
    """Resources that are in no cloud."""
    return [
        {"id": f"00000000-0000-4000-8000-{index:012}", "type": VOLUME, "name": f"disk-{index}"} for index in range(count)
    ]


def plan(**changes):
    """The body that makes a plan."""
    base = {"name": "a-plan", "provider_id": GOOD, "resources": disks(2), "parameters": {}}
    return {"plan": merged(base, changes)}


def make_plan(side, word, **changes):
    """Makes a plan without comparing, and names its id."""
    answer = side.send("POST", "/plans", body=plan(name=word, **changes))
    return side.name_it(word, answer.json()["plan"]["id"])


def plans(side):
    """Making, changing, showing and deleting plans."""
    made = side.ask("a plan", "POST", "/plans", body=plan()).json()["plan"]["id"]
    side.name_it("plan", made)
    for what, changes in (
        ("description", {"description": "what it is for"}),
        ("unknown key", {"colour": "red"}),
        ("two unknown keys", {"colour": "red", "size": 1}),
        ("no name", {"name": LEFT_OUT}),
        ("name null", {"name": None}),
        ("name blank", {"name": "  "}),
        ("name too long", {"name": "x" * 256}),
        ("name a number", {"name": 5}),
        ("description too long", {"description": "x" * 256}),
        ("description with a line end", {"description": "a\nb"}),
        ("provider no id", {"provider_id": "x"}),
        ("provider unknown", {"provider_id": NOBODY}),
        ("provider left out", {"provider_id": LEFT_OUT}),
        ("parameters null", {"parameters": None}),
        ("parameters left out", {"parameters": LEFT_OUT}),
        ("parameters of a plugin without options", {"parameters": {VOLUME: {"backup_name": "b"}}}),
        ("parameters of an unknown type", {"parameters": {"OS::X": {}}}),
        ("parameters of no resource", {"parameters": {VOLUME + "#x": {}}}),
        ("parameters with an odd name", {"parameters": {"a b!": {}}}),
        ("parameters with a list", {"parameters": {VOLUME: {"a": [1]}}}),
        ("parameters of a real plugin", {"provider_id": INFRA, "parameters": {VOLUME: {"backup_name": "b", "force": True}}}),
        ("parameters that it does not know", {"provider_id": INFRA, "parameters": {VOLUME: {"nope": "b"}}}),
        ("parameters of a type without a plugin", {"provider_id": INFRA, "parameters": {"OS::Kubernetes::Pod": {"a": "b"}}}),
        ("no resources", {"resources": []}),
        ("resources left out", {"resources": LEFT_OUT}),
        ("resources a text", {"resources": "x"}),
        ("resource a text", {"resources": ["a"]}),
        ("resource empty", {"resources": [{}]}),
        ("resource with more about it", {"resources": [{"id": "1", "type": "t", "name": "n", "extra_info": {"a": 1}}]}),
        ("resource with an unknown key", {"resources": [{"id": "1", "type": "t", "name": "n", "x": 1}]}),
        ("resource with a number for an id", {"resources": [{"id": 5, "type": "t", "name": "n"}]}),
    ):
        side.ask(f"plan: {what}", "POST", "/plans", body=plan(**changes))
    for what, raw in (
        ("list inside", b'{"plan": []}'),
        ("empty object", b"{}"),
        ("list", b"[]"),
        ("null", b"null"),
        ("number", b"5"),
        ("half an object", b"{"),
        ("nothing", b""),
    ):
        side.ask(f"plan: body {what}", "POST", "/plans", raw=raw)
    side.ask("plan: a second key beside it", "POST", "/plans", body={"plan": {}, "x": 1})
    side.ask("plan: body of another type", "POST", "/plans", raw=b"{}", headers={"Content-Type": "text/plain"})
    side.ask("plan: body with a charset", "POST", "/plans", raw=b"{}", headers={"Content-Type": "application/json; charset=utf-8"})
    path = f"/plans/{made}"
    side.ask("plan shown", "GET", path)
    side.ask("plan shown with a format", "GET", path + ".json")
    side.ask("plan: no id", "GET", "/plans/x")
    side.ask("plan: unknown", "GET", f"/plans/{NOBODY}")
    side.ask("plan: id in capitals", "GET", f"/plans/{made.upper()}")
    side.ask("plan: id without hyphens", "GET", f"/plans/{made.replace('-', '')}")
    for what, change in (
        ("name", {"name": "another"}),
        ("nothing", {}),
        ("unknown key", {"x": 1}),
        ("empty name", {"name": ""}),
        ("resources", {"resources": disks(1)}),
        ("no resources", {"resources": []}),
        ("resource empty", {"resources": [{}]}),
        ("description", {"description": "new"}),
        ("description null", {"description": None}),
        ("status", {"status": "weird"}),
        ("once it is not suspended", {"name": "late"}),
    ):
        side.ask(f"plan changed: {what}", "PUT", path, body={"plan": change})
    side.ask("plan changed: unknown", "PUT", f"/plans/{NOBODY}", body={"plan": {"name": "c"}})
    side.ask("plan changed: no id", "PUT", "/plans/x", body={"plan": {"name": "c"}})
    side.ask("plan deleted", "DELETE", path)
    side.ask("plan deleted twice", "DELETE", path)
    side.ask("plan deleted: no id", "DELETE", "/plans/x")


def routes(side):
    """Paths and methods that are not there."""
    made = make_plan(side, "routed")
    for method, path in (
        ("PATCH", f"/plans/{made}"),
        ("POST", f"/plans/{made}"),
        ("DELETE", "/plans"),
        ("OPTIONS", "/plans"),
        ("GET", "/plans/new"),
        ("GET", f"/plans/{made}/edit"),
        ("GET", "/plans/"),
        ("GET", "/nothing"),
        ("GET", "/quotas"),
        ("GET", "/quota_classes"),
        ("DELETE", "/quota_classes/x"),
        ("GET", "/os-services/1"),
        ("DELETE", f"/restores/{NOBODY}"),
        ("PUT", f"/scheduled_operations/{NOBODY}"),
        ("POST", "/operation_logs"),
        ("POST", "/protectables"),
        ("POST", f"/providers/{GOOD}"),
        ("GET", f"/providers/{GOOD}/checkpoints/action"),
        ("GET", f"/providers/{GOOD}/nothing"),
    ):
        side.ask(f"route {method}", method, path)
    side.ask("route: an action", "POST", f"/plans/{made}/action", body={"x": 1})
    side.ask("route: an action that none has", "POST", f"/operation_logs/{NOBODY}/action", body={"x": 1})
    for accept in ("*/*", "text/html", "application/json", "application/xml"):
        side.ask(f"route: nothing, as {accept}", "GET", "/nothing", headers={"Accept": accept})
        side.ask(f"route: a refusal, as {accept}", "GET", "/plans/x", headers={"Accept": accept})
    for path in ("/", "/v2", "/x", "/v1", "/v1/", f"/v1/{NOBODY}/plans", f"/v1/{NOBODY}/nothing"):
        side.ask("route outside", "GET", path, whole=True)
    side.ask("a body where none belongs", "GET", "/plans", body={"x": 1})
    side.ask("half a body where none belongs", "GET", "/plans", raw=b"{")
    side.ask("a body with a deletion", "DELETE", f"/plans/{NOBODY}", body={"x": 1})
    side.ask("no token", "GET", "/plans", token="")
    side.ask("bad token", "GET", "/plans", token="nonsense")
    side.ask("bad token and no such path", "GET", "/nothing", token="nonsense")
    side.send("DELETE", f"/plans/{made}")


QUESTIONS = (
    "limit=2",
    "limit=0",
    "limit=-1",
    "limit=x",
    "limit=5000",
    "limit=1&limit=2",
    "offset=1",
    "offset=-1",
    "offset=x",
    "offset=99",
    "limit=2&offset=1",
    f"marker={NOBODY}",
    "marker=x",
    "sort=name",
    "sort=name:asc",
    "sort=name:desc",
    "sort=name:up",
    "sort=nokey",
    "sort=",
    "sort=created_at:asc",
    "sort=status:asc,name:desc",
    "sort_key=name&sort_dir=asc",
    "sort=name&sort_dir=asc",
    "colour=red",
    "all_tenants=1",
    "all_tenants=0",
    "all_tenants=yes",
    "all_tenants=maybe",
    "status=suspended",
    "status=started",
    "status=['suspended']",
    "name=list-1",
    "name=list",
    "name=%5Elist-%5B12%5D%24",
    "name=%5B",
    "name=1",
    "name=None",
    "description=x",
    "provider_id=x",
    "limit=1&name=list",
)


def others(question, who):
    """How to compare: an administrator who asks for all projects gets what others have, too."""
    return "keys" if who == "admin" and question in ("all_tenants=1", "all_tenants=yes") else "values"


def lists(side):
    """Pages, sorting and filters."""
    made = [make_plan(side, f"list-{index}") for index in range(4)]
    for who in ("member", "admin"):
        for question in QUESTIONS:
            side.ask(f"plans as {who}", "GET", f"/plans?{question}", compare=others(question, who), who=who)
        side.ask(f"plans after one as {who}", "GET", f"/plans?marker={made[2]}", who=who)
        side.ask(f"plans after one by name as {who}", "GET", f"/plans?marker={made[1]}&sort=name:asc&limit=1", who=who)
        for path in ("/triggers", "/scheduled_operations", "/operation_logs", "/restores", "/verifications", "/providers"):
            for question in QUESTIONS[:24:3] + QUESTIONS[23:29]:
                side.ask(f"empty list as {who}", "GET", f"{path}?{question}", compare=others(question, who), who=who)
    for question in ("name=No-Op%20Provider", "name=foo", "description=x", f"limit=1&marker={GOOD}", f"marker={INFRA}", "limit=2"):
        side.ask("providers", "GET", f"/providers?{question}")
    for path in ("/providers/x", f"/providers/{NOBODY}", f"/providers/{GOOD}", f"/providers/{INFRA}"):
        side.ask("provider", "GET", path)
    for one in made:
        side.send("DELETE", f"/plans/{one}")


def trigger(**changes):
    """The body that makes a trigger; changes of its properties go by themselves."""
    base = {"format": "calendar", "pattern": MINUTELY, "window": 10}
    names = ("name", "type", "properties", "x")
    info = {"name": "a-trigger", "type": "time", "properties": merged(base, {k: v for k, v in changes.items() if k not in names})}
    return {"trigger_info": merged(info, {k: v for k, v in changes.items() if k in names})}


def triggers(side):
    """Making, changing and deleting triggers."""
    made = side.ask("a trigger", "POST", "/triggers", body=trigger()).json()["trigger_info"]["id"]
    side.name_it("trigger", made)
    for what, changes in (
        ("type", {"type": "event"}),
        ("empty name", {"name": ""}),
        ("name a number", {"name": 5}),
        ("name left out", {"name": LEFT_OUT}),
        ("unknown key", {"x": 1}),
        ("another format", {"format": "crontab"}),
        ("no format", {"format": LEFT_OUT}),
        ("no pattern", {"pattern": LEFT_OUT}),
        ("pattern a word", {"pattern": "x"}),
        ("pattern empty", {"pattern": ""}),
        ("pattern without an event", {"pattern": "BEGIN:VCALENDAR\r\nEND:VCALENDAR"}),
        ("pattern without a rule", {"pattern": "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VEVENT\r\nEND:VCALENDAR"}),
        ("pattern unknown frequency", {"pattern": rule("FREQ=FOO")}),
        ("pattern hour 25", {"pattern": rule("FREQ=DAILY;BYHOUR=25")}),
        ("pattern too often", {"pattern": rule("FREQ=SECONDLY")}),
        ("pattern daily", {"pattern": rule("FREQ=DAILY;BYHOUR=2;BYMINUTE=5")}),
        ("pattern weekly", {"pattern": rule("FREQ=WEEKLY;BYDAY=MO,FR;BYHOUR=2;BYMINUTE=5;BYSECOND=0")}),
        ("pattern monthly", {"pattern": rule("FREQ=MONTHLY;BYDAY=-1SU")}),
        ("pattern once", {"pattern": rule("FREQ=DAILY;COUNT=1")}),
        ("pattern over, with a zone", {"pattern": rule("FREQ=DAILY;UNTIL=20200101T000000Z")}),
        ("pattern over", {"pattern": rule("FREQ=DAILY;UNTIL=20200101T000000")}),
        ("no window", {"window": LEFT_OUT}),
        ("window a text", {"window": "10"}),
        ("window a float", {"window": 10.5}),
        ("window true", {"window": True}),
        ("window small", {"window": 3}),
        ("window large", {"window": 31}),
        ("start later", {"start_time": "2027-01-01 00:00:00"}),
        ("start with a T", {"start_time": "2027-01-01T00:00:00"}),
        ("start empty", {"start_time": ""}),
        ("start a number", {"start_time": 5}),
        ("end before start", {"end_time": "2020-01-01 00:00:00"}),
        ("end later", {"end_time": "2090-01-01 00:00:00"}),
        ("end a word", {"end_time": "x"}),
        ("unknown property", {"y": 1}),
    ):
        side.ask(f"trigger: {what}", "POST", "/triggers", body=trigger(**changes))
    side.ask("trigger: empty", "POST", "/triggers", body={"trigger_info": {}})
    side.ask("trigger: nothing", "POST", "/triggers", body={})
    path = f"/triggers/{made}"
    side.ask("trigger shown", "GET", path)
    side.ask("trigger: no id", "GET", "/triggers/x")
    side.ask("trigger: unknown", "GET", f"/triggers/{NOBODY}")
    hourly = {"format": "calendar", "pattern": rule("FREQ=HOURLY"), "window": 20}
    start = {"start_time": "2026-01-01 00:00:00"}
    for what, change in (
        ("name", {"name": "renamed"}),
        ("name empty", {"name": ""}),
        ("nothing", {}),
        ("type", {"type": "x"}),
        ("no properties", {"properties": {}}),
        ("without a start", {"properties": hourly}),
        ("without a pattern", {"properties": start}),
        ("pattern", {"properties": hourly | start}),
        ("end", {"properties": hourly | start | {"end_time": "2090-01-01 00:00:00"}}),
        ("end empty", {"properties": hourly | start | {"end_time": ""}}),
        ("end gone by", {"properties": hourly | start | {"end_time": "2026-02-01 00:00:00"}}),
    ):
        side.ask(f"trigger changed: {what}", "PUT", path, body={"trigger_info": change})
    side.ask("trigger changed: unknown", "PUT", f"/triggers/{NOBODY}", body={"trigger_info": {"name": "x"}})
    for question in ("name=renamed", "type=time&limit=1", "properties=HOURLY", "type=x", "limit=2&sort=name:asc"):
        side.ask("triggers", "GET", f"/triggers?{question}")
    side.ask("triggers, the newest skipped", "GET", "/triggers?limit=1&offset=1")
    side.ask("trigger deleted", "DELETE", path)
    side.ask("trigger deleted twice", "DELETE", path)
    for one in side.send("GET", "/triggers").json()["triggers"]:
        side.send("DELETE", f"/triggers/{one['id']}")


def schedule(side):
    """Scheduled operations, and one that fires."""
    made = make_plan(side, "scheduled")
    clock = side.send("POST", "/triggers", body=trigger(window=30)).json()["trigger_info"]["id"]
    side.name_it("clock", clock)
    base = {
        "name": "an-operation",
        "operation_type": "protect",
        "trigger_id": clock,
        "operation_definition": {"provider_id": GOOD, "plan_id": made},
    }
    for what, changes in (
        ("no name", {"name": LEFT_OUT}),
        ("name empty", {"name": ""}),
        ("name null", {"name": None}),
        ("type", {"operation_type": "x"}),
        ("no type", {"operation_type": LEFT_OUT}),
        ("trigger no id", {"trigger_id": "x"}),
        ("trigger unknown", {"trigger_id": NOBODY}),
        ("no trigger", {"trigger_id": LEFT_OUT}),
        ("definition empty", {"operation_definition": {}}),
        ("provider not the plan's", {"operation_definition": {"provider_id": INFRA, "plan_id": made}}),
        ("plan unknown", {"operation_definition": {"provider_id": GOOD, "plan_id": NOBODY}}),
        ("plan no id", {"operation_definition": {"provider_id": GOOD, "plan_id": "x"}}),
        ("a list in the definition", {"operation_definition": {"provider_id": GOOD, "plan_id": made, "x": [1]}}),
        ("unknown key", {"y": 1}),
    ):
        side.ask(f"operation: {what}", "POST", "/scheduled_operations", body={"scheduled_operation": merged(base, changes)})
    answer = side.ask("an operation", "POST", "/scheduled_operations", body={"scheduled_operation": base | {"description": "d"}})
    one = side.name_it("operation", answer.json()["scheduled_operation"]["id"])
    keeps = {"operation_type": "retention_protect", "name": "keeps"}
    limits = {"provider_id": GOOD, "plan_id": made, "max_backups": 2, "retention_duration": "x"}
    answer = side.ask(
        "an operation with retention",
        "POST",
        "/scheduled_operations",
        body={"scheduled_operation": base | keeps | {"operation_definition": limits}},
    )
    side.send("DELETE", f"/scheduled_operations/{answer.json()['scheduled_operation']['id']}")
    path = f"/scheduled_operations/{one}"
    side.ask("operation shown", "GET", path)
    side.ask("operation: no id", "GET", "/scheduled_operations/x")
    side.ask("operation: unknown", "GET", f"/scheduled_operations/{NOBODY}")
    side.ask("operation changed", "PUT", path, body={"scheduled_operation": {"enabled": False}})
    for question in ("limit=1", "name=an-op", "operation_type=protect", f"trigger_id={clock}", f"operation_definition={made}", "operation_type=x"):
        side.ask("operations", "GET", f"/scheduled_operations?{question}")
    side.ask("a trigger that is needed", "DELETE", f"/triggers/{clock}")

    def ran():
        logs = side.send("GET", f"/operation_logs?plan_id={made}").json()["operation_logs"]
        return logs if logs and logs[0]["ended_at"] else None

    logs = side.until("the schedule's first run", ran, 150)
    side.name_it("scheduled-checkpoint", logs[0]["checkpoint_id"])
    side.ask("operation deleted", "DELETE", path)
    side.ask("operation deleted twice", "DELETE", path)
    side.ask("the log of a scheduled run", "GET", f"/operation_logs/{logs[0]['id']}")
    side.ask("the checkpoint of a scheduled run", "GET", f"/providers/{GOOD}/checkpoints/{logs[0]['checkpoint_id']}")
    side.ask("its trigger deleted", "DELETE", f"/triggers/{clock}")


def settled(side, provider, checkpoint):
    """Waits until a checkpoint is no longer on its way; gives its status."""

    def look():
        status = side.send("GET", f"/providers/{provider}/checkpoints/{checkpoint}").json()["checkpoint"]["status"]
        return None if status in ("protecting", "deleting") else status

    return side.until(f"the end of {checkpoint}", look)


def checkpoint(side, what, provider, made):
    """Makes a checkpoint, compares the answer, waits for its end, and compares it again."""
    path = f"/providers/{provider}/checkpoints"
    one = side.ask(f"{what} made", "POST", path, body={"checkpoint": {"plan_id": made}}).json()["checkpoint"]["id"]
    side.name_it(what, one)
    settled(side, provider, one)
    side.ask(f"{what} at its end", "GET", f"{path}/{one}")
    return one


def checkpoints(side):
    """Making, listing, resetting and deleting checkpoints, of a provider that does nothing and of one without its cloud."""
    made = make_plan(side, "protected")
    broken = make_plan(side, "broken", provider_id=INFRA)
    more = [{"id": "1", "type": VOLUME, "name": "n", "extra_info": {"a": 1}}]
    odd = make_plan(side, "odd", resources=more)
    pods = make_plan(side, "pods", provider_id=INFRA, resources=[{"id": "p", "type": "OS::Kubernetes::Pod", "name": "ns:pod"}])
    whole = make_plan(side, "whole", provider_id=INFRA, resources=[{"id": "p", "type": "OS::Keystone::Project", "name": "all"}])
    good, infra = f"/providers/{GOOD}/checkpoints", f"/providers/{INFRA}/checkpoints"
    for what, body in (
        ("extra-info", {"plan_id": made, "extra-info": {"a": "b"}}),
        ("extra-info null", {"plan_id": made, "extra-info": None}),
        ("extra-info with a list", {"plan_id": made, "extra-info": {"l": [1]}}),
        ("extra_info", {"plan_id": made, "extra_info": {"a": "b"}}),
        ("parameters", {"plan_id": made, "parameters": {}}),
        ("empty", {}),
        ("plan a number", {"plan_id": 5}),
        ("plan no id", {"plan_id": "x"}),
        ("plan unknown", {"plan_id": NOBODY}),
        ("plan of another provider", {"plan_id": broken}),
    ):
        answer = side.ask(f"checkpoint: {what}", "POST", good, body={"checkpoint": body})
        if answer.status == 200:
            settled(side, GOOD, answer.json()["checkpoint"]["id"])
    side.ask("checkpoint: nothing", "POST", good, body={})
    side.ask("checkpoint: provider no id", "POST", "/providers/x/checkpoints", body={"checkpoint": {"plan_id": made}})
    side.ask("checkpoint: provider unknown", "POST", f"/providers/{NOBODY}/checkpoints", body={"checkpoint": {"plan_id": made}})
    for what, one in (("a pod", pods), ("a type without a plugin", whole)):
        side.ask(f"checkpoint: {what}", "POST", infra, body={"checkpoint": {"plan_id": one}})
        side.ask(f"what {what} leaves behind", "GET", f"{infra}?plan_id={one}")
        side.ask(f"and {what} in the log", "GET", f"/operation_logs?plan_id={one}")
    one = checkpoint(side, "checkpoint", GOOD, made)
    checkpoint(side, "odd-checkpoint", GOOD, odd)
    failed = checkpoint(side, "failed-checkpoint", INFRA, broken)
    side.ask("checkpoint as admin", "GET", f"{good}/{one}", who="admin")
    side.ask("checkpoint: no id", "GET", f"{good}/x")
    side.ask("checkpoint: unknown", "GET", f"{good}/{NOBODY}")
    side.ask("checkpoint of no provider", "GET", f"/providers/x/checkpoints/{one}")
    side.ask("checkpoint of an unknown provider", "GET", f"/providers/{NOBODY}/checkpoints/{one}")
    side.ask("checkpoint of another provider", "GET", f"{infra}/{one}")
    side.ask("checkpoints of no provider", "GET", "/providers/x/checkpoints")
    side.ask("checkpoints of an unknown provider", "GET", f"/providers/{NOBODY}/checkpoints")
    for state in ({"state": "error"}, {"state": "error"}, {"state": "deleted"}, {}, {"state": "available", "x": 1}):
        side.ask("checkpoint reset", "PUT", f"{good}/{one}", body={"os-resetState": state})
    side.ask("checkpoint reset: nothing", "PUT", f"{good}/{one}", body={})
    side.ask("checkpoint after that", "GET", f"{good}/{one}")
    side.ask("checkpoint reset back", "PUT", f"{good}/{one}", body={"os-resetState": {"state": "available"}})
    side.ask("checkpoint reset: unknown", "PUT", f"{good}/{NOBODY}", body={"os-resetState": {"state": "error"}})
    side.ask("checkpoint reset: no id", "PUT", f"{good}/x", body={"os-resetState": {"state": "error"}})
    for who in ("member", "admin"):
        for question in (
            "",
            f"marker={one}",
            f"marker={NOBODY}",
            "marker=x",
            "sort=created_at:asc",
            "sort=foo",
            f"plan_id={made}",
            f"plan_id={NOBODY}",
            "plan_id=x",
            "start_date=2020-01-01",
            "start_date=2020-01-01&end_date=2090-11-21",
            "start_date=2090-01-01",
            "end_date=2020-01-01",
            "start_date=x",
            "status=error",
            "offset=1",
            "all_tenants=maybe",
            "project_id=x",
            "colour=red",
            "limit=0",
            "limit=x",
        ):
            side.ask(f"checkpoints as {who}", "GET", f"{good}?{question}", compare="rows", who=who)
        side.ask(f"one of the checkpoints as {who}", "GET", f"{good}?limit=1", compare="keys", who=who)
    return made, one, broken, failed


def restores(side, one, failed):
    """Restores and verifications, of which most fail to begin."""
    base = {"provider_id": GOOD, "checkpoint_id": one, "parameters": {}}
    answer = side.ask("a restore", "POST", "/restores", body={"restore": base})
    restore = side.name_it("restore", answer.json()["restore"]["id"])
    for what, changes in (
        ("no provider", {"provider_id": LEFT_OUT}),
        ("provider unknown", {"provider_id": NOBODY}),
        ("provider of another", {"provider_id": INFRA}),
        ("checkpoint unknown", {"checkpoint_id": NOBODY}),
        ("checkpoint no id", {"checkpoint_id": "x"}),
        ("no parameters", {"parameters": LEFT_OUT}),
        ("parameters without a schema", {"parameters": {VOLUME: {"restore_name": "x"}}}),
        ("parameters of an unknown type", {"parameters": {"OS::Foo": {}}}),
        ("a target with a log-in", {"restore_target": "http://x", "restore_auth": {"type": "password", "username": "a", "password": "b"}}),
        ("target null", {"restore_target": None}),
        ("unknown key", {"x": 1}),
        ("of a failed checkpoint", {"checkpoint_id": failed, "provider_id": INFRA}),
    ):
        side.ask(f"restore: {what}", "POST", "/restores", body={"restore": merged(base, changes)})

    def over():
        rows = side.send("GET", "/restores").json()["restores"]
        return all(row["status"] != "in_progress" for row in rows)

    side.until("the end of all restores", over)
    side.ask("restore at its end", "GET", f"/restores/{restore}")
    side.ask("restore: no id", "GET", "/restores/x")
    side.ask("restore: unknown", "GET", f"/restores/{NOBODY}")
    for who in ("member", "admin"):
        for question in ("", "status=fail", "status=success&limit=1", "checkpoint_id=x", f"checkpoint_id={one}&limit=2", "sort=status:asc"):
            side.ask(f"restores as {who}", "GET", f"/restores?{question}", who=who)
    for what, body in (
        ("of a plugin that can't", {"provider_id": GOOD, "checkpoint_id": one}),
        ("with parameters", {"provider_id": GOOD, "checkpoint_id": one, "parameters": {VOLUME: {}}}),
        ("of a failed checkpoint", {"provider_id": INFRA, "checkpoint_id": failed, "parameters": {}}),
        ("of nothing", {}),
    ):
        side.ask(f"verification {what}", "POST", "/verifications", body={"verification": body})
    side.ask("verifications", "GET", "/verifications?limit=2")
    side.ask("verification: no id", "GET", "/verifications/x")
    side.ask("verification: unknown", "GET", f"/verifications/{NOBODY}")


def copies(side, made, broken):
    """Copies, which no plugin can make."""
    good, infra = f"/providers/{GOOD}/checkpoints/action", f"/providers/{INFRA}/checkpoints/action"
    side.ask("copy: nothing to copy", "POST", infra, body={"copy": {"plan_id": broken, "parameters": {}}})
    side.ask("copy: nothing to copy, no parameters", "POST", infra, body={"copy": {"plan_id": broken}})
    side.ask("copy: plan of another provider", "POST", good, body={"copy": {"plan_id": broken, "parameters": {}}})
    side.ask("copy: plan unknown", "POST", good, body={"copy": {"plan_id": NOBODY, "parameters": {}}})
    side.ask("copy: provider no id", "POST", "/providers/x/checkpoints/action", body={"copy": {"plan_id": made, "parameters": {}}})
    side.ask("copy: empty", "POST", good, body={"copy": {}})
    never = make_plan(side, "never-run")
    side.ask("copy: never run", "POST", good, body={"copy": {"plan_id": never}})
    side.ask("copy", "POST", good, body={"copy": {"plan_id": made, "parameters": {}}})
    side.ask("what that leaves behind", "GET", f"/providers/{GOOD}/checkpoints?plan_id={made}", compare="rows")


def logs(side, made, one):
    """The operation log after all of this."""
    rows = side.send("GET", "/operation_logs").json()["operation_logs"]
    side.ask("the log", "GET", "/operation_logs")
    side.ask("a line of the log", "GET", f"/operation_logs/{rows[0]['id']}")
    side.ask("a line of the log as admin", "GET", f"/operation_logs/{rows[0]['id']}", who="admin")
    side.ask("log: no id", "GET", "/operation_logs/x")
    side.ask("log: unknown", "GET", f"/operation_logs/{NOBODY}")
    for who in ("member", "admin"):
        for question in (
            "limit=2",
            f"limit=2&marker={rows[1]['id']}",
            "limit=2&offset=1",
            "status=error",
            "status=nope",
            "status=available&limit=1",
            f"plan_id={made}&limit=2",
            f"checkpoint_id={one}",
            "operation_type=restore",
            "restore_id=None&limit=2",
            "sort=started_at:asc&limit=2",
            "sort=status:asc,started_at:asc&limit=3",
            "all_tenants=0",
        ):
            side.ask(f"the log as {who}", "GET", f"/operation_logs?{question}", who=who)


def deletions(side, one, failed):
    """Checkpoints are deleted, and asked for after that."""
    good, infra = f"/providers/{GOOD}/checkpoints", f"/providers/{INFRA}/checkpoints"
    side.ask("checkpoint deleted", "DELETE", f"{good}/{one}")
    settled(side, GOOD, one)
    side.ask("checkpoint once deleted", "GET", f"{good}/{one}")
    side.ask("checkpoint deleted twice", "DELETE", f"{good}/{one}")
    side.ask("checkpoint reset once deleted", "PUT", f"{good}/{one}", body={"os-resetState": {"state": "error"}})
    side.ask("checkpoint deleted: unknown", "DELETE", f"{good}/{NOBODY}")
    side.ask("checkpoint deleted: no id", "DELETE", f"{good}/x")
    side.ask("checkpoints without it", "GET", good, compare="rows")
    side.ask("failed checkpoint deleted", "DELETE", f"{infra}/{failed}")
    settled(side, INFRA, failed)
    side.ask("failed checkpoint after that", "GET", f"{infra}/{failed}")
    side.ask("failed checkpoint deleted again", "DELETE", f"{infra}/{failed}")
    side.ask("failed checkpoint reset", "PUT", f"{infra}/{failed}", body={"os-resetState": {"state": "error"}})
    side.ask("its lines of the log", "GET", f"/operation_logs?checkpoint_id={failed}")
    side.ask("failed checkpoints", "GET", infra, compare="rows")


def protectables(side):
    """What can be protected, in a cloud without services."""
    side.ask("types", "GET", "/protectables", compare="rows")
    for kind in ("OS::Nova::Server", VOLUME, "OS::Glance::Image", "OS::Keystone::Project", "OS::Kubernetes::Pod", "OS::Manila::Share", "x"):
        side.ask("type", "GET", f"/protectables/{kind}", compare="rows")
        if kind != "OS::Kubernetes::Pod":
            side.ask("instances", "GET", f"/protectables/{kind}/instances")
    for question in ("limit=1", "limit=x", "parameters=x", "parameters={}", "parameters={'a':1}", "marker=x", "status=x"):
        side.ask("projects", "GET", f"/protectables/OS::Keystone::Project/instances?{question}")
    side.ask("a project", "GET", f"/protectables/OS::Keystone::Project/instances/{side.project}")
    side.ask("a server", "GET", "/protectables/OS::Nova::Server/instances/x")
    side.ask("a disk", "GET", f"/protectables/{VOLUME}/instances/{NOBODY}")
    side.ask("an instance of no type", "GET", "/protectables/x/instances/x")
    side.ask("an instance with settings", "GET", f"/protectables/OS::Keystone::Project/instances/{side.project}?parameters=x")


def quotas(side):
    """Quotas of projects and classes; services."""
    mine, other = f"/quotas/{side.project}", f"/quotas/{NOBODY.replace('-', '')}"
    for who in ("member", "admin"):
        for path in (mine, other, "/quotas/x", mine + "/defaults", other + "/defaults", other + "/detail", "/quota_classes/default", "/quota_classes/foo"):
            side.ask(f"quota as {who}", "GET", path, who=who)
        side.ask(f"quota in detail as {who}", "GET", mine + "/detail", compare="types", who=who)
        for body in (
            {"quota": {"plans": 60}},
            {"quota": {"plans": -2}},
            {"quota": {"plans": "x"}},
            {"quota": {"plans": "61"}},
            {"quota": {"foo": 1}},
            {"quota": {}},
            {},
            {"quota": None},
            {"quota": {"plans": [1]}},
            {"quota": {"checkpoints": True}},
        ):
            side.ask(f"quota changed as {who}: {json.dumps(body)}", "PUT", mine, body=body, who=who)
        side.ask(f"quota changed as {who}: no id", "PUT", "/quotas/x", body={"quota": {"plans": 1}}, who=who)
        for body in ({"quota_class": {"plans": 70}}, {"quota_class": {"plans": "x"}}, {"quota_class": {"foo": 1}}, {"quota_class": {"plans": 50}}):
            side.ask(f"class changed as {who}", "PUT", f"/quota_classes/{side.project}", body=body, who=who)
        side.ask(f"class as {who}", "GET", f"/quota_classes/{side.project}", compare="types", who=who)
        side.ask(f"quota deleted as {who}", "DELETE", mine, who=who)
        side.ask(f"quota once deleted as {who}", "GET", mine, who=who)
        side.ask(f"services as {who}", "GET", "/os-services", compare="types", who=who)
        side.ask(f"a service as {who}", "GET", "/os-services?binary=karbor-protection", compare="types", who=who)
        side.ask(f"services of another host as {who}", "GET", "/os-services?host=x", who=who)
        for number, body in (
            (1, {"status": "disabled"}),
            (2, {"status": "disabled", "disabled_reason": "r"}),
            (2, {"status": "enabled", "disabled_reason": "r"}),
            (2, {"status": "enabled"}),
            (2, {"status": "weird"}),
            (2, {}),
            (99, {"status": "enabled"}),
            ("x", {"status": "enabled"}),
        ):
            side.ask(f"service {number} changed as {who}: {json.dumps(body)}", "PUT", f"/os-services/{number}", body=body, who=who, compare="types" if number == 2 else "values")
        side.ask(f"service changed without a body as {who}", "PUT", "/os-services/2", who=who)
    side.send("PUT", mine, body={"quota": {"plans": 0, "checkpoints": 0}}, who="admin")
    side.ask("one plan too many", "POST", "/plans", body=plan())
    side.send("PUT", mine, body={"quota": {"plans": 9}}, who="admin")
    made = make_plan(side, "over-quota")
    side.ask("one checkpoint too many", "POST", f"/providers/{GOOD}/checkpoints", body={"checkpoint": {"plan_id": made}})
    side.send("DELETE", mine, who="admin")


def everything(side):
    """The walk, part by part; what waits for the clock comes last."""
    for part in (plans, routes, lists, triggers):
        part(side)
    made, one, broken, failed = checkpoints(side)
    restores(side, one, failed)
    copies(side, made, broken)
    logs(side, made, one)
    deletions(side, one, failed)
    for part in (protectables, quotas, schedule):
        part(side)
