//! What is in no vault: read where Huawei Cloud's list is published, and nowhere else.

use std::sync::Mutex;

use super::*;
use crate::connect::{Page, Support};
use crate::model::Device;

fn instance(id: &str, kind: &str, verdict: Value) -> Value {
    json!({"id": id, "name": format!("name-{id}"), "type": kind, "size": 40, "status": "ACTIVE",
        "children": if kind == "OS::Nova::Server" { json!([{"id": format!("disk-of-{id}")}]) } else { json!([]) },
        "detail": {}, "protectable": verdict})
}

fn able(vault: Value) -> Value {
    json!({"result": true, "code": "", "reason": "", "vault": vault})
}

const SERVER: &str = "OS::Nova::Server";
const DISK: &str = "OS::Cinder::Volume";

/// 60 free servers, one that is bound, one that can't be backed up; a disk of a server and one of nobody.
fn lists(seen: &Seen) -> Option<Value> {
    let sort = seen.path().strip_prefix("/v3/p1/protectables/")?;
    let rows: Vec<Value> = match sort {
        "server/instances" => (0..60)
            .map(|n| instance(&format!("free-{n}"), SERVER, able(Value::Null)))
            .chain([
                instance("srv-1", SERVER, able(json!({"id": "v1", "billing": {}}))),
                instance(
                    "pxe",
                    SERVER,
                    json!({"result": false, "code": "BackupService.7108", "reason": "unsupported",
                           "message": "The server is of a type that can't be backed up.", "vault": null}),
                ),
            ])
            .collect(),
        "disk/instances" => vec![
            instance("disk-of-free-3", DISK, able(Value::Null)),
            instance("alone", DISK, able(Value::Null)),
        ],
        "turbo/instances" => vec![],
        _ => return None,
    };
    let number = |key: &str| seen.query(key).and_then(|n| n.parse::<usize>().ok());
    let rows: Vec<Value> = rows
        .into_iter()
        .skip(number("offset").unwrap_or(0))
        .take(number("limit").unwrap_or(50))
        .collect();
    Some(json!({"instances": rows}))
}

/// What a scripted service has, to be changed as it runs.
struct Site {
    refuses_servers: bool,
    vault: Value,
}

/// A service with the lists and one vault, which holds a server.
async fn huawei() -> (Scripted, Arc<Mutex<Site>>) {
    let site = Arc::new(Mutex::new(Site {
        refuses_servers: false,
        vault: vault("v1", "available", &json!([resource("srv-1")])),
    }));
    let now = Arc::clone(&site);
    let server = Scripted::start(move |seen, _| {
        let site = now.lock().unwrap();
        match (lists(seen), seen.path()) {
            (Some(_), path) if site.refuses_servers && path.contains("/server/") => Say::json(
                403,
                r#"{"error_code":"BackupService.0403","error_msg":"no right"}"#,
            ),
            (Some(list), _) => Say::json(200, list.to_string()),
            (_, "/v3/p1/vaults") => {
                Say::json(200, json!({"vaults": [site.vault], "count": 1}).to_string())
            }
            _ => world(seen, &json!([])),
        }
    })
    .await;
    (server, site)
}

fn asked(server: &Scripted) -> Vec<String> {
    let seen = server.seen();
    let all = seen.iter().filter(|s| s.path().contains("/protectables/"));
    all.map(|s| {
        s.target
            .trim_start_matches("/v3/p1/protectables/")
            .to_owned()
    })
    .collect()
}

fn in_no_vault(pages: &Pages) -> Vec<Device> {
    let mut all = pages.rows().devices;
    all.retain(|d| d.facts.iter().any(|(_, v)| v.starts_with("none")));
    all
}

#[tokio::test]
async fn what_is_in_no_vault_is_a_device_and_its_disks_go_with_it() {
    let server = Scripted::start(|seen, _| match lists(seen) {
        Some(list) => Say::json(200, list.to_string()),
        None => world(seen, &json!([])),
    })
    .await;
    let c = connect_with(&server, &[("cloud", "Huawei")]);
    let (pages, report) = poll(&c, "resources").await;
    assert!(report.complete && report.partial.is_empty(), "{report:?}");
    assert_eq!(
        asked(&server),
        [
            "server/instances?limit=50",
            "server/instances?limit=50&offset=50",
            "disk/instances?limit=50",
            "turbo/instances?limit=50",
        ],
        "a page is 50 at most and no answer tells a total"
    );
    let free = in_no_vault(&pages);
    assert_eq!(
        free.len(),
        62,
        "60 servers, the one that can't, the disk of nobody"
    );
    assert!(
        free.iter()
            .all(|d| d.policy_ids.is_empty() && !d.protected_now)
    );
    let pxe = free.iter().find(|d| d.id == "pxe").unwrap();
    assert!(pxe.faulty);
    let why = pxe
        .facts
        .iter()
        .find(|(l, _)| *l == "Can't be backed up")
        .unwrap();
    assert!(
        why.1.starts_with("BackupService.7108 The server"),
        "{}",
        why.1
    );
    let alone = free.iter().find(|d| d.id == "alone").unwrap();
    assert_eq!((alone.what, alone.faulty), ("disk", false));
    // the bound one is told by its vault alone
    let bound: Vec<_> = pages
        .rows()
        .devices
        .into_iter()
        .filter(|d| d.id == "srv-1")
        .collect();
    assert_eq!(bound.len(), 1);
    assert_eq!(bound[0].policy_ids, ["pol-1", "v1"]);

    // in the rounds after that they stay without being asked for
    let (again, report) = poll(&c, "resources").await;
    assert!(report.complete && again.all_same());
    let numbers = |pages: &Pages| {
        let mut all: Vec<u32> = pages.0.iter().map(|(n, _)| *n).collect();
        all.sort_unstable();
        all
    };
    assert_eq!(
        numbers(&again),
        numbers(&pages),
        "each page is handed on as it was"
    );
    assert_eq!(asked(&server).len(), 4);
}

