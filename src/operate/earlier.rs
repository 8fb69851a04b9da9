//! What earlier runs sent: taken over when they left it open, and compared with what is about to be sent.

use super::keep::{self, is_unresolved};
use super::{ActionId, ActionRecord, Operator, Stage};
use crate::connect::Connector;
use crate::model::{Fault, FaultKind, Follow, Prepared, Timestamp};
use crate::store::history::{ActionQuery, ActionStory, HistoryError, Sort, Subject};

/// An action whose fate is unknown is compared with for so long, in milliseconds.
const UNRESOLVED_MS: i64 = 24 * 3_600_000;
/// The same action sent so shortly before is worth a warning, in milliseconds.
const JUST_NOW_MS: i64 = 15 * 60_000;

impl Operator {
    /// Takes over what earlier runs left open and no running program looks after: for the ledger, and for
    /// [`Operator::resolve`]. Waits for the disk.
    ///
    /// # Errors
    /// When history can't be read.
    pub fn take_over(&self) -> Result<Vec<ActionRecord>, HistoryError> {
        let now = Timestamp::now();
        let mut records = Vec::new();
        for story in self.history.claim_open_actions()? {
            let id = ActionId(story.id);
            match self.record(&story) {
                Some(record) if record.steps.len() > 1 => records.push(ActionRecord {
                    taken_over_at: Some(now),
                    ..record
                }),
                // the confirmation and the sending are written as one: it never got that far
                Some(_) => {
                    let fault = Fault::new(
                        FaultKind::Config,
                        "keepwatch ended before it was sent",
                        "",
                        "",
                    );
                    self.tell(id, Stage::NotSent { fault }, None);
                }
                None => {
                    let why = format!(
                        "the service {} or its action {} is not configured any more",
                        story.service.name, story.action.action
                    );
                    self.tell(id, Stage::CannotTell { why }, None);
                }
            }
        }
        Ok(records)
    }

    fn record(&self, story: &ActionStory) -> Option<ActionRecord> {
        let (service, connector) = self.services.iter().find(|(s, _)| {
            *s.name == *story.service.name && s.kind.name() == &*story.service.kind
        })?;
        let spec = connector.action(&story.action.action)?;
        Some(keep::record(story, service.id, spec.id))
    }

    /// Looks what became of an action of an earlier run whose answer nobody got. Sends nothing. Returns when its
    /// fate is known as far as it can be; at once when there is nothing to look for.
    pub async fn resolve(&self, record: &ActionRecord) {
        let Some(connector) = self
            .connector(record.prepared.intent.service)
            .filter(|_| record.is_lost())
            .cloned()
        else {
            return;
        };
        let follow = record.follow.clone().unwrap_or_else(|| Follow {
            expects_task: false,
            ..Follow::default()
        });
        if matches!(record.stage(), Stage::Sending { .. }) {
            let fault = Fault::new(
                FaultKind::Unreachable,
                "keepwatch ended before the answer came",
                "",
                "",
            );
            self.tell(record.id, Stage::Unknown { fault }, Some(follow.clone()));
        }
        let sent_at = record
            .steps
            .iter()
            .find(|(_, stage)| matches!(stage, Stage::Sending { .. }))
            .map_or_else(|| record.confirmed_at(), |(at, _)| *at);
        self.look(
            record.id,
            connector.as_ref(),
            &record.prepared,
            (sent_at, sent_at),
            follow,
        )
        .await;
    }

    /// Compares what is about to be shown with what was sent before: warns of the same action just now or of
    /// unknown fate, and takes over its token where the service recognises a repeat by it.
    pub(super) async fn compare(&self, prepared: &mut Prepared, connector: &dyn Connector) {
        let Some((service, _)) = self.service(prepared.intent.service) else {
            return;
        };
        let intent = &prepared.intent;
        let sort: Sort = intent.target.kind.word().parse().unwrap_or(Sort::Task);
        let now = Timestamp::now();
        let query = ActionQuery {
            subject: Some(Subject::new(&*service.name, sort, &intent.target.id)),
            from: Some(now.plus(-UNRESOLVED_MS)),
            limit: Some(50),
            ..ActionQuery::default()
        };
        let history = std::sync::Arc::clone(&self.history);
        let asked = tokio::task::spawn_blocking(move || history.actions(&query)).await;
        // a history that can't be read is told elsewhere; it must not keep anybody from acting
        let Ok(Ok(stories)) = asked else {
            return;
        };
        let same = |story: &&ActionStory| {
            let kept = &story.action;
            kept.action == intent.action
                && kept.target.kind == intent.target.kind.word()
                && kept.target.id == intent.target.id
                && kept.inputs == intent.inputs
                && *story.service.kind == *service.kind.name()
        };
        let Some(last) = stories.iter().rev().filter(same).find(|s| was_sent(s)) else {
            return;
        };
        let who = if last.operator == self.history.identity().operator {
            "you".to_owned()
        } else {
            format!("{} on {}", last.operator, last.host)
        };
        let sent = last
            .steps
            .iter()
            .find(|s| s.step.stage == "sending")
            .map_or(last.at, |s| s.step.at);
        let when = sent.utc().map_or_else(String::new, |t| {
            t.format("%Y-%m-%d %H:%M:%S UTC").to_string()
        });
        if is_unresolved(last) {
            let token = last.action.token.as_deref();
            let reused = token.is_some_and(|token| connector.reuse_token(prepared, token));
            prepared.warnings.push(format!(
                "The same was sent by {who} at {when} and nobody knows what became of it ({}): look before you \
                 send it again.{}",
                last.stage(),
                if reused {
                    " It carries the same token, by which the service can recognise the repeat."
                } else {
                    ""
                }
            ));
        } else if now.since(sent) < JUST_NOW_MS {
            prepared.warnings.push(format!(
                "The same was sent by {who} at {when} already: {}.",
                last.stage()
            ));
        }
    }
}

/// True when a request left, or may have left, and was not refused.
fn was_sent(story: &ActionStory) -> bool {
    story.steps.iter().any(|s| s.step.stage == "sending")
        && !matches!(story.stage(), "refused" | "not sent")
}
