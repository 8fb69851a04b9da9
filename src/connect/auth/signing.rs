//! Huawei's and OTC's request signature, `SDK-HMAC-SHA256`, in both header forms that share this name.
//!
//! Sources: API request signing guide of the API Gateway product (algorithm and example), and the signers of
//! the vendor's SDKs: the plain form is that of the current ones, the scoped form that of the older Go and
//! Python ones.

use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName};
use sha2::{Digest, Sha256};

use crate::connect::http::{Request, place_of};
use crate::connect::settings::Secret;
use crate::model::{Fault, FaultKind, Timestamp};

const ALGORITHM: &str = "SDK-HMAC-SHA256";
/// RFC 3986: everything but letters, digits and `-_.~` is encoded.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// The two header forms.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// `Access=…`; the secret key signs; the project header is signed.
    Plain,
    /// `Credential=…/date/region/service/sdk_request`; a derived key signs; the project header is added
    /// after signing. Region and service may be empty, as the Go SDKs leave them.
    Scoped {
        /// Region of the scope.
        region: String,
        /// Service of the scope.
        service: String,
    },
}

/// Signs requests with one pair of keys.
#[derive(Debug)]
pub struct Signer {
    access_key: String,
    secret_key: Secret,
    security_token: Option<Secret>,
    project_id: String,
    dialect: Dialect,
}

/// What a signature is made of, for tests and for `doctor`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signed {
    /// Hex SHA-256 of the canonical request.
    pub canonical_sha256: String,
    /// Hex signature.
    pub signature: String,
    /// The value of the `Authorization` header.
    pub authorization: String,
}

impl Signer {
    /// A signer; `project_id` may be empty.
    #[must_use]
    pub const fn new(
        access_key: String,
        secret_key: Secret,
        security_token: Option<Secret>,
        project_id: String,
        dialect: Dialect,
    ) -> Self {
        Self {
            access_key,
            secret_key,
            security_token,
            project_id,
            dialect,
        }
    }

    /// The project whose id goes into paths and headers.
    #[must_use]
    pub fn project_id(&self) -> &str {
        &self.project_id
    }

    /// Adds date, project, temporary key's token and signature to a request that is otherwise complete.
    ///
    /// # Errors
    /// A [`FaultKind::Config`] fault when a key can't stand in a header or the address has no host.
    pub fn sign(&self, request: &mut Request, now: Timestamp) -> Result<Signed, Fault> {
        let date = now
            .utc()
            .map(|t| t.format("%Y%m%dT%H%M%SZ").to_string())
            .unwrap_or_default();
        let host = host_of(&request.url).ok_or_else(|| {
            Fault::new(
                FaultKind::Config,
                "the address has no host to sign for",
                place_of(request.method.as_str(), &request.url),
                "Give the endpoint as https://host.",
            )
        })?;
        request.set(HeaderName::from_static("x-sdk-date"), &date, false)?;
        if let Some(token) = &self.security_token {
            let name = HeaderName::from_static("x-security-token");
            request.set(name, token.expose(), true)?;
        }
        let project = HeaderName::from_static("x-project-id");
        let plain = self.dialect == Dialect::Plain;
        if plain && !self.project_id.is_empty() {
            request.set(project.clone(), &self.project_id, false)?;
        }
        let mut headers = vec![("host", host)];
        for name in [
            CONTENT_TYPE.as_str(),
            "x-project-id",
            "x-sdk-date",
            "x-security-token",
        ] {
            if let Some(value) = request.headers.get(name).and_then(|v| v.to_str().ok()) {
                headers.push((name, value.trim().to_owned()));
            }
        }
        headers.sort_unstable();
        let signed = self.compute(
            request.method.as_str(),
            &request.url,
            &headers,
            &request.body,
            &date,
        );
        request.set(AUTHORIZATION, &signed.authorization, true)?;
        if !plain && !self.project_id.is_empty() {
            request.set(project, &self.project_id, false)?;
        }
        Ok(signed)
    }

