//! What a dialect sees of HTTP: a plain [`Request`] and a plain [`Response`], without hyper and without async.

use bytes::Bytes;
use hyper::HeaderMap;
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// One request, with its body read to the end.
#[derive(Debug, Clone)]
pub struct Request {
    /// Upper-case method as sent (`GET`).
    pub method: String,
    /// The path as sent, still percent-encoded, without the query (needed to check signatures).
    pub raw_path: String,
    /// The query as sent, without the `?`; empty when there is none.
    pub raw_query: String,
    /// The path's segments, decoded; empty ones (leading, trailing and doubled slashes) are left out.
    pub segments: Vec<String>,
    /// The query's pairs in order, decoded; a key may come more than once.
    pub query: Vec<(String, String)>,
    /// The headers; look them up by lower-case name.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
    /// The id of this request (32 hex digits); also sent back as `X-Request-Id`.
    pub id: String,
}

impl Request {
    /// Builds a request from its parts; `target` is path and query as on the request line.
    #[must_use]
    pub fn new(method: &str, target: &str, headers: HeaderMap, body: Bytes, id: String) -> Self {
        let (raw_path, raw_query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method: method.to_owned(),
            raw_path: raw_path.to_owned(),
            raw_query: raw_query.to_owned(),
            segments: raw_path
                .split('/')
                .filter(|part| !part.is_empty())
                .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
                .collect(),
            query: pairs(raw_query),
            headers,
            body,
            id,
        }
    }

    /// Method and segments, ready to be matched:
    /// `match req.route() { ("GET", ["v1", project, "policies"]) => … }` after `let (m, s) = …; (m, s.as_slice())`.
    #[must_use]
    pub fn route(&self) -> (&str, Vec<&str>) {
        (
            &self.method,
            self.segments.iter().map(String::as_str).collect(),
        )
    }

    /// The first value of a query key.
    #[must_use]
    pub fn param(&self, key: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(k, _)| k == key)
            .map(|(_, v)| v.as_str())
    }

    /// All values of a query key, in order (real consoles repeat keys).
    pub fn params<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.query
            .iter()
            .filter(move |(k, _)| k == key)
            .map(|(_, v)| v.as_str())
    }

    /// A header's text, when it is there and readable.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as JSON; an empty body is `null`.
    ///
    /// # Errors
    /// The parser's own words when the body is not JSON.
    pub fn json(&self) -> Result<Value, String> {
        if self.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&self.body).map_err(|error| error.to_string())
    }
}

/// Decodes `a=b&c=d`, with `+` as a blank, as HTML forms and most HTTP clients write it.
#[must_use]
pub fn pairs(text: &str) -> Vec<(String, String)> {
    let decode = |part: &str| {
        percent_decode_str(&part.replace('+', " "))
            .decode_utf8_lossy()
            .into_owned()
    };
    text.split('&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            (decode(key), decode(value))
        })
        .collect()
}

/// One answer.
#[derive(Debug, Clone, Default)]
pub struct Response {
    /// HTTP status; 0 counts as 200.
    pub status: u16,
    /// Headers besides `Date`, `Content-Length` and `X-Request-Id`, which the server adds.
    pub headers: Vec<(&'static str, String)>,
    /// The body, already rendered.
    pub body: Bytes,
}

impl Response {
    /// A JSON answer.
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        Self::raw(status, "application/json", body.to_string())
    }

    /// An answer with a body of any type.
    #[must_use]
    pub fn raw(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: vec![("content-type", content_type.to_owned())],
            body: body.into(),
        }
    }

    /// An answer without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    /// The same with one more header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_and_decodes() {
        let request = Request::new(
            "GET",
            "/v1//p%2Fq/x/?a=1&a=%C3%BC+z&flag",
            HeaderMap::new(),
            Bytes::new(),
            String::new(),
        );
        assert_eq!(request.segments, ["v1", "p/q", "x"]);
        assert_eq!(request.params("a").collect::<Vec<_>>(), ["1", "ü z"]);
        assert_eq!(request.param("flag"), Some(""));
        assert_eq!(request.json(), Ok(Value::Null));
    }

    #[test]
    fn bad_bytes_do_no_harm() {
        let request = Request::new(
            "GET",
            "/%ff%/?%=%zz&&=",
            HeaderMap::new(),
            Bytes::from_static(b"{"),
            String::new(),
        );
        assert_eq!(request.segments.len(), 1);
        assert!(request.json().is_err());
    }
}
