//! One HTTP client for every connector: budget, limits, secrets and clear faults in one place.
//!
//! [`Http`] sends one request and gives back whatever status came, or a [`Fault`] when no usable answer
//! came at all. Who we are and where the service stands is added by [`super::session::Session`].

mod budget;
pub(in crate::connect) mod fault;
mod memory;
mod reply;
mod request;
pub(in crate::connect) mod tls;

pub use budget::{Budget, Priority};
pub use memory::PageMemory;
pub use reply::{Reply, code_of, json};
pub use request::{Call, Request, place_of};

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use futures_util::stream::{Stream, StreamExt};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, Url};

use super::Settings;
use crate::model::{Fault, FaultKind, Timestamp, clean};

/// Longest wait for a connection, TLS included, in milliseconds; a shorter answer timeout wins.
const CONNECT_MS: u64 = 10_000;
/// The most room that is made for an answer on the service's word alone, in bytes.
const AT_ONCE: usize = 4 << 20;
/// How many answer timeouts the whole body may take.
const BODY_TIMES: u32 = 4;

/// The client of one service.
pub struct Http {
    /// Connections are kept and used again: reading twice harms nobody.
    reads: Client,
    /// Never on a kept connection: a request that can't be sent must not look like one whose answer was lost.
    writes: Client,
    budget: Budget,
    rate_per_minute: u32,
    /// Requests that went out, repeats included.
    sent: AtomicU64,
    /// What the newest answer that spoke of limits said, by header.
    limits: Mutex<Vec<(String, String)>>,
    answer: Duration,
    max_body: usize,
    plain_allowed: bool,
    clock: Mutex<Option<(Timestamp, Timestamp)>>,
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http").finish_non_exhaustive()
    }
}

impl Http {
    /// Builds the client from a service's settings. `default_rate` is the kind's own requests a minute.
    ///
    /// # Errors
    /// A [`FaultKind::Config`] fault: a certificate file that can't be read, a pin that is no SHA-256.
    pub fn open(settings: &Settings, default_rate: u32) -> Result<Self, Fault> {
        let answer = Duration::from_millis(settings.timeout_ms.max(1));
        let connect = answer.min(Duration::from_millis(CONNECT_MS));
        let build = |reuse: bool| {
            let mut builder = Client::builder()
                .user_agent(concat!("keepwatch/", env!("CARGO_PKG_VERSION")))
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .connect_timeout(connect)
                .tcp_nodelay(true)
                .referer(false);
            if !reuse {
                builder = builder.pool_max_idle_per_host(0);
            }
            tls::apply(builder, settings)?.build().map_err(|e| {
                Fault::new(
                    FaultKind::Tls,
                    format!("the HTTP client can't be built: {}", fault::chain(&e)),
                    settings.name.to_string(),
                    "Install the system's CA certificates, or set ca_file or pin_sha256 for this service.",
                )
            })
        };
        let rate_per_minute = settings.rate_per_minute.unwrap_or(default_rate);
        Ok(Self {
            reads: build(true)?,
            writes: build(false)?,
            budget: Budget::new(rate_per_minute),
            rate_per_minute,
            sent: AtomicU64::new(0),
            limits: Mutex::default(),
            answer,
            max_body: settings.max_body.max(1024),
            plain_allowed: settings
                .options
                .get("allow_plain_http")
                .is_some_and(|v| matches!(v.as_str(), "yes" | "true" | "1")),
            clock: Mutex::new(None),
        })
    }

    /// The service's clock (HTTP `Date`) and ours, when the newest answer came.
    #[must_use]
    pub fn clock(&self) -> Option<(Timestamp, Timestamp)> {
        self.clock.lock().ok().and_then(|c| *c)
    }

    /// Requests a minute that the service may get from us.
    #[must_use]
    pub const fn rate_per_minute(&self) -> u32 {
        self.rate_per_minute
    }

    /// How many requests went out so far, logins and repeats included.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// What the newest answer that spoke of limits said: headers with their values, cleaned.
    #[must_use]
    pub fn limits(&self) -> Vec<(String, String)> {
        self.limits
            .lock()
            .map_or_else(|_| Vec::new(), |l| l.clone())
    }

