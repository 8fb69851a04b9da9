//! The side path `/_sim/…` of this service.
//!
//! | call | what |
//! | --- | --- |
//! | GET `/_sim/atlassian` | organisation, people, sites, policies, storages, counts |
//! | POST `/_sim/atlassian/products/{site}/{product}` | any of `{"present","empty": bool, "gb": number}` |
//! | POST `/_sim/atlassian/policies/{id}` | `{"rights": bool}` of its author |
//! | POST `/_sim/atlassian/storages/{name}` | any of `{"role_fits","gone": bool}` |
//! | POST `/_sim/atlassian/backups/{id}` | `{"status": word}` shows that word instead of the real one; `null` ends it |
//! | POST `/_sim/atlassian/drop` | `{"count": n}`: the oldest backups are gone |

use serde_json::{Value, json};

use super::org::{ORG, PEOPLE};
use super::{Atlassian, stamp, tag};
use crate::sim::control::{refused, unknown};
use crate::sim::http::{Request, Response};

impl Atlassian {
    pub(super) fn control_call(&mut self, path: &[&str], request: &Request) -> Response {
        let body = request.json().unwrap_or_default();
        let flag = |name: &str| body.get(name).and_then(Value::as_bool);
        match (request.method.as_str(), path) {
            ("GET", ["atlassian"]) => Response::json(200, &self.overview()),
            ("POST", ["atlassian", "products", site, word]) => {
                let Some(product) = self
                    .sites
                    .iter_mut()
                    .find(|it| it.name == *site)
                    .and_then(|site| site.products.iter_mut().find(|it| it.word == *word))
                else {
                    return refused(400, "there is no such product");
                };
                product.present = flag("present").unwrap_or(product.present);
                product.empty = flag("empty").unwrap_or(product.empty);
                if let Some(gb) = body.get("gb").and_then(Value::as_f64) {
                    product.gb = gb;
                }
                Response::json(200, &json!({}))
            }
            ("POST", ["atlassian", "policies", id]) => {
                let number = self.policy_number(id).unwrap_or(usize::MAX);
                let Some(policy) = self.policies.get_mut(number) else {
                    return refused(400, "there is no such policy");
                };
                policy.rights = flag("rights").unwrap_or(policy.rights);
                Response::json(200, &json!({}))
            }
            ("POST", ["atlassian", "storages", name]) => {
                let Some(storage) = self.storages.iter_mut().find(|it| it.name == *name) else {
                    return refused(400, "there is no such storage");
                };
                storage.role_fits = flag("role_fits").unwrap_or(storage.role_fits);
                storage.gone = flag("gone").unwrap_or(storage.gone);
                Response::json(200, &json!({}))
            }
            ("POST", ["atlassian", "backups", id]) => {
                let number = self.backup_number(id);
                let Some(backup) = number.and_then(|number| self.backups.get_mut(number)) else {
                    return refused(400, "there is no such backup");
                };
                backup.odd = body.get("status").and_then(Value::as_str).map(Box::from);
                Response::json(200, &json!({}))
            }
            ("POST", ["atlassian", "drop"]) => {
                for _ in 0..body.get("count").and_then(Value::as_u64).unwrap_or(1) {
                    self.drop_oldest();
                }
                Response::json(200, &json!({"backups": self.backups.len()}))
            }
            _ => unknown(path),
        }
    }

    fn overview(&self) -> Value {
        let sites: Vec<Value> = self
            .sites
            .iter()
            .map(|site| {
                let products: Vec<Value> = site
                    .products
                    .iter()
                    .map(|it| json!({"word": it.word, "present": it.present, "empty": it.empty, "gb": it.gb}))
                    .collect();
                json!({"cloudId": site.cloud_id, "name": site.name, "cmk": site.cmk, "products": products})
            })
            .collect();
        let policies: Vec<Value> = self
            .policies
            .iter()
            .enumerate()
            .map(|(number, policy)| {
                json!({
                    "policyId": self.ids.uuid(tag::POLICY, number as u64), "name": policy.name,
                    "active": policy.active, "next": policy.next.map(stamp), "rights": policy.rights,
                })
            })
            .collect();
        let people: Vec<Value> = PEOPLE
            .iter()
            .map(|it| json!({"email": it.email, "token": it.token, "account": it.account}))
            .collect();
        json!({
            "org": ORG, "people": people, "sites": sites, "policies": policies,
            "storages": self.storages.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(),
            "backups": self.backups.len(), "running": self.backups.under_way(), "restores": self.restores.len(),
        })
    }
}
