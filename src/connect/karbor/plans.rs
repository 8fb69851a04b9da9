//! Reading plans with their schedules, and the devices: the plans' resources and the servers that no plan covers.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::known::{Brief, Schedule};
use super::poll::{DEVICES_PAGE, List, Next, paged, stuck};
use super::record::{InstanceRow, OperationRow, PlanRow, TriggerRow};
use super::{Karbor, PLANS};
use crate::connect::decode::{Loose, Raw, Text, each};
use crate::connect::http::{Call, Reply};
use crate::connect::page::Turned;
use crate::connect::{Page, PageSink, PollReport};
use crate::model::{BadRow, Fault, Rows};

/// The page of the servers that could be protected; its devices go with those of the plans.
const SERVERS_PAGE: u32 = DEVICES_PAGE + 1;

#[derive(Deserialize)]
struct Plans<'a> {
    #[serde(borrow)]
    plans: Vec<Raw<'a>>,
}

#[derive(Deserialize)]
struct Instances<'a> {
    #[serde(borrow)]
    instances: Vec<Raw<'a>>,
}

/// Two lists that are read whole; the scheduled operations stand under `operations`.
#[derive(Deserialize)]
struct Side<'a> {
    #[serde(borrow, default)]
    triggers: Loose<Vec<Raw<'a>>>,
    #[serde(borrow, default)]
    operations: Loose<Vec<Raw<'a>>>,
}

#[derive(Deserialize)]
struct Id<'a> {
    #[serde(borrow, default)]
    id: Text<'a>,
}

/// Whether Karbor can't list servers at all, rather than now.
fn nobody_to_ask(fault: &Fault) -> bool {
    fault.code.as_ref().is_some_and(|code| {
        matches!(code.http_status, Some(403 | 404))
            || code.message.contains("Couldn't find the endpoint")
    })
}

impl Karbor {
    /// Schedules first, since the plans' rows tell of them; the devices last.
    pub(super) async fn read_plans(&self, sink: &mut dyn PageSink) -> Result<PollReport, Fault> {
        let (schedules, bad) = self.schedules().await?;
        let book = self.book(PLANS);
        if self.known(|known| {
            let changed = known.schedules != schedules;
            known.schedules = schedules;
            changed
        }) {
            book.end(0);
        }
        let mut report = PollReport::default();
        let list = List {
            status: None,
            call: &Call::get(&["plans"]),
            first: 0,
            until: None,
        };
        if !self.walk(PLANS, &list, None, sink, &mut report).await? {
            return Ok(report);
        }
        match self.read_servers(sink).await {
            Ok(true) => {}
            Ok(false) => return Ok(report),
            Err(fault) => report.partial.push(super::named(fault)),
        }
        let devices = self.known(|known| known.devices());
        let told = (devices, bad);
        let page = if self.known(|known| known.told.as_ref() == Some(&told)) {
            Page::Same
        } else {
            Page::Rows(Rows {
                devices: told.0.clone(),
                bad: told.1.clone(),
                ..Rows::default()
            })
        };
        report.pages += 2;
        report.complete = sink.page(DEVICES_PAGE, page).await;
        if report.complete {
            self.known(|known| known.told = Some(told));
        }
        report.complete &= report.partial.is_empty();
        report.clock = self.session.clock();
        Ok(report)
    }

