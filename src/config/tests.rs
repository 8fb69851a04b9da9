//! What may be written, what is refused and how, and the sample beside the defaults.

use std::path::Path;

use super::*;
use crate::connect::AuthSettings;
use crate::model::{ServiceId, Verb};

const KINDS: [Kind; 4] = [
    Kind("csbs"),
    Kind("sdrs"),
    Kind("freezer"),
    Kind("atlassian"),
];

fn parse(text: &str) -> Result<Config, Vec<String>> {
    Config::parse(text, "c.toml", Path::new("/etc/kw"), &KINDS)
        .map_err(|all| all.iter().map(ToString::to_string).collect())
}

const DEMO: &str = r#"
[[service]]
name = "otc-eu"
kind = "csbs"
endpoint = "http://127.0.0.1:4711/v1/{project_id}"
[service.auth]
method = "keystone"
url = "http://127.0.0.1:4710/v3"
username = "operator"
password = { value = "demo-password" }
user_domain = "Default"
project = "backup-demo"
project_domain = "Default"
"#;

#[test]
fn what_the_embedded_services_write_is_taken() {
    let config = parse(DEMO).unwrap();
    let settings = config.services[0].settings(ServiceId(0)).unwrap();
    assert_eq!(&*settings.name, "otc-eu");
    assert_eq!(settings.kind, Kind("csbs"));
    let AuthSettings::KeystonePassword {
        password, project, ..
    } = settings.auth
    else {
        panic!("another method");
    };
    assert_eq!(password.expose(), "demo-password");
    assert_eq!(project, "backup-demo");
}

#[test]
fn everything_that_may_be_written_reaches_the_settings() {
    let config = parse(
        r#"
read_only = true
[ui]
theme = "mono"
ascii = true
keymap = "keys.toml"
utc = true
[rpo]
default = "2d"
[[service]]
name = "a"
kind = "sdrs"
region = "eu-de"
rate_per_minute = 30
timeout = "5s"
max_body = "1MiB"
history = "36h"
every = "1m"
read_only = true
allow = ["retry", "clear"]
[service.auth]
method = "aksk"
access_key = "AK"
secret_key = { command = ["printf", "sk"] }
security_token = { env = "PATH" }
project_id = "p"
region = "r"
dialect = "scoped"
[service.tls]
ca_file = "ca.pem"
pin_sha256 = "00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff"
[service.options]
page_size = 50
allow_plain_http = true
note = "x"
"#,
    )
    .unwrap();
    assert!(config.read_only && config.ui.ascii && config.ui.utc);
    assert_eq!(config.ui.theme, "mono");
    assert_eq!(
        config.ui.keymap.as_deref(),
        Some(Path::new("/etc/kw/keys.toml"))
    );
    assert_eq!(config.rpo.default_ms, 2 * 86_400_000);
    let service = &config.services[0];
    assert_eq!(
        service.allow.as_deref(),
        Some(&[Verb::Retry, Verb::Clear][..])
    );
    assert_eq!(service.every_ms, Some(60_000));
    assert!(service.read_only && service.service(ServiceId(0), false).read_only);
    let s = service.settings(ServiceId(3)).unwrap();
    assert_eq!(
        (s.id, s.rate_per_minute, s.timeout_ms),
        (ServiceId(3), Some(30), 5_000)
    );
    assert_eq!((s.max_body, s.history_hours), (1 << 20, 36));
    assert_eq!(s.tls.ca_file.as_deref(), Some(Path::new("/etc/kw/ca.pem")));
    assert_eq!(s.options["page_size"], "50");
    assert_eq!(s.options["allow_plain_http"], "true");
    let AuthSettings::AccessKey {
        secret_key,
        security_token,
        ..
    } = s.auth
    else {
        panic!("another method");
    };
    assert_eq!(secret_key.expose(), "sk");
    assert_eq!(
        security_token.unwrap().expose(),
        std::env::var("PATH").unwrap()
    );
}

#[test]
fn nothing_configured_is_no_mistake_but_a_named_file_must_be_there() {
    assert_eq!(parse("").unwrap(), Config::default());
    let wrong = Config::load(Some(Path::new("/nowhere/x.toml")), &KINDS).unwrap_err();
    assert!(
        wrong[0]
            .to_string()
            .starts_with("/nowhere/x.toml: the configuration can't be read")
    );
}

