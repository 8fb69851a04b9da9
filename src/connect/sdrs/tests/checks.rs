//! What `doctor` asks besides the lists.

use super::*;

#[tokio::test]
async fn places_and_quotas_are_told_in_words() {
    let server = Scripted::start(|seen, _| match seen.path() {
        "/v1/p1/active-domains" => Say::json(
            200,
            json!({"domains": [
                {"id": "d1", "name": "domain_001", "description": "x", "sold_out": false,
                 "local_replication_cluster": {"availability_zone": "eu-de-01"},
                 "remote_replication_cluster": {"availability_zone": "eu-de-02"}},
                {"id": "d2", "name": null, "sold_out": "true", "local_replication_cluster": null}]})
            .to_string(),
        ),
        "/v1/p1/sdrs/quotas" => Say::json(
            200,
            json!({"quotas": {"resources": [
                {"type": "server_groups", "used": 10, "quota": 50, "min": 0, "max": -1},
                {"type": "replications", "used": "1", "quota": -1, "min": 0, "max": -1},
                {"type": "drills", "used": 3}, {"quota": null}]}})
            .to_string(),
        ),
        _ => empty(seen),
    })
    .await;
    let told: Vec<(String, String)> = connector(&server)
        .check()
        .await
        .into_iter()
        .map(|(name, outcome)| (name, outcome.unwrap()))
        .collect();
    let of = |name: &str| told.iter().find(|(n, _)| n == name).unwrap().1.as_str();
    assert_eq!(
        of("read places"),
        "domain_001 (eu-de-01 → eu-de-02); d2 (? → ?, sold out)"
    );
    assert_eq!(
        of("read quotas"),
        "server_groups: 10 of 50 used; replications: 1 used, no limit; drills: 3 of ? used; ?: ? of ? used",
        "a limit that is not told is none that is known, not none"
    );
    assert!(server.seen().iter().all(|s| s.method == "GET"));
}

#[tokio::test]
async fn a_refused_question_costs_itself() {
    let server = Scripted::start(|seen, _| match seen.path() {
        "/v1/p1/active-domains" => error(403, "SDRS.0203"),
        _ => Say::json(200, r#"{"quotas":{"resources":[]}}"#),
    })
    .await;
    let told = connector(&server).check().await;
    assert_eq!(told.len(), 2);
    assert_eq!(
        told[0].1.as_ref().unwrap_err().code.as_ref().unwrap().code,
        "SDRS.0203"
    );
    assert!(told[1].1.is_ok());
}