    /// Refuses addresses that would send secrets in the clear.
    ///
    /// # Errors
    /// A [`FaultKind::Config`] fault for plain HTTP to another machine and for other schemes.
    pub fn may_send_to(&self, url: &Url) -> Result<(), Fault> {
        match url.scheme() {
            "https" => Ok(()),
            "http" if self.plain_allowed || is_loopback(url) => Ok(()),
            "http" => Err(Fault::new(
                FaultKind::Config,
                "plain HTTP to another machine would show the credentials to everyone on the way",
                place_of("", url),
                "Use https, or set the option allow_plain_http = \"yes\" for this service if the network is trusted.",
            )),
            other => Err(Fault::new(
                FaultKind::Config,
                format!("'{other}' is not a protocol that keepwatch speaks"),
                place_of("", url),
                "Give an https:// address.",
            )),
        }
    }

    /// Sends one request and reads the whole answer, whatever its status. Redirects are answers too.
    ///
    /// What only reads is sent once more when its kept connection turns out to be dead; nothing else ever is.
    ///
    /// # Errors
    /// The budget (polling only), the connection, TLS, a timeout, a body that is cut short or too large.
    /// [`Fault::maybe_done`] is set exactly when a request that may change something may have reached the service.
    pub async fn send(&self, request: Request) -> Result<Reply, Fault> {
        self.may_send_to(&request.url)?;
        self.budget
            .take(request.priority, || {
                place_of(request.method.as_str(), &request.url)
            })
            .await?;
        let place = place_of(request.method.as_str(), &request.url);
        if !request.reads {
            return self.once(&self.writes, request, &place).await;
        }
        match self.once(&self.reads, request.clone(), &place).await {
            Err(f) if f.kind == FaultKind::Unreachable && f.maybe_done => {
                let mut again = self.once(&self.reads, request, &place).await;
                if let Err(f) = &mut again {
                    f.maybe_done = false;
                }
                again
            }
            Err(mut f) => {
                f.maybe_done = false;
                Err(f)
            }
            ok => ok,
        }
    }

    /// One exchange. `maybe_done` says whether the request may have been written, for those that read too.
    async fn once(&self, client: &Client, request: Request, place: &str) -> Result<Reply, Fault> {
        let mut built = client
            .request(request.method.clone(), request.url.clone())
            .headers(request.headers);
        if !request.body.is_empty() {
            built = built.body(request.body);
        }
        self.sent.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting::begin();
        // The client's own connect timeout ends first, so that this one always means "sent, no answer".
        let limit = self.answer + self.answer.min(Duration::from_millis(CONNECT_MS));
        let mut response = match tokio::time::timeout(limit, built.send()).await {
            Ok(Ok(response)) => response,
            Ok(Err(e)) => return Err(fault::of(&e, place, self.answer)),
            Err(_) => return Err(fault::timeout(place, self.answer, true)),
        };
        let status = response.status().as_u16();
        let ours = Timestamp::now();
        let headers = std::mem::take(response.headers_mut());
        self.note(status, &headers, ours);
        // A refusal is one even when its text is lost; after anything else the work may be done.
        let lost = |mut f: Fault| {
            f.maybe_done = !(400..500).contains(&status);
            f
        };
        let body = tokio::time::timeout(
            self.answer * BODY_TIMES,
            self.body(&mut response, &headers, place),
        )
        .await
        .unwrap_or_else(|_| Err(fault::timeout(place, self.answer * BODY_TIMES, true)))
        .map_err(lost)?;
        Ok(Reply {
            status,
            headers,
            body,
            place: place.to_owned(),
            is_read: request.reads,
            seen_at: ours,
        })
    }

    async fn body(
        &self,
        response: &mut reqwest::Response,
        headers: &HeaderMap,
        place: &str,
    ) -> Result<Bytes, Fault> {
        let too_large = || {
            Fault::new(
                FaultKind::Garbled,
                format!("the answer is larger than {}", size(self.max_body)),
                place,
                "Ask for smaller pages (option page_size), or raise max_body for this service if such answers are right.",
            )
        };
        if response
            .content_length()
            .is_some_and(|n| n > self.max_body as u64)
        {
            return Err(too_large());
        }
        let mut whole: Option<Bytes> = None;
        let mut rest = BytesMut::new();
        loop {
            let chunk = match tokio::time::timeout(self.answer, response.chunk()).await {
                Ok(Ok(Some(chunk))) => chunk,
                Ok(Ok(None)) => break,
                Err(_) => return Err(fault::timeout(place, self.answer, true)),
                Ok(Err(e)) => {
                    let got = whole.as_ref().map_or(0, Bytes::len).max(rest.len());
                    return Err(fault::cut_short(&e, place, got, headers));
                }
            };
            let have = whole.as_ref().map_or(0, Bytes::len).max(rest.len());
            if have + chunk.len() > self.max_body {
                return Err(too_large());
            }
            match whole.take() {
                None if rest.is_empty() => whole = Some(chunk),
                first => {
                    if let Some(first) = first {
                        // the service's word on the length saves moving what grows, up to a point
                        let told = response.content_length().unwrap_or(0);
                        let told = usize::try_from(told).unwrap_or(0).min(AT_ONCE);
                        rest.reserve((first.len() + chunk.len()).max(told));
                        rest.extend_from_slice(&first);
                    }
                    rest.extend_from_slice(&chunk);
                }
            }
        }
        Ok(whole.unwrap_or_else(|| rest.freeze()))
    }

