//! One page of a list: asked, recognised when unchanged, decoded, handed over, remembered.

use std::sync::Mutex;

use super::http::{Call, PageMemory, Reply};
use super::session::Session;
use super::{Page, PageSink};
use crate::model::{Fault, Rows};

/// What a page said about the next one, and whether anybody still wants it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turned<N> {
    /// The page was handed over; this is what the next question needs.
    Next(N),
    /// Nobody wants more.
    Enough,
}

/// The list being read and where its pages are remembered.
#[derive(Debug)]
pub struct Book<'a, N> {
    /// The service.
    pub session: &'a Session,
    /// What earlier rounds saw.
    pub memory: &'a Mutex<PageMemory<N>>,
    /// The feed.
    pub feed: &'static str,
}

impl<N: Clone + Send> Book<'_, N> {
    /// Asks `call` as page `number`. An answer equal to the last one is handed on as [`Page::Same`] without
    /// being decoded. `decode` gets a second chance on a mended body.
    ///
    /// # Errors
    /// What failed; the page was not handed over then.
    pub async fn turn(
        &self,
        number: u32,
        call: &Call,
        sink: &mut dyn PageSink,
        decode: impl Fn(&Reply) -> Result<(Rows, N), Fault> + Send,
    ) -> Result<Turned<N>, Fault> {
        let reply = self.session.read(call).await?;
        self.take(number, &reply, sink, decode).await
    }

    /// The same for an answer that is already here.
    ///
    /// # Errors
    /// The answer can't be decoded.
    pub async fn take(
        &self,
        number: u32,
        reply: &Reply,
        sink: &mut dyn PageSink,
        decode: impl Fn(&Reply) -> Result<(Rows, N), Fault> + Send,
    ) -> Result<Turned<N>, Fault> {
        let same = self
            .memory
            .lock()
            .ok()
            .and_then(|m| m.same(self.feed, number, &reply.body));
        if let Some(next) = same {
            return Ok(if sink.page(number, Page::Same).await {
                Turned::Next(next)
            } else {
                Turned::Enough
            });
        }
        let (rows, next) = match decode(reply) {
            Err(fault) => match reply.mended() {
                Some(mended) => decode(&mended)?,
                None => return Err(fault),
            },
            decoded => decoded?,
        };
        // Until the sink has it, the old page must not be taken for what the sink holds.
        if let Ok(mut memory) = self.memory.lock() {
            memory.forget(self.feed, number);
        }
        if !sink.page(number, Page::Rows(rows)).await {
            return Ok(Turned::Enough);
        }
        if let Ok(mut memory) = self.memory.lock() {
            memory.keep(self.feed, number, &reply.body, next.clone());
        }
        Ok(Turned::Next(next))
    }

    /// The list has ended before this page: later pages of an earlier round are void.
    pub fn end(&self, number: u32) {
        if let Ok(mut memory) = self.memory.lock() {
            memory.forget_from(self.feed, number);
        }
    }

    /// The same for a list that owns only the numbers below `limit`.
    pub fn end_between(&self, number: u32, limit: u32) {
        if let Ok(mut memory) = self.memory.lock() {
            memory.forget_between(self.feed, number, limit);
        }
    }
}
