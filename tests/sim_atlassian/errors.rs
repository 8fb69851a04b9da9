//! The published table of errors, row by row: the embedded service gives each for its own reason, and the connector
//! reads the very answer as the code that it is.

use keepwatch::catalog::{Catalog, Question};
use keepwatch::connect::TaskLook;
use serde_json::{Value, json};

use crate::replay::Replay;
use crate::{Atlassian, NOBODY, Told, furnished, text};

/// The table as published: HTTP status, code, message. Nineteen rows, sixteen codes.
const TABLE: [(u16, &str, &str); 19] = [
    (
        409,
        "127",
        "Backup Policy already exists with orgId: {} cloudId: {} product: {PRODUCT}",
    ),
    (422, "103", "{PRODUCT} is not present in cloud site {}"),
    (
        400,
        "108",
        "The backupId : {} is invalid or does not belong to operation Backup",
    ),
    (
        409,
        "137",
        "A restore request for this product already exists",
    ),
    (
        400,
        "120",
        "The restoreId : {} is invalid or does not belong to operation Restore",
    ),
    (409, "128", "Conflicting Storage name = {}"),
    (
        400,
        "130",
        "Incorrect principalTag = {} or roleIdentifier = {}",
    ),
    (
        400,
        "133",
        "Storage region = {} is not eligible for the org:{} and cloud: {}",
    ),
    (
        400,
        "142",
        "Validation failed for storage creation for bucketName = {} and basePath = {} and region = {}",
    ),
    (404, "129", "Storage Details not found for storageId = {}"),
    (404, "131", "No COMPLETED export found for backup = {}"),
    (400, "140", "Export Already in Progress"),
    (404, "113", "BackupId not found for exportId = {}"),
    (
        404,
        "110",
        "Brie job=EXPORT with externalId={exportId} is not present",
    ),
    (
        404,
        "112",
        "Invalid cloudId={} for job=EXPORT with externalId={exportId}",
    ),
    (404, "113", "BackupId not found for importId = {}"),
    (
        404,
        "110",
        "Brie job=IMPORT with externalId={importId} is not present",
    ),
    (
        404,
        "112",
        "Invalid cloudId={} for job=IMPORT with externalId={importId}",
    ),
    (
        404,
        "143",
        "Post operation report not available for migration = {}",
    ),
];

/// Whether a message is the template with its holes filled.
fn fits(template: &str, message: &str) -> bool {
    let mut rest = message;
    for (n, part) in template.split('{').enumerate() {
        let text = if n == 0 {
            part
        } else {
            part.split_once('}').expect("a hole").1
        };
        let Some(at) = rest.find(text).filter(|at| n > 0 || *at == 0) else {
            return false;
        };
        rest = &rest[at + text.len()..];
    }
    rest.is_empty() || template.ends_with('}')
}

/// The rows that came, each with an answer of the service.
#[derive(Default)]
struct Met(Vec<Option<Told>>);

impl Met {
    /// Notes an answer as the first row with its code whose template fits.
    fn note(&mut self, told: Told) {
        self.0.resize_with(TABLE.len(), || None);
        let message = text(&told.body, "errorMessage");
        let row = TABLE.iter().position(|(status, code, template)| {
            told.status == *status && told.body["errorCode"] == **code && fits(template, message)
        });
        let row =
            row.unwrap_or_else(|| panic!("no row of the table: {} {}", told.status, told.text));
        self.0[row].get_or_insert(told);
    }
}

#[tokio::test]
async fn every_published_row_comes_for_its_reason_and_is_read_as_what_it_is() {
    let mut met = Met::default();
    rows_of_policies_backups_and_restores(&mut met).await;
    rows_of_storages(&mut met).await;
    rows_of_exports_imports_and_reports(&mut met).await;
    let catalog = Catalog::built_in();
    for (n, (told, (status, code, template))) in met.0.iter().zip(TABLE).enumerate() {
        let told = told
            .as_ref()
            .unwrap_or_else(|| panic!("row {}: {status} {code} {template}", n + 1));
        let message = text(&told.body, "errorMessage");
        let replay = Replay::of(told).await;
        let connector = replay.connector();
        let read = connector.look_up("b1").await;
        // a wrong id of a backup or restore is 400, and only that means gone: no 404 does
        if matches!(code, "108" | "120") {
            assert_eq!(read, Ok(TaskLook::Gone), "{code}");
            continue;
        }
        let fault = read.expect_err(template);
        let told = fault.code.as_ref().expect("its code");
        assert_eq!(
            (told.http_status, told.code.as_str(), told.message.as_str()),
            (Some(status), code, message),
            "row {}",
            n + 1
        );
        let busy = matches!(code, "131" | "137" | "140" | "143");
        assert_eq!(fault.what.contains("busy"), busy, "{code}: {fault}");
        let mut question = Question::from_code(Some("atlassian"), told);
        question.operation = String::new();
        let readings = catalog.explain(&question);
        assert!(!readings.is_empty(), "row {}: {told:?}", n + 1);
        // of the codes that stand twice the message tells which it is
        assert_eq!(readings.len(), 1, "row {}: {readings:?}", n + 1);
    }
}

