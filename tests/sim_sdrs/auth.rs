//! Logging in: tokens, signatures of both dialects, projects, throttling, versions.

use chrono::{TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::sim_support::Client;
use crate::{calm_sdrs, is};

const AK: &str = "KEEPWATCHDEMOACCESS0";
const SK: &str = "keepwatch-demo-secret-key-opens-nothing";

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// A call signed as a client would: host and date, and whatever else is in `extra`.
struct Signed<'a> {
    ak: &'a str,
    sk: &'a str,
    scoped: bool,
    date: String,
    extra: Vec<(&'a str, &'a str)>,
}

impl Default for Signed<'_> {
    fn default() -> Self {
        Self {
            ak: AK,
            sk: SK,
            scoped: false,
            date: Utc::now().format("%Y%m%dT%H%M%SZ").to_string(),
            extra: Vec::new(),
        }
    }
}

impl Signed<'_> {
    async fn send(&self, client: &Client, method: &str, path: &str, body: &str) -> (u16, Value) {
        let url = reqwest::Url::parse(&format!("{}{path}", client.base)).expect("a URL");
        let host = format!("127.0.0.1:{}", url.port().expect("a port"));
        let mut headers = vec![("host", host.as_str()), ("x-sdk-date", self.date.as_str())];
        headers.extend(&self.extra);
        headers.sort_unstable();
        let lines: String = headers
            .iter()
            .map(|(name, value)| format!("{name}:{value}\n"))
            .collect();
        let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let canonical = format!(
            "{method}\n{}/\n{}\n{lines}\n{names}\n{}",
            url.path(),
            url.query().unwrap_or_default(),
            hex::encode(Sha256::digest(body.as_bytes()))
        );
        let hash = hex::encode(Sha256::digest(canonical.as_bytes()));
        let day = &self.date[..8];
        let scope = format!("{day}/eu-de/sdrs/sdk_request");
        let (who, signature) = if self.scoped {
            let text = format!("SDK-HMAC-SHA256\n{}\n{scope}\n{hash}", self.date);
            let mut key = format!("SDK{}", self.sk).into_bytes();
            for part in scope.split('/') {
                key = hmac(&key, part);
            }
            (format!("Credential={}/{scope}", self.ak), hmac(&key, &text))
        } else {
            let text = format!("SDK-HMAC-SHA256\n{}\n{hash}", self.date);
            (
                format!("Access={}", self.ak),
                hmac(self.sk.as_bytes(), &text),
            )
        };
        let mut request = client
            .http
            .request(method.parse().expect("a method"), url)
            .body(body.to_owned())
            .header(
                "authorization",
                format!(
                    "SDK-HMAC-SHA256 {who}, SignedHeaders={names}, Signature={}",
                    hex::encode(signature)
                ),
            );
        for (name, value) in headers.iter().filter(|(name, _)| *name != "host") {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.expect("answers");
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or_default())
    }
}

#[tokio::test]
async fn both_signature_dialects_open_and_a_changed_request_does_not() {
    let client = calm_sdrs().await;
    let project = client.project.clone();
    let list = "/server-groups?limit=2&offset=0";
    for scoped in [false, true] {
        let signed = Signed {
            scoped,
            ..Signed::default()
        };
        assert_eq!(signed.send(&client, "GET", list, "").await.0, 200);
        let more = Signed {
            scoped,
            extra: vec![
                ("content-type", "application/json"),
                ("x-project-id", &project),
            ],
            ..Signed::default()
        };
        assert_eq!(more.send(&client, "GET", list, "").await.0, 200);
        let body = r#"{"server_group":{"name":"x"}}"#;
        let unknown = "/server-groups/00000000-0000-4000-8000-000000000000";
        is(
            &more.send(&client, "PUT", unknown, body).await,
            400,
            "SDRS.1013",
        );
    }
    for wrong in [
        Signed {
            sk: "other",
            ..Signed::default()
        },
        Signed {
            ak: "NOSUCHKEY",
            ..Signed::default()
        },
        Signed {
            date: (Utc::now() - TimeDelta::minutes(16))
                .format("%Y%m%dT%H%M%SZ")
                .to_string(),
            ..Signed::default()
        },
        // A temporary key is nothing without its security token.
        Signed {
            ak: "KEEPWATCHTEMPACCESS0",
            sk: "keepwatch-demo-temporary-secret-key",
            ..Signed::default()
        },
    ] {
        let (status, body) = wrong.send(&client, "GET", list, "").await;
        assert_eq!(
            (status, &body["error_code"]),
            (401, &json!("APIGW.0301")),
            "{body}"
        );
        assert!(body["request_id"].is_string());
    }
    let temporary = Signed {
        ak: "KEEPWATCHTEMPACCESS0",
        sk: "keepwatch-demo-temporary-secret-key",
        extra: vec![("x-security-token", "keepwatch-demo-security-token")],
        ..Signed::default()
    };
    assert_eq!(temporary.send(&client, "GET", list, "").await.0, 200);
    // The virtual clock may have gone anywhere; who signs reads the machine's.
    client.advance(10_000_000);
    assert_eq!(
        Signed::default().send(&client, "GET", list, "").await.0,
        200
    );
    client.switch("gateway.signature_clock", "virtual");
    assert_eq!(
        Signed::default().send(&client, "GET", list, "").await.0,
        401
    );
}

#[tokio::test]
async fn no_token_another_project_and_too_many_requests() {
    let mut client = calm_sdrs().await;
    let right = std::mem::take(&mut client.token);
    let (status, body) = client.call("GET", "/server-groups", Value::Null).await;
    assert_eq!((status, &body["error_code"]), (401, &json!("APIGW.0301")));
    // The versions are told to anybody.
    let root = client.base.split("/v1").next().expect("a root").to_owned();
    for (path, key) in [("/", "versions"), ("/v1", "version")] {
        let answer = client
            .http
            .get(format!("{root}{path}"))
            .send()
            .await
            .expect("answers");
        let body: Value = answer.json().await.expect("JSON");
        assert!(body[key].is_object() || body[key].is_array(), "{body}");
    }
    client.token = right;
    let own = client.base.clone();
    client.base = client
        .base
        .replace(&client.project, "11112222333344445555666677778888");
    is(
        &client.call("GET", "/server-groups", Value::Null).await,
        400,
        "SDRS.0001",
    );
    client.switch("sdrs.project_mismatch", "403");
    is(
        &client.call("GET", "/server-groups", Value::Null).await,
        403,
        "SDRS.0004",
    );
    client.base = own;
    client.switch("gateway.rate_limit", "2");
    client.get("/sdrs/quotas").await;
    client.advance(60);
    for expected in [200, 200, 429] {
        let (status, body) = client.call("GET", "/sdrs/quotas", Value::Null).await;
        assert_eq!(status, expected, "{body}");
        assert!(expected == 200 || body["error_code"] == "APIGW.0308");
    }
    client.advance(60);
    client.get("/sdrs/quotas").await;
}
