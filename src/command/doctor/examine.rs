//! The whole examination of one service, from its configuration to its rate budget.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;

use crate::config::{AuthConfig, ServiceConfig};
use crate::connect::auth::Authenticator;
use crate::connect::http::place_of;
use crate::connect::{AuthSettings, Settings, Way};
use crate::model::ServiceId;
use crate::operate::Guard;

use super::step::{State, Step};
use super::visit::Visit;
use super::{ask, budget, can, paths, route};
use crate::command::services::connect;

/// One service and what may be sent to it.
pub struct Patient {
    /// Its configuration.
    pub service: ServiceConfig,
    /// Its number, for the guard.
    pub id: ServiceId,
    /// What may be sent.
    pub guard: Arc<Guard>,
    /// How long its lists may take together.
    pub limit: Duration,
}

/// Goes through every step; what depends on a step that failed is skipped. Nothing is changed on the service.
pub async fn examine(patient: Patient, mut visit: Visit) -> Visit {
    let service = &patient.service;
    visit.endpoint.clone_from(&service.endpoint);
    let opened = service
        .settings(patient.id)
        .and_then(|settings| Ok((connect(&settings)?, settings)));
    let (connector, settings) = match opened {
        Ok(opened) => opened,
        Err(fault) => {
            visit.fail("configuration", "configuration", &fault);
            visit.skip("rest", "everything else", "the service can't be opened");
            return visit;
        }
    };
    visit.push(Step::new(
        "configuration",
        "configuration",
        State::Ok,
        sources(&service.auth),
    ));
    let way = connector.way();
    let cut = reach(&mut visit, way, &settings).await;
    let history_ms = i64::from(service.history_hours) * 3_600_000;
    let asked = ask::lists(
        connector.as_ref(),
        history_ms,
        patient.limit,
        cut.as_deref(),
    )
    .await;
    let open = matches!(settings.auth, AuthSettings::None);
    let refused = ask::credentials(&mut visit, &asked, shown_as(&settings.auth), open);
    ask::steps(&mut visit, &asked, refused);
    if cut.is_none() && !refused {
        for (name, outcome) in connector.check().await {
            match outcome {
                Ok(seen) => visit.push(Step::new("check", name, State::Ok, seen)),
                Err(fault) => visit.fail("check", name, &fault),
            }
        }
    }
    can::steps(&mut visit, connector.as_ref(), &patient.guard, patient.id);
    paths::steps(&mut visit, connector.as_ref());
    let signed = matches!(settings.auth, AuthSettings::AccessKey { .. });
    budget::clock(&mut visit, way, signed, refused);
    budget::rate(&mut visit, way, service, &asked);
    visit
}

/// From here to the service: the identity service first where there is one. Gives the reason when the lists
/// can't be asked.
async fn reach(visit: &mut Visit, way: Option<Way<'_>>, settings: &Settings) -> Option<String> {
    let mut cut = None;
    let mut identity = None;
    if let Some(way) = way
        && let Some(Authenticator::Keystone(keystone)) = way.auth()
    {
        identity = Some(keystone.url().clone());
        if !route::IDENTITY.go(visit, keystone.url(), settings).await {
            let why = "the identity service can't be reached";
            visit.skip("login", "login", why);
            cut = Some(why.to_owned());
        } else {
            match keystone.token(way.http()).await {
                Ok(token) => {
                    let left = token.left().as_secs();
                    visit.push(
                        Step::new(
                            "login",
                            "login",
                            State::Ok,
                            format!(
                                "a token for project {}, valid for {}",
                                token.project_id,
                                budget::span(left)
                            ),
                        )
                        .with("project_id", token.project_id.as_str())
                        .with("valid_s", left),
                    );
                }
                Err(fault) => {
                    visit.fail("login", "login", &fault);
                    cut = Some("there is no login".to_owned());
                }
            }
        }
    }
    let base = match (&cut, way) {
        (None, Some(way)) => match way.base().await {
            Ok(url) => {
                let from = if settings.endpoint.is_some() {
                    "the configuration"
                } else {
                    "the identity service's catalog"
                };
                let shown = place_of("", url);
                visit.push(Step::new(
                    "address",
                    "address",
                    State::Ok,
                    format!("{shown} (from {from})"),
                ));
                visit.endpoint = Some(shown);
                Some(url.clone())
            }
            Err(fault) => {
                visit.fail("address", "address", &fault);
                return Some("the service's address is not known".to_owned());
            }
        },
        // without a login the configured address is still worth a look
        _ => settings
            .endpoint
            .as_deref()
            .and_then(|e| Url::parse(e).ok()),
    };
    let Some(base) = base else {
        visit.skip("address", "address", cut.as_deref().unwrap_or_default());
        return cut;
    };
    let same = identity.is_some_and(|i| {
        i.host() == base.host() && i.port_or_known_default() == base.port_or_known_default()
    });
    if !same && !route::SERVICE.go(visit, &base, settings).await {
        cut.get_or_insert_with(|| "the service can't be reached".to_owned());
    }
    cut
}

/// Where the secrets come from.
fn sources(auth: &AuthConfig) -> String {
    let found: Vec<String> = auth
        .sources()
        .map(|(name, source)| format!("{name} from {}", source.place()))
        .collect();
    if found.is_empty() {
        "no secret is needed".to_owned()
    } else {
        found.join(", ")
    }
}

/// What the service is shown, for the sentence "… accepted by the service".
const fn shown_as(auth: &AuthSettings) -> &'static str {
    match auth {
        AuthSettings::None => "nothing",
        AuthSettings::KeystonePassword { .. } | AuthSettings::KeystoneToken { .. } => {
            "the token is"
        }
        AuthSettings::AccessKey { .. } => "the signature is",
        AuthSettings::Basic { .. } => "user and password are",
        AuthSettings::Bearer { .. } => "the token is",
    }
}
