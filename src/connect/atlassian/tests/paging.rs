//! Lists of which neither page size, first page nor envelope is published.

use super::*;

fn rows(range: std::ops::Range<usize>) -> Vec<Value> {
    range
        .map(|n| {
            backup(
                &format!("b{n}"),
                "COMPLETED",
                &format!("2026-11-{:02}T02:00:00Z", 28 - n),
                "",
            )
        })
        .collect()
}

/// A list of ten backups that serves at most `most` a page; `first` is the number of its first page.
async fn ten(most: usize, first: usize, total: bool) -> Scripted {
    serve(move |seen, path| {
        (path == "policies/p1/backups").then(|| {
            let number = |key| seen.query(key).unwrap().parse::<usize>().unwrap();
            assert_eq!(seen.query("sortOrder").as_deref(), Some("DESC"));
            let size = number("pageSize").min(most);
            // a page number, not an offset
            let page = number("start").saturating_sub(first);
            let from = (page * size).min(10);
            let mut body = json!({"backups": rows(from..(from + size).min(10))});
            if total {
                body["totalItems"] = json!(10);
            }
            Say::json(200, body.to_string())
        })
    })
    .await
}

async fn starts(server: &Scripted) -> Vec<String> {
    server
        .seen()
        .iter()
        .filter(|s| below(s) == "policies/p1/backups")
        .map(|s| s.query("start").unwrap())
        .collect()
}

#[tokio::test]
async fn start_is_the_number_of_a_page() {
    for (most, page_size, total, pages) in [
        (100, "4", true, ["0", "1", "2"].as_slice()),
        (100, "4", false, &["0", "1", "2"]),
        // the service gives less at once than was asked for
        (3, "50", true, &["0", "1", "2", "3"]),
        (100, "50", false, &["0"]),
    ] {
        let server = ten(most, 0, total).await;
        let atlassian = connect_with(&server, &[("page_size", page_size)]);
        let tasks = read(&atlassian, TASKS).await.tasks;
        assert_eq!(tasks.len(), 10);
        assert_eq!(starts(&server).await, pages);
    }
}

#[tokio::test]
async fn a_service_that_counts_pages_from_one_is_read_whole_too() {
    let server = ten(4, 1, true).await;
    let tasks = read(&connect(&server), TASKS).await.tasks;
    let mut ids: Vec<&str> = tasks.iter().map(|t| t.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 10);
    assert_eq!(starts(&server).await, ["0", "1", "2", "3"]);
    let server = ten(4, 1, true).await;
    read(&connect_with(&server, &[("first_page", "1")]), TASKS).await;
    assert_eq!(starts(&server).await, ["1", "2", "3"]);
}

#[tokio::test]
async fn a_list_that_gives_one_page_for_ever_is_left() {
    let server = serve(|_, path| {
        (path == "policies/p1/backups").then(|| {
            Say::json(
                200,
                json!({"backups": rows(0..4), "totalItems": 10}).to_string(),
            )
        })
    })
    .await;
    let (report, rows) = poll(&connect(&server), TASKS).await;
    let report = report.unwrap();
    assert!(!report.complete, "what was not seen is not gone");
    assert!(report.partial[0].what.contains("the same page again"));
    assert_eq!(rows.tasks.len(), 12);
    assert_eq!(starts(&server).await, ["0", "1", "2"]);
}

#[tokio::test]
async fn a_round_asks_for_the_newest_page_once_the_others_are_known() {
    let server = ten(100, 0, true).await;
    let atlassian = connect_with(&server, &[("page_size", "4")]);
    read(&atlassian, TASKS).await;
    let mut pages = Pages::default();
    let report = atlassian
        .poll(TASKS, PollContext::default(), &mut pages)
        .await
        .unwrap();
    assert!(
        report.complete
            && pages
                .0
                .iter()
                .any(|(_, page)| *page == crate::connect::Page::Same)
    );
    assert_eq!(starts(&server).await, ["0", "1", "2", "0"]);

    let server = ten(100, 0, true).await;
    let atlassian = connect_with(&server, &[("page_size", "4")]);
    let context = PollContext {
        history_from: Some(at("2026-11-26T00:00:00Z")),
        ..PollContext::default()
    };
    atlassian
        .poll(TASKS, context, &mut Pages::default())
        .await
        .unwrap();
    assert_eq!(starts(&server).await, ["0"], "older history is not wanted");
}

#[tokio::test]
async fn the_collection_may_have_another_name() {
    for body in [
        json!({"values": rows(0..2), "totalItems": 2}),
        json!(rows(0..2)),
        json!({"backups": rows(0..2)}),
        json!({"backups": rows(0..2), "links": [], "totalItems": "2"}),
    ] {
        let text = body.to_string();
        let server = serve(move |_, path| {
            (path == "policies/p1/backups").then(|| Say::json(200, text.clone()))
        })
        .await;
        assert_eq!(
            read(&connect(&server), TASKS).await.tasks.len(),
            2,
            "{body}"
        );
    }
    for empty in [r#"{"backups":null}"#, r#"{"totalItems":0}"#, "[]"] {
        let server =
            serve(move |_, path| (path == "policies/p1/backups").then(|| Say::json(200, empty)))
                .await;
        assert_eq!(
            read(&connect(&server), TASKS).await.tasks.len(),
            0,
            "{empty}"
        );
    }
    for (odd, said) in [
        (r#"{"message":"hello"}"#, "no list called \"backups\""),
        (r#"{"a":[],"b":[]}"#, "no list called \"backups\""),
        ("<html><title>Sign in</title></html>", "\"Sign in\""),
        ("", "empty where JSON was expected"),
    ] {
        let server =
            serve(move |_, path| (path == "policies/p1/backups").then(|| Say::json(200, odd)))
                .await;
        let (report, _) = poll(&connect(&server), TASKS).await;
        let report = report.unwrap();
        assert!(!report.complete);
        assert_eq!(report.partial[0].kind, FaultKind::Garbled);
        assert!(
            report.partial[0].what.contains(said),
            "{}",
            report.partial[0]
        );
    }
}
