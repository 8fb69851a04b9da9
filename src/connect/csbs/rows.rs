//! Decoding one page of a list into rows.

use serde::Deserialize;

use super::Csbs;
use super::item::Item;
use super::policy::PolicyRow;
use crate::connect::decode::{Loose, Raw, Text, each};
use crate::connect::http::Reply;
use crate::model::{Fault, Ref, Rows, Timestamp};

/// What a page tells for the next question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Next {
    pub rows: usize,
    /// Id of the last row.
    pub marker: String,
    /// The answer names a next page.
    pub linked: bool,
    /// The oldest change on the page.
    pub oldest: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Items<'a> {
    #[serde(borrow)]
    checkpoint_items: Vec<Raw<'a>>,
    #[serde(borrow, default)]
    checkpoint_items_links: Loose<Vec<Link<'a>>>,
}

/// A page of items of which only that they are there counts.
#[derive(Deserialize)]
pub(super) struct Places<'a> {
    #[serde(borrow)]
    pub checkpoint_items: Vec<Place<'a>>,
    #[serde(borrow, default)]
    checkpoint_items_links: Loose<Vec<Link<'a>>>,
}

/// An item that is there.
#[derive(Deserialize)]
pub(super) struct Place<'a> {
    #[serde(borrow, default)]
    pub id: Text<'a>,
}

impl Places<'_> {
    pub(super) fn has_next(&self) -> bool {
        has_next(&self.checkpoint_items_links)
    }
}

#[derive(Deserialize)]
struct Policies<'a> {
    #[serde(borrow)]
    policies: Vec<Raw<'a>>,
    #[serde(borrow, default)]
    policies_links: Loose<Vec<Link<'a>>>,
}

#[derive(Deserialize)]
struct Link<'a> {
    #[serde(borrow, default)]
    rel: Text<'a>,
}

fn has_next(links: &Loose<Vec<Link<'_>>>) -> bool {
    links.0.iter().flatten().any(|l| l.rel.as_str() == "next")
}

/// What an item page is read for.
#[derive(Clone, Copy)]
pub(super) enum For<'a> {
    /// Tasks, with the servers they tell of.
    Tasks,
    /// Tasks of one policy.
    Runs(&'a Ref),
    /// Servers only.
    Servers,
}

impl Csbs {
    /// Decodes a page of items, this one of a feed. `seen` rows came before it; `from` is [`PageSink::records_from`].
    ///
    /// [`PageSink::records_from`]: crate::connect::PageSink::records_from
    pub(super) fn items_page(
        &self,
        reply: &Reply,
        seen: usize,
        purpose: For<'_>,
        (feed, number): (&'static str, u32),
        from: Option<Timestamp>,
    ) -> Result<(Rows, Next), Fault> {
        let page: Items<'_> = reply.json()?;
        let mut rows = Rows::default();
        let mut bad = Vec::new();
        let mut runs = Vec::new();
        let mut next = Next {
            rows: page.checkpoint_items.len(),
            marker: String::new(),
            linked: has_next(&page.checkpoint_items_links),
            oldest: None,
        };
        rows.tasks.reserve(page.checkpoint_items.len());
        each::<Item<'_>>(
            "checkpoint_items",
            seen,
            &page.checkpoint_items,
            &mut bad,
            |item, raw| {
                if item.id.is_empty() {
                    return Err("the id is missing".into());
                }
                next.marker.clear();
                next.marker.push_str(item.id.as_str());
                if let Some(changed) = item.updated_at.0.or(item.created_at.0) {
                    next.oldest = Some(next.oldest.map_or(changed, |o| o.min(changed)));
                }
                self.known(|known| {
                    known.meet(&item);
                    let run = item.checkpoint_id.as_str();
                    if let For::Runs(policy) = purpose {
                        let changed = item.updated_at.0.or(item.created_at.0);
                        known
                            .runs
                            .learn(run, policy, changed.or(Some(Timestamp(0))));
                    }
                    if !matches!(purpose, For::Servers) {
                        runs.push(known.runs.key(run));
                        for facet in item.facets() {
                            let policy = known.runs.policy_of(run);
                            let task = item.task(facet, raw, policy, from);
                            known.note_deletion(&item, &task);
                            rows.tasks.push(task);
                        }
                    }
                });
                Ok(())
            },
        );
        rows.bad = bad;
        rows.devices = self.known(|known| {
            known.runs.page(feed, number, runs);
            known.fresh()
        });
        Ok((rows, next))
    }

    pub(super) fn policies_page(
        &self,
        reply: &Reply,
        seen: usize,
        number: u32,
        now: Timestamp,
    ) -> Result<(Rows, Next), Fault> {
        let page: Policies<'_> = reply.json()?;
        let mut rows = Rows::default();
        let mut bad = Vec::new();
        let mut bound = Vec::new();
        let mut marker = String::new();
        each::<PolicyRow<'_>>("policies", seen, &page.policies, &mut bad, |row, raw| {
            rows.policies.push(row.policy(raw, now)?);
            bound.push(row.bound());
            marker = row.id.owned();
            Ok(())
        });
        rows.bad = bad;
        let due = rows.policies.iter().filter_map(|p| p.next_run).min();
        self.known(|known| known.policy_page(number, bound, due));
        let next = Next {
            rows: page.policies.len(),
            marker,
            linked: has_next(&page.policies_links),
            oldest: None,
        };
        Ok((rows, next))
    }
}
