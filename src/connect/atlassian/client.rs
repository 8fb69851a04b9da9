//! Calls by name: sent through the session, their failures in this API's words.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use reqwest::header::HeaderName;

use super::paths::{Op, Paths};
use crate::connect::http::{Call, Priority, Reply};
use crate::connect::settings::{Secret, Settings};
use crate::connect::{Place, Provenance, Session};
use crate::model::{Fault, FaultKind, Follow, RequestPreview, SendOutcome, Timestamp};

const PLACE: Place = Place {
    types: &[],
    version: "",
    with_project: false,
    // never used: the settings carry a rate of their own
    rate_per_minute: 50,
};

/// How long polling keeps away after a 429 without `Retry-After`, in milliseconds: the limits count a minute, and
/// the vendor says only "until the limit resets".
const MINUTE_MS: u64 = 60_000;

/// Required on "activate policy" (REST reference); sent with every write.
const ACCOUNT_HEADER: HeaderName = HeaderName::from_static("x-atl-account-id");

/// One organisation, with the paths that are used for it.
#[derive(Debug)]
pub(super) struct Client {
    session: Session,
    pub(super) paths: Paths,
    /// Whether the account's id is configured.
    pub(super) has_account: bool,
    /// Calls that were answered properly once: their paths are right.
    proven: Mutex<HashSet<Op>>,
}

impl Client {
    /// From settings whose endpoint is the whole base address.
    ///
    /// # Errors
    /// See [`Session::open`] and [`Paths::read`].
    pub(super) fn open(settings: &Settings) -> Result<Self, Fault> {
        let paths = Paths::read(&settings.options, &format!("service {}", settings.name))?;
        let mut session = Session::open(settings, PLACE)?;
        let account = settings
            .options
            .get("account_id")
            .map(|a| a.trim().to_owned())
            .filter(|a| !a.is_empty());
        let has_account = account.is_some();
        if let Some(account) = account {
            session = session.with_write_header(ACCOUNT_HEADER, Secret::new(account));
        }
        Ok(Self {
            session,
            paths,
            has_account,
            proven: Mutex::default(),
        })
    }

    pub(super) const fn session(&self) -> &Session {
        &self.session
    }

    /// The service's clock and ours.
    pub(super) fn clock(&self) -> Option<(Timestamp, Timestamp)> {
        self.session.clock()
    }

    /// The call, or why it can't be made.
    ///
    /// # Errors
    /// The path is unknown or switched off.
    pub(super) fn call(&self, op: Op, ids: &[&str]) -> Result<Call, Fault> {
        self.paths.call(op, ids).ok_or_else(|| {
            let known = op.known();
            Fault::new(
                FaultKind::NotOffered,
                format!("\"{}\" has no path", known.name),
                "",
                match known.option {
                    "" => known.remark.to_owned(),
                    option => format!("Set the option {option} of this service. {}", known.remark),
                },
            )
        })
    }

    /// Reads for the schedule, within the rate.
    ///
    /// # Errors
    /// What failed.
    pub(super) async fn read(&self, op: Op, call: &Call) -> Result<Reply, Fault> {
        self.get(op, call, Priority::Poll).await
    }

    /// Reads for a person, at once.
    ///
    /// # Errors
    /// What failed.
    pub(super) async fn ask(&self, op: Op, call: &Call) -> Result<Reply, Fault> {
        self.get(op, call, Priority::Operator).await
    }

    async fn get(&self, op: Op, call: &Call, priority: Priority) -> Result<Reply, Fault> {
        let reply = self.session.exchange(call, priority).await?;
        if reply.is_success() {
            self.proven().insert(op);
            return Ok(reply);
        }
        Err(self.refusal(op, &reply))
    }

    /// Sends a write, once. What became of it is open after any 5xx, also one with a code: the vendor says of none
    /// that nothing was done.
    pub(super) async fn act(&self, op: Op, call: &Call, follow: Follow) -> SendOutcome {
        match self.session.exchange(call, Priority::Operator).await {
            Ok(reply) if reply.is_success() => SendOutcome::Accepted {
                answer: reply.answer(),
                follow,
            },
            Ok(reply) if reply.status >= 500 || reply.may_be_done() => {
                let mut fault = self.refusal(op, &reply);
                fault.maybe_done = true;
                SendOutcome::Unknown { fault, follow }
            }
            Ok(reply) => SendOutcome::Refused {
                code: self.refusal(op, &reply).code.unwrap_or_default(),
                answer: reply.answer(),
            },
            Err(fault) if fault.maybe_done => SendOutcome::Unknown { fault, follow },
            Err(fault) => SendOutcome::NotSent { fault },
        }
    }