#[test]
fn mistakes_come_together_each_with_its_place_and_advice() {
    let wrong = parse(
        r#"[[service]]
name = "a"
kind = "cbss"
endpont = "https://x/"
timeout = "long"
[service.auth]
method = "keystone"
url = "iam.example/v3"
username = ""
pasword = { env = "P" }

[[service]]
name = "a"
kind = "csbs"
allow = ["retri"]
[service.auth]
method = "bassic"

[ui]
colour = 1
"#,
    )
    .unwrap_err();
    let has = |line: &str, part: &str| {
        assert!(
            wrong
                .iter()
                .any(|w| w.starts_with(&format!("c.toml:{line}:")) && w.contains(part)),
            "{line} {part}\n{wrong:#?}"
        );
    };
    has(
        "3",
        "\"cbss\", which keepwatch does not know. Did you mean \"csbs\"? Known here: atlassian, csbs, freezer, sdrs",
    );
    has(
        "4",
        "unknown key \"endpont\" in [[service]]. Did you mean \"endpoint\"?",
    );
    has(
        "5",
        "\"timeout\" of [[service]] is \"long\". Expected a span of time",
    );
    has("6", "neither \"project\" nor \"project_id\" is given");
    has("6", "\"password\" of [service.auth] is missing");
    has("8", "\"url\" of [service.auth] is no web address");
    has("9", "\"username\" of [service.auth] is empty");
    has(
        "10",
        "unknown key \"pasword\" in [service.auth]. Did you mean \"password\"?",
    );
    has(
        "15",
        "\"retri\" in \"allow\" is no action. Did you mean \"retry\"?",
    );
    has(
        "17",
        "\"method\" of [service.auth] is \"bassic\". Did you mean \"basic\"?",
    );
    has("20", "unknown key \"colour\" in [ui]");
}

#[test]
fn two_services_of_one_name_are_refused() {
    let wrong = parse(&format!("{DEMO}{DEMO}")).unwrap_err();
    assert_eq!(wrong.len(), 1);
    assert!(
        wrong[0].starts_with("c.toml:16:8: two services are called \"otc-eu\""),
        "{wrong:?}"
    );
}

#[test]
fn secrets_in_the_file_are_refused_without_showing_them() {
    let away = DEMO.replace("127.0.0.1:4711", "csbs.example");
    let wrong = parse(&away).unwrap_err();
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert!(
        wrong[0].starts_with("c.toml:10:12: \"password\" is written out"),
        "{wrong:?}"
    );
    assert!(wrong[0].contains("{ env = \"NAME\" }"));
    let text = DEMO.replace("{ value = \"demo-password\" }", "\"hunter2\"");
    let wrong = parse(&text).unwrap_err();
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert!(wrong[0].contains("Secrets don't belong in this file"));
    let inside = DEMO.replace("http://127.0.0.1:4711", "http://me:hunter2@127.0.0.1:4711");
    let wrong = parse(&inside).unwrap_err();
    assert!(wrong[0].contains("holds credentials"), "{wrong:?}");
    for text in [away, text, inside] {
        let all = parse(&text).unwrap_err().join("\n");
        assert!(
            !all.contains("hunter2") && !all.contains("demo-password"),
            "{all}"
        );
    }
}

#[test]
fn a_secret_needs_exactly_one_source() {
    let with =
        |source: &str| parse(&DEMO.replace("{ value = \"demo-password\" }", source)).unwrap_err();
    assert!(with("{}")[0].contains("says no source"));
    assert!(with("{ env = \"A\", file = \"b\" }")[0].contains("several sources"));
    assert!(with("{ envv = \"A\" }")[0].contains("Did you mean \"env\""));
    assert!(with("{ command = [] }")[0].contains("names no program"));
    assert!(with("7")[0].contains("is a number"));
}

#[test]
fn a_secret_that_cant_be_had_concerns_its_service_alone() {
    let text = DEMO.replace(
        "value = \"demo-password\"",
        "env = \"KEEPWATCH_TEST_NOT_SET\"",
    );
    let config = parse(&format!("{text}{}", DEMO.replace("otc-eu", "other"))).unwrap();
    let fault = config.services[0].settings(ServiceId(0)).unwrap_err();
    assert!(
        fault.to_string().contains("password of service otc-eu"),
        "{fault}"
    );
    assert!(config.services[1].settings(ServiceId(1)).is_ok());
}

