-- History, version 2: a sum over a task's last state, so that a program that tells all it sees (a command run by
-- the minute) writes nothing where nothing changed.
ALTER TABLE task ADD COLUMN digest INTEGER NOT NULL DEFAULT 0;
