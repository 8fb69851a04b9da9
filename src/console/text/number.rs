//! Counts as people read them.

/// A count with thin groups of three from five digits on: `9999`, `12 345`, `1 000 000`.
#[must_use]
pub fn count(n: usize) -> String {
    let digits = n.to_string();
    if digits.len() < 5 {
        return digits;
    }
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn long_counts_are_grouped() {
        for (n, text) in [
            (0, "0"),
            (9_999, "9999"),
            (12_345, "12 345"),
            (1_000_000, "1 000 000"),
        ] {
            assert_eq!(super::count(n), text);
        }
    }
}
