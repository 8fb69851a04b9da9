//! What the tests of the embedded services share: a running simulation and a logged-in client of one service.

#![allow(dead_code, reason = "each test file uses its own part of this")]

pub mod spoil;

use std::collections::{HashMap, HashSet};
use std::ops::Deref;

use keepwatch::sim::dialect::DialectEntry;
use keepwatch::sim::{Running, SimOptions, start};
use serde_json::{Value, json};

/// An HTTP client of its own, that never asks a proxy.
pub fn http() -> reqwest::Client {
    // An error means that another test of this process installed it before: good as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a plain client")
}

/// A test's world: calm, with the clock standing still from a known moment.
pub fn calm() -> SimOptions {
    SimOptions {
        start: Some("2026-03-05T00:00:00Z".parse().expect("a time")),
        ..SimOptions::quiet()
    }
}

/// What stands behind one service: its world, as no client can reach it.
pub struct Behind {
    pub running: Running,
    pub kind: &'static str,
}

impl Behind {
    /// A control call that must succeed.
    pub fn control(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.running.control(self.kind, method, path, &body);
        assert_eq!(status, 200, "{method} /_sim/{path}: {answer}");
        answer
    }

    /// Lets virtual seconds go by.
    pub fn advance(&self, seconds: u64) {
        self.control("POST", "clock", json!({"advance_s": seconds}));
    }

    /// Sets a switch.
    pub fn switch(&self, name: &str, value: &str) {
        self.control("POST", "switches", json!({"name": name, "value": value}));
    }

    /// How often something really happened.
    pub fn counted(&self, what: &str) -> u64 {
        self.control("GET", "counters", Value::Null)[what]
            .as_u64()
            .unwrap_or(0)
    }
}

/// One service of a running simulation, and a login to it.
pub struct Client {
    pub http: reqwest::Client,
    pub token: String,
    pub project: String,
    /// The endpoint with the project filled in.
    pub base: String,
    pub behind: Behind,
}

impl Deref for Client {
    type Target = Behind;

    fn deref(&self) -> &Behind {
        &self.behind
    }
}

impl Client {
    /// Starts a simulation with one service and logs in.
    pub async fn start(options: SimOptions, entry: DialectEntry) -> Self {
        let kind = entry.kind;
        let running = start(options, vec![entry]).await.expect("starts");
        let mut client = Self {
            http: http(),
            token: String::new(),
            project: String::new(),
            base: String::new(),
            behind: Behind { running, kind },
        };
        client.log_in().await;
        client
    }

    /// Gets a fresh token.
    pub async fn log_in(&mut self) {
        let answer = self
            .http
            .post(format!("{}/auth/tokens", self.running.keystone.endpoint))
            .json(&json!({"auth": {
                "identity": {"methods": ["password"], "password": {"user": {
                    "name": "operator", "password": "demo-password", "domain": {"name": "Default"}}}},
                "scope": {"project": {"name": "backup-demo", "domain": {"name": "Default"}}},
            }}))
            .send()
            .await
            .expect("Keystone answers");
        self.token = answer.headers()["x-subject-token"]
            .to_str()
            .expect("text")
            .to_owned();
        let body: Value = answer.json().await.expect("JSON");
        self.project = body["token"]["project"]["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        self.base = self.running.services[0]
            .endpoint
            .replace("{project_id}", &self.project);
    }

    /// One call below the endpoint; status and body (`null` when it is empty).
    pub async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let method = method.parse().expect("a method");
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.base))
            .header("x-auth-token", &self.token);
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("the service answers");
        let status = answer.status().as_u16();
        let bytes = answer.bytes().await.expect("a whole body");
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).expect("JSON")
        };
        (status, body)
    }

    /// A GET that must succeed.
    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call("GET", path, Value::Null).await;
        assert_eq!(status, 200, "GET {path}: {body}");
        body
    }

    /// Changes a server.
    pub fn server(&self, name: &str, change: Value) -> Value {
        self.control("POST", &format!("servers/{name}"), change)
    }

    /// Id of the server of that name.
    pub fn id_of(&self, name: &str) -> String {
        self.server(name, json!({}))["id"]
            .as_str()
            .expect("an id")
            .to_owned()
    }

    /// The backups that operators started since the last call, by server.
    pub fn started_of(&self, known: &mut HashSet<String>) -> HashMap<String, u64> {
        let journal = self.control("GET", "journal", Value::Null);
        let mut started = HashMap::new();
        for note in journal.as_array().expect("a journal") {
            let text = |name: &str| note[name].as_str().unwrap_or_default().to_owned();
            if note["what"] == "csbs.backup.started"
                && note["auto"] != true
                && known.insert(text("item"))
            {
                *started.entry(text("server")).or_default() += 1;
            }
        }
        started
    }
}
