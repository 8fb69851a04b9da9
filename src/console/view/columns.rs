//! The columns of each list: which there are, and which of them fit.

use crate::query::{Field, Noun};
use crate::store::FieldSet;

/// What a column shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Col {
    /// The name of a device or policy; of a task, its device.
    Name,
    /// A task's policy.
    Policy,
    /// The service.
    Service,
    /// The last good backup.
    LastGood,
    /// The newest outcomes as signs.
    Recent,
    /// Failures in a row.
    Fails,
    /// The last attempt: sign and age.
    LastTry,
    /// The service's own status.
    Status,
    /// Zone, site, host.
    Place,
    /// What sort of thing.
    What,
    /// Live tasks.
    Live,
    /// Known tasks.
    Tasks,
    /// When it fires next.
    Next,
    /// When it fires, in words.
    Schedule,
    /// Where inside the task, or what holds it up.
    Step,
    /// How much is done, as a bar.
    Progress,
    /// Since the start.
    Elapsed,
    /// The estimate of what is left.
    Left,
    /// When it started.
    Started,
    /// How long ago it ended.
    Ended,
    /// How long ago it last changed.
    Updated,
    /// What it does.
    Operation,
    /// The code.
    Code,
    /// The HTTP status.
    Http,
    /// What the code means.
    Meaning,
    /// Whether to retry.
    Retry,
    /// From start to end.
    Took,
}

impl Col {
    /// Whether a change of these fields is a change of what the column shows.
    #[must_use]
    pub const fn shows(self, changed: FieldSet) -> bool {
        const fn of(fields: &[Field]) -> FieldSet {
            FieldSet::from_slice(fields)
        }
        changed.meets(match self {
            Self::Name => of(&[Field::Name]),
            Self::Policy | Self::Service | Self::What | Self::Started => FieldSet::NONE,
            Self::LastGood => of(&[Field::LastGood]),
            Self::Recent | Self::Fails => of(&[Field::Streak]),
            Self::LastTry => of(&[Field::LastAttempt, Field::Phase]),
            Self::Status => of(&[Field::Status]),
            Self::Place => of(&[Field::Place]),
            Self::Live => of(&[Field::Running]),
            Self::Tasks => of(&[Field::Tasks]),
            Self::Next => of(&[Field::NextRun, Field::Enabled]),
            Self::Schedule => of(&[Field::Schedule]),
            Self::Step => of(&[Field::Step, Field::Status, Field::Phase]),
            // a bar that grows is seen to grow
            Self::Progress | Self::Elapsed | Self::Left | Self::Took => FieldSet::NONE,
            Self::Ended | Self::Updated => of(&[Field::Ended]),
            Self::Operation => of(&[Field::Operation]),
            Self::Code | Self::Meaning | Self::Retry => of(&[Field::Code]),
            Self::Http => of(&[Field::Http]),
        })
    }
}

/// A column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Column {
    /// What it shows.
    pub col: Col,
    /// Its heading.
    pub head: &'static str,
    /// The field that its heading sorts by.
    pub sort: Option<Field>,
    /// The least width that makes sense.
    pub min: u16,
    /// The width at which it reads well: columns of lesser rank go before one is narrower than this.
    pub good: u16,
    /// The width beyond which more is of no use.
    pub max: u16,
    /// Which columns stand when there is little room: the lowest first.
    pub rank: u8,
    /// Numbers stand at the right.
    pub right: bool,
}

const fn column(
    col: Col,
    head: &'static str,
    sort: Option<Field>,
    width: (u16, u16, u16),
    rank: u8,
) -> Column {
    Column {
        col,
        head,
        sort,
        min: width.0,
        good: width.1,
        max: width.2,
        rank,
        right: matches!(
            col,
            Col::LastGood
                | Col::Fails
                | Col::Live
                | Col::Tasks
                | Col::Next
                | Col::Elapsed
                | Col::Left
                | Col::Ended
                | Col::Updated
                | Col::Http
                | Col::Took
        ),
    }
}

static DEVICES: [Column; 11] = [
    column(Col::Name, "DEVICE", Some(Field::Name), (12, 18, 36), 0),
    column(
        Col::Service,
        "SERVICE",
        Some(Field::Service),
        (8, 12, 14),
        4,
    ),
    column(
        Col::LastGood,
        "LAST GOOD",
        Some(Field::LastGood),
        (9, 9, 9),
        1,
    ),
    column(Col::Recent, "RECENT", Some(Field::Streak), (6, 8, 8), 2),
    column(Col::Fails, "FAILS", Some(Field::Streak), (5, 5, 5), 3),
    column(
        Col::LastTry,
        "LAST TRY",
        Some(Field::LastAttempt),
        (9, 9, 9),
        5,
    ),
    column(Col::Live, "RUNS", Some(Field::Running), (4, 4, 4), 7),
    column(Col::Status, "STATUS", Some(Field::Status), (8, 10, 22), 6),
    column(Col::Place, "PLACE", Some(Field::Place), (6, 10, 16), 8),
    column(Col::What, "WHAT", Some(Field::What), (6, 10, 18), 9),
    column(Col::Tasks, "TASKS", Some(Field::Tasks), (5, 5, 7), 10),
];

