//! The choices that the documents leave open, and the durations of things.

use crate::sim::switches::{NUMBER, OFF_ON, ON_OFF, SwitchSpec, TEXT};

/// All of them.
pub(super) const ALL: &[SwitchSpec] = &[
    SwitchSpec {
        name: "dpod.tls",
        values: &["self-signed", "none"],
        about: "the certificate: self-signed as after the installation, or plain HTTP; counts at the start only",
    },
    SwitchSpec {
        name: "dpod.not_found_status",
        values: &["200", "404"],
        about: "HTTP status of PLAN_NOT_FOUND",
    },
    SwitchSpec {
        name: "dpod.bare_list",
        values: &["served", "404"],
        about: "lists of plans without the trailing slash",
    },
    SwitchSpec {
        name: "dpod.disabled_listed",
        values: ON_OFF,
        about: "whether disabled plans are listed",
    },
    SwitchSpec {
        name: "dpod.lockout",
        values: ON_OFF,
        about: "whether users are locked after wrong passwords (on by default in the product)",
    },
    SwitchSpec {
        name: "dpod.lockout_failures",
        values: &["3", NUMBER],
        about: "wrong passwords until a user is locked",
    },
    SwitchSpec {
        name: "dpod.lockout_seconds",
        values: &["300", NUMBER],
        about: "how long a user stays locked",
    },
    SwitchSpec {
        name: "dpod.error_body",
        values: &["empty", "html"],
        about: "body of 401 and of unknown paths",
    },
    SwitchSpec {
        name: "dpod.extra_fields",
        values: OFF_ON,
        about: "members that no document names in every answer",
    },
    SwitchSpec {
        name: "dpod.duplicate_names",
        values: OFF_ON,
        about: "two plans of one name; counts at the start only",
    },
    SwitchSpec {
        name: "dpod.odd_references",
        values: OFF_ON,
        about: "API References with blanks, slashes and per cent signs, which users may write; counts at the start only",
    },
    SwitchSpec {
        name: "dpod.uri",
        values: &["raw", "encoded"],
        about: "whether URI holds the API Reference as it is, or percent-encoded",
    },
    SwitchSpec {
        name: "dpod.same_uri",
        values: OFF_ON,
        about: "on lists the second plan with the first one's URI, as the documented example does",
    },
    SwitchSpec {
        name: "dpod.queue_doubles",
        values: ON_OFF,
        about: "whether a plan that waits in the queue is taken into it once more",
    },
    SwitchSpec {
        name: "dpod.parallel",
        values: &["2", NUMBER],
        about: "backup tasks at work at a time over all devices",
    },
    SwitchSpec {
        name: "dpod.final_status",
        values: &["first", "last"],
        about: "which code a task ends with after an unquiesce on error: the first error's or the last step's",
    },
    SwitchSpec {
        name: "dpod.unquiesce_timeout",
        values: &["failed", "success"],
        about: "whether a good backup whose unquiesce timed out ends as that timeout or as SUCCESS",
    },
    SwitchSpec {
        name: "dpod.skipped_scripts",
        values: OFF_ON,
        about: "whether the post-task script is called for tasks that never began",
    },
    SwitchSpec {
        name: "dpod.post_plan_on_stop",
        values: OFF_ON,
        about: "whether the post-plan script is called for a plan that stopped before its tasks",
    },
    SwitchSpec {
        name: "dpod.plan_status",
        values: &["SUCCESS", TEXT],
        about: "final status of a plan some of whose tasks failed; the visible list has no word for it",
    },
    SwitchSpec {
        name: "dpod.task_list",
        values: &["tilde", "flat"],
        about: "the post-plan script's list: with a tilde between tasks, or the flat one of old versions",
    },
    SwitchSpec {
        name: "dpod.queue_seconds",
        values: &["6", NUMBER],
        about: "how long plans and ready tasks wait before they are looked at; documented is up to a minute",
    },
    SwitchSpec {
        name: "dpod.export_seconds",
        values: &["14", NUMBER],
        about: "mean duration of one export of a domain",
    },
    SwitchSpec {
        name: "dpod.secure_seconds",
        values: &["40", NUMBER],
        about: "mean duration of a secure backup with its download",
    },
    SwitchSpec {
        name: "dpod.quiesce_seconds",
        values: &["8", NUMBER],
        about: "mean duration of a quiesce or unquiesce",
    },
    SwitchSpec {
        name: "dpod.quiesce_timeout_seconds",
        values: &["60", NUMBER],
        about: "the configurable timeout of quiesce and unquiesce, to which DPOD adds 3 minutes; below 60 no plan that quiesces runs",
    },
    SwitchSpec {
        name: "dpod.long_running_minutes",
        values: &["60", NUMBER],
        about: "the configurable time after which a task is marked as finished",
    },
];
