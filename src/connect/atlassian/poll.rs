//! The rounds: policies with their details, then restores and, policy by policy, backups.

use std::collections::HashMap;

use async_trait::async_trait;
use serde::Deserialize;

use super::client::is_wrong_path;
use super::known::Note;
use super::list::{self, Turn};
use super::paths::Op;
use super::policy::PolicyRow;
use super::task::{Sort, TaskRow};
use super::walk::{RANGE, Walk, Walked};
use super::{Atlassian, POLICIES, TASKS, word};
use crate::connect::decode::{Text, each};
use crate::connect::http::Reply;
use crate::connect::page::{Book, Turned};
use crate::connect::{Page, PageSink, PollContext, PollReport};
use crate::model::{Fault, FaultKind, Rows};

/// The list of policies as the backups' round asks for it when nobody has listed them yet.
const LISTING: &str = "listing";
/// A policy that makes no backups is asked for its backups in every round of this number only.
const REST: u32 = 10;
/// So many policies' details are read again in one round.
const FEW: usize = 5;
/// Answers of 5xx in a row after which a round gives up.
const BROKEN: u32 = 3;

impl Atlassian {
    /// Policies and the products that they protect; the storages give them names.
    pub(super) async fn poll_policies(&self, sink: &mut dyn PageSink) -> Result<PollReport, Fault> {
        self.forget_outdated();
        let mut report = PollReport::default();
        let wanting = if self.own.policy_ids.is_empty() {
            let one = self.listing.lock().await;
            let walk = Walk {
                op: Op::Policies,
                ids: &[],
                feed: POLICIES,
                number: 0,
                floor: None,
            };
            let walked = self
                .walk(&walk, sink, &mut report, |reply, first| {
                    self.policies_page(reply, first)
                })
                .await?;
            if !walked.wanted {
                return Ok(report);
            }
            self.note_policies(&walked);
            drop(one);
            report.complete = walked.cut.is_none();
            report.partial.extend(walked.cut);
            self.to_detail(&walked.wanting).await?
        } else {
            report.complete = true;
            self.own.policy_ids.clone()
        };
        self.read_storages(&mut report).await?;
        for id in &wanting {
            match self.poll_policy(id, sink).await {
                Ok(true) => report.pages += 1,
                Ok(false) => {
                    report.complete = false;
                    return Ok(report);
                }
                Err(fault) if concerns_one(&fault) => {
                    report.complete &= self.own.policy_ids.is_empty();
                    report.partial.push(fault);
                }
                Err(fault) => return Err(fault),
            }
        }
        Ok(report)
    }

    /// Which policies to read one by one in this round.
    ///
    /// Each costs a request of a limit that the whole organisation shares. Where the backups can be read they tell
    /// more than the policy's word on its last one, so that its details are read once, and again a few in a round;
    /// where they can't, that word is all there is.
    async fn to_detail(&self, wanting: &[(String, bool)]) -> Result<Vec<String>, Fault> {
        let Some((first, _)) = wanting.first() else {
            return Ok(Vec::new());
        };
        if !self.backups_can_be_read(first).await? {
            return Ok(wanting.iter().map(|(id, _)| id.clone()).collect());
        }
        let mut known = self.known();
        let mut chosen = Vec::new();
        let mut later = Vec::new();
        for (id, scheduled) in wanting {
            if *scheduled || known.records.contains_key(id) {
                later.push(id.clone());
            } else {
                chosen.push(id.clone());
            }
        }
        // the first round is for what nothing else tells
        if known.details_rounds > 0 && !later.is_empty() {
            let from = known.details_next % later.len();
            chosen.extend(
                later
                    .iter()
                    .cycle()
                    .skip(from)
                    .take(FEW.min(later.len()))
                    .cloned(),
            );
            known.details_next = from + FEW;
        }
        known.details_rounds = known.details_rounds.saturating_add(1);
        Ok(chosen)
    }

    /// Whether the call for a policy's backups works; tries it once when nobody has.
    async fn backups_can_be_read(&self, policy_id: &str) -> Result<bool, Fault> {
        if !self.client.paths.has(Op::Backups) {
            return Ok(false);
        }
        if self.client.is_proven(Op::Backups) {
            return Ok(true);
        }
        let call = self.client.call(Op::Backups, &[policy_id])?;
        match self
            .client
            .read(Op::Backups, &self.page_call(&call, 0))
            .await
        {
            Ok(_) => Ok(true),
            Err(fault) if concerns_one(&fault) => Ok(!is_wrong_path(&fault)),
            Err(fault) => Err(fault),
        }
    }