    /// The servers that Nova tells Karbor of. False when nobody wants more.
    ///
    /// Karbor gives all of them at once whatever limit and marker say (Karbor source, protectable registry). Many a
    /// cloud has no Nova behind it or lets only some see it: then the plans' resources are all there is.
    async fn read_servers(&self, sink: &mut dyn PageSink) -> Result<bool, Fault> {
        let call = Call::get(&["protectables", "OS::Nova::Server", "instances"]);
        let reply = match self.session.read(&call).await {
            Ok(reply) => reply,
            Err(fault) if nobody_to_ask(&fault) => {
                self.known(|known| known.servers.clear());
                self.book(PLANS).end(SERVERS_PAGE);
                return Ok(true);
            }
            Err(fault) => return Err(fault),
        };
        let decode = |reply: &Reply| {
            let page: Instances<'_> = reply.json()?;
            let mut rows = Rows::default();
            let mut servers = Vec::new();
            each::<InstanceRow<'_>>(
                "instances",
                0,
                &page.instances,
                &mut rows.bad,
                |row, raw| {
                    servers.push(row.device(raw)?);
                    Ok(())
                },
            );
            self.known(|known| known.servers = servers);
            Ok((rows, Next::default()))
        };
        let turned = self
            .book(PLANS)
            .take(SERVERS_PAGE, &reply, sink, decode)
            .await?;
        Ok(turned != Turned::Enough)
    }

    /// The scheduled operations of each plan, with the times of their triggers; and the rows that can't be read.
    async fn schedules(&self) -> Result<(BTreeMap<String, Vec<Schedule>>, Vec<BadRow>), Fault> {
        let mut bad = Vec::new();
        let mut times = BTreeMap::new();
        self.side("triggers", &mut bad, |seen, rows, bad| {
            let now = self.session.service_now();
            each::<TriggerRow<'_>>("triggers", seen, rows, bad, |row, _| {
                let row = row.inner();
                times.insert(row.id.owned(), (row.words(), row.next(now)));
                Ok(())
            });
        })
        .await?;
        let mut schedules: BTreeMap<String, Vec<Schedule>> = BTreeMap::new();
        self.side("scheduled_operations", &mut bad, |seen, rows, bad| {
            each::<OperationRow<'_>>("operations", seen, rows, bad, |row, _| {
                let row = row.inner();
                let plan = row
                    .operation_definition
                    .0
                    .as_ref()
                    .map(|d| d.plan_id.owned());
                let (when, next) = times
                    .get(row.trigger_id.as_str())
                    .cloned()
                    .unwrap_or_default();
                let state = match row.enabled.0 {
                    Some(true) => "on",
                    Some(false) => "off",
                    None => "not told whether on",
                };
                schedules
                    .entry(plan.ok_or("the plan is missing")?)
                    .or_default()
                    .push(Schedule {
                        enabled: row.enabled.0,
                        words: format!(
                            "{} ({}, {when}, {state})",
                            row.name.or(row.id.as_str()),
                            row.operation_type.as_str()
                        ),
                        when,
                        next,
                    });
                Ok(())
            });
        })
        .await?;
        Ok((schedules, bad))
    }

    /// Reads a whole list without handing it over.
    async fn side(
        &self,
        list: &str,
        bad: &mut Vec<BadRow>,
        mut take: impl FnMut(usize, &[Raw<'_>], &mut Vec<BadRow>) + Send,
    ) -> Result<(), Fault> {
        let mut marker = String::new();
        let mut seen = 0;
        loop {
            let call = paged(&Call::get(&[list]), self.page_size, &marker);
            let reply = self.session.read(&call).await?;
            let page: Side<'_> = reply.json()?;
            let rows = page.triggers.0.or(page.operations.0).unwrap_or_default();
            take(seen, &rows, bad);
            seen += rows.len();
            if rows.len() < self.page_size {
                return Ok(());
            }
            let last = rows
                .last()
                .and_then(|raw| serde_json::from_str::<Id<'_>>(raw.get()).ok())
                .map(|row| row.id.owned())
                .unwrap_or_default();
            if last.is_empty() || last == marker {
                return Err(stuck(&reply.place));
            }
            marker = last;
        }
    }

    pub(super) fn plans_page(
        &self,
        reply: &Reply,
        seen: usize,
        number: u32,
    ) -> Result<(Rows, Next), Fault> {
        let page: Plans<'_> = reply.json()?;
        let mut rows = Rows::default();
        let mut bad = Vec::new();
        let mut plans = BTreeMap::new();
        let mut marker = String::new();
        each::<PlanRow<'_>>("plans", seen, &page.plans, &mut bad, |row, raw| {
            if row.id.is_empty() {
                return Err("the id is missing".into());
            }
            marker = row.id.owned();
            let policy = self.known(|known| {
                let schedules = known.schedules.get(row.id.as_str());
                row.policy(raw, schedules.map_or(&[], Vec::as_slice))
            });
            let plan = Brief {
                name: row.label().to_owned(),
                devices: row.devices(),
            };
            plans.insert(row.id.owned(), plan);
            rows.policies.push(policy);
            Ok(())
        });
        rows.bad = bad;
        let now = self.session.service_now();
        self.known(|known| known.plans_page(number, plans, now));
        let next = Next {
            rows: page.plans.len(),
            marker,
            oldest: None,
        };
        Ok((rows, next))
    }
}
