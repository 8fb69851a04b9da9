//! A client of the embedded DBS that signs by its own code, in both ways, and holds every good answer against the
//! published fields and types.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use hmac::{Hmac, KeyInit, Mac};
use keepwatch::sim::{SimOptions, dbs, start};
use serde_json::Value;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::sim_support::{Behind, calm, http};

static NONCE: AtomicU64 = AtomicU64::new(0);

/// Every action's published answer.
fn published() -> Value {
    serde_json::from_str(include_str!("../fixtures/dbs/fields.json")).expect("JSON")
}

/// What of `got` is not as published.
fn differences(got: &Value, published: &Value, path: &str, out: &mut Vec<String>) {
    match (published, got) {
        (_, Value::Null) => {}
        (Value::Object(fields), Value::Object(map)) => {
            for (name, value) in map {
                match fields.get(name) {
                    Some(field) => differences(value, field, &format!("{path}.{name}"), out),
                    None => out.push(format!("{path}.{name} is not published")),
                }
            }
        }
        (Value::Array(of), Value::Array(rows)) => {
            for row in rows {
                differences(row, &of[0], &format!("{path}[]"), out);
            }
        }
        (Value::String(word), value) => {
            let fits = match word.as_str() {
                "string" => value.is_string(),
                "integer" => value.is_i64() || value.is_u64(),
                "boolean" => value.is_boolean(),
                _ => false,
            };
            if !fits {
                out.push(format!("{path} is {value}, published as {word}"));
            }
        }
        _ => out.push(format!("{path} is {got}, published as {published}")),
    }
}

pub struct Dbs {
    pub http: reqwest::Client,
    pub behind: Behind,
    pub root: String,
    pub key: String,
    pub secret: String,
    pub token: Option<String>,
}

pub type Params<'a> = &'a [(&'a str, &'a str)];

impl Deref for Dbs {
    type Target = Behind;

    fn deref(&self) -> &Behind {
        &self.behind
    }
}

impl Dbs {
    pub async fn start(options: SimOptions) -> Self {
        let running = start(options, vec![dbs::ENTRY]).await.expect("starts");
        let line = running.services[0].to_json();
        let text = |name: &str| line["auth"][name].as_str().expect("text").to_owned();
        Self {
            http: http(),
            root: line["endpoint"]
                .as_str()
                .expect("text")
                .trim_end_matches('/')
                .to_owned(),
            key: text("access_key"),
            secret: text("secret_key"),
            token: None,
            behind: Behind {
                running,
                kind: "dbs",
            },
        }
    }

    /// A furnished world in which nothing happens by itself and no history is.
    pub async fn calm() -> Self {
        Self::start(SimOptions {
            furnished: true,
            ..calm()
        })
        .await
    }

    fn host(&self) -> String {
        self.root.replace("http://", "")
    }

    /// Headers of a call signed the newer way. `query` is as on the wire.
    pub fn headers(
        &self,
        method: &str,
        action: &str,
        query: &str,
        body: &str,
    ) -> BTreeMap<String, String> {
        let nonce = NONCE.fetch_add(1, Ordering::Relaxed);
        self.headers_with(
            method,
            action,
            query,
            body,
            &format!("nonce-{nonce}"),
            &now(),
        )
    }

