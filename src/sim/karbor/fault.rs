//! Errors as this service wraps them: `{"<fault name>": {"code", "message"}}`, the name chosen by the status.

use serde_json::{Map, Value, json};

use crate::sim::http::Response;

/// A call that is refused, or that the service stumbled over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    status: u16,
    message: String,
    /// With which `Retry-After`; only an exceeded quota has one.
    retry_after: Option<&'static str>,
}

/// What most calls answer with.
pub(super) type Answer = Result<Response, Fault>;

impl Fault {
    fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            retry_after: None,
        }
    }

    /// 400 with these words.
    pub fn bad(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    /// 400 for a value that a check after the schema refuses.
    pub fn input(reason: &str) -> Self {
        Self::bad(format!("Invalid input received: {reason}"))
    }

    /// 400 as a controller answers whose arguments don't fit, such as a body where none belongs.
    pub fn arguments() -> Self {
        Self::bad(
            "The server could not comply with the request since it is either malformed or otherwise incorrect.",
        )
    }

    /// 404 with these words.
    pub fn missing(message: impl Into<String>) -> Self {
        Self::new(404, message)
    }

    /// 404 for a path whose controller lacks the method.
    pub fn no_method() -> Self {
        Self::missing("The resource could not be found.")
    }

    /// 403: the policy file doesn't let this user do it.
    pub fn policy(action: &str) -> Self {
        let message = format!("Policy doesn't allow {action} to be performed.");
        Self::new(403, message)
    }

    /// 403 without a word about why.
    pub fn denied() -> Self {
        Self::new(403, "Access was denied to this resource.")
    }

    /// 413: a quota is used up.
    pub fn quota(what: &str, allowed: i64) -> Self {
        Self {
            retry_after: Some("0"),
            ..Self::new(
                413,
                format!("Maximum number of {what} allowed ({allowed}) exceeded"),
            )
        }
    }

    /// 424: something else still needs it.
    pub fn dependency(message: &str) -> Self {
        Self::new(424, message)
    }

    /// 500 with these words.
    pub fn server(message: impl Into<String>) -> Self {
        Self::new(500, message)
    }

    /// 500 that tells nothing.
    pub fn stumbled() -> Self {
        Self::server(
            "The server has either erred or is incapable of performing the requested operation.",
        )
    }

    /// 500 as the calls on triggers and scheduled operations wrap whatever they did not expect: `what` is an error's own
    /// words, or the name of a class.
    pub fn unexpected(what: &str) -> Self {
        Self::server(format!(
            "Unexpected API Error. Please report this at http://bugs.launchpad.net/karbor/ and attach the Karbor API \
             log if possible.\n{what}"
        ))
    }

    /// The words.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// With another status, as a failure switched on from outside has it.
    pub fn injected(status: u16) -> Self {
        let message = match status {
            401 => {
                "This server could not verify that you are authorized to access the document you requested."
            }
            404 => "The resource could not be found.",
            503 => "The server is currently unavailable. Please try again at a later time.",
            _ => return Self::new(status, Self::stumbled().message),
        };
        Self::new(status, message)
    }
}

/// The wrapping key of a status.
fn name(status: u16) -> &'static str {
    match status {
        400 => "badRequest",
        401 => "unauthorized",
        403 => "forbidden",
        404 => "itemNotFound",
        405 => "badMethod",
        409 => "conflictingRequest",
        413 => "overLimit",
        415 => "badMediaType",
        501 => "notImplemented",
        503 => "serviceUnavailable",
        _ => "computeFault",
    }
}

impl From<Fault> for Response {
    fn from(fault: Fault) -> Self {
        let mut inner = Map::new();
        inner.insert("code".into(), fault.status.into());
        inner.insert("message".into(), fault.message.into());
        if let Some(after) = fault.retry_after {
            inner.insert("retryAfter".into(), after.into());
        }
        let mut body = Map::new();
        body.insert(name(fault.status).into(), Value::Object(inner));
        let response = Self::json(fault.status, &Value::Object(body));
        match fault.retry_after {
            Some(after) => response.with("retry-after", after),
            None => response,
        }
    }
}

/// The refusal of the middleware that checks tokens, which speaks Keystone's dialect and not the service's.
pub(super) fn unauthorized(keystone: &str) -> Response {
    let body = json!({"error": {
        "code": 401, "title": "Unauthorized",
        "message": "The request you have made requires authentication.",
    }});
    Response::json(401, &body).with("www-authenticate", format!("Keystone uri=\"{keystone}\""))
}

/// 404 of the router, for a path that nobody serves. It comes in the shape that `Accept` asks for.
pub(super) fn unrouted(accept: Option<&str>) -> Response {
    let accepts = |kind: &str| accept.is_some_and(|text| text.contains(kind));
    if accepts("text/html") || accepts("*/*") {
        let page = "<html>\n <head>\n  <title>404 Not Found</title>\n </head>\n <body>\n  <h1>404 Not Found</h1>\n  \
                    The resource could not be found.<br /><br />\n\n\n\n </body>\n</html>";
        return Response::raw(404, "text/html; charset=UTF-8", page);
    }
    if accepts("application/json") {
        let body = json!({
            "message": "The resource could not be found.<br /><br />\n\n\n",
            "code": "404 Not Found", "title": "Not Found",
        });
        return Response::json(404, &body);
    }
    let text = "404 Not Found\n\nThe resource could not be found.\n\n   ";
    Response::raw(404, "text/plain; charset=UTF-8", text)
}
