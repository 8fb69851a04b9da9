//! The choices that the documents of this service leave open, each with a default.

use crate::sim::switches::{NUMBER, OFF_ON, SwitchSpec};

/// All of them.
pub const SWITCHES: &[SwitchSpec] = &[
    SwitchSpec {
        name: "sdrs.not_found",
        values: &["400", "404"],
        about: "an unknown group, instance, pair or drill: 400 with its code, or 404 itemNotFound",
    },
    SwitchSpec {
        name: "sdrs.error_wrapper",
        values: &["error", "badrequest"],
        about: "the key around code and message of a 400",
    },
    SwitchSpec {
        name: "sdrs.unknown_job",
        values: &["400", "404"],
        about: "an unknown job id: 400 SDRS.0201, or 404 itemNotFound",
    },
    SwitchSpec {
        name: "sdrs.project_mismatch",
        values: &["400", "403"],
        about: "another project's id in the path: 400 SDRS.0001, or 403 SDRS.0004",
    },
    SwitchSpec {
        name: "sdrs.clear_id",
        values: &["either", "job_id", "resource_id"],
        about: "which id clears one failed task",
    },
    SwitchSpec {
        name: "sdrs.clear_unknown",
        values: &["204", "400", "404"],
        about: "clearing a failed task that isn't there",
    },
    SwitchSpec {
        name: "sdrs.clear_on_success",
        values: OFF_ON,
        about: "a failed task goes by itself when the same operation succeeds",
    },
    SwitchSpec {
        name: "sdrs.group_actions_listed",
        values: &["group", "inside", "both"],
        about: "where failed start, stop, reverse, failover of a group are listed: without server_group_id, with it, or in both",
    },
    SwitchSpec {
        name: "sdrs.resource_type",
        values: &["camel", "plural"],
        about: "rows of failed tasks say protectedInstance and createProtectedInstance, or protected_instances and createProtectedInstanceNoCG",
    },
    SwitchSpec {
        name: "sdrs.resource_name",
        values: &["fuzzy", "exact"],
        about: "how the resource_name filter of failed tasks matches",
    },
    SwitchSpec {
        name: "sdrs.count",
        values: &["total", "page"],
        about: "count of a list: all that match, or those on this page",
    },
    SwitchSpec {
        name: "sdrs.limit_zero",
        values: &["empty", "refuse"],
        about: "limit=0: an empty list, or 400 SDRS.0221",
    },
    SwitchSpec {
        name: "sdrs.world_checks",
        values: &["job", "call"],
        about: "servers that run, disks that are locked or still synchronize: found by the job, or refused at once",
    },
    SwitchSpec {
        name: "sdrs.not_stopped",
        values: &["SDRS.1352", "SDRS.1319"],
        about: "the code when production servers run at a planned failover",
    },
    SwitchSpec {
        name: "sdrs.failover_starts_servers",
        values: &["on", "off"],
        about: "whether a failover starts the DR servers or leaves them ready to start",
    },
    SwitchSpec {
        name: "sdrs.job_end_time",
        values: &["null", "absent"],
        about: "end_time of a job that has not ended",
    },
    SwitchSpec {
        name: "sdrs.pair_time",
        values: &["iso", "blank"],
        about: "times of pairs: with T and six digits, or as those of groups",
    },
    SwitchSpec {
        name: "sdrs.fault_level",
        values: &["text", "number"],
        about: "fault_level of a pair",
    },
    SwitchSpec {
        name: "sdrs.failed_share",
        values: &["4", NUMBER],
        about: "how many of a hundred tasks of the past failed and are still in the task center",
    },
];
