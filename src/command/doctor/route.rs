//! Name, connection and TLS of one address.

use std::time::Duration;

use reqwest::Url;
use serde_json::json;

use crate::connect::Settings;
use crate::connect::probe::{Address, Certificate, Shaken};
use crate::model::Timestamp;

use super::step::{State, Step};
use super::visit::Visit;

/// The longest wait for one of these steps; a shorter timeout of the service wins.
const LIMIT: Duration = Duration::from_secs(10);
/// A certificate that ends within so many days is worth a look.
const SOON_DAYS: i64 = 30;
const DAY_MS: i64 = 86_400_000;

/// Which address is looked at: the words before the steps' names, and their ids.
pub struct Leg {
    prefix: &'static str,
    name: &'static str,
    connection: &'static str,
    tls: &'static str,
}

/// To the identity service.
pub const IDENTITY: Leg = Leg {
    prefix: "identity ",
    name: "identity-name",
    connection: "identity-connection",
    tls: "identity-tls",
};

/// To the service itself.
pub const SERVICE: Leg = Leg {
    prefix: "",
    name: "name",
    connection: "connection",
    tls: "tls",
};

impl Leg {
    fn called(&self, what: &str) -> String {
        format!("{}{what}", self.prefix)
    }

    /// Goes to `url` as far as it gets; true when the connection stands.
    pub async fn go(&self, visit: &mut Visit, url: &Url, settings: &Settings) -> bool {
        let limit = LIMIT.min(Duration::from_millis(settings.timeout_ms.max(1)));
        let address = match Address::of(url) {
            Ok(address) => address,
            Err(fault) => {
                visit.fail(self.name, self.called("name"), &fault);
                self.skip_from_connection(visit, url, "the address is none");
                return false;
            }
        };
        let found = match address.resolve(limit).await {
            Ok(found) => found,
            Err(fault) => {
                visit.fail(self.name, self.called("name"), &fault);
                self.skip_from_connection(visit, url, "the name has no address");
                return false;
            }
        };
        let numbers: Vec<String> = found.iter().map(|a| a.ip().to_string()).collect();
        let mut named = if address.is_number() {
            format!("{}: a number, nothing to look up", address.host)
        } else {
            format!("{} is {}", address.host, numbers.join(", "))
        };
        if let Some(proxy) = &address.proxy {
            named.push_str(&format!(
                " (the proxy {proxy}, which the environment names)"
            ));
        }
        visit.push(
            Step::new(self.name, self.called("name"), State::Ok, named)
                .with("host", address.host.as_str())
                .with("addresses", json!(numbers))
                .with("proxy", json!(address.proxy)),
        );
        let connected = match address.connect(&found, limit).await {
            Ok(connected) => connected,
            Err(fault) => {
                visit.fail(self.connection, self.called("connection"), &fault);
                if address.tls.is_some() {
                    visit.skip(self.tls, self.called("TLS"), "there is no connection");
                }
                return false;
            }
        };
        let took = u64::try_from(connected.took.as_millis()).unwrap_or(u64::MAX);
        visit.push(
            Step::new(
                self.connection,
                self.called("connection"),
                State::Ok,
                format!("{} answered in {took} ms", connected.to),
            )
            .with("address", connected.to.to_string())
            .with("took_ms", took),
        );
        if address.tls.is_none() {
            return true;
        }
        if address.proxy.is_some() {
            visit.skip(
                self.tls,
                self.called("TLS"),
                "a proxy stands in between: a wrong certificate shows in the steps below",
            );
            return true;
        }
        let shaken = address.shake(connected.stream, settings, limit).await;
        self.judge(visit, &shaken, settings)
    }

