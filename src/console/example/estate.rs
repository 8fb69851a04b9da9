//! Devices, policies and tasks as two services would report them.

use crate::model::*;

use super::NOW;

/// A task.
pub fn task(id: &str, device: &str, policy: &str, status: &str, phase: Phase, ago_s: i64) -> Task {
    let at = NOW.plus(-ago_s * 1000);
    Task {
        id: id.into(),
        device: Some(Ref::new(format!("id-{device}"), device)),
        policy: Some(Ref::new(format!("id-{policy}"), policy)),
        operation: "backup".into(),
        native_status: status.into(),
        phase,
        started_at: Some(if phase.is_live() {
            at
        } else {
            at.plus(-95_000)
        }),
        updated_at: Some(at),
        ended_at: phase.is_over().then_some(at),
        raw: format!("{{\"id\":\"{id}\",\"status\":\"{status}\",\"items\":[1,2]}}"),
        ..Task::default()
    }
}

/// A failed task with its code.
pub fn failed(id: &str, device: &str, policy: &str, code: (&str, &str), ago_s: i64) -> Task {
    Task {
        failure: Some(CodeRef::new(code.0, code.1)),
        ..task(id, device, policy, "error", Phase::Failed, ago_s)
    }
}

fn device(name: &str, policies: &[&str]) -> Device {
    Device {
        id: format!("id-{name}"),
        name: name.into(),
        what: "server",
        native_status: "ACTIVE".into(),
        place: "eu-de-01".into(),
        policy_ids: policies.iter().map(|p| format!("id-{p}")).collect(),
        ..Device::default()
    }
}

fn policy(name: &str, hours: i64, devices: &[&str]) -> Policy {
    Policy {
        id: format!("id-{name}"),
        name: name.into(),
        what: "policy",
        native_status: "suspended".into(),
        enabled: Some(hours > 0),
        schedule: "daily 01:00 UTC".into(),
        next_run: (hours > 0).then(|| NOW.plus(hours * 3_600_000)),
        device_ids: devices.iter().map(|d| format!("id-{d}")).collect(),
        ..Policy::default()
    }
}

const ZONE: (&str, &str) = (
    "CSBS.6027",
    "The AZ where the resource (8f3c2e) is located does not support backup.",
);

pub fn csbs() -> Rows {
    let mut tasks = vec![
        failed("c-1", "ecs-42", "weekly-full", ZONE, 120),
        failed("c-2", "ecs-42", "weekly-full", ZONE, 90_000),
        failed("c-3", "ecs-42", "weekly-full", ZONE, 176_000),
        task(
            "c-4",
            "ecs-42",
            "weekly-full",
            "available",
            Phase::Succeeded,
            266_000,
        ),
        failed(
            "c-5",
            "ecs-19",
            "nightly",
            ("EVS.2024", "created disk is in error"),
            540,
        ),
        task(
            "c-6",
            "ecs-19",
            "nightly",
            "available",
            Phase::Succeeded,
            111_600,
        ),
        Task {
            progress: Some(21),
            step: "protecting".into(),
            ..task(
                "c-7",
                "ecs-7",
                "weekly-full",
                "protecting",
                Phase::Running,
                44,
            )
        },
        task(
            "c-8",
            "ecs-8",
            "nightly",
            "waiting_protect",
            Phase::Queued,
            30,
        ),
        Task {
            asked: Some(Asked::Cancel),
            progress: Some(4),
            ..task("c-9", "ecs-9", "nightly", "protecting", Phase::Running, 400)
        },
        failed("c-10", "ecs-11", "nightly", ("CSBS.5001", ""), 4_000),
        failed(
            "c-11",
            "ecs-12",
            "nightly",
            ("CSBS.7777", "Something that nobody has ever seen."),
            7_000,
        ),
    ];
    for n in (20..60).filter(|n| *n != 42) {
        tasks.push(task(
            &format!("c-ok-{n}"),
            &format!("ecs-{n}"),
            "nightly",
            "available",
            Phase::Succeeded,
            3_600 + n * 60,
        ));
    }
    let names: Vec<String> = [7, 8, 9, 11, 12, 19, 42]
        .into_iter()
        .chain(20..60)
        .map(|n| format!("ecs-{n}"))
        .collect();
    let mut devices: Vec<Device> = Vec::new();
    for name in &names {
        if devices.iter().all(|d| d.name != *name) {
            devices.push(device(name, &["nightly"]));
        }
    }
    Rows {
        devices,
        policies: vec![
            policy("nightly", 21, &["ecs-7", "ecs-8", "ecs-9"]),
            policy("weekly-full", 70, &["ecs-42"]),
            policy("eu-archive", 0, &[]),
        ],
        tasks,
        bad: Vec::new(),
    }
}

pub fn dpod() -> Rows {
    Rows {
        devices: (1..=9)
            .map(|n| Device {
                what: "gateway",
                ..device(&format!("gw-prod-0{n}"), &["nightly-export"])
            })
            .collect(),
        policies: vec![policy("nightly-export", 22, &["gw-prod-01", "gw-prod-02"])],
        tasks: vec![
            Task {
                progress: Some(62),
                step: "export persisted".into(),
                ..task(
                    "d-1",
                    "gw-prod-07",
                    "nightly-export",
                    "EXECUTION_EXPORT_PERSISTED",
                    Phase::Running,
                    192,
                )
            },
            Task {
                step: "waits for another".into(),
                ..task(
                    "d-2",
                    "gw-prod-08",
                    "nightly-export",
                    "EXECUTION_WAITING",
                    Phase::Waiting,
                    125,
                )
            },
            Task {
                failure: None,
                ..task(
                    "d-3",
                    "gw-prod-02",
                    "nightly-export",
                    "EXECUTION_FAILED_LONG_RUNNING",
                    Phase::Uncertain,
                    1_860,
                )
            },
            task(
                "d-4",
                "gw-prod-01",
                "nightly-export",
                "EXECUTION_COMPLETED",
                Phase::Succeeded,
                3_840,
            ),
            task(
                "d-5",
                "gw-prod-03",
                "nightly-export",
                "EXECUTION_COMPLETED",
                Phase::Succeeded,
                3_900,
            ),
        ],
        bad: Vec::new(),
    }
}
