//! The core of the embedded services from outside: Keystone, faults, clock and controls, with a toy dialect.

mod sim_support;

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use keepwatch::config::Config;
use keepwatch::kinds;
use keepwatch::model::Kind;
use keepwatch::sim::dialect::{CatalogEntry, Dialect, DialectEntry, ServiceId};
use keepwatch::sim::http::{Request, Response};
use keepwatch::sim::queue::Event;
use keepwatch::sim::world::World;
use keepwatch::sim::{Running, SimError, SimOptions, gateway, keystone, start};
use serde_json::{Value, json};

/// Counts its own POSTs, and rings when the clock passes ten minutes.
struct Toy {
    posts: u64,
    rung_at: Option<DateTime<Utc>>,
}

impl Dialect for Toy {
    fn handle(&mut self, world: &mut World, request: &Request) -> Response {
        if let Err(refusal) = gateway::authorize(world, request) {
            return refusal;
        }
        match request.method.as_str() {
            "POST" => {
                self.posts += 1;
                world.note(json!({"what": "toy.posted", "request_id": request.id}));
                Response::json(
                    200,
                    &json!({"posts": self.posts, "padding": "x".repeat(5000)}),
                )
            }
            _ => Response::json(200, &json!({"posts": self.posts, "rung_at": self.rung_at})),
        }
    }

    fn event(&mut self, world: &mut World, event: Event) {
        assert_eq!((event.what, event.id), (7, 42));
        self.rung_at = Some(world.now());
    }
}

fn toy() -> DialectEntry {
    DialectEntry {
        kind: "toy",
        name: "toy-shop",
        path: "/v1/{project_id}",
        catalog: Some(CatalogEntry {
            service_type: "toys",
            name: "toy",
            region: "eu-de",
            path: "/v1/{project_id}",
        }),
        auth: keystone::login,
        switches: &[],
        make: |world: &mut World, service: ServiceId| {
            world.schedule_in(service, TimeDelta::minutes(10), 7, 42);
            Box::new(Toy {
                posts: 0,
                rung_at: None,
            })
        },
    }
}

struct Client {
    http: reqwest::Client,
    running: Running,
    token: String,
}

impl Client {
    async fn new(options: SimOptions) -> Self {
        let running = start(options, vec![toy()]).await.expect("starts");
        let http = sim_support::http();
        let mut client = Self {
            http,
            running,
            token: String::new(),
        };
        client.token = client.log_in().await;
        client
    }

    fn login_body(&self, password: &str) -> Value {
        json!({"auth": {
            "identity": {"methods": ["password"], "password": {"user": {
                "name": "operator", "password": password, "domain": {"name": "Default"}}}},
            "scope": {"project": {"name": "backup-demo", "domain": {"name": "Default"}}},
        }})
    }

    async fn log_in(&self) -> String {
        let answer = self
            .http
            .post(format!("{}/auth/tokens", self.running.keystone.endpoint))
            .json(&self.login_body("demo-password"))
            .send()
            .await
            .expect("answers");
        assert_eq!(answer.status(), 201);
        answer.headers()["x-subject-token"]
            .to_str()
            .expect("text")
            .to_owned()
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v1/p/x", self.running.services[0].port)
    }

    fn get(&self) -> reqwest::RequestBuilder {
        self.http
            .get(self.url())
            .header("x-auth-token", &self.token)
    }

    fn post(&self) -> reqwest::RequestBuilder {
        self.http
            .post(self.url())
            .header("x-auth-token", &self.token)
    }

    async fn posts(&self) -> u64 {
        let answer = self.get().send().await.expect("answers");
        answer.json::<Value>().await.expect("JSON")["posts"]
            .as_u64()
            .expect("number")
    }

    fn fault(&self, body: Value) {
        let (status, answer) = self.running.control("toy", "POST", "faults", &body);
        assert_eq!(status, 200, "{answer}");
    }

    fn clock(&self, body: Value) {
        assert_eq!(self.running.control("toy", "POST", "clock", &body).0, 200);
    }
}

