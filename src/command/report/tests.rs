//! The facts and the page, on virtual time.

use serde_json::json;

use super::*;
use crate::catalog::Catalog;
use crate::model::{
    CodeRef, Device, Kind, Phase, Policy, Ref, Rows, Service, ServiceId, Task, Timestamp,
};
use crate::store::Store;
use crate::store::history::{
    ActionHead, ActionStep, Event, History, KeptAction, Options, Remark, RemarkKind, ServiceKey,
    Sort, Sqlite, Subject, new_id,
};

const S: ServiceId = ServiceId(0);
const HOUR: i64 = 3_600_000;
/// 2026-11-21T06:00:00Z.
const NOW: Timestamp = Timestamp(1_795_240_800_000);

fn ago(hours: i64) -> Timestamp {
    NOW.plus(-hours * HOUR)
}

fn task(id: &str, device: &str, phase: Phase, hours: i64, code: &str) -> Task {
    Task {
        id: id.into(),
        device: Some(Ref::new(device, device)),
        policy: Some(Ref::new("p1", "nightly")),
        operation: "backup".into(),
        native_status: if phase.needs_person() {
            "error"
        } else {
            "available"
        }
        .into(),
        phase,
        started_at: Some(ago(hours).plus(-HOUR / 2)),
        ended_at: phase.is_over().then(|| ago(hours)),
        failure: (!code.is_empty()).then(|| CodeRef::new(code, "<b>no & zone</b> | x")),
        ..Task::default()
    }
}

fn store() -> Store {
    let mut store = Store::new(vec![Service {
        id: S,
        name: "otc-eu".into(),
        kind: Kind("csbs"),
        embedded: false,
        read_only: false,
    }]);
    let device = |name: &str| Device {
        id: name.into(),
        name: name.into(),
        policy_ids: vec!["p1".into()],
        ..Device::default()
    };
    let rows = Rows {
        devices: ["ecs-1", "ecs-2", "ecs-3", "ecs-4", "ecs-5"]
            .map(device)
            .into(),
        policies: vec![Policy {
            id: "p1".into(),
            name: "nightly".into(),
            enabled: Some(true),
            ..Policy::default()
        }],
        tasks: vec![
            task("t1", "ecs-1", Phase::Failed, 5, "CSBS.6027"),
            task("t2", "ecs-2", Phase::Failed, 4, "CSBS.6027"),
            task("t3", "ecs-3", Phase::Failed, 6, "CSBS.7777"),
            task("t4", "ecs-3", Phase::Succeeded, 2, ""),
            task("t5", "ecs-4", Phase::Failed, 30, "CSBS.6027"),
            task("t8", "ecs-4", Phase::Failed, 31, "CSBS.6007"),
            task("t6", "ecs-1", Phase::Succeeded, 60, ""),
            task("t7", "ecs-4", Phase::Running, 7, ""),
        ],
        ..Rows::default()
    };
    store.apply(S, "all", 0, rows, NOW);
    store
}

fn history() -> Sqlite {
    let history = Sqlite::open(Options::memory());
    let service = ServiceKey::new("otc-eu", "csbs");
    let mut action = KeptAction {
        verb: "retry".into(),
        ..KeptAction::default()
    };
    action.target.kind = "device".into();
    action.target.name = "ecs-3".into();
    let (sent, shown) = (new_id(), new_id());
    let head = |id, at, action: &KeptAction| {
        Event::Action(Box::new(ActionHead {
            id,
            at,
            service: service.clone(),
            action: action.clone(),
        }))
    };
    let step = |action, at, stage: &str, detail: &str| {
        Event::Step(ActionStep {
            action,
            at,
            stage: stage.into(),
            detail: detail.into(),
            over: true,
            data: json!({}),
        })
    };
    let subject = Subject::new("otc-eu", Sort::Task, "t2");
    let ack =
        Remark::new(RemarkKind::Acknowledged, subject, "INC-7", ago(1)).until(NOW.plus(2 * HOUR));
    let noted = Subject::new("otc-eu", Sort::Task, "t1");
    let note = Remark::new(RemarkKind::Note, noted, "the disk team was asked", ago(2));
    let events = vec![
        head(sent, ago(3), &action),
        step(sent, ago(3), "accepted", "HTTP 200"),
        head(shown, ago(3), &action),
        step(shown, ago(3), "proposed", ""),
        Event::Remark(Box::new(ack)),
        Event::Remark(Box::new(note)),
    ];
    history.save(events).wait().expect("saved");
    history
}

fn facts() -> facts::Facts {
    let (mut store, history) = (store(), history());
    let query = crate::store::history::RemarkQuery::default();
    let remarks = history.remarks(&query).expect("remarks");
    store.set_remarks(&remarks, NOW);
    gather::Sources {
        store: &store,
        catalog: &Catalog::built_in(),
        history: &history,
        demo: false,
        from: ago(12),
        now: NOW,
    }
    .facts()
}

