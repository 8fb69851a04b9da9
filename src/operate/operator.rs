//! Preparing, confirming and sending.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use super::guard::name_to_type;
use super::{ActionEvent, ActionId, Guard, GuardError, Offer, Stage, keep, offer};
use crate::catalog::{Catalog, Question};
use crate::connect::{Capabilities, Connector};
use crate::model::{
    Fault, FaultKind, Follow, Found, Intent, Phase, Prepared, RetryAdvice, SendOutcome, Service,
    ServiceId, Target, Timestamp, Verb,
};
use crate::store::history::{ActionHead, Event, History, HistoryError, KeptAction, Off};

/// When to look for an action whose answer was lost, in milliseconds after the loss. The first looks are
/// early, because the person waits; the last ones late, because services list new work with a delay.
const LOOKS_MS: [u64; 6] = [1_000, 3_000, 8_000, 20_000, 45_000, 90_000];

/// Everything that can act. Cheap to clone.
#[derive(Clone)]
pub struct Operator {
    pub(super) services: Arc<Vec<(Service, Arc<dyn Connector>)>>,
    guard: Arc<Guard>,
    catalog: Arc<Catalog>,
    events: UnboundedSender<ActionEvent>,
    looks_ms: Arc<[u64]>,
    pub(super) history: Arc<dyn History>,
    /// Nothing is sent that history can't keep.
    required: bool,
    /// The newest proposals: a confirmation goes on with the id under which the proposal was kept.
    proposals: Arc<Mutex<VecDeque<(ActionId, Prepared)>>>,
}

/// So many proposals are remembered.
const PROPOSALS: usize = 4_096;

impl std::fmt::Debug for Operator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Operator")
            .field("services", &self.services.len())
            .finish_non_exhaustive()
    }
}

/// A prepared action that passed the guard and the person. Made by [`Operator::confirm`] only, used up by
/// [`Operator::send`]: one confirmation can never be sent twice.
#[derive(Debug)]
pub struct Confirmed {
    id: ActionId,
    prepared: Prepared,
}

impl Confirmed {
    /// The action's id from here on.
    #[must_use]
    pub const fn id(&self) -> ActionId {
        self.id
    }

    /// What will be sent.
    #[must_use]
    pub const fn prepared(&self) -> &Prepared {
        &self.prepared
    }
}

impl Operator {
    /// An operator over these services; stages of actions go to `events`.
    #[must_use]
    pub fn new(
        services: Vec<(Service, Arc<dyn Connector>)>,
        guard: Guard,
        catalog: Arc<Catalog>,
        events: UnboundedSender<ActionEvent>,
    ) -> Self {
        Self {
            services: Arc::new(services),
            guard: Arc::new(guard),
            catalog,
            events,
            looks_ms: LOOKS_MS.into(),
            history: Arc::new(Off::default()),
            required: false,
            proposals: Arc::default(),
        }
    }

    /// Looks for an action whose answer was lost at these times after the loss, in milliseconds, ascending,
    /// instead of within the first minute and a half: for services that show at once what they took.
    #[must_use]
    pub fn looking_at(mut self, looks_ms: &[u64]) -> Self {
        self.looks_ms = looks_ms.into();
        self
    }

    /// Looks for an action whose answer was lost for so long, in milliseconds: often at first, then less and less.
    #[must_use]
    pub fn looking_for(self, whole_ms: u64) -> Self {
        let mut looks: Vec<u64> = LOOKS_MS.into_iter().filter(|at| *at < whole_ms).collect();
        let mut last = looks.last().copied().unwrap_or(whole_ms).max(1_000);
        while last.saturating_mul(2) < whole_ms {
            last = last.saturating_mul(2);
            looks.push(last);
        }
        looks.push(whole_ms);
        self.looking_at(&looks)
    }

    /// Keeps every step in `history`. `required`: what can't be kept is not sent.
    #[must_use]
    pub fn with_history(mut self, history: Arc<dyn History>, required: bool) -> Self {
        self.history = history;
        self.required = required;
        self
    }

    /// What a service can do at all, with reasons for what it can't; `None` for a service nobody knows.
    #[must_use]
    pub fn capabilities(&self, service: ServiceId) -> Option<&Capabilities> {
        self.connector(service).map(|c| c.capabilities())
    }

    /// What can be done on `target`, and why the rest can't. Empty for a service nobody knows.
    #[must_use]
    pub fn offers(&self, service: ServiceId, target: &Target) -> Vec<Offer> {
        self.connector(service).map_or_else(Vec::new, |c| {
            offer::offers(c.as_ref(), &self.guard, service, target)
        })
    }

