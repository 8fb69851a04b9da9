//! A failure as the service words it.

/// What a service says about a failure: enough to look it up and to tell twins apart.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct CodeRef {
    /// The service's code, letter for letter; empty when it gives none.
    pub code: String,
    /// The HTTP status it came with or is documented with; `None` when the failure came inside a record.
    pub http_status: Option<u16>,
    /// The operation, where it tells twins apart (`export`, `import`, `backup`, `policy` …); may be empty.
    pub operation: String,
    /// The service's own text, cleaned; empty when it gives none.
    pub message: String,
}

impl CodeRef {
    /// A code with its text.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            ..Self::default()
        }
    }

    /// The same with an HTTP status.
    #[must_use]
    pub fn with_http(mut self, status: u16) -> Self {
        self.http_status = Some(status);
        self
    }

    /// True when the service gave neither a code nor a text.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.code.is_empty() && self.message.is_empty()
    }
}