#[tokio::test]
async fn keystone_gives_out_tokens_that_expire() {
    let client = Client::new(SimOptions::quiet()).await;
    let base = client.running.keystone.endpoint.clone();
    let root = base.trim_end_matches("/v3").to_owned();
    let versions = client.http.get(&root).send().await.expect("answers");
    assert_eq!(versions.status(), 300);
    let body: Value = versions.json().await.expect("JSON");
    assert_eq!(body["versions"]["values"][0]["id"], "v3.14");

    let tokens = format!("{base}/auth/tokens");
    let wrong = client
        .http
        .post(&tokens)
        .json(&client.login_body("nope"))
        .send()
        .await
        .expect("answers");
    assert_eq!(wrong.status(), 401);
    assert_eq!(
        wrong.headers()["www-authenticate"],
        format!("Keystone uri=\"{base}\"")
    );
    let body: Value = wrong.json().await.expect("JSON");
    assert_eq!(
        body,
        json!({"error": {"code": 401, "message": "The request you have made requires authentication.",
            "title": "Unauthorized"}})
    );
    let bad = client
        .http
        .post(&tokens)
        .body("{}")
        .send()
        .await
        .expect("answers");
    assert_eq!(bad.status(), 400);

    let validated: Value = client
        .http
        .get(&tokens)
        .header("x-auth-token", &client.token)
        .header("x-subject-token", &client.token)
        .send()
        .await
        .expect("answers")
        .json()
        .await
        .expect("JSON");
    let token = &validated["token"];
    let project = token["project"]["id"].as_str().expect("id");
    let toys = token["catalog"]
        .as_array()
        .expect("list")
        .iter()
        .find(|entry| entry["type"] == "toys")
        .expect("in the catalogue");
    assert_eq!(
        toys["endpoints"][0]["url"],
        format!(
            "http://127.0.0.1:{}/v1/{project}",
            client.running.services[0].port
        )
    );

    assert_eq!(client.get().send().await.expect("answers").status(), 200);
    client.clock(json!({"advance_s": 86_399}));
    assert_eq!(client.get().send().await.expect("answers").status(), 200);
    client.clock(json!({"advance_s": 1}));
    let expired = client.get().send().await.expect("answers");
    assert_eq!(expired.status(), 401);
    let body: Value = expired.json().await.expect("JSON");
    assert_eq!(body["error_code"], "APIGW.0301");
    assert!(body["request_id"].is_string());
}

#[tokio::test]
async fn a_token_can_be_got_with_a_token_and_scoped_only_to_what_is_ours() {
    let client = Client::new(SimOptions::quiet()).await;
    let tokens = format!(
        "{}/auth/tokens?nocatalog=1",
        client.running.keystone.endpoint
    );
    let ask = |id: String, project: &str| {
        client.http.post(&tokens).json(&json!({"auth": {
            "identity": {"methods": ["token"], "token": {"id": id}},
            "scope": {"project": {"name": project, "domain": {"id": "default"}}},
        }}))
    };
    let good = ask(client.token.clone(), "backup-demo");
    let good = good.send().await.expect("answers");
    assert_eq!(good.status(), 201);
    let body: Value = good.json().await.expect("JSON");
    assert_eq!(body["token"]["methods"], json!(["token", "password"]));
    assert!(body["token"].get("catalog").is_none());
    for (id, project) in [
        (client.token.clone(), "other"),
        ("nonsense".into(), "backup-demo"),
    ] {
        let refused = ask(id, project).send().await.expect("answers");
        assert_eq!(refused.status(), 401);
    }
}

#[tokio::test]
async fn the_clock_moves_only_when_told_and_events_come_at_their_own_instant() {
    let start = "2026-03-01T00:00:00Z"
        .parse::<DateTime<Utc>>()
        .expect("time");
    let client = Client::new(SimOptions {
        start: Some(start),
        ..SimOptions::quiet()
    })
    .await;
    client.clock(json!({"advance_s": 599}));
    let state: Value = client
        .get()
        .send()
        .await
        .expect("answers")
        .json()
        .await
        .expect("JSON");
    assert_eq!(state["rung_at"], Value::Null);
    client.clock(json!({"advance_to": "2026-03-01T05:00:00Z"}));
    let answer = client.get().send().await.expect("answers");
    assert_eq!(answer.headers()["date"], "Sun, 01 Mar 2026 05:00:00 GMT");
    let state: Value = answer.json().await.expect("JSON");
    assert_eq!(state["rung_at"], "2026-03-01T00:10:00Z");
}

