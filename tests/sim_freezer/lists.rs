//! Lists, single things, and errors, in the shapes of the recorded answers.

use serde_json::{Value, json};

use crate::{CLIENT, bare, fixture, job, job_body, make, shape, until};

#[tokio::test]
async fn answers_have_the_recorded_shapes() {
    let client = bare().await;
    let id = make(&client, "/etc", json!({})).await;
    until(&client, &id, "running").await;
    let ended = until(&client, &id, "completed").await;
    assert_eq!(
        shape(&ended),
        shape(&fixture("job-good-4-completed-success-none"))
    );
    let list = client.get("/jobs").await;
    assert_eq!(
        shape(&list["jobs"][0]),
        shape(&fixture("job-good-4-completed-success-none"))
    );
    assert_eq!(
        shape(&client.get("/clients").await),
        shape(&fixture("clients"))
    );
    assert_eq!(
        shape(&client.get(&format!("/clients/{CLIENT}")).await),
        shape(&fixture("client"))
    );
    let backups = client.get("/backups").await;
    assert_eq!(shape(&backups), shape(&fixture("backups")));
    let backup = backups["backups"][0]["backup_id"].as_str().expect("an id");
    assert_eq!(
        shape(&client.get(&format!("/backups/{backup}")).await),
        shape(&fixture("backup"))
    );
    assert_eq!(backups["backups"][0]["backup_metadata"]["job_id"], id);
    let actions = client.get("/actions?limit=-1").await;
    assert_eq!(
        shape(&actions["actions"][0]),
        shape(&fixture("actions")["actions"][0])
    );
    let action = ended["job_actions"][0]["action_id"]
        .as_str()
        .expect("an id");
    assert_eq!(
        shape(&client.get(&format!("/actions/{action}")).await),
        shape(&fixture("action"))
    );
    let root = client.base.split("/v2").next().expect("a root");
    let versions = client.http.get(root).send().await.expect("answers");
    assert_eq!(versions.status(), 300);
    let versions: Value = versions.json().await.expect("JSON");
    assert_eq!(shape(&versions), shape(&fixture("versions")));
}

#[tokio::test]
async fn ten_rows_are_given_where_no_limit_is_asked() {
    let client = bare().await;
    for _ in 0..12 {
        make(&client, "/etc", json!({"status": "stop"})).await;
    }
    let count = async |query: &str| {
        let list = client.get(&format!("/jobs{query}")).await;
        list["jobs"].as_array().expect("a list").len()
    };
    for (query, rows) in [
        ("", 10),
        ("?limit=0", 10),
        ("?limit=11", 11),
        ("?offset=10", 2),
        ("?limit=10&offset=1000", 0),
        ("?limit=-1", 12),
        ("?offset=-1", 10),
    ] {
        assert_eq!(count(query).await, rows, "{query}");
    }
    let bad = client.call("GET", "/jobs?limit=ten", Value::Null).await;
    assert_eq!(bad, (400, fixture("jobs-bad-limit-ten")));
}

#[tokio::test]
async fn the_search_is_the_body_of_a_get() {
    let client = bare().await;
    let id = make(&client, "/etc", json!({})).await;
    make(&client, "/etc", json!({"status": "stop"})).await;
    until(&client, &id, "running").await;
    until(&client, &id, "completed").await;
    for (body, rows) in [
        (json!({"match": [{"status": "completed"}]}), 1),
        (
            json!({"match": [{"status": "completed"}, {"result": "fail"}]}),
            0,
        ),
        (json!({"match_not": [{"status": "completed"}]}), 1),
        (json!({"match": [{"client_id": CLIENT}]}), 2),
        (json!({}), 2),
    ] {
        let (status, list) = client.call("GET", "/jobs", body.clone()).await;
        assert_eq!(
            (status, list["jobs"].as_array().map(Vec::len)),
            (200, Some(rows)),
            "{body}"
        );
    }
}

