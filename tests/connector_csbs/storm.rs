//! Never twice: thousands of actions through a service that loses answers before and after it acted.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use futures_util::stream::{self, StreamExt};
use keepwatch::catalog::Catalog;
use keepwatch::model::{Prepared, Service, ServiceId};
use keepwatch::operate::{ActionId, Guard, Ledger, Operator, Stage};
use keepwatch::sim::SimOptions;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::sim_support::calm;
use crate::{KIND, start, target};

const SERVERS: usize = 96;
const WAVES: usize = 22;
/// What happens to answers: three of them after the service acted or may have, the others before.
const FAULTS: [(&str, u64); 6] = [
    ("reset_before", 9),
    ("reset_after", 9),
    ("truncated", 9),
    ("status", 9),
    ("garbage", 5),
    ("html", 5),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn executions_never_exceed_confirmations_and_each_lost_answer_ends_explained() {
    let (client, csbs) = start(SimOptions {
        devices: SERVERS,
        ..calm()
    })
    .await;
    client.control(
        "POST",
        "quotas",
        json!({"name": "csbs.backups", "limit": -1}),
    );
    let service = Service {
        name: "otc-eu".into(),
        kind: KIND,
        id: ServiceId(0),
        embedded: false,
        read_only: false,
    };
    let (events, mut seen) = mpsc::unbounded_channel();
    let operator = Operator::new(
        vec![(service, Arc::clone(&csbs))],
        Guard::default(),
        Arc::new(Catalog::built_in()),
        events,
    )
    .looking_at(&[5, 40]);
    let servers = client.control("GET", "servers", Value::Null);
    let servers: Vec<(String, String)> = servers
        .as_array()
        .expect("servers")
        .iter()
        .map(|s| {
            let text = |name: &str| s[name].as_str().expect("text").to_owned();
            (text("id"), text("name"))
        })
        .collect();

    let mut known = HashSet::new();
    let mut ledger = Ledger::default();
    let mut whose: BTreeMap<ActionId, String> = BTreeMap::new();
    let mut words: BTreeMap<&str, u64> = BTreeMap::new();
    for wave in 0..WAVES {
        let wanted: Vec<(String, Prepared)> = stream::iter(&servers)
            .map(|(id, name)| {
                let intent = target(&csbs, "back-up", id, name);
                let operator = operator.clone();
                async move { Some((id.clone(), operator.prepare(&intent).await.ok()?)) }
            })
            .buffer_unordered(8)
            .filter_map(|one| async { one })
            .collect()
            .await;
        client.started_of(&mut known);
        for (fault, times) in FAULTS {
            client.control(
                "POST",
                "faults",
                json!({"fault": fault, "method": "POST", "times": times, "status": 502}),
            );
        }
        let mut confirmed = Vec::new();
        for (id, prepared) in wanted {
            let one = operator.confirm(prepared.clone(), None).expect("allowed");
            ledger.begin(one.id(), prepared, keepwatch::model::Timestamp::now());
            whose.insert(one.id(), id);
            confirmed.push(one);
        }
        let of_wave: Vec<ActionId> = confirmed
            .iter()
            .map(keepwatch::operate::Confirmed::id)
            .collect();
        stream::iter(confirmed)
            .for_each_concurrent(8, |one| operator.send(one))
            .await;
        while let Ok(event) = seen.try_recv() {
            ledger.apply(event);
        }
        client.control("DELETE", "faults", Value::Null);
        let started = client.started_of(&mut known);
        for id in of_wave {
            let server = &whose[&id];
            let executions = started.get(server).copied().unwrap_or(0);
            let stage = ledger.get(id).expect("begun").stage();
            *words.entry(stage.word()).or_default() += 1;
            let possible = match stage {
                Stage::Accepted { .. } | Stage::FoundDone { .. } => 1..=1,
                Stage::Refused { .. } | Stage::NotSent { .. } | Stage::FoundNothing { .. } => 0..=0,
                Stage::CannotTell { .. } => 0..=1,
                open => panic!("an action was left without an end: {open:?}"),
            };
            assert!(
                possible.contains(&executions),
                "wave {wave}: {server} ran {executions} times, yet keepwatch says {stage:?}"
            );
        }
        client.advance(24 * 3600);
    }
    let total: u64 = words.values().sum();
    assert!(total >= 2000, "{words:?}");
    for word in ["accepted", "was carried out", "no sign of it"] {
        assert!(
            words.get(word).is_some_and(|n| *n > 100),
            "{word}: {words:?}"
        );
    }
}
