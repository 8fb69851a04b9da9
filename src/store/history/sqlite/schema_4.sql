-- History, version 4. Ids of tasks come in no order, and an index of them, of devices and of policies was changed at
-- a page of its own for every new task. Tasks are found by a number (hash) of service and id instead; new numbers
-- gather in task_key_young and those of gone tasks in task_key_gone, until they are worked into task_key together.
CREATE TABLE task_key (
    hash INTEGER PRIMARY KEY,
    task INTEGER NOT NULL
) STRICT;
CREATE TABLE task_key_young (
    hash INTEGER PRIMARY KEY,
    task INTEGER NOT NULL
) STRICT;
CREATE TABLE task_key_gone (
    hash INTEGER PRIMARY KEY
) STRICT;

CREATE TABLE task_4 (
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
    seen_at INTEGER NOT NULL,
    seen_by INTEGER NOT NULL REFERENCES writer,
    digest INTEGER NOT NULL DEFAULT 0,
    seen_hour INTEGER NOT NULL DEFAULT 0,
    -- kept free while the task goes on, for the time of its end and its like: a row that grows splits its page
    room BLOB
) STRICT;
INSERT INTO task_4 SELECT *, NULL FROM task;
DROP TABLE task;
ALTER TABLE task_4 RENAME TO task;
-- what went well and what nobody has to look after, by age; the others are few
CREATE INDEX task_settled ON task (seen_hour) WHERE phase IN (1, 5, 6);
CREATE INDEX task_phase ON task (phase) WHERE phase NOT IN (1, 5, 6);
