//! The choices of this service that its documents and its source leave to who runs it.

use crate::sim::switches::{NUMBER, ON_OFF, SwitchSpec};

/// All of them.
pub(super) const ALL: &[SwitchSpec] = &[
    SwitchSpec {
        name: "karbor.role",
        values: &["member", "admin"],
        about: "what the policy file lets the project's user do: services, quotas of others, and any filter need admin",
    },
    SwitchSpec {
        name: "karbor.bank",
        values: &["swift", "s3", "file_system"],
        about: "where checkpoints are kept; it decides how they are listed: swift heeds limit and marker only in ascending \
                order, s3 always ascends, a folder comes in any order and ignores the marker",
    },
    SwitchSpec {
        name: "karbor.min_interval",
        values: &["3600", NUMBER],
        about: "the least seconds between two runs of a trigger",
    },
    SwitchSpec {
        name: "karbor.min_window",
        values: &["900", NUMBER],
        about: "the least seconds within which a due operation may still begin",
    },
    SwitchSpec {
        name: "karbor.max_window",
        values: &["1800", NUMBER],
        about: "the most of these",
    },
    SwitchSpec {
        name: "karbor.trigger_poll",
        values: &["15", NUMBER],
        about: "how often the operation engine looks for due triggers, in seconds",
    },
    SwitchSpec {
        name: "karbor.backup_poll",
        values: &["15", NUMBER],
        about: "how often the disk plugin looks at a running backup, in seconds",
    },
    SwitchSpec {
        name: "karbor.nova",
        values: ON_OFF,
        about: "whether the catalogue has a compute service",
    },
    SwitchSpec {
        name: "karbor.cinder",
        values: ON_OFF,
        about: "whether the catalogue has a disk service; without one every backup of a disk fails",
    },
    SwitchSpec {
        name: "karbor.copy",
        values: &["unsupported", "works"],
        about: "whether the protection plugins can copy checkpoints; none that comes with 1.6.0 can",
    },
    SwitchSpec {
        name: "karbor.versions",
        values: &["fault", "answers"],
        about: "what GET / gives: 1.6.0 stumbles over it with WebOb 1.8 and answered 300 with older ones",
    },
];
