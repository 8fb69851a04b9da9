//! What a kind offers works or is refused with its reason; what was sent is followed, found, and never sent twice.

use std::time::Duration;

use keepwatch::catalog::{Catalog, Question};
use keepwatch::connect::Support;
use keepwatch::model::{Found, Phase, Ref, SendOutcome, Timestamp, Verb};
use keepwatch::operate::{ActionEvent, ActionId, Ledger, Stage, observe};
use serde_json::json;
use tokio::time::timeout;

use crate::bench::Bench;
use crate::everywhere;

#[tokio::test(flavor = "multi_thread")]
async fn every_capability_works_or_says_why_not() {
    everywhere(|entry| async move {
        let mut bench = Bench::start(entry).await;
        bench.whole_round().await;
        let connector = bench.connector.clone();
        assert!(connector.way().is_some(), "doctor can't look at its way");
        let capabilities = connector.capabilities();
        for (name, support) in capabilities.rows() {
            assert_eq!(
                support.remark().is_empty(),
                support == Support::Yes,
                "{name}: a part that is missing has its reason"
            );
        }
        for verb in Verb::ALL {
            let offers = |verb| connector.actions().iter().any(|a| a.verb == verb);
            // on and off are one capability, and a service may offer a part of it
            let any = match (verb, capabilities.of(verb)) {
                (Verb::Enable | Verb::Disable, Support::Partly(_)) => {
                    offers(Verb::Enable) || offers(Verb::Disable)
                }
                _ => offers(verb),
            };
            assert_eq!(capabilities.of(verb).is_offered(), any, "{}", verb.word());
        }
        let tasks = bench.held().tasks;
        if capabilities.reasons.is_offered() {
            let told = tasks
                .values()
                .filter(|t| t.phase == Phase::Failed)
                .any(|t| t.failure.as_ref().is_some_and(|f| !f.is_silent()));
            assert!(told, "no failed task has a reason");
        }
        let catalog = Catalog::built_in();
        for task in tasks.values().filter(|t| t.phase.needs_person()) {
            let failure = task.failure.as_ref();
            let read =
                catalog.about_task(connector.kind(), &task.object, &task.native_status, failure);
            assert!(!read.is_empty(), "nothing is said of {task:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_action_is_taken_or_refused_with_a_reason() {
    everywhere(|entry| async move {
        let catalog = Catalog::built_in();
        let specs = Bench::start(entry).await.connector.actions().to_vec();
        let mut answered = 0;
        for spec in specs {
            let mut bench = Bench::start(entry).await;
            bench.whole_round().await;
            let before = bench.happened();
            let prepared = match bench.prepared(&spec).await {
                Ok(prepared) => prepared,
                Err(reasons) => {
                    // nothing in this world it could be applied to: every target says why
                    let all = bench.targets(spec.target).len();
                    assert_eq!(reasons.len(), all, "{}", spec.id);
                    continue;
                }
            };
            assert_eq!(
                bench.happened(),
                before,
                "{}: preparing changed something",
                spec.id
            );
            assert!(
                !prepared.effect.is_empty(),
                "{}: no effect in words",
                spec.id
            );
            assert!(
                !prepared.requests.is_empty(),
                "{}: no request is shown",
                spec.id
            );
            let shown = format!("{prepared:?}");
            assert!(
                !shown.contains("demo-password") && !shown.contains("secret-key"),
                "{shown}"
            );
            // steps may wait for each other
            bench.control("POST", "clock", json!({"speed": 3_000.0}));
            let sent = timeout(
                Duration::from_secs(120),
                bench.connector.send(&prepared, &|_| {}),
            );
            let outcome = sent
                .await
                .unwrap_or_else(|_| panic!("{} never ends", spec.id));
            bench.control("POST", "clock", json!({"speed": 0.0}));
            answered += 1;
            match outcome {
                SendOutcome::Accepted { answer, .. } => {
                    assert!(
                        (200..300).contains(&answer.http_status),
                        "{}: {answer:?}",
                        spec.id
                    );
                }
                SendOutcome::Refused { code, .. } => {
                    assert!(!code.is_silent(), "{}: refused without a word", spec.id);
                    let question = Question::from_code(Some(entry.kind), &code);
                    assert!(
                        !catalog.explain(&question).is_empty(),
                        "{}: {code:?}",
                        spec.id
                    );
                }
                // one of several requests was refused when others had been taken
                SendOutcome::Unknown { fault, .. }
                    if prepared.requests.len() > 1
                        && fault.code.as_ref().is_some_and(|c| !c.is_silent()) =>
                {
                    assert!(
                        fault.maybe_done && !fault.advice.is_empty(),
                        "{}: {fault:?}",
                        spec.id
                    );
                }
                other => panic!("{} on {}: {other:?}", spec.id, prepared.intent.target.name),
            }
            bench.whole_round().await;
        }
        assert!(answered > 0, "no action could be tried");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_becomes_one_task_that_is_followed_to_its_end() {
    everywhere(|entry| async move {
        let mut bench = Bench::start(entry).await;
        bench.whole_round().await;
        let known = bench.held().tasks;
        if bench.triggers().is_empty() {
            assert!(!bench.connector.capabilities().trigger.is_offered());
            return;
        }
        let prepared = bench.trigger().await;
        let id = ActionId::random();
        let mut ledger = Ledger::default();
        ledger.begin(id, prepared.clone(), Timestamp::now());
        let SendOutcome::Accepted { answer, follow } =
            bench.connector.send(&prepared, &|_| {}).await
        else {
            panic!("{} was not taken", prepared.intent.action);
        };
        ledger.apply(ActionEvent {
            id,
            at: Timestamp::now(),
            stage: Stage::Accepted { answer },
            follow: Some(follow),
        });
        let mut seen = Vec::new();
        let mut first_seen = None;
        for _ in 0..600 {
            bench.whole_round().await;
            for event in observe(&ledger, &bench.store, Timestamp::now()) {
                seen.push(event.stage.clone());
                ledger.apply(event);
            }
            if first_seen.is_none() && !seen.is_empty() {
                first_seen = Some(bench.held().tasks);
            }
            if ledger.get(id).expect("it").is_over() {
                break;
            }
            // slowly until it is seen, so that it is seen at work
            bench.advance(if seen.is_empty() { 2 } else { 15 });
        }
        let record = ledger.get(id).expect("it");
        let Stage::Observed { task_id, phase, .. } = record.stage() else {
            panic!("{}: {:?}", prepared.intent.action, record.stage());
        };
        assert!(phase.is_over(), "{seen:?}");
        let live = seen
            .iter()
            .any(|stage| matches!(stage, Stage::Observed { phase, .. } if phase.is_live()));
        assert!(live, "it was never seen at work: {seen:?}");
        // the schedules of the world go on and may come to the same thing before it has ended, and what works on its
        // parts may be tasks of their own: when it was first seen, this one alone was new and of the same sort on the
        // same thing
        let tasks = first_seen.expect("it was seen");
        let own = &tasks[task_id];
        let same = |a: &Option<Ref>, b: &Option<Ref>| {
            a.as_ref().map(|r| &r.id) == b.as_ref().map(|r| &r.id)
        };
        let born: Vec<_> = tasks
            .values()
            .filter(|t| !known.contains_key(&t.id) && t.operation == own.operation)
            .filter(|t| same(&t.device, &own.device) && same(&t.policy, &own.policy))
            .map(|t| t.id.clone())
            .collect();
        assert_eq!(
            born,
            std::slice::from_ref(task_id),
            "{}",
            prepared.intent.action
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_looked_into_and_nothing_is_sent_twice() {
    everywhere(|entry| async move {
        // how much happens when all goes well
        let bench = &mut Bench::start(entry).await;
        bench.whole_round().await;
        let prepared = bench.sendable().await;
        let before = bench.happened();
        let outcome = bench.connector.send(&prepared, &|_| {}).await;
        assert!(
            matches!(outcome, SendOutcome::Accepted { .. }),
            "{outcome:?}"
        );
        let once = bench.happened() - before;
        assert!(
            once > 0,
            "the embedded service counts nothing of {}",
            prepared.intent.action
        );
        for (fault, carried_out) in [
            ("reset_after", true),
            ("truncated", true),
            ("reset_before", false),
        ] {
            let mut bench = Bench::start(entry).await;
            bench.whole_round().await;
            let prepared = bench.sendable().await;
            let before = bench.happened();
            let method = &prepared.requests[0].method;
            bench.fault(json!({"fault": fault, "method": method}));
            let sent_at = Timestamp::now();
            let outcome = bench.connector.send(&prepared, &|_| {}).await;
            bench.mend();
            let SendOutcome::Unknown { fault: lost, .. } = outcome else {
                panic!("{fault}: {outcome:?}");
            };
            assert!(lost.maybe_done, "{lost:?}");
            let expected = if carried_out { once } else { 0 };
            assert_eq!(bench.happened() - before, expected, "{fault}");
            let mut found = bench
                .connector
                .find(&prepared, sent_at)
                .await
                .expect("an answer");
            for _ in 0..40 {
                if !carried_out || !matches!(found, Found::Nothing { .. }) {
                    break;
                }
                bench.advance(5);
                bench.settle().await;
                found = bench
                    .connector
                    .find(&prepared, sent_at)
                    .await
                    .expect("an answer");
            }
            match &found {
                Found::Done { seen, .. } => {
                    assert!(
                        carried_out,
                        "{fault}: what never happened was found: {seen}"
                    );
                    assert!(!seen.is_empty());
                }
                Found::Nothing { looked_at } => {
                    assert!(!carried_out, "{fault}: it was carried out and not found");
                    assert!(!looked_at.is_empty());
                }
                Found::CannotTell { why } => assert!(!why.is_empty()),
            }
            bench.whole_round().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_after_a_token_ended_is_sent_once_with_a_new_one() {
    everywhere(|entry| async move {
        let mut bench = Bench::start(entry).await;
        bench.whole_round().await;
        let prepared = bench.sendable().await;
        bench.control("POST", "tokens/revoke", serde_json::Value::Null);
        let before = bench.happened();
        let outcome = bench.connector.send(&prepared, &|_| {}).await;
        assert!(
            matches!(outcome, SendOutcome::Accepted { .. }),
            "{outcome:?}"
        );
        assert!(bench.happened() > before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_that_never_left_is_said_to_be_unsent() {
    everywhere(|entry| async move {
        let mut bench = Bench::start(entry).await;
        bench.whole_round().await;
        let prepared = bench.sendable().await;
        let before = bench.happened();
        bench.fault(json!({"fault": "refused"}));
        bench.listening(false).await;
        let outcome = bench.connector.send(&prepared, &|_| {}).await;
        let SendOutcome::NotSent { fault } = outcome else {
            panic!("{outcome:?}");
        };
        assert!(!fault.maybe_done && !fault.advice.is_empty(), "{fault:?}");
        assert_eq!(bench.happened(), before);
    })
    .await;
}
