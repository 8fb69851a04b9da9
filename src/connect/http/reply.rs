//! What came back: the answer itself, its JSON, and the failure it may stand for.

use std::borrow::Cow;

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::retry_after;
use crate::connect::decode;
use crate::model::{Answer, CodeRef, Fault, FaultKind, Timestamp, clean};

/// How much of a body a message shows, in characters.
const SHOWN: usize = 160;

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// The body, unpacked, within the limit.
    pub body: Bytes,
    /// Method and address, secrets hidden.
    pub place: String,
    /// True when the request changes nothing: a GET, or a question that a service is asked by POST.
    pub is_read: bool,
    /// By our clock.
    pub seen_at: Timestamp,
}

impl Reply {
    /// A status of 200 to 299.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    /// A 401 that speaks of the address and not of the credentials: CBR answers so for a backup that is gone
    /// (Karbor's fault "Malformed request url"). A new login would change nothing.
    #[must_use]
    pub fn is_misaddressed(&self) -> bool {
        self.status == 401 && self.code().message.starts_with("Malformed request url")
    }

    /// The answer when it is a success, otherwise the fault it stands for.
    ///
    /// # Errors
    /// The refusal or failure that the status and the body tell.
    pub fn accept(self) -> Result<Self, Fault> {
        if self.is_success() {
            Ok(self)
        } else {
            Err(self.fault())
        }
    }

    /// The service's code, read by the robust rule of [`code_of`].
    #[must_use]
    pub fn code(&self) -> CodeRef {
        code_of(self.status, &self.body)
    }

    /// The answer in the model's words, the body cleaned and cut.
    #[must_use]
    pub fn answer(&self) -> Answer {
        Answer {
            http_status: self.status,
            request_id: self.request_id(),
            body: clean(&String::from_utf8_lossy(&self.body)).into_owned(),
        }
    }

    /// The service's id of the request: from the headers, else from the body.
    #[must_use]
    pub fn request_id(&self) -> String {
        for name in [
            "x-request-id",
            "x-openstack-request-id",
            "x-compute-request-id",
            "x-acs-request-id",
        ] {
            if let Some(id) = self.headers.get(name).and_then(|v| v.to_str().ok()) {
                return clean(id).into_owned();
            }
        }
        serde_json::from_slice::<Value>(&self.body)
            .ok()
            .as_ref()
            .and_then(|v| {
                ["request_id", "requestId", "RequestId"]
                    .iter()
                    .find_map(|k| v.get(k))
            })
            .and_then(Value::as_str)
            .map(|id| clean(id).into_owned())
            .unwrap_or_default()
    }

    /// True when the work may have been done although the status says failure: a gateway gave up
    /// waiting, or the service broke without naming a reason of its own.
    #[must_use]
    pub fn may_be_done(&self) -> bool {
        !self.is_read
            && match self.status {
                303 | 502 | 504 => true,
                501 | 503 => false,
                500.. => self.code().code.is_empty(),
                _ => false,
            }
    }