    pub fn headers_with(
        &self,
        method: &str,
        action: &str,
        query: &str,
        body: &str,
        nonce: &str,
        time: &str,
    ) -> BTreeMap<String, String> {
        let hash = hex::encode(Sha256::digest(body));
        let mut headers: BTreeMap<String, String> = [
            ("host", self.host().as_str()),
            ("x-acs-action", action),
            ("x-acs-version", "2019-03-06"),
            ("x-acs-date", time),
            ("x-acs-signature-nonce", nonce),
            ("x-acs-content-sha256", &hash),
            ("accept", "application/json"),
        ]
        .into_iter()
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .collect();
        if let Some(token) = &self.token {
            headers.insert("x-acs-security-token".into(), token.clone());
            headers.insert("x-acs-accesskey-id".into(), self.key.clone());
        }
        let mut query: Vec<&str> = query.split('&').filter(|part| !part.is_empty()).collect();
        query.sort_unstable();
        let lines: String = headers.iter().map(|(n, v)| format!("{n}:{v}\n")).collect();
        let names: Vec<&str> = headers.keys().map(String::as_str).collect();
        let names = names.join(";");
        let canonical = format!(
            "{method}\n/\n{}\n{lines}\n{names}\n{hash}",
            query.join("&").replace('+', "%20")
        );
        let text = format!(
            "ACS3-HMAC-SHA256\n{}",
            hex::encode(Sha256::digest(canonical))
        );
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()).expect("any length");
        mac.update(text.as_bytes());
        let signature = hex::encode(mac.finalize().into_bytes());
        headers.insert(
            "authorization".into(),
            format!(
                "ACS3-HMAC-SHA256 Credential={},SignedHeaders={names},Signature={signature}",
                self.key
            ),
        );
        headers
    }

    /// Sends a request as it is.
    pub async fn send(
        &self,
        method: &str,
        query: &str,
        headers: BTreeMap<String, String>,
        body: &str,
    ) -> reqwest::Response {
        let mut request = self
            .http
            .request(
                method.parse().expect("a method"),
                format!("{}/?{query}", self.root),
            )
            .body(body.to_owned());
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.send().await.expect("an answer")
    }

    /// A call signed the newer way, everything in the query.
    pub async fn call(&self, action: &str, params: Params<'_>) -> (u16, Value) {
        let query = query(params);
        let headers = self.headers("POST", action, &query, "");
        let answer = self.send("POST", &query, headers, "").await;
        let status = answer.status().as_u16();
        let body: Value = answer.json().await.expect("JSON");
        if status == 200 && body["Success"] == true {
            let mut wrong = Vec::new();
            differences(&body, &published()[action]["response"], action, &mut wrong);
            assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        }
        (status, body)
    }

    /// A call that must succeed.
    pub async fn good(&self, action: &str, params: Params<'_>) -> Value {
        let (status, body) = self.call(action, params).await;
        assert_eq!(status, 200, "{action} {params:?}: {body}");
        assert_eq!(body["Success"], true, "{action} {params:?}: {body}");
        body
    }

    /// A call that must be refused with this code.
    pub async fn refused(
        &self,
        action: &str,
        params: Params<'_>,
        status: u16,
        code: &str,
    ) -> Value {
        let (got, body) = self.call(action, params).await;
        assert_eq!(
            (got, body["Code"].as_str()),
            (status, Some(code)),
            "{action} {params:?}: {body}"
        );
        body
    }

    /// The query of a call signed the older way.
    pub fn query_v1(&self, method: &str, params: Params<'_>, form: Params<'_>) -> String {
        let nonce = format!("nonce-{}", NONCE.fetch_add(1, Ordering::Relaxed));
        let time = now();
        let mut all: Vec<(&str, &str)> = vec![
            ("Version", "2019-03-06"),
            ("AccessKeyId", &self.key),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureVersion", "1.0"),
            ("SignatureNonce", &nonce),
            ("Timestamp", &time),
        ];
        all.extend(params);
        let sent = query(&all);
        all.extend(form);
        all.sort_unstable();
        let text = format!("{method}&%2F&{}", encode(&query(&all)));
        let mut mac = Hmac::<Sha1>::new_from_slice(format!("{}&", self.secret).as_bytes())
            .expect("any length");
        mac.update(text.as_bytes());
        let signature =
            base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
        format!("{sent}&Signature={}", encode(&signature))
    }

    /// All plans.
    pub async fn plans(&self) -> Vec<Value> {
        let body = self
            .good("DescribeBackupPlanList", &[("PageSize", "100")])
            .await;
        rows(&body, "BackupPlanDetail")
    }

    /// One plan.
    pub async fn plan(&self, id: &str) -> Value {
        let body = self
            .good("DescribeBackupPlanList", &[("BackupPlanId", id)])
            .await;
        rows(&body, "BackupPlanDetail").remove(0)
    }

    /// A plan in that state, by a kind of source where one is named.
    pub async fn plan_that_is(&self, status: &str, kind: &str) -> Value {
        let plans = self.plans().await;
        plans
            .into_iter()
            .find(|plan| {
                plan["BackupPlanStatus"] == status
                    && (kind.is_empty() || plan["SourceEndpointInstanceType"] == kind)
            })
            .expect("such a plan")
    }

    pub async fn sets(&self, plan: &str) -> Vec<Value> {
        let body = self
            .good("DescribeFullBackupList", &[("BackupPlanId", plan)])
            .await;
        rows(&body, "FullBackupFile")
    }

    pub async fn increments(&self, plan: &str) -> Vec<Value> {
        let body = self
            .good("DescribeIncrementBackupList", &[("BackupPlanId", plan)])
            .await;
        rows(&body, "IncrementBackupFile")
    }

    pub async fn restore(&self, id: &str) -> Value {
        let body = self
            .good("DescribeRestoreTaskList", &[("RestoreTaskId", id)])
            .await;
        rows(&body, "RestoreTaskDetail").remove(0)
    }

    /// A finished full backup of a plan, made now.
    pub async fn backed_up(&self, plan: &str) -> String {
        self.good("StartBackupPlan", &[("BackupPlanId", plan)])
            .await;
        self.advance(900);
        let set = self.sets(plan).await.remove(0);
        assert_eq!(set["BackupStatus"], "finish", "{set}");
        id(&set, "BackupSetId")
    }
}

pub fn rows(body: &Value, name: &str) -> Vec<Value> {
    body["Items"][name].as_array().expect("rows").clone()
}

pub fn id(row: &Value, name: &str) -> String {
    row[name].as_str().expect("an id").to_owned()
}

/// The machine's time, as clients send it.
pub fn now() -> String {
    chrono::Utc::now().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

pub fn query(params: Params<'_>) -> String {
    let pairs: Vec<String> = params
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
    pairs.join("&")
}

fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        })
        .collect()
}
