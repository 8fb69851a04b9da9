//! Lists: `limit`, `offset`, `marker`, `sort`, filters, and the link to the next page.

use std::cmp::Ordering;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use regex::Regex;
use serde_json::{Map, Value, json};

use super::fault::Fault;
use super::python::Literal;
use crate::sim::http::Request;

/// The most rows of one answer.
const MOST: usize = 1000;
/// What a query value keeps as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// What a request for a list asks for.
#[derive(Debug, Clone)]
pub(super) struct Page {
    /// At most so many rows.
    pub limit: usize,
    /// Skip so many; not every list heeds it.
    pub offset: usize,
    /// The row after which to begin.
    pub marker: Option<String>,
    /// Columns and directions as asked, unchecked.
    pub sort: Vec<(String, String)>,
    /// All other parameters, in order.
    pub rest: Vec<(String, String)>,
}

impl Page {
    /// Reads the parameters in the service's order, which decides the mistake that is told.
    ///
    /// # Errors
    /// 400 for numbers that are none and for a doubled way of sorting.
    pub fn read(request: &Request) -> Result<Self, Fault> {
        let mut rest = request.query.clone();
        let limit = match take(&mut rest, "limit") {
            None => MOST,
            Some(text) => limit(&text)?,
        };
        let marker = take(&mut rest, "marker");
        let offset = match take(&mut rest, "offset") {
            None => 0,
            Some(text) => offset(&text)?,
        };
        let sort = sort(&mut rest)?;
        Ok(Self {
            limit,
            offset,
            marker,
            sort,
            rest,
        })
    }

    /// The filters that a member of the project may use; who administers may use any.
    pub fn filters(&self, allowed: &[&str], admin: bool) -> Vec<(String, Literal)> {
        self.rest
            .iter()
            .filter(|(key, _)| admin || allowed.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), Literal::read(value)))
            .collect()
    }

    /// The answer: the rows under their key, and the link to the next page where the page is full. `link` is the
    /// collection's own path.
    pub fn answer(
        &self,
        request: &Request,
        keys: (&str, &str),
        base: &str,
        rows: Vec<Value>,
    ) -> Value {
        let (key, link) = keys;
        let mut body = Map::new();
        if let Some(last) = rows.last().and_then(|row| row["id"].as_str())
            && rows.len() >= self.limit
        {
            let mut query: Vec<(&str, &str)> = request
                .query
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_str()))
                .filter(|(key, _)| *key != "marker")
                .collect();
            query.push(("marker", last));
            let query: Vec<String> = query
                .iter()
                .map(|(key, value)| format!("{}={}", quote(key), quote(value)))
                .collect();
            let href = format!("{base}/{link}?{}", query.join("&"));
            body.insert(
                format!("{key}_links"),
                json!([{"rel": "next", "href": href}]),
            );
        }
        body.insert(key.to_owned(), rows.into());
        body.into()
    }
}

/// A text as it stands in a query, with `+` for a blank.
fn quote(text: &str) -> String {
    utf8_percent_encode(text, PLAIN)
        .to_string()
        .replace("%20", "+")
}

/// Takes the first value of a parameter out.
fn take(rest: &mut Vec<(String, String)>, key: &str) -> Option<String> {
    let at = rest.iter().position(|(name, _)| name == key)?;
    Some(rest.remove(at).1)
}

fn limit(text: &str) -> Result<usize, Fault> {
    let Some(number) = integer(text) else {
        return Err(Fault::bad("limit param must be an integer"));
    };
    match usize::try_from(number) {
        Ok(limit) if limit > 0 => Ok(limit.min(MOST)),
        _ => Err(Fault::bad("limit param must be positive")),
    }
}

fn offset(text: &str) -> Result<usize, Fault> {
    let Some(number) = integer(text) else {
        return Err(Fault::bad("offset must be an integer."));
    };
    match usize::try_from(number) {
        Ok(offset) if number <= i64::from(i32::MAX) => Ok(offset),
        Ok(_) => Err(Fault::bad("offset must be <= 2147483647")),
        Err(_) => Err(Fault::bad("offset must be >= 0")),
    }
}

