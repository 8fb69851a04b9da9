//! A tiny loopback server for tests: it answers each request as the script says, well or badly.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    /// Path and query, still encoded.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Seen {
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map_or("", |(_, v)| v)
    }

    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The first value of a query key, decoded.
    pub fn query(&self, key: &str) -> Option<String> {
        let url = reqwest::Url::parse(&format!("http://h{}", self.target)).unwrap();
        url.query_pairs()
            .find(|(k, _)| k == key)
            .map(|(_, v)| v.into_owned())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// What the script has the server do.
#[derive(Clone, Debug)]
pub enum Say {
    /// A proper answer.
    Reply(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// These bytes, then the connection ends.
    Raw(Vec<u8>),
    /// The request is read, then the connection ends without a byte.
    Drop,
    /// The request is read, then nothing ever comes.
    Hang,
    /// A proper head, then this many megabytes, in chunks.
    Flood(usize),
}

impl Say {
    pub fn json(status: u16, body: impl Into<String>) -> Self {
        Self::Reply(
            status,
            vec![("Content-Type", "application/json".into())],
            body.into().into_bytes(),
        )
    }

    pub fn with(self, name: &'static str, value: impl Into<String>) -> Self {
        match self {
            Self::Reply(status, mut headers, body) => {
                headers.push((name, value.into()));
                Self::Reply(status, headers, body)
            }
            other => other,
        }
    }
}

type Script = dyn Fn(&Seen, usize) -> Say + Send + Sync;

/// The server; it ends with the test's runtime.
pub struct Scripted {
    /// `http://127.0.0.1:PORT`
    pub url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Scripted {
    /// Starts it. The script is given each request and how many came before it.
    pub async fn start(script: impl Fn(&Seen, usize) -> Say + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let script: Arc<Script> = Arc::new(script);
        let log = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&script), Arc::clone(&log)));
            }
        });
        Self { url, seen }
    }

    /// Every request so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// How many requests so far had this method and path.
    pub fn count(&self, method: &str, path: &str) -> usize {
        self.seen()
            .iter()
            .filter(|s| s.method == method && s.path() == path)
            .count()
    }
}

