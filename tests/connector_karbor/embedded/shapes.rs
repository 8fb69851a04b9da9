//! Bodies against those that a real server was recorded with.

use serde_json::{Map, Value, json};

use super::{INFRA, NOBODY, NOOP, bare, restore, run, server_plan, until};

/// A recorded body.
fn recorded(name: &str) -> Value {
    let path = format!(
        "{}/tests/fixtures/karbor/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(&path).expect("a fixture");
    serde_json::from_str(&text).expect("JSON")
}

/// All keys of a value with the types of what they hold.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), shape(value)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(list) => list.first().map(shape).into_iter().collect(),
        Value::String(_) => "text".into(),
        Value::Number(_) => "number".into(),
        Value::Bool(_) => "flag".into(),
        Value::Null => "null".into(),
    }
}

#[tokio::test]
async fn bodies_have_the_shapes_of_a_real_server() {
    let client = bare().await;
    client.switch("karbor.role", "admin");
    let disk = json!([{"id": "25c12d03-79ad-4a62-91c2-415b082b742d", "type": "OS::Cinder::Volume", "name": "vol-0"}]);
    let good = super::plan(&client, "nightly-volumes", NOOP, disk.clone()).await;
    let broken = super::plan(&client, "broken-volumes", INFRA, disk).await;
    let made = run(&client, NOOP, &good).await;
    until(&client, NOOP, &made, "available").await;
    let failed = run(&client, INFRA, &broken).await;
    until(&client, INFRA, &failed, "error").await;
    let restored = restore(&client, NOOP, &made).await;
    client.advance(5);
    let same = |got: Value, name: &str| assert_eq!(shape(&got), shape(&recorded(name)), "{name}");
    for (path, name) in [
        ("/plans".to_owned(), "plans"),
        (format!("/plans/{good}"), "plan"),
        ("/plans?limit=1".to_owned(), "plans-limit-1"),
        (
            format!("/providers/{NOOP}/checkpoints/{made}"),
            "checkpoint-good-1-available",
        ),
        (
            format!("/providers/{INFRA}/checkpoints/{failed}"),
            "checkpoint-broken-2-error",
        ),
        (format!("/providers/{NOOP}/checkpoints"), "checkpoints"),
        (
            format!("/restores/{}", restored["id"].as_str().expect("an id")),
            "restore-good-1-success",
        ),
        ("/restores".to_owned(), "restores"),
        (
            "/operation_logs?status=error".to_owned(),
            "operation-logs-error",
        ),
        ("/protectables".to_owned(), "protectables"),
        ("/protectables/OS::Nova::Server".to_owned(), "protectable"),
        (format!("/providers/{NOOP}"), "provider"),
        (format!("/quotas/{}", client.project), "quotas"),
        (
            format!("/quotas/{}/detail", client.project),
            "quotas-detail",
        ),
        ("/os-services".to_owned(), "services"),
    ] {
        same(client.get(&path).await, name);
    }
}

#[tokio::test]
async fn refusals_are_word_for_word_those_of_a_real_server() {
    let client = bare().await;
    let good = server_plan(&client, NOOP).await;
    let path = format!("/providers/{NOOP}/checkpoints");
    for (method, path, body, status, name) in [
        (
            "POST",
            "/plans",
            json!({"plan": {"colour": "red"}}),
            400,
            "bad-body",
        ),
        (
            "POST",
            path.as_str(),
            json!({"checkpoint": {"plan_id": "x"}}),
            400,
            "bad-plan",
        ),
        (
            "POST",
            &path,
            json!({"checkpoint": {"plan_id": NOBODY}}),
            404,
            "checkpoint-of-unknown-plan",
        ),
        (
            "GET",
            &format!("{path}/{NOBODY}"),
            Value::Null,
            404,
            "checkpoint-unknown",
        ),
        (
            "GET",
            &format!("{path}?limit=0"),
            Value::Null,
            400,
            "checkpoints-limit-0",
        ),
        (
            "GET",
            &format!("{path}?sort=created_at:asc&sort_key=id"),
            Value::Null,
            400,
            "checkpoints-sort-both",
        ),
        (
            "GET",
            &format!("/operation_logs/{NOBODY}"),
            Value::Null,
            404,
            "operation-log-unknown",
        ),
        (
            "GET",
            &format!("/restores/{NOBODY}"),
            Value::Null,
            404,
            "restore-unknown",
        ),
        (
            "GET",
            &format!("/plans/{NOBODY}"),
            Value::Null,
            404,
            "plan-unknown",
        ),
    ] {
        let got = client.call(method, path, body).await;
        assert_eq!(got, (status, recorded(name)), "{name}");
    }
    let ask = |path: String, token: &str| {
        let request = client.http.get(path).header("accept", "application/json");
        request.header("x-auth-token", token).send()
    };
    let other = client
        .base
        .replace(&client.project, &client.project.replace(['0', '1'], "2"));
    let answer = ask(format!("{other}/plans"), &client.token)
        .await
        .expect("an answer");
    assert_eq!(answer.status(), 400);
    assert_eq!(
        answer.json::<Value>().await.expect("JSON"),
        recorded("project-other")
    );
    let answer = ask(format!("{}/nothing", client.base), &client.token)
        .await
        .expect("an answer");
    assert_eq!(answer.status(), 404);
    assert_eq!(
        answer.json::<Value>().await.expect("JSON"),
        recorded("path-unknown")
    );
    let answer = ask(format!("{}/plans", client.base), "nonsense")
        .await
        .expect("an answer");
    assert_eq!(answer.status(), 401);
    assert!(answer.headers().contains_key("www-authenticate"));
    assert_eq!(
        answer.json::<Value>().await.expect("JSON"),
        recorded("token-wrong")
    );
    assert_eq!(
        client.get(&format!("/plans/{good}")).await["plan"]["status"],
        "suspended"
    );
}

#[tokio::test]
async fn the_version_call_fails_as_it_does_with_todays_libraries() {
    let client = bare().await;
    let root = client.base.split("/v1/").next().expect("a root").to_owned();
    let ask = || client.http.get(format!("{root}/")).send();
    assert_eq!(ask().await.expect("an answer").status(), 500);
    client.switch("karbor.versions", "answers");
    let answer = ask().await.expect("an answer");
    assert_eq!(answer.status(), 300);
    let body: Value = answer.json().await.expect("JSON");
    assert_eq!(body["versions"][0]["id"], "v1.0");
}

#[tokio::test]
async fn instances_come_all_at_once_whatever_the_limit() {
    let client = bare().await;
    let body = client
        .get("/protectables/OS::Nova::Server/instances?limit=2")
        .await;
    let rows = body["instances"].as_array().expect("a list");
    assert_eq!(rows.len(), 32);
    assert_eq!(rows[0]["type"], "OS::Nova::Server");
    assert!(
        rows.iter()
            .any(|row| row["dependent_resources"][0]["type"] == "OS::Cinder::Volume")
    );
    assert!(body["instances_links"].is_array());
    client.switch("karbor.nova", "off");
    let (status, body) = client
        .call(
            "GET",
            "/protectables/OS::Nova::Server/instances",
            Value::Null,
        )
        .await;
    assert_eq!((status, body), (500, recorded("protectable-instances")));
}
