//! Calls of the DBS API: signed, sent, and judged by both of its error channels.

use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Method, Url};
use serde_json::Value;
use uuid::Uuid;

use super::sign;
use crate::connect::Way;
use crate::connect::http::{Http, Priority, Reply, Request};
use crate::connect::settings::{AuthSettings, Secret, Settings};
use crate::model::{Answer, CodeRef, Fault, FaultKind, Follow, SendOutcome, Timestamp, clean};

/// The interface version that all calls here belong to.
const VERSION: &str = "2019-03-06";
/// Requests a minute when the configuration says nothing. The service publishes no limit of its own.
const RATE: u32 = 240;

/// An action with its parameters; nothing secret in it.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Action {
    /// `DescribeBackupPlanList` …
    pub name: String,
    /// Parameters, not yet encoded.
    pub parameters: Vec<(String, String)>,
}

impl Action {
    /// An action without parameters.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            parameters: Vec::new(),
        }
    }

    /// The same with one more parameter.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.parameters.push((name.to_owned(), value.into()));
        self
    }
}

/// Which signature is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Dialect {
    /// Headers, `ACS3-HMAC-SHA256`.
    Acs3,
    /// Query parameters, HMAC-SHA1.
    Rpc,
}

/// One account at one endpoint.
#[derive(Debug)]
pub struct Client {
    http: Http,
    base: Url,
    access_key: String,
    secret_key: Secret,
    security_token: Option<Secret>,
    dialect: Dialect,
    /// The region whose data is asked for; hosts are shared between regions.
    pub region: String,
}

impl Client {
    /// From a service's settings.
    ///
    /// # Errors
    /// A [`FaultKind::Config`] fault: other credentials than an access key, no endpoint, an unknown dialect.
    pub fn open(settings: &Settings) -> Result<Self, Fault> {
        let config = |what: &str, advice: &str| {
            Fault::new(
                FaultKind::Config,
                what,
                format!("service {}", settings.name),
                advice,
            )
        };
        let AuthSettings::AccessKey {
            access_key,
            secret_key,
            security_token,
            region,
            dialect,
            ..
        } = &settings.auth
        else {
            return Err(config(
                "DBS is asked with an access key",
                "Set method = \"aksk\" with access_key and secret_key.",
            ));
        };
        let dialect = match dialect.as_str() {
            "" | "acs3" | "v3" => Dialect::Acs3,
            "rpc" | "v1" | "v2" => Dialect::Rpc,
            other => {
                return Err(config(
                    &format!("\"{}\" is no signature of DBS", clean(other)),
                    "Use dialect = \"acs3\" (the current one) or \"rpc\" (the older one).",
                ));
            }
        };
        let endpoint = settings.endpoint.as_deref().ok_or_else(|| {
            config(
                "no endpoint is configured",
                "Set endpoint, for instance https://dbs-api.cn-hangzhou.aliyuncs.com: many regions share that host.",
            )
        })?;
        let base = Url::parse(endpoint).map_err(|e| {
            config(
                &format!("the endpoint is not an address: {e}"),
                "Give it as https://host.",
            )
        })?;
        let http = Http::open(settings, RATE)?;
        http.may_send_to(&base)?;
        let region = if region.is_empty() {
            settings.region.clone()
        } else {
            region.clone()
        };
        Ok(Self {
            http,
            base,
            access_key: access_key.clone(),
            secret_key: secret_key.clone(),
            security_token: security_token.clone(),
            dialect,
            region,
        })
    }

