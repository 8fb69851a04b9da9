//! `keepwatch doctor` from outside: what it finds on services that are well and on such that are not.

use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use keepwatch::sim::dialect::DialectEntry;
use keepwatch::sim::{self, Running, SimOptions};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio_rustls::TlsAcceptor;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls");

/// The embedded services in this process, furnished and standing still at the present moment.
struct World {
    running: Running,
    home: tempfile::TempDir,
}

struct Done {
    exit: i32,
    out: String,
    err: String,
}

impl World {
    async fn of(entries: Vec<DialectEntry>) -> Self {
        Self::at(entries, None).await
    }

    async fn at(entries: Vec<DialectEntry>, start: Option<&str>) -> Self {
        let options = SimOptions {
            start: start.map(|t| t.parse().expect("a time")),
            tasks: 40,
            furnished: true,
            ..SimOptions::quiet()
        };
        Self {
            running: sim::start(options, entries).await.expect("starts"),
            home: tempfile::tempdir().expect("a folder"),
        }
    }

    fn config(&self) -> String {
        self.running.config_toml()
    }

    fn control(&self, service: &str, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.running.control(service, method, path, &body);
        assert_eq!(status, 200, "{method} {path}: {answer}");
        answer
    }

    /// What a service was asked: method, target and status.
    fn asked(&self, service: &str) -> Vec<(String, String, u64)> {
        let seen = self.control(service, "GET", "requests", Value::Null);
        let text = |line: &Value, key: &str| line[key].as_str().expect("text").to_owned();
        let lines = seen.as_array().expect("a list").iter();
        lines
            .map(|l| {
                let status = l["status"].as_u64().expect("a number");
                (text(l, "method"), text(l, "target"), status)
            })
            .collect()
    }

    async fn doctor(&self, config: &str, args: &[&str]) -> Done {
        let path = self.home.path().join("config.toml");
        std::fs::write(&path, config).expect("a configuration");
        let path = path.display().to_string();
        let mut all = vec!["doctor", "--config", &path];
        all.extend(args);
        run(self.home.path(), &all).await
    }

    /// The findings as JSON, with the exit code.
    async fn findings(&self, config: &str) -> (i32, Value) {
        let done = self.doctor(config, &["--output", "json"]).await;
        let found: Value = serde_json::from_str(&done.out)
            .unwrap_or_else(|e| panic!("{e}\n{}\n{}", done.out, done.err));
        assert_eq!(found["schema"], "keepwatch.doctor.1");
        (done.exit, found)
    }
}

async fn run(home: &Path, args: &[&str]) -> Done {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_keepwatch"))
        .args(args)
        .env("HOME", home)
        .env("XDG_CONFIG_HOME", home)
        .env("XDG_DATA_HOME", home)
        .env("XDG_STATE_HOME", home)
        .env_remove("KEEPWATCH_HISTORY")
        .env("TZ", "UTC")
        .env_remove("KEEPWATCH_CONFIG")
        .env_remove("KEEPWATCH_TEST_NOT_SET")
        .stdin(Stdio::null())
        .output()
        .await
        .expect("the program starts");
    Done {
        exit: status.code().expect("an exit code"),
        out: String::from_utf8(stdout).expect("text"),
        err: String::from_utf8(stderr).expect("text"),
    }
}

fn service<'a>(found: &'a Value, name: &str) -> &'a Value {
    let services = found["services"].as_array().expect("services");
    services
        .iter()
        .find(|s| s["name"] == name)
        .unwrap_or_else(|| panic!("no {name} in {found:#}"))
}

/// The steps of one sort, by sort.
fn steps<'a>(service: &'a Value, step: &str) -> Vec<&'a Value> {
    let all = service["steps"].as_array().expect("steps");
    all.iter().filter(|s| s["step"] == step).collect()
}

fn step<'a>(service: &'a Value, step: &str) -> &'a Value {
    let found = steps(service, step);
    assert_eq!(found.len(), 1, "{step} in {service:#}");
    found[0]
}

fn states(service: &Value, step: &str) -> Vec<String> {
    let found = steps(service, step);
    found
        .iter()
        .map(|s| s["state"].as_str().expect("a word").to_owned())
        .collect()
}

fn text<'a>(step: &'a Value, key: &str) -> &'a str {
    step[key].as_str().unwrap_or_default()
}

