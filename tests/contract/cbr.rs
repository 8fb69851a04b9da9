//! What is particular to CBR, on its embedded service: every shape that was published or seen is read the same, busy
//! is told as busy however it is said, and what only Huawei Cloud documents is asked of Huawei Cloud alone.

use std::collections::BTreeMap;

use keepwatch::catalog::{Catalog, Question};
use keepwatch::kinds;
use keepwatch::model::{
    ActionSpec, CodeRef, Intent, Phase, RetryAdvice, SendOutcome, ServiceId, TargetKind,
};
use keepwatch::sim::SimOptions;

use crate::bench::{Bench, Held, world};

async fn cbr(switches: &[(&str, &str)], options: &[(&str, &str)]) -> Bench {
    let entry = kinds::dialects().into_iter().find(|e| e.kind == "cbr");
    let pairs = |all: &[(&str, &str)]| -> Vec<(String, String)> {
        let owned = all.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        owned.collect()
    };
    let world = SimOptions {
        switches: pairs(switches),
        ..world()
    };
    let mut bench = Bench::start_with(entry.expect("its dialect"), world, |settings| {
        settings.options.extend(pairs(options));
    })
    .await;
    bench.whole_round().await;
    bench
}

fn action(bench: &Bench, id: &str) -> ActionSpec {
    bench.connector.action(id).expect("an action").clone()
}