const ROLE: &str = "arn:aws:iam::111122223333:role/atlassian-backup";

/// A service whose first policy has a fresh backup, with that policy, the backup's id, and two sites' cloud ids.
async fn with_backup() -> (Atlassian, Value, String, [String; 2]) {
    let sim = Atlassian::start(furnished()).await;
    sim.product("ridgeway", "JIRA", json!({"gb": 5}));
    let policy = sim.policy("ridgeway-jira").await;
    sim.to_slot(&policy).await;
    let backup = sim.until_over(&policy).await;
    assert_eq!(backup["status"], "COMPLETED");
    let world = sim.world();
    let cloud = |index: usize| text(&world["sites"][index], "cloudId").to_owned();
    let clouds = [
        cloud(0),
        cloud(world["sites"].as_array().expect("sites").len() - 1),
    ];
    (sim, policy, text(&backup, "backupId").to_owned(), clouds)
}

async fn rows_of_policies_backups_and_restores(met: &mut Met) {
    let (sim, _, backup, [cloud, sandbox]) = with_backup().await;
    let org = sim.base.rsplit_once('/').expect("an organisation").1;
    // 1 and 2
    let policy =
        |product: &str| json!({"policyName": "x", "cloudId": cloud, "productType": product});
    let told = sim.call("POST", "/policies", policy("JIRA")).await;
    let message =
        format!("Backup Policy already exists with orgId: {org} cloudId: {cloud} product: JIRA");
    told.is(409, "127", &message);
    met.note(told);
    let told = sim.call("POST", "/policies", policy("BITBUCKET")).await;
    told.is(
        422,
        "103",
        &format!("BITBUCKET is not present in cloud site {cloud}"),
    );
    met.note(told);
    // 3: a backup's id that is none is a 400
    let message =
        |id: &str| format!("The backupId : {id} is invalid or does not belong to operation Backup");
    let told = sim
        .call("GET", &format!("/backups/{NOBODY}"), Value::Null)
        .await;
    told.is(400, "108", &message(NOBODY));
    met.note(told);
    let restore = |id: &str, cloud: &str| json!({"backupId": id, "cloudId": cloud});
    let told = sim
        .call("POST", "/restores", restore(NOBODY, &sandbox))
        .await;
    told.is(400, "108", &message(NOBODY));
    met.note(told);
    // 4
    let told = sim
        .call("POST", "/restores", restore(&backup, &sandbox))
        .await;
    assert_eq!(told.status, 202, "{}", told.text);
    let id = text(&told.body, "restoreId").to_owned();
    let told = sim
        .call("POST", "/restores", restore(&backup, &sandbox))
        .await;
    told.is(
        409,
        "137",
        "A restore request for this product already exists",
    );
    met.note(told);
    let revalidate = format!("/restores/{id}/revalidate");
    let told = sim.call("POST", &revalidate, Value::Null).await;
    assert_eq!(told.body["errorCode"], "137");
    // 5, and a restore's id where a backup's is asked for and the other way round
    let message = |id: &str| {
        format!("The restoreId : {id} is invalid or does not belong to operation Restore")
    };
    for wrong in [NOBODY, backup.as_str()] {
        let told = sim
            .call("GET", &format!("/restores/{wrong}"), Value::Null)
            .await;
        told.is(400, "120", &message(wrong));
        met.note(told);
    }
    let told = sim
        .call("GET", &format!("/backups/{id}"), Value::Null)
        .await;
    assert_eq!((told.status, &told.body["errorCode"]), (400, &json!("108")));
    // The destination's product is gone: the same code as at a policy.
    sim.product("ridgeway-sandbox", "CONFLUENCE", json!({"present": false}));
    sim.advance(60);
    let body = json!({"backupId": backup, "cloudId": sandbox, "product": "CONFLUENCE"});
    let told = sim.call("POST", "/restores", body).await;
    told.is(
        422,
        "103",
        &format!("CONFLUENCE is not present in cloud site {sandbox}"),
    );
    met.note(told);
}

