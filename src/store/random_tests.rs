//! The store against a naive model: random polls, then every view, statistic and look-up is compared with
//! what a plain walk over plain data gives.

use std::cmp::Ordering;

use super::random_world::World;
use super::*;
use crate::model::{Phase, Rows, Task};
use crate::query::{Field, FieldType, Query, Record, fold};

/// Rows of a view the slow way.
fn naive(store: &Store, view: &View, now: Timestamp) -> Vec<u32> {
    let (field, descending) = view.sort();
    let query = view.query();
    let noun = view.noun();
    let mut rows: Vec<u32> = match noun {
        Noun::Devices => store
            .devices()
            .filter(|d| query.matches(&store.device(*d), now))
            .map(|d| d.0)
            .collect(),
        Noun::Policies => store
            .policies()
            .filter(|p| query.matches(&store.policy(*p), now))
            .map(|p| p.0)
            .collect(),
        _ => store
            .tasks()
            .filter(|&row| {
                let t = store.task(row);
                let wanted = match noun {
                    Noun::Running => t.phase().is_live(),
                    Noun::Failed => {
                        let more = matches!(t.phase(), Phase::Skipped | Phase::Cancelled);
                        !t.cleared()
                            && (t.phase().needs_person()
                                || (more && view.includes_skipped_cancelled()))
                    }
                    _ => true,
                };
                wanted && query.matches(&t, now)
            })
            .map(|row| row.0)
            .collect(),
    };
    let name = |row: u32| match noun {
        Noun::Devices => store.device(DeviceRow(row)).name().to_owned(),
        Noun::Policies => store.policy(PolicyRow(row)).name().to_owned(),
        _ => store.task(TaskRow(row)).device_label().to_owned(),
    };
    let id = |row: u32| match noun {
        Noun::Devices => store.device(DeviceRow(row)).id().to_owned(),
        Noun::Policies => store.policy(PolicyRow(row)).id().to_owned(),
        _ => store.task(TaskRow(row)).id().to_owned(),
    };
    let service = |row: u32| match noun {
        Noun::Devices => store.device(DeviceRow(row)).service_id(),
        Noun::Policies => store.policy(PolicyRow(row)).service_id(),
        _ => store.task(TaskRow(row)).service_id(),
    };
    let started = |row: u32| {
        noun.is_of_tasks()
            .then(|| store.task(TaskRow(row)).started_at())
            .flatten()
    };
    let text = |t: &str| (fold(t).into_owned(), t.to_owned());
    let by_field = |a: u32, b: u32| match noun {
        Noun::Devices => compare(
            &store.device(DeviceRow(a)),
            &store.device(DeviceRow(b)),
            field,
            descending,
            now,
        ),
        Noun::Policies => compare(
            &store.policy(PolicyRow(a)),
            &store.policy(PolicyRow(b)),
            field,
            descending,
            now,
        ),
        _ => compare(
            &store.task(TaskRow(a)),
            &store.task(TaskRow(b)),
            field,
            descending,
            now,
        ),
    };
    let badness = |row: u32| match (noun, field) {
        (Noun::Devices, Field::Streak) => store.device(DeviceRow(row)).stats().badness(),
        (Noun::Policies, Field::Streak) => store.policy(PolicyRow(row)).stats().badness(),
        _ => 0,
    };
    rows.sort_by(|&a, &b| {
        let worst = badness(a).cmp(&badness(b));
        (if descending { worst.reverse() } else { worst })
            .then_with(|| {
                if field == Field::Streak {
                    Ordering::Equal
                } else {
                    by_field(a, b)
                }
            })
            .then_with(|| started(b).cmp(&started(a)))
            .then_with(|| service(a).cmp(&service(b)))
            .then_with(|| text(&name(a)).cmp(&text(&name(b))))
            .then_with(|| text(&id(a)).cmp(&text(&id(b))))
    });
    rows
}