/// What has to be the same in whatever shape it came; times to the second.
fn gist(held: &Held) -> Vec<String> {
    let second = |at: Option<keepwatch::model::Timestamp>| at.map(|t| t.millis() / 1000);
    let mut all: Vec<String> = Vec::new();
    for (id, d) in &held.devices {
        all.push(format!(
            "{id} {} {} {:?}",
            d.name,
            d.native_status,
            second(d.last_success)
        ));
    }
    for (id, p) in &held.policies {
        all.push(format!(
            "{id} {} {:?} {} {:?} {:?}",
            p.name, p.enabled, p.schedule, p.device_ids, p.native_status
        ));
    }
    for (id, t) in &held.tasks {
        all.push(format!(
            "{id} {} {:?} {} {:?} {:?} {:?}",
            t.native_status,
            t.phase,
            t.operation,
            second(t.started_at),
            second(t.ended_at),
            t.failure.as_ref().map(|f| &f.code)
        ));
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn every_shape_that_was_published_or_seen_is_read_the_same() {
    let usual = gist(&cbr(&[], &[]).await.settled().await);
    assert!(usual.len() > 60, "{} rows", usual.len());
    for (switch, arm) in [
        ("cbr.times", "offset"),
        ("cbr.times", "zulu"),
        ("cbr.empty", "absent"),
        ("cbr.marker", "ignored"),
        ("cbr.log_order", "oldest"),
        ("cbr.repeated_status", "last"),
        ("cbr.unknown_query", "refuse"),
        ("cbr.unknown_id", "karbor"),
        ("cbr.vault_delete_keys", "delete_count"),
        ("cbr.variant", "huawei"),
    ] {
        let other = gist(&cbr(&[(switch, arm)], &[]).await.settled().await);
        let odd: Vec<_> = other.iter().filter(|row| !usual.contains(row)).collect();
        assert!(
            odd.is_empty() && other.len() == usual.len(),
            "{switch}={arm}: {odd:#?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_task_may_leave_out_its_text_or_its_resource_and_strange_words_stay_strange() {
    let usual = cbr(&[], &[]).await.settled().await;
    for (switch, arm) in [
        ("cbr.failed_log", "no_message"),
        ("cbr.failed_log", "no_resource"),
        ("cbr.adversarial", "on"),
    ] {
        let other = cbr(&[(switch, arm)], &[]).await.settled().await;
        assert!(other.tasks.keys().eq(usual.tasks.keys()), "{switch}={arm}");
        for (id, task) in &other.tasks {
            let was = &usual.tasks[id];
            let same = task.phase == was.phase;
            let strange = task.phase == Phase::Unknown && task.native_status != was.native_status;
            assert!(same || strange, "{switch}={arm}: {was:?} became {task:?}");
        }
    }
}

/// What the service says against it, whichever way it says it.
fn refusal(outcome: SendOutcome) -> CodeRef {
    match outcome {
        SendOutcome::Refused { code, .. } => code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_resource_is_a_refusal_to_wait_for_however_it_is_said() {
    let catalog = Catalog::built_in();
    for (arm, code) in [
        ("skip", "BackupService.0001"),
        ("6125", "BackupService.6125"),
        ("1001", "BackupService.1001"),
    ] {
        let bench = cbr(&[("cbr.busy_resource", arm)], &[]).await;
        let spec = action(&bench, "back-up");
        let prepared = bench.prepared(&spec).await.expect("a resource");
        let first = bench.connector.send(&prepared, &|_| {}).await;
        assert!(matches!(first, SendOutcome::Accepted { .. }), "{first:?}");
        let begun = bench.happened();
        let told = refusal(bench.connector.send(&prepared, &|_| {}).await);
        assert_eq!(told.code, code, "{arm}: {told:?}");
        assert_eq!(bench.happened(), begun, "{arm}: nothing was begun");
        let readings = catalog.explain(&Question::from_code(Some("cbr"), &told));
        let advice = readings.iter().map(|r| r.entry.retry_advice).max();
        assert!(
            matches!(advice, Some(RetryAdvice::Wait | RetryAdvice::AfterAFix)),
            "{arm}: {readings:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_is_followed_to_its_end_with_and_without_a_task_in_the_answer() {
    for answer in ["job_id", "empty"] {
        let mut bench = cbr(&[("cbr.restore_answer", answer)], &[]).await;
        let known = bench.held().tasks;
        let spec = action(&bench, "restore");
        let mut taken = None;
        for target in bench.targets(TargetKind::Task) {
            if bench.connector.available(&spec, &target).is_err() {
                continue;
            }
            let wish = Intent {
                service: ServiceId(0),
                action: spec.id,
                inputs: BTreeMap::from([("power_on".to_owned(), "yes".to_owned())]),
                target,
            };
            let Ok(prepared) = bench.connector.prepare(&wish).await else {
                continue;
            };
            match bench.connector.send(&prepared, &|_| {}).await {
                SendOutcome::Accepted { follow, .. } => taken = Some(follow),
                // a server that runs, a disk in use: the reason is a code
                other => assert!(!refusal(other).code.is_empty()),
            }
            if taken.is_some() {
                break;
            }
        }
        let follow = taken.unwrap_or_else(|| panic!("{answer}: no restore is ever taken"));
        assert_eq!(follow.task_ids.is_empty(), answer == "empty");
        assert_eq!(follow.operations, ["restore"]);
        let mut ended = None;
        for _ in 0..200 {
            bench.advance(5);
            bench.whole_round().await;
            let tasks = bench.held().tasks;
            let mut own = tasks
                .values()
                .filter(|t| !known.contains_key(&t.id) && t.operation == "restore");
            if let Some(task) = own.next().filter(|t| t.phase.is_over()) {
                ended = Some(task.clone());
                break;
            }
        }
        let ended = ended.unwrap_or_else(|| panic!("{answer}: it is never seen to end"));
        if answer == "job_id" {
            assert_eq!(follow.task_ids, [ended.id.as_str()]);
        }
        // a restore that failed leaves its backup as good as it was: only its task tells
        assert!(
            ended.phase == Phase::Succeeded || ended.failure.is_some(),
            "{ended:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pausing_one_resource_is_asked_of_huawei_cloud_alone() {
    let mut bench = cbr(&[("cbr.variant", "huawei")], &[("cloud", "huawei")]).await;
    let (pause, resume) = (
        action(&bench, "pause-resource"),
        action(&bench, "resume-resource"),
    );
    let prepared = bench.prepared(&pause).await.expect("a resource");
    let request = &prepared.requests[0];
    // the address in the vendor's own example is another one
    assert!(request.url.ends_with("/set-resources"), "{}", request.url);
    let outcome = bench.connector.send(&prepared, &|_| {}).await;
    assert!(
        matches!(outcome, SendOutcome::Accepted { .. }),
        "{outcome:?}"
    );
    bench.whole_round().await;
    let targets = bench.targets(TargetKind::Device);
    let paused = targets
        .iter()
        .find(|t| t.id == prepared.intent.target.id)
        .expect("the resource");
    assert!(bench.connector.available(&pause, paused).is_err());
    assert_eq!(bench.connector.available(&resume, paused), Ok(()));

    // elsewhere the call is not published: that is a refusal, and no sign that the resource is gone
    let bench = cbr(&[], &[("cloud", "huawei")]).await;
    let prepared = bench.prepared(&pause).await.expect("a resource");
    let told = refusal(bench.connector.send(&prepared, &|_| {}).await);
    assert_eq!(told.http_status, Some(404), "{told:?}");
    assert!(told.code.starts_with("APIG"), "{told:?}");
    let bench = cbr(&[], &[]).await;
    let why = bench.prepared(&pause).await.expect_err("not offered");
    assert!(
        why.iter().all(|w| w.contains("only Huawei Cloud")),
        "{why:?}"
    );
}

/// What is in no vault is a device without protection, where the list of it is published.
#[tokio::test(flavor = "multi_thread")]
async fn what_no_vault_holds_is_asked_of_huawei_cloud_alone() {
    let mut all = cbr(&[("cbr.variant", "huawei")], &[("cloud", "huawei")]).await;
    let bound = cbr(&[("cbr.variant", "huawei")], &[]).await;
    let (held, known) = (all.held(), bound.held());
    let free: Vec<_> = held
        .devices
        .values()
        .filter(|d| !known.devices.contains_key(&d.id))
        .collect();
    assert!(!free.is_empty(), "every server of the world is in a vault");
    assert!(known.devices.keys().all(|id| held.devices.contains_key(id)));
    for device in &free {
        assert!(device.policy_ids.is_empty(), "{device:?}");
        assert!(
            device.what != "disk",
            "a disk goes with its server: {device:?}"
        );
    }
    let back_up = action(&all, "back-up");
    let targets = all.targets(TargetKind::Device);
    let target = targets.iter().find(|t| t.id == free[0].id).expect("a row");
    assert!(all.connector.available(&back_up, target).is_err());
    all.whole_round().await;
    assert_eq!(
        all.held().devices.len(),
        held.devices.len(),
        "a second look loses none"
    );
}
