//! `[service.auth]`: how keepwatch proves who it is.

use std::path::Path;

use crate::connect::{AuthSettings, Secret};
use crate::model::Fault;
use crate::tomlread::Fields;

use super::secret::SecretSource;
use super::service::check_url;

const METHODS: [&str; 6] = [
    "keystone",
    "keystone-token",
    "aksk",
    "basic",
    "bearer",
    "none",
];

/// Credentials whose secrets are not fetched yet.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AuthConfig {
    /// One of the methods; empty means none.
    pub method: &'static str,
    /// Keystone's address.
    pub url: String,
    /// User name, for Keystone and basic.
    pub username: String,
    /// The domain of the user.
    pub user_domain: String,
    /// Project name.
    pub project: String,
    /// The domain of the project.
    pub project_domain: String,
    /// Project id; wins over the name.
    pub project_id: String,
    /// Access key id.
    pub access_key: String,
    /// Region of the signature.
    pub region: String,
    /// Dialect of the signature.
    pub dialect: String,
    /// The password, token or secret key.
    pub secret: Option<SecretSource>,
    /// The security token of temporary keys.
    pub security_token: Option<SecretSource>,
}

impl AuthConfig {
    /// Reads the table; what is wrong is noted.
    pub(super) fn read(fields: Fields<'_, '_>, base: &Path) -> Self {
        let mut auth = Self::default();
        if !fields.has("method") {
            fields.wrong(
                "method",
                "\"method\" of [service.auth] is missing",
                format!("Add method = one of {}", METHODS.join(", ")),
            );
            // what else stands here depends on the method: no use to complain about it
            return auth;
        }
        let Some(method) = fields.word("method", &METHODS) else {
            return auth;
        };
        auth.method = method;
        let text = |key| fields.text(key).unwrap_or_default();
        let secret_key = match method {
            "keystone" => {
                auth.url = fields
                    .needed_text("url", "\"https://iam.example/v3\"")
                    .unwrap_or_default();
                auth.username = fields
                    .needed_text("username", "\"operator\"")
                    .unwrap_or_default();
                auth.user_domain = fields
                    .filled_text("user_domain", "\"Default\"")
                    .unwrap_or_else(|| "Default".to_owned());
                Some("password")
            }
            "keystone-token" => {
                auth.url = fields
                    .needed_text("url", "\"https://iam.example/v3\"")
                    .unwrap_or_default();
                Some("token")
            }
            "aksk" => {
                auth.access_key = fields
                    .needed_text("access_key", "\"AK…\"")
                    .unwrap_or_default();
                auth.project_id = text("project_id");
                auth.region = text("region");
                auth.dialect = text("dialect");
                auth.security_token = SecretSource::read(&fields, "security_token", base);
                Some("secret_key")
            }
            "basic" => {
                auth.username = fields
                    .needed_text("username", "\"operator\"")
                    .unwrap_or_default();
                Some("password")
            }
            "bearer" => Some("token"),
            _ => None,
        };
        if method.starts_with("keystone") {
            if !auth.url.is_empty() {
                check_url(&fields, "url", Some(&auth.url));
            }
            auth.project = text("project");
            auth.project_domain = text("project_domain");
            auth.project_id = text("project_id");
            if auth.project.is_empty() && auth.project_id.is_empty() {
                fields.wrong(
                    "project",
                    "neither \"project\" nor \"project_id\" is given",
                    "Backups belong to a project: add project = \"NAME\" or project_id = \"ID\"",
                );
            }
        }
        if let Some(key) = secret_key {
            fields.asked(key);
            if !fields.has(key) {
                fields.wrong(
                    key,
                    format!("\"{key}\" of [service.auth] is missing"),
                    format!("Add {key} = {{ env = \"NAME\" }}"),
                );
            }
            auth.secret = SecretSource::read(&fields, key, base);
        }
        fields.finish();
        auth
    }

    /// The key under which the secret stands in the configuration.
    pub(super) fn secret_name(&self) -> &'static str {
        match self.method {
            "keystone-token" | "bearer" => "token",
            "aksk" => "secret_key",
            _ => "password",
        }
    }

    /// Whether a secret is written out in the configuration.
    pub(super) fn written_out(&self) -> Option<&'static str> {
        if matches!(self.secret, Some(SecretSource::Value(_))) {
            return Some(self.secret_name());
        }
        matches!(self.security_token, Some(SecretSource::Value(_))).then_some("security_token")
    }

    /// Each secret's name with where it comes from.
    pub fn sources(&self) -> impl Iterator<Item = (&'static str, &SecretSource)> {
        let secret = self.secret.as_ref().map(|s| (self.secret_name(), s));
        let token = self.security_token.as_ref().map(|s| ("security_token", s));
        secret.into_iter().chain(token)
    }

    /// The credentials with their secrets fetched. `service` is the service's name, for messages.
    ///
    /// # Errors
    /// A fault that says which secret can't be had.
    pub fn fetch(&self, service: &str) -> Result<AuthSettings, Fault> {
        let secret = match &self.secret {
            Some(source) => {
                source.fetch(&format!("{} of service {service}", self.secret_name()))?
            }
            None => Secret::default(),
        };
        Ok(match self.method {
            "keystone" => AuthSettings::KeystonePassword {
                url: self.url.clone(),
                username: self.username.clone(),
                password: secret,
                user_domain: self.user_domain.clone(),
                project: self.project.clone(),
                project_domain: self.project_domain.clone(),
                project_id: self.project_id.clone(),
            },
            "keystone-token" => AuthSettings::KeystoneToken {
                url: self.url.clone(),
                token: secret,
                project: self.project.clone(),
                project_domain: self.project_domain.clone(),
                project_id: self.project_id.clone(),
            },
            "aksk" => AuthSettings::AccessKey {
                access_key: self.access_key.clone(),
                secret_key: secret,
                security_token: self
                    .security_token
                    .as_ref()
                    .map(|s| s.fetch(&format!("security_token of service {service}")))
                    .transpose()?,
                project_id: self.project_id.clone(),
                region: self.region.clone(),
                dialect: self.dialect.clone(),
            },
            "basic" => AuthSettings::Basic {
                username: self.username.clone(),
                password: secret,
            },
            "bearer" => AuthSettings::Bearer { token: secret },
            _ => AuthSettings::None,
        })
    }
}
