//! The facts out of the store and history.

use crate::catalog::Catalog;
use crate::command::groups::GroupJson;
use crate::command::item::{Item, instant};
use crate::command::list;
use crate::console::text::span;
use crate::model::{Phase, Timestamp};
use crate::query::{Noun, Query};
use crate::store::history::{ActionQuery, History, HistoryState, Place, Remark, RemarkQuery, Sort};
use crate::store::{AckState, By, Group, Party, PolicyRow, Store, TaskRow, View};

use super::facts::{Cause, Deed, Facts, Failed, Look, Noted, SCHEMA, Said, Summary, Taken};

/// The stage of an action that was shown and never confirmed.
const PROPOSED: &str = "proposed";

/// What the facts are taken from.
pub struct Sources<'a> {
    /// What the services tell, with what history knows and what people said.
    pub store: &'a Store,
    /// What codes mean.
    pub catalog: &'a Catalog,
    /// Actions and remarks.
    pub history: &'a dyn History,
    /// True for the embedded services.
    pub demo: bool,
    /// The beginning of the period.
    pub from: Timestamp,
    /// Its end.
    pub now: Timestamp,
}

/// How a failed job stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stands {
    Open,
    Taken,
    Succeeded,
    Cleared,
}

impl Stands {
    const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Taken => "taken",
            Self::Succeeded => "succeeded since",
            Self::Cleared => "cleared",
        }
    }
}