#[tokio::test]
async fn faults_that_answer_do_so_once_and_do_nothing() {
    let client = Client::new(SimOptions::quiet()).await;
    for (fault, status) in [
        (json!({"fault": "rate_limit", "retry_after": 3}), 429),
        (json!({"fault": "status", "status": 503}), 503),
        (json!({"fault": "status"}), 500),
        (json!({"fault": "html", "status": 502}), 502),
    ] {
        client.fault(fault);
        let answer = client.post().send().await.expect("answers");
        assert_eq!(answer.status(), status);
        if status == 429 {
            assert_eq!(answer.headers()["retry-after"], "3");
            let body: Value = answer.json().await.expect("JSON");
            assert_eq!(body["error_code"], "APIGW.0308");
        } else if status == 502 {
            assert!(answer.text().await.expect("text").starts_with("<!DOCTYPE"));
        }
    }
    client.fault(json!({"fault": "garbage"}));
    let answer = client.get().send().await.expect("answers");
    assert!(answer.json::<Value>().await.is_err());
    client.fault(json!({"fault": "huge", "bytes": 3_000_000}));
    let answer = client.get().send().await.expect("answers");
    let body = answer.bytes().await.expect("whole");
    assert!(body.len() > 2_900_000, "{}", body.len());
    assert!(serde_json::from_slice::<Value>(&body).is_ok());
    assert_eq!(client.posts().await, 0);
}

#[tokio::test]
async fn a_rate_limit_refuses_what_comes_too_fast() {
    let client = Client::new(SimOptions::quiet()).await;
    let limit = json!({"name": "gateway.rate_limit", "value": 2});
    assert_eq!(
        client.running.control("toy", "POST", "switches", &limit).0,
        200
    );
    let mut statuses = Vec::new();
    for _ in 0..4 {
        let answer = client.get().send().await.expect("answers");
        statuses.push(answer.status().as_u16());
    }
    assert_eq!(statuses, [200, 200, 429, 429]);
    client.clock(json!({"advance_s": 0.5}));
    assert_eq!(client.get().send().await.expect("answers").status(), 200);
    assert_eq!(client.get().send().await.expect("answers").status(), 429);
}

#[tokio::test]
async fn broken_connections_say_truly_whether_the_work_was_done() {
    let client = Client::new(SimOptions::quiet()).await;
    client.fault(json!({"fault": "reset_before", "method": "POST"}));
    assert!(client.post().send().await.is_err());
    assert_eq!(client.posts().await, 0);
    client.fault(json!({"fault": "reset_after", "method": "POST"}));
    assert!(client.post().send().await.is_err());
    assert_eq!(client.posts().await, 1);
    client.fault(json!({"fault": "truncated", "method": "POST"}));
    let answer = client.post().send().await.expect("the head comes whole");
    assert!(answer.bytes().await.is_err());
    assert_eq!(client.posts().await, 2);

    let (_, counters) = client
        .running
        .control("toy", "GET", "counters", &Value::Null);
    assert_eq!(counters["toy.posted"], 2);
    let (_, requests) = client
        .running
        .control("toy", "GET", "requests", &Value::Null);
    let posts = requests.as_array().expect("list").iter();
    assert_eq!(
        posts.filter(|request| request["method"] == "POST").count(),
        3
    );
}

#[tokio::test]
async fn an_expired_token_fault_revokes_what_was_sent() {
    let mut client = Client::new(SimOptions::quiet()).await;
    client.fault(json!({"fault": "expired_token"}));
    assert_eq!(client.get().send().await.expect("answers").status(), 401);
    assert_eq!(client.get().send().await.expect("answers").status(), 401);
    client.token = client.log_in().await;
    assert_eq!(client.get().send().await.expect("answers").status(), 200);
}