#[tokio::test]
async fn refusals_are_word_for_word_those_of_the_real_one() {
    let client = bare().await;
    let id = make(&client, "/etc", json!({"status": "stop"})).await;
    let events = format!("/jobs/{id}/event");
    let unknown = format!("/jobs/{}/event", "0".repeat(32));
    for (name, path, body) in [
        ("bad-event-empty", &events, json!({})),
        ("bad-event-list", &events, json!(["start"])),
        ("bad-event-none", &events, Value::Null),
        ("bad-event-word", &events, json!({"explode": null})),
        ("event-unknown-job", &unknown, json!({"start": null})),
        ("bad-job-empty", &"/jobs".to_owned(), json!({})),
        (
            "bad-job-no-actions",
            &"/jobs".to_owned(),
            json!({"description": "x", "client_id": CLIENT}),
        ),
    ] {
        assert_eq!(
            client.call("POST", path, body).await,
            (400, fixture(name)),
            "{name}"
        );
    }
    let mut body = job_body("on-demand", "/etc", json!({"status": "stop"}));
    body["client_id"] = "device-9".into();
    assert_eq!(
        client.call("POST", "/jobs", body).await,
        (422, fixture("bad-job-unknown-client"))
    );
    for schedule in [
        json!({"schedule_interval": "often"}),
        json!({"when": "now"}),
        json!({"status": "asleep"}),
    ] {
        assert_eq!(
            client
                .call("POST", "/jobs", job_body("x", "/etc", schedule))
                .await
                .0,
            400
        );
    }
    // A body that is no JSON gets a status that is none.
    let answer = client
        .http
        .post(format!("{}/jobs", client.base))
        .header("x-auth-token", &client.token)
        .body("{\"description\": ");
    let answer = answer.send().await.expect("answers");
    assert_eq!(answer.status().as_u16(), 753);
    assert_eq!(
        answer.json::<Value>().await.expect("JSON"),
        fixture("bad-json")
    );
    assert_eq!(
        client.call("GET", "/nothing", Value::Null).await,
        (404, fixture("path-unknown"))
    );
    assert_eq!(
        client.call("PUT", "/jobs", json!({})).await,
        (405, fixture("method-unknown"))
    );
    // What isn't there has no words at all, and deleting it is no error.
    let nobody = "0".repeat(32);
    for kind in ["jobs", "clients", "actions", "backups", "sessions"] {
        let path = format!("/{kind}/{nobody}");
        assert_eq!(
            client.call("GET", &path, Value::Null).await,
            (404, Value::Null)
        );
        assert_eq!(
            client.call("DELETE", &path, Value::Null).await,
            (204, Value::Null)
        );
    }
    assert_eq!(job(&client, &id).await["job_schedule"]["status"], "stop");
}

#[tokio::test]
async fn without_a_token_the_middleware_speaks() {
    let mut client = bare().await;
    for token in ["", "nonsense"] {
        client.token = token.to_owned();
        assert_eq!(
            client.call("GET", "/jobs", Value::Null).await,
            (401, fixture("token-none"))
        );
    }
    client.log_in().await;
    client.advance(90_000);
    assert_eq!(
        client.call("GET", "/jobs", Value::Null).await,
        (401, fixture("token-expired"))
    );
    let answer = client
        .http
        .get(format!("{}/jobs", client.base))
        .send()
        .await
        .expect("answers");
    let uri = answer.headers()["www-authenticate"].to_str().expect("text");
    assert_eq!(
        uri,
        format!("Keystone uri=\"{}\"", client.running.keystone.endpoint)
    );
    // Another project's path is answered as well: who logs in may see all.
    client.log_in().await;
    let path = client.base.replace(&client.project, &"0".repeat(32));
    let answer = client
        .http
        .get(format!("{path}/jobs"))
        .header("x-auth-token", &client.token)
        .send()
        .await
        .expect("answers");
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn jobs_are_changed_replaced_and_deleted() {
    let client = bare().await;
    let id = make(&client, "/etc", json!({"status": "stop"})).await;
    let path = format!("/jobs/{id}");
    let (status, body) = client
        .call("PATCH", &path, json!({"description": "other"}))
        .await;
    assert_eq!((status, body), (200, json!({"job_id": id, "version": 0})));
    assert_eq!(job(&client, &id).await["description"], "other");
    let (status, _) = client
        .call(
            "POST",
            &path,
            job_body("third", "/home", json!({"status": "stop"})),
        )
        .await;
    assert_eq!(status, 201);
    assert_eq!(
        job(&client, &id).await["job_actions"][0]["freezer_action"]["path_to_backup"],
        "/home"
    );
    for _ in 0..2 {
        assert_eq!(
            client.call("DELETE", &path, Value::Null).await,
            (204, Value::Null)
        );
    }
    let (status, body) = client
        .call("PATCH", &path, json!({"description": "other"}))
        .await;
    assert_eq!((status, &body["title"]), (404, &json!("Not Found")));
    let odd = [
        json!([]),
        json!({"job_actions": 1}),
        json!({"job_actions": [1]}),
        json!({"job_actions": [{"freezer_action": []}]}),
        json!({"job_actions": [{"freezer_action": {"action": "explode"}}], "client_id": CLIENT}),
        json!({"job_actions": [], "client_id": 7}),
        json!({"job_actions": [], "client_id": CLIENT, "job_schedule": []}),
    ];
    for body in odd {
        let (status, answer) = client.call("POST", "/jobs", body.clone()).await;
        assert!(
            matches!(status, 400 | 422 | 500) && answer["title"].is_string(),
            "{body}: {status} {answer}"
        );
    }
}
