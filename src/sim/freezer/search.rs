//! Lists: ten rows where no limit is given, an offset, and a search that travels as the body of a GET.

use serde_json::{Map, Value};

use super::refusal::Refusal;
use crate::sim::http::Request;

/// What a list is asked for.
#[derive(Debug)]
pub struct Search {
    /// How many rows; `None` for all, which a negative limit means.
    limit: Option<usize>,
    offset: usize,
    matching: Vec<Map<String, Value>>,
    excluding: Vec<Map<String, Value>>,
}

impl Search {
    /// Reads query and body.
    ///
    /// # Errors
    /// 400 for numbers that are none, 753 for a body that is no JSON.
    pub fn of(request: &Request) -> Result<Self, Refusal> {
        let number = |name: &str| match request.param(name) {
            None => Ok(0),
            Some(text) => text.parse::<i64>().map_err(|_| Refusal::parameter(name)),
        };
        let offset = number("offset")?;
        let limit = match number("limit")? {
            // Zero counts as not given.
            0 => Some(10),
            limit => usize::try_from(limit).ok(),
        };
        let body = request.json().map_err(|_| Refusal::json())?;
        let list = |name: &str| match body.get(name) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(list)) => list
                .iter()
                .map(|one| one.as_object().cloned().ok_or_else(Refusal::stumbled))
                .collect(),
            Some(Value::Object(one)) if one.is_empty() => Ok(Vec::new()),
            Some(_) => Err(Refusal::stumbled()),
        };
        let mut matching: Vec<Map<String, Value>> = list("match")?;
        // The command line client wraps its own search once more, as text.
        if let Some(Value::String(text)) = matching.first().and_then(|one| one.get("_all")) {
            let inner: Value = serde_json::from_str(text).unwrap_or_default();
            let inner = inner.as_array().cloned().unwrap_or_default();
            matching = inner
                .iter()
                .filter_map(|one| one.as_object().cloned())
                .collect();
        }
        Ok(Self {
            limit,
            offset: usize::try_from(offset).unwrap_or(0),
            matching,
            excluding: list("match_not")?,
        })
    }

    /// The rows that are asked for, made only as far as they are needed.
    pub fn rows(&self, all: impl Iterator<Item = Value>) -> Vec<Value> {
        let fitting = all.filter(|row| self.fits(row)).skip(self.offset);
        match self.limit {
            Some(limit) => fitting.take(limit).collect(),
            None => fitting.collect(),
        }
    }

    fn fits(&self, row: &Value) -> bool {
        let is = |key: &String, value: &Value| find(row, key).unwrap_or(&Value::Null) == value;
        self.matching
            .iter()
            .flatten()
            .all(|(key, value)| is(key, value))
            && !self
                .excluding
                .iter()
                .flatten()
                .any(|(key, value)| is(key, value))
    }
}

/// The value of a key wherever it stands within a row; deeper and later ones win.
fn find<'a>(row: &'a Value, key: &str) -> Option<&'a Value> {
    let mut found = None;
    match row {
        Value::Object(map) => {
            for (name, value) in map {
                if name == key {
                    found = Some(value);
                } else if let Some(deeper) = find(value, key) {
                    found = Some(deeper);
                }
            }
        }
        Value::Array(list) => {
            for value in list {
                found = find(value, key).or(found);
            }
        }
        _ => {}
    }
    found
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use hyper::HeaderMap;
    use serde_json::json;

    use super::*;

    fn ask(query: &str, body: &'static str) -> Result<Vec<Value>, Refusal> {
        let request = Request::new(
            "GET",
            &format!("/x?{query}"),
            HeaderMap::new(),
            Bytes::from_static(body.as_bytes()),
            String::new(),
        );
        let rows =
            (0..25).map(|n| json!({"n": n, "s": {"status": if n % 2 == 0 { "stop" } else { "" }}}));
        Search::of(&request).map(|search| search.rows(rows))
    }

    #[test]
    fn limits_are_ten_by_default_and_odd_ones_are_taken_as_the_real_service_takes_them() {
        let count = |query: &str| ask(query, "").map(|rows| rows.len());
        for (query, rows) in [
            ("", 10),
            ("limit=0", 10),
            ("limit=3", 3),
            ("limit=-1", 25),
            ("offset=20", 5),
            ("offset=-1", 10),
            ("offset=1000", 0),
        ] {
            assert_eq!(count(query), Ok(rows), "{query}");
        }
        assert_eq!(count("limit=ten"), Err(Refusal::parameter("limit")));
    }

    #[test]
    fn the_search_looks_into_nested_parts_and_pages_what_it_finds() {
        let stop = r#"{"match": [{"status": "stop"}]}"#;
        assert_eq!(ask("limit=100", stop).map(|rows| rows.len()), Ok(13));
        let first = ask("limit=1&offset=2", stop).expect("rows");
        assert_eq!(first[0]["n"], 4);
        let not = r#"{"match_not": [{"status": "stop"}, {"n": 1}]}"#;
        assert_eq!(ask("limit=100", not).map(|rows| rows.len()), Ok(11));
        let wrapped = r#"{"match": [{"_all": "[{\"n\": 7}]"}]}"#;
        assert_eq!(ask("", wrapped).map(|rows| rows.len()), Ok(1));
        assert_eq!(ask("", "{"), Err(Refusal::json()));
        assert_eq!(ask("", r#"{"match": "x"}"#), Err(Refusal::stumbled()));
    }
}