static POLICIES: [Column; 11] = [
    column(Col::Name, "POLICY", Some(Field::Name), (12, 18, 36), 0),
    column(
        Col::Service,
        "SERVICE",
        Some(Field::Service),
        (8, 12, 14),
        4,
    ),
    column(Col::Next, "NEXT", Some(Field::NextRun), (8, 8, 8), 1),
    column(
        Col::LastTry,
        "LAST TRY",
        Some(Field::LastAttempt),
        (9, 9, 9),
        2,
    ),
    column(
        Col::LastGood,
        "LAST GOOD",
        Some(Field::LastGood),
        (9, 9, 9),
        3,
    ),
    column(Col::Fails, "FAILS", Some(Field::Streak), (5, 5, 5), 5),
    column(Col::Live, "RUNS", Some(Field::Running), (4, 4, 4), 8),
    column(
        Col::Schedule,
        "SCHEDULE",
        Some(Field::Schedule),
        (10, 16, 26),
        6,
    ),
    column(Col::Status, "STATUS", Some(Field::Status), (8, 10, 20), 7),
    column(Col::What, "WHAT", Some(Field::What), (6, 10, 18), 9),
    column(Col::Tasks, "TASKS", Some(Field::Tasks), (5, 5, 7), 10),
];

static RUNNING: [Column; 10] = [
    column(Col::Name, "DEVICE", Some(Field::Device), (12, 16, 30), 0),
    column(Col::Policy, "POLICY", Some(Field::Policy), (10, 14, 26), 4),
    column(
        Col::Service,
        "SERVICE",
        Some(Field::Service),
        (8, 12, 14),
        6,
    ),
    column(
        Col::Operation,
        "DOES",
        Some(Field::Operation),
        (6, 8, 18),
        7,
    ),
    column(Col::Step, "STEP", Some(Field::Step), (14, 22, 44), 1),
    column(
        Col::Progress,
        "PROGRESS",
        Some(Field::Progress),
        (10, 13, 18),
        2,
    ),
    column(Col::Elapsed, "ELAPSED", Some(Field::Elapsed), (7, 7, 7), 3),
    column(Col::Left, "LEFT", None, (7, 7, 7), 5),
    column(Col::Started, "STARTED", Some(Field::Started), (8, 8, 11), 9),
    column(Col::Status, "STATUS", Some(Field::Status), (10, 20, 40), 8),
];

static FAILED: [Column; 11] = [
    column(Col::Ended, "ENDED", Some(Field::Ended), (7, 7, 7), 1),
    column(Col::Name, "DEVICE", Some(Field::Device), (12, 14, 28), 0),
    column(Col::Policy, "POLICY", Some(Field::Policy), (10, 14, 26), 6),
    column(
        Col::Service,
        "SERVICE",
        Some(Field::Service),
        (8, 10, 14),
        5,
    ),
    column(
        Col::Operation,
        "DOES",
        Some(Field::Operation),
        (6, 8, 18),
        7,
    ),
    column(Col::Code, "CODE", Some(Field::Code), (10, 11, 44), 2),
    column(Col::Meaning, "MEANING", None, (16, 44, 100), 4),
    column(Col::Retry, "RETRY", None, (11, 11, 11), 3),
    column(Col::Status, "STATUS", Some(Field::Status), (8, 12, 24), 9),
    column(Col::Http, "HTTP", Some(Field::Http), (4, 4, 4), 8),
    column(Col::Took, "TOOK", Some(Field::Elapsed), (7, 7, 7), 10),
];

static TASKS: [Column; 11] = [
    column(Col::Updated, "CHANGED", Some(Field::Updated), (7, 7, 7), 1),
    column(Col::Name, "DEVICE", Some(Field::Device), (12, 16, 28), 0),
    column(Col::Policy, "POLICY", Some(Field::Policy), (10, 14, 26), 4),
    column(
        Col::Service,
        "SERVICE",
        Some(Field::Service),
        (8, 10, 14),
        5,
    ),
    column(
        Col::Operation,
        "DOES",
        Some(Field::Operation),
        (6, 8, 18),
        3,
    ),
    column(Col::Status, "STATUS", Some(Field::Status), (10, 20, 44), 2),
    column(Col::Code, "CODE", Some(Field::Code), (10, 12, 30), 6),
    column(Col::Step, "STEP", Some(Field::Step), (10, 16, 24), 8),
    column(Col::Started, "STARTED", Some(Field::Started), (8, 8, 11), 7),
    column(Col::Took, "TOOK", Some(Field::Elapsed), (7, 7, 7), 9),
    column(Col::Http, "HTTP", Some(Field::Http), (4, 4, 4), 10),
];