    /// The exact requests of an intent, with the effect in words, the warnings and the retry advice.
    ///
    /// # Errors
    /// Why it can't be prepared or is not allowed.
    pub async fn prepare(&self, intent: &Intent) -> Result<Prepared, Fault> {
        let connector = self
            .connector(intent.service)
            .ok_or_else(|| no_service(intent.service))?;
        let spec = connector
            .action(intent.action)
            .ok_or_else(|| not_offered(intent.action, connector.kind().name()))?;
        self.guard
            .allows(intent.service, spec)
            .map_err(|e| forbidden(&e))?;
        connector
            .available(spec, &intent.target)
            .map_err(|why| Fault::new(FaultKind::Refused, why, intent.target.name.clone(), ""))?;
        let mut prepared = connector.prepare(intent).await?;
        prepared.danger = prepared.danger.max(spec.danger);
        self.advise(&mut prepared, connector.kind().name());
        self.compare(&mut prepared, connector.as_ref()).await;
        self.propose(&prepared, spec.verb);
        Ok(prepared)
    }

    /// Keeps that this was shown; its confirmation goes on from here.
    fn propose(&self, prepared: &Prepared, verb: Verb) {
        let (id, at) = (ActionId::random(), Timestamp::now());
        if let Some(head) = self.head(id, prepared, verb, at) {
            self.history
                .record(vec![head, Event::Step(keep::proposed(id, at))]);
        }
        let mut proposals = self.proposals();
        if proposals.len() >= PROPOSALS {
            proposals.pop_front();
        }
        proposals.push_back((id, prepared.clone()));
    }

    fn proposals(&self) -> MutexGuard<'_, VecDeque<(ActionId, Prepared)>> {
        self.proposals
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn head(&self, id: ActionId, prepared: &Prepared, verb: Verb, at: Timestamp) -> Option<Event> {
        let (service, _) = self.service(prepared.intent.service)?;
        Some(Event::Action(Box::new(ActionHead {
            id: id.0,
            at,
            service: service.into(),
            action: KeptAction::of(prepared, verb),
        })))
    }

    /// Adds what the catalog and the phase say about repeating.
    fn advise(&self, prepared: &mut Prepared, kind: &str) {
        let target = &prepared.intent.target;
        if prepared.retry_advice.is_none()
            && let Some(failure) = &target.failure
            && !failure.code.is_empty()
        {
            let question = Question::from_code(Some(kind), failure);
            prepared.retry_advice = self
                .catalog
                .explain(&question)
                .first()
                .map(|reading| reading.entry.retry_advice);
        }
        let look_first = target.phase == Phase::Uncertain
            || prepared.retry_advice == Some(RetryAdvice::CheckTheDeviceFirst);
        if look_first {
            let name = target.device.label();
            let name = if name.is_empty() { &target.name } else { name };
            prepared.warnings.push(format!(
                "The old task may still be running: check {name} before you send this."
            ));
        }
        if prepared.retry_advice == Some(RetryAdvice::Never) {
            prepared
                .warnings
                .push("The catalog says that repeating can't help here.".to_owned());
        }
    }

    /// Turns a yes into something that can be sent.
    ///
    /// # Errors
    /// Which rule forbids it, or that the name typed is not the one asked for.
    pub fn confirm(
        &self,
        prepared: Prepared,
        typed: Option<&str>,
    ) -> Result<Confirmed, GuardError> {
        if let Some(connector) = self.connector(prepared.intent.service)
            && let Some(spec) = connector.action(prepared.intent.action)
        {
            self.guard.allows(prepared.intent.service, spec)?;
        }
        Guard::accepts(&prepared, typed)?;
        let mut proposals = self.proposals();
        let proposed = proposals.iter().rposition(|(_, p)| *p == prepared);
        let id = proposed
            .and_then(|at| proposals.remove(at))
            .map_or_else(ActionId::random, |(id, _)| id);
        Ok(Confirmed { id, prepared })
    }

    /// What has to be typed for a prepared action of the highest danger.
    #[must_use]
    pub fn name_to_type(prepared: &Prepared) -> &str {
        name_to_type(prepared)
    }

    /// Sends it, once, and tells every stage. Returns when the request's fate is known as far as it can be:
    /// a lost answer is looked into before this ends.
    pub async fn send(&self, confirmed: Confirmed) {
        let Confirmed { id, prepared } = confirmed;
        self.announce(event(id, Stage::Confirmed, None));
        let Some(connector) = self.connector(prepared.intent.service).cloned() else {
            let fault = no_service(prepared.intent.service);
            return self.tell(id, Stage::NotSent { fault }, None);
        };
        let verb = connector
            .action(prepared.intent.action)
            .map_or(Verb::Trigger, |a| a.verb);
        if let Err(error) = self.write_ahead(id, &prepared, verb).await {
            let fault = Fault::new(
                FaultKind::Config,
                format!(
                    "it could not be written down before it is sent: {}",
                    error.what
                ),
                error.place,
                format!(
                    "{}. To send all the same, without a record, set required = false under [history]",
                    if error.advice.is_empty() {
                        "Look at the history's file"
                    } else {
                        &error.advice
                    }
                ),
            );
            return self.announce(event(id, Stage::NotSent { fault }, None));
        }
        self.announce(event(
            id,
            Stage::Sending {
                step: String::new(),
            },
            None,
        ));
        let sent_at = Timestamp::now();
        let progress = |step: String| self.tell(id, Stage::Sending { step }, None);
        match connector.send(&prepared, &progress).await {
            SendOutcome::Accepted { answer, follow } => {
                self.tell(id, Stage::Accepted { answer }, Some(follow));
            }
            SendOutcome::Refused { code, answer } => {
                self.tell(id, Stage::Refused { code, answer }, None)
            }
            SendOutcome::NotSent { fault } => self.tell(id, Stage::NotSent { fault }, None),
            SendOutcome::Unknown { fault, follow } => {
                self.tell(id, Stage::Unknown { fault }, Some(follow.clone()));
                let times = (sent_at, Timestamp::now());
                self.look(id, connector.as_ref(), &prepared, times, follow)
                    .await;
            }
        }
    }