    /// Keeps what an answer's head says about clocks and limits.
    fn note(&self, status: u16, headers: &HeaderMap, ours: Timestamp) {
        let date = headers.get(DATE).and_then(|v| v.to_str().ok());
        if let Some(theirs) = date.and_then(http_date)
            && let Ok(mut clock) = self.clock.lock()
        {
            *clock = Some((theirs, ours));
        }
        let said = limits_of(headers);
        if !said.is_empty()
            && let Ok(mut limits) = self.limits.lock()
        {
            *limits = said;
        }
        let wait = retry_after(headers, ours);
        if status == 429 || (status == 503 && wait.is_some()) {
            self.keep_quiet(wait);
        }
    }

    /// Keeps polling away for so many milliseconds, for services that throttle in their own way; a short while where
    /// the service names no time.
    pub fn keep_quiet(&self, ms: Option<u64>) {
        let ms = ms.unwrap_or(QUIET_MS).min(LONGEST_HOLD_MS);
        self.budget.hold(Duration::from_millis(ms));
    }
}

/// The headers that speak of rate limits, whatever the vendor calls them.
fn limits_of(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .filter(|(name, _)| {
            let name = name.as_str();
            name.contains("ratelimit")
                || name.contains("rate-limit")
                || name.ends_with("retry-after")
        })
        .filter_map(|(name, value)| {
            Some((
                name.as_str().to_owned(),
                clean(value.to_str().ok()?).into_owned(),
            ))
        })
        .collect()
}

/// How long polling keeps quiet after a 429 that names no time, in milliseconds.
const QUIET_MS: u64 = 5_000;
/// The longest `Retry-After` believed, in milliseconds.
const LONGEST_HOLD_MS: u64 = 3_600_000;

/// `Retry-After` in milliseconds: seconds, or a date read by the answer's own `Date` where it has one.
#[must_use]
pub fn retry_after(headers: &HeaderMap, ours: Timestamp) -> Option<u64> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let ms = if let Ok(secs) = text.parse::<f64>() {
        if !secs.is_finite() || secs < 0.0 {
            return None;
        }
        (secs * 1000.0).min(LONGEST_HOLD_MS as f64) as u64
    } else {
        let until = http_date(text)?;
        let now = headers
            .get(DATE)
            .and_then(|v| v.to_str().ok())
            .and_then(http_date)
            .unwrap_or(ours);
        u64::try_from(until.since(now)).unwrap_or(0)
    };
    Some(ms.min(LONGEST_HOLD_MS))
}

/// An HTTP date (`Sat, 21 Nov 2026 02:40:41 GMT`).
#[must_use]
pub fn http_date(text: &str) -> Option<Timestamp> {
    chrono::DateTime::parse_from_rfc2822(text.trim())
        .ok()
        .map(|t| Timestamp(t.timestamp_millis()))
}

/// True when the address stays on this machine.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        host.eq_ignore_ascii_case("localhost")
            || host
                .trim_start_matches('[')
                .trim_end_matches(']')
                .parse::<std::net::IpAddr>()
                .is_ok_and(|ip| ip.is_loopback())
    })
}

/// Answers that are waited for, of all services.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// An answer that is waited for, while this lives.
struct Waiting;

impl Waiting {
    fn begin() -> Self {
        WAITING.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        WAITING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether an answer of any service is waited for.
#[must_use]
pub fn is_waiting() -> bool {
    WAITING.load(Ordering::Relaxed) > 0
}

/// Bytes in words: `32 MB`.
fn size(bytes: usize) -> String {
    if bytes >= 1024 * 1024 {
        format!("{} MB", bytes / (1024 * 1024))
    } else {
        format!("{} kB", bytes / 1024)
    }
}

/// Runs `jobs` with at most `width` in flight; their results come in the order of `jobs`. Dropping the stream
/// gives up what is in flight.
pub fn in_flight<'a, T: Send + 'a>(
    width: usize,
    jobs: Vec<BoxFuture<'a, T>>,
) -> impl Stream<Item = T> + Send + Unpin + 'a {
    futures_util::stream::iter(jobs).buffered(width.max(1))
}
