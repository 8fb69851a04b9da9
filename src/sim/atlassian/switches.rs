//! The choices that the documents leave open, and the durations of things.

use crate::sim::switches::{NUMBER, OFF_ON, ON_OFF, SwitchSpec, TEXT};

/// All of them.
pub(super) const ALL: &[SwitchSpec] = &[
    SwitchSpec {
        name: "atlassian.bearer",
        values: &["refused", "accepted"],
        about: "whether the API token is taken as a Bearer token too; only Basic is documented",
    },
    SwitchSpec {
        name: "atlassian.account_header",
        values: &["update", "activate", "writes"],
        about: "which calls need X-Atl-Account-Id: activate (documented) and update, activate alone, or every write",
    },
    SwitchSpec {
        name: "atlassian.uncoded_body",
        values: &["message", "empty", "html", "error"],
        about: "body of refusals for which no code is published: {\"code\",\"message\"}, none, a page, or errorCode with the HTTP status",
    },
    SwitchSpec {
        name: "atlassian.error_code_type",
        values: &["text", "number"],
        about: "errorCode as text, which is documented, or as a number",
    },
    SwitchSpec {
        name: "atlassian.unfilled_holes",
        values: OFF_ON,
        about: "on sends errorMessage with its holes, as published",
    },
    SwitchSpec {
        name: "atlassian.retry_after",
        values: OFF_ON,
        about: "whether a 429 carries Retry-After; the documents name no header",
    },
    SwitchSpec {
        name: "atlassian.window",
        values: &["fixed", "sliding"],
        about: "the minute of a quota: by the clock, or the last 60 seconds",
    },
    SwitchSpec {
        name: "atlassian.quota_scope",
        values: &["row", "operation"],
        about: "whether the operations of one row of the rate table share its quota or have it each",
    },
    SwitchSpec {
        name: "atlassian.reads_per_minute",
        values: &["100", NUMBER],
        about: "quota of all GETs; 100 is documented",
    },
    SwitchSpec {
        name: "atlassian.activate_per_minute",
        values: &["0", NUMBER],
        about: "quota of activate, which the rate table leaves out; 0 is none",
    },
    SwitchSpec {
        name: "atlassian.first_page",
        values: &["0", "1"],
        about: "the number of the first page; with 1 a start of 0 gives it too",
    },
    SwitchSpec {
        name: "atlassian.page_size",
        values: &["20", NUMBER],
        about: "entries of a page when pageSize is left out",
    },
    SwitchSpec {
        name: "atlassian.page_most",
        values: &["100", NUMBER],
        about: "most entries of a page; a larger pageSize counts as this",
    },
    SwitchSpec {
        name: "atlassian.backup_path",
        values: &["flat", "nested"],
        about: "backup details at /backups/{id} or at /policies/{id}/backups/{id}",
    },
    SwitchSpec {
        name: "atlassian.regions_method",
        values: &["GET", "POST"],
        about: "method of the supported regions: the rate table says GET, the v1 guide POST",
    },
    SwitchSpec {
        name: "atlassian.storage_names",
        values: &["v1", "error"],
        about: "names in the body of create storage: those of the v1 guide (storageName …) or of error 142 (bucketName …)",
    },
    SwitchSpec {
        name: "atlassian.unlisted_calls",
        values: ON_OFF,
        about: "imports, exports and reports at paths of our own, since no document has theirs; off answers 404",
    },
    SwitchSpec {
        name: "atlassian.status_words",
        values: &["upper", "title"],
        about: "statuses of backups and restores as COMPLETED, IN_PROGRESS or as Completed, In Progress",
    },
    SwitchSpec {
        name: "atlassian.status_message",
        values: &["message", "code", "empty"],
        about: "statusMessage of a failed backup: the message, the code and the message, or nothing",
    },
    SwitchSpec {
        name: "atlassian.list_details",
        values: OFF_ON,
        about: "whether the list of policies carries backupDetails and storageId without being asked",
    },
    SwitchSpec {
        name: "atlassian.last_backup",
        values: &["completed", "any"],
        about: "what lastBackupTime is of: the last backup that was completed, or the last one however it went",
    },
    SwitchSpec {
        name: "atlassian.activate_answer",
        values: &["backups", "policy"],
        about: "what activate answers: the policy's backups, as documented, or the policy",
    },
    SwitchSpec {
        name: "atlassian.activate_active",
        values: &["ok", "409"],
        about: "activate on an active policy; no code is published for it",
    },
    SwitchSpec {
        name: "atlassian.restore_done",
        values: &["", TEXT],
        about: "status word of a restore that is done, when it is not that of a backup; no document has one",
    },
    SwitchSpec {
        name: "atlassian.retention_days",
        values: &["30", NUMBER],
        about: "days until a backup expires: 30 by the v2 page, 14 by the v1 page",
    },
    SwitchSpec {
        name: "atlassian.slot_seconds",
        values: &["45", NUMBER],
        about: "how soon the slot of a one-time policy comes whose date is today or over",
    },
    SwitchSpec {
        name: "atlassian.queue_seconds",
        values: &["12", NUMBER],
        about: "how long a backup stays CREATED",
    },
    SwitchSpec {
        name: "atlassian.backup_seconds",
        values: &["180", NUMBER],
        about: "mean duration of a Jira backup in virtual seconds, Confluence's is double; published are 20 min to 19 h",
    },
    SwitchSpec {
        name: "atlassian.restore_seconds",
        values: &["240", NUMBER],
        about: "mean duration of a restore in virtual seconds",
    },
    SwitchSpec {
        name: "atlassian.transfer_seconds",
        values: &["60", NUMBER],
        about: "duration of an export or import in virtual seconds",
    },
    SwitchSpec {
        name: "atlassian.retry_minutes",
        values: &["30", NUMBER],
        about: "minutes until the service itself repeats a failed backup, up to three attempts",
    },
];