    /// Puts what is about to be sent on the disk: whatever happens to this program now, a later one knows.
    async fn write_ahead(
        &self,
        id: ActionId,
        prepared: &Prepared,
        verb: Verb,
    ) -> Result<(), HistoryError> {
        let mut events: Vec<Event> = self
            .head(id, prepared, verb, Timestamp::now())
            .into_iter()
            .collect();
        for stage in [
            Stage::Confirmed,
            Stage::Sending {
                step: String::new(),
            },
        ] {
            events.push(Event::Step(keep::step(&event(id, stage, None), false)));
        }
        match self.history.save(events).await {
            Err(error) if self.required => Err(error),
            // the person was told that history is not written and chose to act without it
            _ => Ok(()),
        }
    }

    /// Keeps a stage that a face observed (the task that an action became).
    pub fn note(&self, event: &ActionEvent, expects_task: bool) {
        self.history
            .record(vec![Event::Step(keep::step(event, expects_task))]);
    }

    /// Looks for an action whose answer was lost, until it is found or the last look is over.
    pub(super) async fn look(
        &self,
        id: ActionId,
        connector: &dyn Connector,
        prepared: &Prepared,
        (sent_at, lost_at): (Timestamp, Timestamp),
        follow: Follow,
    ) {
        let mut seen_last = Ok(String::new());
        // of an action of an earlier run some looks are long due: one of them is enough
        let since = u64::try_from(Timestamp::now().since(lost_at)).unwrap_or(0);
        let past = self.looks_ms.iter().filter(|due| **due <= since).count();
        let mut waited = since;
        let looks = (1..).zip(self.looks_ms.iter().copied());
        for (number, due) in looks.skip(past.saturating_sub(1)) {
            tokio::time::sleep(Duration::from_millis(due.saturating_sub(waited))).await;
            waited = waited.max(due);
            self.tell(id, Stage::Looking { look: number }, None);
            match connector.find(prepared, sent_at).await {
                Ok(Found::Done { task_ids, seen }) => {
                    let follow = Follow {
                        expects_task: follow.expects_task || !task_ids.is_empty(),
                        task_ids,
                        ..follow
                    };
                    return self.tell(id, Stage::FoundDone { seen }, Some(follow));
                }
                Ok(Found::CannotTell { why }) => {
                    return self.tell(id, Stage::CannotTell { why }, None);
                }
                Ok(Found::Nothing { looked_at }) => seen_last = Ok(looked_at),
                Err(fault) => seen_last = Err(fault),
            }
        }
        match seen_last {
            Ok(looked_at) => self.tell(id, Stage::FoundNothing { looked_at }, None),
            // it stays open: whoever comes next looks again
            Err(fault) => {
                let fault = Fault {
                    what: format!("the last look for it failed: {}", fault.what),
                    ..fault
                };
                self.tell(id, Stage::Unknown { fault }, None);
            }
        }
    }

    /// Tells the face and history.
    pub(super) fn tell(&self, id: ActionId, stage: Stage, follow: Option<Follow>) {
        let event = event(id, stage, follow);
        let expects_task = event.follow.as_ref().is_some_and(|f| f.expects_task);
        self.note(&event, expects_task);
        self.announce(event);
    }

    /// Tells the face.
    fn announce(&self, event: ActionEvent) {
        // the receiver goes only when the program ends; the request is then sent all the same
        let _ = self.events.send(event);
    }

    /// A service with its connector.
    pub(super) fn service(&self, id: ServiceId) -> Option<&(Service, Arc<dyn Connector>)> {
        self.services.iter().find(|(s, _)| s.id == id)
    }

    pub(super) fn connector(&self, service: ServiceId) -> Option<&Arc<dyn Connector>> {
        self.service(service).map(|(_, c)| c)
    }
}

fn event(id: ActionId, stage: Stage, follow: Option<Follow>) -> ActionEvent {
    ActionEvent {
        id,
        at: Timestamp::now(),
        stage,
        follow,
    }
}

fn no_service(service: ServiceId) -> Fault {
    Fault::new(
        FaultKind::Config,
        format!("there is no service number {}", service.0),
        "",
        "Choose one of the configured services.",
    )
}

fn not_offered(action: &str, kind: &str) -> Fault {
    Fault::new(
        FaultKind::NotOffered,
        format!("{kind} has no action \"{action}\""),
        "",
        "",
    )
}

fn forbidden(error: &GuardError) -> Fault {
    Fault::new(FaultKind::Config, error.to_string(), "", "")
}
