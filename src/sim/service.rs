//! How a running service introduces itself: the ready line (JSON) and its block in a configuration file (TOML).

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::tls::Certificate;

/// One setting of a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthValue {
    /// Shown as it is.
    Text(String),
    /// A secret: in a configuration `{ value = "…" }`, which is allowed for the demo alone.
    Secret(String),
}

/// How to log in to a service, and what else a client must know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthLine {
    /// `keystone`, `aksk`, `basic`, `token`, `none` …
    pub method: &'static str,
    /// The settings that the method needs, in the order in which they are written.
    pub fields: Vec<(&'static str, AuthValue)>,
    /// Settings of the kind alone, `[service.options]` in a configuration.
    pub options: Vec<(&'static str, String)>,
    /// Requests a minute that the service bears, where that is more than its kind does as a rule.
    pub rate: Option<u32>,
    /// The certificate that the service shows, where it speaks TLS.
    pub certificate: Option<&'static Certificate>,
}

impl AuthLine {
    /// A login that needs nothing but its method's name.
    #[must_use]
    pub fn new(method: &'static str) -> Self {
        Self {
            method,
            fields: Vec::new(),
            options: Vec::new(),
            rate: None,
            certificate: None,
        }
    }

    /// The same with one more setting.
    #[must_use]
    pub fn text(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((name, AuthValue::Text(value.into())));
        self
    }

    /// The same with one more secret.
    #[must_use]
    pub fn secret(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((name, AuthValue::Secret(value.into())));
        self
    }

    /// The same with one more setting of the kind alone.
    #[must_use]
    pub fn option(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.options.push((name, value.into()));
        self
    }

    /// The same of a service that bears so many requests a minute.
    #[must_use]
    pub fn bears(mut self, requests_per_minute: u32) -> Self {
        self.rate = Some(requests_per_minute);
        self
    }

    /// The same over TLS, with this certificate.
    #[must_use]
    pub fn shows(mut self, certificate: &'static Certificate) -> Self {
        self.certificate = Some(certificate);
        self
    }
}

/// One running service, as a client needs to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceLine {
    /// The kind; `keystone` for the identity service.
    pub kind: &'static str,
    /// The service's name.
    pub name: String,
    /// The port on 127.0.0.1.
    pub port: u16,
    /// The endpoint for a client's configuration; may hold `{project_id}`, which the client fills in.
    pub endpoint: String,
    /// How to log in.
    pub auth: AuthLine,
}

impl ServiceLine {
    /// The ready line: `{"kind","name","endpoint","auth":{"method",…}}`, with `options` and `tls` where there are any.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut auth = Map::new();
        auth.insert("method".into(), self.auth.method.into());
        for (name, value) in &self.auth.fields {
            let (AuthValue::Text(text) | AuthValue::Secret(text)) = value;
            auth.insert((*name).to_owned(), text.as_str().into());
        }
        let mut line = serde_json::json!({
            "kind": self.kind, "name": self.name, "endpoint": self.endpoint, "auth": auth,
        });
        if !self.auth.options.is_empty() {
            line["options"] = self
                .auth
                .options
                .iter()
                .map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str())))
                .collect::<Map<String, Value>>()
                .into();
        }
        if let Some(certificate) = self.auth.certificate {
            line["tls"] = serde_json::json!({"pin_sha256": certificate.fingerprint()});
        }
        line
    }

    /// Its `[[service]]` block.
    fn to_toml(&self, out: &mut String) {
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "[[service]]\nname = {}\nkind = {}\nendpoint = {}",
            quoted(&self.name),
            quoted(self.kind),
            quoted(&self.endpoint),
        );
        if let Some(rate) = self.auth.rate {
            let _ = writeln!(out, "rate_per_minute = {rate}");
        }
        let _ = writeln!(out, "[service.auth]\nmethod = {}", quoted(self.auth.method));
        for (name, value) in &self.auth.fields {
            let _ = match value {
                AuthValue::Text(text) => writeln!(out, "{name} = {}", quoted(text)),
                AuthValue::Secret(text) => {
                    writeln!(out, "{name} = {{ value = {} }}", quoted(text))
                }
            };
        }
        if let Some(certificate) = self.auth.certificate {
            let _ = writeln!(
                out,
                "[service.tls]\npin_sha256 = {}",
                quoted(&certificate.fingerprint())
            );
        }
        if !self.auth.options.is_empty() {
            out.push_str("[service.options]\n");
        }
        for (name, value) in &self.auth.options {
            let _ = writeln!(out, "{name} = {}", quoted(value));
        }
    }
}

/// A configuration with one block for each backup service among `lines`.
#[must_use]
pub fn config_toml(lines: &[ServiceLine]) -> String {
    let mut out = String::from(
        "# The embedded demo services of keepwatch. The passwords below open nothing else.\n",
    );
    for line in lines.iter().filter(|line| line.kind != "keystone") {
        out.push('\n');
        line.to_toml(&mut out);
    }
    out
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_shapes_read_back() {
        let line = ServiceLine {
            kind: "csbs",
            name: "otc \"eu\"\n".into(),
            port: 1,
            endpoint: "http://127.0.0.1:1/v1/{project_id}".into(),
            auth: AuthLine::new("keystone")
                .text("username", "operator")
                .secret("password", "p")
                .option("account", "a \"b\"")
                .bears(9)
                .shows(&crate::sim::tls::SELF_SIGNED),
        };
        let config: toml::Table = config_toml(std::slice::from_ref(&line))
            .parse()
            .expect("valid TOML");
        let service = &config["service"][0];
        assert_eq!(service["name"].as_str(), Some("otc \"eu\"\n"));
        assert_eq!(service["rate_per_minute"].as_integer(), Some(9));
        assert_eq!(service["auth"]["method"].as_str(), Some("keystone"));
        assert_eq!(service["auth"]["password"]["value"].as_str(), Some("p"));
        assert_eq!(service["options"]["account"].as_str(), Some("a \"b\""));
        assert_eq!(
            service["tls"]["pin_sha256"].as_str(),
            line.to_json()["tls"]["pin_sha256"].as_str()
        );
        assert_eq!(line.to_json()["auth"]["password"], "p");
        assert_eq!(line.to_json()["options"]["account"], "a \"b\"");
    }
}
