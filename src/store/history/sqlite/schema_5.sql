-- History, version 5. A list of three values in the condition of an index is made a table of its own with every row
-- that is written; comparisons are not.
DROP INDEX task_settled;
DROP INDEX task_phase;
CREATE INDEX task_settled ON task (seen_hour) WHERE phase = 1 OR phase = 5 OR phase = 6;
CREATE INDEX task_phase ON task (phase) WHERE phase <> 1 AND phase <> 5 AND phase <> 6;