#[tokio::test]
async fn a_change_in_the_vaults_asks_for_them_again() {
    let (server, site) = huawei().await;
    let c = connect_with(&server, &[("cloud", "huawei")]);
    poll(&c, "resources").await;
    site.lock().unwrap().vault = vault("v1", "available", &json!([]));
    poll(&c, "resources").await;
    assert_eq!(asked(&server).len(), 8);
}

#[tokio::test]
async fn a_list_that_fails_costs_itself_and_what_was_known_stays() {
    let (server, site) = huawei().await;
    let c = connect_with(&server, &[("cloud", "huawei")]);
    let (first, _) = poll(&c, "resources").await;
    *site.lock().unwrap() = Site {
        refuses_servers: true,
        vault: vault("v2", "available", &json!([resource("srv-1")])),
    };
    let (second, report) = poll(&c, "resources").await;
    assert!(report.complete, "the vaults were read");
    assert_eq!(report.partial.len(), 1);
    assert_eq!(
        report.partial[0].code.as_ref().unwrap().code,
        "BackupService.0403"
    );
    let servers = |pages: &Pages| {
        let numbers = pages
            .0
            .iter()
            .filter(|(n, _)| (200_000..300_000).contains(n));
        numbers
            .map(|(n, p)| (*n, *p == Page::Same))
            .collect::<Vec<_>>()
    };
    assert_eq!(servers(&first), [(200_000, false), (200_001, false)]);
    assert_eq!(servers(&second), [(200_000, true), (200_001, true)]);
    // a refusal lasts: none of the lists is asked again for it, and it is told as long
    let questions = asked(&server).len();
    assert_eq!(questions, 4 + 3, "the lists that are not refused were read");
    for _ in 0..3 {
        let (again, report) = poll(&c, "resources").await;
        assert_eq!(servers(&again), servers(&second));
        assert_eq!(
            report.partial[0].code.as_ref().unwrap().code,
            "BackupService.0403"
        );
    }
    assert_eq!(asked(&server).len(), questions);
}

#[tokio::test]
async fn where_a_list_breaks_off_the_next_round_goes_on() {
    let broken = Arc::new(Mutex::new(true));
    let now = Arc::clone(&broken);
    let server = Scripted::start(move |seen, _| match lists(seen) {
        Some(_) if *now.lock().unwrap() && seen.path().contains("/disk/") => Say::Drop,
        Some(list) => Say::json(200, list.to_string()),
        None => world(seen, &json!([])),
    })
    .await;
    let c = connect_with(&server, &[("cloud", "huawei")]);
    let sorts = |from: usize| -> Vec<String> {
        let mut all = asked(&server).split_off(from);
        all.dedup_by_key(|target| target.split('/').next().map(str::to_owned));
        all.iter()
            .filter_map(|target| target.split('/').next().map(str::to_owned))
            .collect()
    };
    let (_, report) = poll(&c, "resources").await;
    assert_eq!(report.partial.len(), 1, "{report:?}");
    assert_eq!(sorts(0), ["server", "disk"]);
    let before = asked(&server).len();
    *broken.lock().unwrap() = false;
    let (pages, report) = poll(&c, "resources").await;
    assert_eq!(report.partial, []);
    assert_eq!(sorts(before), ["disk", "turbo"], "the servers were read");
    assert!(in_no_vault(&pages).iter().any(|d| d.id == "alone"));
}

