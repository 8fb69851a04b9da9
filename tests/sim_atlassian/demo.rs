//! The demo world: alive, believable, repeatable, and as large as asked for.

use std::collections::BTreeSet;

use keepwatch::sim::SimOptions;
use serde_json::Value;

use crate::sim_support::calm;
use crate::{Atlassian, text};

fn demo() -> SimOptions {
    SimOptions {
        start: calm().start,
        speed: 0.0,
        ..SimOptions::default()
    }
}

#[tokio::test]
async fn the_demo_is_alive_believable_and_the_same_for_the_same_seed() {
    let sim = Atlassian::start(demo()).await;
    let twin = Atlassian::start(demo()).await;
    let running = |sim: &Atlassian| sim.world()["running"].as_u64().unwrap_or(0);
    assert!(running(&sim) > 1, "something runs at once");
    let ended = |sim: &Atlassian| {
        sim.counted("atlassian.backup.completed") + sim.counted("atlassian.backup.failed")
    };
    let (before, begun) = (ended(&sim), sim.counted("atlassian.backup.created"));
    sim.advance(3600);
    twin.advance(3600);
    assert!(ended(&sim) > before + 20, "{}", ended(&sim));
    assert!(sim.counted("atlassian.backup.created") > begun + 20);
    let policies = sim.policies().await;
    assert_eq!(policies, twin.policies().await);
    assert!((10..48).contains(&policies.len()), "{}", policies.len());
    let mut statuses = BTreeSet::new();
    let mut good = 0;
    let mut all = 0;
    for (count, policy) in policies.iter().enumerate() {
        let backups = sim.backups(policy).await;
        assert_eq!(backups, twin.backups(policy).await, "{count}");
        for backup in &backups {
            let failed = ["FAILED", "INCOMPLETE"].contains(&text(backup, "status"));
            assert_eq!(
                failed,
                !text(backup, "statusMessage").is_empty(),
                "{backup}"
            );
            statuses.insert(text(backup, "status").to_owned());
            good += usize::from(backup["status"] == "COMPLETED");
        }
        all += backups.len();
    }
    for word in ["COMPLETED", "FAILED", "INCOMPLETE"] {
        assert!(statuses.contains(word), "{statuses:?}");
    }
    assert!(good * 10 > all * 7, "{good} of {all}");
    for word in ["ACTIVE", "INACTIVE"] {
        assert!(policies.iter().any(|policy| policy["status"] == word));
    }
    for interval in ["ONCE", "DAILY", "WEEKLY"] {
        let has = |policy: &Value| policy["details"]["scheduleDetails"]["interval"] == interval;
        assert!(policies.iter().any(has), "{interval}");
    }
    sim.advance(60);
    twin.advance(60);
    assert_eq!(sim.get("/restores").await, twin.get("/restores").await);
    for what in [
        "atlassian.restore.created",
        "atlassian.traffic.product_gone",
        "atlassian.traffic.role_changed",
    ] {
        assert!(sim.counted(what) > 0, "{what}");
    }
}

#[tokio::test]
async fn as_many_devices_and_tasks_as_asked_for() {
    let sim = Atlassian::start(SimOptions {
        devices: 3000,
        tasks: 100_000,
        change_rate: 600.0,
        ..demo()
    })
    .await;
    let world = sim.world();
    let backups = world["backups"].as_u64().expect("a number");
    assert!((80_000..=101_000).contains(&backups), "{backups}");
    let count = world["policies"].as_array().map_or(0, Vec::len);
    assert!(count > 1500, "{count}");
    let before = sim.counted("atlassian.backup.created");
    sim.advance(20);
    let begun = sim.counted("atlassian.backup.created") - before;
    assert!(begun > 1000, "{begun}");
    let page = sim.get("/policies?start=10&pageSize=100").await;
    assert_eq!(page["policies"].as_array().map(Vec::len), Some(100));
    let nothing = Atlassian::start(calm()).await;
    assert_eq!(nothing.get("/policies").await["totalItems"], 0);
}
