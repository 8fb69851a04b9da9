//! What could be backed up and is not: protectables, which Huawei Cloud alone publishes.
//!
//! Source: CBR API reference of Huawei Cloud, querying protectable instances and showing one. A page holds 50 at
//! most, and no answer tells how many there are.

use hashbrown::HashSet;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::poll::{LIST_PAGES, List, Next, Sort};
use super::vault::what;
use super::{Cbr, RESOURCES};
use crate::connect::decode::{Flag, Float, Loose, Raw, Text, each, raw_text};
use crate::connect::http::{Call, Reply};
use crate::connect::{Page, PageSink, PollReport};
use crate::model::{CodeRef, Device, Fault, FaultKind, Rows, Target, Timestamp, clean};

/// Rows a page.
const LIMIT: usize = 50;
/// Number of the first page; the vaults' are before it.
const FIRST: u32 = 2 * LIST_PAGES;
/// The lists: the path's word, and the type of what is in it. Servers come first, for they name their disks.
const LISTS: [(&str, &str); 3] = [
    ("server", "OS::Nova::Server"),
    ("disk", DISK),
    ("turbo", "OS::Sfs::Turbo"),
];
const DISK: &str = "OS::Cinder::Volume";

#[derive(Deserialize)]
struct Instances<'a> {
    #[serde(borrow)]
    instances: Vec<Raw<'a>>,
}

#[derive(Deserialize)]
struct OneInstance<'a> {
    #[serde(borrow)]
    instance: Instance<'a>,
}

#[derive(Deserialize)]
struct Instance<'a> {
    #[serde(borrow, default)]
    id: Text<'a>,
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow, default)]
    status: Text<'a>,
    /// In GB.
    #[serde(default)]
    size: Float,
    /// The disks of a server.
    #[serde(borrow, default)]
    children: Loose<Vec<Loose<Child<'a>>>>,
    #[serde(borrow, default)]
    protectable: Loose<Verdict<'a>>,
}

#[derive(Deserialize)]
struct Child<'a> {
    #[serde(borrow, default)]
    id: Text<'a>,
}

/// Whether it can be backed up, and in which vault it is.
#[derive(Deserialize)]
struct Verdict<'a> {
    #[serde(default)]
    result: Flag,
    #[serde(borrow, default)]
    code: Text<'a>,
    #[serde(borrow, default)]
    reason: Text<'a>,
    /// Only there when a check failed.
    #[serde(borrow, default)]
    message: Text<'a>,
    /// The whole vault when it is in one.
    #[serde(default)]
    vault: Option<IgnoredAny>,
}

impl Verdict<'_> {
    /// Why it can't be backed up; `None` when nothing is said against it. What "no" without a word means for a
    /// resource that is in a vault already is not documented: it may be no more than that.
    fn refusal(&self) -> Option<CodeRef> {
        let has_words = !self.code.is_empty() || !self.message.is_empty();
        let refused = self.result.0 == Some(false) && (has_words || self.vault.is_none());
        refused.then(|| {
            let said = self.message.or(self.reason.as_str());
            CodeRef::new(self.code.owned(), said)
        })
    }
}

impl Instance<'_> {
    fn device(&self, raw: Raw<'_>) -> Device {
        let refusal = self.protectable.0.as_ref().and_then(Verdict::refusal);
        let mut facts = vec![
            ("Vault", "none: it is not backed up".to_owned()),
            ("Type", self.kind.owned()),
        ];
        if let Some(gb) = self.size.0 {
            facts.push(("Size", format!("{gb} GB")));
        }
        if let Some(why) = &refusal {
            let why = format!("{} {}", why.code, why.message);
            facts.push(("Can't be backed up", why.trim().to_owned()));
        }
        Device {
            id: self.id.owned(),
            name: self.name.or(self.id.as_str()).to_owned(),
            what: what(self.kind.as_str()),
            native_status: self.status.owned(),
            faulty: refusal.is_some(),
            facts,
            raw: raw_text(raw),
            ..Device::default()
        }
    }
}

