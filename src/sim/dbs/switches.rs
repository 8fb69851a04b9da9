//! The choices that nobody documented, and the durations of things.

use crate::sim::switches::{NUMBER, ON_OFF, SwitchSpec, TEXT};

/// All of them.
pub(super) const ALL: &[SwitchSpec] = &[
    SwitchSpec {
        name: "dbs.own_errors",
        values: &["http", "envelope", "both"],
        about: "the service's own refusals as an HTTP error, as HTTP 200 with Success false, or an HTTP error with both",
    },
    SwitchSpec {
        name: "dbs.own_error_status",
        values: &["400", "404", "403", "500"],
        about: "HTTP status of those refusals; only that it is an error is known",
    },
    SwitchSpec {
        name: "dbs.success_err_code",
        values: &["absent", "empty", "sample"],
        about: "what ErrCode and ErrMessage hold after success; sample is the documents' text Param.NotFound",
    },
    SwitchSpec {
        name: "dbs.throttle",
        values: &["400", "429", "503"],
        about: "HTTP status of Throttling.User",
    },
    SwitchSpec {
        name: "dbs.throttle_retry_after_ms",
        values: &["0", NUMBER],
        about: "header x-acs-retry-after of a throttled call, in milliseconds; 0 leaves it out",
    },
    SwitchSpec {
        name: "dbs.start_running",
        values: &["extra", "nothing", "refuse"],
        about: "StartBackupPlan on a running plan: one more full backup, success without one, or InvalidParameter (unproven)",
    },
    SwitchSpec {
        name: "dbs.start_stopped_restore",
        values: &["restart", "refuse"],
        about: "StartRestoreTask on a failed restore (unproven)",
    },
    SwitchSpec {
        name: "dbs.restore_done",
        values: &["finish", TEXT],
        about: "RestoreStatus of a restore that is done; no source has the word",
    },
    SwitchSpec {
        name: "dbs.empty_list",
        values: &["array", "object", "null"],
        about: "Items of an empty list: {\"X\":[]}, {} or null",
    },
    SwitchSpec {
        name: "dbs.page_size",
        values: &["strict", "lenient"],
        about: "strict refuses a PageSize outside the documented ones, lenient takes 1 to 100",
    },
    SwitchSpec {
        name: "dbs.order",
        values: &["newest", "oldest"],
        about: "which rows lists begin with; no order is documented",
    },
    SwitchSpec {
        name: "dbs.filter_unit",
        values: &["either", "ms", "s"],
        about: "unit of StartTimestamp and EndTimestamp in requests; either tells by the size",
    },
    SwitchSpec {
        name: "dbs.new_fields",
        values: ON_OFF,
        about: "off leaves out what came with the interface of March 2026",
    },
    SwitchSpec {
        name: "dbs.period_case",
        values: &["title", "upper"],
        about: "BackupPeriod as Monday or as MONDAY",
    },
    SwitchSpec {
        name: "dbs.no_error_text",
        values: &["empty", "NULL"],
        about: "ErrMessage of a row without an error: empty, or the text NULL",
    },
    SwitchSpec {
        name: "dbs.client_token",
        values: &["replay", "refuse"],
        about: "a ClientToken that comes again with other parameters: the first answer, or a refusal",
    },
    SwitchSpec {
        name: "dbs.client_token_seconds",
        values: &["86400", NUMBER],
        about: "how long a ClientToken is remembered, in virtual seconds",
    },
    SwitchSpec {
        name: "dbs.storage",
        values: &["up", "down"],
        about: "down makes every job that ends meanwhile fail",
    },
    SwitchSpec {
        name: "dbs.schedule_seconds",
        values: &["20", NUMBER],
        about: "how long a full backup waits in schedule",
    },
    SwitchSpec {
        name: "dbs.backup_seconds",
        values: &["240", NUMBER],
        about: "mean duration of a full backup in virtual seconds",
    },
    SwitchSpec {
        name: "dbs.restore_seconds",
        values: &["180", NUMBER],
        about: "mean duration of a restore in virtual seconds",
    },
    SwitchSpec {
        name: "dbs.precheck_seconds",
        values: &["15", NUMBER],
        about: "duration of a precheck in virtual seconds",
    },
    SwitchSpec {
        name: "dbs.download_seconds",
        values: &["90", NUMBER],
        about: "mean duration of a download in virtual seconds",
    },
];
