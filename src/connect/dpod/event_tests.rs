//! Argument lists as DPOD documents them, and as the world hands them on.

use super::event::{Event, Listed, What, read};
use super::inbox::Record;
use crate::model::Timestamp;

fn event(args: &[&str]) -> Result<Event, String> {
    let args = args.iter().map(|a| (*a).to_owned()).collect();
    read(Record::script(Timestamp(1), args))
}

fn what(args: &[&str]) -> What {
    event(args)
        .unwrap_or_else(|why| panic!("{why}: {args:?}"))
        .what
}

/// The plan's name, status, error, tasks and what was not read.
fn plan_end(args: &[&str]) -> (String, String, String, Vec<Listed>, String) {
    match what(args) {
        What::PlanEnds {
            plan,
            status,
            error,
            tasks,
            unread,
        } => (plan.name, status, error, tasks, unread),
        other => panic!("{other:?}"),
    }
}

fn listed(id: &str, action: &str, device: &str, domain: &str, status: &str) -> Listed {
    Listed {
        id: id.into(),
        action: action.into(),
        device: device.into(),
        domain: domain.into(),
        status: status.into(),
    }
}

#[test]
fn the_documented_arguments() {
    let What::PlanBegins(plan) = what(&["BACKUP-PLAN", "PRE", "5", "nightly"]) else {
        panic!("a plan begins");
    };
    assert_eq!(
        (plan.family.0.as_str(), plan.id.as_str(), plan.name.as_str()),
        ("backup", "5", "nightly")
    );
    let What::TaskBegins {
        task,
        action,
        device,
        host,
        port,
        domain,
    } = what(&[
        "BACKUP-TASK",
        "PRE",
        "13",
        "nightly",
        "exportDomain",
        "gw-1",
        "10.0.0.1",
        "5550",
        "web",
    ])
    else {
        panic!("a task begins");
    };
    assert_eq!(
        (task.id.as_str(), task.plan.as_str(), action.as_str()),
        ("13", "nightly", "exportDomain")
    );
    assert_eq!(
        [device, host, port, domain],
        ["gw-1", "10.0.0.1", "5550", "web"]
    );
    let end = what(&[
        "BACKUP-TASK",
        "POST",
        "13",
        "nightly",
        "SUCCESS",
        "NONE",
        "FFU",
        "FFU",
        "x",
    ]);
    let What::TaskEnds { status, .. } = end else {
        panic!("a task ends");
    };
    assert_eq!(status, "SUCCESS");
    let end = what(&[
        "BACKUP-TASK",
        "POST",
        "14",
        "nightly",
        "EXECUTION_SECURE_BACKUP_UNSUCCESSFUL",
        "it broke",
        "FFU",
        "FFU",
    ]);
    let What::TaskEnds { error, .. } = end else {
        panic!("a task ends");
    };
    assert_eq!(error, "it broke");
}

#[test]
fn the_published_list_has_a_comma_before_each_tilde() {
    let list = "13,exportDomain,DEV,DOM,SUCCESS,~14,exportDomain,DEV2,DOM2,SUCCESS";
    let two = vec![
        listed("13", "exportDomain", "DEV", "DOM", "SUCCESS"),
        listed("14", "exportDomain", "DEV2", "DOM2", "SUCCESS"),
    ];
    let by_the_book = [
        "BACKUP-PLAN",
        "POST",
        "5",
        "nightly",
        "SUCCESS",
        "NONE",
        "FFU",
        "FFU",
    ];
    for odd in [
        list,
        &list.replace(",~", "~"),
        &format!("{list},"),
        &format!("{list},~"),
        &format!("~{list}"),
    ] {
        let args = [by_the_book.as_slice(), &[odd]].concat();
        let (name, status, error, tasks, unread) = plan_end(&args);
        assert_eq!(
            (name.as_str(), status.as_str(), error.as_str()),
            ("nightly", "SUCCESS", "")
        );
        assert_eq!((&tasks, unread.as_str()), (&two, ""), "{odd}");
    }
}

#[test]
fn the_old_list_is_one_flat_row() {
    let flat =
        "13,exportDomain,DEV,DOM,SUCCESS,14,secureBackup,DEV2,ALL,EXECUTION_FAILED_LONG_RUNNING";
    // an older version, without the places for future use
    for args in [
        vec![
            "BACKUP-PLAN",
            "POST",
            "5",
            "nightly",
            "SUCCESS",
            "NONE",
            flat,
        ],
        vec![
            "BACKUP-PLAN",
            "POST",
            "5",
            "nightly",
            "SUCCESS",
            "NONE",
            "FFU",
            "FFU",
            flat,
        ],
        vec!["BACKUP-PLAN", "POST", "5", "nightly", "SUCCESS", flat],
    ] {
        let (_, _, error, tasks, unread) = plan_end(&args);
        assert_eq!(tasks.len(), 2, "{args:?}");
        assert_eq!(
            tasks[1],
            listed(
                "14",
                "secureBackup",
                "DEV2",
                "ALL",
                "EXECUTION_FAILED_LONG_RUNNING"
            )
        );
        assert_eq!((error.as_str(), unread.as_str()), ("", ""));
    }
}