    /// The client and the address.
    pub const fn way(&self) -> Way<'_> {
        Way::Direct {
            http: &self.http,
            base: &self.base,
        }
    }

    /// The service's clock and ours.
    pub fn clock(&self) -> Option<(Timestamp, Timestamp)> {
        self.http.clock()
    }

    /// Now by the service's clock, as far as its answers told it.
    pub fn service_now(&self) -> Timestamp {
        let now = Timestamp::now();
        self.clock()
            .map_or(now, |(theirs, ours)| now.plus(theirs.since(ours)))
    }

    /// The address of an action as a person may see it.
    pub fn shown(&self, action: &Action) -> String {
        let mut url = self.base.clone();
        url.set_query(Some(&format!(
            "Action={}&{}",
            action.name,
            sign::canonical_query(&action.parameters)
        )));
        crate::connect::http::place_of("", &url)
    }

    fn request(&self, action: &Action, priority: Priority) -> Result<Request, Fault> {
        let nonce = Uuid::new_v4().simple().to_string();
        let date = Timestamp::now()
            .utc()
            .map(|t| t.format("%Y-%m-%dT%H:%M:%SZ").to_string())
            .unwrap_or_default();
        let mut request = match self.dialect {
            Dialect::Acs3 => self.acs3(action, priority, &nonce, &date),
            Dialect::Rpc => self.rpc(action, priority, nonce, date),
        }?;
        // everything is asked by POST; these change nothing
        request.reads = action.name.starts_with("Describe");
        Ok(request)
    }

    fn acs3(
        &self,
        action: &Action,
        priority: Priority,
        nonce: &str,
        date: &str,
    ) -> Result<Request, Fault> {
        let query = sign::canonical_query(&action.parameters);
        let mut url = self.base.clone();
        url.set_query(if query.is_empty() { None } else { Some(&query) });
        let hash = sign::body_hash(b"");
        let host = match (url.host_str(), url.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (Some(host), None) => host.to_owned(),
            (None, _) => String::new(),
        };
        let mut headers: Vec<(String, String)> = [
            ("host", host.as_str()),
            ("x-acs-action", &action.name),
            ("x-acs-version", VERSION),
            ("x-acs-date", date),
            ("x-acs-signature-nonce", nonce),
            ("x-acs-content-sha256", &hash),
        ]
        .into_iter()
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .collect();
        if let Some(token) = &self.security_token {
            headers.push(("x-acs-accesskey-id".to_owned(), self.access_key.clone()));
            headers.push(("x-acs-security-token".to_owned(), token.expose().to_owned()));
        }
        let signed = sign::acs3("POST", &query, &headers, &hash, self.secret_key.expose());
        let mut request = Request::new(Method::POST, url, priority);
        for (name, value) in headers.iter().filter(|(name, _)| name != "host") {
            let secret = name == "x-acs-security-token";
            let name =
                HeaderName::from_bytes(name.as_bytes()).map_err(|e| broken(&e.to_string()))?;
            request.set(name, value, secret)?;
        }
        let authorization = format!(
            "{} Credential={},SignedHeaders={},Signature={}",
            sign::ACS3,
            self.access_key,
            signed.signed_headers,
            signed.signature
        );
        request.set(reqwest::header::AUTHORIZATION, &authorization, true)?;
        request.headers.insert(
            reqwest::header::CONTENT_LENGTH,
            HeaderValue::from_static("0"),
        );
        Ok(request)
    }

    fn rpc(
        &self,
        action: &Action,
        priority: Priority,
        nonce: String,
        date: String,
    ) -> Result<Request, Fault> {
        let mut pairs = action.parameters.clone();
        let common = [
            ("Action", action.name.clone()),
            ("Version", VERSION.to_owned()),
            // without it the older form answers XML
            ("Format", "JSON".to_owned()),
            ("AccessKeyId", self.access_key.clone()),
            ("SignatureMethod", "HMAC-SHA1".to_owned()),
            ("SignatureVersion", "1.0".to_owned()),
            ("SignatureNonce", nonce),
            ("Timestamp", date),
        ];
        pairs.extend(common.into_iter().map(|(k, v)| (k.to_owned(), v)));
        if let Some(token) = &self.security_token {
            pairs.push(("SecurityToken".to_owned(), token.expose().to_owned()));
        }
        let signature = sign::rpc("POST", &pairs, self.secret_key.expose());
        pairs.push(("Signature".to_owned(), signature));
        let mut url = self.base.clone();
        url.set_query(Some(&sign::canonical_query(&pairs)));
        let mut request = Request::new(Method::POST, url, priority);
        request.headers.insert(
            reqwest::header::CONTENT_LENGTH,
            HeaderValue::from_static("0"),
        );
        Ok(request)
    }

    /// Sends an action and gives back the answer when both channels say success.
    async fn exchange(&self, action: &Action, priority: Priority) -> Result<Judged, Fault> {
        let reply = self.http.send(self.request(action, priority)?).await?;
        let judged = judge(reply, action);
        if let Judged::Bad(_, fault) = &judged
            && fault.kind == FaultKind::Limited
        {
            // by status alone the client does not know it for what it is
            self.http.keep_quiet(fault.retry_after_ms);
        }
        Ok(judged)
    }

    /// Reads: every call here is a POST, so that "maybe done" has to be taken back for reads.
    ///
    /// # Errors
    /// What failed, whichever channel said it.
    pub async fn read(&self, action: &Action, priority: Priority) -> Result<Reply, Fault> {
        let judged = self.exchange(action, priority).await.map_err(not_done)?;
        match judged {
            Judged::Good(reply) => Ok(reply),
            Judged::Bad(_, fault) => Err(not_done(fault)),
        }
    }

    /// Sends an action that changes something, once.
    pub async fn act(&self, action: &Action, follow: Follow) -> SendOutcome {
        match self.exchange(action, Priority::Operator).await {
            Ok(Judged::Good(reply)) => match reply.unreadable() {
                Some(fault) => SendOutcome::Unknown { fault, follow },
                None => SendOutcome::Accepted {
                    answer: reply.answer(),
                    follow,
                },
            },
            Ok(Judged::Bad(answer, fault)) if fault.maybe_done => {
                let _ = answer;
                SendOutcome::Unknown { fault, follow }
            }
            Ok(Judged::Bad(answer, fault)) => SendOutcome::Refused {
                code: fault.code.unwrap_or_default(),
                answer,
            },
            Err(fault) if fault.maybe_done => SendOutcome::Unknown { fault, follow },
            Err(fault) => SendOutcome::NotSent { fault },
        }
    }
}