    /// The request as a confirmation shows it.
    ///
    /// # Errors
    /// See [`Session::preview`].
    pub(super) async fn preview(&self, call: &Call) -> Result<RequestPreview, Fault> {
        self.session.preview(call, "").await
    }

    /// Whether the call was answered properly once, so that its path is right.
    pub(super) fn is_proven(&self, op: Op) -> bool {
        self.proven().contains(&op)
    }

    fn proven(&self) -> std::sync::MutexGuard<'_, HashSet<Op>> {
        self.proven.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The fault behind an answer that is no success, with the operation by which its code is told apart.
    fn refusal(&self, op: Op, reply: &Reply) -> Fault {
        let mut fault = reply.fault();
        let known = op.known();
        let mut code = fault.code.take().unwrap_or_default();
        known.operation.clone_into(&mut code.operation);
        match (reply.status, code.code.as_str()) {
            (400 | 404 | 409, "131" | "137" | "140" | "143") => {
                "the service is busy with it, or it is not there yet".clone_into(&mut fault.what);
                "Ask again later; nothing is broken.".clone_into(&mut fault.advice);
            }
            // the vendor words 401 as "not authorized", so that it need not be the password
            (401, _) => {
                "the service does not accept this caller".clone_into(&mut fault.what);
                "Check e-mail and API token first (expired or revoked?), then whether the account is organisation admin and admin of the product; app tokens (OAuth 2.0, Forge) are refused here."
                    .clone_into(&mut fault.advice);
            }
            (403, _) => {
                "Give the account both rights, organisation admin and admin of the product; check the organisation's id."
                    .clone_into(&mut fault.advice);
            }
            (404 | 405, "") if !self.is_proven(op) => {
                if let (path, Provenance::Inferred | Provenance::Configured) = self.paths.of(op) {
                    let guess = if self.paths.is_guess(op) {
                        "inferred, not documented"
                    } else {
                        "the configuration's"
                    };
                    fault.what = format!(
                        "the service knows nothing at {path}, the path for \"{}\", which is {guess}",
                        known.name
                    );
                    fault.advice = format!(
                        "Set the option {} to the right path (Atlassian's REST reference has it), or to \"\" to go without.",
                        known.option
                    );
                } else {
                    "Check the organisation's id and the policy's.".clone_into(&mut fault.advice);
                }
            }
            (404, _) => {
                "Compare the ids with a fresh list; check the organisation's id."
                    .clone_into(&mut fault.advice);
            }
            (429, _) => {
                "the organisation's rate limit is used up".clone_into(&mut fault.what);
                "Nothing to do: polling waits. Other tools and people of the organisation spend the same limit; lower the option share if it happens often."
                    .clone_into(&mut fault.advice);
                if fault.retry_after_ms.is_none() {
                    fault.retry_after_ms = Some(MINUTE_MS);
                    self.session.http().keep_quiet(Some(MINUTE_MS));
                }
            }
            _ => {}
        }
        fault.code = Some(code);
        fault
    }
}

/// True when a path is wrong rather than an id: a 404 (or 405) without a code of the service's own. The service's
/// own refusals carry one.
pub(super) fn is_wrong_path(fault: &Fault) -> bool {
    fault
        .code
        .as_ref()
        .is_some_and(|code| matches!(code.http_status, Some(404 | 405)) && code.code.is_empty())
}

/// True when the service knows no such backup or restore: HTTP 400 with 108 or 120, the only codes that are published
/// for their ids. The 404s with a code (110, 112, 113, 129, 131, 143) are about exports, imports, storages and reports.
pub(super) fn is_gone(fault: &Fault) -> bool {
    fault.code.as_ref().is_some_and(|code| {
        code.http_status == Some(400) && matches!(code.code.as_str(), "108" | "120")
    })
}
