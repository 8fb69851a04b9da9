//! The embedded DPOD from outside: its six calls over HTTP, its tasks on the virtual clock, and what its scripts are
//! told, held row by row to what the documents say.

mod codes;
mod demo;
mod door;
mod hook;
mod plans;
mod scripts;
mod sheet;
#[path = "../sim_support/mod.rs"]
mod sim_support;

use std::ops::Deref;

use keepwatch::sim::{SimOptions, dpod, start};
use serde_json::{Value, json};
use sim_support::{Behind, calm};

/// A calm world with plans in it, over plain HTTP.
fn furnished() -> SimOptions {
    SimOptions {
        furnished: true,
        ..bare()
    }
}

/// A calm world with gateways and nothing else, over plain HTTP.
fn bare() -> SimOptions {
    SimOptions {
        switches: vec![("dpod.tls".into(), "none".into())],
        ..calm()
    }
}

/// A running service with the credentials of an operator.
struct Dpod {
    http: reqwest::Client,
    behind: Behind,
    root: String,
}

impl Deref for Dpod {
    type Target = Behind;

    fn deref(&self) -> &Behind {
        &self.behind
    }
}

impl Dpod {
    async fn start(options: SimOptions) -> Self {
        let running = start(options, vec![dpod::ENTRY]).await.expect("starts");
        Self {
            http: sim_support::http(),
            root: running.services[0].endpoint.clone(),
            behind: Behind {
                running,
                kind: "dpod",
            },
        }
    }

    async fn call(&self, method: &str, path: &str) -> (u16, Value) {
        let (status, text) = self
            .call_as(method, path, "operator", "demo-password")
            .await;
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    async fn call_as(&self, method: &str, path: &str, user: &str, password: &str) -> (u16, String) {
        let method: reqwest::Method = method.parse().expect("a method");
        let answer = self
            .http
            .request(method, format!("{}{path}", self.root))
            .basic_auth(user, Some(password))
            .send()
            .await
            .expect("the service answers");
        let status = answer.status().as_u16();
        (status, answer.text().await.expect("a whole body"))
    }

    /// The plans of a family.
    async fn plans(&self, family: &str) -> Vec<Value> {
        let (status, body) = self.call("GET", &format!("/op/api/v1/{family}/")).await;
        assert_eq!(status, 200);
        let object = body.as_object().expect("an object");
        assert_eq!(object.keys().collect::<Vec<_>>(), ["plans"], "no envelope");
        body["plans"].as_array().expect("a list").clone()
    }

    fn switch(&self, name: &str, value: &str) {
        self.behind.switch(&format!("dpod.{name}"), value);
    }

    fn device(&self, name: &str, change: Value) {
        self.control("POST", &format!("dpod/devices/{name}"), change);
    }

    fn site(&self, change: Value) {
        self.control("POST", "dpod/site", change);
    }

    fn plan(&self, name: &str, change: Value) {
        self.control("POST", &format!("dpod/plans/{name}"), change);
    }

    /// Adds a backup plan of one activity.
    fn add(&self, name: &str, action: &str, devices: &str, domains: &str, quiesce: bool) {
        let activity =
            json!({"action": action, "devices": devices, "domains": domains, "quiesce": quiesce});
        self.add_all(name, false, json!([activity]));
    }

    fn add_all(&self, name: &str, halt: bool, activities: Value) {
        let body = json!({"name": name, "halt": halt, "activities": activities});
        self.control("POST", "dpod/plans", body);
    }

    /// Executes a plan over REST.
    async fn execute(&self, name: &str) {
        let plans = self.plans("backupplan").await;
        let plan = plans
            .iter()
            .find(|plan| plan["name"] == name)
            .unwrap_or_else(|| panic!("no plan {name}"));
        let path = format!("{}/execute", plan["URI"].as_str().expect("a path"));
        let (status, body) = self.call("POST", &path).await;
        assert_eq!((status, &body["resultCode"]), (200, &json!("SUCCESS")));
    }

    fn executions(&self) -> Vec<Value> {
        self.control("GET", "dpod/executions", Value::Null)
            .as_array()
            .expect("a list")
            .clone()
    }

    /// The newest run.
    fn last(&self) -> Value {
        self.executions().pop().expect("a run")
    }

    /// The only task of the newest run.
    fn task(&self) -> Value {
        let tasks = self.last()["tasks"].clone();
        assert_eq!(tasks.as_array().map(Vec::len), Some(1), "{tasks}");
        tasks[0].clone()
    }

    /// Lets seconds go by until the only task of the newest run has that status.
    fn until(&self, status: &str) {
        for _ in 0..20_000 {
            let last = self.executions().pop();
            if last.is_some_and(|it| it["tasks"][0]["status"] == status) {
                return;
            }
            self.advance(1);
        }
        panic!("never {status}: {}", self.last());
    }

    /// Lets time go by until the newest run is over; answers it.
    fn until_over(&self) -> Value {
        for _ in 0..20_000 {
            let last = self.last();
            if last["over"] == true {
                return last;
            }
            self.advance(7);
        }
        panic!("never over: {}", self.last());
    }

    /// What the scripts were told, in order.
    fn told(&self) -> Vec<Vec<String>> {
        let journal = self.control("GET", "journal", Value::Null);
        journal
            .as_array()
            .expect("a list")
            .iter()
            .filter(|line| line["what"] == "dpod.script")
            .map(|line| {
                let args = line["args"].as_array().expect("arguments");
                args.iter()
                    .map(|arg| arg.as_str().expect("text").to_owned())
                    .collect()
            })
            .collect()
    }
}