/// The columns of a list, in the order of the screen.
#[must_use]
pub fn columns(noun: Noun) -> &'static [Column] {
    match noun {
        Noun::Devices => &DEVICES,
        Noun::Policies => &POLICIES,
        Noun::Running => &RUNNING,
        Noun::Failed => &FAILED,
        Noun::Tasks => &TASKS,
    }
}

/// Columns between two columns.
pub const GAP: u16 = 2;

/// The columns that fit into `width`, with their widths. `from` columns after the one with the name are
/// scrolled out at the left; the service's is left out where there is only one.
#[must_use]
pub fn fit(noun: Noun, width: u16, from: usize, services: bool) -> Vec<(Column, u16)> {
    let all: Vec<Column> = columns(noun)
        .iter()
        .filter(|c| services || c.col != Col::Service)
        .copied()
        .collect();
    let mut skipped = from.min(all.len().saturating_sub(2));
    let mut left: Vec<Column> = all
        .into_iter()
        .filter(|c| {
            let skip = skipped > 0 && c.col != Col::Name;
            if skip {
                skipped -= 1;
            }
            !skip
        })
        .collect();
    let room = |cs: &[Column], of: fn(&Column) -> u16| -> u16 {
        cs.iter()
            .map(|c| of(c) + GAP)
            .sum::<u16>()
            .saturating_sub(GAP)
    };
    loop {
        let fits = room(&left, |c| c.min) <= width;
        let reads_well = room(&left, |c| c.good) <= width;
        // scrolled columns keep their order; otherwise the least important goes
        let worst = if from > 0 {
            left.iter().rposition(|c| c.col != Col::Name)
        } else {
            (0..left.len()).max_by_key(|i| left.get(*i).map_or(0, |c| c.rank))
        };
        match worst {
            Some(i) if left.len() > 1 => {
                let core = left.get(i).is_none_or(|c| c.rank <= CORE);
                if fits && (reads_well || core) {
                    break;
                }
                left.remove(i);
            }
            _ => break,
        }
    }
    let mut widths: Vec<u16> = left.iter().map(|c| c.min).collect();
    if let [only] = widths.as_mut_slice() {
        *only = width;
    }
    let mut spare = width.saturating_sub(room(&left, |c| c.min));
    // first everybody until it reads well, then what means most
    grow(&left, &mut widths, &mut spare, |c| c.good);
    grow(&left, &mut widths, &mut spare, |c| c.max);
    left.into_iter().zip(widths).collect()
}

/// Columns up to this rank stay as long as they fit at all.
const CORE: u8 = 4;

/// Hands out `spare` columns in turns, up to a limit for each.
fn grow(columns: &[Column], widths: &mut [u16], spare: &mut u16, limit: fn(&Column) -> u16) {
    while *spare > 0 {
        let before = *spare;
        for (c, w) in columns.iter().zip(widths.iter_mut()) {
            let step = match c.col {
                Col::Meaning => 5,
                Col::Step => 2,
                _ => 1,
            };
            let step = step.min(*spare).min(limit(c).saturating_sub(*w));
            *w += step;
            *spare -= step;
        }
        if *spare == before {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fit_and_the_most_important_stay() {
        for noun in Noun::ALL {
            for width in 0..260 {
                for from in 0..4 {
                    let fitted = fit(noun, width, from, true);
                    let total: u16 = fitted.iter().map(|(_, w)| w + GAP).sum();
                    assert!(total.saturating_sub(GAP) <= width || fitted.len() == 1);
                    assert!(
                        fitted.iter().any(|(c, _)| c.col == Col::Name),
                        "{noun} {width}"
                    );
                }
            }
        }
        let cols = |noun, width| -> Vec<Col> {
            fit(noun, width, 0, true)
                .iter()
                .map(|(c, _)| c.col)
                .collect()
        };
        assert_eq!(
            cols(Noun::Failed, 76),
            [Col::Ended, Col::Name, Col::Code, Col::Meaning, Col::Retry]
        );
        assert_eq!(
            cols(Noun::Devices, 36),
            [Col::Name, Col::LastGood, Col::Recent]
        );
        assert!(cols(Noun::Running, 78).contains(&Col::Progress));
    }

    #[test]
    fn every_sortable_column_names_a_field_of_its_list() {
        for noun in Noun::ALL {
            for c in columns(noun) {
                assert!(c.sort.is_none_or(|f| f.fits(noun)), "{noun} {}", c.head);
            }
        }
    }
}
