//! Looking single tasks up after they left a list.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::connect::TaskLook;
use crate::connect::scripted::Say;

fn list(rows: &[Value]) -> Say {
    Say::json(200, json!({"checkpoint_items": rows}).to_string())
}

#[tokio::test]
async fn a_task_that_left_the_list_is_looked_up() {
    let now = Arc::new(Mutex::new(item("i-1", "available")));
    let shown = Arc::clone(&now);
    let server = Scripted::start(move |seen, _| {
        assert_eq!(
            seen.path(),
            "/v1/p1/checkpoint_items/i-1",
            "by item id, not by run"
        );
        Say::json(
            200,
            json!({"checkpoint_item": *shown.lock().unwrap()}).to_string(),
        )
    })
    .await;
    let csbs = connect(&server);
    let look = async |id: &str| match csbs.look_up(id).await.unwrap() {
        TaskLook::Found(task) => *task,
        other => panic!("{other:?}"),
    };
    assert_eq!(look("i-1").await.phase, Phase::Succeeded);
    let restore = look("i-1@restore").await;
    assert_eq!(
        restore.phase,
        Phase::Uncertain,
        "available proves nothing after a restore"
    );
    assert!(restore.facts[0].1.contains("check the server"));
    assert_eq!(look("i-1@delete").await.phase, Phase::Uncertain);
    *now.lock().unwrap() = failed_item("i-1", &json!("CSBS.6015"), "restore");
    assert_eq!(look("i-1@restore").await.phase, Phase::Failed);
    assert_eq!(look("i-1").await.phase, Phase::Uncertain);
}

#[tokio::test]
async fn a_deletion_ends_when_the_backup_is_gone() {
    let gone = Arc::new(AtomicUsize::new(0));
    let state = Arc::clone(&gone);
    let server = Scripted::start(move |seen, _| {
        match (
            seen.query("status").as_deref(),
            state.load(Ordering::SeqCst),
        ) {
            (Some("deleting"), 0) => list(&[item("i-1", "deleting")]),
            (Some(_), _) => list(&[]),
            _ => Say::json(
                404,
                r#"{"error_code":"CSBS.3001","error_msg":"Checkpoint_item (i-1) is not found."}"#,
            ),
        }
    })
    .await;
    let csbs = connect(&server);
    let running = read(&csbs, "running").await;
    assert_eq!(running.tasks[0].id, "i-1@delete");
    gone.store(1, Ordering::SeqCst);
    let TaskLook::Found(task) = csbs.look_up("i-1@delete").await.unwrap() else {
        panic!("the deletion is known");
    };
    assert_eq!(
        (task.phase, task.native_status.as_str()),
        (Phase::Succeeded, "deleted")
    );
    assert_eq!(task.device.unwrap().name, "ecs-web-1");
    assert_eq!(csbs.look_up("i-1").await.unwrap(), TaskLook::Gone);
}
