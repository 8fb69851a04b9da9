//! What matters when something is made: the places between which groups can be protected, and what is left of the
//! quotas (SDRS API reference, active-active domains and tenant quota management).

use serde::Deserialize;

use super::Sdrs;
use crate::connect::decode::{Flag, Loose, Text};
use crate::connect::http::Call;
use crate::connect::quota;
use crate::model::Fault;

#[derive(Deserialize)]
struct Domains<'a> {
    #[serde(borrow)]
    domains: Vec<Domain<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Domain<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    sold_out: Flag,
    #[serde(borrow)]
    local_replication_cluster: Loose<Site<'a>>,
    #[serde(borrow)]
    remote_replication_cluster: Loose<Site<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Site<'a> {
    #[serde(borrow)]
    availability_zone: Text<'a>,
}

impl Sdrs {
    /// The places in words.
    ///
    /// # Errors
    /// No usable answer.
    pub(super) async fn places(&self) -> Result<String, Fault> {
        let reply = self.session.ask(&Call::get(&["active-domains"])).await?;
        let answer: Domains<'_> = reply.json()?;
        let zone = |site: &Loose<Site<'_>>| {
            let site = site.0.as_ref();
            site.map_or("?", |s| s.availability_zone.or("?")).to_owned()
        };
        let words: Vec<String> = answer
            .domains
            .iter()
            .map(|d| {
                let sold = if d.sold_out.is_true() {
                    ", sold out"
                } else {
                    ""
                };
                format!(
                    "{} ({} → {}{sold})",
                    d.name.or(d.id.as_str()),
                    zone(&d.local_replication_cluster),
                    zone(&d.remote_replication_cluster),
                )
            })
            .collect();
        Ok(if words.is_empty() {
            "no pair of zones is offered to this project".to_owned()
        } else {
            words.join("; ")
        })
    }

    /// The quotas in words.
    ///
    /// # Errors
    /// No usable answer.
    pub(super) async fn quotas(&self) -> Result<String, Fault> {
        let reply = self.session.ask(&Call::get(&["sdrs", "quotas"])).await?;
        quota::in_words(&reply)
    }
}
