//! Reading DPOD's status codes: phase and step.
//!
//! Source: DPOD 1.0.8.5, Backup Tasks Status Codes (all 53), and the readable parts of Maintenance Plans
//! Status Description and Firmware Upgrade Status Codes. Phase and step are our reading. The vendor calls
//! its list "common statuses": a code that is not in it is read by [`hint`], which never says "succeeded".

use crate::model::Phase::{self, *};

/// Whose status a code is: some words exist on several levels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    /// A backup or export on one device.
    Task,
    /// One execution of a plan.
    Plan,
    /// A firmware upgrade of one device.
    Firmware,
}

impl Level {
    /// The word by which the catalog tells these statuses apart.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Plan => "plan",
            Self::Firmware => "firmware",
        }
    }
}

/// What a status code says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reading {
    /// Where the task stands.
    pub phase: Phase,
    /// The step inside it; empty where the code names none.
    pub step: &'static str,
    /// False for a code that stands in no list and was read by its form.
    pub known: bool,
}

/// Reads a status code of this level.
pub fn read(level: Level, code: &str) -> Reading {
    let own = match level {
        Level::Task => TASK,
        Level::Plan => PLAN,
        Level::Firmware => FIRMWARE,
    };
    // A word of another level is still better known than guessed; a success is taken from its own list only.
    let others = [TASK, PLAN, FIRMWARE].into_iter().flatten();
    let found = own
        .iter()
        .chain(others.filter(|(_, phase, _)| *phase != Succeeded))
        .find(|(known, _, _)| *known == code);
    match found {
        Some((_, phase, step)) => Reading {
            phase: *phase,
            step,
            known: true,
        },
        None if code == SUCCESS => Reading {
            phase: Succeeded,
            step: "done",
            known: true,
        },
        None => Reading {
            phase: hint(code),
            step: "",
            known: false,
        },
    }
}

/// The one word for a success, on every level.
pub const SUCCESS: &str = "SUCCESS";

/// What the form of an unknown code hints at. Never a success.
fn hint(code: &str) -> Phase {
    const BAD_ENDS: [&str; 7] = [
        "ERROR",
        "EXCEPTION",
        "TIMEOUT_OCCURRED",
        "TIMEOUT_OCCURREED",
        "EMPTY_FILE",
        "UNSUCCESSFUL",
        "NOT_AVAILABLE",
    ];
    const BAD_STARTS: [&str; 3] = ["FAILED_", "EXECUTION_FAILED_", "ERROR_"];
    if code.starts_with("SKIPPED_") {
        Skipped
    } else if code.contains("_CANCELED_") || code.contains("_CANCELLED_") {
        Cancelled
    } else if code.ends_with("_STARTED") || code.ends_with("_DONE") {
        Running
    } else if code.contains("WAITING") {
        Waiting
    } else if BAD_ENDS.iter().any(|end| code.ends_with(end))
        || BAD_STARTS.iter().any(|start| code.starts_with(start))
    {
        Failed
    } else {
        Unknown
    }
}

/// True for the codes after which a gateway may be out of service, or still at work, although the task reads
/// as ended: the ones to look at before all others.
pub fn device_at_risk(code: &str) -> bool {
    (code.contains("UNQUIESCE") && code.contains("TIMEOUT"))
        || matches!(
            code,
            "EXECUTION_FAILED_LONG_RUNNING"
                | "EXECUTION_FAILED_WITH_INTERNAL_EXCEPTION"
                | "EXECUTION_CHECK_MANIFEST_ANOTHER_SECURE_BACKUP_IS_RUNNING_CHECK_DEVICE"
        )
}

