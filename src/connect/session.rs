//! One service as a connector sees it: calls below a base address, proven, repeated once after a 401.

use reqwest::header::HeaderName;
use reqwest::{Method, Url};

use super::auth::Authenticator;
use super::http::{Call, Http, Priority, Reply};
use super::settings::{AuthSettings, Secret, Settings};
use crate::model::{Fault, FaultKind, Follow, RequestPreview, SendOutcome, Timestamp};

/// Where a kind's API stands, when the configuration gives only a host or nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// Service types in the Keystone catalog, preferred first.
    pub types: &'static [&'static str],
    /// Version segment that the base path needs (`v1`); empty for none.
    pub version: &'static str,
    /// True when the project id follows the version.
    pub with_project: bool,
    /// Requests a minute when the configuration says nothing.
    pub rate_per_minute: u32,
}

/// How many redirects within the service's own host a GET follows.
const HOPS: usize = 3;

/// How long a service that refuses a good token is left alone, in milliseconds.
const PATIENCE_MS: u64 = 300_000;

/// HTTP, credentials and base address of one service.
#[derive(Debug)]
pub struct Session {
    http: Http,
    auth: Authenticator,
    place: Place,
    name: String,
    endpoint: Option<String>,
    region: String,
    interface: String,
    types: Vec<String>,
    project_id: String,
    write_headers: Vec<(HeaderName, Secret)>,
    base: std::sync::OnceLock<Url>,
}

impl Session {
    /// Builds it from a service's settings; talks to nobody.
    ///
    /// # Errors
    /// A [`FaultKind::Config`] fault: nothing says where the service stands, an address that is none,
    /// what [`Http::open`] and [`Authenticator::open`] refuse.
    pub fn open(settings: &Settings, place: Place) -> Result<Self, Fault> {
        let http = Http::open(settings, place.rate_per_minute)?;
        let auth = Authenticator::open(settings)?;
        let project_id = match &settings.auth {
            AuthSettings::KeystonePassword { project_id, .. }
            | AuthSettings::KeystoneToken { project_id, .. }
            | AuthSettings::AccessKey { project_id, .. } => project_id.clone(),
            _ => String::new(),
        };
        let option = |name: &str| settings.options.get(name).cloned().unwrap_or_default();
        let project_id = if project_id.is_empty() {
            option("project_id")
        } else {
            project_id
        };
        let session = Self {
            http,
            place,
            name: format!("service {}", settings.name),
            endpoint: settings.endpoint.clone().filter(|e| !e.is_empty()),
            region: settings.region.clone(),
            interface: Some(option("interface"))
                .filter(|i| !i.is_empty())
                .unwrap_or_else(|| "public".into()),
            types: match option("service_type") {
                t if t.is_empty() => place.types.iter().map(|t| (*t).to_owned()).collect(),
                t => vec![t],
            },
            project_id,
            auth,
            write_headers: Vec::new(),
            base: std::sync::OnceLock::new(),
        };
        match &session.endpoint {
            None if !matches!(session.auth, Authenticator::Keystone(_)) => {
                return Err(session.config(
                    "no endpoint is configured, and only Keystone has a catalog to look it up in",
                    "Give the endpoint of this service.",
                ));
            }
            Some(endpoint) => {
                let url = session.with_project(endpoint, "p")?;
                session.http.may_send_to(&url)?;
            }
            None => {}
        }
        Ok(session)
    }

    /// The same with one more header on every request but GET. Its value is never shown.
    #[must_use]
    pub fn with_write_header(mut self, name: HeaderName, value: Secret) -> Self {
        self.write_headers.push((name, value));
        self
    }

    /// The HTTP client.
    #[must_use]
    pub const fn http(&self) -> &Http {
        &self.http
    }

    /// The credentials.
    #[must_use]
    pub const fn auth(&self) -> &Authenticator {
        &self.auth
    }

    /// The service's clock and ours, when the newest answer came.
    #[must_use]
    pub fn clock(&self) -> Option<(Timestamp, Timestamp)> {
        self.http.clock()
    }

    /// Now by the service's clock, as far as its answers told it.
    #[must_use]
    pub fn service_now(&self) -> Timestamp {
        self.by_service(Timestamp::now())
    }

    /// An instant of ours by the service's clock, as far as its answers told it.
    #[must_use]
    pub fn by_service(&self, ours: Timestamp) -> Timestamp {
        let clock = self.clock();
        ours.plus(clock.map_or(0, |(theirs, ours)| theirs.since(ours)))
    }

