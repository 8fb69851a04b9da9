//! Fields that take what services really send.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::model::clean;

/// A text, number or truth value as cleaned text; null, lists and objects as the empty text.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Text<'a>(pub Cow<'a, str>);

impl Text<'_> {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True for the empty text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// An owned copy.
    #[must_use]
    pub fn owned(&self) -> String {
        self.0.clone().into_owned()
    }

    /// The text, or `other` where it is empty.
    #[must_use]
    pub fn or<'b>(&'b self, other: &'b str) -> &'b str {
        if self.0.is_empty() { other } else { &self.0 }
    }
}

/// A whole number: also as text, with a fraction (cut off), or as truth value; anything else is `None`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Int(pub Option<i64>);

impl Int {
    /// As percent, 0 to 100.
    #[must_use]
    pub fn percent(self) -> Option<u8> {
        self.0.map(|n| n.clamp(0, 100) as u8)
    }
}

/// A number: also as text; anything else, NaN included, is `None`.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Float(pub Option<f64>);

/// A truth value: also as text (`True`, `false`, `yes`, `1` …) or number; anything else is `None`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Flag(pub Option<bool>);

impl Flag {
    /// True only when the service says so.
    #[must_use]
    pub fn is_true(self) -> bool {
        self.0 == Some(true)
    }
}

/// Something that is usually a `T`, a list or an object; whatever else comes (an empty text for an object,
/// null) is `None`.
///
/// Works only when decoding straight from JSON text. [`read`] is the quick way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Loose<T>(pub Option<T>);

impl<T> Default for Loose<T> {
    fn default() -> Self {
        Self(None)
    }
}

thread_local! {
    /// A quick reading is being tried.
    static QUICK: Cell<bool> = const { Cell::new(false) };
}

/// Reads JSON once straight through, and only if that fails with care: then what is odd inside a [`Loose`]
/// costs that part alone. Both readings of a text that the first can read are the same.
///
/// # Errors
/// What the careful reading says.
pub fn read<'a, T: Deserialize<'a>>(json: &'a str) -> serde_json::Result<T> {
    let before = QUICK.replace(true);
    let quick = serde_json::from_str(json);
    QUICK.set(false);
    let read = quick.or_else(|_| serde_json::from_str(json));
    QUICK.set(before);
    read
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Loose<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if QUICK.get() {
            return deserializer.deserialize_any(LooseVisitor(PhantomData));
        }
        // set apart first: where it breaks off inside, the rest of the record is still whole
        let raw = <&'de RawValue>::deserialize(deserializer)?;
        Ok(Self(serde_json::from_str(raw.get()).ok()))
    }
}

/// Reads straight through what is usually a list or an object.
struct LooseVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for LooseVisitor<T> {
    type Value = Loose<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(|v| Loose(Some(v)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        T::deserialize(SeqAccessDeserializer::new(seq)).map(|v| Loose(Some(v)))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Loose(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Loose(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Loose(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Loose(None))
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Loose(None))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Loose(None))
    }
}

/// What a scalar may be, before a field type reads it.
enum Scalar<'a> {
    Nothing,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Cow<'a, str>),
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E>(self, v: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Bool(v))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Int(v))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(v).map_or_else(|_| Scalar::Text(v.to_string().into()), Scalar::Int))
    }

    fn visit_f64<E>(self, v: f64) -> Result<Self::Value, E> {
        Ok(Scalar::Float(v))
    }

    fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Borrowed(v)))
    }

    fn visit_str<E>(self, v: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(v.to_owned())))
    }

    fn visit_string<E>(self, v: String) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(v)))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Nothing)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Nothing)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Nothing)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match deserializer.deserialize_any(ScalarVisitor)? {
            Scalar::Nothing => Cow::Borrowed(""),
            Scalar::Bool(b) => Cow::Borrowed(if b { "true" } else { "false" }),
            Scalar::Int(n) => Cow::Owned(n.to_string()),
            Scalar::Float(n) => Cow::Owned(n.to_string()),
            Scalar::Text(Cow::Borrowed(t)) => clean(t),
            Scalar::Text(Cow::Owned(t)) => Cow::Owned(clean(&t).into_owned()),
        }))
    }
}

impl<'de> Deserialize<'de> for Int {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match deserializer.deserialize_any(ScalarVisitor)? {
            Scalar::Nothing => None,
            Scalar::Bool(b) => Some(i64::from(b)),
            Scalar::Int(n) => Some(n),
            Scalar::Float(n) => whole(n),
            Scalar::Text(t) => {
                let t = t.trim().trim_end_matches('%').trim_end();
                t.parse().ok().or_else(|| t.parse().ok().and_then(whole))
            }
        }))
    }
}

fn whole(n: f64) -> Option<i64> {
    (n.is_finite() && n.abs() < 9.0e18).then_some(n as i64)
}

