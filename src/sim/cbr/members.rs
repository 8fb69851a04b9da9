//! Sharing a server backup with other projects of the region. A member is named by the receiver's project id. This
//! world has one project only, so whoever may call here may also accept in a member's stead.

use serde_json::{Value, json};

use super::backup::{Member, Status};
use super::codes;
use super::query::{self, Answer, Page, bad};
use super::resource::Sort;
use super::{Cbr, tag};
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

/// A backup is shared with at most so many at once, and by one call.
const MOST: usize = 10;

impl Cbr {
    /// The calls below `/backups/{id}/members`; `None` for a path that nobody published.
    pub(super) fn member_call(
        &mut self,
        world: &mut World,
        request: &Request,
        id: &str,
        path: &[&str],
    ) -> Option<Answer> {
        let backup = match self.the_backup(id) {
            Ok(backup) => backup,
            Err(refusal) => return Some(Err(refusal)),
        };
        Some(match (request.method.as_str(), path) {
            ("GET", []) => self.list_members(world, request, backup),
            ("POST", []) => self.add_members(world, request, backup),
            ("GET", [member]) => self.show_member(world, backup, member),
            ("PUT", [member]) => self.update_member(world, request, backup, member),
            ("DELETE", [member]) => self.delete_member(backup, member),
            _ => return None,
        })
    }

    fn members(&self, backup: u64) -> &[Member] {
        self.backups
            .get(backup)
            .map_or(&[], |backup| backup.members())
    }

    fn list_members(&self, world: &World, request: &Request, backup: u64) -> Answer {
        let page = Page::read(request)?;
        let fits = |key: &str, real: Option<&str>| {
            let wanted = request.param(key).filter(|text| !text.is_empty());
            wanted.is_none_or(|wanted| Some(wanted) == real)
        };
        let rows = self.members(backup).iter().rev().filter(|member| {
            fits("dest_project_id", Some(&member.project))
                && fits("status", Some(member.status))
                && fits("vault_id", member.vault.as_deref())
                && fits("image_id", None)
        });
        let marker = page
            .marker
            .as_deref()
            .and_then(|id| self.ids.number(tag::MEMBER, id));
        let (numbers, count) = page.cut(rows.map(|member| member.number), marker.as_ref());
        let rows: Vec<Value> = self
            .members(backup)
            .iter()
            .rev()
            .filter(|member| numbers.contains(&member.number))
            .map(|member| self.member_json(world, backup, member))
            .collect();
        Ok(Response::json(
            200,
            &json!({"members": rows, "count": count}),
        ))
    }

    fn add_members(&mut self, world: &mut World, request: &Request, number: u64) -> Answer {
        let given = query::body(request)?;
        query::known_keys(world, &given, &["members"], &["domains"])?;
        let projects = query::ids(&given, "members")?;
        if projects.len() > MOST {
            return Err(codes::SHARE_LIMIT.plain());
        }
        let backup = self
            .backups
            .get(number)
            .ok_or_else(|| codes::NO_BACKUP.plain())?;
        let saved = self.saved(backup.saved);
        if saved.is_none_or(|saved| saved.sort != Sort::Server) {
            return Err(codes::SHARE_TYPE.plain());
        }
        if backup.status != Status::Available {
            return Err(codes::SHARE_STATUS.plain());
        }
        if saved.is_some_and(|saved| saved.disks.iter().any(|disk| disk.encrypted)) {
            return Err(codes::SHARE_ENCRYPTED.plain());
        }
        for (index, project) in projects.iter().enumerate() {
            if !query::well_formed(project) || *project == world.account.project_id {
                return Err(codes::SHARE_PROJECT.plain());
            }
            let twice = projects
                .iter()
                .skip(index + 1)
                .any(|other| other == project);
            if twice
                || backup
                    .members()
                    .iter()
                    .any(|member| member.project == *project)
            {
                return Err(codes::SHARED_ALREADY.plain());
            }
        }
        if backup.members().len() + projects.len() > MOST {
            return Err(codes::SHARE_LIMIT.plain());
        }
        let now = world.now().timestamp_micros();
        let made: Vec<Member> = projects
            .into_iter()
            .map(|project| Member {
                number: self.next_serial(),
                project,
                status: "pending",
                vault: None,
                created: now,
                updated: 0,
            })
            .collect();
        let rows: Vec<Value> = made
            .iter()
            .map(|member| self.member_json(world, number, member))
            .collect();
        self.backups
            .change(number, |backup| backup.extra_mut().members.extend(made));
        Ok(Response::json(
            200,
            &json!({"members": rows, "count": rows.len()}),
        ))
    }

    fn the_member(&self, backup: u64, project: &str) -> Result<&Member, codes::Refusal> {
        let mut members = self.members(backup).iter();
        members
            .find(|member| member.project == project)
            .ok_or_else(|| codes::NO_MEMBER.plain())
    }

    fn show_member(&self, world: &World, backup: u64, project: &str) -> Answer {
        let member = self.the_member(backup, project)?;
        let member = self.member_json(world, backup, member);
        Ok(Response::json(200, &json!({"member": member})))
    }

    fn update_member(
        &mut self,
        world: &World,
        request: &Request,
        number: u64,
        project: &str,
    ) -> Answer {
        self.the_member(number, project)?;
        // The one body of this service without a key around it.
        let given = query::body(request)?;
        query::known_keys(world, &given, &["status", "vault_id"], &[])?;
        let status = match query::text(&given, "status")? {
            "accepted" => "accepted",
            "rejected" => "rejected",
            "pending" => "pending",
            _ => return Err(codes::MEMBER_VALUE.plain()),
        };
        let vault = query::optional(&given, "vault_id")?;
        if status == "accepted" {
            let id = vault.ok_or_else(|| codes::MEMBER_VALUE.plain())?;
            let vault = self.the_vault(id)?;
            let fits = self
                .vaults
                .get(&vault)
                .is_some_and(|vault| vault.sort == Sort::Server && !vault.replicas);
            if !fits {
                return Err(codes::SHARE_VAULT_TYPE.plain());
            }
        }
        let now = world.now().timestamp_micros();
        let vault = vault.map(str::to_owned);
        self.backups.change(number, |backup| {
            let mut members = backup.extra_mut().members.iter_mut();
            if let Some(member) = members.find(|member| member.project == project) {
                member.status = status;
                member.vault = vault;
                member.updated = now;
            }
        });
        self.show_member(world, number, project)
    }

    fn delete_member(&mut self, number: u64, project: &str) -> Answer {
        self.the_member(number, project)?;
        self.backups
            .change(number, |backup| {
                let members = &mut backup.extra_mut().members;
                members.retain(|member| member.project != project);
            })
            .ok_or_else(|| bad("the backup is gone"))?;
        Ok(Response::empty(204))
    }
}
