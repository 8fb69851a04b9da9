//! Codes that look like the one that was asked for.

/// The codes nearest to `code`, best first: what holds it or ends with it, then what is a few letters away.
pub(super) fn near<'c>(
    code: &str,
    all: impl Iterator<Item = (&'c str, &'c str)>,
    limit: usize,
) -> Vec<(String, String)> {
    let wanted = code.trim().to_lowercase();
    if wanted.is_empty() || wanted.chars().count() > 200 {
        return Vec::new();
    }
    let mut scored: Vec<(f64, &str, &str)> = Vec::new();
    for (kind, known) in all {
        if scored.iter().any(|(_, k, c)| *k == kind && *c == known) {
            continue;
        }
        let score = likeness(&wanted, &known.to_lowercase());
        if score >= 0.75 {
            scored.push((score, kind, known));
        }
    }
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.2.cmp(b.2)));
    scored.truncate(limit);
    scored
        .into_iter()
        .map(|(_, kind, code)| (kind.to_owned(), code.to_owned()))
        .collect()
}

/// From 0 to 1.
fn likeness(wanted: &str, known: &str) -> f64 {
    // "5001" for CSBS.5001, "QUIESCE_TIMEOUT" for a long status
    if wanted.len() >= 3 && known.len() > wanted.len() {
        if known.ends_with(wanted) {
            return 0.95;
        }
        if wanted.len() >= 5 && known.contains(wanted) {
            return 0.9;
        }
    }
    // the code inside something longer that was pasted whole
    if known.len() >= 5 && wanted.len() > known.len() && wanted.contains(known) {
        return 0.93;
    }
    strsim::normalized_damerau_levenshtein(wanted, known)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [(&str, &str); 5] = [
        ("csbs", "CSBS.5001"),
        ("csbs", "CSBS.5001"),
        ("csbs", "CSBS.6001"),
        ("sdrs", "SDRS.1013"),
        ("dpod", "EXECUTION_QUIESCE_TIMEOUT_OCCURRED"),
    ];

    fn codes(wanted: &str) -> Vec<String> {
        near(wanted, ALL.into_iter(), 5)
            .into_iter()
            .map(|(_, c)| c)
            .collect()
    }

    #[test]
    fn a_slip_and_a_part_lead_to_the_code() {
        assert_eq!(codes("CSBS.501"), ["CSBS.5001", "CSBS.6001"]);
        assert_eq!(codes("5001"), ["CSBS.5001"]);
        assert_eq!(
            codes("quiesce_timeout"),
            ["EXECUTION_QUIESCE_TIMEOUT_OCCURRED"]
        );
        assert_eq!(codes("error SDRS.1013:"), ["SDRS.1013"]);
        assert_eq!(codes("something else"), Vec::<String>::new());
        assert_eq!(codes(""), Vec::<String>::new());
    }
}
