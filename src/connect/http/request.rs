//! What is sent: a [`Call`] as a connector words it, a [`Request`] as it goes over the wire.

use bytes::Bytes;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use serde::{Deserialize, Serialize};

use super::Priority;
use crate::model::{Fault, FaultKind, clean};

/// A request with its whole address and headers, secrets among them.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The whole address.
    pub url: Url,
    /// Headers; secret ones are marked sensitive, so that no debug output shows them.
    pub headers: HeaderMap,
    /// The body; empty for none.
    pub body: Bytes,
    /// Who asks.
    pub priority: Priority,
    /// True where it changes nothing: it may go over a kept connection, and once more where that turns out to be
    /// dead. So is every GET; services that are asked by POST say it.
    pub reads: bool,
}

impl Request {
    /// A request that asks for JSON.
    #[must_use]
    pub fn new(method: Method, url: Url, priority: Priority) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        Self {
            reads: method == Method::GET,
            method,
            url,
            headers,
            body: Bytes::new(),
            priority,
        }
    }

    /// The same with a JSON body.
    #[must_use]
    pub fn with_json(mut self, body: &serde_json::Value) -> Self {
        self.body = Bytes::from(body.to_string());
        self.headers
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self
    }

    /// Sets a header; a secret one is hidden from debug output.
    ///
    /// # Errors
    /// A [`FaultKind::Config`] fault when the value can't stand in a header (a line end in a password file).
    pub fn set(&mut self, name: HeaderName, value: &str, secret: bool) -> Result<(), Fault> {
        let mut header = HeaderValue::from_str(value).map_err(|_| {
            Fault::new(
                FaultKind::Config,
                format!("the value for the header {name} holds characters that no header may hold"),
                place_of(self.method.as_str(), &self.url),
                "Look for a line end or a control character in the configured credential.",
            )
        })?;
        header.set_sensitive(secret);
        self.headers.insert(name, header);
        Ok(())
    }
}

/// A request below a service's base address, without anything secret: it can be shown, kept and sent later.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Call {
    /// `GET`, `POST` …
    pub method: String,
    /// Path segments below the base address, not yet encoded: an id with a slash stays one segment.
    pub path: Vec<String>,
    /// True for an address that ends in a slash, as some services write their lists.
    #[serde(default)]
    pub trailing_slash: bool,
    /// Query pairs in order, not yet encoded.
    #[serde(default)]
    pub query: Vec<(String, String)>,
    /// The JSON body.
    #[serde(default)]
    pub body: Option<serde_json::Value>,
}

impl Call {
    /// A call without query and body.
    #[must_use]
    pub fn new(method: &str, path: &[&str]) -> Self {
        Self {
            method: method.to_owned(),
            path: path.iter().map(|s| (*s).to_owned()).collect(),
            trailing_slash: false,
            query: Vec::new(),
            body: None,
        }
    }

    /// A GET.
    #[must_use]
    pub fn get(path: &[&str]) -> Self {
        Self::new("GET", path)
    }

    /// A POST with a JSON body.
    #[must_use]
    pub fn post(path: &[&str], body: serde_json::Value) -> Self {
        Self {
            body: Some(body),
            ..Self::new("POST", path)
        }
    }

    /// A PUT with a JSON body.
    #[must_use]
    pub fn put(path: &[&str], body: serde_json::Value) -> Self {
        Self {
            body: Some(body),
            ..Self::new("PUT", path)
        }
    }

    /// A DELETE.
    #[must_use]
    pub fn delete(path: &[&str]) -> Self {
        Self::new("DELETE", path)
    }

    /// The same with one more query pair.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.query.push((key.to_owned(), value.into()));
        self
    }

    /// The whole address below `base`.
    ///
    /// # Errors
    /// A [`FaultKind::Refused`] fault for a segment that would change the path (empty, `.`, `..`): ids come
    /// from services, and a DELETE must never hit the folder above.
    pub fn url(&self, base: &Url) -> Result<Url, Fault> {
        let refuse = |what: String| {
            Fault::new(
                FaultKind::Refused,
                what,
                format!("{} {}", self.method, clean(&self.path.join("/"))),
                "Look at the raw record: the id in it can't be used in an address.",
            )
        };
        if let Some(bad) = self
            .path
            .iter()
            .find(|s| matches!(s.as_str(), "" | "." | ".."))
        {
            return Err(refuse(format!(
                "'{bad}' can't be part of the address: the id is missing or not one"
            )));
        }
        let mut url = base.clone();
        url.path_segments_mut()
            .map_err(|()| refuse("the base address takes no path".into()))?
            .pop_if_empty()
            .extend(&self.path)
            .extend(self.trailing_slash.then_some(""));
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        Ok(url)
    }

    /// The request to `url` for this call.
    ///
    /// # Errors
    /// A [`FaultKind::Config`] fault for a method that HTTP doesn't have.
    pub fn request(&self, url: Url, priority: Priority) -> Result<Request, Fault> {
        let method = Method::from_bytes(self.method.as_bytes()).map_err(|_| {
            Fault::new(
                FaultKind::Config,
                format!("'{}' is not an HTTP method", clean(&self.method)),
                place_of("", &url),
                "This is a mistake in keepwatch: please report it.",
            )
        })?;
        let request = Request::new(method, url, priority);
        Ok(match &self.body {
            Some(body) => request.with_json(body),
            None => request,
        })
    }
}

/// Method and address for messages: no user info, secrets in the query hidden, cleaned.
#[must_use]
pub fn place_of(method: &str, url: &Url) -> String {
    let mut shown = url.clone();
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    if shown.query().is_some_and(|q| !q.is_empty()) {
        let pairs: Vec<(String, String)> = url
            .query_pairs()
            .map(|(k, v)| {
                let hidden = is_secret_name(&k);
                (
                    k.into_owned(),
                    if hidden { "***".into() } else { v.into_owned() },
                )
            })
            .collect();
        if pairs.iter().any(|(_, v)| v == "***") {
            shown.query_pairs_mut().clear().extend_pairs(pairs);
        }
    }
    let text = if method.is_empty() {
        shown.to_string()
    } else {
        format!("{method} {shown}")
    };
    clean(&text).into_owned()
}

fn is_secret_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    ["token", "signature", "secret", "password", "accesskey"]
        .iter()
        .any(|s| lower.contains(s))
        && !lower.contains("signaturemethod")
        && !lower.contains("signatureversion")
        && !lower.contains("signaturenonce")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stays_one_segment_and_can_not_climb() {
        let base = Url::parse("https://h.example/v1/p1/").unwrap();
        let url = Call::get(&["policies", "a/b?c"])
            .with("sort", "created_at:asc")
            .url(&base)
            .unwrap();
        assert_eq!(
            url.as_str(),
            "https://h.example/v1/p1/policies/a%2Fb%3Fc?sort=created_at%3Aasc"
        );
        for bad in ["", ".", ".."] {
            assert!(Call::delete(&["checkpoints", bad]).url(&base).is_err());
        }
        let list = Call {
            trailing_slash: true,
            ..Call::get(&["plans"])
        };
        assert_eq!(
            list.url(&base).unwrap().as_str(),
            "https://h.example/v1/p1/plans/"
        );
    }

    #[test]
    fn places_hide_secrets() {
        let url = Url::parse("https://u:pw@h.example/x?Signature=abc&Action=Describe").unwrap();
        let place = place_of("GET", &url);
        assert_eq!(
            place,
            "GET https://h.example/x?Signature=***&Action=Describe"
        );
    }
}
