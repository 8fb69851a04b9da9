//! `[[rpo]]`: how old the last good backup may be.

use std::ops::RangeInclusive;

use crate::query::Query;
use crate::tomlread::Fields;

const LENGTHS: RangeInclusive<u64> = 60_000..=3_660 * 86_400_000;

/// How old the last good backup may be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rpo {
    /// Milliseconds after which a device without a newer good backup counts as unprotected, where no rule fits.
    pub default_ms: u64,
    /// Rules in the order of the file; the first that fits a device or policy counts.
    pub rules: Vec<RpoRule>,
}

/// What fits the filter has to have a good backup within so long.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RpoRule {
    /// Which devices and policies.
    pub query: Query,
    /// In milliseconds.
    pub within_ms: u64,
}

impl Default for Rpo {
    /// A daily backup that may be two hours late.
    fn default() -> Self {
        Self {
            default_ms: 26 * 3_600_000,
            rules: Vec::new(),
        }
    }
}

impl Rpo {
    /// Reads what stands under `rpo`: rules, one of them without a filter for all others; or the single table
    /// `[rpo]` with the default alone.
    #[must_use]
    pub fn read(top: &Fields<'_, '_>) -> Self {
        let mut it = Self::default();
        if !top.is_list("rpo") {
            if let Some(table) = top.table("rpo", "[rpo]") {
                if let Some(ms) = table.duration_within("default", LENGTHS) {
                    it.default_ms = ms;
                }
                table.finish();
            }
            return it;
        }
        let mut general = false;
        for rule in top.tables("rpo", "[[rpo]]") {
            let filter = rule.text("where");
            let within = rule.duration_within("within", LENGTHS);
            if !rule.has("within") {
                let what = "\"within\" of [[rpo]] is missing";
                rule.wrong(
                    "where",
                    what,
                    "Write how old the last good backup may be: within = \"26h\"",
                );
            }
            rule.finish();
            let Some(within_ms) = within else { continue };
            match filter.as_deref().map(Query::parse) {
                None if general => rule.wrong(
                    "within",
                    "two [[rpo]] are without \"where\"",
                    "Only one can stand for all others",
                ),
                None => {
                    general = true;
                    it.default_ms = within_ms;
                }
                Some(Ok(query)) if query.depends_on_time() => rule.wrong(
                    "where",
                    "\"where\" of [[rpo]] depends on time",
                    "Say what devices and policies are meant, not how their backups go: device, policy, place, service, kind",
                ),
                Some(Ok(query)) => it.rules.push(RpoRule { query, within_ms }),
                Some(Err(e)) => rule.wrong(
                    "where",
                    format!("\"where\" of [[rpo]] can't be read: {}", e.what),
                    format!("Expected {}", e.expected),
                ),
            }
        }
        it
    }
}
