//! An answer of the embedded service, given again to the connector whatever it asks for.

use std::collections::BTreeMap;
use std::sync::Arc;

use keepwatch::connect::atlassian::{DRIVER, KIND};
use keepwatch::connect::{AuthSettings, Connector, Secret, Settings, TlsSettings};
use keepwatch::model::ServiceId;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::Told;

/// A server on loopback that knows one answer.
pub struct Replay(String);

impl Replay {
    pub async fn of(told: &Told) -> Self {
        let kind = told.headers.get("content-type");
        let kind = kind.map_or("", |v| v.to_str().expect("text"));
        let answer = format!(
            "HTTP/1.1 {} X\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
            told.status,
            told.text.len(),
            told.text
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = Vec::new();
                while !request.windows(4).any(|w| w == b"\r\n\r\n") {
                    if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
                        break;
                    }
                }
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        Self(format!("http://{address}"))
    }

    /// The connector, pointed at it.
    pub fn connector(&self) -> Arc<dyn Connector> {
        open(&self.0, &[])
    }
}

/// The connector at an address, with options.
pub fn open(endpoint: &str, options: &[(&str, &str)]) -> Arc<dyn Connector> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    all.insert("org_id".into(), "o1".into());
    all.extend(
        options
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned())),
    );
    let settings = Settings {
        id: ServiceId(0),
        name: "test".into(),
        kind: KIND,
        endpoint: Some(endpoint.to_owned()),
        auth: AuthSettings::Basic {
            username: "admin@example.org".into(),
            password: Secret::new("token"),
        },
        tls: TlsSettings::default(),
        region: String::new(),
        rate_per_minute: Some(60_000),
        timeout_ms: 5_000,
        max_body: 1024 * 1024,
        history_hours: 24,
        options: all,
    };
    (DRIVER.open)(&settings).expect("opens")
}
