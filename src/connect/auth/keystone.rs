//! OpenStack Keystone v3 tokens: password and token method, catalog, renewal, one login at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::header::HeaderName;
use reqwest::{Method, Url};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::catalog::{self, CatalogEntry};
use crate::connect::http::{Http, Priority, Request, place_of};
use crate::connect::settings::{AuthSettings, Secret, Settings};
use crate::model::{Fault, FaultKind, Timestamp};

/// A token is renewed this long before it expires, or after nine tenths of a shorter life.
const MARGIN: Duration = Duration::from_secs(300);
/// Assumed life of a token whose expiry can't be read.
const UNKNOWN_LIFE: Duration = Duration::from_secs(600);

/// A token scoped to the project.
#[derive(Debug)]
pub struct Token {
    /// The token itself.
    pub value: Secret,
    /// Counts the logins of this run, from 1.
    pub generation: u64,
    /// The project it is for.
    pub project_id: String,
    /// What the service catalog held.
    pub catalog: Vec<CatalogEntry>,
    renew_at: Instant,
    dead_at: Instant,
    /// Fetched because the service had refused the one before.
    after_refusal: bool,
}

impl Token {
    /// How long it is still valid, by what the login said of it.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.dead_at.saturating_duration_since(Instant::now())
    }
}

#[derive(Debug)]
enum Credentials {
    Password {
        username: String,
        password: Secret,
        domain: String,
    },
    Token(Secret),
}

#[derive(Debug, Default)]
struct State {
    token: Option<Arc<Token>>,
    /// The service refused the token; the next one is fetched for that reason.
    refused: bool,
    /// A login that only a person can mend: it is not tried again.
    hopeless: Option<Fault>,
    /// How the newest login failed, for those who waited for it.
    failed: Option<Fault>,
}

/// Logs in and keeps the token.
#[derive(Debug)]
pub struct Keystone {
    url: Url,
    credentials: Credentials,
    scope: Value,
    state: tokio::sync::Mutex<State>,
    /// Logins that ended, well or badly.
    logins: AtomicU64,
    /// The newest generation that the service has taken.
    good: AtomicU64,
}

impl Keystone {
    /// Reads the settings; talks to nobody.
    ///
    /// # Errors
    /// A [`FaultKind::Config`] fault for an address that is none or a missing project.
    pub fn open(settings: &Settings) -> Result<Self, Fault> {
        let place = format!("service {}", settings.name);
        let (url, credentials, project, project_domain, project_id) = match &settings.auth {
            AuthSettings::KeystonePassword {
                url,
                username,
                password,
                user_domain,
                project,
                project_domain,
                project_id,
            } => (
                url,
                Credentials::Password {
                    username: username.clone(),
                    password: password.clone(),
                    domain: user_domain.clone(),
                },
                project,
                if project_domain.is_empty() {
                    user_domain
                } else {
                    project_domain
                },
                project_id,
            ),
            AuthSettings::KeystoneToken {
                url,
                token,
                project,
                project_domain,
                project_id,
            } => (
                url,
                Credentials::Token(token.clone()),
                project,
                project_domain,
                project_id,
            ),
            _ => {
                return Err(Fault::new(
                    FaultKind::Config,
                    "no Keystone credentials are configured",
                    place,
                    "Set auth to keystone-password or keystone-token.",
                ));
            }
        };
        let scope = if !project_id.is_empty() {
            json!({"project": {"id": project_id}})
        } else if project.is_empty() {
            return Err(Fault::new(
                FaultKind::Config,
                "no project is configured, and a token without one opens no backup service",
                place,
                "Give project (its name) or project_id.",
            ));
        } else if project_domain.is_empty() {
            json!({"project": {"name": project}})
        } else {
            json!({"project": {"name": project, "domain": {"name": project_domain}}})
        };
        Ok(Self {
            url: tokens_url(url, &place)?,
            credentials,
            scope,
            state: tokio::sync::Mutex::default(),
            logins: AtomicU64::new(0),
            good: AtomicU64::new(0),
        })
    }

