//! The embedded Atlassian backup service from outside, over HTTP, held row by row to what the documents say.

mod access;
mod backups;
mod calls;
mod demo;
mod errors;
mod policies;
mod replay;
#[path = "../sim_support/mod.rs"]
mod sim_support;

use std::ops::Deref;

use keepwatch::sim::{SimOptions, atlassian, start};
use serde_json::{Value, json};
use sim_support::{Behind, calm};

/// A calm world with policies in it.
fn furnished() -> SimOptions {
    SimOptions {
        furnished: true,
        tasks: 60,
        ..calm()
    }
}

/// A running service with the credentials of its admin.
struct Atlassian {
    http: reqwest::Client,
    behind: Behind,
    /// The published base of all calls, with the organisation in it.
    base: String,
    user: String,
    token: String,
    account: String,
}

/// An answer: status, headers, body (`null` when it is empty or no JSON).
struct Told {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: Value,
    text: String,
}

impl Told {
    /// Holds it to an error of the documents.
    #[track_caller]
    fn is(&self, status: u16, code: &str, message: &str) {
        let expected = json!({"errorCode": code, "errorMessage": message});
        assert_eq!((self.status, &self.body), (status, &expected));
    }
}

impl Deref for Atlassian {
    type Target = Behind;

    fn deref(&self) -> &Behind {
        &self.behind
    }
}

impl Atlassian {
    async fn start(options: SimOptions) -> Self {
        let running = start(options, vec![atlassian::ENTRY])
            .await
            .expect("starts");
        let line = running.services[0].to_json();
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let org = text(&line["options"]["org_id"]);
        let root = text(&line["endpoint"]);
        assert_eq!(line["auth"]["method"], "basic");
        Self {
            http: sim_support::http(),
            base: format!("{root}/public/backup-management/v2/orgs/{org}"),
            user: text(&line["auth"]["username"]),
            token: text(&line["auth"]["password"]),
            account: text(&line["options"]["account_id"]),
            behind: Behind {
                running,
                kind: "atlassian",
            },
        }
    }

    /// A request with Basic and the account's header.
    fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method: reqwest::Method = method.parse().expect("a method");
        self.http
            .request(method, format!("{}{path}", self.base))
            .basic_auth(&self.user, Some(&self.token))
            .header("X-Atl-Account-Id", &self.account)
    }

    async fn send(request: reqwest::RequestBuilder) -> Told {
        let answer = request.send().await.expect("the service answers");
        let status = answer.status().as_u16();
        let headers = answer.headers().clone();
        let text = answer.text().await.expect("a whole body");
        Told {
            status,
            headers,
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
        }
    }

    async fn call(&self, method: &str, path: &str, body: Value) -> Told {
        let mut request = self.request(method, path);
        if !body.is_null() {
            request = request.json(&body);
        }
        Self::send(request).await
    }

    async fn get(&self, path: &str) -> Value {
        let told = self.call("GET", path, Value::Null).await;
        assert_eq!(told.status, 200, "GET {path}: {}", told.text);
        told.body
    }

    fn switch(&self, name: &str, value: &str) {
        self.behind.switch(&format!("atlassian.{name}"), value);
    }

    fn world(&self) -> Value {
        self.control("GET", "atlassian", Value::Null)
    }

    /// A product's place in the world changes.
    fn product(&self, site: &str, word: &str, change: Value) {
        self.control("POST", &format!("atlassian/products/{site}/{word}"), change);
    }

    /// All policies, the oldest first.
    async fn policies(&self) -> Vec<Value> {
        let list = self.get("/policies?pageSize=100&sortOrder=ASC").await;
        list["policies"].as_array().expect("a list").clone()
    }

    /// The policy of that name.
    async fn policy(&self, name: &str) -> Value {
        let found = self
            .policies()
            .await
            .into_iter()
            .find(|policy| policy["policyName"] == name);
        found.unwrap_or_else(|| panic!("no policy {name}"))
    }

    /// The backups of a policy, the newest first.
    async fn backups(&self, policy: &Value) -> Vec<Value> {
        let path = format!(
            "/policies/{}/backups?pageSize=100",
            text(policy, "policyId")
        );
        self.get(&path).await["backups"]
            .as_array()
            .expect("a list")
            .clone()
    }

    /// Advances to a policy's slot and a second more.
    async fn to_slot(&self, policy: &Value) {
        let world = self.world();
        let line = world["policies"]
            .as_array()
            .expect("a list")
            .iter()
            .find(|line| line["policyId"] == policy["policyId"])
            .expect("the policy")
            .clone();
        self.control("POST", "clock", json!({"advance_to": line["next"]}));
        self.advance(1);
    }

    /// Lets time go by until the newest backup of a policy is over; answers it.
    async fn until_over(&self, policy: &Value) -> Value {
        for _ in 0..400 {
            let newest = self.backups(policy).await.into_iter().next().expect("one");
            if !matches!(text(&newest, "status"), "CREATED" | "IN_PROGRESS") {
                return newest;
            }
            self.advance(60);
        }
        panic!("the backup never ended");
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key]
        .as_str()
        .unwrap_or_else(|| panic!("{key} of {value}"))
}

/// An id that nobody has.
const NOBODY: &str = "00000000-0000-4000-8000-000000000000";
