//! Polls: one in which nothing changed, and views after changes.

use keepwatch::model::{Phase, ServiceId};
use keepwatch::query::Noun;
use keepwatch::store::View;

use crate::common::{Count, MILLION, cost, median, ms, row, timed};
use crate::estate::{Estate, FEED, NOW, PAGE};

pub fn run(count: Count) {
    let tasks = 200_000;
    let mut store = Estate::store(tasks);
    let mut view = View::new(Noun::Tasks);
    view.refresh(&store, NOW);

    // the same pages again, byte for byte
    let pages = u32::try_from(tasks / PAGE).expect("few pages");
    let generation = store.generation();
    let (taken, ()) = cost(count, None, || {
        for page in 0..pages {
            let service = ServiceId(u16::try_from(page % 8).unwrap_or(0));
            assert!(store.apply_same(service, FEED, page, NOW));
        }
        assert!(!view.refresh(&store, NOW));
    });
    assert_eq!(store.generation(), generation, "a frame would be due");
    row(
        "a poll of 200,000 tasks, the same pages",
        &format!("{taken}, 0 frames"),
        "",
    );

    // pages that were decoded anew, with the same rows
    let mut estate = Estate::new(tasks);
    let all: Vec<_> = std::iter::from_fn(|| estate.page()).collect();
    let (taken, ()) = cost(count, None, || {
        for (service, page, rows) in all {
            store.apply(service, FEED, page, rows, NOW);
        }
        assert!(!view.refresh(&store, NOW));
    });
    assert_eq!(store.generation(), generation, "a frame would be due");
    row(
        "the same, decoded again (folding alone)",
        &format!("{taken}, 0 frames"),
        "",
    );

    if count.is_some() {
        return;
    }
    // one task of a million changes, the lists follow
    let mut store = Estate::store(MILLION);
    let mut view = View::new(Noun::Tasks);
    view.refresh(&store, NOW);
    let rows: Vec<_> = store.tasks().collect();
    let mut at = 0;
    for changes in [1, 5_000] {
        let time = median(15, || {
            for _ in 0..changes {
                at = (at + 7_919) % rows.len();
                let view = store.task(rows[at]);
                let (service, mut task) = (view.service_id(), view.to_task());
                task.phase = match task.phase {
                    Phase::Failed => Phase::Succeeded,
                    _ => Phase::Failed,
                };
                task.native_status = if task.phase == Phase::Failed {
                    "error"
                } else {
                    "available"
                }
                .into();
                store.apply_task(service, task, NOW);
            }
            timed(|| view.refresh(&store, NOW)).0
        });
        row(
            &format!("a list of 1,000,000 after {changes} changes"),
            &ms(time),
            "",
        );
    }
}
