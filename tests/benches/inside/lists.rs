//! Filters and sorting over a million tasks.

use std::time::Duration;

use keepwatch::query::{Field, Noun, Query};
use keepwatch::store::{Store, View};

use crate::common::{MILLION, median, ms, row, timed};
use crate::estate::{Estate, NOW};

fn filter(store: &Store, text: &str) -> (Duration, usize) {
    let mut view = View::new(Noun::Tasks);
    view.refresh(store, NOW);
    let query = Query::parse(text).expect("a query");
    let mut hits = 0;
    let time = median(5, || {
        view.set_query(Query::all());
        view.refresh(store, NOW);
        view.set_query(query.clone());
        let (time, _) = timed(|| view.refresh(store, NOW));
        hits = view.len();
        time
    });
    (time, hits)
}

pub fn run() {
    let store = Estate::store(MILLION);
    for text in [
        "failed",
        "vault",
        "failed vault",
        "ecs-web-0004",
        "3f9a",
        "e",
        "no such thing",
        "~nghtvlt",
        "~a",
        "~42",
        "/quota.*exceeded/",
        "code:CSBS.6027",
        "ended<2h",
        "!success",
    ] {
        let (time, hits) = filter(&store, text);
        row(&format!("filter `{text}` ({hits} hits)"), &ms(time), "");
    }
    for field in Field::ALL.into_iter().filter(|f| f.fits(Noun::Tasks)) {
        for descending in [false, true] {
            let mut view = View::new(Noun::Tasks);
            view.refresh(&store, NOW);
            let time = median(3, || {
                view.set_sort(Field::Is, false);
                view.set_sort(field, descending);
                timed(|| view.refresh(&store, NOW)).0
            });
            let way = if descending { "down" } else { "up" };
            row(&format!("sort by {} {way}", field.name()), &ms(time), "");
        }
    }
}
