//! What the configuration says: the address with its organisation, the credentials, the share of the rate limit.

use reqwest::Url;

use crate::connect::settings::{AuthSettings, Settings};
use crate::model::{Fault, FaultKind, clean};

/// Where the API stands (REST reference).
const HOST: &str = "https://api.atlassian.com";
/// Below the host, before the organisation's id (REST reference).
const PREFIX: [&str; 3] = ["public", "backup-management", "v2"];
/// GETs a minute that the vendor grants one organisation, for all its tools and people together (rate limiting page).
pub(super) const ORG_GETS_A_MINUTE: u32 = 100;
/// The share of them that one keepwatch takes where nothing is said, in percent.
const SHARE: u32 = 50;
/// Entries a page where nothing is said. The vendor publishes neither default nor maximum.
const PAGE_SIZE: usize = 50;

/// The settings that are this kind's own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Own {
    /// Policies to read where the list of policies can't be: their ids.
    pub policy_ids: Vec<String>,
    /// Entries a page.
    pub page_size: usize,
    /// The number of the first page.
    pub first_page: u32,
}

fn wrong(settings: &Settings, what: impl Into<String>, advice: impl Into<String>) -> Fault {
    Fault::new(
        FaultKind::Config,
        what,
        format!("service {}", settings.name),
        advice,
    )
}

fn option<'a>(settings: &'a Settings, name: &str) -> &'a str {
    settings.options.get(name).map_or("", |v| v.trim())
}

/// A whole number out of an option, `default` where it is not given.
fn number(
    settings: &Settings,
    name: &str,
    range: std::ops::RangeInclusive<u32>,
    default: u32,
) -> Result<u32, Fault> {
    let text = option(settings, name);
    if text.is_empty() {
        return Ok(default);
    }
    text.trim_end_matches('%')
        .trim_end()
        .parse()
        .ok()
        .filter(|n| range.contains(n))
        .ok_or_else(|| {
            wrong(
                settings,
                format!("the option {name} is \"{}\"", clean(text)),
                format!(
                    "Expected a whole number from {} to {}.",
                    range.start(),
                    range.end()
                ),
            )
        })
}

impl Own {
    /// Reads them.
    ///
    /// # Errors
    /// What is wrong with one of them.
    pub(super) fn read(settings: &Settings) -> Result<Self, Fault> {
        Ok(Self {
            policy_ids: option(settings, "policy_ids")
                .split([',', ' '])
                .filter(|id| !id.is_empty())
                .map(str::to_owned)
                .collect(),
            page_size: number(settings, "page_size", 1..=1_000, PAGE_SIZE as u32)? as usize,
            first_page: number(settings, "first_page", 0..=1, 0)?,
        })
    }
}

/// The settings with the whole base address and with a rate that is a share of the organisation's.
///
/// # Errors
/// What is missing or can't be used, and what to write.
pub(super) fn complete(settings: &Settings) -> Result<Settings, Fault> {
    match settings.auth {
        // Basic with e-mail and API token is documented. Whether an organisation's API key is taken as Bearer is said
        // nowhere, neither yes nor no: who sets it finds out
        AuthSettings::Basic { .. } | AuthSettings::Bearer { .. } => {}
        _ => {
            return Err(wrong(
                settings,
                "Atlassian's backup API is asked with an account's e-mail and API token",
                "Set method = \"basic\", username to the e-mail and password to an API token from id.atlassian.com.",
            ));
        }
    }
    let mut whole = settings.clone();
    whole.endpoint = Some(base(settings)?);
    let share = number(settings, "share", 1..=100, SHARE)?;
    whole
        .rate_per_minute
        .get_or_insert((ORG_GETS_A_MINUTE * share / 100).max(1));
    Ok(whole)
}

/// The base address up to the organisation's id: from the host alone, from the address up to `v2`, or whole.
fn base(settings: &Settings) -> Result<String, Fault> {
    const EXPECTED: &str =
        "Leave endpoint out, and set the option org_id to the organisation's id.";
    let org = option(settings, "org_id");
    let mut text = settings
        .endpoint
        .clone()
        .filter(|e| !e.trim().is_empty())
        .unwrap_or_else(|| HOST.to_owned());
    for mark in ["{orgId}", "{org_id}"] {
        if text.contains(mark) {
            if org.is_empty() {
                return Err(wrong(
                    settings,
                    "the endpoint has a place for the organisation's id, which is not known",
                    EXPECTED,
                ));
            }
            text = text.replace(mark, org);
        }
    }
    let mut url = Url::parse(&text).map_err(|e| {
        wrong(
            settings,
            format!("the endpoint is not an address: {e}"),
            EXPECTED,
        )
    })?;
    let host = url.host_str().unwrap_or_default();
    let segments: Vec<&str> = url
        .path_segments()
        .map(|s| s.filter(|s| !s.is_empty()).collect())
        .unwrap_or_default();
    // the sites' own older calls (Jira's /rest/backup, Confluence's /wiki/rest/obm) are another API; that sites stand
    // below atlassian.net is common knowledge and in none of its documents
    if host.ends_with(".atlassian.net") || segments.first().is_some_and(|s| *s == "wiki") {
        return Err(wrong(
            settings,
            format!(
                "{} is a site; its own backup calls are another, older API",
                clean(host)
            ),
            EXPECTED,
        ));
    }
    let org_stands_at = segments.iter().position(|s| *s == "orgs");
    let add: Vec<&str> = match (org_stands_at, segments.as_slice()) {
        (Some(at), all) if all.len() == at + 2 => Vec::new(),
        (Some(at), all) if all.len() == at + 1 => vec![org],
        (None, []) => [PREFIX.as_slice(), &["orgs", org]].concat(),
        (None, all) if all.last() == Some(&"v2") => vec!["orgs", org],
        _ => {
            return Err(wrong(
                settings,
                "the endpoint ends neither in v2 nor in the organisation's id",
                EXPECTED,
            ));
        }
    };
    if !add.is_empty() && org.is_empty() {
        return Err(wrong(
            settings,
            "the organisation's id is not known, and every address needs it",
            EXPECTED,
        ));
    }
    if add.iter().any(|s| matches!(*s, "." | "..")) {
        return Err(wrong(
            settings,
            "the option org_id is no organisation's id",
            EXPECTED,
        ));
    }
    let added: Vec<String> = add.into_iter().map(str::to_owned).collect();
    url.path_segments_mut()
        .map_err(|()| wrong(settings, "the endpoint takes no path", EXPECTED))?
        .pop_if_empty()
        .extend(&added);
    Ok(url.to_string())
}