    /// The fault that a status other than success stands for.
    #[must_use]
    pub fn fault(&self) -> Fault {
        let (kind, what, advice): (_, Cow<'static, str>, _) = match self.status {
            300..=399 => (
                FaultKind::Garbled,
                format!(
                    "the service sends us elsewhere{} and keepwatch does not take its credentials there",
                    self.headers
                        .get("location")
                        .and_then(|v| v.to_str().ok())
                        .and_then(|l| reqwest::Url::parse(l).ok())
                        .map_or_else(String::new, |l| format!(" ({})", super::place_of("", &l)))
                )
                .into(),
                "Set the endpoint to the address that the service really has.",
            ),
            401 => (
                FaultKind::Auth,
                "the service does not accept our credentials".into(),
                "Check user, password, project and clock of this service's configuration.",
            ),
            403 => (
                FaultKind::Auth,
                "the account may not do this".into(),
                "Ask the owner of the account for the right to do this, or use another account.",
            ),
            404 => (
                FaultKind::Refused,
                "the service knows nothing at this address".into(),
                "It may be gone; otherwise check the endpoint and the project.",
            ),
            408 => (
                FaultKind::Timeout,
                "the service gave up waiting for our request".into(),
                if self.is_read {
                    "It is asked again at the next round."
                } else {
                    "Nothing was done: try again."
                },
            ),
            429 => (
                FaultKind::Limited,
                "the service asks us to slow down".into(),
                "Lower rate_per_minute for this service if it happens often.",
            ),
            400..=499 => (
                FaultKind::Refused,
                format!("the service refused the request (HTTP {})", self.status).into(),
                "Read the service's own text and look its code up.",
            ),
            502..=504 => (
                FaultKind::Server,
                format!("the service is not available (HTTP {})", self.status).into(),
                if self.is_read {
                    "It is asked again by itself; if it lasts, look at the service."
                } else if self.may_be_done() {
                    "Look at what the service shows before you send it again."
                } else {
                    "Nothing was done: try again later; if it lasts, look at the service."
                },
            ),
            500..=599 => (
                FaultKind::Server,
                format!("the service failed (HTTP {})", self.status).into(),
                "Read the service's own text and look its code up.",
            ),
            other => (
                FaultKind::Garbled,
                format!("the answer has an odd HTTP status ({other})").into(),
                "Check that the endpoint is the service's own address.",
            ),
        };
        let code = self.code();
        let mut fault = Fault::new(kind, what, self.place.clone(), advice);
        fault.code = Some(code);
        fault.retry_after_ms = if matches!(self.status, 429 | 503) {
            retry_after(&self.headers, self.seen_at)
        } else {
            None
        };
        fault.maybe_done = self.may_be_done();
        fault
    }

    /// What is wrong with the body of a success that should be JSON or nothing: a proxy's page, half an
    /// answer. Whether the service itself was reached, such an answer doesn't tell.
    #[must_use]
    pub fn unreadable(&self) -> Option<Fault> {
        if self.body.iter().all(u8::is_ascii_whitespace) {
            return None;
        }
        let mut fault = self.json::<IgnoredAny>().err()?;
        if self
            .mended()
            .is_some_and(|m| m.json::<IgnoredAny>().is_ok())
        {
            return None;
        }
        fault.maybe_done = !self.is_read;
        Some(fault)
    }

    /// Decodes the body.
    ///
    /// # Errors
    /// A [`FaultKind::Garbled`] fault that says what came instead: HTML with its title, nothing, JSON cut
    /// short, JSON of another shape with the place and its beginning.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Fault> {
        json(&self.body, &self.headers, &self.place)
    }

    /// The body as text in which broken UTF-8 and bare control characters were made harmless, for a second
    /// try after [`Reply::json`] failed; `None` when there was nothing to mend.
    #[must_use]
    pub fn mended(&self) -> Option<Self> {
        decode::mend(&self.body).map(|body| Self {
            body: Bytes::from(body),
            ..self.clone()
        })
    }
}

/// Decodes a body, see [`Reply::json`].
///
/// # Errors
/// As there.
pub fn json<'a, T: Deserialize<'a>>(
    body: &'a [u8],
    headers: &HeaderMap,
    place: &str,
) -> Result<T, Fault> {
    // bytes that are no text are read with care: where they stand in what nobody asks for they do no harm
    let read = match str::from_utf8(body) {
        Ok(text) => decode::read(text),
        Err(_) => serde_json::from_slice(body),
    };
    read.map_err(|e| garbled(&e, body, headers, place))
}