/// An answer after both error channels were looked at.
enum Judged {
    Good(Reply),
    Bad(Answer, Fault),
}

/// A failure is an HTTP status of 400 and more, or `Success` that is false (also as text). `ErrCode` alone
/// means nothing: the vendor's own success samples carry one.
fn judge(reply: Reply, action: &Action) -> Judged {
    let body: Option<Value> = serde_json::from_slice(&reply.body).ok();
    let text = |key: &str| {
        body.as_ref()
            .and_then(|b| b.get(key))
            .and_then(Value::as_str)
            .map(|t| clean(t).into_owned())
            .unwrap_or_default()
    };
    let refused = match body.as_ref().and_then(|b| b.get("Success")) {
        Some(Value::Bool(ok)) => !ok,
        Some(Value::String(ok)) => ok.eq_ignore_ascii_case("false"),
        _ => false,
    };
    if reply.is_success() && !refused {
        return Judged::Good(reply);
    }
    let mut fault = reply.fault();
    if reply.is_success() {
        let code = CodeRef {
            code: text("ErrCode"),
            http_status: Some(reply.status),
            operation: String::new(),
            message: text("ErrMessage"),
        };
        fault = Fault::new(
            FaultKind::Refused,
            format!(
                "the service refused {} although it answered HTTP {}",
                action.name, reply.status
            ),
            reply.place.clone(),
            "Read the service's own text and look its code up.",
        )
        .with_code(code);
    }
    let code = fault
        .code
        .as_ref()
        .map(|c| c.code.clone())
        .unwrap_or_default();
    // throttling comes as HTTP 400; the wait, where there is one, in a header of its own
    if code.starts_with("Throttling") || code.starts_with("Rejected.Throttling") {
        fault.kind = FaultKind::Limited;
        "the service asks us to slow down".clone_into(&mut fault.what);
        "Lower rate_per_minute for this service if it happens often.".clone_into(&mut fault.advice);
        fault.maybe_done = false;
        fault.retry_after_ms = reply
            .headers
            .get("x-acs-retry-after")
            .and_then(|v| v.to_str().ok())
            .and_then(|v| v.trim().parse().ok())
            .or(fault.retry_after_ms);
    } else if is_login(&code) {
        fault.kind = FaultKind::Auth;
        "Check access_key and secret_key of this service, and this machine's clock."
            .clone_into(&mut fault.advice);
        fault.maybe_done = false;
    }
    Judged::Bad(reply.answer(), fault)
}

fn is_login(code: &str) -> bool {
    code.starts_with("InvalidAccessKey")
        || code.starts_with("InvalidTimeStamp")
        || code == "SignatureDoesNotMatch"
        || code == "Request.Forbidden"
}

fn not_done(mut fault: Fault) -> Fault {
    fault.maybe_done = false;
    fault
}

fn broken(what: &str) -> Fault {
    Fault::new(
        FaultKind::Config,
        what,
        "",
        "This is a mistake in keepwatch: please report it.",
    )
}
