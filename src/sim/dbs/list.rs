//! Paging and filtering that the lists share. Pages count from 0.

use serde_json::{Map, Value, json};

use super::call::Call;
use super::codes::{self, Refusal};
use crate::sim::world::World;

/// Which page sizes a list takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sizes {
    /// 1 to 100.
    Any,
    /// 30, 50 or 100.
    Three,
}

/// What is asked for: which page of what size.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    number: usize,
    size: usize,
}

impl Page {
    /// Reads `PageNum` and `PageSize`.
    ///
    /// # Errors
    /// A page below 0, or a size that the list does not take.
    pub fn of(world: &World, call: &Call, sizes: Sizes) -> Result<Self, Refusal> {
        let number = usize::try_from(call.number("PageNum").unwrap_or(0))
            .map_err(|_| codes::invalid("PageNum", "pages count from 0"))?;
        let size = call.number("PageSize").unwrap_or(30);
        let documented = match sizes {
            Sizes::Any => (1..=100).contains(&size),
            Sizes::Three => [30, 50, 100].contains(&size),
        };
        if !documented && world.switches.get("dbs.page_size") == "strict" {
            let sizes = match sizes {
                Sizes::Any => "it takes 1 to 100",
                Sizes::Three => "it takes 30, 50 or 100",
            };
            return Err(codes::invalid("PageSize", sizes));
        }
        let size = usize::try_from(size.clamp(1, 100)).unwrap_or(30);
        Ok(Self { number, size })
    }

    /// The payload of a list of `total` rows, `name`d; `rows` makes those of the page from an iterator over all.
    pub fn payload<T>(
        self,
        world: &World,
        name: &str,
        total: usize,
        all: impl Iterator<Item = T>,
        row: impl FnMut(T) -> Value,
    ) -> Map<String, Value> {
        let rows: Vec<Value> = all
            .skip(self.number.saturating_mul(self.size))
            .take(self.size)
            .map(row)
            .collect();
        super::payload(json!({
            "PageNum": self.number, "PageSize": self.size,
            "TotalPages": total.div_ceil(self.size), "TotalElements": total,
            "Items": items(world, name, rows),
        }))
    }
}

/// A list in its double wrapping; how an empty one looks is a switch.
pub(super) fn items(world: &World, name: &str, rows: Vec<Value>) -> Value {
    match (rows.is_empty(), world.switches.get("dbs.empty_list")) {
        (true, "object") => json!({}),
        (true, "null") => Value::Null,
        _ => json!({name: rows}),
    }
}

/// In the order that lists have: newest first unless the switch says otherwise.
pub(super) fn ordered<'a, T: 'a>(
    world: &World,
    rows: impl DoubleEndedIterator<Item = T> + 'a,
) -> Box<dyn Iterator<Item = T> + 'a> {
    if world.switches.get("dbs.order") == "oldest" {
        Box::new(rows)
    } else {
        Box::new(rows.rev())
    }
}

/// A range of time in milliseconds that rows are asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    from: i64,
    to: i64,
}

impl Span {
    /// Reads `StartTimestamp` and `EndTimestamp`; pages disagree whether they are seconds or milliseconds.
    pub fn of(world: &World, call: &Call) -> Self {
        let unit = world.switches.get("dbs.filter_unit");
        let read = |name: &str| {
            let value = call.number(name)?;
            let seconds = match unit {
                "s" => true,
                "ms" => false,
                // Ten digits are seconds of this century; as milliseconds they would be in 1970.
                _ => value < 100_000_000_000,
            };
            Some(if seconds {
                value.saturating_mul(1000)
            } else {
                value
            })
        };
        Self {
            from: read("StartTimestamp").unwrap_or(i64::MIN),
            to: read("EndTimestamp").unwrap_or(i64::MAX),
        }
    }

    /// Whether everything is asked for.
    pub fn is_all(self) -> bool {
        self.from == i64::MIN && self.to == i64::MAX
    }

    /// Whether a time lies within.
    pub fn holds(self, at: i64) -> bool {
        (self.from..=self.to).contains(&at)
    }
}

/// Takes out the fields that came with the newest interface, when the service is to be an older one.
pub(super) fn dated(world: &World, mut row: Value, new: &[&str]) -> Value {
    if !world.switches.on("dbs.new_fields")
        && let Some(row) = row.as_object_mut()
    {
        for name in new {
            row.remove(*name);
        }
    }
    row
}

/// What a row without an error shows.
pub(super) fn no_error(world: &World) -> &'static str {
    match world.switches.get("dbs.no_error_text") {
        "NULL" => "NULL",
        _ => "",
    }
}