async fn serve(mut stream: TcpStream, script: Arc<Script>, log: Arc<Mutex<Vec<Seen>>>) {
    let mut buffer = Vec::new();
    while let Some(seen) = read(&mut stream, &mut buffer).await {
        let before = {
            let mut log = log.lock().unwrap();
            log.push(seen.clone());
            log.len() - 1
        };
        match script(&seen, before) {
            Say::Reply(status, headers, body) => {
                let mut head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n", body.len());
                for (name, value) in headers {
                    head.push_str(&format!("{name}: {value}\r\n"));
                }
                head.push_str("\r\n");
                let mut bytes = head.into_bytes();
                bytes.extend(body);
                if stream.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            Say::Raw(bytes) => {
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
                return;
            }
            Say::Drop => return,
            Say::Hang => std::future::pending().await,
            Say::Flood(megabytes) => {
                let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
                if stream.write_all(head.as_bytes()).await.is_err() {
                    return;
                }
                let mut chunk = b"100000\r\n".to_vec();
                chunk.extend(std::iter::repeat_n(b' ', 1024 * 1024));
                chunk.extend(b"\r\n");
                for _ in 0..megabytes {
                    if stream.write_all(&chunk).await.is_err() {
                        return;
                    }
                }
                let _ = stream.write_all(b"0\r\n\r\n").await;
            }
        }
    }
}

async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Seen> {
    let end = loop {
        if let Some(at) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|l| l.split_once(':'))
        .map(|(n, v)| (n.trim().to_owned(), v.trim().to_owned()))
        .collect();
    let length: usize = headers
        .iter()
        .find(|(n, _)| n.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, v)| v.parse().ok())
        .unwrap_or(0);
    while buffer.len() < end + length {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    let body = String::from_utf8_lossy(&buffer[end..end + length]).into_owned();
    buffer.drain(..end + length);
    Some(Seen {
        method,
        target,
        headers,
        body,
    })
}

/// Settings of a service at `endpoint` that needs no credentials.
pub fn settings(kind: crate::model::Kind, endpoint: Option<String>) -> super::Settings {
    super::Settings {
        id: crate::model::ServiceId(0),
        name: "test".into(),
        kind,
        endpoint,
        auth: super::AuthSettings::None,
        tls: super::TlsSettings::default(),
        region: String::new(),
        rate_per_minute: Some(60_000),
        timeout_ms: 5_000,
        max_body: 32 * 1024 * 1024,
        history_hours: 24,
        options: std::collections::BTreeMap::new(),
    }
}

/// Keystone password settings against a scripted server.
pub fn keystone_password(url: &str) -> super::AuthSettings {
    super::AuthSettings::KeystonePassword {
        url: format!("{url}/v3"),
        username: "admin".into(),
        password: super::Secret::new("s3cret-pw"),
        user_domain: "Default".into(),
        project: "demo".into(),
        project_domain: String::new(),
        project_id: String::new(),
    }
}

/// An access key, `AK`, and its secret.
pub fn access_key(project_id: &str, region: &str, dialect: &str) -> super::AuthSettings {
    super::AuthSettings::AccessKey {
        access_key: "AK".into(),
        secret_key: super::Secret::new("s3cret-sk"),
        security_token: None,
        project_id: project_id.into(),
        region: region.into(),
        dialect: dialect.into(),
    }
}

/// A Keystone answer: token `tok-N`, valid for `life_s` seconds, one catalog entry.
pub fn token_answer(n: usize, life_s: i64, kind: &str, url: &str) -> Say {
    let now = crate::model::Timestamp::now();
    let body = serde_json::json!({"token": {
        "issued_at": now.rfc3339(),
        "expires_at": now.plus(life_s * 1000).rfc3339(),
        "project": {"id": "p1", "name": "demo"},
        "catalog": [{"type": kind, "name": "x", "endpoints": [
            {"interface": "internal", "region": "r1", "url": "http://127.0.0.1:1"},
            {"interface": "public", "region": "r1", "region_id": "r1", "url": url}]}],
    }});
    Say::json(201, body.to_string()).with("X-Subject-Token", format!("tok-{n}"))
}

/// A sink that keeps every page.
#[derive(Default)]
pub struct Pages(pub Vec<(u32, super::Page)>);

#[async_trait::async_trait]
impl super::PageSink for Pages {
    async fn page(&mut self, number: u32, page: super::Page) -> bool {
        self.0.push((number, page));
        true
    }
}

impl Pages {
    /// The rows of all pages.
    pub fn rows(&self) -> crate::model::Rows {
        let mut kept = Kept::default();
        for (_, page) in &self.0 {
            kept.take(page.clone());
        }
        kept.rows
    }

    /// True when no page had to be decoded.
    pub fn all_same(&self) -> bool {
        self.0.iter().all(|(_, page)| *page == super::Page::Same)
    }
}

/// A sink that keeps the rows of all pages.
#[derive(Default)]
pub struct Kept {
    pub rows: crate::model::Rows,
    /// How many pages did not have to be decoded.
    pub same: usize,
}

impl Kept {
    fn take(&mut self, page: super::Page) {
        match page {
            super::Page::Rows(rows) => {
                self.rows.devices.extend(rows.devices);
                self.rows.policies.extend(rows.policies);
                self.rows.tasks.extend(rows.tasks);
                self.rows.bad.extend(rows.bad);
            }
            super::Page::Same => self.same += 1,
        }
    }
}

#[async_trait::async_trait]
impl super::PageSink for Kept {
    async fn page(&mut self, _: u32, page: super::Page) -> bool {
        self.take(page);
        true
    }
}

/// Reads a feed as on a first round.
pub async fn poll(
    connector: &dyn super::Connector,
    feed: &'static str,
) -> (Kept, super::PollReport) {
    let mut kept = Kept::default();
    let context = super::PollContext::default();
    let report = connector.poll(feed, context, &mut kept).await.unwrap();
    (kept, report)
}