impl Cbr {
    /// Hands over what is in no vault, each list when it is due. What was known of a list that fails stays. One that
    /// the service refuses is asked again when its time is over; any other fault ends this round's reading, and the
    /// next round goes on there. False when nobody wants more or a list had no end.
    pub(super) async fn read_unprotected(
        &self,
        now: Timestamp,
        sink: &mut dyn PageSink,
        report: &mut PollReport,
    ) -> bool {
        if !self.huawei || self.known(|known| known.unprotected.absent) {
            return true;
        }
        let vaults = self.known(|known| known.version());
        let mut reachable = true;
        for ((word, kind), first) in LISTS.iter().zip((FIRST..).step_by(LIST_PAGES as usize)) {
            let end = first + LIST_PAGES;
            if *kind == DISK && self.known(|known| known.unprotected.take_other_disks()) {
                // the same answer is read otherwise now
                self.book(RESOURCES).end_between(first, end);
                self.known(|known| known.unprotected.ask_again(first));
            }
            let due = self.known(|known| known.unprotected.is_due(first, now, vaults));
            if !reachable || !due {
                report
                    .partial
                    .extend(self.known(|known| known.unprotected.refusal(first)));
                let held = self.known(|known| known.unprotected.pages(first, end));
                if !same(&held, sink).await {
                    return false;
                }
                continue;
            }
            let list = List {
                status: None,
                call: Call::get(&["protectables", word, "instances"]),
                sort: Sort::Protectables,
                first,
                pages: LIST_PAGES,
                limit: LIMIT.min(self.page_size),
            };
            let before = report.pages;
            let read = self.walk(RESOURCES, &list, None, sink, report).await;
            let mut after = first + (report.pages - before);
            let mut refusal = None;
            match read {
                Ok(true) => {}
                Ok(false) => return false,
                // told by `doctor`; a cloud may publish other calls of Huawei's and not this one
                Err(fault) if is_unpublished(&fault) && *word == "server" => {
                    self.known(|known| known.unprotected.absent = true);
                    return true;
                }
                Err(fault) => {
                    reachable = lasts(fault.kind);
                    refusal = reachable.then(|| fault.clone());
                    report.partial.push(fault);
                    let held = self.known(|known| known.unprotected.pages(after, end));
                    if !same(&held, sink).await {
                        return false;
                    }
                    after = held.last().map_or(after, |last| last + 1);
                }
            }
            let pages: Vec<u32> = (first..after).collect();
            self.known(|known| {
                known.unprotected.handed_over(first, end, &pages);
                if reachable {
                    known.unprotected.answered(first, now, vaults, refusal);
                } else {
                    known.unprotected.ask_again(first);
                }
            });
        }
        true
    }

