//! What the configuration may say, and what is said of it when it is wrong.

use super::*;
use crate::connect::Provenance;

async fn nobody() -> Scripted {
    Scripted::start(|_, _| Say::json(404, "")).await
}

fn opened(settings: &Settings) -> Result<Arc<dyn Connector>, String> {
    (DRIVER.open)(settings).map_err(|fault| {
        assert_eq!(fault.kind, FaultKind::Config);
        fault.to_string()
    })
}

/// Why a service can't be opened.
fn unopened(settings: &Settings) -> String {
    match opened(settings) {
        Ok(_) => panic!("it opens"),
        Err(why) => why,
    }
}

fn plain(endpoint: Option<&str>, org: &str) -> Settings {
    let mut s = settings(KIND, endpoint.map(str::to_owned));
    s.auth = AuthSettings::Basic {
        username: "u".into(),
        password: Secret::new("p"),
    };
    s.options.insert("org_id".into(), org.into());
    s
}

#[tokio::test]
async fn the_address_may_be_given_in_full_in_part_or_not_at_all() {
    let whole = "https://api.atlassian.com/public/backup-management/v2/orgs/o1";
    for (endpoint, org) in [
        (None, "o1"),
        (Some("https://api.atlassian.com"), "o1"),
        (
            Some("https://api.atlassian.com/public/backup-management/v2/"),
            "o1",
        ),
        (
            Some("https://api.atlassian.com/public/backup-management/v2/orgs"),
            "o1",
        ),
        (
            Some("https://api.atlassian.com/public/backup-management/v2/orgs/{orgId}"),
            "o1",
        ),
        (Some(whole), ""),
        (Some(whole), "another, which the address overrules"),
    ] {
        let atlassian = opened(&plain(endpoint, org)).unwrap();
        let base = atlassian.way().unwrap().base().await.unwrap().to_string();
        assert_eq!(base, whole, "{endpoint:?}");
    }
    let odd = opened(&plain(None, "a/b c")).unwrap();
    let base = odd.way().unwrap().base().await.unwrap().to_string();
    assert!(base.ends_with("/orgs/a%2Fb%20c"), "{base}");
}

#[test]
fn what_is_missing_or_another_api_is_named() {
    for (endpoint, org, said) in [
        (None, "", "organisation's id is not known"),
        (
            Some("https://api.atlassian.com/x/{orgId}"),
            "",
            "has a place for the organisation's id",
        ),
        (
            Some("https://acme.atlassian.net"),
            "o1",
            "is a site; its own backup calls are another, older API",
        ),
        (
            Some("https://acme.example/wiki/rest/obm/1.0/runbackup"),
            "o1",
            "is a site",
        ),
        (
            Some("https://proxy.example/atlassian"),
            "o1",
            "ends neither in v2",
        ),
        (Some("not an address"), "o1", "is not an address"),
        (Some("http://api.atlassian.com"), "o1", "plain HTTP"),
        (None, "..", "no organisation's id"),
    ] {
        let why = unopened(&plain(endpoint, org));
        assert!(why.contains(said), "{endpoint:?}: {why}");
    }
    let mut s = plain(None, "o1");
    s.auth = AuthSettings::None;
    assert!(unopened(&s).contains("e-mail and API token"));
    s.auth = AuthSettings::Bearer {
        token: Secret::new("t"),
    };
    assert!(
        opened(&s).is_ok(),
        "nobody says that an organisation's API key is refused"
    );
    for (name, value) in [
        ("share", "0"),
        ("share", "many"),
        ("page_size", "0"),
        ("first_page", "2"),
    ] {
        let mut s = plain(None, "o1");
        s.options.insert(name.into(), value.into());
        let why = unopened(&s);
        assert!(
            why.contains(&format!("the option {name} is \"{value}\"")),
            "{why}"
        );
    }
}

#[tokio::test]
async fn the_share_decides_the_rate_unless_one_is_given() {
    let rate = |share: Option<&str>, rate: Option<u32>| {
        let mut s = plain(None, "o1");
        s.rate_per_minute = rate;
        if let Some(share) = share {
            s.options.insert("share".into(), share.into());
        }
        opened(&s).unwrap().way().unwrap().http().rate_per_minute()
    };
    assert_eq!(rate(None, None), 50);
    assert_eq!(rate(Some("20%"), None), 20);
    assert_eq!(rate(Some("1"), None), 1);
    assert_eq!(rate(Some("20%"), Some(80)), 80);
}

#[test]
fn paths_are_checked() {
    for (option, path, said) in [
        ("path_backups", "backups", "{policyId} is missing"),
        (
            "path_backups",
            "policies/{id}/backups",
            "\"{id}\" can't stand in it",
        ),
        ("path_restores", "restores//x", "an empty segment"),
        ("path_restores", "../restores", "\"..\" can't stand in it"),
        (
            "path_restores",
            "restores?x=1",
            "more than segments and slashes",
        ),
        (
            "path_storages",
            "https://evil.example/",
            "more than segments and slashes",
        ),
        ("path_restore", "restores/a{restoreId}", "can't stand in it"),
    ] {
        let mut s = plain(None, "o1");
        s.options.insert(option.into(), path.into());
        let why = unopened(&s);
        assert!(why.contains(said) && why.contains(option), "{why}");
    }
}

