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

#[tokio::test]
async fn what_became_of_many_tasks_is_told_by_the_list_of_all_items() {
    // of 40 backups whose deletion was seen, two are still there
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked);
    let server = Scripted::start(move |seen, _| {
        heard.lock().unwrap().push(seen.target.clone());
        let all = |of: fn(&usize) -> bool| -> Vec<Value> {
            let row = |n| item(&format!("i-{n}"), "deleting");
            (0..40).filter(of).map(row).collect()
        };
        match seen.query("status").as_deref() {
            Some("deleting") => list(&all(|_| true)),
            Some(_) => list(&[]),
            None => list(&all(|n| [3, 7].contains(n))),
        }
    })
    .await;
    let csbs = connect(&server);
    let seen = read(&csbs, "running").await.tasks;
    let mut ids: Vec<String> = seen.iter().map(|t| t.id.clone()).collect();
    ids.push("i-9@restore".to_owned());
    asked.lock().unwrap().clear();
    assert!(csbs.looks_up_at_once() > ids.len());
    let looks = csbs.look_up_many(&ids).await.unwrap();
    assert_eq!(asked.lock().unwrap().len(), 1);
    assert_eq!(looks.len(), 39);
    for (id, look) in looks {
        assert!(!["i-3@delete", "i-7@delete"].contains(&id.as_str()));
        match look {
            TaskLook::Found(task) => {
                let state = (task.phase, task.native_status.as_str());
                assert_eq!(state, (Phase::Succeeded, "deleted"));
                assert_eq!(task.id, id);
            }
            other => assert_eq!((other, id.as_str()), (TaskLook::Gone, "i-9@restore")),
        }
    }
    // for a few the whole list is not read
    asked.lock().unwrap().clear();
    assert_eq!(csbs.look_up_many(&ids[..9]).await.unwrap(), []);
    assert_eq!(asked.lock().unwrap().len(), 0);
}