    /// The signature over the given headers (lower-case names, sorted).
    fn compute(
        &self,
        method: &str,
        url: &Url,
        headers: &[(&str, String)],
        body: &[u8],
        date: &str,
    ) -> Signed {
        let names = headers
            .iter()
            .map(|(n, _)| *n)
            .collect::<Vec<_>>()
            .join(";");
        let mut canonical = format!("{method}\n{}\n{}\n", path_of(url), query_of(url));
        for (name, value) in headers {
            canonical.push_str(name);
            canonical.push(':');
            canonical.push_str(value);
            canonical.push('\n');
        }
        canonical.push('\n');
        canonical.push_str(&names);
        canonical.push('\n');
        canonical.push_str(&hex::encode(Sha256::digest(body)));
        let canonical_sha256 = hex::encode(Sha256::digest(canonical));
        let secret = self.secret_key.expose();
        let (signature, who) = match &self.dialect {
            Dialect::Plain => (
                mac(
                    secret.as_bytes(),
                    &format!("{ALGORITHM}\n{date}\n{canonical_sha256}"),
                ),
                format!("Access={}", self.access_key),
            ),
            Dialect::Scoped { region, service } => {
                let day = date.get(..8).unwrap_or_default();
                let scope = format!("{day}/{region}/{service}/sdk_request");
                let mut key = mac(format!("SDK{secret}").as_bytes(), day);
                for part in [region.as_str(), service.as_str(), "sdk_request"] {
                    key = mac(&key, part);
                }
                (
                    mac(
                        &key,
                        &format!("{ALGORITHM}\n{date}\n{scope}\n{canonical_sha256}"),
                    ),
                    format!("Credential={}/{scope}", self.access_key),
                )
            }
        };
        let signature = hex::encode(signature);
        Signed {
            authorization: format!(
                "{ALGORITHM} {who}, SignedHeaders={names}, Signature={signature}"
            ),
            canonical_sha256,
            signature,
        }
    }
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    // HMAC takes keys of any length; an empty result can only make a signature that is refused.
    Hmac::<Sha256>::new_from_slice(key).map_or_else(
        |_| Vec::new(),
        |mut mac| {
            mac.update(text.as_bytes());
            mac.finalize().into_bytes().to_vec()
        },
    )
}

