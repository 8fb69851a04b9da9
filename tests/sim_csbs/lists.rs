//! Lists: filters, order, pages, links, and values meant to confuse.

use crate::is;
use crate::sim_support::{Client, calm};
use keepwatch::sim::{SimOptions, csbs};
use serde_json::Value;

#[tokio::test]
async fn lists_filter_sort_and_page() {
    let client = Client::start(
        SimOptions {
            tasks: 2500,
            ..calm()
        },
        csbs::ENTRY,
    )
    .await;
    let ids = |list: &Value| -> Vec<String> {
        let items = list["checkpoint_items"].as_array().expect("a list");
        items
            .iter()
            .map(|item| item["id"].as_str().expect("id").to_owned())
            .collect()
    };
    let first = client.get("/checkpoint_items").await;
    let mut all = ids(&first);
    assert_eq!(all.len(), 1000);
    assert!(first.get("checkpoint_items_links").is_none());
    while let Some(last) = all.last().cloned() {
        let page = ids(&client
            .get(&format!("/checkpoint_items?limit=700&marker={last}"))
            .await);
        if page.is_empty() {
            break;
        }
        all.extend(page);
    }
    assert_eq!(all.len(), 2500);
    let mut unique = all.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), 2500);
    assert_eq!(
        ids(&client.get("/checkpoint_items?limit=3&offset=5").await),
        all[5..8]
    );
    let created: Vec<String> = first["checkpoint_items"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|item| item["created_at"].as_str().expect("a time").to_owned())
        .collect();
    assert!(created.is_sorted_by(|a, b| a >= b));
    let oldest = client
        .get("/checkpoint_items?sort=created_at%3Aasc&limit=3&offset=3")
        .await;
    let mut reversed = all.clone();
    reversed.reverse();
    assert_eq!(ids(&oldest), reversed[3..6]);
    let next = client
        .get(&format!(
            "/checkpoint_items?sort=created_at:asc&limit=2&marker={}",
            reversed[5]
        ))
        .await;
    assert_eq!(ids(&next), reversed[6..8]);

    let count = async |query: &str| {
        client
            .get(&format!("/checkpoint_items/count?{query}"))
            .await["count"]
            .as_u64()
            .expect("a number")
    };
    let (good, bad) = (count("status=available").await, count("status=error").await);
    assert_eq!(good + bad, 2500);
    assert!(bad > 100 && good > 1500, "{bad} of 2500 failed");
    assert_eq!(count("status=available&status=error").await, 2500);
    assert_eq!(count("status=nosuch").await, 0);
    assert_eq!(
        count("resource_type=OS::Nova::Server&resource_type=OS::Ironic::BareMetalServer").await,
        2500
    );
    assert_eq!(count("image_type=backup&unknown=1").await, 2500);
    let server = client.id_of("ecs-db-01");
    let of_one = count(&format!("resource_id={server}")).await;
    assert!(of_one > 20 && of_one < 400);
    assert_eq!(count("resource_name=ecs-db-01").await, of_one);
    assert!(count("resource_name=ecs-db").await > of_one);
    assert_eq!(
        count("az=eu-de-01").await + count("az=eu-de-02").await + count("az=eu-de-03").await,
        2500
    );
    let early = count("end_time=2026-02-20T00:00:00").await;
    assert_eq!(
        early + count("start_time=2026-02-20T00:00:00.000001").await,
        2500
    );
    assert!(early > 1000 && early < 1600);
    for wrong in [
        "limit=0",
        "limit=x",
        "offset=-1",
        "sort=size",
        "sort=name:up",
        "start_time=now",
    ] {
        is(
            &client
                .call("GET", &format!("/checkpoint_items?{wrong}"), Value::Null)
                .await,
            400,
            "CSBS.9001",
        );
    }
    is(
        &client
            .call("GET", "/checkpoint_items?marker=x", Value::Null)
            .await,
        404,
        "CSBS.3001",
    );

    client.switch("csbs.links", "on");
    let page = client.get("/checkpoint_items?limit=2&status=error").await;
    let link = &page["checkpoint_items_links"][0];
    assert_eq!(link["rel"], "next");
    let href = link["href"].as_str().expect("an address");
    let path = href
        .strip_prefix(&client.base)
        .expect("on the same service");
    let following = client.get(path).await;
    assert_eq!(
        ids(&following),
        ids(&client
            .get("/checkpoint_items?limit=2&offset=2&status=error")
            .await)
    );
}

#[tokio::test]
async fn adversarial_values_come_only_when_asked_for() {
    let client = Client::start(
        SimOptions {
            tasks: 300,
            ..calm()
        },
        csbs::ENTRY,
    )
    .await;
    let odd = |list: &Value| {
        let items = list["checkpoint_items"].as_array().expect("a list").clone();
        let count = |test: &dyn Fn(&Value) -> bool| items.iter().filter(|item| test(item)).count();
        [
            count(&|item| item["extend_info"]["average_speed"].is_f64()),
            count(&|item| item["extend_info"]["progress"].is_string()),
            count(&|item| item.get("tags").is_none()),
            count(&|item| item["extend_info"]["copy_from"] == ""),
        ]
    };
    assert_eq!(odd(&client.get("/checkpoint_items").await), [0; 4]);
    client.switch("csbs.adversarial", "on");
    let counts = odd(&client.get("/checkpoint_items").await);
    assert!(
        counts.iter().all(|count| (50..250).contains(count)),
        "{counts:?}"
    );
}
