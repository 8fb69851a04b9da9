//! `[[service]]`: one configured account on one backup product.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use reqwest::Url;

use crate::connect::{Settings, TlsSettings};
use crate::model::{Fault, Kind, Service, ServiceId, Verb};
use crate::tomlread::{Fields, one_of};

use super::auth::AuthConfig;
use super::paths;

/// One service as configured; its secrets are fetched by [`ServiceConfig::settings`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServiceConfig {
    /// The user's name for it, unique.
    pub name: Arc<str>,
    /// The product.
    pub kind: Kind,
    /// Base URL; `None` takes it from the Keystone catalog.
    pub endpoint: Option<String>,
    /// Region to choose in the Keystone catalog; may be empty.
    pub region: String,
    /// Credentials.
    pub auth: AuthConfig,
    /// TLS.
    pub tls: TlsSettings,
    /// Requests a minute; the kind's own default where `None`.
    pub rate_per_minute: Option<u32>,
    /// Milliseconds until an answer must have begun.
    pub timeout_ms: u64,
    /// The largest answer taken, in bytes.
    pub max_body: usize,
    /// Hours of history wanted on the first round.
    pub history_hours: u32,
    /// Milliseconds between two rounds of questions for what runs or is new; the kind's own pace where `None`.
    pub every_ms: Option<u64>,
    /// Nothing but reads.
    pub read_only: bool,
    /// Only these verbs, where given.
    pub allow: Option<Vec<Verb>>,
    /// Kind-specific options.
    pub options: BTreeMap<String, String>,
}

impl ServiceConfig {
    /// A service with the defaults for everything that may be left out.
    #[must_use]
    pub fn new(name: &str, kind: Kind) -> Self {
        Self {
            name: name.into(),
            kind,
            endpoint: None,
            region: String::new(),
            auth: AuthConfig::default(),
            tls: TlsSettings::default(),
            rate_per_minute: None,
            timeout_ms: 30_000,
            max_body: 32 * 1024 * 1024,
            history_hours: 7 * 24,
            every_ms: None,
            read_only: false,
            allow: None,
            options: BTreeMap::new(),
        }
    }

    /// Reads one table; what is wrong is noted. `None` when it has no usable name or kind.
    pub(super) fn read(fields: Fields<'_, '_>, kinds: &[Kind], base: &Path) -> Option<Self> {
        let name = fields.needed_text("name", "\"otc-eu\"");
        if name
            .as_ref()
            .is_some_and(|n| n.chars().any(char::is_control) || n.trim() != n || n.len() > 80)
        {
            fields.wrong(
                "name",
                "\"name\" of [[service]] is too long, begins or ends blank, or holds control characters",
                "Choose a short name, for instance \"otc-eu\"",
            );
        }
        let kind = read_kind(&fields, kinds);
        let mut service = Self::new(
            name.as_deref().unwrap_or_default(),
            kind.unwrap_or(Kind("")),
        );
        service.endpoint =
            fields.filled_text("endpoint", "\"https://csbs.example/v1/{project_id}\"");
        check_url(&fields, "endpoint", service.endpoint.as_deref());
        service.region = fields.text("region").unwrap_or_default();
        let written_out_at = match fields.table("auth", "[service.auth]") {
            Some(auth) => {
                let places = ["password", "token", "secret_key", "security_token"]
                    .map(|key| (key, auth.span_of(key)));
                service.auth = AuthConfig::read(auth, base);
                service
                    .auth
                    .written_out()
                    .and_then(|key| places.into_iter().find(|(k, _)| *k == key))
            }
            None => {
                if !fields.has("auth") {
                    fields.wrong(
                        "auth",
                        "[service.auth] is missing",
                        "Add it below this service; method = \"none\" if it takes no credentials",
                    );
                }
                None
            }
        };
        if let Some((key, span)) = written_out_at
            && !service.is_on_loopback()
        {
            fields.note(
                &span,
                format!("\"{key}\" is written out in the configuration"),
                "Only the demo services on this machine may have { value = … }; use { env = \"NAME\" }, \
                 { file = \"PATH\" } or { command = [\"program\", \"argument\"] }",
            );
        }
        service.read_rest(&fields, base);
        fields.finish();
        (name.is_some() && kind.is_some()).then_some(service)
    }

