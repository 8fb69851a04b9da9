//! What of Python shows on the wire: values as an error message quotes them, query values read as literals, what counts
//! as a UUID.

use std::fmt::Write as _;

use serde_json::Value;

/// A value as Python prints it inside another one.
pub(super) fn repr(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value);
    out
}

/// A value as Python prints it on its own: a text without quotes.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => repr(other),
    }
}

fn write(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("None"),
        Value::Bool(true) => out.push_str("True"),
        Value::Bool(false) => out.push_str("False"),
        // A float keeps its point in Rust as in Python; writing to a text can't fail.
        Value::Number(number) => {
            let _ = write!(out, "{number}");
        }
        Value::String(text) => quote(out, text),
        Value::Array(list) => {
            out.push('[');
            for (index, item) in list.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write(out, item);
            }
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (index, (key, item)) in map.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                quote(out, key);
                out.push_str(": ");
                write(out, item);
            }
            out.push('}');
        }
    }
}

fn quote(out: &mut String, text: &str) {
    let mark = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    out.push(mark);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == mark => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push(mark);
}

/// A query value after the service has tried to read it as a Python literal; what is none stays the text it was.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    /// `None`.
    Null,
    /// `True` or `False`.
    Flag(bool),
    /// A number, kept as it was written.
    Number(String),
    /// A text, quoted or not.
    Text(String),
    /// A list, tuple or set of such.
    List(Vec<Literal>),
    /// A dictionary; what is in it plays no part.
    Dict,
}

impl Literal {
    /// Reads a query value.
    pub fn read(text: &str) -> Self {
        Self::parse(text.trim()).unwrap_or_else(|| Self::Text(text.to_owned()))
    }

    fn parse(text: &str) -> Option<Self> {
        match text {
            "None" => return Some(Self::Null),
            "True" => return Some(Self::Flag(true)),
            "False" => return Some(Self::Flag(false)),
            _ => {}
        }
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        let leading_zero = digits.len() > 1 && digits.starts_with('0') && !digits.contains('.');
        let numeric = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
        if numeric && !leading_zero && text.parse::<f64>().is_ok_and(f64::is_finite) {
            return Some(Self::Number(text.to_owned()));
        }
        let inside = |open: char, close: char| text.strip_prefix(open)?.strip_suffix(close);
        for mark in ['\'', '"'] {
            if let Some(inner) = inside(mark, mark)
                && !inner.contains(mark)
            {
                return Some(Self::Text(inner.to_owned()));
            }
        }
        for (open, close) in [('[', ']'), ('(', ')')] {
            if let Some(inner) = inside(open, close) {
                let parts = inner.split(',').map(str::trim);
                let items: Option<Vec<Self>> = parts
                    .filter(|part| !part.is_empty())
                    .map(Self::parse)
                    .collect();
                return items.map(Self::List);
            }
        }
        inside('{', '}').map(|_| Self::Dict)
    }

    /// As the text that a text column is compared with.
    pub fn as_text(&self) -> Option<String> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text.clone()),
            Self::Flag(flag) => Some(u8::from(*flag).to_string()),
            Self::Null | Self::List(_) | Self::Dict => None,
        }
    }

    /// As a yes or no, where the service asks for one; `None` when it is neither.
    pub fn as_bool(&self) -> Option<bool> {
        let word = match self {
            Self::Flag(flag) => return Some(*flag),
            Self::Text(text) | Self::Number(text) => text.to_lowercase(),
            Self::Null | Self::List(_) | Self::Dict => return None,
        };
        match word.as_str() {
            "true" | "yes" | "y" | "1" => Some(true),
            "false" | "no" | "n" | "0" => Some(false),
            _ => None,
        }
    }
}

/// Whether the service takes a text for a UUID: 32 hex digits, with hyphens anywhere, in braces or as a URN.
pub(super) fn is_uuid_like(text: &str) -> bool {
    let plain = text.replace("urn:", "").replace("uuid:", "");
    let digits: Vec<char> = plain
        .trim_matches(['{', '}'])
        .chars()
        .filter(|c| *c != '-')
        .collect();
    digits.len() == 32 && digits.iter().all(char::is_ascii_hexdigit)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_quoted_as_python_does() {
        let value = json!({"a": [1, true, null, "it's", "a\r\nb", "both ' and \""], "b": 10.0});
        assert_eq!(
            repr(&value),
            r#"{'a': [1, True, None, "it's", 'a\r\nb', 'both \' and "'], 'b': 10.0}"#
        );
        assert_eq!(text(&json!("x")), "x");
        assert_eq!(text(&json!({"x": "y"})), "{'x': 'y'}");
    }

    #[test]
    fn literals_are_read_and_other_words_stay() {
        assert_eq!(Literal::read("None"), Literal::Null);
        assert_eq!(Literal::read("1"), Literal::Number("1".into()));
        assert_eq!(Literal::read("007"), Literal::Text("007".into()));
        assert_eq!(Literal::read("error"), Literal::Text("error".into()));
        assert_eq!(Literal::read("'x'"), Literal::Text("x".into()));
        let list = vec![Literal::Text("a".into()), Literal::Number("2".into())];
        assert_eq!(Literal::read("['a', 2]"), Literal::List(list));
        assert_eq!(Literal::read("{'a': 1}"), Literal::Dict);
        assert_eq!(Literal::read("yes").as_bool(), Some(true));
        assert_eq!(Literal::read("maybe").as_bool(), None);
    }

    #[test]
    fn what_looks_like_a_uuid() {
        for good in [
            "b766f37c-d011-4026-8228-28730d734a3f",
            "B766F37CD01140268228-28730D734A3F",
            "{b766f37c-d011-4026-8228-28730d734a3f}",
        ] {
            assert!(is_uuid_like(good), "{good}");
        }
        for bad in ["", "x", "b766f37c-d011-4026-8228-28730d734a3", "zz"] {
            assert!(!is_uuid_like(bad), "{bad}");
        }
    }
}
