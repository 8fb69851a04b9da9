//! Who gets in, and over what.

use keepwatch::sim::{SimOptions, dpod, start};
use serde_json::json;

use crate::sim_support::calm;
use crate::{Dpod, furnished};

const LIST: &str = "/op/api/v1/backupplan/";

#[tokio::test]
async fn wrong_passwords_and_missing_roles_are_401_alike() {
    let dpod = Dpod::start(furnished()).await;
    for (user, password, status) in [
        ("operator", "demo-password", 200),
        ("admin", "demo-admin-password", 200),
        ("investigator", "demo-investigator-password", 401),
        ("nobody", "demo-password", 401),
        ("operator", "", 401),
    ] {
        let (got, text) = dpod.call_as("GET", LIST, user, password).await;
        assert_eq!(got, status, "{user}");
        assert_eq!(text.is_empty(), status == 401, "{user}: {text}");
    }
    let bare = dpod.http.get(format!("{}{LIST}", dpod.root)).send().await;
    assert_eq!(bare.expect("an answer").status(), 401);
    dpod.switch("error_body", "html");
    let (_, text) = dpod.call_as("GET", LIST, "nobody", "x").await;
    assert!(text.contains("401"), "{text}");
}

#[tokio::test]
async fn three_wrong_passwords_lock_a_user_for_five_minutes() {
    let dpod = Dpod::start(furnished()).await;
    let wrong = || dpod.call_as("GET", LIST, "operator", "guess");
    let right = || dpod.call_as("GET", LIST, "operator", "demo-password");
    for _ in 0..2 {
        assert_eq!(wrong().await.0, 401);
    }
    // A success in between begins anew.
    assert_eq!(right().await.0, 200);
    for _ in 0..3 {
        assert_eq!(wrong().await.0, 401);
    }
    assert_eq!(dpod.counted("dpod.locked_out"), 1);
    assert_eq!(right().await.0, 401, "locked");
    let admin = dpod
        .call_as("GET", LIST, "admin", "demo-admin-password")
        .await;
    assert_eq!(admin.0, 200, "others are not");
    dpod.advance(200);
    assert_eq!(right().await.0, 401);
    // A wrong one while locked begins the five minutes anew, a right one does not.
    assert_eq!(wrong().await.0, 401);
    dpod.advance(200);
    assert_eq!(right().await.0, 401);
    dpod.advance(100);
    assert_eq!(right().await.0, 200);
    // A missing role is no failed log-in: it locks nobody.
    for _ in 0..5 {
        dpod.call_as("GET", LIST, "investigator", "demo-investigator-password")
            .await;
    }
    let state = dpod.control("GET", "dpod", json!(null));
    assert!(state["failures"].get("investigator").is_none());
    dpod.switch("lockout", "off");
    for _ in 0..5 {
        wrong().await;
    }
    assert_eq!(right().await.0, 200);
}

#[tokio::test]
async fn it_speaks_tls_with_a_certificate_that_signed_itself() {
    let options = SimOptions {
        furnished: true,
        ..calm()
    };
    let running = start(options, vec![dpod::ENTRY]).await.expect("starts");
    let line = running.services[0].to_json();
    let url = format!("{}{LIST}", line["endpoint"].as_str().expect("an address"));
    assert!(url.starts_with("https://127.0.0.1:"), "{url}");
    let pin = line["tls"]["pin_sha256"]
        .as_str()
        .expect("a pin")
        .to_owned();
    assert!(
        running
            .config_toml()
            .contains(&format!("pin_sha256 = \"{pin}\""))
    );
    let get = |client: reqwest::Client| {
        client
            .get(&url)
            .basic_auth("operator", Some("demo-password"))
            .send()
    };
    // Nobody who trusts only the known authorities comes through.
    let refused = get(crate::sim_support::http())
        .await
        .expect_err("not trusted");
    assert!(refused.is_connect(), "{refused}");
    let pem = include_bytes!("../../assets/sim/self-signed.cert.pem");
    let certificate = reqwest::Certificate::from_pem(pem).expect("a certificate");
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([certificate])
        .build()
        .expect("a client");
    for _ in 0..3 {
        let answer = get(client.clone()).await.expect("an answer");
        assert_eq!(answer.status(), 200);
        assert!(answer.text().await.expect("a body").contains("plans"));
    }
    // Plain HTTP on the same port is no HTTP.
    let plain = crate::sim_support::http().get(url.replace("https:", "http:"));
    assert!(plain.send().await.is_err());
    // Faults travel over TLS as well.
    let fault = json!({"fault": "reset_before"});
    assert_eq!(running.control("dpod", "POST", "faults", &fault).0, 200);
    assert!(get(client.clone()).await.is_err());
    assert_eq!(get(client).await.expect("an answer").status(), 200);
}
