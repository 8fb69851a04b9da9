//! The published table of calls, row by row: the embedded service has each where its path is known or inferred, and the
//! connector says of each that it asks where the path comes from.

use keepwatch::connect::Provenance;
use serde_json::{Value, json};

use crate::{Atlassian, NOBODY, furnished};

/// How a path is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Known {
    /// Shown whole in the REST reference.
    Documented,
    /// From the two that are documented and the first version's guide.
    Inferred,
    /// In no document: what the embedded service has there is a stand-in.
    Nowhere,
}
use Known::{Documented, Inferred, Nowhere};

/// The vendor's name, method and path of each call, and whether keepwatch asks it.
const TABLE: [(&str, &str, &str, Known, bool); 18] = [
    (
        "Get all backup policies",
        "GET",
        "/policies",
        Inferred,
        true,
    ),
    ("Create backup policy", "POST", "/policies", Inferred, false),
    (
        "Get backup policy details",
        "GET",
        "/policies/{policyId}",
        Documented,
        true,
    ),
    (
        "Update backup policy",
        "PUT",
        "/policies/{policyId}",
        Inferred,
        false,
    ),
    (
        "Activate the backup policy",
        "PUT",
        "/policies/{policyId}/activate",
        Documented,
        true,
    ),
    (
        "Get backups part of backup policy",
        "GET",
        "/policies/{policyId}/backups",
        Inferred,
        true,
    ),
    (
        "Get backup details",
        "GET",
        "/backups/{backupId}",
        Inferred,
        true,
    ),
    ("Create restore", "POST", "/restores", Inferred, false),
    // a write on a weak guess: keepwatch sends it only where its path is configured
    (
        "Revalidate restore",
        "POST",
        "/restores/{restoreId}/revalidate",
        Nowhere,
        true,
    ),
    ("Get all restores", "GET", "/restores", Inferred, true),
    (
        "Get restore details",
        "GET",
        "/restores/{restoreId}",
        Inferred,
        true,
    ),
    (
        "Get post operation report",
        "GET",
        "/reports/{restoreId}",
        Nowhere,
        true,
    ),
    ("Create storage", "POST", "/storages", Inferred, false),
    ("Get all storages", "GET", "/storages", Inferred, true),
    (
        "Get storage details",
        "GET",
        "/storages/{storageId}",
        Inferred,
        false,
    ),
    (
        "Get supported regions for org",
        "GET",
        "/storages/regions",
        Inferred,
        false,
    ),
    ("Initiate import", "POST", "/imports", Nowhere, false),
    // it is named so that `doctor` can say why it is not asked
    (
        "Get import details",
        "GET",
        "/imports/{importId}",
        Nowhere,
        true,
    ),
];

#[tokio::test]
async fn the_embedded_service_has_every_call_of_the_table_and_no_other() {
    let sim = Atlassian::start(furnished()).await;
    for (name, method, path, _, _) in TABLE {
        let path = path
            .split('/')
            .map(|s| if s.starts_with('{') { NOBODY } else { s })
            .collect::<Vec<_>>()
            .join("/");
        let told = sim.call(method, &path, json!({})).await;
        let coded = told.body.get("errorCode").is_some();
        assert!(
            told.status < 404 || told.status == 409 || told.status == 422 || coded
                // of a policy that is unknown no code is published
                || (told.status == 404 && path.starts_with("/policies/")),
            "{name}: {method} {path} gave {} {}",
            told.status,
            told.text
        );
        sim.advance(60);
    }
    // what no table has: a backup on demand, stopping, deleting
    for (method, path) in [
        ("POST", "/backups"),
        ("DELETE", "/policies/x"),
        ("DELETE", "/backups/x"),
        ("POST", "/backups/x/cancel"),
        ("DELETE", "/restores/x"),
        ("PUT", "/policies/x/deactivate"),
    ] {
        let told = sim.call(method, path, Value::Null).await;
        assert!(
            matches!(told.status, 404 | 405),
            "{method} {path}: {}",
            told.status
        );
        assert!(
            told.body.get("errorCode").is_none(),
            "{method} {path}: {}",
            told.text
        );
        sim.advance(60);
    }
}

#[test]
fn the_connector_says_of_every_call_that_it_asks_where_its_path_comes_from() {
    let _ = crate::sim_support::http();
    let endpoints = crate::replay::open("http://127.0.0.1:1", &[]).endpoints();
    for (name, method, path, known, asked) in TABLE {
        let row = endpoints.iter().find(|e| e.capability == name);
        assert_eq!(row.is_some(), asked, "{name}");
        let Some(row) = row else { continue };
        assert_eq!(row.method, method, "{name}");
        let (expected, provenance) = match known {
            Documented => (path, Provenance::Documented),
            Inferred => (path, Provenance::Inferred),
            // nothing is sent where nothing is known
            Nowhere => ("", Provenance::Unknown),
        };
        assert_eq!(
            row.path.trim_start_matches('/'),
            expected.trim_start_matches('/'),
            "{name}"
        );
        assert_eq!(row.provenance, provenance, "{name}");
        assert!(
            known == Documented || !row.remark.is_empty(),
            "{name} says nothing of it"
        );
    }
    let known = |name: &str| TABLE.iter().any(|row| row.0 == name);
    assert!(
        endpoints.iter().all(|e| known(e.capability)),
        "{endpoints:?}"
    );
}
