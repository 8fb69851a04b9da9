//! The organisation: its people, its sites and their products.

use crate::sim::fleet;
use crate::sim::world::World;

/// The organisation's id.
pub(super) const ORG: &str = "3f1c7b52-8d0e-4a36-9b1d-5c20e6a4f7d9";

/// Somebody with an API token.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Person {
    /// The account's e-mail, the user name of Basic.
    pub email: &'static str,
    /// The API token, the password of Basic.
    pub token: &'static str,
    /// The account id.
    pub account: &'static str,
    /// Whether this is an admin of the organisation and of its apps, as every call here asks for.
    pub admin: bool,
}

/// Who may log in.
pub(super) const PEOPLE: [Person; 2] = [
    Person {
        email: "operator@example.com",
        token: "keepwatch-demo-api-token-opens-nothing",
        account: "712020:4d1c5e0a-7b52-4f0e-9a57-2f6f0f3b8c11",
        admin: true,
    },
    Person {
        email: "viewer@example.com",
        token: "keepwatch-demo-viewer-token",
        account: "712020:9a0b6f3e-1c84-4d0a-8b3e-6d5f2c7e4a22",
        admin: false,
    },
];

/// The colleague who set most policies up.
pub(super) const COLLEAGUE: &str = "712020:c85f2e9d-3a41-4b6c-9f08-1e7d5b2a6c33";

/// The words of products: Jira's is documented, Confluence's inferred.
pub(super) const PRODUCTS: [&str; 2] = ["JIRA", "CONFLUENCE"];

/// A product of a site.
#[derive(Debug, Clone)]
pub(super) struct Product {
    /// One of [`PRODUCTS`].
    pub word: &'static str,
    /// Whether it is there.
    pub present: bool,
    /// Whether people have put anything into it; only an empty Jira can be restored into.
    pub empty: bool,
    /// Size of its data and attachments in GB.
    pub gb: f64,
}

/// A site.
#[derive(Debug, Clone)]
pub(super) struct Site {
    /// UUID.
    pub cloud_id: String,
    /// The first part of its host name.
    pub name: String,
    /// Whether its data is encrypted with a key of the customer's own.
    pub cmk: bool,
    /// What it has, or had.
    pub products: Vec<Product>,
}

impl Site {
    /// Its place among the site's products.
    #[must_use]
    pub fn product(&self, word: &str) -> Option<usize> {
        self.products
            .iter()
            .position(|product| product.word == word)
    }
}

const TEAMS: [&str; 12] = [
    "ridgeway",
    "ridgeway-support",
    "ridgeway-eng",
    "ridgeway-finance",
    "ridgeway-people",
    "ridgeway-legal",
    "ridgeway-emea",
    "ridgeway-apac",
    "ridgeway-labs",
    "ridgeway-projects",
    "ridgeway-partners",
    "ridgeway-archive",
];

/// Sites, one for about three servers of the fleet; the last is a sandbox whose products are empty.
pub(super) fn sites(world: &mut World) -> Vec<Site> {
    let servers = world.fleet.servers().len();
    let count = if servers == 0 { 0 } else { servers / 3 + 2 };
    let mut sites = Vec::new();
    for index in 0..count {
        let sandbox = index + 1 == count;
        let name = match TEAMS.get(index) {
            _ if sandbox => "ridgeway-sandbox".to_owned(),
            Some(name) => (*name).to_owned(),
            None => format!("ridgeway-team-{:03}", index - TEAMS.len() + 1),
        };
        let products = PRODUCTS
            .iter()
            // Every fourth site has only the one or the other.
            .filter(|word| sandbox || index % 4 != 3 || (index / 4 % 2 == 0) == (**word == "JIRA"))
            .map(|word| Product {
                word,
                present: true,
                empty: sandbox,
                gb: if sandbox {
                    0.1
                } else {
                    (world.rng.f64() * 4.0).exp2() * 3.0
                },
            })
            .collect();
        sites.push(Site {
            cloud_id: fleet::uuid(&mut world.rng),
            name,
            cmk: index % 5 == 2,
            products,
        });
    }
    sites
}