fn garbled(e: &serde_json::Error, body: &[u8], headers: &HeaderMap, place: &str) -> Fault {
    let text = String::from_utf8_lossy(body.get(..4096).unwrap_or(body));
    let trimmed = text.trim_start();
    let typed = headers
        .get(CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|t| t.contains("html"));
    let (what, advice) = if body.iter().all(u8::is_ascii_whitespace) {
        (
            "the answer is empty where JSON was expected".to_owned(),
            "Check that the endpoint is the service's API address.",
        )
    } else if typed || trimmed.starts_with('<') {
        (
            match title(trimmed) {
                Some(title) => format!("the answer is an HTML page, not JSON: \"{title}\""),
                None => format!("the answer is HTML, not JSON: {}", start(trimmed)),
            },
            "The endpoint leads to a web page or a proxy's login: check the address.",
        )
    } else if e.is_eof() {
        (
            format!(
                "the JSON ends in the middle, after {} bytes: {}",
                body.len(),
                start(trimmed)
            ),
            "It is asked again at the next round. If it stays so, look at proxies on the way.",
        )
    } else {
        (
            format!(
                "the JSON is not what this service promises: {}; it begins with {}",
                clean(&e.to_string()),
                start(trimmed)
            ),
            "Check that the endpoint belongs to this kind of service; if it does, report the answer.",
        )
    };
    Fault::new(FaultKind::Garbled, what, place, advice)
}

/// The beginning of a text, cleaned and cut.
fn start(text: &str) -> String {
    let cut: String = text.chars().take(SHOWN).collect();
    let dots = if cut.len() < text.len() { "…" } else { "" };
    format!("{}{dots}", clean(&cut))
}

/// The title of an HTML page, cleaned and cut.
fn title(html: &str) -> Option<String> {
    let lower = html.to_ascii_lowercase();
    let open = lower.find("<title")?;
    let from = open + lower.get(open..)?.find('>')? + 1;
    let len = lower.get(from..)?.find("</title")?;
    let text = html.get(from..from + len)?.trim();
    (!text.is_empty()).then(|| start(text))
}

/// Reads code and text out of an error body of any known dialect.
///
/// The order follows what Huawei's own client does (exception handling of its SDK core): `error_code` with
/// `error_msg`, then `errorCode` with `errorMsg`, then `code` with `message` at the top, then the same inside
/// any nested object whatever its name. Codes may be numbers. A code that only repeats the HTTP status is no
/// code. Where there is none, the text is kept: a title and description (Freezer), the title of a page, or
/// the beginning of what came.
#[must_use]
pub fn code_of(status: u16, body: &[u8]) -> CodeRef {
    let found = serde_json::from_slice::<Value>(body)
        .ok()
        .map(|v| pair(&v, 0).unwrap_or_else(|| (String::new(), loose_text(&v))));
    let (code, message) = match found {
        Some(found) => found,
        None => {
            let text = String::from_utf8_lossy(body.get(..4096).unwrap_or(body));
            let trimmed = text.trim();
            let message = if trimmed.starts_with('<') {
                title(trimmed).unwrap_or_default()
            } else {
                start(trimmed)
            };
            (String::new(), message)
        }
    };
    let code = if code == status.to_string() {
        String::new()
    } else {
        code
    };
    CodeRef::new(clean(&code).into_owned(), clean(&message).into_owned()).with_http(status)
}

const PAIRS: [(&str, &str); 8] = [
    ("error_code", "error_msg"),
    ("errorCode", "errorMsg"),
    ("errorCode", "errorMessage"),
    ("code", "message"),
    ("Code", "Message"),
    ("ErrCode", "ErrMessage"),
    ("errorCode", "message"),
    ("code", "detail"),
];

fn pair(value: &Value, depth: usize) -> Option<(String, String)> {
    let object = value.as_object()?;
    for (code, message) in PAIRS {
        if let (Some(c), Some(m)) = (object.get(code), object.get(message)) {
            let c = scalar(c);
            let m = scalar(m);
            if !c.is_empty() || !m.is_empty() {
                return Some((c, m));
            }
        }
    }
    if depth < 4 {
        for inner in object.values() {
            let found = match inner {
                Value::Object(_) => pair(inner, depth + 1),
                Value::Array(rows) => rows.iter().find_map(|r| pair(r, depth + 1)),
                _ => None,
            };
            if found.is_some() {
                return found;
            }
        }
    }
    // A code without a text, or a text without a code, is better than nothing.
    let lone_code = PAIRS
        .iter()
        .find_map(|(c, _)| object.get(*c).map(scalar).filter(|c| !c.is_empty()));
    let lone_text = PAIRS
        .iter()
        .find_map(|(_, m)| object.get(*m).map(scalar).filter(|m| !m.is_empty()));
    match (lone_code, lone_text) {
        (None, None) => None,
        (c, m) => Some((c.unwrap_or_default(), m.unwrap_or_default())),
    }
}

