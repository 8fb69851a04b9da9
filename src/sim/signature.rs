//! Requests signed with an access key, `SDK-HMAC-SHA256`, as the gateway checks them instead of a token.
//!
//! Two dialects live under the one name (SDRS API reference, authentication; Huawei and OTC client SDKs):
//!
//! | | plain | scoped |
//! | --- | --- | --- |
//! | `Authorization` names | `Access=AK` | `Credential=AK/DATE/REGION/SERVICE/sdk_request` |
//! | signed text | algorithm, time, hash | algorithm, time, scope, hash |
//! | key | the secret key | chained over date, region, service and `sdk_request` |
//!
//! Only the headers that the client names in `SignedHeaders` are checked: which ones those are differs by client.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};

use super::http::Request;
use super::switches::SwitchSpec;
use super::world::World;

const ALGORITHM: &str = "SDK-HMAC-SHA256";
/// RFC 3986 leaves letters, digits and these four as they are.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
/// How far the clock of a signature may be off.
const SKEW: TimeDelta = TimeDelta::minutes(15);

/// How the time of a signature is judged.
pub const SWITCH: SwitchSpec = SwitchSpec {
    name: "gateway.signature_clock",
    values: &["either", "virtual", "off"],
    about: "a signature's time may be 15 minutes off this clock; either: virtual or real, as clients sign by the real one",
};

/// Whether the request carries a signature at all.
#[must_use]
pub fn is_signed(request: &Request) -> bool {
    request
        .header("authorization")
        .is_some_and(|text| text.starts_with(ALGORITHM))
}

/// Checks the signature of a request.
///
/// # Errors
/// The reason, as the gateway words it.
pub fn check(world: &World, request: &Request) -> Result<(), String> {
    let sent = Sent::parse(request.header("authorization").unwrap_or_default())
        .ok_or("the Authorization header is incomplete")?;
    let secret = secret(world, request, &sent.access_key)?;
    let time = request
        .header("x-sdk-date")
        .ok_or("header x-sdk-date is missing")?;
    if !sent.headers.iter().any(|name| name == "x-sdk-date") {
        return Err("header x-sdk-date is not signed".into());
    }
    in_time(world, time)?;
    let canonical = canonical(request, &sent.headers)?;
    if signature(&canonical, time, sent.scope.as_deref(), secret) == sent.signature {
        Ok(())
    } else {
        Err("verify aksk signature fail".into())
    }
}

/// What the `Authorization` header says.
struct Sent {
    access_key: String,
    /// `DATE/REGION/SERVICE/sdk_request` in the scoped dialect.
    scope: Option<String>,
    /// Lower-case names, in the order sent.
    headers: Vec<String>,
    signature: String,
}

impl Sent {
    fn parse(text: &str) -> Option<Self> {
        let fields = text.strip_prefix(ALGORITHM)?;
        let field = |name: &str| {
            fields
                .split(',')
                .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
        };
        let (access_key, scope) = match (field("Access"), field("Credential")) {
            (Some(key), _) => (key, None),
            (None, Some(credential)) => {
                let (key, scope) = credential.split_once('/')?;
                (key, Some(scope.to_owned()))
            }
            (None, None) => return None,
        };
        Some(Self {
            access_key: access_key.to_owned(),
            scope,
            headers: field("SignedHeaders")?
                .split(';')
                .map(str::to_lowercase)
                .collect(),
            signature: field("Signature")?.to_owned(),
        })
    }
}

/// The secret that belongs to an access key. A temporary key counts only with its security token.
fn secret<'a>(world: &'a World, request: &Request, key: &str) -> Result<&'a str, String> {
    let account = &world.account;
    if key == account.access_key {
        return Ok(&account.secret_key);
    }
    if key == account.temporary_access_key {
        return match request.header("x-security-token") {
            Some(token) if token == account.security_token => Ok(&account.temporary_secret_key),
            _ => Err("the security token is missing or invalid".into()),
        };
    }
    Err(format!("Get secretKey failed,ak:{key},err:ak not exist"))
}

fn in_time(world: &World, text: &str) -> Result<(), String> {
    let time = NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%SZ")
        .map_err(|_| format!("header x-sdk-date is malformed: {text}"))?
        .and_utc();
    let near = |clock: DateTime<Utc>| (clock - time).abs() <= SKEW;
    let ok = match world.switches.get(SWITCH.name) {
        "off" => true,
        "virtual" => near(world.now()),
        // Whoever signs reads the machine's clock, which the virtual one may have left far behind.
        _ => near(world.now()) || near(Utc::now()),
    };
    if ok {
        Ok(())
    } else {
        Err("the signature has expired".into())
    }
}

/// The text that stands for the request.
fn canonical(request: &Request, headers: &[String]) -> Result<String, String> {
    let encode = |text: &str| utf8_percent_encode(text, PLAIN).to_string();
    let path = percent_decode_str(&request.raw_path).decode_utf8_lossy();
    let mut path: Vec<String> = path.split('/').map(encode).collect();
    // The path ends with a slash in the signed text, whether or not it does in the URL.
    if path.last().is_some_and(|last| !last.is_empty()) {
        path.push(String::new());
    }
    let mut query: Vec<&(String, String)> = request.query.iter().collect();
    query.sort();
    let query: Vec<String> = query
        .into_iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    let mut names: Vec<&String> = headers.iter().collect();
    names.sort();
    let mut lines = String::new();
    for name in &names {
        let value = request
            .header(name)
            .ok_or_else(|| format!("the signed header {name} is missing"))?;
        lines.push_str(&format!("{name}:{}\n", value.trim()));
    }
    let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
    let hash = hex::encode(Sha256::digest(&request.body));
    let hash = match request.header("x-sdk-content-sha256") {
        Some("UNSIGNED-PAYLOAD") => "UNSIGNED-PAYLOAD".to_owned(),
        Some(said) if said != hash => return Err("the body is not the one that was signed".into()),
        _ => hash,
    };
    Ok(format!(
        "{}\n{}\n{}\n{lines}\n{}\n{hash}",
        request.method,
        path.join("/"),
        query.join("&"),
        names.join(";"),
    ))
}

