//! Before anything is sent: what was seen is kept, and what an earlier run left open is looked after.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::join_all;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::spawn_blocking;

use crate::command::outcome::Outcome;
use crate::command::{Exit, output};
use crate::model::Timestamp;
use crate::operate::{self, ActionEvent, ActionId, ActionRecord, Ledger, Operator};
use crate::store::Store;
use crate::store::history::History;

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
