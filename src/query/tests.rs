//! The language from outside: what matches, and what is said when it can't be read.

use super::*;
use crate::model::{Phase, Timestamp};

struct Row {
    texts: Vec<(Field, &'static str)>,
    phase: Phase,
    progress: Option<i64>,
    http: Option<i64>,
    ended: Option<Timestamp>,
    good: Option<Timestamp>,
    next: Option<Timestamp>,
}

const NOW: Timestamp = Timestamp(1_700_000_000_000);
const HOUR: i64 = 3_600_000;

fn row() -> Row {
    Row {
        texts: vec![
            (Field::Device, "ecs-42"),
            (Field::Device, "8f3c"),
            (Field::Policy, "Nightly Export"),
            (Field::Status, "EXECUTION_FAILED"),
            (Field::Code, "CSBS.6027"),
            (
                Field::Message,
                "The zone (eu-de-01) does not support backup",
            ),
            (Field::Kind, "csbs"),
            (Field::Phase, "failed"),
        ],
        phase: Phase::Failed,
        progress: Some(62),
        http: Some(404),
        ended: Some(NOW.plus(-HOUR)),
        good: None,
        next: Some(NOW.plus(HOUR)),
    }
}

impl Record for Row {
    fn any_text(&self, field: Field, test: &mut dyn FnMut(&str) -> bool) -> bool {
        self.texts.iter().any(|(f, t)| *f == field && test(t))
    }
    fn phase(&self) -> Phase {
        self.phase
    }
    fn number(&self, field: Field, _: Timestamp) -> Option<i64> {
        match field {
            Field::Progress => self.progress,
            Field::Http => self.http,
            Field::Elapsed => Some(90_000),
            _ => None,
        }
    }
    fn time(&self, field: Field) -> Option<Timestamp> {
        match field {
            Field::Ended => self.ended,
            Field::LastGood => self.good,
            Field::NextRun => self.next,
            _ => None,
        }
    }
    fn is(&self, flag: Flag) -> bool {
        matches!(flag, Flag::Failed | Flag::Never)
    }
    fn last_event(&self) -> Option<Timestamp> {
        self.ended
    }
}

#[test]
fn what_matches() {
    for (query, expected) in [
        ("", true),
        ("   ", true),
        ("ecs", true),
        ("ECS nightly", true),
        ("ecs weekly", false),
        ("\"nightly export\"", true),
        ("\"export nightly\"", false),
        ("device:ecs-42", true),
        ("device:8F3", true),
        ("device=ecs-4", false),
        ("device=ECS-42", true),
        ("device!=ecs-42", false),
        ("device!=ecs-4", true),
        ("device:ecs-1,ecs-42", true),
        ("policy:\"nightly e\"", true),
        ("policy:weekly,\"nightly e\"", true),
        ("kind:csbs", true),
        ("kind:csb", false),
        ("phase:failed", true),
        ("phase:fail", true),
        ("phase:uncertain,failed", true),
        ("phase:running", false),
        ("phase!=running", true),
        ("progress>50", true),
        ("progress>62", false),
        ("progress>=62%", true),
        ("http:404", true),
        ("http:4xx", true),
        ("http:5xx,404", true),
        ("http:400..403", false),
        ("http>=500", false),
        ("elapsed>1m", true),
        ("elapsed:90s", true),
        ("elapsed<1m30s", false),
        ("ended<2h", true),
        ("ended<30m", false),
        ("ended>30m", true),
        ("ended:2h", true),
        ("started<2h", false),
        ("started:none", true),
        ("ended:none", false),
        ("ended:any", true),
        ("last_good>1d", true),
        ("last_good<1d", false),
        ("last_good:never", true),
        ("next<2h", true),
        ("next<30m", false),
        ("ended>=2023-11-14T00:00Z", true),
        ("ended<2023-11-14T00:00Z", false),
        ("since:2h", true),
        ("since:10m", false),
        ("until:10m", true),
        ("is:failed", true),
        ("is:lost,failed", true),
        ("is:lost", false),
        ("!weekly", true),
        ("!ecs", false),
        ("! ecs", false),
        ("not ecs", false),
        ("!!ecs", true),
        ("weekly or ecs", true),
        ("weekly or ecs gone", false),
        ("(weekly or ecs) nightly", true),
        ("weekly or (ecs and nightly)", true),
        ("!(weekly or monthly)", true),
        ("~ngtexp", true),
        ("~\"ngt exp\"", true),
        ("policy:~nxp", true),
        ("policy:~pxn", false),
        ("/csbs\\.6\\d+/", true),
        ("code:/^6027/", false),
        ("message:/zone .* support/", true),
        ("message:zone,/nothing/", true),
        ("\"or\"", true),
        ("(eu-de-01)", true),
        ("zone(eu", false),
        ("/var/lib", false),
        ("10:30", false),
    ] {
        let q = Query::parse(query);
        let q = match (query, q) {
            ("phase:fail", q) => {
                assert!(q.is_err(), "phases want the whole word");
                continue;
            }
            (_, Ok(q)) => q,
            (_, Err(e)) => panic!("{e}"),
        };
        assert_eq!(q.matches(&row(), NOW), expected, "{query}");
    }
}

#[test]
fn errors_say_where_and_what_was_expected() {
    for (query, at, len, what, expected) in [
        (
            "stauts:error",
            0,
            6,
            "no field is called \"stauts\"",
            "status",
        ),
        ("a status:", 9, 0, "nothing follows the :", "a text"),
        ("status: x", 7, 0, "nothing follows the :", "a text"),
        ("a (b or c", 2, 1, "stays open", "a )"),
        ("a b)", 3, 1, "closes nothing", "("),
        ("a or", 4, 0, "stops here", "a word"),
        ("or a", 0, 2, "joins two terms", "quote the word"),
        ("a and or b", 6, 2, "joins two terms", "a term"),
        ("()", 1, 1, "nothing inside", "a term"),
        ("!", 0, 1, "nothing to turn around", "a term"),
        ("x \"open", 2, 1, "quote stays open", "\""),
        ("\"\"", 0, 2, "empty", "text"),
        ("/open", 0, 1, "stays open", "a /"),
        ("x /a(/", 3, 2, "can't be read", "regular expression"),
        ("~", 0, 1, "no letters", "letters"),
        ("phase:faild", 6, 5, "no phase", "uncertain"),
        ("progress>half", 9, 4, "no number", "percentage"),
        ("elapsed>90", 8, 2, "lacks a unit", "90s"),
        ("ended<soon", 6, 4, "no time", "age"),
        ("status>error", 6, 1, "can't be compared", "colon"),
        ("is:old", 3, 3, "nothing that a row can be", "live"),
        ("enabled:maybe", 8, 5, "neither yes nor no", "yes or no"),
        ("progress>5,6", 10, 2, "one value", "single"),
        ("http>4xx", 5, 3, "family", "number"),
        ("since>3h", 5, 1, "can't be compared", "since:03:00"),
        ("since:soon", 6, 4, "no time", "03:00"),
        ("größe:x ü\"", 0, 0, "", ""),
    ] {
        match Query::parse(query) {
            Ok(_) => assert!(what.is_empty(), "{query} was read"),
            Err(e) => {
                assert_eq!((e.at, e.len), (at, len), "{query}: {e}");
                assert!(e.what.contains(what), "{query}: {e}");
                assert!(e.expected.contains(expected), "{query}: {e}");
                assert!(query.is_char_boundary(e.at) && query.is_char_boundary(e.at + e.len));
            }
        }
    }
    let deep = "(".repeat(500);
    assert!(Query::parse(&deep).is_err_and(|e| e.what.contains("deep")));
    let deep = "!".repeat(500) + "a";
    assert!(Query::parse(&deep).is_err_and(|e| e.what.contains("deep")));
}

#[test]
fn an_error_points_at_its_place() {
    let e = Query::parse("größer stauts:x").expect_err("no such field");
    let lines: Vec<String> = e.to_string().lines().map(str::to_owned).collect();
    assert_eq!(lines[1], "  größer stauts:x");
    assert_eq!(lines[2], "         ^^^^^^");
}

#[test]
fn nothing_typed_by_a_monkey_panics() {
    let mut rng = fastrand::Rng::with_seed(7);
    let bits = [
        "(", ")", "!", "\"", "/", "~", ":", "=", "!=", ">", "<=", ",", " ", "or", "and", "not",
        "status", "ended", "phase", "is", "since", "2h", "03:00", "failed", "ü", "日本", "\\", "*",
        "none", "4xx", "[", "ecs-42",
    ];
    let mut read = 0;
    for _ in 0..20_000 {
        let text: String = (0..rng.usize(0..9))
            .map(|_| bits[rng.usize(0..bits.len())])
            .collect();
        match Query::parse(&text) {
            Ok(q) => {
                read += 1;
                let _ = q.matches(&row(), NOW);
            }
            Err(e) => {
                assert!(
                    text.is_char_boundary(e.at) && text.is_char_boundary(e.at + e.len),
                    "{text}"
                );
                let _ = e.to_string();
            }
        }
        let cursor = rng.usize(0..=text.len());
        let _ = complete(&text, cursor, Noun::Tasks, &|_| vec!["a b".into()]);
    }
    assert!(read > 1_000);
}

#[test]
fn completion_goes_on_with_fields_and_values() {
    let values = |f: Field| match f {
        Field::Status => vec!["error".to_owned(), "available".into(), "in error".into()],
        _ => vec![],
    };
    let done = |text: &str| {
        complete(text, text.len(), Noun::Failed, &values)
            .into_iter()
            .map(|c| {
                let mut out = text.to_owned();
                out.replace_range(c.at..c.at + c.len, &c.insert);
                out
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(done("ecs st"), ["ecs status:", "ecs step:", "ecs started<"]);
    assert_eq!(done("!(stat"), ["!(status:"]);
    assert_eq!(done("status:er"), ["status:error", "status:\"in error\""]);
    assert_eq!(done("status:x,av"), ["status:x,available"]);
    assert_eq!(done("phase:fa"), ["phase:failed"]);
    assert_eq!(done("op"), ["operation:"]);
    assert!(done("next").is_empty(), "failed jobs have no next run");
    assert!(done("\"open st").is_empty());
    assert!(done("is:").contains(&"is:cleared".to_owned()));
    for text in ["status:\"in error\"", "ended<24h", "phase:failed"] {
        assert!(Query::parse(text).is_ok());
    }
}