fn remedies(step: &Value) -> String {
    let all = step["remedy"].as_array().cloned().unwrap_or_default();
    let words: Vec<String> = all
        .iter()
        .map(|r| r.as_str().expect("text").to_owned())
        .collect();
    words.join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn services_that_are_well_are_found_so_and_nothing_is_changed() {
    let world = World::of(vec![
        sim::csbs::ENTRY,
        sim::sdrs::ENTRY,
        sim::freezer::ENTRY,
    ])
    .await;
    let counters = || {
        let mut all = world.control("csbs", "GET", "counters", Value::Null);
        all.as_object_mut()
            .expect("counters")
            .retain(|name, _| !name.starts_with("keystone."));
        all
    };
    let before = counters();
    let (exit, found) = world.findings(&world.config()).await;
    assert_eq!(exit, 0, "{found:#}");
    for name in ["otc-eu", "otc-dr", "linux-files"] {
        let service = service(&found, name);
        assert_eq!(service["verdict"], "ok", "{service:#}");
        let login = step(service, "login");
        assert!(login["facts"]["valid_s"].as_u64() > Some(80_000), "{login}");
        assert!(text(step(service, "credentials"), "detail").contains("token is accepted"));
        assert!(
            states(service, "feed").iter().all(|s| s == "ok"),
            "{service:#}"
        );
        let rate = &step(service, "rate")["facts"];
        assert!(
            rate["per_minute"].as_u64() > Some(0) && rate["idle_per_minute"].as_f64() > Some(0.0)
        );
        assert_eq!(steps(service, "action").len(), 8);
        assert_eq!(steps(service, "capability").len(), 7);
        assert_eq!(step(service, "clock")["state"], "ok");
    }
    let policies = steps(service(&found, "otc-eu"), "feed");
    let policies = policies.iter().find(|f| f["facts"]["feed"] == "policies");
    assert!(policies.expect("that list")["facts"]["policies"].as_u64() > Some(8));
    let cancel = steps(service(&found, "otc-eu"), "action");
    let cancel = cancel.iter().find(|s| s["name"] == "cancel").expect("it");
    assert_eq!(cancel["state"], "not-offered");
    assert!(text(cancel, "detail").contains("CSBS publishes no call"));
    for kind in ["csbs", "sdrs", "freezer"] {
        let asked = world.asked(kind);
        assert!(!asked.is_empty());
        assert!(asked.iter().all(|(m, ..)| m == "GET"), "{kind}: {asked:?}");
    }
    assert_eq!(before, counters());
}

#[tokio::test(flavor = "multi_thread")]
async fn signed_requests_and_an_old_password_are_told_apart() {
    let world = World::of(vec![sim::dbs::ENTRY]).await;
    let config = world.config();
    let (exit, found) = world.findings(&config).await;
    assert_eq!(exit, 0, "{found:#}");
    let dbs = service(&found, "dbs-hangzhou");
    assert!(text(step(dbs, "credentials"), "detail").contains("the signature is accepted"));
    assert!(steps(dbs, "login").is_empty());
    let secret = "keepwatch-demo-secret-key-opens-nothing";
    assert!(config.contains(secret));
    let (exit, found) = world.findings(&config.replace(secret, "another")).await;
    assert_eq!(exit, 4);
    let dbs = service(&found, "dbs-hangzhou");
    let credentials = step(dbs, "credentials");
    assert_eq!(credentials["state"], "failed");
    assert_eq!(credentials["code"], "SignatureDoesNotMatch");
    assert!(
        remedies(credentials).contains("secret_key"),
        "{credentials}"
    );
    assert!(
        states(dbs, "feed").iter().all(|s| s == "skipped"),
        "{dbs:#}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_shown_once_and_costs_the_other_service_nothing() {
    let world = World::of(vec![sim::csbs::ENTRY, sim::freezer::ENTRY]).await;
    let config = world.config().replacen("demo-password", "hunter-two", 1);
    let (exit, found) = world.findings(&config).await;
    assert_eq!(exit, 4);
    assert_eq!(service(&found, "linux-files")["verdict"], "ok");
    let bad = service(&found, "otc-eu");
    assert_eq!(bad["verdict"], "failed");
    let login = step(bad, "login");
    assert_eq!(
        (&login["state"], &login["http_status"]),
        (&"failed".into(), &401.into())
    );
    assert!(remedies(login).contains("isn't locked"), "{login}");
    assert_eq!(
        step(bad, "connection")["state"],
        "ok",
        "the way is looked at all the same"
    );
    assert!(
        states(bad, "feed").iter().all(|s| s == "skipped"),
        "{bad:#}"
    );
    assert!(!found.to_string().contains("hunter-two"));
    let asked = world.asked("keystone");
    let refused = asked.iter().filter(|(.., status)| *status == 401).count();
    assert_eq!(refused, 1, "{asked:?}");
    assert_eq!(world.asked("csbs").len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_port_ends_at_the_connection() {
    let world = World::of(vec![sim::csbs::ENTRY, sim::freezer::ENTRY]).await;
    world.control("csbs", "POST", "faults", json!({"fault": "refused"}));
    // the port closes when the server's loop gets to it
    let port = world.running.services[0].port;
    while TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
        tokio::task::yield_now().await;
    }
    let (exit, found) = world.findings(&world.config()).await;
    assert_eq!(exit, 4);
    let closed = service(&found, "otc-eu");
    assert_eq!(step(closed, "login")["state"], "ok");
    let connection = step(closed, "connection");
    assert_eq!(connection["state"], "failed");
    assert!(
        remedies(connection).contains("address and port"),
        "{connection}"
    );
    assert!(text(connection, "detail").contains(&port.to_string()));
    assert!(
        states(closed, "feed").iter().all(|s| s == "skipped"),
        "{closed:#}"
    );
    assert_eq!(service(&found, "linux-files")["verdict"], "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_host_ends_at_the_name() {
    let world = World::of(vec![sim::freezer::ENTRY]).await;
    let port = world.running.services[0].port;
    let secret = world.home.path().join("password");
    std::fs::write(&secret, "demo-password\n").expect("a secret");
    let config = world
        .config()
        .replace(
            &format!("http://127.0.0.1:{port}"),
            "https://no-such-host.invalid",
        )
        .replace(
            "{ value = \"demo-password\" }",
            &format!("{{ file = {:?} }}", secret.display().to_string()),
        );
    let (exit, found) = world.findings(&config).await;
    assert_eq!(exit, 4);
    let lost = service(&found, "linux-files");
    assert!(text(step(lost, "configuration"), "detail").contains("password from the file"));
    let name = step(lost, "name");
    assert_eq!(name["state"], "failed", "{lost:#}");
    assert!(
        text(name, "detail").contains("no-such-host.invalid"),
        "{name}"
    );
    assert!(remedies(name).contains("name resolution"), "{name}");
    assert_eq!(states(lost, "connection"), ["skipped"]);
    assert_eq!(states(lost, "tls"), ["skipped"]);
}

/// TLS with the certificate for localhost before the port of a service; gives its port.
async fn behind_tls(port: u16) -> u16 {
    let certificate = CertificateDer::from_pem_file(format!("{FOLDER}/server.pem")).expect("PEM");
    let key = PrivateKeyDer::from_pem_file(format!("{FOLDER}/server-key.pem")).expect("PEM");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a key that fits");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let own = listener.local_addr().expect("its address").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let (Ok(mut tls), Ok(mut to)) = (
                    acceptor.accept(stream).await,
                    TcpStream::connect(("127.0.0.1", port)).await,
                ) else {
                    return;
                };
                let _ = copy_bidirectional(&mut tls, &mut to).await;
            });
        }
    });
    own
}