fn compare(
    a: &impl Record,
    b: &impl Record,
    field: Field,
    descending: bool,
    now: Timestamp,
) -> Ordering {
    let number = |r: &dyn Fn(Field) -> Option<i64>| r(field);
    let key = |r: &dyn Record| -> Option<(String, String, i64)> {
        let first = || {
            let mut found = None;
            r.any_text(field, &mut |t| {
                found = Some((fold(t).into_owned(), t.to_owned(), 0));
                true
            });
            found
        };
        let plain = |n: i64| (String::new(), String::new(), n);
        match field.kind() {
            FieldType::Time => number(&|f| r.time(f).map(|t| t.0)).map(plain),
            _ if field == Field::Phase => first().map(|_| plain(r.phase() as i64)),
            FieldType::Text | FieldType::Word => first(),
            _ => r.number(field, now).map(plain),
        }
    };
    match (key(a), key(b)) {
        (None, None) => Ordering::Equal,
        (None, _) => Ordering::Greater,
        (_, None) => Ordering::Less,
        (Some(a), Some(b)) if descending => b.cmp(&a),
        (Some(a), Some(b)) => a.cmp(&b),
    }
}

const QUERIES: [&str; 34] = [
    "",
    "error",
    "d-name-3",
    "!protecting",
    "status:error or phase:running",
    "device:d2",
    "device=d-name-1",
    "policy:p-name",
    "code:6027",
    "code:none",
    "http:4xx",
    "progress>50",
    "ended<20m",
    "ended:none",
    "started>10m updated<30m",
    "is:lost",
    "is:cleared,asked",
    "~dnm2",
    "/t1\\d/",
    "id:t1",
    "id=T7",
    "kind:csbs !restore",
    "service:otc",
    "phase:failed,uncertain quota",
    "elapsed>10m",
    "since:15m",
    "(export or download) server",
    "message:any",
    "größe",
    "device:none",
    "name:d-name-4",
    "operation!=backup",
    "place:eu-de",
    "last_good>10m",
];

#[test]
fn views_statistics_and_rows_agree_with_a_naive_model() {
    for seed in 0..12 {
        let mut world = World::new(seed);
        let mut views: Vec<View> = (0..14).map(|n| View::new(Noun::ALL[n % 5])).collect();
        let fields: Vec<Field> = Field::ALL.into_iter().filter(|f| *f != Field::Is).collect();
        for step in 0..120 {
            world.step();
            if step % 3 == 0 {
                world.check();
            }
            for view in &mut views {
                // mostly the changes are taken in, sometimes it is made anew
                if world.rng.u8(0..12) == 0 {
                    let query = QUERIES[world.rng.usize(0..QUERIES.len())];
                    view.set_query(Query::parse(query).expect("a query"));
                }
                if world.rng.u8(0..12) == 0 {
                    let field = fields[world.rng.usize(0..fields.len())];
                    view.set_sort(field, world.rng.bool());
                }
                view.include_skipped_cancelled(world.rng.u8(0..20) == 0);
                let before = view.slice(0..usize::MAX).to_vec();
                let told = view.refresh(&world.store, world.now);
                let rows = view.slice(0..usize::MAX);
                let expected = naive(&world.store, view, world.now);
                let what = (
                    seed,
                    step,
                    view.noun(),
                    view.sort(),
                    view.query().text().to_owned(),
                );
                assert_eq!(rows, expected, "{what:?}");
                assert!(told || before == rows, "{what:?} moved in silence");
                for (place, row) in rows.iter().enumerate() {
                    assert_eq!(view.position(*row), Some(place));
                }
                assert!(!view.refresh(&world.store, world.now), "{what:?}");
            }
        }
    }
}

#[test]
fn long_runs_of_equal_rows_are_sorted_like_short_ones() {
    let mut world = World::new(99);
    let start = world.now;
    for service in 0..2 {
        let tasks: Vec<Task> = (0..1_100)
            .map(|n| {
                // some ids are those of the other service, some need more than their first letters
                let id = match n % 5 {
                    0 => format!("the-same-beginning-{:05}", n * 7_919 % 1_100),
                    1 => format!("{}É{n}", "x".repeat(n as usize % 30)),
                    _ => format!("{:05}{service}", n * 7_919 % 1_100),
                };
                let mut task = world.task(&id);
                task.started_at = Some(start.plus(-1_000 * i64::from(n % 3 == 0)));
                task
            })
            .collect();
        let rows = Rows {
            tasks,
            ..Rows::default()
        };
        world.store.apply(ServiceId(service), "all", 0, rows, start);
    }
    for field in Field::ALL.into_iter().filter(|f| f.fits(Noun::Tasks)) {
        for descending in [false, true] {
            let mut view = View::new(Noun::Tasks);
            view.set_sort(field, descending);
            view.refresh(&world.store, start);
            assert_eq!(
                view.slice(0..9_999),
                naive(&world.store, &view, start),
                "{field:?}"
            );
        }
    }
}
