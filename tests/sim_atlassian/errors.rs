//! The published table of errors, row by row, in its order.

use serde_json::{Value, json};

use crate::{Atlassian, NOBODY, furnished, text};

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

#[tokio::test]
async fn rows_of_policies_backups_and_restores() {
    let (sim, _, backup, [cloud, sandbox]) = with_backup().await;
    let org = sim.base.rsplit_once('/').expect("an organisation").1;
    // 1 and 2
    let policy =
        |product: &str| json!({"policyName": "x", "cloudId": cloud, "productType": product});
    let told = sim.call("POST", "/policies", policy("JIRA")).await;
    let message =
        format!("Backup Policy already exists with orgId: {org} cloudId: {cloud} product: JIRA");
    told.is(409, "127", &message);
    let told = sim.call("POST", "/policies", policy("BITBUCKET")).await;
    told.is(
        422,
        "103",
        &format!("BITBUCKET is not present in cloud site {cloud}"),
    );
    // 3: a backup's id that is none is a 400
    let message =
        |id: &str| format!("The backupId : {id} is invalid or does not belong to operation Backup");
    let told = sim
        .call("GET", &format!("/backups/{NOBODY}"), Value::Null)
        .await;
    told.is(400, "108", &message(NOBODY));
    let restore = |id: &str, cloud: &str| json!({"backupId": id, "cloudId": cloud});
    let told = sim
        .call("POST", "/restores", restore(NOBODY, &sandbox))
        .await;
    told.is(400, "108", &message(NOBODY));
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
    let revalidate = format!("/restores/{id}/revalidate");
    assert_eq!(
        sim.call("POST", &revalidate, Value::Null).await.body["errorCode"],
        "137"
    );
    // 5, and a restore's id where a backup's is asked for and the other way round
    let message = |id: &str| {
        format!("The restoreId : {id} is invalid or does not belong to operation Restore")
    };
    for wrong in [NOBODY, backup.as_str()] {
        let told = sim
            .call("GET", &format!("/restores/{wrong}"), Value::Null)
            .await;
        told.is(400, "120", &message(wrong));
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
}

#[tokio::test]
async fn rows_of_storages() {
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
    let told = create(body("ridgeway-backups-us", "us-east-1", "arn:wrong")).await;
    told.is(
        400,
        "130",
        "Incorrect principalTag = ridgeway-backups or roleIdentifier = arn:wrong",
    );
    let told = create(body("ridgeway-backups-us", "ap-south-1", ROLE)).await;
    let message =
        format!("Storage region = ap-south-1 is not eligible for the org:{org} and cloud: {cloud}");
    told.is(400, "133", &message);
    let told = create(body("ridgeway-backups-us", "eu-west-1", ROLE)).await;
    let message = "Validation failed for storage creation for bucketName = ridgeway-backups-us and basePath = jira/ \
                   and region = eu-west-1";
    told.is(400, "142", message);
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

#[tokio::test]
async fn rows_of_exports_imports_and_reports() {
    let (sim, _, backup, [cloud, sandbox]) = with_backup().await;
    let export_of = format!("/backups/{backup}/export");
    let none = format!("No COMPLETED export found for backup = {backup}");
    // 11, at the export of a backup and at an import of it
    sim.call("GET", &export_of, Value::Null)
        .await
        .is(404, "131", &none);
    let import = json!({"backupId": backup, "cloudId": sandbox});
    sim.call("POST", "/imports", import.clone())
        .await
        .is(404, "131", &none);
    // 12: a busy export is 400, where a busy restore is 409
    let export = json!({"backupId": backup});
    let told = sim.call("POST", "/exports", export.clone()).await;
    assert_eq!(told.status, 202);
    let export_id = text(&told.body, "exportId").to_owned();
    sim.call("POST", "/exports", export)
        .await
        .is(400, "140", "Export Already in Progress");
    sim.call("GET", &export_of, Value::Null)
        .await
        .is(404, "131", &none);
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
        let told = get(id, "?cloudId=other").await;
        told.is(
            404,
            "112",
            &format!("Invalid cloudId=other for job={job} with externalId={id}"),
        );
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
    let told = sim
        .call("GET", &format!("/imports/{import_id}"), Value::Null)
        .await;
    told.is(
        404,
        "113",
        &format!("BackupId not found for importId = {import_id}"),
    );
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