/// True for text that can be a status code: capitals, digits and underscores.
pub fn looks_like_one(text: &str) -> bool {
    text.len() >= 4
        && text.starts_with(|c: char| c.is_ascii_uppercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

/// Backup tasks.
static TASK: &[(&str, Phase, &str)] = &[
    ("WAITING_FOR_PRE_VALIDATION", Queued, "pre-validation"),
    ("SKIPPED_APIC_DOMAIN", Skipped, "pre-validation"),
    ("SKIPPED_DEVICE_NOT_AVAILABLE", Skipped, "pre-validation"),
    (
        "SKIPPED_NO_DEVICES_MATCHING_PATTERN",
        Skipped,
        "pre-validation",
    ),
    ("DEVICE_NOT_IN_DR_MODE", Skipped, "pre-validation"),
    ("NOT_ENOUGH_FREE_SPACE_ON_DEVICE", Skipped, "pre-validation"),
    ("CERT_DOESNT_EXIST_ON_DEVICE", Skipped, "pre-validation"),
    ("SKIPPED_BECAUSE_ERROR_POLICY", Skipped, "error-policy"),
    (
        "EXECUTION_CANCELED_BECAUSE_ERROR_POLICY",
        Cancelled,
        "error-policy",
    ),
    ("PLAN_FAILED_PRE_SCRIPT", Cancelled, "plan pre-script"),
    (
        "EXECUTION_CANCELED_BECAUSE_A_DAY_PASSED",
        Cancelled,
        "queue",
    ),
    (
        "EXECUTION_CANCELED_BECAUSE_MAINTENANCE_WINDOW",
        Cancelled,
        "queue",
    ),
    ("READY_FOR_EXECUTION", Queued, "queue"),
    ("SENT_TO_MDB", Running, "dispatch"),
    ("EXECUTION_STARTED", Running, "dispatch"),
    ("EXECUTION_PRE_CHECKS_STARTED", Running, "pre-checks"),
    (
        "EXECUTION_PRE_CHECKS_FOUND_QUIESCED_DOMAIN_IN_DEVICE",
        Failed,
        "pre-checks",
    ),
    (
        "EXECUTION_PRE_CHECKS_DOMAIN_IS_ALREADY_QUIESCED",
        Failed,
        "pre-checks",
    ),
    (
        "EXECUTION_PRE_CHECKS_NFS_OUT_OF_SPACE",
        Failed,
        "pre-checks",
    ),
    (
        "EXECUTION_PRE_CHECKS_NFS_DIRECTORY_NOT_FOUND",
        Failed,
        "pre-checks",
    ),
    (
        "EXECUTION_PRE_CHECKS_DEVICE_NOT_AVAILABLE",
        Failed,
        "pre-checks",
    ),
    (
        "EXECUTION_CHECK_MANIFEST_WAITING_FOR_ANOTHER_BACKUP",
        Waiting,
        "check-manifest",
    ),
    (
        "EXECUTION_CHECK_MANIFEST_ANOTHER_SECURE_BACKUP_IS_RUNNING_CHECK_DEVICE",
        Uncertain,
        "check-manifest",
    ),
    ("EXECUTION_WAITING_FOR_PRE_SCRIPT", Waiting, "pre-script"),
    ("EXECUTION_PRE_SCRIPT_ERROR", Failed, "pre-script"),
    ("EXECUTION_QUIESCE_STARTED", Running, "quiesce"),
    ("EXECUTION_QUIESCE_WAITING_FOR_QUIESCE", Waiting, "quiesce"),
    ("EXECUTION_QUIESCE_TIMEOUT_OCCURRED", Failed, "quiesce"),
    (
        "EXECUTION_EXPORT_DOMAIN_PERSISTED_STARTED",
        Running,
        "export-domain (persisted)",
    ),
    (
        "EXECUTION_EXPORT_DOMAIN_NON_PERSISTED_STARTED",
        Running,
        "export-domain (non-persisted)",
    ),
    (
        "EXECUTION_EXPORT_DOMAIN_PERSISTED_SOMA_ERROR",
        Failed,
        "export-domain (persisted)",
    ),
    (
        "EXECUTION_EXPORT_DOMAIN_NON_PERSISTED_SOMA_ERROR",
        Failed,
        "export-domain (non-persisted)",
    ),
    (
        "EXECUTION_EXPORT_DOMAIN_PERSISTED_EMPTY_FILE",
        Failed,
        "export-domain (persisted)",
    ),
    (
        "EXECUTION_EXPORT_DOMAIN_NON_PERSISTED_EMPTY_FILE",
        Failed,
        "export-domain (non-persisted)",
    ),
    (
        "EXECUTION_EXPORT_DOMAIN_PERSISTED_SAVEFILE_EXCEPTION",
        Failed,
        "export-domain (persisted)",
    ),
    (
        "EXECUTION_EXPORT_DOMAIN_NON_PERSISTED_SAVEFILE_EXCEPTION",
        Failed,
        "export-domain (non-persisted)",
    ),
    (
        "EXECUTION_EXPORT_DOMAIN_PERSISTED_DONE",
        Running,
        "export-domain (persisted)",
    ),
    (
        "EXECUTION_EXPORT_DOMAIN_NON_PERSISTED_DONE",
        Running,
        "export-domain (non-persisted)",
    ),
    ("EXECUTION_SECURE_BACKUP_STARTED", Running, "secure-backup"),
    (
        "EXECUTION_SECURE_BACKUP_UNSUCCESSFUL",
        Failed,
        "secure-backup",
    ),
    (
        "EXECUTION_SECURE_BACKUP_WRONG_FILE_HASH",
        Failed,
        "secure-backup (download)",
    ),
    (
        "EXECUTION_SECURE_BACKUP_WRONG_FILE_SIZE",
        Failed,
        "secure-backup (download)",
    ),
    (
        "EXECUTION_SECURE_BACKUP_EMPTY_FILE",
        Failed,
        "secure-backup (download)",
    ),
    ("EXECUTION_UNQUIESCE_STARTED", Running, "unquiesce"),
    (
        "EXECUTION_UNQUIESCE_ON_ERROR_STARTED",
        Running,
        "unquiesce (on error)",
    ),
    (
        "EXECUTION_UNQUIESCE_WAITING_FOR_UNQUIESCE",
        Waiting,
        "unquiesce",
    ),
    (
        "EXECUTION_UNQUIESCE_ON_ERROR_WAITING_FOR_UNQUIESCE",
        Waiting,
        "unquiesce (on error)",
    ),
    ("EXECUTION_UNQUIESCE_TIMEOUT_OCCURRED", Failed, "unquiesce"),
    (
        "EXECUTION_UNQUIESCE_ON_ERROR_TIMEOUT_OCCURRED",
        Failed,
        "unquiesce (on error)",
    ),
    (
        "EXECUTION_FAILED_WITH_INTERNAL_EXCEPTION",
        Failed,
        "any step",
    ),
    ("EXECUTION_FAILED_LONG_RUNNING", Uncertain, "any step"),
    ("FAILED_NO_FILES_DOWNLOADED", Failed, "download"),
    ("SUCCESS", Succeeded, "done"),
];

/// Plan executions.
static PLAN: &[(&str, Phase, &str)] = &[
    ("WAITING_FOR_PRE_VALIDATION", Queued, "pre-validation"),
    ("BACKUPS_ARE_DISABLED", Failed, "pre-validation"),
    ("SYNCS_ARE_DISABLED", Failed, "pre-validation"),
    (
        "PREPROCESS_EXECUTION_SKIPPED_BECAUSE_A_DAY_PASSED",
        Skipped,
        "queue",
    ),
    (
        "PRE_VALIDATION_QUIESCE_TIMEOUT_SYSPARM_TOO_SHORT",
        Failed,
        "pre-validation",
    ),
    (
        "PRE_VALIDATION_OUT_OF_MAINTENANCE_WINDOW",
        Failed,
        "pre-validation",
    ),
    (
        "PRE_VALIDATION_INVALID_TIMEFRAME_FORMAT",
        Failed,
        "pre-validation",
    ),
    (
        "PRE_VALIDATION_STORE_IS_NOT_MOUNTED",
        Failed,
        "pre-validation",
    ),
    (
        "PRE_VALIDATION_BACKUP_STORE_OUT_OF_SPACE",
        Failed,
        "pre-validation",
    ),
    ("SUCCESS", Succeeded, "done"),
];

/// Firmware upgrade tasks.
static FIRMWARE: &[(&str, Phase, &str)] = &[
    ("WAITING_FOR_PRE_VALIDATION", Queued, "pre-validation"),
    ("SKIPPED_DEVICE_DOES_NOT_EXIST", Skipped, "pre-validation"),
    ("SKIPPED_DEVICE_NOT_AVAILABLE", Skipped, "pre-validation"),
    (
        "SKIPPED_NO_DEVICES_MATCHING_PATTERN",
        Skipped,
        "pre-validation",
    ),
    ("VALIDATION_INTERNAL_EXCEPTION", Failed, "pre-validation"),
    ("SKIPPED_INTERNAL_EXCEPTION", Skipped, "pre-validation"),
    (
        "ERROR_EXCEPTION_IN_PRE_VALIDATIONS",
        Failed,
        "pre-validation",
    ),
    ("ERROR_IMAGE_FILE_DOES_NOT_EXIST", Failed, "pre-validation"),
    ("ERROR_UNSUPPORTED_DEVICE_TYPE", Failed, "pre-validation"),
    (
        "ERROR_COULD_NOT_PARSE_IMAGE_FILE_NAME",
        Failed,
        "pre-validation",
    ),
    (
        "ERROR_DEVICE_AND_IMAGE_MODEL_GROUPS_ARE_DIFFERENT",
        Failed,
        "pre-validation",
    ),
    ("ERROR_DOWNGRADE_NOT_SUPPORTED", Failed, "pre-validation"),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The catalog's data file is read as data: the connector's table must say what the catalog says.
    #[test]
    fn every_listed_code_is_read_as_the_catalog_has_it() {
        let text = include_str!("../../../assets/catalog/dpod.toml");
        let catalog: toml::Table = text.parse().unwrap();
        let mut seen = [0; 3];
        for entry in catalog["entry"].as_array().unwrap() {
            let word = |key: &str| entry.get(key).and_then(toml::Value::as_str).unwrap_or("");
            let level = match word("operation") {
                "task" => Level::Task,
                "plan" => Level::Plan,
                "firmware" => Level::Firmware,
                _ => continue,
            };
            let reading = read(level, word("code"));
            assert!(reading.known, "{}", word("code"));
            assert_eq!(reading.phase.word(), word("phase"), "{}", word("code"));
            assert_eq!(reading.step, word("step"), "{}", word("code"));
            seen[level as usize] += 1;
        }
        assert_eq!(seen, [TASK.len(), PLAN.len(), FIRMWARE.len()]);
        assert_eq!(seen[0], 53);
    }

    #[test]
    fn the_phases_of_the_53_add_up() {
        let count = |phase| TASK.iter().filter(|(_, p, _)| *p == phase).count();
        assert_eq!(
            [
                Queued, Skipped, Cancelled, Running, Waiting, Failed, Uncertain, Succeeded
            ]
            .map(count),
            [2, 7, 4, 11, 5, 21, 2, 1]
        );
    }

    #[test]
    fn hints_alone_would_never_take_anything_for_a_success() {
        let (mut same, mut unknown, mut near) = (0, 0, Vec::new());
        for (code, phase, _) in TASK.iter().filter(|(code, _, _)| *code != SUCCESS) {
            match hint(code) {
                Succeeded => panic!("{code}"),
                Unknown => unknown += 1,
                p if p == *phase => same += 1,
                _ => near.push(*code),
            }
        }
        // together with the exact word SUCCESS: 38, 13 and 2
        assert_eq!((same + 1, unknown), (38, 13), "{near:?}");
        assert_eq!(
            near,
            [
                "WAITING_FOR_PRE_VALIDATION",
                "EXECUTION_FAILED_LONG_RUNNING"
            ]
        );
        for made_up in [
            "SUCCESSFUL",
            "EXECUTION_SUCCESS",
            "SUCCESS_WITH_WARNINGS",
            "success",
            "",
            "OK",
            "DONE",
        ] {
            for level in [Level::Task, Level::Plan, Level::Firmware] {
                let reading = read(level, made_up);
                assert!(!reading.known && reading.phase != Succeeded, "{made_up}");
            }
        }
    }

    #[test]
    fn words_that_mislead_are_read_right() {
        let phase = |code| read(Level::Task, code).phase;
        assert_eq!(phase("EXECUTION_EXPORT_DOMAIN_PERSISTED_DONE"), Running);
        assert_eq!(phase("EXECUTION_UNQUIESCE_ON_ERROR_STARTED"), Running);
        for skip in [
            "DEVICE_NOT_IN_DR_MODE",
            "NOT_ENOUGH_FREE_SPACE_ON_DEVICE",
            "CERT_DOESNT_EXIST_ON_DEVICE",
        ] {
            assert_eq!(phase(skip), Skipped);
        }
        assert_eq!(phase("FAILED_NO_FILES_DOWNLOADED"), Failed);
        assert_eq!(phase("PLAN_FAILED_PRE_SCRIPT"), Cancelled);
        assert_eq!(phase("EXECUTION_QUIESCE_TIMEOUT_OCCURREED"), Failed);
    }

    #[test]
    fn what_may_leave_a_gateway_out_of_service_ranks_first() {
        assert!(device_at_risk("EXECUTION_UNQUIESCE_TIMEOUT_OCCURRED"));
        assert!(device_at_risk(
            "EXECUTION_UNQUIESCE_ON_ERROR_TIMEOUT_OCCURRED"
        ));
        assert!(device_at_risk("EXECUTION_FAILED_LONG_RUNNING"));
        assert!(!device_at_risk("EXECUTION_QUIESCE_TIMEOUT_OCCURRED"));
        assert!(!device_at_risk("EXECUTION_UNQUIESCE_STARTED"));
    }

    #[test]
    fn a_status_is_told_from_a_name() {
        assert!(looks_like_one("SUCCESS") && looks_like_one("EXECUTION_QUIESCE_TIMEOUT_OCCURRED"));
        for name in ["NONE plan", "gw-1", "", "ALL", "12", "Success"] {
            assert!(!looks_like_one(name), "{name}");
        }
    }
}