async fn rows_of_storages(met: &mut Met) {
    let sim = Atlassian::start(furnished()).await;
    let org = sim
        .base
        .rsplit_once('/')
        .expect("an organisation")
        .1
        .to_owned();
    let world = sim.world();
    let cloud = text(&world["sites"][0], "cloudId").to_owned();
    let body = |name: &str, region: &str, role: &str| {
        json!({
            "storageName": name, "storageRegion": region, "storagePrefix": "jira/", "storageType": "aws",
            "roleIdentifier": role, "principalTag": "ridgeway-backups", "cloudId": cloud,
        })
    };
    let create = |body: Value| sim.call("POST", "/storages", body);
    // 6 to 9
    let told = create(body("ridgeway-backups-eu", "eu-central-1", ROLE)).await;
    told.is(409, "128", "Conflicting Storage name = ridgeway-backups-eu");
    met.note(told);
    let told = create(body("ridgeway-backups-us", "us-east-1", "arn:wrong")).await;
    told.is(
        400,
        "130",
        "Incorrect principalTag = ridgeway-backups or roleIdentifier = arn:wrong",
    );
    met.note(told);
    let told = create(body("ridgeway-backups-us", "ap-south-1", ROLE)).await;
    let message =
        format!("Storage region = ap-south-1 is not eligible for the org:{org} and cloud: {cloud}");
    told.is(400, "133", &message);
    met.note(told);
    let told = create(body("ridgeway-backups-us", "eu-west-1", ROLE)).await;
    let message = "Validation failed for storage creation for bucketName = ridgeway-backups-us and basePath = jira/ \
                   and region = eu-west-1";
    told.is(400, "142", message);
    met.note(told);
    let told = create(body("ridgeway-backups-us", "us-east-1", ROLE)).await;
    assert_eq!(told.status, 201, "{}", told.text);
    let id = text(&told.body, "storageId").to_owned();
    assert_eq!(sim.get(&format!("/storages/{id}")).await, told.body);
    // 10
    let told = sim
        .call("GET", &format!("/storages/{NOBODY}"), Value::Null)
        .await;
    told.is(
        404,
        "129",
        &format!("Storage Details not found for storageId = {NOBODY}"),
    );
    met.note(told);
    // The lists beside them, and what is in conflict between the documents.
    let all = sim.get("/storages").await;
    assert_eq!(all["totalItems"], 4);
    assert_eq!(
        sim.get(&format!("/storages?cloudId={cloud}&product=JIRA"))
            .await["totalItems"],
        2
    );
    assert_eq!(
        sim.get("/storages/regions").await["regions"][0],
        "eu-central-1"
    );
    assert_eq!(
        sim.call("POST", "/storages/regions", json!({}))
            .await
            .status,
        405
    );
    sim.switch("regions_method", "POST");
    assert_eq!(
        sim.call("POST", "/storages/regions", json!({}))
            .await
            .status,
        200
    );
    sim.switch("storage_names", "error");
    let told = create(body("ridgeway-backups-spare", "eu-west-1", ROLE)).await;
    assert_eq!(told.status, 400);
    let mut other = body("", "", ROLE);
    other["bucketName"] = "ridgeway-backups-spare".into();
    other["region"] = "eu-west-1".into();
    assert_eq!(create(other).await.status, 201);
}

