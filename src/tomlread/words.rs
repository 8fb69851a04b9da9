//! Units as people write them, and the word that they most likely meant.

/// Milliseconds of `500ms`, `30s`, `5m`, `12h`, `2d`; a bare number is seconds.
#[must_use]
pub fn parse_duration_ms(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text.get(..digits)?.parse().ok()?;
    let factor = match text.get(digits..)?.trim() {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(factor)
}

/// Bytes of `64KiB`, `32MB`, `1GiB`; units count in 1024s, a bare number is bytes.
pub(super) fn parse_size(text: &str) -> Option<usize> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: usize = text.get(..digits)?.parse().ok()?;
    let factor = match text.get(digits..)?.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(factor)
}

/// A span of time in its largest whole unit: `90000` is `90s`.
pub(super) fn duration_text(ms: u64) -> String {
    for (factor, unit) in [
        (86_400_000, "d"),
        (3_600_000, "h"),
        (60_000, "m"),
        (1_000, "s"),
    ] {
        if ms >= factor && ms.is_multiple_of(factor) {
            return format!("{}{unit}", ms / factor);
        }
    }
    format!("{ms}ms")
}

/// "Did you mean …? Known: …", for a word that is not among the known ones.
#[must_use]
pub fn one_of(word: &str, known: &[&str]) -> String {
    let near = nearest(word, known);
    let mut sorted: Vec<&str> = known.to_vec();
    sorted.sort_unstable();
    let list = sorted.join(", ");
    match near {
        Some(near) => format!("Did you mean \"{near}\"? Known here: {list}"),
        None if list.is_empty() => "Nothing is expected here".to_owned(),
        None => format!("Known here: {list}"),
    }
}

/// The known word that a person most likely meant.
#[must_use]
pub fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let word = word.to_lowercase();
    known
        .iter()
        .map(|k| (strsim::jaro_winkler(&word, &k.to_lowercase()), *k))
        .filter(|(score, _)| *score >= 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, k)| k)
}