/// A whole number as Python reads one.
pub(super) fn integer(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

fn sort(rest: &mut Vec<(String, String)>) -> Result<Vec<(String, String)>, Fault> {
    let has = |key: &str| rest.iter().any(|(name, _)| name == key);
    if has("sort") && (has("sort_key") || has("sort_dir")) {
        return Err(Fault::bad(
            "The 'sort_key' and 'sort_dir' parameters are deprecated and cannot be used with the 'sort' parameter.",
        ));
    }
    if let Some(text) = take(rest, "sort") {
        return Ok(text
            .trim()
            .split(',')
            .map(|part| {
                let (key, direction) = part.split_once(':').unwrap_or((part, ""));
                let direction = if direction.is_empty() {
                    "desc"
                } else {
                    direction
                };
                (key.trim().to_owned(), direction.trim().to_owned())
            })
            .collect());
    }
    let key = take(rest, "sort_key").unwrap_or_else(|| "created_at".to_owned());
    let direction = take(rest, "sort_dir").unwrap_or_else(|| "desc".to_owned());
    Ok(vec![(key.trim().to_owned(), direction.trim().to_owned())])
}

/// What a row has in a column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cell {
    /// Nothing.
    Null,
    /// A number; an instant counts in microseconds.
    Number(i64),
    /// A text.
    Text(String),
}

impl Cell {
    /// A text, or nothing.
    pub fn maybe(text: Option<impl Into<String>>) -> Self {
        text.map_or(Self::Null, |text| Self::Text(text.into()))
    }
}

/// Rows of one table of the service's database, numbered from 0 in the order in which they were made.
pub(super) trait Rows {
    /// The columns by which it can be sorted.
    const COLUMNS: &'static [&'static str];
    /// How many numbers are taken.
    fn count(&self) -> usize;
    /// Whether that row is still there.
    fn there(&self, number: usize) -> bool;
    /// The number of the row with that id.
    fn find(&self, id: &str) -> Option<usize>;
    /// What a row has in one of the columns.
    fn cell(&self, number: usize, column: &str) -> Cell;
    /// Whether a row has exactly this in a column.
    fn has(&self, number: usize, column: &str, wanted: &Cell) -> bool {
        self.cell(number, column) == *wanted
    }
}

