//! What a Keystone login answers: the token's life, its project, and the service catalog.

use reqwest::Url;
use serde::Deserialize;

use super::Token;
use crate::connect::decode::{Loose, Text, Time};
use crate::connect::http::Reply;
use crate::model::{Fault, FaultKind, Timestamp};

/// One place of one service in the catalog.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CatalogEntry {
    /// Service type (`data-protect`, `sdrs`, `backup`).
    pub kind: String,
    /// `public`, `internal`, `admin`.
    pub interface: String,
    /// Region name.
    pub region: String,
    /// Address.
    pub url: String,
}

/// What the body of a login's answer says.
pub(super) struct Said {
    pub expires_at: Option<Timestamp>,
    pub issued_at: Option<Timestamp>,
    pub project_id: String,
    pub catalog: Vec<CatalogEntry>,
}

/// Reads the answer to a login.
pub(super) fn read(reply: &Reply) -> Result<Said, Fault> {
    let answer: Answer<'_> = reply.json()?;
    let token = answer.token;
    let catalog = token
        .catalog
        .into_iter()
        .filter_map(|s| s.0)
        .flat_map(|s| {
            let kind = s.kind.owned();
            s.endpoints
                .into_iter()
                .filter_map(|e| e.0)
                .map(move |e| CatalogEntry {
                    kind: kind.clone(),
                    interface: e.interface.owned(),
                    region: e.region.or(e.region_id.as_str()).to_owned(),
                    url: e.url.owned(),
                })
        })
        .collect();
    Ok(Said {
        expires_at: token.expires_at.0,
        issued_at: token.issued_at.0,
        project_id: token.project.0.map(|p| p.id.owned()).unwrap_or_default(),
        catalog,
    })
}

impl Token {
    /// The address of the first service type that the catalog holds, by interface and region.
    ///
    /// # Errors
    /// A [`FaultKind::Config`] fault that says what the catalog holds instead.
    pub fn endpoint(
        &self,
        types: &[&str],
        interface: &str,
        region: &str,
        place: &str,
    ) -> Result<Url, Fault> {
        let fits = |e: &&CatalogEntry| {
            e.interface == interface && (region.is_empty() || e.region == region)
        };
        let found = types
            .iter()
            .find_map(|t| self.catalog.iter().filter(|e| e.kind == *t).find(fits));
        if let Some(entry) = found {
            return Url::parse(&entry.url).map_err(|e| {
                Fault::new(
                    FaultKind::Config,
                    format!(
                        "the service catalog gives an address that is none: {} ({e})",
                        entry.url
                    ),
                    place,
                    "Give the endpoint of this service in the configuration.",
                )
            });
        }
        let same: Vec<&CatalogEntry> = self
            .catalog
            .iter()
            .filter(|e| types.contains(&e.kind.as_str()))
            .collect();
        let (what, advice) = if same.is_empty() {
            let mut held: Vec<&str> = self.catalog.iter().map(|e| e.kind.as_str()).collect();
            held.sort_unstable();
            held.dedup();
            let held = if held.is_empty() {
                "nothing".to_owned()
            } else {
                held.join(", ")
            };
            (
                format!(
                    "the service catalog has no service of type {}; it holds {held}",
                    types.join(" or ")
                ),
                "Give the endpoint of this service in the configuration, or check the project: the catalog depends on it.",
            )
        } else {
            let mut held: Vec<String> = same
                .iter()
                .map(|e| format!("{} in {}", e.interface, e.region))
                .collect();
            held.sort_unstable();
            held.dedup();
            (
                format!(
                    "the service catalog has no {interface} address{}; it holds {}",
                    if region.is_empty() {
                        String::new()
                    } else {
                        format!(" in region {region}")
                    },
                    held.join(", ")
                ),
                "Set region (and the option interface) to one of these, or give the endpoint.",
            )
        };
        Err(Fault::new(FaultKind::Config, what, place, advice))
    }
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    token: Body<'a>,
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(default)]
    expires_at: Time,
    #[serde(default)]
    issued_at: Time,
    #[serde(borrow, default)]
    project: Loose<Project<'a>>,
    #[serde(borrow, default)]
    catalog: Vec<Loose<Service<'a>>>,
}

#[derive(Deserialize)]
struct Project<'a> {
    #[serde(borrow)]
    id: Text<'a>,
}

#[derive(Deserialize)]
struct Service<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow, default)]
    endpoints: Vec<Loose<Endpoint<'a>>>,
}

#[derive(Deserialize)]
struct Endpoint<'a> {
    #[serde(borrow, default)]
    interface: Text<'a>,
    #[serde(borrow, default)]
    region: Text<'a>,
    #[serde(borrow, default)]
    region_id: Text<'a>,
    #[serde(borrow)]
    url: Text<'a>,
}
