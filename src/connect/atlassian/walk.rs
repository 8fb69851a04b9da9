//! Reading a list page by page, although little is published of its pages.
//!
//! `start` is the number of a page and not of an entry (versioning and pagination guide). Neither the number of the
//! first page nor the sizes of pages are published: the walk starts where the configuration says (0), goes by
//! `totalItems` where it is told, and recognises a page that comes again.

use super::Atlassian;
use super::list::Turn;
use super::paths::Op;
use crate::connect::http::{Call, Reply};
use crate::connect::page::{Book, Turned};
use crate::connect::{PageSink, PollReport};
use crate::model::{Fault, FaultKind, Rows};

/// Pages of one list: what lies beyond is another list's range of page numbers.
pub(super) const RANGE: u32 = 1_000;

/// A list that is read.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    pub op: Op,
    /// Its ids, as [`super::paths::Paths::call`] takes them.
    pub ids: &'a [&'a str],
    pub feed: &'static str,
    /// The number of its first page within the feed.
    pub number: u32,
    /// Rows that were made before this need not be asked for again, in milliseconds. Lists are newest first.
    pub floor: Option<i64>,
}

/// What a walk found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Walked {
    /// False when nobody wanted more.
    pub wanted: bool,
    /// The rows' ids, in order, each once.
    pub ids: Vec<String>,
    /// Those of which the list tells too little, as [`Turn`] has them.
    pub wanting: Vec<(String, bool)>,
    /// When the newest row was made, in milliseconds.
    pub newest: Option<i64>,
    /// That rows of it could not be read.
    pub unread: Option<Fault>,
    /// Why the list could not be read to its end although every page was answered.
    pub cut: Option<Fault>,
}

impl Atlassian {
    /// Reads a list. `decode` is given the answer and the number of its first row.
    ///
    /// # Errors
    /// What failed; the pages before it were handed over.
    pub(super) async fn walk(
        &self,
        walk: &Walk<'_>,
        sink: &mut dyn PageSink,
        report: &mut PollReport,
        decode: impl Fn(&Reply, usize) -> Result<(Rows, Turn), Fault> + Send + Sync,
    ) -> Result<Walked, Fault> {
        let base = self.client.call(walk.op, walk.ids)?;
        let book = Book {
            session: self.client.session(),
            memory: &self.pages,
            feed: walk.feed,
        };
        let mut walked = Walked {
            wanted: true,
            ..Walked::default()
        };
        let mut last: Vec<String> = Vec::new();
        let (mut seen, mut bad) = (0, 0);
        let mut again = 0;
        let mut page = 0;
        while page < RANGE {
            let call = self.page_call(&base, page);
            let reply = self.client.read(walk.op, &call).await?;
            let number = walk.number.saturating_add(page);
            let before = seen;
            let turned = book
                .take(number, &reply, sink, |reply| decode(reply, before))
                .await?;
            report.pages += 1;
            page += 1;
            let Turned::Next(turn) = turned else {
                walked.wanted = false;
                return Ok(walked);
            };
            let repeated = !last.is_empty() && turn.ids == last;
            if repeated {
                // a service that counts pages from 1 gives its first page for 0 as well as for 1
                again += 1;
                if again > 1 {
                    walked.cut = Some(same_again(&reply));
                    break;
                }
                continue;
            }
            seen += turn.rows;
            bad += turn.bad;
            if bad > 0 {
                walked.unread = Some(unread(walk.op, bad, &reply));
            }
            for id in &turn.ids {
                if !walked.ids.contains(id) {
                    walked.ids.push(id.clone());
                }
            }
            walked.wanting.extend(turn.wanting.iter().cloned());
            walked.newest = walked.newest.max(turn.made.map(|(_, newest)| newest));
            let first_is_empty = page == 1 && turn.rows == 0 && turn.total.is_some_and(|t| t > 0);
            let whole = match turn.total {
                Some(total) => seen >= total || turn.rows == 0,
                None => turn.rows < self.own.page_size,
            };
            let old_enough = walk
                .floor
                .zip(turn.made)
                .is_some_and(|(floor, (oldest, _))| oldest < floor);
            if (whole && !first_is_empty) || old_enough {
                break;
            }
            last.clone_from(&turn.ids);
        }
        book.end_between(
            walk.number.saturating_add(page),
            walk.number.saturating_add(RANGE),
        );
        Ok(walked)
    }

    /// The call for page `page`, counted from 0.
    pub(super) fn page_call(&self, base: &Call, page: u32) -> Call {
        base.clone()
            .with("start", (self.own.first_page + page).to_string())
            .with("pageSize", self.own.page_size.to_string())
            .with("sortOrder", "DESC")
    }
}

fn unread(op: Op, rows: usize, reply: &Reply) -> Fault {
    Fault::new(
        FaultKind::Garbled,
        format!(
            "{rows} of the rows of \"{}\" can't be read",
            op.known().name
        ),
        reply.place.clone(),
        "What hangs on them is not asked for until they can: look at the bad rows of the list.",
    )
}

fn same_again(reply: &Reply) -> Fault {
    Fault::new(
        FaultKind::Garbled,
        "the list gives the same page again and again, so that its rest can't be read",
        reply.place.clone(),
        "Set the option first_page to 1 if the service counts pages from 1, or page_size to what it gives at once.",
    )
}
