//! What every connector promises, held against every embedded service: the same cases for each kind.
//!
//! The kinds come from the registries, so that a new one is judged as soon as it has a connector and a dialect. The
//! connectors' own tests hold what is particular to each.

mod acting;
mod bench;
mod cbr;
mod reading;
mod trouble;

use std::collections::HashMap;
use std::future::Future;

use keepwatch::kinds;
use keepwatch::model::Kind;
use keepwatch::sim::dialect::DialectEntry;
use tokio::task::{Id, JoinSet};

/// Runs a case for every kind; fails naming each kind that does not keep it.
async fn everywhere<F: Future<Output = ()> + Send + 'static>(case: impl Fn(DialectEntry) -> F) {
    let mut running = JoinSet::new();
    let mut kinds: HashMap<Id, &str> = HashMap::new();
    for entry in kinds::dialects() {
        let id = running.spawn(case(entry)).id();
        kinds.insert(id, entry.kind);
    }
    let mut broken = Vec::new();
    while let Some(done) = running.join_next_with_id().await {
        if let Err(e) = done {
            let kind = kinds[&e.id()];
            let why = e.into_panic();
            let why = why
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| why.downcast_ref::<&str>().copied())
                .unwrap_or("it broke off");
            broken.push(format!("{kind}: {why}"));
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn every_connector_is_judged() {
    let spoken = kinds::dialects();
    assert!(spoken.len() >= 8, "{spoken:?}");
    for (driver, entry) in kinds::drivers().zip(&spoken) {
        let Kind(name) = driver.kind;
        assert_eq!(
            name, entry.kind,
            "a connector stands beside another kind's embedded service in the registry"
        );
    }
}
