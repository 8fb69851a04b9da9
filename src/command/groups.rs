//! `keepwatch list failed --by …`: failed jobs by what they share, with what to do about it once.

use serde::Serialize;

use crate::catalog::Catalog;
use crate::model::Timestamp;
use crate::store::{By, Group, Store};

use super::cli::{ListArgs, TableOrJson};
use super::item::{Item, filled, instant};
use super::list::{StateJson, complain_of};
use super::table::{Table, when};
use super::{Exit, output};

/// The form of the JSON answer.
const SCHEMA: &str = "keepwatch.groups.1";

#[derive(Serialize)]
struct GroupsJson<'a> {
    schema: &'static str,
    generated_at: String,
    by: &'static str,
    services: &'a [StateJson],
    groups: &'a [GroupJson],
}

/// Failed jobs that share something, for JSON.
#[derive(Serialize, Clone, Debug)]
pub struct GroupJson {
    /// What they share: the code or status, the device, the policy, the service; null where none is told.
    pub name: Option<String>,
    /// The service; null where they are on several.
    pub service: Option<String>,
    /// How many jobs.
    pub jobs: usize,
    /// Of those, what nobody took.
    pub open: usize,
    /// On how many devices.
    pub devices: usize,
    /// When the first of them happened.
    pub first_at: Option<String>,
    /// When the last of them happened.
    pub last_at: Option<String>,
    /// What the newest of them means.
    pub meaning: Option<String>,
    /// What to do about it, once for all; only for groups by code.
    pub remedy: Option<Vec<String>>,
    /// Whether repeating can help.
    pub retry_advice: Option<&'static str>,
    /// The filter that finds them, for `--where` and for the console.
    pub filter: String,
}

impl GroupJson {
    /// A group with what the catalog says of its newest job.
    pub fn of(store: &Store, catalog: &Catalog, group: &Group, by: By) -> Self {
        let mut newest = Item::default();
        if let Some(row) = group.rows.first().filter(|_| by == By::Code) {
            let task = store.task(*row);
            let failure = task.failure();
            newest.explain(
                catalog,
                task.kind(),
                task.object(),
                task.native_status(),
                failure.as_ref(),
            );
        }
        Self {
            name: filled(&group.name),
            service: group
                .service
                .map(|id| store.service(id).service.name.to_string()),
            jobs: group.rows.len(),
            open: group.open,
            devices: group.devices,
            first_at: instant(group.first),
            last_at: instant(group.last),
            meaning: newest.meaning.or(newest.message),
            remedy: newest.remedy,
            retry_advice: newest.retry_advice,
            filter: group.filter.clone(),
        }
    }
}

/// Writes the groups.
pub fn print(
    store: &Store,
    catalog: &Catalog,
    groups: &[Group],
    services: &[StateJson],
    args: &ListArgs,
    utc: bool,
    now: Timestamp,
) -> Exit {
    let by = args.by.map_or(By::Code, super::cli::GroupBy::by);
    let shown = args.limit.unwrap_or(usize::MAX).min(groups.len());
    let items: Vec<GroupJson> = groups
        .iter()
        .take(shown)
        .map(|group| GroupJson::of(store, catalog, group, by))
        .collect();
    match args.form.output {
        TableOrJson::Json => output::print_json(&GroupsJson {
            schema: SCHEMA,
            generated_at: now.rfc3339(),
            by: by.word(),
            services,
            groups: &items,
        }),
        TableOrJson::Table => {
            let written = output::print(&table(&items, by, utc));
            if groups.len() > shown {
                output::complain(&format!("{shown} of {} shown", groups.len()));
            }
            complain_of(services);
            written
        }
    }
}

fn table(groups: &[GroupJson], by: By, utc: bool) -> String {
    let head = by.word().to_uppercase();
    let mut table = Table::new(&[
        "JOBS", "OPEN", "DEVICES", "SERVICE", &head, "FIRST", "LAST", "RETRY", "MEANING",
    ]);
    for g in groups {
        let service = match by {
            By::Service => String::new(),
            _ => g.service.clone().unwrap_or_else(|| "several".to_owned()),
        };
        table.row(vec![
            g.jobs.to_string(),
            g.open.to_string(),
            g.devices.to_string(),
            service,
            g.name.clone().unwrap_or_else(|| "none told".to_owned()),
            when(g.first_at.as_deref(), utc),
            when(g.last_at.as_deref(), utc),
            g.retry_advice.unwrap_or("").to_owned(),
            match by {
                By::Code => g
                    .meaning
                    .clone()
                    .unwrap_or_else(|| "the service gives no reason".to_owned()),
                _ => String::new(),
            },
        ]);
    }
    table.finish()
}