    /// What policies show besides their own records has changed: their pages have to be read anew.
    fn forget_outdated(&self) {
        let outdated = {
            let mut known = self.known();
            let version = known.version;
            std::mem::replace(&mut known.read_version, version) != version
        };
        if outdated {
            self.pages().forget_from(POLICIES, 0);
        }
    }

    fn policies_page(&self, reply: &Reply, first: usize) -> Result<(Rows, Turn), Fault> {
        let (raws, total) = list::rows(reply, "policies")?;
        let mut rows = Rows::default();
        let mut bad = Vec::new();
        let mut turn = Turn {
            rows: raws.len(),
            total,
            ..Turn::default()
        };
        let mut notes = Vec::new();
        {
            let known = self.known();
            each::<PolicyRow<'_>>("policies", first, &raws, &mut bad, |mut row, raw| {
                if !row.policy_id.is_empty() && !row.tells_backups() {
                    let scheduled = row.interval().is_some();
                    turn.wanting.push((row.policy_id.owned(), scheduled));
                }
                if let Some(held) = known.records.get(row.policy_id.as_str())
                    && let Ok(whole) = serde_json::from_str(held)
                {
                    row.fill(whole);
                }
                rows.policies.push(row.policy(raw, &known)?);
                rows.devices.extend(row.device(&known));
                turn.note(row.policy_id.as_str(), None);
                notes.push(note(&row));
                Ok(())
            });
        }
        turn.bad = bad.len();
        rows.bad = bad;
        let mut known = self.known();
        for note in notes {
            known.put(note);
        }
        Ok((rows, turn))
    }

    /// The list of policies is known now: those with these ids.
    fn note_policies(&self, walked: &Walked) {
        let mut known = self.known();
        known.unread.clone_from(&walked.unread);
        let notes = walked
            .ids
            .iter()
            .filter_map(|id| known.note(id).cloned())
            .collect();
        known.list(notes);
    }

    /// One policy with all details, by the documented call. False when nobody wants more.
    async fn poll_policy(&self, id: &str, sink: &mut dyn PageSink) -> Result<bool, Fault> {
        let reply = self.client.read(Op::Policy, &self.policy_call(id)?).await?;
        let book = Book {
            session: self.client.session(),
            memory: &self.pages,
            feed: POLICIES,
        };
        let number = RANGE.saturating_add(self.known().number(id));
        let turned = book
            .take(number, &reply, sink, |reply| self.policy_page(reply, id))
            .await?;
        Ok(matches!(turned, Turned::Next(_)))
    }

    fn policy_page(&self, reply: &Reply, id: &str) -> Result<(Rows, Turn), Fault> {
        let raw = list::record(reply, "policy")?;
        let mut rows = Rows::default();
        let mut bad = Vec::new();
        let mut found = None;
        {
            let known = self.known();
            each::<PolicyRow<'_>>("policy", 0, &[raw], &mut bad, |mut row, raw| {
                if row.policy_id.is_empty() {
                    row.policy_id = Text(id.to_owned().into());
                }
                rows.policies.push(row.policy(raw, &known)?);
                rows.devices.extend(row.device(&known));
                found = Some(note(&row));
                Ok(())
            });
        }
        rows.bad = bad;
        if let Some(note) = found {
            let mut known = self.known();
            known.records.insert(note.id.clone(), raw.get().to_owned());
            known.put(note);
        }
        Ok((rows, Turn::default()))
    }

    /// Storages by their names; that they can't be read is told and costs the names only.
    async fn read_storages(&self, report: &mut PollReport) -> Result<(), Fault> {
        if !self.client.paths.has(Op::Storages) {
            return Ok(());
        }
        let read = async {
            let call = self.client.call(Op::Storages, &[])?;
            let mut names = HashMap::new();
            for page in 0..RANGE {
                let reply = self
                    .client
                    .read(Op::Storages, &self.page_call(&call, page))
                    .await?;
                let (raws, total) = list::rows(&reply, "storages")?;
                let before = names.len();
                for raw in &raws {
                    if let Ok(row) = serde_json::from_str::<StorageRow<'_>>(raw.get())
                        && let Some((id, words)) = row.words()
                    {
                        names.insert(id, words);
                    }
                }
                let more = total.map_or(raws.len() >= self.own.page_size, |t| names.len() < t);
                if !more || names.len() == before {
                    break;
                }
            }
            Ok::<_, Fault>(names)
        };
        match read.await {
            Ok(names) => {
                self.known().set_storages(names);
                Ok(())
            }
            Err(fault) if concerns_one(&fault) => {
                report.partial.push(fault);
                Ok(())
            }
            Err(fault) => Err(fault),
        }
    }

    /// Restores, then the backups of every policy.
    pub(super) async fn poll_tasks(
        &self,
        context: PollContext,
        sink: &mut dyn PageSink,
    ) -> Result<PollReport, Fault> {
        let mut report = PollReport {
            complete: true,
            ..PollReport::default()
        };
        let notes = self.notes().await?;
        // a policy whose row can't be read has backups that nobody asks for
        if let Some(unread) = self.known().unread.clone() {
            report.complete = false;
            report.partial.push(unread);
        }
        let history = context.history_from.map(|t| t.millis());
        let round = {
            let mut known = self.known();
            let next = known.rounds.wrapping_add(1);
            std::mem::replace(&mut known.rounds, next)
        };
        if self.client.paths.has(Op::Restores)
            && !self
                .poll_list(Sort::Restore, None, history, sink, &mut report)
                .await?
        {
            return Ok(report);
        }
        if !self.client.paths.has(Op::Backups) {
            return Ok(report);
        }
        // where the last round was broken off this one goes on, so that no policy waits for ever
        let from = std::mem::take(&mut self.known().cursor);
        let from = notes.iter().position(|n| n.id == from).unwrap_or(0);
        let mut broken = 0;
        for note in notes.iter().cycle().skip(from).take(notes.len()) {
            let resting = note.active == Some(false) && {
                let known = self.known();
                known.knows_runs(&note.id) && !known.is_busy(&note.id)
            };
            if resting && !round.is_multiple_of(REST) {
                continue;
            }
            let faults = report.partial.len();
            match self
                .poll_list(Sort::Backup, Some(note), history, sink, &mut report)
                .await
            {
                Ok(true) => {}
                Ok(false) => return Ok(report),
                Err(fault) => {
                    broken += 1;
                    let over = fault.kind != FaultKind::Server || broken >= BROKEN;
                    if over {
                        self.known().cursor.clone_from(&note.id);
                        return Err(fault);
                    }
                    report.complete = false;
                    report.partial.push(fault);
                    continue;
                }
            }
            broken = 0;
            // a wrong path is wrong for every policy
            if report.partial.get(faults..).is_some_and(|new| {
                new.iter()
                    .any(|f| is_wrong_path(f) && !self.client.is_proven(Op::Backups))
            }) {
                break;
            }
        }
        Ok(report)
    }

    /// One list of tasks; false when nobody wants more.
    async fn poll_list(
        &self,
        sort: Sort,
        policy: Option<&Note>,
        history: Option<i64>,
        sink: &mut dyn PageSink,
        report: &mut PollReport,
    ) -> Result<bool, Fault> {
        let id = policy.map_or("", |p| p.id.as_str());
        let number = match policy {
            None => 0,
            Some(_) => RANGE.saturating_mul(self.known().number(id).saturating_add(1)),
        };
        let ids = [id];
        let walk = Walk {
            op: sort.list().0,
            ids: &ids,
            feed: TASKS,
            number,
            floor: self.known().newest.get(id).copied().max(history),
        };
        let walked = self
            .walk(&walk, sink, report, |reply, first| {
                self.tasks_page(sort, policy, reply, first)
            })
            .await;
        match walked {
            Ok(walked) if !walked.wanted => {
                report.complete = false;
                Ok(false)
            }
            Ok(walked) => {
                match walked.cut {
                    Some(cut) => {
                        report.complete = false;
                        report.partial.push(cut);
                    }
                    None => {
                        if let Some(newest) = walked.newest {
                            self.known().newest.insert(id.to_owned(), newest);
                        }
                    }
                }
                Ok(true)
            }
            Err(mut fault) if concerns_one(&fault) => {
                if let Some(policy) = policy.filter(|_| !is_wrong_path(&fault)) {
                    fault.what = format!("backups of {}: {}", policy.name, fault.what);
                }
                report.complete = false;
                report.partial.push(fault);
                Ok(true)
            }
            Err(fault) => Err(fault),
        }
    }

    fn tasks_page(
        &self,
        sort: Sort,
        policy: Option<&Note>,
        reply: &Reply,
        first: usize,
    ) -> Result<(Rows, Turn), Fault> {
        let (_, key) = sort.list();
        let (raws, total) = list::rows(reply, key)?;
        let mut rows = Rows::default();
        let mut bad = Vec::new();
        let mut turn = Turn {
            rows: raws.len(),
            total,
            ..Turn::default()
        };
        let mut runs = Vec::new();
        {
            let known = self.known();
            each::<TaskRow<'_>>(key, first, &raws, &mut bad, |row, raw| {
                rows.tasks.push(row.task(sort, raw, &known, policy)?);
                turn.note(row.id(sort), row.created().map(|t| t.millis()));
                runs.push(row.run(sort));
                Ok(())
            });
        }
        rows.bad = bad;
        let mut known = self.known();
        match policy {
            Some(policy) => known.saw_runs(&policy.id, runs),
            None => known.restores.extend(runs.into_iter().map(|r| r.id)),
        }
        Ok((rows, turn))
    }

    /// The policies; asks for them when nobody has yet.
    async fn notes(&self) -> Result<Vec<Note>, Fault> {
        let _one = self.listing.lock().await;
        {
            let known = self.known();
            if known.listed {
                return Ok(known.policies.clone());
            }
        }
        if self.own.policy_ids.is_empty() {
            let walk = Walk {
                op: Op::Policies,
                ids: &[],
                feed: LISTING,
                number: 0,
                floor: None,
            };
            let walked = self
                .walk(
                    &walk,
                    &mut Nobody,
                    &mut PollReport::default(),
                    |reply, first| self.policies_page(reply, first),
                )
                .await?;
            self.note_policies(&walked);
        } else {
            for id in &self.own.policy_ids {
                if self.known().note(id).is_some() {
                    continue;
                }
                let reply = self.client.read(Op::Policy, &self.policy_call(id)?).await;
                match reply.and_then(|reply| self.policy_page(&reply, id)) {
                    Ok(_) => {}
                    // its backups may be read all the same
                    Err(fault) if concerns_one(&fault) => self.known().put(Note {
                        id: id.clone(),
                        name: id.clone(),
                        ..Note::default()
                    }),
                    Err(fault) => return Err(fault),
                }
            }
            self.known().listed = true;
        }
        Ok(self.known().policies.clone())
    }

    /// The documented call for one policy, with what it tells on request.
    pub(super) fn policy_call(&self, id: &str) -> Result<crate::connect::http::Call, Fault> {
        Ok(self
            .client
            .call(Op::Policy, &[id])?
            .with("storageDetails", "true")
            .with("backupDetails", "true"))
    }
}