    /// Where logins are sent.
    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.url
    }

    /// The token in force; logs in where there is none or it is about to expire. However many ask at
    /// once, there is one login, and all get its result.
    ///
    /// # Errors
    /// How the login failed. After a refusal of the credentials nothing is sent any more.
    pub async fn token(&self, http: &Http) -> Result<Arc<Token>, Fault> {
        let before = self.logins.load(Ordering::Acquire);
        let mut state = self.state.lock().await;
        let now = Instant::now();
        let alive = state.token.clone().filter(|t| now < t.dead_at);
        if let Some(token) = &alive
            && (now < token.renew_at || state.hopeless.is_some())
        {
            return Ok(Arc::clone(token));
        }
        if let Some(fault) = &state.hopeless {
            return Err(fault.clone());
        }
        if self.logins.load(Ordering::Acquire) != before
            && let Some(fault) = &state.failed
        {
            return alive.ok_or_else(|| fault.clone());
        }
        let result = self.log_in(http, &state).await;
        self.logins.fetch_add(1, Ordering::AcqRel);
        match result {
            Ok(token) => {
                let token = Arc::new(token);
                state.token = Some(Arc::clone(&token));
                state.refused = false;
                state.failed = None;
                Ok(token)
            }
            Err(fault) => {
                if fault.kind == FaultKind::Auth {
                    state.hopeless = Some(fault.clone());
                }
                state.failed = Some(fault.clone());
                // A renewal may fail while the old token still works.
                alive.ok_or(fault)
            }
        }
    }

    /// Told that the service took a token.
    pub fn accepted(&self, generation: u64) {
        self.good.fetch_max(generation, Ordering::AcqRel);
    }

    /// Told that the service refused a token with 401. True when a new one is worth a try: not when the
    /// refused one was itself fetched for a refusal and never worked.
    pub async fn refused(&self, generation: u64) -> bool {
        let mut state = self.state.lock().await;
        let Some(token) = state.token.clone() else {
            return state.hopeless.is_none();
        };
        if token.generation != generation {
            return true;
        }
        if token.after_refusal && self.good.load(Ordering::Acquire) < generation {
            return false;
        }
        state.token = None;
        state.refused = true;
        true
    }

    async fn log_in(&self, http: &Http, state: &State) -> Result<Token, Fault> {
        let identity = match (&self.credentials, &state.token) {
            (
                Credentials::Password {
                    username,
                    password,
                    domain,
                },
                _,
            ) => {
                let mut user = json!({"name": username, "password": password.expose()});
                if !domain.is_empty() {
                    user["domain"] = json!({"name": domain});
                }
                json!({"methods": ["password"], "password": {"user": user}})
            }
            (Credentials::Token(_), Some(current)) => {
                json!({"methods": ["token"], "token": {"id": current.value.expose()}})
            }
            (Credentials::Token(first), None) => {
                json!({"methods": ["token"], "token": {"id": first.expose()}})
            }
        };
        let body = json!({"auth": {"identity": identity, "scope": self.scope}});
        let request =
            Request::new(Method::POST, self.url.clone(), Priority::Operator).with_json(&body);
        let reply = http.send(request).await.map_err(|mut fault| {
            // A login changes nothing that anybody would have to look for.
            fault.maybe_done = false;
            fault
        })?;
        let started = Instant::now();
        if !reply.is_success() {
            return Err(self.explain(reply.status, reply.fault()));
        }
        let value = reply
            .headers
            .get(HeaderName::from_static("x-subject-token"))
            .and_then(|v| v.to_str().ok())
            .filter(|v| !v.is_empty())
            .ok_or_else(|| {
                Fault::new(
                    FaultKind::Garbled,
                    "the identity service answered without a token",
                    reply.place.clone(),
                    "Check that the address is a Keystone v3 API (…/v3).",
                )
            })?;
        let said = catalog::read(&reply)?;
        let life = said
            .expires_at
            .and_then(|end| {
                let begin = said
                    .issued_at
                    .or_else(|| http.clock().map(|(theirs, _)| theirs));
                let ms = end.since(begin.unwrap_or_else(Timestamp::now));
                u64::try_from(ms).ok()
            })
            .map_or(UNKNOWN_LIFE, Duration::from_millis);
        let margin = MARGIN.min(life / 10);
        Ok(Token {
            value: Secret::new(value),
            generation: self.logins.load(Ordering::Acquire) + 1,
            project_id: said.project_id,
            catalog: said.catalog,
            renew_at: started + (life - margin),
            dead_at: started + life,
            after_refusal: state.refused,
        })
    }

    /// A refused login in words that fit the step.
    fn explain(&self, status: u16, mut fault: Fault) -> Fault {
        fault.maybe_done = false;
        match (status, &self.credentials) {
            (401, Credentials::Password { .. }) => {
                fault.what = "the identity service does not accept this user and password, or knows no such project".into();
                fault.advice = "Correct user, password, domain or project and start again; it is not tried again before, so that the account isn't locked.".into();
            }
            (401, Credentials::Token(_)) => {
                fault.what = "the identity service does not accept this token".into();
                fault.advice =
                    "It has probably expired: give a new token, or configure a password.".into();
            }
            (403, _) => {
                fault.what = "the identity service forbids this login".into();
                fault.advice = "The account may be locked, or have no role in this project: ask its owner. It is not tried again before a restart.".into();
            }
            (400 | 404, _) => {
                fault.kind = FaultKind::Config;
                fault.what = "the identity service can't make sense of the login".into();
                fault.advice = "Check that the address is a Keystone v3 API (…/v3), and the names of user, domain and project.".into();
            }
            _ => {}
        }
        fault
    }
}

/// `…/v3/auth/tokens` from however much of it was configured.
fn tokens_url(text: &str, place: &str) -> Result<Url, Fault> {
    let bad = |why: String| {
        Fault::new(
            FaultKind::Config,
            format!("the identity service's address is none: {why}"),
            place,
            "Give it as https://host/v3.",
        )
    };
    let trimmed = text
        .trim_end_matches('/')
        .trim_end_matches("/auth/tokens")
        .trim_end_matches('/');
    let mut url = Url::parse(trimmed).map_err(|e| bad(e.to_string()))?;
    let has_version = url
        .path_segments()
        .and_then(|mut s| s.next_back().map(|last| last == "v3"))
        .unwrap_or(false);
    let shown = place_of("", &url);
    let mut path = url.path_segments_mut().map_err(|()| bad(shown))?;
    path.pop_if_empty();
    if !has_version {
        path.push("v3");
    }
    path.extend(["auth", "tokens"]);
    drop(path);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::tokens_url;

    #[test]
    fn the_address_may_be_given_in_full_or_in_part() {
        for given in [
            "https://iam.example/v3",
            "https://iam.example/v3/",
            "https://iam.example",
            "https://iam.example/v3/auth/tokens",
        ] {
            assert_eq!(
                tokens_url(given, "").unwrap().as_str(),
                "https://iam.example/v3/auth/tokens"
            );
        }
        assert_eq!(
            tokens_url("http://h:5000/identity", "").unwrap().as_str(),
            "http://h:5000/identity/v3/auth/tokens"
        );
        assert!(tokens_url("iam.example", "").is_err());
    }
}
