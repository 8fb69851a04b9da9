//! A project that was moved away, and signatures. Lost answers, lost tokens and broken answers are in the contract
//! of all kinds.

use keepwatch::connect::{AuthSettings, PollContext, Secret};
use keepwatch::model::{FaultKind, Phase};
use keepwatch::sim::csbs;

use crate::sim_support::{Client, calm};
use crate::{Pages, backed_up, open, read, settings, start};

#[tokio::test]
async fn a_migrated_project_says_where_to_go() {
    let (client, csbs) = start(calm()).await;
    for account in ["migrated", "new"] {
        client.switch("csbs.account", account);
        let mut pages = Pages::default();
        let got = csbs
            .poll("policies", PollContext::default(), &mut pages)
            .await
            .expect_err("a fault");
        assert_eq!(got.kind, FaultKind::NotOffered, "{got}");
        assert!(got.advice.contains("cbr"));
    }
}

#[tokio::test]
async fn requests_may_be_signed_in_either_dialect() {
    let client = Client::start(calm(), csbs::ENTRY).await;
    for (key, secret, token) in [
        (
            "KEEPWATCHDEMOACCESS0",
            "keepwatch-demo-secret-key-opens-nothing",
            None,
        ),
        (
            "KEEPWATCHTEMPACCESS0",
            "keepwatch-demo-temporary-secret-key",
            Some("keepwatch-demo-security-token"),
        ),
    ] {
        for dialect in ["plain", "scoped"] {
            let mut signed = settings(&client);
            signed.endpoint = Some(client.base.clone());
            signed.auth = AuthSettings::AccessKey {
                access_key: key.into(),
                secret_key: Secret::new(secret),
                security_token: token.map(Secret::new),
                project_id: client.project.clone(),
                region: "eu-de".into(),
                dialect: dialect.into(),
            };
            let csbs = open(&signed);
            read(&csbs, "policies").await;
            let backup = backed_up(&client, &csbs, "ecs-web-01").await;
            assert_eq!(backup.phase, Phase::Succeeded);
        }
    }
}
