//! The bank: in which order a provider's checkpoints come, and how much of `limit`, `marker` and `sort` it heeds.

use chrono::NaiveDate;

use super::Karbor;
use super::checkpoint::Checkpoint;
use super::fault::Fault;
use super::list::Page;
use super::provider::Provider;
use super::python::Literal;
use crate::sim::ids::mix;
use crate::sim::world::World;

/// Which checkpoints are asked for.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// Of this plan only; one that is no plan has none.
    pub plan: Option<Option<usize>>,
    /// Between these days, both counted.
    pub days: Option<(NaiveDate, NaiveDate)>,
    /// Those of a project that has none here.
    pub foreign: bool,
}

impl Wanted {
    /// Reads the filters.
    ///
    /// # Errors
    /// 500 for a day that is none.
    pub fn read(
        karbor: &Karbor,
        world: &World,
        filters: &[(String, Literal)],
        all_tenants: bool,
    ) -> Result<Self, Fault> {
        let value = |key: &str| {
            let found = filters.iter().find(|(name, _)| name == key);
            found
                .map(|(_, value)| value)
                .filter(|value| **value != Literal::Null)
        };
        let day = |key: &str| match value(key) {
            None => Ok(None),
            Some(Literal::Text(text)) => NaiveDate::parse_from_str(text, "%Y-%m-%d")
                .map(Some)
                .map_err(|_| Fault::stumbled()),
            Some(_) => Err(Fault::stumbled()),
        };
        let (from, to) = (day("start_date")?, day("end_date")?);
        let today = world.now().date_naive();
        let project = value("project_id").and_then(Literal::as_text);
        Ok(Self {
            plan: value("plan_id").map(|plan| {
                let id = plan.as_text()?;
                super::exact(karbor.ids, super::tag::PLAN, &id)
            }),
            // An end without a beginning plays no part.
            days: from.map(|from| (from, to.unwrap_or(today))),
            foreign: all_tenants && project.is_some_and(|it| it != world.account.project_id),
        })
    }
}

impl Karbor {
    /// The numbers of a provider's checkpoints as its bank lists them; what was deleted is in no list.
    ///
    /// # Errors
    /// 500 for a marker that is no checkpoint, and while the bank can't be reached.
    pub(super) fn listed(
        &self,
        world: &World,
        provider: Provider,
        page: &Page,
        wanted: &Wanted,
    ) -> Result<Vec<usize>, Fault> {
        let bank = world.switches.get("karbor.bank");
        if !self.bank_up {
            return Err(Fault::server(
                "Get Object in Bank Failed: Connection to swift failed: [Errno 111] Connection refused",
            ));
        }
        let marker = match &page.marker {
            None => None,
            Some(id) => Some(self.marker(bank, provider, id)?),
        };
        if wanted.foreign {
            return Ok(Vec::new());
        }
        let mut numbers: Vec<usize> = self
            .alive
            .iter()
            .filter(|number| {
                self.checkpoints.get(**number).is_some_and(|it| {
                    let plan = wanted.plan.is_none_or(|plan| plan == Some(it.plan.plan));
                    plan && it.plan.provider == provider
                })
            })
            .copied()
            .collect();
        let ascending = page
            .sort
            .first()
            .is_some_and(|(_, direction)| direction != "desc");
        match bank {
            // The file system's own order, which is none.
            "file_system" => {
                numbers.sort_by_key(|number| mix(*number as u64));
                if wanted.days.is_none() {
                    let skip = numbers.len().saturating_sub(page.limit);
                    numbers.drain(..skip);
                }
            }
            "swift" if !ascending => {
                // Asked for the newest first, Swift lists what comes before the marker, oldest first and without a limit.
                numbers.retain(|number| marker.is_none_or(|marker| *number < marker));
            }
            _ => {
                numbers.retain(|number| marker.is_none_or(|marker| *number > marker));
                if wanted.days.is_none() {
                    numbers.truncate(page.limit);
                }
            }
        }
        if let Some((from, to)) = wanted.days {
            numbers.retain(|number| {
                let day = self.checkpoints.get(*number).map(Checkpoint::day);
                let day = day.and_then(|day| day.parse::<NaiveDate>().ok());
                day.is_some_and(|day| from <= day && day <= to)
            });
            numbers.truncate(page.limit);
        }
        Ok(numbers)
    }

    fn marker(&self, bank: &str, provider: Provider, id: &str) -> Result<usize, Fault> {
        self.checkpoint_number(provider, id).ok_or_else(|| {
            let why = match bank {
                "swift" => "Connection to swift failed: Object GET failed: 404 Not Found",
                "s3" => "Connection to s3 failed: An error occurred (NoSuchKey) when calling the GetObject operation",
                _ => "Object is not a file",
            };
            Fault::server(format!(
                "Get Object /checkpoints/{id}/index.json in Bank Failed: {why}"
            ))
        })
    }

    /// The number of a provider's checkpoint, deleted or not.
    pub(super) fn checkpoint_number(&self, provider: Provider, id: &str) -> Option<usize> {
        super::exact(self.ids, super::tag::CHECKPOINT, id).filter(|number| {
            self.checkpoints
                .get(*number)
                .is_some_and(|it| it.plan.provider == provider)
        })
    }
}