/// The host as the `Host` header has it: with the port where that is not the scheme's own.
fn host_of(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

/// Every segment encoded anew, always ending in a slash, although the request is sent without it.
fn path_of(url: &Url) -> String {
    let mut out = String::new();
    for segment in url.path().split('/').filter(|s| !s.is_empty()) {
        let bytes: Vec<u8> = percent_decode_str(segment).collect();
        out.push('/');
        out.push_str(&percent_encoding::percent_encode(&bytes, RESERVED).to_string());
    }
    out.push('/');
    out
}

fn query_of(url: &Url) -> String {
    let mut pairs: Vec<(String, String)> = url
        .query_pairs()
        .map(|(k, v)| {
            (
                utf8_percent_encode(&k, RESERVED).to_string(),
                utf8_percent_encode(&v, RESERVED).to_string(),
            )
        })
        .collect();
    pairs.sort_unstable();
    pairs
        .iter()
        .map(|(k, v)| format!("{k}={v}"))
        .collect::<Vec<_>>()
        .join("&")
}

#[cfg(test)]
mod tests {
    use reqwest::Method;

    use super::*;
    use crate::connect::http::Priority;

    fn signer(ak: &str, sk: &str, project: &str, dialect: Dialect) -> Signer {
        Signer::new(ak.into(), Secret::new(sk), None, project.into(), dialect)
    }

    fn request(method: Method, url: &str) -> Request {
        Request::new(method, Url::parse(url).unwrap(), Priority::Poll)
    }

    fn at(text: &str) -> Timestamp {
        crate::connect::decode::time(text).unwrap()
    }

    /// The example of the vendor's signing guide.
    #[test]
    fn plain_form_signs_the_vendors_example() {
        let mut r = request(
            Method::GET,
            "https://service.region.example.com/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs/?limit=2&marker=13551d6b-755d-4757-b956-536f674975c0",
        );
        r.set(CONTENT_TYPE, "application/json", false).unwrap();
        let signed = signer(
            "QTWAOYTTINDUT2QVKYUC",
            "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc",
            "",
            Dialect::Plain,
        )
        .sign(&mut r, at("2019-11-15T03:36:55Z"))
        .unwrap();
        assert_eq!(
            signed.canonical_sha256,
            "b25362e603ee30f4f25e7858e8a7160fd36e803bb2dfe206278659d71a9bcd7a"
        );
        assert_eq!(
            signed.signature,
            "7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe"
        );
        assert_eq!(
            signed.authorization,
            "SDK-HMAC-SHA256 Access=QTWAOYTTINDUT2QVKYUC, SignedHeaders=content-type;host;x-sdk-date, Signature=7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe"
        );
    }

    /// Captured from the older Python SDK, which signs host and date only.
    #[test]
    fn scoped_form_signs_as_the_older_python_sdk() {
        let mut r = request(
            Method::GET,
            "http://127.0.0.1:18799/v1/91d687759aed45d28b5f6084bc2fa8ad/checkpoint_items/?limit=1",
        );
        let signed = signer(
            "AK",
            "SK",
            "91d687759aed45d28b5f6084bc2fa8ad",
            Dialect::Scoped {
                region: "eu-de".into(),
                service: "data-protect".into(),
            },
        )
        .sign(&mut r, at("2026-11-21T01:25:24Z"))
        .unwrap();
        assert_eq!(
            signed.signature,
            "2d85a8c91f0c75e010feb5ec0ba55a035870ff111a018f152531288b278564db"
        );
        assert!(signed.authorization.starts_with(
            "SDK-HMAC-SHA256 Credential=AK/20261121/eu-de/data-protect/sdk_request, SignedHeaders=host;x-sdk-date, "
        ));
        assert_eq!(
            r.headers["x-project-id"], "91d687759aed45d28b5f6084bc2fa8ad",
            "the project is named, unsigned"
        );
    }

    /// Made with the vendor's current Python SDK core.
    #[test]
    fn plain_form_signs_as_the_current_sdk() {
        let signer = signer(
            "AKEXAMPLE",
            "SKEXAMPLE",
            "11112222333344445555666677778888",
            Dialect::Plain,
        );
        let base = "https://sdrs.eu-de.otc.t-systems.com/v1/11112222333344445555666677778888";
        let mut get = request(
            Method::GET,
            &format!(
                "{base}/task-center/failure-jobs?limit=100&offset=0&server_group_id=decf224d-87fe-403a-8721-037a1a45c287"
            ),
        );
        get.set(CONTENT_TYPE, "application/json", false).unwrap();
        let signed = signer.sign(&mut get, at("2019-04-01T12:00:00Z")).unwrap();
        assert_eq!(
            signed.canonical_sha256,
            "9242aafccf8da20250f7301363dcebc66283618ffcdb6312a2fad7f084327ff6"
        );
        assert_eq!(
            signed.signature,
            "d82c8dc8aa8d70a4259a061ca3733f48d2d911a2d86c18772cb369c8b798a5a8"
        );
        let mut post = request(
            Method::POST,
            &format!("{base}/server-groups/decf224d-87fe-403a-8721-037a1a45c287/action"),
        )
        .with_json(&serde_json::json!({"start-server-group": {}}));
        let signed = signer.sign(&mut post, at("2019-04-01T12:00:00Z")).unwrap();
        assert_eq!(
            signed.canonical_sha256,
            "5daac0de75b0b552e1ecb88f5dba538672f466a37d34e40357c86cf88d9d9b26"
        );
        assert_eq!(
            signed.signature,
            "456f30552b874824debaec9591ff5e4e7a277140ece60750c798b59ab3d4e953"
        );
    }

    #[test]
    fn temporary_keys_send_and_sign_their_token() {
        let signer = Signer::new(
            "AK".into(),
            Secret::new("SK"),
            Some(Secret::new("tmp-token")),
            String::new(),
            Dialect::Plain,
        );
        let mut r = request(Method::GET, "https://h.example/v1/p/x");
        let signed = signer.sign(&mut r, at("2026-11-21T01:25:24Z")).unwrap();
        assert!(
            signed
                .authorization
                .contains("SignedHeaders=host;x-sdk-date;x-security-token,")
        );
        assert_eq!(r.headers["x-security-token"], "tmp-token");
        assert!(!format!("{r:?}").contains("tmp-token"));
        assert!(!format!("{signer:?}").contains("SK\""));
    }

    #[test]
    fn odd_characters_are_encoded_the_same_way_on_both_sides() {
        let url = Url::parse("https://h.example/a%20b/ü~x?b=1&a=x%20y&a=%2B").unwrap();
        assert_eq!(path_of(&url), "/a%20b/%C3%BC~x/");
        assert_eq!(query_of(&url), "a=%2B&a=x%20y&b=1");
    }
}