#[tokio::test]
async fn disks_leave_when_it_is_known_whose_they_are() {
    let (server, site) = huawei().await;
    site.lock().unwrap().refuses_servers = true;
    let c = connect_with(&server, &[("cloud", "huawei")]);
    let disks = |pages: &Pages| -> Vec<String> {
        let all = in_no_vault(pages).into_iter().filter(|d| d.what == "disk");
        all.map(|d| d.id).collect()
    };
    let (pages, _) = poll(&c, "resources").await;
    assert_eq!(disks(&pages), ["disk-of-free-3", "alone"]);
    *site.lock().unwrap() = Site {
        refuses_servers: false,
        vault: vault("v1", "available", &json!([])),
    };
    let (pages, _) = poll(&c, "resources").await;
    assert_eq!(disks(&pages), ["alone"], "though the same answer came");
}

#[tokio::test]
async fn elsewhere_the_list_is_not_asked_for() {
    let server = Scripted::start(|seen, _| world(seen, &json!([]))).await;
    let c = connect(&server);
    let partly = |c: &Arc<dyn Connector>| matches!(c.capabilities().devices, Support::Partly(_));
    assert!(partly(&c));
    read(&c, "resources").await;
    assert_eq!(asked(&server), Vec::<String>::new());
    assert!(!partly(&connect_with(&server, &[("cloud", "huawei")])));
}

#[tokio::test]
async fn a_backup_is_checked_first_where_that_can_be_asked() {
    let refuses = Arc::new(Mutex::new(true));
    let now = Arc::clone(&refuses);
    let server = Scripted::start(move |seen, _| {
        if seen.path() != "/v3/p1/protectables/server/instances/srv-1" {
            return world(seen, &json!([]));
        }
        let refused = *now.lock().unwrap();
        let verdict = json!({"result": !refused, "code": if refused { "BackupService.6122" } else { "" },
            "reason": "", "message": "The server is stopped."});
        Say::json(200, json!({"instance": instance("srv-1", SERVER, verdict)}).to_string())
    })
    .await;
    let c = connect_with(&server, &[("cloud", "huawei")]);
    let mut wish = intent(&c, "back-up", "srv-1");
    wish.target.raw = resource("srv-1").to_string();
    let fault = c.prepare(&wish).await.unwrap_err();
    assert_eq!(
        fault.code.as_ref().unwrap().code,
        "BackupService.6122",
        "{fault}"
    );
    *refuses.lock().unwrap() = false;
    let quiet = c.prepare(&wish).await.unwrap().warnings;
    // where the check itself fails, the service judges the backup
    let silent = Scripted::start(|seen, _| world(seen, &json!([]))).await;
    let c = connect_with(&silent, &[("cloud", "huawei")]);
    c.prepare(&wish).await.unwrap();
    // a "no" without a word about what is in a vault may be no more than that
    for (reason, vault, allowed) in [
        ("", json!({"id": "v1"}), true),
        ("bound", json!({"id": "v1"}), true),
        ("", Value::Null, false),
    ] {
        let verdict = json!({"result": false, "code": "", "reason": reason, "vault": vault});
        let body = json!({"instance": instance("srv-1", SERVER, verdict)}).to_string();
        let vague = Scripted::start(move |seen, _| {
            if seen.path().contains("/protectables/") {
                Say::json(200, body.clone())
            } else {
                world(seen, &json!([]))
            }
        })
        .await;
        let c = connect_with(&vague, &[("cloud", "huawei")]);
        let prepared = c.prepare(&wish).await;
        assert_eq!(prepared.is_ok(), allowed, "{prepared:?}");
        if let Ok(prepared) = prepared {
            let added = prepared.warnings.iter().filter(|w| !quiet.contains(w));
            let added: Vec<_> = added.collect();
            assert_eq!(added.len(), 1, "{added:?}");
            assert!(added[0].contains("says no") && added[0].contains(reason));
        }
    }

    // what is in no vault can't be backed up, and says so before anything is asked
    wish.target.raw = instance("free-1", SERVER, able(Value::Null)).to_string();
    let spec = c.action("back-up").unwrap();
    let why = c.available(spec, &wish.target).unwrap_err();
    assert!(why.contains("in no vault"), "{why}");
}

#[tokio::test]
async fn a_cloud_that_does_not_publish_the_list_is_asked_once_and_doctor_tells() {
    let server = Scripted::start(|seen, _| {
        if seen.path().contains("/protectables/") {
            return Say::json(
                404,
                r#"{"error_msg":"The API does not exist or has not been published in the environment","error_code":"APIGW.0101","request_id":"r"}"#,
            );
        }
        world(seen, &json!([]))
    })
    .await;
    let c = connect_with(&server, &[("cloud", "huawei")]);
    for _ in 0..3 {
        let (_, report) = poll(&c, "resources").await;
        assert!(report.complete && report.partial.is_empty(), "{report:?}");
    }
    assert_eq!(asked(&server).len(), 1);
    let told = c.check().await;
    let fault = told[0].1.as_ref().unwrap_err();
    assert!(fault.what.contains("not published"), "{fault}");
    assert!(
        connect(&server).check().await.is_empty(),
        "elsewhere nothing is asked"
    );
}