    /// The base address, looked up once: configuration first, then the catalog; version and project are
    /// added where the address lacks them.
    ///
    /// # Errors
    /// A failed login, a catalog without the service, a missing project id.
    pub async fn base(&self) -> Result<&Url, Fault> {
        if let Some(base) = self.base.get() {
            return Ok(base);
        }
        // Several may look at once: they share one login, and its failure.
        let found = self.find_base().await?;
        Ok(self.base.get_or_init(|| found))
    }

    /// The id of the project that our credentials are for, as far as it is known.
    pub async fn project_id(&self) -> Option<String> {
        let own = match &self.auth {
            Authenticator::Keystone(keystone) => {
                keystone.token(&self.http).await.ok()?.project_id.clone()
            }
            _ => self.project_id.clone(),
        };
        (!own.is_empty()).then_some(own)
    }

    async fn find_base(&self) -> Result<Url, Fault> {
        let mut project = self.project_id.clone();
        let mut url = match (&self.endpoint, &self.auth) {
            (None, Authenticator::Keystone(keystone)) => {
                let token = keystone.token(&self.http).await?;
                if !token.project_id.is_empty() {
                    project.clone_from(&token.project_id);
                }
                let types: Vec<&str> = self.types.iter().map(String::as_str).collect();
                let found = token.endpoint(&types, &self.interface, &self.region, &self.name)?;
                self.with_project(found.as_str(), &project)?
            }
            (None, _) => {
                return Err(self.config("no endpoint is configured", "Give the endpoint."));
            }
            (Some(endpoint), auth) => {
                if project.is_empty()
                    && (self.place.with_project || wants_project(endpoint))
                    && let Authenticator::Keystone(keystone) = auth
                {
                    project = keystone.token(&self.http).await?.project_id.clone();
                }
                self.with_project(endpoint, &project)?
            }
        };
        let segments: Vec<String> = url
            .path_segments()
            .map(|s| s.filter(|s| !s.is_empty()).map(str::to_owned).collect())
            .unwrap_or_default();
        let versioned = segments.iter().position(|s| is_version(s));
        let nowhere = self.config("the endpoint takes no path", "Give it as https://host.");
        let mut path = url.path_segments_mut().map_err(|()| nowhere)?;
        path.pop_if_empty();
        if versioned.is_none() && !self.place.version.is_empty() {
            path.push(self.place.version);
        }
        if self.place.with_project && versioned.is_none_or(|at| at + 1 == segments.len()) {
            if project.is_empty() {
                drop(path);
                return Err(self.config(
                    "the project's id is not known, and this service needs it in every address",
                    "Give project_id.",
                ));
            }
            path.push(&project);
        }
        drop(path);
        self.http.may_send_to(&url)?;
        Ok(url)
    }

    /// Sends a call and gives back whatever status came. A 401 is answered by one new login and one
    /// repeat, for writes too: a 401 says that nothing was done.
    ///
    /// # Errors
    /// No usable answer: see [`Http::send`]; a failed login has `maybe_done` unset.
    pub async fn exchange(&self, call: &Call, priority: Priority) -> Result<Reply, Fault> {
        let base = self.base().await.map_err(not_done)?;
        let mut url = call.url(base)?;
        let mut tried_again = false;
        let mut hops = 0;
        loop {
            let mut request = call.request(url.clone(), priority)?;
            let is_read = request.method == Method::GET;
            if !is_read {
                for (name, value) in &self.write_headers {
                    request.set(name.clone(), value.expose(), true)?;
                }
            }
            let proof = self
                .auth
                .prove(&self.http, &mut request)
                .await
                .map_err(not_done)?;
            let reply = self.http.send(request).await?;
            let stale = reply.status == 401 && !reply.is_misaddressed();
            if stale && !tried_again && self.auth.refused(&self.http, proof).await {
                tried_again = true;
                continue;
            }
            if !stale {
                self.auth.accepted(proof);
            }
            if is_read
                && hops < HOPS
                && let Some(next) = same_host(&reply, &url)
            {
                hops += 1;
                url = next;
                continue;
            }
            return Ok(reply);
        }
    }

    /// Sends a GET of the schedule and takes only a success.
    ///
    /// # Errors
    /// No usable answer, or what the answer's status stands for.
    pub async fn read(&self, call: &Call) -> Result<Reply, Fault> {
        self.exchange(call, Priority::Poll)
            .await?
            .accept()
            .map_err(|fault| self.patient(fault))
    }

