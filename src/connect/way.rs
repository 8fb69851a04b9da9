//! How a connector reaches its service: for looking at the way without knowing the vendor.

use reqwest::Url;

use super::auth::Authenticator;
use super::http::Http;
use super::session::Session;
use crate::model::Fault;

/// The client and the address of one service.
#[derive(Clone, Copy, Debug)]
pub enum Way<'a> {
    /// Through the shared session.
    Session(&'a Session),
    /// A client of the connector's own, which signs by itself.
    Direct {
        /// The HTTP client.
        http: &'a Http,
        /// The base address.
        base: &'a Url,
    },
}

impl<'a> Way<'a> {
    /// The HTTP client.
    #[must_use]
    pub const fn http(self) -> &'a Http {
        match self {
            Self::Session(session) => session.http(),
            Self::Direct { http, .. } => http,
        }
    }

    /// The shared ways of proving who we are; `None` for a connector that signs by itself.
    #[must_use]
    pub const fn auth(self) -> Option<&'a Authenticator> {
        match self {
            Self::Session(session) => Some(session.auth()),
            Self::Direct { .. } => None,
        }
    }

    /// The base address; may log in to find it.
    ///
    /// # Errors
    /// As [`Session::base`].
    pub async fn base(self) -> Result<&'a Url, Fault> {
        match self {
            Self::Session(session) => session.base().await,
            Self::Direct { base, .. } => Ok(base),
        }
    }
}
