//! Where backups are kept: in Atlassian's own buckets, or in the customer's.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::codes::{self, Answer, Refusal};
use super::org::ORG;
use super::page::Page;
use super::{Atlassian, stamp, tag};
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

/// The regions in which this organisation may keep backups.
pub(super) const REGIONS: [&str; 3] = ["eu-central-1", "eu-west-1", "us-east-1"];
/// The role that AWS lets Atlassian take on, and the tag that it asks for.
const ROLE: &str = "arn:aws:iam::111122223333:role/atlassian-backup";
const PRINCIPAL_TAG: &str = "ridgeway-backups";
/// The customer's buckets at AWS with their regions.
const BUCKETS: [(&str, &str); 4] = [
    ("ridgeway-backups-eu", "eu-central-1"),
    ("ridgeway-backups-legal", "eu-central-1"),
    ("ridgeway-backups-us", "us-east-1"),
    ("ridgeway-backups-spare", "eu-west-1"),
];

/// A storage.
#[derive(Debug, Clone)]
pub(super) struct Storage {
    /// The bucket's name.
    pub name: String,
    /// The bucket's region.
    pub region: String,
    /// The path within the bucket.
    pub prefix: String,
    /// The role's ARN; empty for Atlassian's own storage.
    pub role: String,
    /// The principal tag.
    pub tag: String,
    /// The site that it is for; `None` for Atlassian's own.
    pub site: Option<usize>,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// Whether the role still lets Atlassian in.
    pub role_fits: bool,
    /// Whether somebody took it out.
    pub gone: bool,
}

impl Atlassian {
    /// What is there to begin with.
    pub(super) fn seed_storages(&mut self, world: &World) {
        let created = world.now() - chrono::TimeDelta::days(200);
        let own = |index: usize, site: usize| {
            let (name, region) = BUCKETS.get(index).copied().unwrap_or(("", ""));
            Storage {
                name: name.to_owned(),
                region: region.to_owned(),
                prefix: "atlassian/".to_owned(),
                role: ROLE.to_owned(),
                tag: PRINCIPAL_TAG.to_owned(),
                site: Some(site),
                created,
                role_fits: true,
                gone: false,
            }
        };
        self.storages.push(Storage {
            name: "atlassian-managed".to_owned(),
            prefix: String::new(),
            role: String::new(),
            tag: String::new(),
            site: None,
            ..own(0, 0)
        });
        if world.options.furnished && self.sites.len() > 4 {
            self.storages.push(own(0, 4));
            self.storages.push(own(1, 1));
        }
    }

    /// The storage of that id, unless it is gone.
    pub(super) fn storage_number(&self, id: &str) -> Option<usize> {
        let number = usize::try_from(self.ids.number(tag::STORAGE, id)?).ok()?;
        self.storages
            .get(number)
            .filter(|storage| !storage.gone)
            .map(|_| number)
    }

    /// The id of a storage.
    pub(super) fn storage_id(&self, number: usize) -> String {
        self.ids.uuid(tag::STORAGE, number as u64)
    }

    fn storage_json(&self, number: usize) -> Value {
        let Some(storage) = self.storages.get(number) else {
            return Value::Null;
        };
        let mut body = json!({
            "storageId": self.storage_id(number), "storageName": storage.name,
            "storageRegion": storage.region, "storagePrefix": storage.prefix, "storageType": "aws",
            "createdAt": stamp(storage.created),
        });
        if let Some(site) = storage.site.and_then(|site| self.sites.get(site)) {
            body["cloudId"] = site.cloud_id.as_str().into();
        }
        body
    }

    /// `GET /storages` (v2 path inferred; the query is v1's).
    pub(super) fn list_storages(&self, world: &World, request: &Request) -> Answer {
        let page = Page::of(world, request)?;
        let cloud = request.param("cloudId");
        let product = request.param("product");
        let wanted: Vec<usize> = (0..self.storages.len())
            .filter(|number| {
                self.storages.get(*number).is_some_and(|storage| {
                    let site = storage.site.and_then(|site| self.sites.get(site));
                    !storage.gone
                        && cloud.is_none_or(|id| site.is_none_or(|site| site.cloud_id == id))
                        && product
                            .is_none_or(|word| site.is_none_or(|site| site.product(word).is_some()))
                })
            })
            .collect();
        let rows: Vec<Value> = page
            .cut(wanted.iter())
            .into_iter()
            .map(|number| self.storage_json(*number))
            .collect();
        Ok(Response::json(
            200,
            &json!({"storages": rows, "totalItems": wanted.len()}),
        ))
    }

    /// `GET /storages/{storageId}` (inferred).
    pub(super) fn show_storage(&self, id: &str) -> Answer {
        let number = self
            .storage_number(id)
            .ok_or_else(|| codes::NO_STORAGE.with(&[id]))?;
        Ok(Response::json(200, &self.storage_json(number)))
    }

    /// The supported regions (v1 path; the method is in conflict between two documents). The shape is ours.
    pub(super) fn list_regions(&self) -> Answer {
        Ok(Response::json(200, &json!({"regions": REGIONS})))
    }

    /// `POST /storages` (v2 path inferred; the body is v1's).
    pub(super) fn create_storage(&mut self, world: &mut World, request: &Request) -> Answer {
        let body = super::object(request)?;
        let text = |key: &str| {
            body.get(key)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
                .ok_or_else(|| Refusal::field(key, "must be a text"))
        };
        let names = match world.switches.get("atlassian.storage_names") {
            "error" => ["bucketName", "region", "basePath"],
            _ => ["storageName", "storageRegion", "storagePrefix"],
        };
        let [name, region, prefix] = names.map(text);
        let (name, region, prefix) = (name?, region?, prefix.unwrap_or(""));
        let (role, principal) = (text("roleIdentifier")?, text("principalTag")?);
        if text("storageType")? != "aws" {
            return Err(Refusal::field("storageType", "must be aws"));
        }
        let cloud = text("cloudId")?;
        let site = self.site_number(cloud)?;
        let taken = |storage: &Storage| !storage.gone && storage.name == name;
        if self.storages.iter().any(taken) {
            return Err(codes::STORAGE_NAME.with(&[name]));
        }
        if !REGIONS.contains(&region) {
            return Err(codes::REGION.with(&[region, ORG, cloud]));
        }
        if role != ROLE || principal != PRINCIPAL_TAG {
            return Err(codes::ROLE.with(&[principal, role]));
        }
        if !BUCKETS.contains(&(name, region)) {
            return Err(codes::BUCKET.with(&[name, prefix, region]));
        }
        self.storages.push(Storage {
            name: name.to_owned(),
            region: region.to_owned(),
            prefix: prefix.to_owned(),
            role: role.to_owned(),
            tag: principal.to_owned(),
            site: Some(site),
            created: world.now(),
            role_fits: true,
            gone: false,
        });
        world.count("atlassian.storage.created");
        Ok(Response::json(
            201,
            &self.storage_json(self.storages.len() - 1),
        ))
    }
}