    fn judge(&self, visit: &mut Visit, shaken: &Shaken, settings: &Settings) -> bool {
        let certificate = shaken.certificate.as_ref().and_then(|c| c.as_ref().ok());
        let shown = match &shaken.certificate {
            None => String::new(),
            Some(Err(why)) => format!("its certificate can't be read: {why}"),
            Some(Ok(certificate)) => describe(certificate),
        };
        let mut step = match &shaken.outcome {
            Err(fault) => {
                let mut step = visit.failure(self.tls, self.called("TLS"), fault);
                if !shown.is_empty() {
                    step.detail.push_str(&format!(". The server shows {shown}"));
                }
                if let Some(certificate) = certificate {
                    step = step.with_remedy(format!(
                        "The certificate's SHA-256 is {}: compare it with its owner before you pin it.",
                        certificate.sha256
                    ));
                }
                step
            }
            Ok(version) => {
                let by = trusted_by(settings);
                let detail = format!("{version}; {shown}; trusted by {by}");
                Step::new(self.tls, self.called("TLS"), State::Ok, detail).with("version", *version)
            }
        };
        if let Some(certificate) = certificate {
            let days = days_left(certificate);
            if step.state == State::Ok && days < SOON_DAYS {
                step.state = State::Warning;
                step = step.with_remedy(if settings.tls.pin_sha256.is_some() {
                    "The pin takes it whatever its dates; when it is renewed, pin_sha256 has to change with it."
                } else {
                    "Have the certificate renewed: from its last day on the service can't be reached."
                });
            }
            step = step
                .with("subject", certificate.subject.as_str())
                .with("issuer", certificate.issuer.as_str())
                .with("names", json!(certificate.names))
                .with("not_before", certificate.not_before.rfc3339())
                .with("not_after", certificate.not_after.rfc3339())
                .with("sha256", certificate.sha256.as_str())
                .with("certificates_sent", shaken.chain);
        }
        let ok = step.state != State::Failed;
        visit.push(step);
        ok
    }

    fn skip_from_connection(&self, visit: &mut Visit, url: &Url, why: &str) {
        visit.skip(self.connection, self.called("connection"), why);
        if url.scheme() == "https" {
            visit.skip(self.tls, self.called("TLS"), why);
        }
    }
}

fn trusted_by(settings: &Settings) -> String {
    match (&settings.tls.pin_sha256, &settings.tls.ca_file) {
        (Some(_), _) => "pin_sha256".to_owned(),
        (None, Some(file)) => format!("ca_file {} or this system's authorities", file.display()),
        (None, None) => "this system's authorities".to_owned(),
    }
}

fn days_left(certificate: &Certificate) -> i64 {
    certificate.not_after.since(Timestamp::now()) / DAY_MS
}

/// A certificate in a line.
fn describe(certificate: &Certificate) -> String {
    let names = if certificate.names.is_empty() {
        certificate.subject.clone()
    } else {
        certificate.names.join(", ")
    };
    let signed = if certificate.is_self_signed() {
        "signed by itself".to_owned()
    } else {
        format!("signed by {}", certificate.issuer)
    };
    let day = |at: Timestamp| {
        at.utc()
            .map_or_else(String::new, |t| t.format("%Y-%m-%d").to_string())
    };
    let days = days_left(certificate);
    let dates = if certificate.not_before > Timestamp::now() {
        format!("not valid before {}", day(certificate.not_before))
    } else if days < 0 || certificate.not_after < Timestamp::now() {
        format!("expired on {}", day(certificate.not_after))
    } else {
        format!("until {} ({days} days)", day(certificate.not_after))
    };
    format!("a certificate for {names}, {signed}, {dates}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_told_with_its_end() {
        let now = Timestamp::now();
        let of = |from: i64, to: i64, issuer: &str| {
            describe(&Certificate {
                subject: "CN=a".into(),
                issuer: issuer.into(),
                names: Vec::new(),
                not_before: now.plus(from * DAY_MS),
                not_after: now.plus(to * DAY_MS + 60_000),
                sha256: String::new(),
            })
        };
        assert!(of(-9, 12, "CN=b").starts_with("a certificate for CN=a, signed by CN=b, until "));
        assert!(of(-9, 12, "CN=b").ends_with("(12 days)"));
        assert!(of(-9, -3, "CN=a").contains("signed by itself, expired on "));
        assert!(of(2, 3, "CN=b").contains("not valid before "));
    }
}
