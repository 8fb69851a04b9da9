//! The choices that the documents of this service leave open, each with a default.

use crate::sim::switches::{NUMBER, OFF_ON, SwitchSpec};

const fn switch(
    name: &'static str,
    values: &'static [&'static str],
    about: &'static str,
) -> SwitchSpec {
    SwitchSpec {
        name,
        values,
        about,
    }
}

/// All of them.
pub(super) const SWITCHES: &[SwitchSpec] = &[
    switch(
        "cbr.variant",
        &["otc", "huawei"],
        "huawei adds the calls, query keys and codes that only Huawei Cloud documents",
    ),
    switch(
        "cbr.auth_failure",
        &["gateway", "service"],
        "a failed sign-in: the gateway's 401, or 500 BackupService.9998",
    ),
    switch(
        "cbr.times",
        &["micros", "offset", "zulu"],
        "six digits and no zone as seen, three digits and +00:00, or whole seconds and Z",
    ),
    switch(
        "cbr.empty",
        &["null", "absent"],
        "members without a value: null as seen, or left out as in the documents' examples",
    ),
    switch(
        "cbr.restore_answer",
        &["job_id", "empty"],
        "the body of a restore's 202: the task's id as Huawei Cloud answers, or none as documented",
    ),
    switch(
        "cbr.marker",
        &["honoured", "ignored"],
        "the query key marker of tasks and vaults, which is not documented and which one client sends",
    ),
    switch(
        "cbr.log_order",
        &["newest", "oldest"],
        "which tasks are listed first",
    ),
    switch(
        "cbr.repeated_status",
        &["any", "last"],
        "status given more than once with tasks: any of them, or the last alone",
    ),
    switch(
        "cbr.unknown_query",
        &["ignore", "refuse"],
        "query keys that are not documented",
    ),
    switch(
        "cbr.unknown_body",
        &["refuse", "ignore"],
        "members of a body that are not documented",
    ),
    switch(
        "cbr.unknown_id",
        &["404", "karbor"],
        "an unknown checkpoint or backup: 404 with its code, or the 401 that older parts answer",
    ),
    switch(
        "cbr.logs_per_run",
        &["resource", "vault"],
        "tasks of a run: one for each resource, or one for the vault that names no resource",
    ),
    switch(
        "cbr.busy_resource",
        &["skip", "6125", "1001"],
        "a resource that is being backed up already: left out of the run, or the request refused with that code",
    ),
    switch(
        "cbr.vault_full",
        &["refuse", "task"],
        "a backup by hand into a full vault: refused, or a task that fails",
    ),
    switch(
        "cbr.failed_log",
        &["full", "no_message", "no_resource"],
        "what a failed task leaves out",
    ),
    switch(
        "cbr.checkpoint_sizes",
        &["text", "number"],
        "sizes in a checkpoint: texts as seen, or numbers as in an example",
    ),
    switch(
        "cbr.put_enabled",
        &["keep", "reset"],
        "an update of a policy without enabled: keeps it, or switches the policy on",
    ),
    switch(
        "cbr.second_policy",
        &["replace", "refuse"],
        "a second policy of one kind for a vault",
    ),
    switch(
        "cbr.binding_delay",
        &["0", NUMBER],
        "seconds until reads show that a policy was applied or removed",
    ),
    switch(
        "cbr.vault_delete_keys",
        &["count", "delete_count"],
        "fail_count and total_count, or fail_delete_count and total_delete_count",
    ),
    switch(
        "cbr.stopped_server",
        &["ok", "7102"],
        "a server that is switched off: backed up as the constraints say, or refused with the code that exists for it",
    ),
    switch(
        "cbr.shared_disks",
        &["10", "7106"],
        "servers with shared disks: up to ten as the constraints say, or none",
    ),
    switch(
        "cbr.other_server",
        &["ok", "2003"],
        "a restore to another server than the one that was backed up",
    ),
    switch(
        "cbr.disk_restore",
        &["stopped", "any"],
        "a disk backup's target: on a server that is switched off (no disk is ever detached here), or on any",
    ),
    switch(
        "cbr.retention_logs",
        OFF_ON,
        "on makes a task of every backup that retention deletes",
    ),
    switch(
        "cbr.backend",
        &["up", "slow", "down"],
        "slow takes fifty times as long, so that long tasks time out; down fails whatever ends meanwhile",
    ),
    switch(
        "cbr.waiting_seconds",
        &["2", NUMBER],
        "how long a task is waiting before it runs",
    ),
    switch(
        "cbr.backup_seconds",
        &["60", NUMBER],
        "mean duration of a backup in virtual seconds",
    ),
    switch(
        "cbr.restore_seconds",
        &["45", NUMBER],
        "mean duration of a restore in virtual seconds",
    ),
    switch(
        "cbr.delete_seconds",
        &["8", NUMBER],
        "mean duration of a deletion in virtual seconds",
    ),
    switch(
        "cbr.replicate_seconds",
        &["120", NUMBER],
        "mean duration of a replication in virtual seconds",
    ),
    switch(
        "cbr.expand_seconds",
        &["5", NUMBER],
        "how long a vault is locked while it is enlarged",
    ),
    switch(
        "cbr.timeout_seconds",
        &["1800", NUMBER],
        "a task that would take longer is stopped then and times out",
    ),
    switch(
        "cbr.log_days",
        &["30", NUMBER],
        "how long tasks that ended are kept",
    ),
    switch(
        "cbr.adversarial",
        OFF_ON,
        "on shows words, numbers and nulls in ways that sloppy clients trip over",
    ),
];
