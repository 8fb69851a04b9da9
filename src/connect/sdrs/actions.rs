//! The actions that SDRS takes, and when each is possible.
//!
//! Which state allows which call: SDRS API reference, constraints of each call; a retry repeats the failed
//! operation, because there is no call of that name.

use super::wire::Object;
use crate::model::{ActionSpec, Danger, Input, InputKind, Target, TargetKind, Verb};

const fn spec(
    id: &'static str,
    verb: Verb,
    label: &'static str,
    target: TargetKind,
    danger: Danger,
    inputs: &'static [Input],
) -> ActionSpec {
    ActionSpec {
        id,
        verb,
        label,
        target,
        danger,
        safe_to_repeat: false,
        inputs,
    }
}

const fn input(name: &'static str, ask: &'static str, kind: InputKind, required: bool) -> Input {
    Input {
        name,
        ask,
        kind,
        required,
    }
}

/// Every action.
pub const ACTIONS: &[ActionSpec] = &[
    spec(
        "switch-over",
        Verb::Trigger,
        "Switch over to the other site (planned)",
        TargetKind::Policy,
        Danger::TypeName,
        &[],
    ),
    spec(
        "fail-over",
        Verb::Trigger,
        "Fail over to the other site (disaster)",
        TargetKind::Policy,
        Danger::TypeName,
        &[],
    ),
    spec(
        "protect-again",
        Verb::Trigger,
        "Turn protection on again after a failover",
        TargetKind::Policy,
        Danger::Confirm,
        &[],
    ),
    spec(
        "drill",
        Verb::Trigger,
        "Start a DR drill",
        TargetKind::Policy,
        Danger::Confirm,
        &[
            input(
                "name",
                "Name of the drill (letters, digits, . _ -)",
                InputKind::Text,
                true,
            ),
            input(
                "drill_vpc_id",
                "VPC for the drill; empty lets the service make one",
                InputKind::Text,
                false,
            ),
        ],
    ),
    spec(
        "enable",
        Verb::Enable,
        "Turn protection on",
        TargetKind::Policy,
        Danger::Confirm,
        &[],
    ),
    spec(
        "disable",
        Verb::Disable,
        "Turn protection off",
        TargetKind::Policy,
        Danger::TypeName,
        &[],
    ),
    spec(
        "retry",
        Verb::Retry,
        "Repeat the operation",
        TargetKind::Task,
        Danger::Confirm,
        &[],
    ),
    spec(
        "retry-create-instance",
        Verb::Retry,
        "Delete the broken instance and create it again",
        TargetKind::Task,
        Danger::TypeName,
        &[
            input(
                "flavorRef",
                "Flavor of the DR server; empty: same as production",
                InputKind::Text,
                false,
            ),
            input(
                "primary_subnet_id",
                "Subnet of its primary NIC; empty: chosen by the service",
                InputKind::Text,
                false,
            ),
            input(
                "primary_ip_address",
                "Its address (only with the subnet)",
                InputKind::Text,
                false,
            ),
        ],
    ),
    spec(
        "retry-create-drill",
        Verb::Retry,
        "Delete the broken drill and create it again",
        TargetKind::Task,
        Danger::Confirm,
        &[input(
            "drill_vpc_id",
            "VPC for the drill; empty lets the service make one",
            InputKind::Text,
            false,
        )],
    ),
    spec(
        "retry-delete-instance",
        Verb::Retry,
        "Delete the instance again",
        TargetKind::Task,
        Danger::TypeName,
        &[
            input(
                "delete_target_server",
                "Delete the DR server too?",
                InputKind::YesNo,
                true,
            ),
            input(
                "delete_target_eip",
                "Delete its elastic IP too?",
                InputKind::YesNo,
                true,
            ),
        ],
    ),
    spec(
        "retry-delete-pair",
        Verb::Retry,
        "Delete the replication pair again",
        TargetKind::Task,
        Danger::TypeName,
        &[input(
            "delete_target_volume",
            "Delete the DR disk too?",
            InputKind::YesNo,
            true,
        )],
    ),
    spec(
        "retry-attach",
        Verb::Retry,
        "Detach what is left and attach again",
        TargetKind::Task,
        Danger::Confirm,
        &[
            input(
                "protected_instance_id",
                "Attach to which instance; empty: the one in the record",
                InputKind::Text,
                false,
            ),
            input(
                "device",
                "As which device (/dev/vdb); empty: the one in the record",
                InputKind::Text,
                false,
            ),
        ],
    ),
    spec(
        "retry-expand",
        Verb::Retry,
        "Expand the pair again",
        TargetKind::Task,
        Danger::Confirm,
        &[input("new_size", "New size in GB", InputKind::Number, true)],
    ),
    spec(
        "retry-resize",
        Verb::Retry,
        "Resize again",
        TargetKind::Task,
        Danger::Confirm,
        &[
            input(
                "production_flavorRef",
                "Flavor of the production server; empty: leave it",
                InputKind::Text,
                false,
            ),
            input(
                "dr_flavorRef",
                "Flavor of the DR server; empty: leave it",
                InputKind::Text,
                false,
            ),
        ],
    ),
    ActionSpec {
        safe_to_repeat: true,
        ..spec(
            "clear",
            Verb::Clear,
            "Clear it from the task center",
            TargetKind::Task,
            Danger::Confirm,
            &[],
        )
    },
    ActionSpec {
        safe_to_repeat: true,
        ..spec(
            "clear-group",
            Verb::Clear,
            "Clear every failed task inside this group",
            TargetKind::Policy,
            Danger::Confirm,
            &[],
        )
    },
    ActionSpec {
        safe_to_repeat: true,
        ..spec(
            "clear-group-level",
            Verb::Clear,
            "Clear every failed task of groups themselves, all groups",
            TargetKind::Policy,
            Danger::Confirm,
            &[],
        )
    },
    spec(
        "end-drill",
        Verb::Delete,
        "End the DR drill",
        TargetKind::Task,
        Danger::TypeName,
        &[],
    ),
];

