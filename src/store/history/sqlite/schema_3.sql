-- History, version 3: tasks are found by the hour in which they were seen last. An index by the instant itself had to
-- be changed with every change of a task.
ALTER TABLE task ADD COLUMN seen_hour INTEGER NOT NULL DEFAULT 0;
UPDATE task SET seen_hour = seen_at / 3600000;
DROP INDEX task_seen;
CREATE INDEX task_seen ON task (seen_hour);