impl<'de> Deserialize<'de> for Float {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let n = match deserializer.deserialize_any(ScalarVisitor)? {
            Scalar::Nothing | Scalar::Bool(_) => None,
            Scalar::Int(n) => Some(n as f64),
            Scalar::Float(n) => Some(n),
            Scalar::Text(t) => t.trim().parse().ok(),
        };
        Ok(Self(n.filter(|n: &f64| n.is_finite())))
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match deserializer.deserialize_any(ScalarVisitor)? {
            Scalar::Nothing => None,
            Scalar::Bool(b) => Some(b),
            Scalar::Int(n) => Some(n != 0),
            Scalar::Float(n) => Some(n != 0.0),
            Scalar::Text(t) => match t.trim().to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "1" | "enabled" => Some(true),
                "false" | "no" | "off" | "0" | "disabled" => Some(false),
                _ => None,
            },
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Row<'a> {
        #[serde(borrow, default)]
        text: Text<'a>,
        #[serde(default)]
        int: Int,
        #[serde(default)]
        float: Float,
        #[serde(default)]
        flag: Flag,
        #[serde(borrow, default)]
        loose: Loose<Inner<'a>>,
    }

    #[derive(serde::Deserialize)]
    struct Inner<'a> {
        #[serde(borrow)]
        a: Text<'a>,
    }

    fn read(json: &str) -> Row<'_> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_field_of_any_sort_never_fails() {
        for odd in [
            "null",
            "{}",
            "[1,{\"a\":2}]",
            "\"\"",
            "true",
            "-1.5e300",
            "\"x\"",
        ] {
            let json =
                format!(r#"{{"text":{odd},"int":{odd},"float":{odd},"flag":{odd},"loose":{odd}}}"#);
            let _ = read(&json);
        }
        let row = read("{}");
        assert!(row.text.is_empty() && row.int.0.is_none() && row.loose.0.is_none());
    }

    #[test]
    fn numbers_and_text_stand_for_each_other() {
        let row = read(r#"{"text":42,"int":"20","float":"25.2","flag":"False"}"#);
        assert_eq!(row.text.as_str(), "42");
        assert_eq!(row.int.0, Some(20));
        assert_eq!(row.float.0, Some(25.2));
        assert_eq!(row.flag.0, Some(false));
        let row = read(r#"{"text":true,"int":29.9,"float":-1,"flag":1}"#);
        assert_eq!(row.text.as_str(), "true");
        assert_eq!(row.int.0, Some(29));
        assert_eq!(row.float.0, Some(-1.0));
        assert_eq!(row.flag.0, Some(true));
        assert_eq!(read(r#"{"int":"62 %"}"#).int.percent(), Some(62));
        assert_eq!(read(r#"{"int":250}"#).int.percent(), Some(100));
    }

    #[test]
    fn text_is_cleaned_and_borrowed_where_it_can_be() {
        let row = read(r#"{"text":"plain"}"#);
        assert!(matches!(row.text.0, Cow::Borrowed("plain")));
        assert_eq!(read(r#"{"text":"a\u001b[2J"}"#).text.as_str(), "a␛[2J");
    }

    #[derive(serde::Deserialize, PartialEq, Debug)]
    struct Nest<'a> {
        #[serde(borrow, default)]
        one: Loose<Needy<'a>>,
        #[serde(borrow, default)]
        many: Loose<Vec<Loose<Needy<'a>>>>,
        #[serde(borrow)]
        id: Text<'a>,
    }

    #[derive(serde::Deserialize, PartialEq, Debug)]
    struct Needy<'a> {
        #[serde(borrow)]
        must: Text<'a>,
        #[serde(borrow, default)]
        more: Loose<Vec<&'a RawText>>,
    }

    type RawText = str;

    #[test]
    fn the_quick_reading_is_the_careful_one() {
        let odd = [
            "null",
            "0",
            "-2",
            "1.5",
            "true",
            "\"\"",
            "\"a\\nb\"",
            "[]",
            "{}",
            "[1]",
            r#"{"must":"x"}"#,
            r#"{"must":"x","must":"y"}"#,
            r#"{"must":"x","more":["a"]}"#,
            r#"{"must":"x","more":[1]}"#,
            r#"[{"must":1},{},"z",{"must":"q"}]"#,
            "[[\"x\"]]",
        ];
        for one in odd {
            for many in odd {
                let json = format!(r#"{{"one":{one},"many":{many},"id":"7"}}"#);
                let careful: Nest<'_> = serde_json::from_str(&json).expect("careful");
                assert_eq!(
                    super::read::<Nest<'_>>(&json).expect("quick"),
                    careful,
                    "{json}"
                );
                assert_eq!(careful.id.as_str(), "7");
            }
        }
        assert!(super::read::<Nest<'_>>("{\"one\":{\"must\":").is_err());
        assert!(!QUICK.get());
    }

    #[test]
    fn an_object_where_an_object_is_due() {
        assert_eq!(
            read(r#"{"loose":{"a":7}}"#).loose.0.unwrap().a.as_str(),
            "7"
        );
        assert!(read(r#"{"loose":""}"#).loose.0.is_none());
    }
}