#[tokio::test]
async fn a_refused_service_comes_back_on_its_own_port() {
    let client = Client::new(SimOptions::quiet()).await;
    client.fault(json!({"fault": "refused"}));
    // The port closes when the server's task gets its turn: wait for that, not for a time.
    let refused = async {
        while client.get().send().await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    refused.await;
    let (status, _) = client.running.control(
        "keystone",
        "DELETE",
        "faults?service=toy-shop",
        &Value::Null,
    );
    assert_eq!(status, 200);
    while client.get().send().await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn wrong_options_are_refused_with_what_is_known() {
    let refused = |options| async {
        start(options, vec![toy()])
            .await
            .err()
            .expect("refused")
            .to_string()
    };
    let unknown = SimOptions {
        kinds: vec!["nosuch".into()],
        ..SimOptions::quiet()
    };
    assert!(refused(unknown).await.contains("toy"));
    let switch = SimOptions {
        switches: vec![("keystone.ttl".into(), "1".into())],
        ..SimOptions::quiet()
    };
    assert!(refused(switch).await.contains("keystone.token_ttl"));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
    let port = taken.local_addr().expect("address").port();
    let error = start(
        SimOptions {
            port,
            ..SimOptions::quiet()
        },
        vec![toy()],
    )
    .await
    .err();
    assert!(matches!(error, Some(SimError::Bind { .. })));
}

#[tokio::test]
async fn the_world_is_changed_through_controls() {
    let client = Client::new(SimOptions::quiet()).await;
    let control =
        |method: &str, path: &str, body: Value| client.running.control("toy", method, path, &body);
    let (_, servers) = control("GET", "servers", Value::Null);
    let name = servers[0]["name"].as_str().expect("name").to_owned();
    let change =
        json!({"state": "stopped", "volumes": [{"index": 0, "shared": true, "storage": "dess"}]});
    let (status, server) = control("POST", &format!("servers/{name}"), change);
    assert_eq!((status, server["state"].as_str()), (200, Some("stopped")));
    assert_eq!(server["volumes"][0]["storage"], "dess");
    for (path, body) in [
        (format!("servers/{name}"), json!({"state": "asleep"})),
        (format!("servers/{name}"), json!({"az": "mars"})),
        (
            format!("servers/{name}"),
            json!({"volumes": [{"index": 99}]}),
        ),
        ("servers/nobody".to_owned(), json!({})),
        (
            "zones".to_owned(),
            json!({"name": "mars", "kind": "toy", "supported": false}),
        ),
        ("quotas".to_owned(), json!({"name": "nosuch", "limit": 1})),
        ("switches".to_owned(), json!({"name": "nosuch", "value": 1})),
        ("clock".to_owned(), json!({"advance_to": "tomorrow"})),
        ("clock".to_owned(), json!({"advance_s": -1e300})),
        ("clock".to_owned(), json!({"advance_s": 1e12})),
    ] {
        let (status, answer) = control("POST", &path, body);
        assert_eq!(status, 400, "{path}");
        assert!(answer["error"].is_string());
    }
    assert_eq!(control("GET", "nosuch", Value::Null).0, 404);
    let zone = json!({"name": "eu-de-01", "kind": "toy", "supported": false});
    let (_, zones) = control("POST", "zones", zone);
    assert_eq!(zones[0]["refuses"], json!(["toy"]));
}

#[tokio::test]
async fn the_configuration_that_is_written_is_one_that_the_other_faces_read() {
    let running = start(SimOptions::quiet(), kinds::dialects())
        .await
        .expect("starts");
    let kinds: Vec<Kind> = running
        .services
        .iter()
        .map(|line| Kind(line.kind))
        .collect();
    let config = Config::parse(&running.config_toml(), "demo.toml", Path::new("."), &kinds);
    let config = config.unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
    assert!(!running.services.is_empty());
    assert_eq!(config.services.len(), running.services.len());
    for (service, line) in config.services.iter().zip(&running.services) {
        assert_eq!(
            (&*service.name, service.kind.name()),
            (line.name.as_str(), line.kind)
        );
        assert!(service.is_on_loopback());
    }
}