/// Title and description (Freezer's own errors), or any short text of the object.
fn loose_text(value: &Value) -> String {
    let Some(object) = value.as_object() else {
        return start(&value.to_string());
    };
    let title = object.get("title").map(scalar).unwrap_or_default();
    let description = object.get("description").map(scalar).unwrap_or_default();
    match (title.is_empty(), description.is_empty()) {
        (false, false) => format!("{title}: {description}"),
        (false, true) => title,
        (true, false) => description,
        (true, true) if object.is_empty() => String::new(),
        (true, true) => match object.get("error") {
            Some(Value::String(text)) => text.clone(),
            _ => start(&value.to_string()),
        },
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(s) => s.trim().to_owned(),
        Value::Number(n) => n.to_string(),
        Value::Bool(b) => b.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(status: u16, body: &str) -> (String, String) {
        let c = code_of(status, body.as_bytes());
        assert_eq!(c.http_status, Some(status));
        (c.code, c.message)
    }

    #[test]
    fn every_dialect_of_errors_is_read() {
        let pair = |c: &str, m: &str| (c.to_owned(), m.to_owned());
        assert_eq!(
            code(400, r#"{"error":{"message":"gone","code":"SDRS.1013"}}"#),
            pair("SDRS.1013", "gone")
        );
        assert_eq!(
            code(400, r#"{"badrequest":{"message":"m","code":"SDRS.0202"}}"#),
            pair("SDRS.0202", "m")
        );
        assert_eq!(
            code(400, r#"{"badRequest":{"message":"m","code":400}}"#),
            pair("", "m")
        );
        assert_eq!(
            code(
                401,
                r#"{"error_msg":"Incorrect","error_code":"APIGW.0301","request_id":"r"}"#
            ),
            pair("APIGW.0301", "Incorrect")
        );
        assert_eq!(
            code(
                401,
                r#"{"error":{"message":"Unauthorized.","code":401,"title":"Unauthorized"}}"#
            ),
            pair("", "Unauthorized.")
        );
        assert_eq!(
            code(500, r#"{"error_code":"CSBS.1001","error_msg":"busy"}"#),
            pair("CSBS.1001", "busy")
        );
        assert_eq!(
            code(
                400,
                r#"{"title":"Bad request format","description":"Bad Action Method"}"#
            ),
            pair("", "Bad request format: Bad Action Method")
        );
        assert_eq!(
            code(
                400,
                r#"{"RequestId":"x","Code":"Param.NotFound","Message":"none"}"#
            ),
            pair("Param.NotFound", "none")
        );
        assert_eq!(
            code(400, r#"{"outer":{"inner":{"errorCode":7,"errorMsg":"n"}}}"#),
            pair("7", "n")
        );
        assert_eq!(
            code(409, r#"{"errorCode":"137","errorMessage":"exists"}"#),
            pair("137", "exists")
        );
        assert_eq!(code(404, ""), pair("", ""));
        assert_eq!(
            code(
                502,
                "<html><head><title>502 Bad\nGateway</title></head></html>"
            ),
            pair("", "502 Bad Gateway")
        );
        assert_eq!(code(500, "it \u{1b}[31mbroke"), pair("", "it ␛[31mbroke"));
    }

    fn why(body: &str) -> String {
        json::<Vec<u8>>(body.as_bytes(), &HeaderMap::new(), "GET x")
            .unwrap_err()
            .what
    }

    #[test]
    fn what_came_instead_of_json_is_said() {
        assert!(why("<!doctype html><title>Sign in</title>").contains("\"Sign in\""));
        assert!(why("  ").contains("empty"));
        assert!(why("[1, 2").contains("ends in the middle, after 5 bytes"));
        let wrong = why("{\"a\": \"\u{202e}\"}");
        assert!(wrong.contains("invalid type: map"), "{wrong}");
        assert!(wrong.contains("‹U+202E›"), "{wrong}");
    }
}
