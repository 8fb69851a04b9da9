//! Questions before an action: can this server be backed up, can this backup be restored, what is left.

use serde::Deserialize;
use serde_json::json;

use super::{Csbs, PROVIDER, moved};
use crate::connect::decode::{Flag, Loose, Text};
use crate::connect::http::Call;
use crate::connect::quota;
use crate::model::{CodeRef, Fault, FaultKind};

#[derive(Deserialize)]
struct Protectable<'a> {
    #[serde(borrow, default)]
    protectable: Loose<Vec<Verdict<'a>>>,
    #[serde(borrow, default)]
    restorable: Loose<Vec<Verdict<'a>>>,
}

#[derive(Deserialize)]
struct Verdict<'a> {
    #[serde(default)]
    result: Flag,
    #[serde(borrow, default)]
    error_code: Text<'a>,
    #[serde(borrow, default)]
    error_msg: Text<'a>,
}

impl Csbs {
    /// Asks whether a server can be backed up now. `Ok(Some(…))` is a warning: the service gave no verdict.
    ///
    /// # Errors
    /// The service's own refusal, or no answer at all.
    pub(super) async fn check_protectable(
        &self,
        server: &str,
        kind: &str,
    ) -> Result<Option<String>, Fault> {
        let body = json!({"check_protectable": [{"resource_id": server, "resource_type": kind}]});
        self.verdict(body, "backup").await
    }

    /// Asks whether a backup can be restored to a server.
    ///
    /// # Errors
    /// As [`Csbs::check_protectable`].
    pub(super) async fn check_restorable(
        &self,
        body: serde_json::Value,
    ) -> Result<Option<String>, Fault> {
        self.verdict(body, "restore").await
    }

    async fn verdict(
        &self,
        body: serde_json::Value,
        operation: &str,
    ) -> Result<Option<String>, Fault> {
        let call = Call::post(&["providers", PROVIDER, "resources", "action"], body);
        let reply = match self.session.ask(&call).await.map_err(moved) {
            Ok(reply) => reply,
            // Some installations don't publish the question; that must not stop what it asks about.
            Err(fault)
                if fault
                    .code
                    .as_ref()
                    .is_some_and(|c| c.http_status == Some(404) || c.http_status == Some(501)) =>
            {
                return Ok(Some(
                    "The service doesn't offer its precheck, so a refusal shows only afterwards."
                        .into(),
                ));
            }
            Err(fault) => return Err(fault),
        };
        let answer: Protectable<'_> = reply.json()?;
        let verdicts: Vec<&Verdict<'_>> = answer
            .protectable
            .0
            .iter()
            .chain(&answer.restorable.0)
            .flatten()
            .collect();
        if let Some(no) = verdicts.iter().find(|v| v.result.0 == Some(false)) {
            let mut code = CodeRef::new(no.error_code.owned(), no.error_msg.owned());
            code.operation = operation.to_owned();
            return Err(Fault::new(
                FaultKind::Refused,
                format!("the service's precheck refuses the {operation}"),
                reply.place.clone(),
                "Look the code up and remove the cause first.",
            )
            .with_code(code));
        }
        Ok(
            (verdicts.is_empty() || verdicts.iter().any(|v| v.result.0.is_none())).then(|| {
                "The service's precheck gave no verdict, so a refusal shows only afterwards.".into()
            }),
        )
    }

    /// The quotas in words.
    ///
    /// # Errors
    /// No usable answer.
    pub(super) async fn quotas(&self) -> Result<String, Fault> {
        let reply = self.session.ask(&Call::get(&["quotas"])).await?;
        quota::in_words(&reply)
    }
}
