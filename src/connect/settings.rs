//! What a connector needs to know of one configured service. Filled by the configuration.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::model::{Kind, ServiceId};

/// A secret: never shown, never logged, compared by nobody.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself; only authentication code calls this.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// How keepwatch proves who it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AuthSettings {
    /// Nothing to prove.
    None,
    /// OpenStack Keystone v3, password method.
    KeystonePassword {
        /// `https://iam.example/v3`.
        url: String,
        /// User name.
        username: String,
        /// Password.
        password: Secret,
        /// Domain of the user (name).
        user_domain: String,
        /// Project: name, or id where `project_id` is given.
        project: String,
        /// Domain of the project (name); the user's where empty.
        project_domain: String,
        /// Project id; wins over the name.
        project_id: String,
    },
    /// OpenStack Keystone v3, token method: an existing token is exchanged for one of the project.
    KeystoneToken {
        /// `https://iam.example/v3`.
        url: String,
        /// The token to begin with.
        token: Secret,
        /// Project name.
        project: String,
        /// Domain of the project (name).
        project_domain: String,
        /// Project id; wins over the name.
        project_id: String,
    },
    /// Access key and secret key (Huawei/OTC request signing, Alibaba signatures).
    AccessKey {
        /// Access key id.
        access_key: String,
        /// Secret key.
        secret_key: Secret,
        /// Security token of temporary keys.
        security_token: Option<Secret>,
        /// Project id that goes into paths and headers, where the service has one.
        project_id: String,
        /// Region, where the signature or the endpoint needs it.
        region: String,
        /// Dialect of the signature; empty takes the kind's current one.
        dialect: String,
    },
    /// HTTP basic.
    Basic {
        /// User name.
        username: String,
        /// Password.
        password: Secret,
    },
    /// A bearer token or API key.
    Bearer {
        /// The token.
        token: Secret,
    },
}

/// TLS settings of one service.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TlsSettings {
    /// A PEM file with the certificate authority to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// SHA-256 of the one certificate to accept, hex, colons allowed.
    pub pin_sha256: Option<String>,
}

/// Everything a connector needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// The dense number of the service.
    pub id: ServiceId,
    /// The user's name for it.
    pub name: Arc<str>,
    /// The product.
    pub kind: Kind,
    /// Base URL, `{project_id}` allowed; `None` takes it from the Keystone catalog.
    pub endpoint: Option<String>,
    /// How keepwatch proves who it is.
    pub auth: AuthSettings,
    /// TLS.
    pub tls: TlsSettings,
    /// Region to choose in the Keystone catalog; empty takes the only or first one.
    pub region: String,
    /// Requests a minute that this service may get from us; the kind's default where `None`.
    pub rate_per_minute: Option<u32>,
    /// Milliseconds until an answer must have begun.
    pub timeout_ms: u64,
    /// The largest answer taken, in bytes.
    pub max_body: usize,
    /// How many hours of history are wanted on the first round.
    pub history_hours: u32,
    /// Kind-specific options, as the user wrote them.
    pub options: BTreeMap<String, String>,
}