    pub(super) fn protectables_page(
        &self,
        reply: &Reply,
        seen: usize,
        number: u32,
    ) -> Result<(Rows, Next), Fault> {
        let page: Instances<'_> = reply.json()?;
        let mut rows = Rows::default();
        let mut bad = Vec::new();
        let mut disks = HashSet::new();
        let mut next = Next {
            rows: page.instances.len(),
            ..Next::default()
        };
        each::<Instance<'_>>("instances", seen, &page.instances, &mut bad, |row, raw| {
            if row.id.is_empty() {
                return Err("the id is missing".into());
            }
            if next.first.is_empty() {
                next.first = row.id.owned();
            }
            let children = row.children.0.iter().flatten().filter_map(|c| c.0.as_ref());
            disks.extend(children.map(|c| c.id.owned()));
            let id = row.id.as_str();
            let bound = row
                .protectable
                .0
                .as_ref()
                .is_some_and(|p| p.vault.is_some());
            let with_server =
                row.kind.as_str() == DISK && self.known(|known| known.unprotected.is_a_servers(id));
            if !bound && !with_server {
                rows.devices.push(row.device(raw));
            }
            Ok(())
        });
        rows.bad = bad;
        self.known(|known| known.unprotected.note_disks(number, disks));
        Ok((rows, next))
    }

    /// Whether the list of what could be backed up is published here, for `doctor`.
    ///
    /// # Errors
    /// It is not, or can't be read.
    pub(super) async fn lists_protectables(&self) -> Result<String, Fault> {
        let call = Call::get(&["protectables", "server", "instances"]).with("limit", "1");
        match self.session.ask(&call).await {
            Ok(_) => Ok("published: what is in no vault is listed as well".to_owned()),
            Err(mut fault) if is_unpublished(&fault) => {
                "the list of what could be backed up is not published here"
                    .clone_into(&mut fault.what);
                "Without it only what is in a vault is listed. Take the option cloud out if pausing one resource is not offered either."
                    .clone_into(&mut fault.advice);
                Err(fault)
            }
            Err(fault) => Err(fault),
        }
    }

    /// Asks whether the resource can be backed up now, where that can be asked. `Ok(Some(…))` is a warning: the
    /// service says no, and not why.
    ///
    /// # Errors
    /// The service says that it can't, with its code.
    pub(super) async fn check_protectable(&self, target: &Target) -> Result<Option<String>, Fault> {
        let kind = serde_json::from_str::<Instance<'_>>(&target.raw)
            .map(|row| row.kind.owned())
            .unwrap_or_default();
        let list = LISTS.iter().find(|(_, of)| *of == kind);
        let Some((word, _)) = list.filter(|_| self.huawei) else {
            return Ok(None);
        };
        let call = Call::get(&["protectables", word, "instances", &target.id]);
        // a check that can't be asked for forbids nothing: the service judges the backup itself
        let Ok(reply) = self.session.ask(&call).await else {
            return Ok(None);
        };
        let verdict = reply
            .json::<OneInstance<'_>>()
            .ok()
            .and_then(|one| one.instance.protectable.0);
        let Some(verdict) = verdict else {
            return Ok(None);
        };
        match verdict.refusal() {
            Some(code) => {
                let why = [": ", code.message.as_str()].concat();
                let why = if code.message.is_empty() { "" } else { &why };
                Err(Fault::new(
                    FaultKind::Refused,
                    format!("the service says that it can't be backed up now{why}"),
                    reply.place.clone(),
                    "Mend that first.",
                )
                .with_code(code))
            }
            None => Ok((verdict.result.0 == Some(false)).then(|| {
                let why = verdict.reason.as_str();
                let why = if why.is_empty() {
                    "without a reason"
                } else {
                    why
                };
                format!(
                    "Asked whether it can be backed up, the service says no ({}): it may refuse.",
                    clean(why)
                )
            })),
        }
    }
}

/// True for a fault that says nothing against the other lists, and that asking again soon does not mend.
const fn lasts(kind: FaultKind) -> bool {
    matches!(
        kind,
        FaultKind::Refused | FaultKind::Auth | FaultKind::Garbled | FaultKind::NotOffered
    )
}

/// True when the gateway says that there is no such call.
fn is_unpublished(fault: &Fault) -> bool {
    fault
        .code
        .as_ref()
        .is_some_and(|c| c.http_status == Some(404) && c.code.starts_with("APIG"))
}

/// True for the record of a resource that is in no vault.
pub(super) fn is_unprotected(raw: &str) -> bool {
    serde_json::from_str::<Instance<'_>>(raw).is_ok_and(|row| row.protectable.0.is_some())
}

/// Hands pages over as what they were; false when nobody wants more.
async fn same(pages: &[u32], sink: &mut dyn PageSink) -> bool {
    for number in pages {
        if !sink.page(*number, Page::Same).await {
            return false;
        }
    }
    true
}