#[tokio::test]
async fn every_path_says_where_it_comes_from() {
    let server = nobody().await;
    let atlassian = connect_with(
        &server,
        &[
            ("path_backup", "/policies/{policyId}/backups/{backupId}"),
            ("path_storages", ""),
            ("path_revalidate", ""),
        ],
    );
    let all = atlassian.endpoints();
    let of = |name: &str| all.iter().find(|e| e.capability == name).unwrap();
    let documented: Vec<&str> = all
        .iter()
        .filter(|e| e.provenance == Provenance::Documented)
        .map(|e| e.path.as_str())
        .collect();
    assert_eq!(
        documented,
        ["policies/{policyId}", "policies/{policyId}/activate"]
    );
    assert_eq!(of("Activate the backup policy").method, "PUT");
    assert_eq!(
        of("Get all backup policies").provenance,
        Provenance::Inferred
    );
    assert_eq!(of("Get all backup policies").option, "path_policies");
    let set = of("Get backup details");
    assert_eq!(
        (set.provenance, set.path.as_str()),
        (
            Provenance::Configured,
            "policies/{policyId}/backups/{backupId}"
        )
    );
    let off = of("Get all storages");
    assert_eq!(
        (off.provenance, off.path.as_str(), off.remark),
        (Provenance::Configured, "", "Switched off.")
    );
    assert_eq!(
        of("Revalidate restore").provenance,
        Provenance::Unknown,
        "nothing was switched off that was never on"
    );
    assert_eq!(
        of("Get post operation report").provenance,
        Provenance::Unknown
    );
    // each option exists once and the documented paths have none
    let mut options: Vec<&str> = all
        .iter()
        .map(|e| e.option)
        .filter(|o| !o.is_empty())
        .collect();
    let count = options.len();
    options.sort_unstable();
    options.dedup();
    assert_eq!((options.len(), count), (8, 8));
    assert!(
        all.iter()
            .all(|e| e.provenance != Provenance::Documented || e.option.is_empty())
    );
}

#[tokio::test]
async fn a_path_that_is_set_is_the_one_that_is_asked() {
    let server = serve(|_, path| match path {
        "backup-policies" => Some(listed("policies", &[policy("p/1", "ACTIVE")])),
        "jobs/backups/of/p%2F1" => Some(listed(
            "backups",
            &[backup("b1", "COMPLETED", "2026-11-20T02:00:00Z", "")],
        )),
        "jobs/b1/in/p%2F1" => Some(Say::json(
            200,
            backup("b1", "COMPLETED", "", "").to_string(),
        )),
        _ => None,
    })
    .await;
    let atlassian = connect_with(
        &server,
        &[
            ("path_policies", "backup-policies"),
            ("path_backups", "jobs/backups/of/{policyId}"),
            ("path_backup", "jobs/{backupId}/in/{policyId}"),
            ("path_restores", ""),
        ],
    );
    assert_eq!(read(&atlassian, TASKS).await.tasks.len(), 1);
    let look = atlassian.look_up("b1").await.unwrap();
    assert!(
        matches!(look, crate::connect::TaskLook::Found(_)),
        "{look:?}"
    );
    assert_eq!(server.count("GET", &format!("{BASE}/restores")), 0);
}

#[tokio::test]
async fn every_request_is_proven_and_secrets_stay_out_of_sight() {
    let server = serve(|_, _| None).await;
    let atlassian = connect(&server);
    read(&atlassian, POLICIES).await;
    read(&atlassian, TASKS).await;
    // the published curl lines show no credentials: the guide on authorization does
    for seen in server.seen() {
        assert_eq!(
            seen.header("authorization"),
            "Basic YWRtaW5AZXhhbXBsZS5vcmc6YXBpLXRva2Vu"
        );
        assert_eq!(seen.header("accept"), "application/json");
    }
    let shown = format!("{:?} {:?}", atlassian.way().unwrap(), atlassian.endpoints());
    for secret in ["api-token", "YWRtaW5A", "acc-7"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[tokio::test]
async fn the_self_test_says_what_else_is_set() {
    let server = nobody().await;
    let steps = connect(&server).check().await;
    assert!(
        steps[0]
            .1
            .as_ref()
            .unwrap_err()
            .what
            .contains("rate_per_minute is 60000")
    );
    assert_eq!(steps[1].1.as_deref(), Ok("configured"));
    let mut s = plain(None, "o1");
    s.rate_per_minute = None;
    let steps = opened(&s).unwrap().check().await;
    assert_eq!(
        steps[0].1.as_deref(),
        Ok("at most 50 of its 100 reads a minute")
    );
    assert!(steps[1].1.as_ref().unwrap().contains("account_id"));
}
