//! Proving who we are: Keystone tokens, request signing, and the plain ways.

mod catalog;
mod keystone;
mod signing;

pub use catalog::CatalogEntry;
pub use keystone::{Keystone, Token};
pub use signing::{Dialect, Signed, Signer};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, HeaderName};

use super::http::{Http, Request};
use super::settings::{AuthSettings, Secret, Settings};
use crate::model::{Fault, FaultKind, Timestamp};

/// How one service is convinced, chosen by the configuration.
#[derive(Debug)]
pub enum Authenticator {
    /// Nothing to prove.
    Open,
    /// A Keystone v3 token in `X-Auth-Token`.
    Keystone(Box<Keystone>),
    /// Huawei's request signature.
    Signed(Box<Signer>),
    /// A fixed `Authorization` header.
    Header(Secret),
}

/// Which credentials a request was proven with, so that a refusal is counted against the right ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Proof(u64);

/// Beyond this difference of clocks, in milliseconds, signatures are dated by the service's clock.
const SKEW_MS: i64 = 300_000;

impl Authenticator {
    /// Builds it from a service's settings; talks to nobody.
    ///
    /// # Errors
    /// A [`FaultKind::Config`] fault for an address that is none, a missing project, an unknown dialect.
    pub fn open(settings: &Settings) -> Result<Self, Fault> {
        let place = || format!("service {}", settings.name);
        Ok(match &settings.auth {
            AuthSettings::None => Self::Open,
            AuthSettings::KeystonePassword { .. } | AuthSettings::KeystoneToken { .. } => {
                Self::Keystone(Box::new(Keystone::open(settings)?))
            }
            AuthSettings::AccessKey {
                access_key,
                secret_key,
                security_token,
                project_id,
                region,
                dialect,
            } => {
                let dialect = match dialect.as_str() {
                    "" | "plain" => Dialect::Plain,
                    "scoped" => Dialect::Scoped {
                        region: region.clone(),
                        service: settings
                            .options
                            .get("sign_service")
                            .cloned()
                            .unwrap_or_default(),
                    },
                    other => {
                        return Err(Fault::new(
                            FaultKind::Config,
                            format!("'{other}' is not a signature dialect of this kind"),
                            place(),
                            "Write dialect = \"plain\" (current) or dialect = \"scoped\" (older).",
                        ));
                    }
                };
                if access_key.is_empty() || secret_key.expose().is_empty() {
                    return Err(Fault::new(
                        FaultKind::Config,
                        "access_key or secret_key is empty",
                        place(),
                        "Give both keys; a secret may come from a file, a command or the environment.",
                    ));
                }
                Self::Signed(Box::new(Signer::new(
                    access_key.clone(),
                    secret_key.clone(),
                    security_token.clone(),
                    project_id.clone(),
                    dialect,
                )))
            }
            AuthSettings::Basic { username, password } => {
                let pair = STANDARD.encode(format!("{username}:{}", password.expose()));
                Self::Header(Secret::new(format!("Basic {pair}")))
            }
            AuthSettings::Bearer { token } => {
                Self::Header(Secret::new(format!("Bearer {}", token.expose())))
            }
        })
    }

    /// Adds the proof to a request that is otherwise complete; logs in first where that is due.
    ///
    /// # Errors
    /// Why there is no proof: the login failed, or failed before and is not tried again.
    pub async fn prove(&self, http: &Http, request: &mut Request) -> Result<Proof, Fault> {
        match self {
            Self::Open => Ok(Proof(0)),
            Self::Header(value) => {
                request.set(AUTHORIZATION, value.expose(), true)?;
                Ok(Proof(0))
            }
            Self::Signed(signer) => {
                signer.sign(request, signing_time(http))?;
                Ok(Proof(0))
            }
            Self::Keystone(keystone) => {
                let token = keystone.token(http).await?;
                request.set(
                    HeaderName::from_static("x-auth-token"),
                    token.value.expose(),
                    true,
                )?;
                Ok(Proof(token.generation))
            }
        }
    }

    /// Told that the service took the proof.
    pub fn accepted(&self, proof: Proof) {
        if let Self::Keystone(keystone) = self {
            keystone.accepted(proof.0);
        }
    }

    /// Told that the service answered 401. True when one more try with new credentials makes sense.
    pub async fn refused(&self, http: &Http, proof: Proof) -> bool {
        match self {
            Self::Keystone(keystone) => keystone.refused(proof.0).await,
            // The refusal told us the service's time, which the next signature will carry.
            Self::Signed(_) => http
                .clock()
                .is_some_and(|(theirs, ours)| theirs.since(ours).abs() > SKEW_MS),
            Self::Open | Self::Header(_) => false,
        }
    }
}

/// Our clock, or the service's where the two are so far apart that it would refuse ours.
fn signing_time(http: &Http) -> Timestamp {
    let now = Timestamp::now();
    match http.clock() {
        Some((theirs, ours)) if theirs.since(ours).abs() > SKEW_MS => now.plus(theirs.since(ours)),
        _ => now,
    }
}
