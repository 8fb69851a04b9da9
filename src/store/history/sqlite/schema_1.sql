-- History, version 1. Instants are milliseconds since 1970-01-01T00:00:00Z by the clock of the writer unless
-- they are said to be the service's. Events are appended and never changed; what can be found again by a poll
-- (the last state of tasks, devices and policies) is replaced in place.

-- One row a run that writes. (writer, n) of the event tables is an event's id, unique across machines.
CREATE TABLE writer (
    id INTEGER PRIMARY KEY,
    uuid BLOB NOT NULL UNIQUE,
    operator TEXT NOT NULL,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    program TEXT NOT NULL,
    started_at INTEGER NOT NULL
) STRICT;

-- Texts that many rows share: statuses, operations, names of devices and policies.
CREATE TABLE word (
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE service (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    UNIQUE (name, kind)
) STRICT;

-- Stretches of time in which a service answered a writer without a long break.
CREATE TABLE answered (
    service INTEGER NOT NULL REFERENCES service,
    writer INTEGER NOT NULL REFERENCES writer,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (service, writer, since)
) STRICT, WITHOUT ROWID;
CREATE INDEX answered_until ON answered (service, until);

-- The last known state of every task. flags: 1 cleared, 2 lost, 4 a cancel was asked, 8 a start was asked.
CREATE TABLE task (
    id INTEGER PRIMARY KEY,
    service INTEGER NOT NULL REFERENCES service,
    native TEXT NOT NULL,
    device_id INTEGER NOT NULL REFERENCES word,
    device_name INTEGER NOT NULL REFERENCES word,
    policy_id INTEGER NOT NULL REFERENCES word,
    policy_name INTEGER NOT NULL REFERENCES word,
    operation INTEGER NOT NULL REFERENCES word,
    object INTEGER NOT NULL REFERENCES word,
    status INTEGER NOT NULL REFERENCES word,
    phase INTEGER NOT NULL,
    step INTEGER NOT NULL REFERENCES word,
    progress INTEGER,
    -- by the service's clock
    started INTEGER,
    updated INTEGER,
    ended INTEGER,
    code INTEGER NOT NULL REFERENCES word,
    code_http INTEGER,
    code_operation INTEGER NOT NULL REFERENCES word,
    message TEXT NOT NULL,
    has_failure INTEGER NOT NULL,
    facts TEXT NOT NULL,
    flags INTEGER NOT NULL,
    feeds INTEGER NOT NULL REFERENCES word,
    first_seen INTEGER NOT NULL,
    -- when the newest state was seen, and by whom
    seen_at INTEGER NOT NULL,
    seen_by INTEGER NOT NULL REFERENCES writer,
    UNIQUE (service, native)
) STRICT;
CREATE INDEX task_of_device ON task (service, device_id);
CREATE INDEX task_of_policy ON task (service, policy_id);
CREATE INDEX task_seen ON task (seen_at);
CREATE INDEX task_phase ON task (phase) WHERE phase NOT IN (1, 5, 6);

-- A task seen to go from one status to another; from_status is null when it was seen for the first time.
CREATE TABLE transition (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    writer INTEGER NOT NULL REFERENCES writer,
    n INTEGER NOT NULL,
    task INTEGER NOT NULL REFERENCES task,
    seen_at INTEGER NOT NULL,
    -- by the service's clock
    reported_at INTEGER,
    from_status INTEGER REFERENCES word,
    from_phase INTEGER,
    to_status INTEGER NOT NULL REFERENCES word,
    to_phase INTEGER NOT NULL,
    code INTEGER NOT NULL REFERENCES word
) STRICT;
CREATE INDEX transition_task ON transition (task, seq);
CREATE INDEX transition_seen ON transition (seen_at);

-- The last known state of every device (sort 2) and policy (sort 3). state: what makes an entry when it changes,
-- as JSON; empty when it is no longer listed. body: the record without the service's own text, as JSON.
CREATE TABLE party (
    id INTEGER PRIMARY KEY,
    service INTEGER NOT NULL REFERENCES service,
    sort INTEGER NOT NULL,
    native TEXT NOT NULL,
    name TEXT NOT NULL,
    state INTEGER NOT NULL REFERENCES word,
    body TEXT NOT NULL,
    feeds INTEGER NOT NULL REFERENCES word,
    first_seen INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    UNIQUE (service, sort, native)
) STRICT;

-- A device or policy whose own state changed; from_state is null when it was seen for the first time.
CREATE TABLE party_change (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    writer INTEGER NOT NULL REFERENCES writer,
    n INTEGER NOT NULL,
    party INTEGER NOT NULL REFERENCES party,
    seen_at INTEGER NOT NULL,
    from_state INTEGER REFERENCES word,
    to_state INTEGER NOT NULL REFERENCES word
) STRICT;
CREATE INDEX party_change_party ON party_change (party, seq);
CREATE INDEX party_change_seen ON party_change (seen_at);

-- What was proposed or confirmed. body: the exact requests and all that is needed to look for it, as JSON.
CREATE TABLE action (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    writer INTEGER NOT NULL REFERENCES writer,
    at INTEGER NOT NULL,
    service INTEGER NOT NULL REFERENCES service,
    target_sort INTEGER NOT NULL,
    target_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    policy_id TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX action_at ON action (at);
CREATE INDEX action_target ON action (service, target_sort, target_id);

CREATE TABLE action_step (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    writer INTEGER NOT NULL REFERENCES writer,
    n INTEGER NOT NULL,
    action BLOB NOT NULL REFERENCES action (id),
    at INTEGER NOT NULL,
    stage TEXT NOT NULL,
    detail TEXT NOT NULL,
    over INTEGER NOT NULL,
    data TEXT NOT NULL
) STRICT;
CREATE INDEX action_step_action ON action_step (action, seq);

-- Actions that no run has to look after any more are not in it; the others with the run that does.
CREATE TABLE action_open (
    action BLOB PRIMARY KEY,
    writer INTEGER NOT NULL REFERENCES writer
) STRICT, WITHOUT ROWID;

-- Acknowledgements, notes and their withdrawals.
CREATE TABLE remark (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    writer INTEGER NOT NULL REFERENCES writer,
    n INTEGER NOT NULL,
    id BLOB NOT NULL UNIQUE,
    at INTEGER NOT NULL,
    operator TEXT NOT NULL,
    host TEXT NOT NULL,
    service TEXT NOT NULL,
    sort INTEGER NOT NULL,
    subject TEXT NOT NULL,
    kind INTEGER NOT NULL,
    text TEXT NOT NULL,
    until INTEGER,
    status TEXT NOT NULL,
    takes_back BLOB
) STRICT;
CREATE INDEX remark_subject ON remark (service, sort, subject);
CREATE INDEX remark_at ON remark (at);
CREATE INDEX remark_takes_back ON remark (takes_back) WHERE takes_back IS NOT NULL;

-- What a reader has to know of the record itself.
CREATE TABLE incident (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    writer INTEGER NOT NULL REFERENCES writer,
    n INTEGER NOT NULL,
    at INTEGER NOT NULL,
    what TEXT NOT NULL
) STRICT;

-- What was done is never rewritten; it only ages out as a whole.
CREATE TRIGGER action_stays BEFORE UPDATE ON action
BEGIN SELECT RAISE(ABORT, 'actions are append-only'); END;
CREATE TRIGGER action_step_stays BEFORE UPDATE ON action_step
BEGIN SELECT RAISE(ABORT, 'steps of actions are append-only'); END;
CREATE TRIGGER remark_stays BEFORE UPDATE ON remark
BEGIN SELECT RAISE(ABORT, 'remarks are append-only'); END;
CREATE TRIGGER transition_stays BEFORE UPDATE ON transition
BEGIN SELECT RAISE(ABORT, 'transitions are append-only'); END;
