//! Downloads of backup sets: two calls that make one, and their list.

use serde_json::{Value, json};

use super::call::Call;
use super::list::{self, Page, Sizes};
use super::rows::{Download, SetStatus};
use super::{Answer, Dbs, codes, millis, payload, tag};
use crate::sim::world::World;

impl Dbs {
    pub(super) fn create_download(&mut self, world: &mut World, call: &Call) -> Answer {
        let id = call.word("BackupSetId");
        let unknown = || codes::BAD_VALUE.saying("The specified BackupSetId does not exist.");
        let full = call.action == "CreateFullBackupSetDownload";
        let (plan, bytes) = if full {
            let set = self
                .set_number(id)
                .and_then(|set| self.set(set))
                .filter(|set| set.status == SetStatus::Finish)
                .ok_or_else(unknown)?;
            (set.plan, set.bytes)
        } else {
            let number = self.number("1", tag::INCREMENT, id).ok_or_else(unknown)?;
            let found = self.plans.iter().enumerate().find_map(|(plan, of)| {
                let row = of
                    .increments
                    .iter()
                    .find(|row| row.number == number && row.to > 0)?;
                Some((u32::try_from(plan).ok()?, row.bytes))
            });
            found.ok_or_else(unknown)?
        };
        let name = call
            .text("BackupSetName")
            .map_or_else(|| format!("download-{id}"), str::to_owned);
        let number = self.add_download(
            world,
            Download {
                plan,
                name,
                set: id.to_owned(),
                full,
                format: call
                    .text("BackupSetDataFormat")
                    .unwrap_or("Native")
                    .to_owned(),
                auto: false,
                created: 0,
                due: 0,
                ended: 0,
                bytes,
                reason: None,
            },
        );
        world.count("dbs.download.started");
        let id = self.id("d1", tag::DOWNLOAD, number as u64);
        Ok(payload(json!({"BackupSetDownloadTaskId": id})))
    }

    pub(super) fn list_downloads(&self, world: &World, call: &Call) -> Answer {
        let page = Page::of(world, call, Sizes::Three)?;
        let numbers: Vec<usize> = match (
            call.text("BackupPlanId"),
            call.text("BackupSetDownloadTaskId"),
        ) {
            (_, Some(id)) => {
                let number = self.number("d1", tag::DOWNLOAD, id);
                let number = number
                    .and_then(|number| usize::try_from(number).ok())
                    .filter(|number| *number < self.downloads.len())
                    .ok_or_else(|| {
                        codes::BAD_VALUE
                            .saying("The specified BackupSetDownloadTaskId does not exist.")
                    })?;
                vec![number]
            }
            (Some(_), None) => {
                let plan = self.plans.get(self.listed_plan(call)?);
                plan.into_iter()
                    .flat_map(|plan| &plan.downloads)
                    .map(|number| *number as usize)
                    .collect()
            }
            (None, None) => return Err(codes::missing("BackupPlanId")),
        };
        let total = numbers.len();
        let rows = list::ordered(world, numbers.into_iter());
        let name = "BackupSetDownloadTaskDetail";
        Ok(page.payload(world, name, total, rows, |number| {
            self.downloads
                .get(number)
                .map_or(Value::Null, |row| self.download_json(world, number, row))
        }))
    }

    fn download_json(&self, world: &World, number: usize, row: &Download) -> Value {
        let plan = self.plans.get(row.plan as usize);
        let word = row.word(millis(world.now()));
        let url = |host: &str| match word {
            "finish" if !row.auto => {
                format!(
                    "https://{host}/{}?Expires={}",
                    row.set,
                    row.ended / 1000 + 7200
                )
            }
            _ => String::new(),
        };
        json!({
            "BackupSetDownloadTaskId": self.id("d1", tag::DOWNLOAD, number as u64),
            "BackupSetDownloadTaskName": row.name, "BackupSetDownloadStatus": word,
            "ErrMessage": match row.reason {
                Some(reason) => reason.raw(""),
                None => list::no_error(world).to_owned(),
            },
            "BackupPlanId": self.plan_id(row.plan as usize), "BackupSetId": row.set,
            "BackupSetCode": row.set,
            "BackupSetJobType": if row.full { "cbs_backup_sub_full" } else { "cbs_backup_sub_cont" },
            "BackupSetDataFormat": row.format,
            "BackupSetDbType": plan.map_or("", |plan| plan.db_type.as_str()),
            "BackupSetDownloadWay": if row.auto { "auto" } else { "manual" },
            "BackupSetDownloadTargetType": plan.map_or("", |plan| plan.download.target.as_str()),
            "BackupSetDownloadDir": plan.map_or("", |plan| plan.download.dir.as_str()),
            "BackupSetDownloadInternetUrl": url("dbs-download.oss-cn-hangzhou.aliyuncs.com"),
            "BackupSetDownloadIntranetUrl": url("dbs-download.oss-cn-hangzhou-internal.aliyuncs.com"),
            "BackupSetDataSize": row.bytes, "BackupSetDownloadCreateTime": row.created,
            "BackupSetDownloadFinishTime": row.ended,
            "BackupGatewayId": plan.map_or(0, |plan| plan.download.gateway),
        })
    }
}