    /// A service that refuses what the identity service has just given may come round (a role is granted, its
    /// middleware recovers), and asking it costs no login: it is asked again, rarely.
    fn patient(&self, mut fault: Fault) -> Fault {
        if fault.kind == FaultKind::Auth
            && fault.retry_after_ms.is_none()
            && matches!(self.auth, Authenticator::Keystone(_))
        {
            fault.retry_after_ms = Some(PATIENCE_MS);
        }
        fault
    }

    /// Sends a question that a person waits for (a precheck, a look for what became of an action) and takes
    /// only a success.
    ///
    /// # Errors
    /// As [`Session::read`]; a question never counts as maybe done.
    pub async fn ask(&self, call: &Call) -> Result<Reply, Fault> {
        self.exchange(call, Priority::Operator)
            .await
            .and_then(Reply::accept)
            .map_err(not_done)
    }

    /// Sends an action, once, and says how that ended.
    pub async fn act(&self, call: &Call, follow: Follow) -> SendOutcome {
        self.act_and_read(call, follow).await.0
    }

    /// As [`Session::act`], with the whole answer of an accepted action: what an outcome holds of it is cut.
    pub async fn act_and_read(&self, call: &Call, follow: Follow) -> (SendOutcome, Option<Reply>) {
        let outcome = match self.exchange(call, Priority::Operator).await {
            Ok(reply) if reply.is_success() => {
                if let Some(fault) = reply.unreadable() {
                    return (SendOutcome::Unknown { fault, follow }, None);
                }
                let answer = reply.answer();
                return (SendOutcome::Accepted { answer, follow }, Some(reply));
            }
            Ok(reply) if reply.may_be_done() => SendOutcome::Unknown {
                fault: reply.fault(),
                follow,
            },
            Ok(reply) => SendOutcome::Refused {
                code: reply.code(),
                answer: reply.answer(),
            },
            Err(fault) if fault.maybe_done => SendOutcome::Unknown { fault, follow },
            Err(fault) => SendOutcome::NotSent { fault },
        };
        (outcome, None)
    }

    /// The call as a confirmation shows it. `then` says what happens before the next one.
    ///
    /// # Errors
    /// The base address could not be found.
    pub async fn preview(&self, call: &Call, then: &str) -> Result<RequestPreview, Fault> {
        let url = call.url(self.base().await?)?;
        Ok(RequestPreview {
            method: call.method.clone(),
            url: super::http::place_of("", &url),
            body: call
                .body
                .as_ref()
                .and_then(|b| serde_json::to_string_pretty(b).ok())
                .unwrap_or_default(),
            then: then.to_owned(),
        })
    }

    fn with_project(&self, endpoint: &str, project: &str) -> Result<Url, Fault> {
        let mut text = endpoint.to_owned();
        for mark in PROJECT_MARKS {
            if text.contains(mark) {
                if project.is_empty() {
                    return Err(self.config(
                        "the endpoint has a place for the project's id, which is not known",
                        "Give project_id, or write the id into the endpoint.",
                    ));
                }
                text = text.replace(mark, project);
            }
        }
        Url::parse(&text).map_err(|e| {
            self.config(
                &format!("the endpoint is not an address: {e}"),
                "Give it as https://host/path.",
            )
        })
    }

    fn config(&self, what: &str, advice: &str) -> Fault {
        Fault::new(FaultKind::Config, what, self.name.clone(), advice)
    }
}

/// The ways in which addresses leave room for the project's id.
const PROJECT_MARKS: [&str; 5] = [
    "{project_id}",
    "%(project_id)s",
    "$(project_id)s",
    "%(tenant_id)s",
    "$(tenant_id)s",
];

fn wants_project(endpoint: &str) -> bool {
    PROJECT_MARKS.iter().any(|m| endpoint.contains(m))
}

/// `v1`, `v2`, `v3.0`.
fn is_version(segment: &str) -> bool {
    segment
        .strip_prefix('v')
        .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
}

fn not_done(mut fault: Fault) -> Fault {
    fault.maybe_done = false;
    fault
}

/// Where a redirect leads, when it stays on the same host, port and protocol.
fn same_host(reply: &Reply, url: &Url) -> Option<Url> {
    if !matches!(reply.status, 301 | 302 | 307 | 308) {
        return None;
    }
    let to = reply.headers.get("location")?.to_str().ok()?;
    let next = url.join(to).ok()?;
    (next.origin() == url.origin() && next != *url).then_some(next)
}