/// How a filter decides.
pub(super) enum Test {
    /// The column equals this.
    Is(&'static str, Cell),
    /// The column is one of these.
    In(&'static str, Vec<String>),
    /// The pattern is found in the column.
    Like(&'static str, Regex),
}

impl Test {
    fn holds<T: Rows>(&self, rows: &T, number: usize) -> bool {
        match self {
            Self::Is(column, wanted) => rows.has(number, column, wanted),
            Self::In(column, words) => match rows.cell(number, column) {
                Cell::Text(text) => words.contains(&text),
                Cell::Number(_) | Cell::Null => false,
            },
            Self::Like(column, pattern) => match rows.cell(number, column) {
                Cell::Text(text) => pattern.is_match(&text),
                Cell::Number(_) | Cell::Null => false,
            },
        }
    }
}

/// How the filters of the plans, triggers and scheduled operations are read: some columns are compared, in others a pattern
/// is looked for; what else there is plays no part.
///
/// # Errors
/// 500 for a pattern that is none.
pub(super) fn loose(
    filters: &[(String, Literal)],
    exact: &[&'static str],
    patterns: &[&'static str],
) -> Result<Vec<Test>, Fault> {
    let mut tests = Vec::new();
    for (key, value) in filters {
        if let Some(column) = exact.iter().find(|column| *column == key) {
            tests.push(match value {
                Literal::List(items) => {
                    Test::In(column, items.iter().filter_map(Literal::as_text).collect())
                }
                other => Test::Is(column, Cell::maybe(other.as_text())),
            });
        } else if let (Some(column), Literal::Text(text)) =
            (patterns.iter().find(|column| *column == key), value)
        {
            let pattern = Regex::new(text).map_err(|_| Fault::stumbled())?;
            tests.push(Test::Like(column, pattern));
        }
    }
    Ok(tests)
}

/// How the filters of the other tables are read: every one is compared, and one that is no column makes the list empty.
///
/// # Errors
/// 500 for a list of values.
pub(super) fn strict<T: Rows>(filters: &[(String, Literal)]) -> Result<Option<Vec<Test>>, Fault> {
    let mut tests = Vec::new();
    for (key, value) in filters {
        let Some(column) = T::COLUMNS.iter().find(|column| *column == key) else {
            return Ok(None);
        };
        if matches!(value, Literal::List(_) | Literal::Dict) {
            return Err(Fault::stumbled());
        }
        tests.push(Test::Is(column, Cell::maybe(value.as_text())));
    }
    Ok(Some(tests))
}

/// What may go wrong while a table is read; each controller tells it in its own way.
pub(super) enum Trouble {
    /// An unknown direction.
    Direction,
    /// The marker is no row.
    Marker(String),
    /// No such column.
    Column,
}

impl Trouble {
    /// How most controllers tell it; of an unknown marker each has words of its own.
    pub fn told(self, marker: impl FnOnce(&str) -> Fault) -> Fault {
        match self {
            Self::Direction => Fault::input(DIRECTION),
            Self::Marker(id) => marker(&id),
            Self::Column => Fault::stumbled(),
        }
    }
}

/// What is said of a direction that is none.
pub(super) const DIRECTION: &str = "Unknown sort direction, must be 'desc' or 'asc'.";

/// The rows of a page, in order.
///
/// # Errors
/// What the database or the code before it has against the request.
pub(super) fn select<T: Rows>(
    rows: &T,
    page: &Page,
    offset: usize,
    tests: &[Test],
) -> Result<Vec<usize>, Trouble> {
    let mut order: Vec<(&str, bool)> = Vec::new();
    let mut unknown = false;
    for (key, direction) in &page.sort {
        let down = match direction.as_str() {
            "desc" => true,
            "asc" => false,
            _ => return Err(Trouble::Direction),
        };
        match T::COLUMNS.iter().find(|column| *column == key) {
            Some(column) => order.push((column, down)),
            None => unknown = true,
        }
    }
    let marker = match &page.marker {
        None => None,
        Some(id) => Some(
            rows.find(id)
                .filter(|number| rows.there(*number))
                .ok_or_else(|| Trouble::Marker(id.clone()))?,
        ),
    };
    if unknown {
        return Err(Trouble::Column);
    }
    let keeps =
        |number: &usize| rows.there(*number) && tests.iter().all(|test| test.holds(rows, *number));
    let down = order.first().is_none_or(|(_, down)| *down);
    if order
        .first()
        .is_none_or(|(column, _)| *column == "created_at")
    {
        // Rows are numbered as they were made: nothing needs to be sorted.
        let numbers: Box<dyn Iterator<Item = usize>> = match (down, marker) {
            (true, None) => Box::new((0..rows.count()).rev()),
            (true, Some(marker)) => Box::new((0..marker).rev()),
            (false, None) => Box::new(0..rows.count()),
            (false, Some(marker)) => Box::new(marker + 1..rows.count()),
        };
        return Ok(numbers
            .filter(keeps)
            .skip(offset)
            .take(page.limit)
            .collect());
    }
    let key = |number: usize| -> Vec<Cell> {
        order
            .iter()
            .map(|(column, _)| rows.cell(number, column))
            .chain([Cell::Number(i64::try_from(number).unwrap_or(i64::MAX))])
            .collect()
    };
    let compare = |a: &[Cell], b: &[Cell]| {
        for (index, (left, right)) in a.iter().zip(b).enumerate() {
            let reversed = order.get(index).map_or(down, |(_, down)| *down);
            let found = if reversed {
                right.cmp(left)
            } else {
                left.cmp(right)
            };
            if found != Ordering::Equal {
                return found;
            }
        }
        Ordering::Equal
    };
    let mut keyed: Vec<(Vec<Cell>, usize)> = (0..rows.count())
        .filter(keeps)
        .map(|number| (key(number), number))
        .collect();
    keyed.sort_by(|(a, _), (b, _)| compare(a, b));
    let marker = marker.map(key);
    Ok(keyed
        .into_iter()
        .filter(|(row, _)| {
            marker
                .as_ref()
                .is_none_or(|marker| compare(row, marker) == Ordering::Greater)
        })
        .map(|(_, number)| number)
        .skip(offset)
        .take(page.limit)
        .collect())
}
