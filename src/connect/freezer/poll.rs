//! Reading Freezer's lists and single jobs.

use serde::Deserialize;

use super::Freezer;
use super::job::{ClientRow, Job};
use crate::connect::decode::{Raw, each};
use crate::connect::http::{Call, Reply};
use crate::connect::page::{Book, Turned};
use crate::connect::{PageSink, PollReport, TaskLook};
use crate::model::{Fault, FaultKind, Rows};

#[derive(Deserialize)]
struct Jobs<'a> {
    #[serde(borrow)]
    jobs: Vec<Raw<'a>>,
}

#[derive(Deserialize)]
struct Clients<'a> {
    #[serde(borrow)]
    clients: Vec<Raw<'a>>,
}

fn jobs_page(reply: &Reply, first: usize) -> Result<(Rows, usize), Fault> {
    let page: Jobs<'_> = reply.json()?;
    let mut rows = Rows::default();
    let mut bad = Vec::new();
    each::<Job<'_>>("jobs", first, &page.jobs, &mut bad, |job, raw| {
        rows.policies.push(job.policy(raw)?);
        rows.tasks.extend(job.task(raw, false));
        Ok(())
    });
    rows.bad = bad;
    Ok((rows, page.jobs.len()))
}

fn clients_page(reply: &Reply, first: usize) -> Result<(Rows, usize), Fault> {
    let page: Clients<'_> = reply.json()?;
    let mut rows = Rows::default();
    let mut bad = Vec::new();
    each::<ClientRow<'_>>("clients", first, &page.clients, &mut bad, |row, raw| {
        rows.devices.push(row.device(raw)?);
        Ok(())
    });
    rows.bad = bad;
    Ok((rows, page.clients.len()))
}

impl Freezer {
    /// Reads a whole list by offset; a page with fewer rows than asked for is the last.
    pub(super) async fn read_list(
        &self,
        feed: &'static str,
        sink: &mut dyn PageSink,
    ) -> Result<PollReport, Fault> {
        let decode = match feed {
            "jobs" => jobs_page,
            "clients" => clients_page,
            other => {
                return Err(Fault::new(
                    FaultKind::NotOffered,
                    format!("Freezer has no feed '{other}'"),
                    "",
                    "This is a mistake in keepwatch: please report it.",
                ));
            }
        };
        let book = Book {
            session: &self.session,
            memory: &self.memory,
            feed,
        };
        let mut report = PollReport::default();
        let mut offset = 0;
        loop {
            let call = Call::get(&[feed])
                .with("limit", self.page_size.to_string())
                .with("offset", offset.to_string());
            let turned = book
                .turn(report.pages, &call, sink, |reply| decode(reply, offset))
                .await?;
            report.pages += 1;
            report.clock = self.session.clock();
            match turned {
                Turned::Enough => return Ok(report),
                Turned::Next(rows) if rows < self.page_size => break,
                Turned::Next(rows) => offset += rows,
            }
        }
        book.end(report.pages);
        report.complete = true;
        Ok(report)
    }

    /// The answer that holds one job; `None` when the service has no such job.
    pub(super) async fn job_reply(&self, job_id: &str) -> Result<Option<Reply>, Fault> {
        match self.session.ask(&Call::get(&["jobs", job_id])).await {
            Ok(reply) => Ok(Some(reply)),
            Err(fault) if fault.code.as_ref().and_then(|c| c.http_status) == Some(404) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// The run with this id, as the job's record tells it now.
    pub(super) async fn look(&self, task_id: &str) -> Result<TaskLook, Fault> {
        let Some((job_id, _)) = task_id.rsplit_once('@') else {
            return Ok(TaskLook::Gone);
        };
        let Some(reply) = self.job_reply(job_id).await? else {
            return Ok(TaskLook::Gone);
        };
        let raw: Raw<'_> = reply.json()?;
        let job: Job<'_> = reply.json()?;
        // A newer run has taken the record over: nobody can tell any more how this one went.
        if job.run_id().as_deref() != Some(task_id) {
            return Ok(TaskLook::Gone);
        }
        Ok(job
            .task(raw, true)
            .map_or(TaskLook::Gone, |task| TaskLook::Found(Box::new(task))))
    }
}
