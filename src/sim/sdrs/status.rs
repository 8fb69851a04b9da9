//! The statuses of groups, instances, pairs and drills, letter for letter (SDRS API reference, appendixes).

/// One of the words below.
pub type Status = &'static str;

macro_rules! words {
    ($($name:ident = $word:literal;)*) => {
        $(#[doc = concat!("`", $word, "`")] pub const $name: Status = $word;)*
    };
}

words! {
    CREATING = "creating";
    AVAILABLE = "available";
    PROTECTED = "protected";
    DELETING = "deleting";
    ERROR_DELETING = "error-deleting";
    ERROR = "error";
    STARTING = "starting";
    ERROR_STARTING = "error-starting";
    REPROTECTING = "reprotecting";
    ERROR_REPROTECTING = "error-reprotecting";
    STOPPING = "stopping";
    ERROR_STOPPING = "error-stopping";
    REVERSING = "reversing";
    ERROR_REVERSING = "error-reversing";
    FAILING_OVER = "failing-over";
    FAILED_OVER = "failed-over";
    ERROR_FAILING_OVER = "error-failing-over";
    NIC_CREATING = "nic-creating";
    NIC_DELETING = "nic-deleting";
    RESIZING = "resizing";
    ERROR_RESIZING = "error-resizing";
    INVALID = "invalid";
    FAULT = "fault";
    EXTENDING = "extending";
    ERROR_EXTENDING = "error-extending";
    ATTACHING = "attaching";
    DETACHING = "detaching";
    ERROR_ATTACHING = "error-attaching";
    ERROR_DETACHING = "error-detaching";
}

/// Whether an operation is under way.
#[must_use]
pub fn moving(status: Status) -> bool {
    status.ends_with("ing") && !status.starts_with("error") || status == FAILING_OVER
}

/// Whether a person should look at it.
#[must_use]
pub fn abnormal(status: Status) -> bool {
    status.starts_with(ERROR) || status == INVALID || status == FAULT
}

/// From which states an instance may be deleted.
pub const INSTANCE_DELETABLE: &[Status] = &[
    AVAILABLE,
    PROTECTED,
    FAILED_OVER,
    ERROR,
    ERROR_STARTING,
    ERROR_STOPPING,
    ERROR_REVERSING,
    ERROR_FAILING_OVER,
    ERROR_DELETING,
    ERROR_REPROTECTING,
    ERROR_RESIZING,
    INVALID,
    FAULT,
];

/// From which states a pair may be deleted. `error-detaching` is missing in the vendor's list.
pub const PAIR_DELETABLE: &[Status] = &[
    AVAILABLE,
    PROTECTED,
    FAILED_OVER,
    ERROR,
    ERROR_STARTING,
    ERROR_STOPPING,
    ERROR_REVERSING,
    ERROR_FAILING_OVER,
    ERROR_DELETING,
    ERROR_REPROTECTING,
    ERROR_ATTACHING,
    ERROR_EXTENDING,
    INVALID,
    FAULT,
];

/// In which states of its group a pair may be deleted.
pub const GROUP_FOR_PAIR_DELETE: &[Status] = &[
    AVAILABLE,
    PROTECTED,
    FAILED_OVER,
    ERROR_STARTING,
    ERROR_STOPPING,
    ERROR_REVERSING,
    ERROR_FAILING_OVER,
    ERROR_DELETING,
    ERROR_REPROTECTING,
];

/// From which states a pair may be detached.
pub const PAIR_DETACHABLE: &[Status] = &[
    AVAILABLE,
    PROTECTED,
    FAILED_OVER,
    ERROR_ATTACHING,
    ERROR_DETACHING,
    ERROR_STARTING,
    ERROR_STOPPING,
    ERROR_REVERSING,
    ERROR_FAILING_OVER,
    ERROR_DELETING,
    ERROR_REPROTECTING,
    ERROR_EXTENDING,
    INVALID,
    FAULT,
];

/// In which states of its group a pair may be detached.
pub const GROUP_FOR_DETACH: &[Status] = &[
    AVAILABLE,
    PROTECTED,
    FAILED_OVER,
    ERROR_STARTING,
    ERROR_STOPPING,
    ERROR_REVERSING,
    ERROR_FAILING_OVER,
];

/// In which states of the group a drill may be made.
pub const GROUP_FOR_DRILL: &[Status] = &[
    AVAILABLE,
    PROTECTED,
    FAILED_OVER,
    ERROR_STARTING,
    ERROR_STOPPING,
    ERROR_REVERSING,
    ERROR_REPROTECTING,
    ERROR_FAILING_OVER,
];

/// Settled and healthy: what most changes ask of group, instance or pair.
pub const CALM: &[Status] = &[AVAILABLE, PROTECTED];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moving_and_abnormal_are_told_apart() {
        for status in [CREATING, FAILING_OVER, REVERSING, NIC_DELETING, EXTENDING] {
            assert!(moving(status) && !abnormal(status), "{status}");
        }
        for status in [ERROR, ERROR_DELETING, ERROR_FAILING_OVER, FAULT] {
            assert!(!moving(status) && abnormal(status), "{status}");
        }
        for status in [AVAILABLE, PROTECTED, FAILED_OVER] {
            assert!(!moving(status) && !abnormal(status), "{status}");
        }
    }
}
