//! Pages of lists: `start` is a page's number, `pageSize` its length, `sortOrder` the order of creation.

use super::codes::Refusal;
use crate::sim::http::Request;
use crate::sim::world::World;

/// Which part of a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    skip: usize,
    take: usize,
    oldest_first: bool,
}

impl Page {
    /// Reads a request's parameters.
    ///
    /// # Errors
    /// 400 for what can't be; that a negative `start` is refused is documented, how is not. `sortBy` sorts by creation
    /// whatever it says: its literal values are not published.
    pub fn of(world: &World, request: &Request) -> Result<Self, Refusal> {
        let number = |name: &str| match request.param(name) {
            None => Ok(None),
            Some(text) => match text.parse::<usize>() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(Refusal::field(
                    name,
                    "must be a number that is not negative",
                )),
            },
        };
        let most = (world.switches.number("atlassian.page_most") as usize).max(1);
        let default = (world.switches.number("atlassian.page_size") as usize).max(1);
        let take = match number("pageSize")? {
            Some(0) => return Err(Refusal::field("pageSize", "must be 1 or more")),
            size => size.unwrap_or(default).min(most),
        };
        let first = world.switches.number("atlassian.first_page") as usize;
        let page = number("start")?.unwrap_or(first).saturating_sub(first);
        let oldest_first = match request.param("sortOrder") {
            None | Some("DESC") => false,
            Some("ASC") => true,
            Some(_) => return Err(Refusal::field("sortOrder", "must be ASC or DESC")),
        };
        Ok(Self {
            skip: page.saturating_mul(take),
            take,
            oldest_first,
        })
    }

    /// That part of a list whose oldest come first.
    pub fn cut<T, I>(self, rows: I) -> Vec<T>
    where
        I: DoubleEndedIterator<Item = T>,
    {
        if self.oldest_first {
            rows.skip(self.skip).take(self.take).collect()
        } else {
            rows.rev().skip(self.skip).take(self.take).collect()
        }
    }
}