async fn rows_of_exports_imports_and_reports(met: &mut Met) {
    let (sim, _, backup, [cloud, sandbox]) = with_backup().await;
    let export_of = format!("/backups/{backup}/export");
    let none = format!("No COMPLETED export found for backup = {backup}");
    // 11, at the export of a backup and at an import of it
    let told = sim.call("GET", &export_of, Value::Null).await;
    told.is(404, "131", &none);
    met.note(told);
    let import = json!({"backupId": backup, "cloudId": sandbox});
    let told = sim.call("POST", "/imports", import.clone()).await;
    told.is(404, "131", &none);
    met.note(told);
    // 12: a busy export is 400, where a busy restore is 409
    let export = json!({"backupId": backup});
    let told = sim.call("POST", "/exports", export.clone()).await;
    assert_eq!(told.status, 202);
    let export_id = text(&told.body, "exportId").to_owned();
    let told = sim.call("POST", "/exports", export).await;
    told.is(400, "140", "Export Already in Progress");
    met.note(told);
    let told = sim.call("GET", &export_of, Value::Null).await;
    told.is(404, "131", &none);
    met.note(told);
    sim.advance(120);
    assert_eq!(sim.get(&export_of).await["status"], "COMPLETED");
    let told = sim.call("POST", "/imports", import).await;
    assert_eq!(told.status, 202, "{}", told.text);
    let import_id = text(&told.body, "importId").to_owned();
    // 13 to 18: the same three codes twice, told apart by the call
    for (path, id, job, name, home) in [
        ("exports", &export_id, "EXPORT", "exportId", &cloud),
        ("imports", &import_id, "IMPORT", "importId", &sandbox),
    ] {
        let get = |id: &str, query: &str| {
            let path = format!("/{path}/{id}{query}");
            let sim = &sim;
            async move { sim.call("GET", &path, Value::Null).await }
        };
        assert_eq!(get(id, "").await.status, 200);
        assert_eq!(get(id, &format!("?cloudId={home}")).await.status, 200);
        let told = get(NOBODY, "").await;
        told.is(
            404,
            "110",
            &format!("Brie job={job} with externalId={NOBODY} is not present"),
        );
        met.note(told);
        let told = get(id, "?cloudId=other").await;
        told.is(
            404,
            "112",
            &format!("Invalid cloudId=other for job={job} with externalId={id}"),
        );
        met.note(told);
        assert_eq!(name.replace("Id", "s"), path);
    }
    // 19: not while a restore runs, and not for what is none
    let restore = json!({"backupId": backup, "cloudId": sandbox});
    let told = sim.call("POST", "/restores", restore).await;
    let id = text(&told.body, "restoreId").to_owned();
    for id in [id.as_str(), NOBODY] {
        let told = sim
            .call("GET", &format!("/reports/{id}"), Value::Null)
            .await;
        told.is(
            404,
            "143",
            &format!("Post operation report not available for migration = {id}"),
        );
        met.note(told);
    }
    sim.advance(3600);
    assert_eq!(
        sim.get(&format!("/reports/{id}")).await["status"],
        "COMPLETED"
    );
    // 113: the job is there, its backup is not any more.
    let kept = sim.world()["backups"].clone();
    sim.control("POST", "atlassian/drop", json!({"count": kept}));
    let told = sim
        .call("GET", &format!("/exports/{export_id}"), Value::Null)
        .await;
    told.is(
        404,
        "113",
        &format!("BackupId not found for exportId = {export_id}"),
    );
    met.note(told);
    let told = sim
        .call("GET", &format!("/imports/{import_id}"), Value::Null)
        .await;
    told.is(
        404,
        "113",
        &format!("BackupId not found for importId = {import_id}"),
    );
    met.note(told);
    sim.switch("unlisted_calls", "off");
    for path in [format!("/exports/{export_id}"), format!("/reports/{id}")] {
        let told = sim.call("GET", &path, Value::Null).await;
        assert!(told.status == 404 && told.body.get("errorCode").is_none());
    }
}

#[tokio::test]
async fn codes_may_come_as_numbers_and_messages_with_their_holes() {
    let sim = Atlassian::start(furnished()).await;
    sim.switch("error_code_type", "number");
    sim.switch("unfilled_holes", "on");
    let told = sim
        .call("GET", &format!("/storages/{NOBODY}"), Value::Null)
        .await;
    let expected =
        json!({"errorCode": 129, "errorMessage": "Storage Details not found for storageId = {}"});
    assert_eq!((told.status, told.body), (404, expected));
    for path in [
        "/policies",
        "/restores",
        "/storages",
        "/exports",
        "/imports",
    ] {
        for body in ["", "{", "[]", "{}", "null", "\"x\""] {
            let request = sim
                .request("POST", path)
                .header("content-type", "application/json");
            let told = Atlassian::send(request.body(body)).await;
            assert!(
                [400, 429].contains(&told.status),
                "{path} {body:?}: {}",
                told.status
            );
        }
        sim.advance(60);
    }
}