#[test]
fn only_this_machine_is_loopback() {
    let on = |endpoint: &str, url: &str| {
        let mut service = ServiceConfig::new("a", KINDS[0]);
        service.endpoint = (!endpoint.is_empty()).then(|| endpoint.to_owned());
        service.auth.url = url.to_owned();
        service.is_on_loopback()
    };
    assert!(on("http://127.0.0.1:1/{project_id}", ""));
    assert!(on("", "http://localhost:1/v3"));
    assert!(on("http://[::1]:1/", "http://127.9.9.9/"));
    assert!(!on("http://127.0.0.1:1/", "https://iam.example/v3"));
    assert!(!on("http://127.0.0.1.example.org/", ""));
    assert!(!on("http://0.0.0.0/", ""));
    assert!(!on("", ""));
}

#[test]
fn targets_are_rules_with_a_filter_and_one_for_all_others() {
    let config = parse(
        "[[rpo]]\nwhere = \"policy:weekly*\"\nwithin = \"8d\"\n[[rpo]]\nwithin = \"25h\"\n[[rpo]]\nwhere = \"service:dr\"\nwithin = \"1h\"\n",
    )
    .unwrap();
    assert_eq!(config.rpo.default_ms, 25 * 3_600_000);
    let rules: Vec<(&str, u64)> = config
        .rpo
        .rules
        .iter()
        .map(|r| (r.query.text(), r.within_ms / 3_600_000))
        .collect();
    assert_eq!(rules, [("policy:weekly*", 192), ("service:dr", 1)]);
    for (text, says) in [
        (
            "[[rpo]]\nwhere = \"colour:red\"\nwithin = \"8d\"\n",
            "c.toml:2:9: \"where\"",
        ),
        (
            "[[rpo]]\nwhere = \"!is:overdue\"\nwithin = \"8d\"\n",
            "c.toml:2:9: \"where\" of [[rpo]] depends on time",
        ),
        (
            "[[rpo]]\nwhere = \"x\"\n",
            "\"within\" of [[rpo]] is missing",
        ),
        ("[[rpo]]\nwithin = \"soon\"\n", "c.toml:2:10:"),
        (
            "[[rpo]]\nwithin = \"1h\"\n[[rpo]]\nwithin = \"2h\"\n",
            "c.toml:4:10: two",
        ),
        ("[[rpo]]\nwithin = \"1h\"\nhow = 1\n", "unknown key"),
    ] {
        let mistakes = parse(text).unwrap_err().join("\n");
        assert!(mistakes.contains(says), "{text}{mistakes}");
    }
}

/// The sample shows each setting of `[ui]` and `[rpo]` with its default. Settings of services are shown
/// switched off (`#name = …`, no blank after the mark): switched on they must be valid, and those that
/// may be left out must stand there with their default.
#[test]
fn the_sample_holds_the_defaults_and_only_valid_settings() {
    let sample = include_str!("../../assets/docs/config.sample.toml");
    let config = parse(sample).unwrap_or_else(|all| panic!("{all:#?}"));
    assert_eq!(config, Config::default());
    let on: String = sample
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if !rest.is_empty() && !rest.starts_with(' ') => format!("{rest}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let config = parse(&on).unwrap_or_else(|all| panic!("{all:#?}"));
    assert!(config.services.len() >= 3);
    let full = &config.services[0];
    let plain = ServiceConfig::new("x", Kind("csbs"));
    assert_eq!(full.timeout_ms, plain.timeout_ms);
    assert_eq!(full.max_body, plain.max_body);
    assert_eq!(full.history_hours, plain.history_hours);
    assert_eq!(full.read_only, plain.read_only);
    assert_eq!(full.allow.as_ref().map(Vec::len), Some(Verb::ALL.len()));
    for key in [
        "name",
        "kind",
        "endpoint",
        "region",
        "auth",
        "rate_per_minute",
        "timeout",
        "max_body",
        "history",
        "every",
        "read_only",
        "allow",
        "tls",
        "options",
        "theme",
        "ascii",
        "keymap",
        "utc",
        "look_for",
        "off",
        "path",
        "keep",
        "keep_actions",
        "max_size",
        "required",
        "where",
        "within",
        "ca_file",
        "pin_sha256",
    ] {
        assert!(
            on.lines()
                .any(|l| l.starts_with(&format!("{key} =")) || l == format!("[service.{key}]")),
            "the sample does not show {key}"
        );
    }
}