#[test]
fn what_succeeded_since_is_not_open_and_what_was_only_shown_was_not_done() {
    let facts = facts();
    let s = &facts.summary;
    assert_eq!((s.failed, s.recovered, s.good), (3, 1, 1));
    assert_eq!((s.open, s.taken, s.running, s.actions), (3, 1, 1, 1));
    let ids: Vec<(&str, &str)> = facts
        .failed
        .iter()
        .map(|f| (f.item.id.as_str(), f.stands))
        .collect();
    assert_eq!(
        ids,
        [("t2", "taken"), ("t1", "open"), ("t3", "succeeded since")]
    );
    let [cause, older] = facts.open.as_slice() else {
        panic!("two causes are open: {:?}", facts.open);
    };
    assert_eq!(older.group.name.as_deref(), Some("CSBS.6007"));
    // what failed before the period and is still open belongs to it
    assert_eq!((cause.group.jobs, cause.group.open), (3, 2));
    assert_eq!(cause.on, ["ecs-2", "ecs-1", "ecs-4"]);
    assert_eq!(
        (cause.taken[0].note.as_str(), cause.taken[0].jobs),
        ("INC-7", 1)
    );
    // a note takes nothing
    let noted: Vec<(&str, usize)> = cause.notes.iter().map(|n| (&*n.on, n.jobs)).collect();
    assert_eq!(noted, [("ecs-1", 1)]);
    assert_eq!(
        facts.failed[1].item.notes[0].text,
        "the disk team was asked"
    );
    assert_eq!(facts.done[0].target, "ecs-3");
    let names: Vec<&str> = facts
        .backups
        .iter()
        .filter_map(|b| b.party.as_ref())
        .map(|p| p.name.as_str())
        .collect();
    assert_eq!(names, ["ecs-4", "ecs-2", "ecs-5", "ecs-1"]);
    assert_eq!(
        facts.look.iter().map(|l| l.what).collect::<Vec<_>>(),
        ["stuck"]
    );
}

#[test]
fn the_page_says_it_in_both_forms_and_nothing_in_it_is_markup() {
    let page = words::page(&facts(), Zone::Utc);
    let markdown = markdown::text(&page);
    for part in [
        "# Backup handover, Fri 18:00 to Sat 06:00",
        "**3 jobs failed**, 1 of them succeeded since; 1 task was good. **3 jobs are open**, 1 more taken.",
        "### 3 × `CSBS.6027` on ecs-2, ecs-1 and ecs-4 (otc-eu)",
        "INC-7",
        " on ecs-1, Sat 04:00: the disk team was asked",
        "| noted | ecs-1 (otc-eu) | the disk team was asked |",
        "| Sat 02:00 | otc-eu | ecs-2 | nightly | `CSBS.6027` | taken by ",
        "succeeded Sat 04:00",
        "| retry | device ecs-3 (otc-eu) | accepted: HTTP 200 |",
        "| 1 | `CSBS.6007` | ecs-4 | otc-eu | Thu 23:00 | Thu 23:00 | **nobody** |",
        "| ecs-4 | otc-eu | **never** | 1d 02h | 2 |",
        "**No backup known on otc-eu: 1** (ecs-5).",
        "**stuck**",
    ] {
        assert!(markdown.contains(part), "{part}\n{markdown}");
    }
    let html = html::text(&page);
    assert!(html.starts_with("<!doctype html>") && html.ends_with("</html>\n"));
    assert!(
        html.contains("<h3>3 × <code>CSBS.6027</code> on ecs-2, ecs-1 and ecs-4"),
        "{html}"
    );
    for text in [&markdown, &html] {
        assert!(
            !text.contains("<b>no") && !text.contains("<script"),
            "{text}"
        );
    }
    for outside in ["http://", "https://", "src=", "href=", "url("] {
        assert!(
            !html.contains(outside),
            "{outside} would be fetched:\n{html}"
        );
    }
}

#[test]
fn a_night_without_trouble_is_one_sentence() {
    let history = Sqlite::open(Options::memory());
    let mut facts = gather::Sources {
        store: &Store::new(Vec::new()),
        catalog: &Catalog::built_in(),
        history: &history,
        demo: false,
        from: ago(12),
        now: NOW,
    }
    .facts();
    facts.summary.good = 40;
    let text = markdown::text(&words::page(&facts, Zone::Utc));
    assert!(
        text.contains(
            "Nothing failed in this time; 40 tasks were good. Nothing is open. Everything has a good backup"
        ),
        "{text}"
    );
}

#[test]
fn a_period_begins_in_the_past() {
    assert_eq!(since("12h", NOW), Ok(ago(12)));
    assert!(since("soon", NOW).is_err_and(|e| e.contains("write 12h")));
    assert!(since("2030-01-01", NOW).is_err_and(|e| e.contains("lies ahead")));
}
