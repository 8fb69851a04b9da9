//! Errors as this service words them: `{"title","description"}`, or nothing at all for what isn't there.

use serde_json::json;

use crate::sim::http::Response;

/// A call that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    status: u16,
    title: &'static str,
    description: Option<String>,
}

/// What most calls answer with.
pub type Answer = Result<Response, Refusal>;

impl Refusal {
    fn new(status: u16, title: &'static str, description: impl Into<String>) -> Self {
        Self {
            status,
            title,
            description: Some(description.into()),
        }
    }

    /// 400: the body is not what it should be.
    #[must_use]
    pub fn format(why: impl Into<String>) -> Self {
        Self::new(400, "Bad request format", why)
    }

    /// 400: a query parameter is no number.
    #[must_use]
    pub fn parameter(name: &str) -> Self {
        let why = format!("The \"{name}\" parameter is invalid. The value must be an integer.");
        Self::new(400, "Invalid parameter", why)
    }

    /// 422: the job's client is unknown.
    #[must_use]
    pub fn client(id: &str) -> Self {
        let why = format!("Client not found with ID {id}");
        Self::new(422, "Unprocessable Entity", why)
    }

    /// 409: the id is taken.
    #[must_use]
    pub fn exists(what: &str, id: &str) -> Self {
        let why = format!("{what} already registered with ID {id}");
        Self::new(409, "Document already existing", why)
    }

    /// 404 with words, as changes answer.
    #[must_use]
    pub fn not_found(why: impl Into<String>) -> Self {
        Self::new(404, "Not Found", why)
    }

    /// 753, which is no status of HTTP: the body is no JSON.
    #[must_use]
    pub fn json() -> Self {
        Self {
            status: 753,
            title: "Malformed JSON",
            description: None,
        }
    }

    /// 404 for a path that nobody serves.
    #[must_use]
    pub fn path() -> Self {
        Self {
            status: 404,
            title: "404 Not Found",
            description: None,
        }
    }

    /// 405 for a method that a path does not know.
    #[must_use]
    pub fn method() -> Self {
        Self {
            status: 405,
            title: "405 Method Not Allowed",
            description: None,
        }
    }

    /// 405 for an unknown action of a session.
    #[must_use]
    pub fn action() -> Self {
        Self::new(405, "Bad Method", "Bad Action Method")
    }

    /// 500: the service stumbled over what it was sent.
    #[must_use]
    pub fn stumbled() -> Self {
        let why = "An unexpected error occurred on the server.";
        Self::new(500, "Internal Server Error", why)
    }
}

impl From<Refusal> for Response {
    fn from(refusal: Refusal) -> Self {
        let body = match refusal.description {
            Some(description) => json!({"title": refusal.title, "description": description}),
            None => json!({"title": refusal.title}),
        };
        Self::json(refusal.status, &body)
    }
}

/// 404 with an empty body that calls itself JSON: what asking for a single unknown thing gives.
#[must_use]
pub fn nothing() -> Response {
    Response::raw(404, "application/json", "")
}