/// The group states that allow a call, as the constraints of each call list them.
pub fn legal_group_states(action: &str) -> &'static [&'static str] {
    match action {
        "enable" => &["available", "error-starting"],
        "protect-again" => &["failed-over", "error-reprotecting"],
        "disable" => &["protected", "error-stopping"],
        "switch-over" => &["protected", "error-reversing"],
        "fail-over" => &["protected", "error-failing-over", "error-reversing"],
        "drill" => &[
            "available",
            "protected",
            "failed-over",
            "error-starting",
            "error-stopping",
            "error-reversing",
            "error-reprotecting",
            "error-failing-over",
        ],
        _ => &[],
    }
}

/// Which retry fits a failed task: the action's id, or why there is none.
pub fn retry_for(failure_status: &str, object: &str) -> Result<&'static str, String> {
    let object = Object::read(object);
    Ok(match (failure_status, object) {
        ("startFail" | "stopFail" | "reverseFail" | "failoverFail" | "reprotectFail", _)
        | ("createFail", Some(Object::Group | Object::Pair))
        | ("deleteFail", Some(Object::Group | Object::Drill))
        | ("detachFail", _) => "retry",
        ("createFail", Some(Object::Instance)) => "retry-create-instance",
        ("createFail", Some(Object::Drill)) => "retry-create-drill",
        ("deleteFail", Some(Object::Instance)) => "retry-delete-instance",
        ("deleteFail", Some(Object::Pair)) => "retry-delete-pair",
        ("attachFail", _) => "retry-attach",
        ("expandFail", _) => "retry-expand",
        ("resizeFail", _) => "retry-resize",
        (other, _) => return Err(format!("no call is known that repeats \"{other}\"")),
    })
}

/// Whether the action fits the target as last seen.
pub fn available(action: &ActionSpec, target: &Target) -> Result<(), String> {
    let status = target.native_status.as_str();
    match action.id {
        "clear-group" | "clear-group-level" => Ok(()),
        "clear" => {
            if status.ends_with("Fail") || status == "FAIL" {
                Ok(())
            } else {
                Err("only failed tasks stand in the task center".to_owned())
            }
        }
        "end-drill" => {
            if target.object != Object::Drill.word() {
                Err("this task is no DR drill".to_owned())
            } else if matches!(
                status,
                "available" | "error" | "error-deleting" | "createFail" | "deleteFail"
            ) {
                Ok(())
            } else {
                Err(format!("a drill in state {status} can't be ended"))
            }
        }
        id if id.starts_with("retry") => {
            if !status.ends_with("Fail") {
                return Err("only a failed task can be repeated".to_owned());
            }
            match retry_for(status, &target.object) {
                Ok(fits) if fits == id => Ok(()),
                Ok(fits) => Err(format!("use {fits} for {status}")),
                Err(why) => Err(why),
            }
        }
        id => {
            let legal = legal_group_states(id);
            if legal.contains(&status) {
                Ok(())
            } else {
                Err(format!(
                    "the group is {status}; allowed when {}",
                    legal.join(" or ")
                ))
            }
        }
    }
}