/// The signature over a canonical request, in lower-case hex.
fn signature(canonical: &str, time: &str, scope: Option<&str>, secret: &str) -> String {
    let hash = hex::encode(Sha256::digest(canonical.as_bytes()));
    let (text, key) = match scope {
        None => (
            format!("{ALGORITHM}\n{time}\n{hash}"),
            secret.as_bytes().to_vec(),
        ),
        Some(scope) => (
            format!("{ALGORITHM}\n{time}\n{scope}\n{hash}"),
            scope
                .split('/')
                .fold(format!("SDK{secret}").into_bytes(), |key, part| {
                    hmac(&key, part)
                }),
        ),
    };
    hex::encode(hmac(&key, &text))
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    // HMAC takes keys of any length, so there is no failure to tell of.
    Hmac::<Sha256>::new_from_slice(key).map_or_else(
        |_| Vec::new(),
        |mut mac| {
            mac.update(text.as_bytes());
            mac.finalize().into_bytes().to_vec()
        },
    )
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use hyper::HeaderMap;

    use super::*;

    const PROJECT: &str = "11112222333344445555666677778888";
    const SIGNED: [&str; 4] = ["content-type", "host", "x-project-id", "x-sdk-date"];

    fn request(method: &str, path: &str, body: &'static str) -> Request {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("content-type", "application/json"),
            ("host", "sdrs.eu-de.otc.t-systems.com"),
            ("x-project-id", PROJECT),
            ("x-sdk-date", "20190401T120000Z"),
        ] {
            headers.insert(name, value.parse().expect("a header"));
        }
        Request::new(
            method,
            &format!("/v1/{PROJECT}{path}"),
            headers,
            Bytes::from_static(body.as_bytes()),
            String::new(),
        )
    }

    /// Published by nobody, made with the vendor's own SDK (huaweicloudsdkcore 3.1.219).
    #[test]
    fn the_vectors_of_the_vendors_own_client() {
        for (request, canonical_hash, expected) in [
            (
                request(
                    "GET",
                    "/task-center/failure-jobs?limit=100&offset=0&server_group_id=decf224d-87fe-403a-8721-037a1a45c287",
                    "",
                ),
                "9242aafccf8da20250f7301363dcebc66283618ffcdb6312a2fad7f084327ff6",
                "d82c8dc8aa8d70a4259a061ca3733f48d2d911a2d86c18772cb369c8b798a5a8",
            ),
            (
                request(
                    "POST",
                    "/server-groups/decf224d-87fe-403a-8721-037a1a45c287/action",
                    "{\"start-server-group\":{}}",
                ),
                "5daac0de75b0b552e1ecb88f5dba538672f466a37d34e40357c86cf88d9d9b26",
                "456f30552b874824debaec9591ff5e4e7a277140ece60750c798b59ab3d4e953",
            ),
        ] {
            let text = canonical(&request, &SIGNED.map(str::to_owned)).expect("all there");
            assert_eq!(hex::encode(Sha256::digest(text.as_bytes())), canonical_hash);
            assert_eq!(
                signature(&text, "20190401T120000Z", None, "SKEXAMPLE"),
                expected
            );
        }
    }

    #[test]
    fn paths_and_queries_are_normalised() {
        let request = request("GET", "/tags/a%20b~c/?b=2&a=x+y&a=%C3%BC", "");
        let text = canonical(&request, &[]).expect("nothing is missing");
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("GET"));
        assert_eq!(
            lines.next(),
            Some(format!("/v1/{PROJECT}/tags/a%20b~c/").as_str())
        );
        assert_eq!(lines.next(), Some("a=x%20y&a=%C3%BC&b=2"));
        assert!(canonical(&request, &["nosuch".to_owned()]).is_err());
    }

    #[test]
    fn headers_are_read_in_both_dialects_or_refused() {
        let plain =
            Sent::parse("SDK-HMAC-SHA256 Access=AK, SignedHeaders=Host;x-sdk-date, Signature=ab")
                .expect("complete");
        assert_eq!((plain.access_key.as_str(), plain.scope), ("AK", None));
        assert_eq!(plain.headers, ["host", "x-sdk-date"]);
        let scoped = Sent::parse(
            "SDK-HMAC-SHA256 Credential=AK/20190401///sdk_request,SignedHeaders=host,Signature=ab",
        )
        .expect("complete");
        assert_eq!(scoped.scope.as_deref(), Some("20190401///sdk_request"));
        for text in [
            "",
            "SDK-HMAC-SHA256",
            "SDK-HMAC-SHA256 Access=AK",
            "SDK-HMAC-SHA256 Credential=AK, SignedHeaders=a, Signature=b",
            "Bearer x",
        ] {
            assert!(Sent::parse(text).is_none(), "{text}");
        }
    }
}