    fn read_rest(&mut self, fields: &Fields<'_, '_>, base: &Path) {
        if let Some(tls) = fields.table("tls", "[service.tls]") {
            self.tls.ca_file = tls
                .filled_text("ca_file", "\"/etc/ssl/our-ca.pem\"")
                .map(|p| paths::resolve(&p, base));
            self.tls.pin_sha256 = tls.filled_text("pin_sha256", "\"AB:CD:…\"");
            if let Some(pin) = &self.tls.pin_sha256 {
                let digits = pin.chars().filter(|c| *c != ':').collect::<Vec<_>>();
                if digits.len() != 64 || !digits.iter().all(char::is_ascii_hexdigit) {
                    tls.wrong(
                        "pin_sha256",
                        "\"pin_sha256\" is no SHA-256",
                        "Expected 64 hexadecimal digits, colons allowed",
                    );
                }
            }
            tls.finish();
        }
        self.rate_per_minute = fields
            .whole("rate_per_minute", 1..=100_000)
            .and_then(|n| u32::try_from(n).ok());
        if let Some(ms) = fields.duration_within("timeout", 100..=600_000) {
            self.timeout_ms = ms;
        }
        if let Some(bytes) = fields.size_bytes("max_body", 64 * 1024..=1 << 30) {
            self.max_body = bytes;
        }
        if let Some(ms) = fields.duration_within("history", 3_600_000..=366 * 86_400_000) {
            self.history_hours = u32::try_from(ms.div_ceil(3_600_000)).unwrap_or(u32::MAX);
        }
        self.every_ms = fields.duration_within("every", 1_000..=86_400_000);
        self.read_only = fields.flag("read_only").unwrap_or(false);
        self.allow = fields.texts("allow").map(|words| {
            words
                .iter()
                .filter_map(|word| {
                    let verb = Verb::ALL.into_iter().find(|v| v.word() == word);
                    if verb.is_none() {
                        let known = Verb::ALL.map(Verb::word);
                        fields.wrong(
                            "allow",
                            format!("\"{word}\" in \"allow\" is no action"),
                            one_of(word, &known),
                        );
                    }
                    verb
                })
                .collect()
        });
        if let Some(options) = fields.table("options", "[service.options]") {
            self.options = options.free_texts().into_iter().collect();
        }
    }

    /// Whether everything that this service talks to is on this machine.
    #[must_use]
    pub fn is_on_loopback(&self) -> bool {
        let mut places = self
            .endpoint
            .iter()
            .chain(Some(&self.auth.url).filter(|u| !u.is_empty()))
            .peekable();
        places.peek().is_some()
            && places.all(|place| {
                Url::parse(place).is_ok_and(|url| match url.host_str() {
                    Some("localhost" | "[::1]") => true,
                    Some(host) => host
                        .parse::<std::net::Ipv4Addr>()
                        .is_ok_and(|ip| ip.is_loopback()),
                    None => false,
                })
            })
    }

    /// What a connector needs, with the secrets fetched now.
    ///
    /// # Errors
    /// A fault that says which secret can't be had; the other services are not concerned.
    pub fn settings(&self, id: ServiceId) -> Result<Settings, Fault> {
        Ok(Settings {
            id,
            name: Arc::clone(&self.name),
            kind: self.kind,
            endpoint: self.endpoint.clone(),
            auth: self.auth.fetch(&self.name)?,
            tls: self.tls.clone(),
            region: self.region.clone(),
            rate_per_minute: self.rate_per_minute,
            timeout_ms: self.timeout_ms,
            max_body: self.max_body,
            history_hours: self.history_hours,
            options: self.options.clone(),
        })
    }

    /// The service as the store and the screens know it.
    #[must_use]
    pub fn service(&self, id: ServiceId, embedded: bool) -> Service {
        Service {
            id,
            name: Arc::clone(&self.name),
            kind: self.kind,
            embedded,
            read_only: self.read_only,
        }
    }
}

fn read_kind(fields: &Fields<'_, '_>, kinds: &[Kind]) -> Option<Kind> {
    let word = fields.needed_text("kind", "\"csbs\"")?;
    let kind = kinds.iter().find(|k| k.name() == word).copied();
    if kind.is_none() {
        let known: Vec<&str> = kinds.iter().map(|k| k.name()).collect();
        fields.wrong(
            "kind",
            format!("\"kind\" of [[service]] is \"{word}\", which keepwatch does not know"),
            one_of(&word, &known),
        );
    }
    kind
}

/// Notes what no client could use, and credentials inside an address.
pub(super) fn check_url(fields: &Fields<'_, '_>, key: &str, text: Option<&str>) {
    let Some(text) = text else {
        return;
    };
    const EXPECTED: &str = "Expected an address such as https://host/path";
    match Url::parse(text) {
        Ok(url) if !url.username().is_empty() || url.password().is_some() => fields.wrong(
            key,
            format!("{} holds credentials", fields.name(key)),
            "Take them out of the address and write them in [service.auth]",
        ),
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {}
        Ok(_) => fields.wrong(
            key,
            format!("{} is no web address", fields.name(key)),
            EXPECTED,
        ),
        Err(e) => fields.wrong(
            key,
            format!("{} is no web address: {e}", fields.name(key)),
            EXPECTED,
        ),
    }
}
