//! Before anything is sent: what was seen is kept, and what an earlier run left open is looked after.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout};

use crate::catalog::Catalog;
use crate::command::list::{complain_of, states};
use crate::command::outcome::Outcome;
use crate::command::services::Services;
use crate::command::{Exit, output, runtime};
use crate::config::Config;
use crate::model::Timestamp;
use crate::operate::{self, ActionEvent, ActionId, ActionRecord, Ledger, Operator};
use crate::store::Store;
use crate::store::history::History;
use crate::watch::{Want, collect};

/// The least time for looking, where reading took all that there was.
const LEAST_LOOK: Duration = Duration::from_secs(5);

/// Tells history what a round saw.
///
/// # Errors
/// [`Exit::Failure`] when the thread that does it broke off.
pub async fn keep(store: Store, history: &Arc<dyn History>) -> Result<Store, Exit> {
    let history = Arc::clone(history);
    let kept = spawn_blocking(move || {
        super::keep_all(&store, &*history, true);
        store
    });
    kept.await.map_err(|e| {
        output::complain(&format!("what was seen could not be written down: {e}"));
        Exit::Failure
    })
}

/// Looks what became of actions that an earlier run sent and saw no answer to, and says what it found.
pub async fn look_after(
    operator: &Operator,
    store: &Store,
    stages: &mut UnboundedReceiver<ActionEvent>,
) {
    let taker = operator.clone();
    let records = match spawn_blocking(move || taker.take_over()).await {
        Ok(Ok(records)) => records,
        Ok(Err(error)) => return output::complain(&error.to_string()),
        Err(_) => return,
    };
    observe(operator, &records, store);
    let lost: Vec<_> = records.iter().filter(|r| r.is_lost()).collect();
    for record in &lost {
        output::complain(&format!(
            "{}: an earlier run sent it and saw no answer; looking what became of it",
            title(record, store)
        ));
    }
    join_all(lost.iter().map(|record| operator.resolve(record))).await;
    let mut outcomes: HashMap<ActionId, Outcome> = HashMap::new();
    while let Ok(event) = stages.try_recv() {
        outcomes.entry(event.id).or_default().take(event);
    }
    for record in lost {
        if let Some(outcome) = outcomes.get(&record.id) {
            output::complain(&format!("{}: {}", title(record, store), outcome.sentence()));
        }
    }
}

/// Says that actions of earlier runs are open, where nobody knows what became of them and nobody follows them, and
/// how to learn it.
pub fn say_open(history: &dyn History) {
    let open = match history.open_actions() {
        Ok(stories) => stories,
        Err(error) => return output::complain(&error.to_string()),
    };
    let lost: Vec<String> = open
        .iter()
        .filter(|story| operate::is_unresolved(story))
        .map(|s| {
            format!(
                "{} on {}/{}",
                s.action.action, s.service.name, s.action.target.name
            )
        })
        .collect();
    let named = lost.iter().take(3).map(String::as_str);
    let named = named.collect::<Vec<_>>().join(", ");
    let (begins, names) = match lost.len() {
        0 => return,
        1 => ("an action of an earlier run has".to_owned(), named),
        n if n > 3 => (
            format!("{n} actions of earlier runs have"),
            format!("{named} and {} more", n - 3),
        ),
        n => (format!("{n} actions of earlier runs have"), named),
    };
    output::complain(&format!(
        "{begins} no known outcome ({names}): keepwatch audit --open shows them, and with --look-up asks the services"
    ));
}

/// Looks in the services what became of what earlier runs left open, and says what it found. Sends nothing.
///
/// # Errors
/// Services that can't be opened; it was said.
pub fn look_up(
    settings: Config,
    only: &[String],
    patience: Duration,
    catalog: &Arc<Catalog>,
    history: &Arc<dyn History>,
) -> Result<(), Exit> {
    runtime()?.block_on(async {
        let services = Services::open(settings, only, true).await?;
        services.say_if_embedded();
        let begun = Instant::now();
        let store = collect(&services.watched, Want::All, patience).await;
        complain_of(&states(&store, Timestamp::now()));
        let store = keep(store, history).await?;
        let (events, mut stages) = mpsc::unbounded_channel();
        let operator = services.operator(catalog, events, Arc::clone(history));
        let left = patience.saturating_sub(begun.elapsed()).max(LEAST_LOOK);
        let looking = look_after(&operator, &store, &mut stages);
        if timeout(left, looking).await.is_err() {
            output::complain(&format!(
                "the services took longer than {} s: what was not found out stays open; give them more with --timeout",
                patience.as_secs()
            ));
        }
        // what was found is on the disk before it is told
        let saved = history.save(Vec::new()).await;
        saved.map_err(|error| {
            output::complain(&error.to_string());
            Exit::Failure
        })
    })
}

/// Notes how far the tasks are that earlier runs' actions became.
fn observe(operator: &Operator, records: &[ActionRecord], store: &Store) {
    let mut ledger = Ledger::default();
    ledger.take_over(records.to_vec());
    for event in operate::observe(&ledger, store, Timestamp::now()) {
        operator.note(&event, true);
    }
}

fn title(record: &ActionRecord, store: &Store) -> String {
    let intent = &record.prepared.intent;
    format!(
        "{} on {}/{}",
        intent.action,
        store.service(intent.service).service.name,
        intent.target.name
    )
}