fn note(row: &PolicyRow<'_>) -> Note {
    Note {
        id: row.policy_id.owned(),
        name: row.name(),
        device: row.device_ref(),
        active: word::enabled(row.status.as_str()),
    }
}

/// True for a fault of one list or record: the rest is worth asking for. Refused credentials, a closed port and a
/// used-up limit concern all.
fn concerns_one(fault: &Fault) -> bool {
    match fault.kind {
        FaultKind::Refused | FaultKind::NotOffered | FaultKind::Garbled => true,
        // the right may be missing for one product only
        FaultKind::Auth => fault
            .code
            .as_ref()
            .is_some_and(|code| code.http_status == Some(403)),
        _ => false,
    }
}

/// A storage. Its shape is not published: the names are those of the first version's request and of error 142.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct StorageRow<'a> {
    #[serde(borrow)]
    storage_id: Text<'a>,
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    storage_name: Text<'a>,
    #[serde(borrow)]
    bucket_name: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    storage_region: Text<'a>,
    #[serde(borrow)]
    region: Text<'a>,
}

impl StorageRow<'_> {
    /// Its id and its name with the region.
    fn words(&self) -> Option<(String, String)> {
        let id = self.storage_id.or(self.id.as_str());
        let name = self
            .storage_name
            .or(self.bucket_name.or(self.name.as_str()));
        let region = self.storage_region.or(self.region.as_str());
        if id.is_empty() || (name.is_empty() && region.is_empty()) {
            return None;
        }
        let words: Vec<&str> = [name, region]
            .into_iter()
            .filter(|w| !w.is_empty())
            .collect();
        Some((id.to_owned(), words.join(", ")))
    }
}

/// A sink for a list that is read for its ids alone.
struct Nobody;

#[async_trait]
impl PageSink for Nobody {
    async fn page(&mut self, _: u32, _: Page) -> bool {
        true
    }
}