#[tokio::test(flavor = "multi_thread")]
async fn the_certificate_is_read_out_and_judged_as_configured() {
    let world = World::of(vec![sim::freezer::ENTRY]).await;
    let port = world.running.services[0].port;
    let own = behind_tls(port).await;
    let with = |host: &str, tls: &str| {
        let plain = world.config();
        let config = plain.replace(
            &format!("http://127.0.0.1:{port}"),
            &format!("https://{host}:{own}"),
        );
        assert_ne!(config, plain);
        format!("{config}[service.tls]\n{tls}\n")
    };
    let ca = format!("ca_file = \"{FOLDER}/ca.pem\"");
    let (exit, found) = world.findings(&with("localhost", &ca)).await;
    assert_eq!(exit, 0, "{found:#}");
    let tls = step(service(&found, "linux-files"), "tls");
    assert!(text(tls, "detail").contains("trusted by ca_file"), "{tls}");
    let facts = &tls["facts"];
    assert_eq!(facts["names"], json!(["localhost", "127.0.0.1"]));
    assert_eq!(facts["issuer"], "CN=Keepwatch test authority");
    assert_eq!(facts["not_after"], "2120-01-01T00:00:00.000Z");
    assert_eq!(facts["version"], "TLS 1.3");

    let other = format!("ca_file = \"{FOLDER}/unrelated.pem\"");
    let (exit, found) = world.findings(&with("localhost", &other)).await;
    assert_eq!(exit, 4);
    let service_found = service(&found, "linux-files");
    let tls = step(service_found, "tls");
    assert_eq!(tls["state"], "failed");
    assert!(
        text(tls, "detail").contains("for localhost, 127.0.0.1"),
        "{tls}"
    );
    assert!(
        remedies(tls).contains("give its PEM file as ca_file"),
        "{tls}"
    );
    let digest = {
        let der = CertificateDer::from_pem_file(format!("{FOLDER}/server.pem")).expect("PEM");
        hex::encode_upper(Sha256::digest(der.as_ref()))
    };
    assert!(remedies(tls).contains(&digest), "{tls}");
    assert!(states(service_found, "feed").iter().all(|s| s == "skipped"));
    assert!(world.asked("freezer").iter().all(|(m, ..)| m == "GET"));

    // a pin takes the certificate under another name too; another pin does not
    let (exit, found) = world
        .findings(&with("127.0.0.1", &format!("pin_sha256 = \"{digest}\"")))
        .await;
    assert_eq!(exit, 0, "{found:#}");
    let pin = "ab".repeat(32);
    let (exit, found) = world
        .findings(&with("localhost", &format!("pin_sha256 = \"{pin}\"")))
        .await;
    assert_eq!(exit, 4);
    let tls = step(service(&found, "linux-files"), "tls");
    assert!(remedies(tls).contains("change pin_sha256"), "{tls}");
    let (exit, found) = world
        .findings(&with("localhost", "ca_file = \"nowhere.pem\""))
        .await;
    assert_eq!(exit, 4);
    let opened = step(service(&found, "linux-files"), "configuration");
    assert!(text(opened, "detail").contains("nowhere.pem"), "{opened}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_off_is_noticed_and_matters_for_signatures() {
    let world = World::at(
        vec![sim::csbs::ENTRY, sim::dbs::ENTRY],
        Some("2026-01-05T06:00:00Z"),
    )
    .await;
    world.control(
        "csbs",
        "POST",
        "switches",
        json!({"name": "gateway.signature_clock", "value": "virtual"}),
    );
    let (exit, found) = world.findings(&world.config()).await;
    assert_eq!(exit, 4);
    let tokens = service(&found, "otc-eu");
    assert_eq!(tokens["verdict"], "warning", "{tokens:#}");
    let clock = step(tokens, "clock");
    assert_eq!(
        clock["facts"]["service_time"].as_str().map(|t| &t[..17]),
        Some("2026-01-05T06:00:")
    );
    assert!(remedies(clock).contains("NTP"), "{clock}");
    let signatures = service(&found, "dbs-hangzhou");
    assert_eq!(
        step(signatures, "credentials")["code"],
        "InvalidTimeStamp.Expired"
    );
    let clock = step(signatures, "clock");
    assert_eq!(clock["state"], "failed");
    assert!(remedies(clock).contains("15 minutes"), "{clock}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_slows_us_down_is_left_alone() {
    let world = World::of(vec![sim::csbs::ENTRY]).await;
    world.control(
        "csbs",
        "POST",
        "faults",
        json!({"fault": "rate_limit", "retry_after": 30, "times": 0}),
    );
    let (exit, found) = world.findings(&world.config()).await;
    assert_eq!(exit, 4);
    let slow = service(&found, "otc-eu");
    let lists = states(slow, "feed");
    assert_eq!(lists[0], "failed", "{slow:#}");
    assert!(lists[1..].iter().all(|s| s == "skipped"), "{lists:?}");
    assert_eq!(step(slow, "rate")["facts"]["said"]["retry-after"], "30");
    let asked = world.asked("csbs");
    assert_eq!(
        asked.iter().filter(|(.., s)| *s == 429).count(),
        asked.len()
    );
    // parts of one list may have been under way together; no further list was asked
    assert!(asked.len() <= 6, "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_list_that_fails_is_named_and_the_others_are_read() {
    let world = World::of(vec![sim::freezer::ENTRY]).await;
    world.control(
        "freezer",
        "POST",
        "faults",
        json!({"fault": "status", "status": 500, "path": "/clients", "times": 0}),
    );
    let (exit, found) = world.findings(&world.config()).await;
    assert_eq!(exit, 4);
    let half = service(&found, "linux-files");
    for list in steps(half, "feed") {
        let expected = if text(list, "name") == "list clients" {
            "failed"
        } else {
            "ok"
        };
        assert_eq!(list["state"], expected, "{list}");
    }
    assert_eq!(step(half, "credentials")["state"], "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_not_there_and_what_the_configuration_forbids() {
    let world = World::of(vec![sim::csbs::ENTRY, sim::freezer::ENTRY]).await;
    let config = world.config().replacen(
        "{ value = \"demo-password\" }",
        "{ env = \"KEEPWATCH_TEST_NOT_SET\" }",
        1,
    );
    let config = config.replace(
        "kind = \"freezer\"",
        "kind = \"freezer\"\nallow = [\"cancel\"]",
    );
    let (exit, found) = world.findings(&config).await;
    assert_eq!(exit, 4);
    let unset = service(&found, "otc-eu");
    let opened = step(unset, "configuration");
    assert!(text(opened, "detail").contains("KEEPWATCH_TEST_NOT_SET is not set"));
    assert!(
        remedies(opened).contains("Set KEEPWATCH_TEST_NOT_SET"),
        "{opened}"
    );
    assert_eq!(states(unset, "rest"), ["skipped"]);
    for action in steps(service(&found, "linux-files"), "action") {
        let state = text(action, "state");
        match text(action, "name") {
            "cancel" => assert_eq!(state, "partly"),
            "clear" | "restore" | "delete" => assert_eq!(state, "not-offered"),
            _ => {
                assert_eq!(state, "forbidden", "{action}");
                assert!(text(action, "detail").contains("allow list"), "{action}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_passwords_of_an_operations_dashboard_are_tried_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 4096];
            // a connection without a request is the look at the port
            if stream.read(&mut head).await.is_ok_and(|n| n > 0) {
                count.fetch_add(1, Ordering::Relaxed);
                let answer = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
                let _ = stream.write_all(answer).await;
            }
        }
    });
    let world = World::of(vec![]).await;
    let inbox = world.home.path().join("inbox");
    let config = format!(
        "[[service]]\nname = \"gateways\"\nkind = \"dpod\"\nendpoint = \"http://127.0.0.1:{port}\"\n\
         [service.auth]\nmethod = \"basic\"\nusername = \"watch\"\npassword = {{ value = \"wrong\" }}\n\
         [service.options]\ninbox = {:?}\n",
        inbox.display().to_string()
    );
    let (exit, found) = world.findings(&config).await;
    assert_eq!(exit, 4);
    let dpod = service(&found, "gateways");
    let credentials = step(dpod, "credentials");
    assert_eq!(credentials["state"], "failed");
    assert!(
        remedies(credentials).contains("tried once"),
        "{credentials}"
    );
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    let events = steps(dpod, "feed");
    let events = events.iter().find(|f| f["facts"]["feed"] == "events");
    let events = events.expect("the scripts' events");
    assert_eq!(events["facts"]["requests"], 0);
    assert!(
        text(events, "detail").contains("none of its scripts"),
        "{events}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn people_get_aligned_lines_and_a_wrong_name_is_no_examination() {
    let world = World::of(vec![sim::freezer::ENTRY]).await;
    world.control(
        "freezer",
        "POST",
        "faults",
        json!({"fault": "status", "status": 500, "path": "/clients", "times": 0}),
    );
    let config = format!("{}[ui]\nascii = true\n", world.config());
    let done = world.doctor(&config, &["linux-files"]).await;
    assert_eq!(done.exit, 4, "{}", done.err);
    let lines: Vec<&str> = done.out.lines().collect();
    assert!(
        lines[0].starts_with("x linux-files: 1 failed (freezer, "),
        "{}",
        done.out
    );
    let failed = lines.iter().position(|l| l.starts_with("  x failed "));
    let failed = failed.unwrap_or_else(|| panic!("{}", done.out));
    assert!(lines[failed].contains("list clients"), "{}", done.out);
    let remedy = lines[failed..].iter().find(|l| l.contains("-> "));
    assert!(
        remedy.is_some_and(|l| l.starts_with(&" ".repeat(39))),
        "{}",
        done.out
    );
    for line in &lines[1..] {
        assert!(
            line.chars().count() <= 100 || !line.trim().contains(' '),
            "{line}"
        );
        if line.starts_with("  o ok ") {
            assert!(line.len() > 39 && line.as_bytes()[38] == b' ', "{line}");
            assert_ne!(line.as_bytes()[39], b' ', "{line}");
        }
    }
    assert!(
        done.out
            .contains("1 service: 0 ok, 0 with warnings, 1 failed."),
        "{}",
        done.out
    );
    let done = world.doctor(&config, &["linux-fils"]).await;
    assert_eq!(done.exit, 2);
    assert!(
        done.err.contains("linux-fils: no service is called so"),
        "{}",
        done.err
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_configuration_the_embedded_services_are_examined() {
    let home = tempfile::tempdir().expect("a home");
    let done = run(home.path(), &["doctor", "linux-files"]).await;
    assert_eq!(done.exit, 0, "{}\n{}", done.out, done.err);
    assert!(done.err.contains("embedded demo services"), "{}", done.err);
    assert!(
        done.out.contains("linux-files: works (freezer"),
        "{}",
        done.out
    );
    assert!(done.out.contains("embedded demo service)"), "{}", done.out);
}