impl Sources<'_> {
    /// Gathers the facts.
    pub fn facts(&self) -> Facts {
        let mut history_missing = Vec::new();
        let done = self.done(&mut history_missing);
        let remarks = self.remarks(&mut history_missing);
        match &self.history.health().state {
            HistoryState::Failing { error, .. } => history_missing.push(error.to_string()),
            HistoryState::Off => {
                let why = match self.history.health().place {
                    Place::Off(why) => why,
                    _ => "switched off",
                };
                history_missing.push(format!(
                    "history is off ({why}): actions, acknowledgements and notes are not known"
                ));
            }
            _ => {}
        }
        let said: Vec<Said> = remarks.iter().map(|r| self.said(r)).collect();
        let failed = self.failed();
        let open = self.open();
        let backups = self.backups();
        let mut people: Vec<String> = Vec::new();
        let names = done.iter().map(|d| &d.operator);
        for name in names.chain(said.iter().map(|s| &s.operator)) {
            if !people.contains(name) {
                people.push(name.clone());
            }
        }
        let count = |stands: Stands| failed.iter().filter(|f| f.stands == stands.word()).count();
        let all_open: usize = open.iter().map(|c| c.group.jobs).sum();
        let not_taken: usize = open.iter().map(|c| c.group.open).sum();
        let of_devices = |b: &&Item| b.device.is_some();
        let overdue_devices = backups.iter().filter(of_devices).count();
        let identity = self.history.identity();
        Facts {
            schema: SCHEMA,
            generated_at: self.now.rfc3339(),
            from: self.from.rfc3339(),
            operator: identity.operator.clone(),
            host: identity.host.clone(),
            demo: self.demo,
            summary: Summary {
                failed: failed.len(),
                recovered: count(Stands::Succeeded),
                good: self.good(),
                open: not_taken,
                taken: all_open - not_taken,
                running: self.store.counts(self.now).live as usize,
                actions: done.len(),
                people,
                overdue_devices,
                overdue_policies: backups.len() - overdue_devices,
            },
            services: list::states(self.store, self.now),
            open,
            failed,
            done,
            said,
            backups,
            look: self.look(),
            history_missing,
        }
    }

    fn stands(&self, row: TaskRow) -> (Stands, Option<Timestamp>) {
        let task = self.store.task(row);
        let succeeded = self.store.succeeded_since(row);
        let stands = match task.ack() {
            _ if succeeded.is_some() => Stands::Succeeded,
            Some((_, AckState::Resolved)) => Stands::Succeeded,
            _ if task.cleared() => Stands::Cleared,
            Some((_, state)) if state.is_acknowledged() => Stands::Taken,
            _ => Stands::Open,
        };
        (stands, succeeded)
    }

    fn when(&self, row: TaskRow) -> Option<Timestamp> {
        let task = self.store.task(row);
        task.ended_at().or(task.updated_at()).or(task.started_at())
    }

    /// True for what happened within the period.
    fn within(&self, row: TaskRow) -> bool {
        self.when(row)
            .is_some_and(|t| t >= self.from && t <= self.now)
    }

    fn good(&self) -> usize {
        self.store
            .tasks()
            .filter(|row| self.within(*row))
            .filter(|row| self.store.task(*row).phase() == Phase::Succeeded)
            .count()
    }

    fn failed(&self) -> Vec<Failed> {
        let bad = |row: &TaskRow| self.store.task(*row).phase().needs_person();
        let mut rows: Vec<TaskRow> = self
            .store
            .tasks()
            .filter(|row| bad(row) && self.within(*row))
            .collect();
        rows.sort_by_key(|row| std::cmp::Reverse((self.when(*row), row.0)));
        let of = |row: TaskRow| {
            let (stands, succeeded) = self.stands(row);
            Failed {
                item: list::item(self.store, self.catalog, Noun::Failed, row.0, self.now),
                at: instant(self.when(row)),
                stands: stands.word(),
                succeeded_at: instant(succeeded),
            }
        };
        rows.into_iter().map(of).collect()
    }

    fn open(&self) -> Vec<Cause> {
        let open = |row: &TaskRow| matches!(self.stands(*row).0, Stands::Open | Stands::Taken);
        let rows = self.store.failed_jobs().filter(open);
        let groups = self.store.groups(rows, By::Code);
        groups.iter().map(|group| self.cause(group)).collect()
    }

    fn cause(&self, group: &Group) -> Cause {
        let mut on: Vec<String> = Vec::new();
        let mut taken: Vec<Taken> = Vec::new();
        let mut notes: Vec<Noted> = Vec::new();
        for row in &group.rows {
            let task = self.store.task(*row);
            for note in task.notes() {
                let same = |n: &&mut Noted| n.by == note.operator && n.text == note.text;
                if let Some(before) = notes.iter_mut().find(same) {
                    before.jobs += 1;
                    continue;
                }
                notes.push(Noted {
                    by: note.operator.clone(),
                    at: note.at.rfc3339(),
                    on: task.name().to_owned(),
                    jobs: 1,
                    text: note.text.clone(),
                });
            }
            let name = match task.device_label() {
                "" => task.policy_label(),
                device => device,
            };
            if !name.is_empty() && !on.iter().any(|n| n == name) {
                on.push(name.to_owned());
            }
            let Some((ack, _)) = task.ack().filter(|(_, state)| state.is_acknowledged()) else {
                continue;
            };
            let one = Taken {
                by: ack.operator.clone(),
                jobs: 1,
                note: ack.text.clone(),
                until: instant(ack.until),
            };
            let same =
                |t: &&mut Taken| (&t.by, &t.note, &t.until) == (&one.by, &one.note, &one.until);
            match taken.iter_mut().find(same) {
                Some(before) => before.jobs += 1,
                None => taken.push(one),
            }
        }
        Cause {
            group: GroupJson::of(self.store, self.catalog, group, By::Code),
            on,
            taken,
            notes,
        }
    }

    fn done(&self, missing: &mut Vec<String>) -> Vec<Deed> {
        let query = ActionQuery {
            from: Some(self.from),
            ..ActionQuery::default()
        };
        let stories = self.history.actions(&query).unwrap_or_else(|e| {
            missing.push(format!("actions are not known: {e}"));
            Vec::new()
        });
        let asked = |service: &str| self.service(service);
        stories
            .into_iter()
            .filter(|s| s.stage() != PROPOSED && asked(&s.service.name))
            .map(|s| Deed {
                at: s.at.rfc3339(),
                operator: s.operator.clone(),
                host: s.host.clone(),
                verb: s.action.verb.clone(),
                service: s.service.name.to_string(),
                target_kind: s.action.target.kind.clone(),
                target: target(&s.action.target),
                stage: s.stage().to_owned(),
                detail: s.steps.last().map_or("", |t| &t.step.detail).to_owned(),
                over: s.is_over(),
                id: s.id.to_string(),
            })
            .collect()
    }

    /// True for a service of this report.
    fn service(&self, name: &str) -> bool {
        let mut all = self.store.services().iter();
        all.any(|s| *s.service.name == *name)
    }

    fn remarks(&self, missing: &mut Vec<String>) -> Vec<Remark> {
        let query = RemarkQuery {
            from: Some(self.from),
            ..RemarkQuery::default()
        };
        let mut remarks = self.history.remarks(&query).unwrap_or_else(|e| {
            missing.push(format!("acknowledgements and notes are not known: {e}"));
            Vec::new()
        });
        remarks.retain(|r| r.subject.service.is_empty() || self.service(&r.subject.service));
        remarks
    }

    fn said(&self, remark: &Remark) -> Said {
        let subject = &remark.subject;
        let mut services = self.store.services().iter();
        let service = services.find(|s| *s.service.name == *subject.service);
        let task = service
            .filter(|_| subject.sort == Sort::Task)
            .and_then(|s| self.store.find_task(s.service.id, &subject.id))
            .map(|row| self.store.task(row));
        let about = match task {
            Some(task) => task.name().to_owned(),
            None => format!("{} {}", subject.sort, subject.id).trim().to_owned(),
        };
        Said {
            at: remark.at.rfc3339(),
            operator: remark.operator.clone(),
            kind: remark.kind.word(),
            service: subject.service.clone(),
            about,
            text: remark.text.clone(),
            until: instant(remark.until),
        }
    }

    fn backups(&self) -> Vec<Item> {
        let item = |noun, row| list::item(self.store, self.catalog, noun, row, self.now);
        self.store
            .by_risk(self.now)
            .into_iter()
            .take_while(|(_, overdue)| *overdue)
            .map(|(party, _)| match party {
                Party::Device(row) => item(Noun::Devices, row.0),
                Party::Policy(row) => item(Noun::Policies, row.0),
            })
            .collect()
    }

    fn look(&self) -> Vec<Look> {
        let mut out = Vec::new();
        let store = self.store;
        for row in self.found(Noun::Running, "is:stuck").map(TaskRow) {
            let Some(stuck) = store.stuck(row, self.now) else {
                continue;
            };
            let text = format!(
                "nothing happens; {} would allow {}",
                stuck.measure.words(),
                span(stuck.allowed_ms)
            );
            out.push(self.of_task("stuck", row, Some(stuck.since), text));
        }
        for row in self.found(Noun::Running, "is:slow !is:stuck").map(TaskRow) {
            let Some(usual) = store.slow(row, self.now) else {
                continue;
            };
            let text = format!("it usually takes {}", span(usual.ms));
            out.push(self.of_task("slow", row, store.task(row).started_at(), text));
        }
        for row in self.found(Noun::Tasks, "is:lost").map(TaskRow) {
            if self.within(row) {
                let text = "it vanished at the service; nobody knows how it ended".to_owned();
                out.push(self.of_task("lost", row, self.when(row), text));
            }
        }
        for row in self.found(Noun::Policies, "is:silent").map(PolicyRow) {
            let policy = store.policy(row);
            out.push(Look {
                what: "silent",
                service: policy.service_name().to_owned(),
                kind: "policy",
                id: policy.id().to_owned(),
                name: policy.name().to_owned(),
                since: instant(store.silent(row, self.now).map(|s| s.due)),
                text: "the schedule is on and has not fired".to_owned(),
            });
        }
        for row in self.found(Noun::Devices, "is:flapping") {
            let device = store.device(crate::store::DeviceRow(row));
            out.push(Look {
                what: "flapping",
                service: device.service_name().to_owned(),
                kind: "device",
                id: device.id().to_owned(),
                name: device.name().to_owned(),
                since: None,
                text: "good and bad by turns: a retry is no cure".to_owned(),
            });
        }
        out
    }

    fn found(&self, noun: Noun, filter: &str) -> impl Iterator<Item = u32> + use<> {
        let view = Query::parse(filter)
            .map(|query| View::found(noun, query, self.store, self.now))
            .unwrap_or_else(|_| View::new(noun));
        view.slice(0..view.len()).to_vec().into_iter()
    }

    fn of_task(
        &self,
        what: &'static str,
        row: TaskRow,
        since: Option<Timestamp>,
        text: String,
    ) -> Look {
        let task = self.store.task(row);
        Look {
            what,
            service: task.service_name().to_owned(),
            kind: "task",
            id: task.id().to_owned(),
            name: task.name().to_owned(),
            since: instant(since),
            text,
        }
    }
}

/// What people call the target of an action.
fn target(target: &crate::store::history::KeptTarget) -> String {
    let of_task = [&target.device.1, &target.device.0, &target.policy.1];
    let others = [&target.name, &target.id];
    let names: Vec<&String> = if target.kind == "task" {
        of_task.into_iter().chain(others).collect()
    } else {
        others.into_iter().collect()
    };
    names
        .into_iter()
        .find(|n| !n.is_empty())
        .cloned()
        .unwrap_or_default()
}
