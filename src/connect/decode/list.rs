//! Lists row by row: one bad row costs that row, and every row keeps its record as it came.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::value::read;
use crate::model::{BadRow, clean, clean_into};

/// A row's record as it stands in the answer, not yet read.
pub type Raw<'a> = &'a RawValue;

/// The most of a bad row that is kept, in bytes.
const BAD_MAX: usize = 4096;
/// The most of a good row's record that is kept, in bytes.
const RAW_MAX: usize = 256 * 1024;

/// Reads every row of `list` (named `name`, its first row being number `first` of the whole) and hands it to
/// `take`, which may refuse it with a reason. What can't be read or is refused lands in `bad`.
pub fn each<'a, T: Deserialize<'a>>(
    name: &str,
    first: usize,
    list: &[Raw<'a>],
    bad: &mut Vec<BadRow>,
    mut take: impl FnMut(T, Raw<'a>) -> Result<(), String>,
) {
    for (i, raw) in list.iter().enumerate() {
        let taken = read::<T>(raw.get())
            .map_err(|e| clean(&e.to_string()).into_owned())
            .and_then(|row| take(row, raw));
        if let Err(why) = taken {
            bad.push(bad_row(&format!("{name}[{}]", first + i), why, raw.get()));
        }
    }
}

/// A bad row with its place, the reason and its record, cleaned and cut.
#[must_use]
pub fn bad_row(place: &str, why: impl Into<String>, raw: &str) -> BadRow {
    let mut end = raw.len().min(BAD_MAX - 64);
    while !raw.is_char_boundary(end) {
        end -= 1;
    }
    let mut text = raw
        .get(..end)
        .map(|t| clean(t).into_owned())
        .unwrap_or_default();
    if text.len() > BAD_MAX - 64 {
        let mut cut = BAD_MAX - 64;
        while !text.is_char_boundary(cut) {
            cut -= 1;
        }
        text.truncate(cut);
    }
    if end < raw.len() {
        text.push_str(&format!("… (cut, {} bytes more)", raw.len() - end));
    }
    BadRow {
        place: place.to_owned(),
        why: why.into(),
        raw: text,
    }
}

/// A row's record as text that may be shown: hostile characters made visible, nothing else changed, cut only
/// when it is far larger than any known record.
#[must_use]
pub fn raw_text(raw: Raw<'_>) -> String {
    let text = raw.get();
    if text.len() <= RAW_MAX && is_plain(text) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len().min(RAW_MAX) + 64);
    let mut rest = text;
    // The cleaner cuts long texts; pieces below its limit keep the whole record.
    while !rest.is_empty() && out.len() < RAW_MAX {
        let mut end = rest.len().min(4096);
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let (piece, after) = rest.split_at(end);
        clean_into(piece, &mut out);
        rest = after;
    }
    if !rest.is_empty() {
        out.push_str(&format!("… (cut, {} bytes more)", rest.len()));
    }
    out
}

/// True for printable ASCII and line ends alone. Blocks are looked at whole, which processors do at once.
fn is_plain(text: &str) -> bool {
    let plain = |b: &u8| matches!(b, b' '..=b'~' | b'\n');
    text.as_bytes()
        .chunks(64)
        .all(|block| block.iter().fold(true, |all, b| all & plain(b)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::decode::Text;

    #[derive(Deserialize)]
    struct Page<'a> {
        #[serde(borrow)]
        rows: Vec<Raw<'a>>,
    }

    #[derive(Deserialize)]
    struct Row<'a> {
        #[serde(borrow)]
        id: Text<'a>,
    }

    #[test]
    fn one_bad_row_costs_that_row() {
        let body = r#"{"rows":[{"id":"a"},{"name":"no id"},17,{"id":""},{"id":5}]}"#;
        let page: Page<'_> = serde_json::from_str(body).unwrap();
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        each::<Row<'_>>("rows", 100, &page.rows, &mut bad, |row, _| {
            if row.id.is_empty() {
                return Err("the id is empty".into());
            }
            good.push(row.id.owned());
            Ok(())
        });
        assert_eq!(good, ["a", "5"]);
        let places: Vec<_> = bad.iter().map(|b| b.place.as_str()).collect();
        assert_eq!(places, ["rows[101]", "rows[102]", "rows[103]"]);
        assert!(bad[0].why.contains("missing field `id`"), "{}", bad[0].why);
        assert_eq!(bad[0].raw, r#"{"name":"no id"}"#);
    }

    #[test]
    fn records_are_kept_whole_and_harmless() {
        let long = format!("{{\"name\":\"{}\u{202e}\"}}", "é".repeat(30_000));
        let raw: Raw<'_> = serde_json::from_str(&long).unwrap();
        let text = raw_text(raw);
        assert!(text.ends_with("‹U+202E›\"}"));
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
        let cut = bad_row("rows[0]", "x", &long);
        assert!(cut.raw.len() <= BAD_MAX && cut.raw.ends_with("bytes more)"));
    }
}
