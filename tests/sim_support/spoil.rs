//! Input that nobody should send.

use serde_json::{Value, json};

/// What may stand where something else was expected.
fn odd(rng: &mut fastrand::Rng) -> Value {
    match rng.u8(0..13) {
        0 => Value::Null,
        1 => json!(-1),
        2 => json!(1e308),
        3 => json!(u64::MAX),
        4 => json!(""),
        5 => json!("x".repeat(5000)),
        6 => json!("\u{202e}\u{1b}[31m\u{0}"),
        7 => json!([]),
        8 => json!({}),
        9 => json!([[[{}]]]),
        10 => json!(true),
        11 => json!("true"),
        _ => json!(i64::MAX),
    }
}

/// Replaces or removes one random part.
pub fn spoil(value: &mut Value, rng: &mut fastrand::Rng) {
    let deeper = rng.u8(0..4) > 0;
    match value {
        Value::Object(map) if deeper && !map.is_empty() => {
            let keys: Vec<String> = map.keys().cloned().collect();
            let key = rng.choice(keys).expect("a key");
            if rng.u8(0..6) == 0 {
                map.remove(&key);
            } else {
                spoil(&mut map[&key], rng);
            }
        }
        Value::Array(list) if deeper && !list.is_empty() => {
            let index = rng.usize(0..list.len());
            spoil(&mut list[index], rng);
        }
        other => *other = odd(rng),
    }
}