#[test]
fn names_may_hold_commas_tildes_blanks_and_worse() {
    let list = "13,exportDomain,gw, left~one,DOM,SUCCESS,~14,exportDomain,7,8,SUCCESS,";
    let (name, _, _, tasks, unread) = plan_end(&[
        "BACKUP-PLAN",
        "POST",
        "5",
        "a, b ~ \"c\"\u{1b}[2J",
        "SUCCESS",
        "NONE",
        "FFU",
        "FFU",
        list,
    ]);
    assert_eq!(name, "a, b ~ \"c\"␛[2J");
    assert_eq!(tasks[0].device, "gw, left~one");
    assert_eq!(tasks[1], listed("14", "exportDomain", "7", "8", "SUCCESS"));
    assert_eq!(unread, "");
}

#[test]
fn an_unquoted_call_splits_names_and_is_put_together_again() {
    let What::TaskBegins {
        task,
        device,
        host,
        domain,
        ..
    } = what(&[
        "BACKUP-TASK",
        "PRE",
        "13",
        "all",
        "of",
        "it",
        "secureBackup",
        "gw",
        "one",
        "10.0.0.1",
        "5550",
        "ALL",
    ])
    else {
        panic!("a task begins");
    };
    assert_eq!(
        (task.plan.as_str(), device.as_str()),
        ("all of it", "gw one")
    );
    assert_eq!((host.as_str(), domain.as_str()), ("10.0.0.1", "ALL"));
    let What::TaskEnds {
        task,
        status,
        error,
    } = what(&[
        "BACKUP-TASK",
        "POST",
        "13",
        "all",
        "of",
        "IT",
        "EXECUTION_PRE_SCRIPT_ERROR",
        "rc",
        "is",
        "2",
        "FFU",
        "FFU",
    ])
    else {
        panic!("a task ends");
    };
    assert_eq!(
        (task.plan.as_str(), status.as_str()),
        ("all of IT", "EXECUTION_PRE_SCRIPT_ERROR")
    );
    assert_eq!(error, "rc is 2");
}

#[test]
fn a_new_status_is_kept_letter_for_letter() {
    let What::TaskEnds { status, .. } = what(&[
        "BACKUP-TASK",
        "POST",
        "13",
        "nightly",
        "EXECUTION_FROBNICATED",
        "NONE",
        "FFU",
        "FFU",
    ]) else {
        panic!("a task ends");
    };
    assert_eq!(status, "EXECUTION_FROBNICATED");
}

#[test]
fn firmware_lists_name_versions_and_no_action() {
    let (_, _, _, tasks, unread) = plan_end(&[
        "FIRMWARE-UPGRADE-PLAN",
        "POST",
        "9",
        "to-10.5",
        "SUCCESS",
        "NONE",
        "FFU",
        "FFU",
        "21,gw-1,10.0.1,10.5.0,SUCCESS~22,gw, 2,10.0.1,10.0.1,ERROR_UNSUPPORTED_DEVICE_TYPE",
    ]);
    assert_eq!(
        tasks[0],
        listed("21", "", "gw-1", "10.0.1 → 10.5.0", "SUCCESS")
    );
    assert_eq!(
        tasks[1],
        listed(
            "22",
            "",
            "gw, 2",
            "10.0.1 → 10.0.1",
            "ERROR_UNSUPPORTED_DEVICE_TYPE"
        )
    );
    assert_eq!(unread, "");
}

#[test]
fn what_of_a_list_can_not_be_read_is_told_and_the_rest_is_used() {
    let (_, _, _, tasks, unread) = plan_end(&[
        "BACKUP-PLAN",
        "POST",
        "5",
        "nightly",
        "SUCCESS",
        "NONE",
        "FFU",
        "FFU",
        "13,exportDomain,~14,exportDomain,DEV2,DOM2,SUCCESS",
    ]);
    assert_eq!(tasks.len(), 1);
    assert_eq!(unread, "13,exportDomain");
}

#[test]
fn what_is_no_event_says_why() {
    for (args, why) in [
        (vec![], "PRE or POST"),
        (vec!["BACKUP-PLAN", "MIDDLE", "5", "x"], "PRE or POST"),
        (vec!["hello", "PRE", "5", "x"], "BACKUP-PLAN"),
        (vec!["-PLAN", "PRE", "5", "x"], "BACKUP-PLAN"),
        (vec!["BACKUP-TASK", "PRE", "13"], "at least 4"),
        (vec!["BACKUP-TASK", "PRE", "", "x"], "no number"),
        (
            vec!["BACKUP-TASK", "POST", "13", "nightly"],
            "no argument is a status",
        ),
        (
            vec!["BACKUP-TASK", "POST", "13", "nightly", "NONE"],
            "no argument is a status",
        ),
    ] {
        let told = event(&args).unwrap_err();
        assert!(told.contains(why), "{args:?}: {told}");
    }
}

/// Whatever comes, an answer: no panic.
#[test]
fn any_arguments_end_in_an_event_or_a_reason() {
    let words = [
        "BACKUP-PLAN",
        "BACKUP-TASK",
        "FIRMWARE-UPGRADE-PLAN",
        "PRE",
        "POST",
        "13",
        "",
        ",",
        "~",
        "SUCCESS",
        "NONE",
        "FFU",
        "exportDomain",
        "5550",
        "13,exportDomain,DEV,DOM,SUCCESS,~14",
        "é,~é",
        "1,2,3,4,5,6~7,8",
    ];
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..20_000 {
        let n = random.usize(0..10);
        let mut args: Vec<&str> = vec!["BACKUP-PLAN", "POST"];
        args.truncate(random.usize(0..3));
        args.extend((0..n).map(|_| words[random.usize(0..words.len())]));
        let _ = event(&args);
    }
}
