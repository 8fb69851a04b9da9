//! The console as a person sees it, through a real pseudo-terminal.

mod support;

use support::{DOWN, ENTER, ESC, Terminal, home};

/// What stands on the board once the embedded services have answered.
const READY: &str = "Failed";

fn board(columns: u16, rows: u16) -> (tempfile::TempDir, Terminal) {
    let home = home();
    let terminal = Terminal::start(columns, rows, home.path(), &[]);
    // whose failures are the newest depends on the hour
    terminal.wait_until("failed jobs with what to do", |screen| {
        let failures = screen.matches('✖').count();
        let told = ["after a fix", "look first"]
            .iter()
            .any(|retry| screen.contains(retry));
        let all_answered = !screen.contains("connecting");
        failures > 3 && told && all_answered && screen.contains("running")
    });
    (home, terminal)
}

/// The rows of the pane of failed jobs, at a size that shows it beside others.
fn failed(screen: &str) -> Vec<String> {
    let mut lines = screen.lines();
    let left = lines.find_map(|line| Some(line.split_once("╭ 4 Failed")?.0.chars().count()));
    let Some(left) = left else { return Vec::new() };
    lines
        .map(|line| line.chars().skip(left).collect::<String>())
        .take_while(|row| !row.starts_with('╰'))
        .filter(|row| row.contains('✖'))
        .collect()
}

/// Whether the filter has been typed and holds.
fn only_6010(screen: &str) -> bool {
    let rows = failed(screen);
    screen.contains("code:CSBS.6010")
        && !rows.is_empty()
        && rows.iter().all(|row| row.contains("CSBS.6010"))
}

#[test]
fn with_no_configuration_it_opens_on_embedded_services_and_says_so() {
    let (_home, mut terminal) = board(120, 40);
    // devices are known when the policies of each service are
    let screen = terminal.wait_for("without a good backup");
    assert!(screen.contains("demo services"), "{screen}");
    assert!(
        screen.contains("~/.config/keepwatch/config.toml"),
        "it names the place for one's own:\n{screen}"
    );
    for pane in ["1 Devices", "2 Policies", "3 Running", "4 Failed"] {
        assert!(screen.contains(pane), "{pane} is missing:\n{screen}");
    }
    terminal.press("q");
    assert!(terminal.wait_end().success());
}

#[test]
fn every_size_shows_the_counts_and_the_card() {
    for (columns, rows) in [(80, 24), (120, 40), (200, 60)] {
        let (_home, mut terminal) = board(columns, rows);
        terminal.press("4");
        let screen = terminal.wait_for("retry");
        assert!(screen.contains("failed"), "{columns}x{rows}:\n{screen}");
        assert!(screen.contains(READY), "{columns}x{rows}:\n{screen}");
        terminal.press(ENTER);
        terminal.wait_for("esc back");
    }
}

#[test]
fn a_filter_narrows_while_it_is_typed_and_goes_with_one_key() {
    let (_home, mut terminal) = board(120, 40);
    terminal.press("4/code:CSBS.6010");
    terminal.wait_until("only one code", only_6010);
    terminal.press(ENTER);
    terminal.press("\\");
    terminal.wait_until("all codes again", |screen| {
        let rows = failed(screen);
        !rows.is_empty() && rows.iter().any(|row| !row.contains("CSBS.6010"))
    });
}

#[test]
fn a_mistake_in_a_filter_is_shown_and_the_last_good_rows_stay() {
    let (_home, mut terminal) = board(120, 40);
    terminal.press("4/code:CSBS.6010");
    terminal.wait_until("only one code", only_6010);
    terminal.press(" and (");
    let screen = terminal.wait_until("a remark about the mistake", |screen| {
        screen.contains("expected")
    });
    assert!(screen.contains("CSBS.6010"), "{screen}");
}

#[test]
fn help_lists_keys_and_a_retry_shows_why_the_service_refuses() {
    let (_home, mut terminal) = board(120, 40);
    terminal.press("?");
    terminal.wait_until("the help", |screen| {
        screen.contains("palette") || screen.contains("Keys")
    });
    terminal.press(ESC);
    terminal.wait_for("1 Devices");
    terminal.press("4/code:CSBS.6010");
    terminal.wait_until("only one code", only_6010);
    terminal.press(ENTER);
    terminal.press("r");
    // a shared disk stays a shared disk: the service's own precheck says so before anything is sent
    terminal.wait_for("precheck");
}

#[test]
fn triggering_shows_the_request_and_is_followed_to_a_running_task() {
    let (_home, mut terminal) = board(120, 40);
    terminal.press("1/kind:csbs ecs-web");
    terminal.press(ENTER);
    let server = |screen: &str| {
        let row = screen.lines().find(|line| line.starts_with("│▌"))?;
        let name = row.split_whitespace().find(|w| w.starts_with("ecs-web"))?;
        Some(name.to_owned())
    };
    // the services are alive: a server may just be busy or down, which the service's precheck says; then the next one
    let mut tried: Vec<String> = Vec::new();
    let (name, asked) = loop {
        let screen = terminal.wait_until("a server not tried yet", |screen| {
            server(screen).is_some_and(|name| !tried.contains(&name))
        });
        let name = server(&screen).expect("it was there");
        terminal.press("t");
        // what may be left empty is asked first
        terminal.wait_for("Name of the backup");
        terminal.press(ENTER);
        let refused = format!("on {name}: the service's precheck refuses");
        let answer = terminal.wait_until("the request, or why not", |screen| {
            screen.contains("send it") || screen.contains(&refused)
        });
        if answer.contains("send it") {
            break (name, answer);
        }
        tried.push(name);
        terminal.press(DOWN);
    };
    assert!(
        asked.contains("POST") && asked.contains("protect"),
        "the request is shown:\n{asked}"
    );
    terminal.press("y");
    // among all that runs it may stand below the last row in sight
    terminal.press(&format!("3/{name}"));
    terminal.press(ENTER);
    terminal.wait_until("the backup as it runs", |screen| {
        screen
            .lines()
            .any(|line| line.contains(&name) && line.contains("protecting"))
    });
}

#[test]
fn a_service_that_is_down_is_said_and_costs_the_screen_nothing() {
    let home = home();
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.local_addr().expect("its address").port()
    };
    let config = home.path().join("keepwatch.toml");
    let text = format!(
        "[[service]]\nname = \"lost\"\nkind = \"csbs\"\nendpoint = \"http://127.0.0.1:{closed}/v1/p\"\n\
         [service.auth]\nmethod = \"keystone\"\nurl = \"http://127.0.0.1:{closed}/v3\"\nusername = \"u\"\n\
         password = {{ value = \"p\" }}\nuser_domain = \"Default\"\nproject = \"p\"\n"
    );
    std::fs::write(&config, text).expect("a configuration");
    let path = config.display().to_string();
    let mut terminal = Terminal::start(120, 40, home.path(), &["--config", &path]);
    terminal.wait_until("the service as down", |screen| {
        screen.contains("lost") && screen.contains("down")
    });
    terminal.press("?");
    terminal.wait_for("Keys and words");
    terminal.press(ESC);
    terminal.wait_gone("Keys and words");
    terminal.press("q");
    assert!(terminal.wait_end().success());
}

#[test]
fn the_terminal_is_given_back_after_quit_and_after_a_signal() {
    const LEAVE: &[u8] = b"\x1b[?1049l";
    let shown = |raw: &[u8]| raw.windows(LEAVE.len()).any(|w| w == LEAVE);
    let (_home, mut terminal) = board(80, 24);
    assert!(!shown(&terminal.raw()));
    terminal.press("q");
    terminal.wait_end();
    assert!(
        shown(&terminal.raw()),
        "the screen is given back after quit"
    );

    let (_home, mut terminal) = board(80, 24);
    let status = std::process::Command::new("kill")
        .args(["-TERM", &terminal.pid().to_string()])
        .status()
        .expect("kill is there");
    assert!(status.success());
    terminal.wait_end();
    assert!(
        shown(&terminal.raw()),
        "the screen is given back after SIGTERM"
    );
}

#[test]
fn frames_are_whole_and_a_storm_of_sizes_ends_in_one_right_screen() {
    let (_home, mut terminal) = board(120, 40);
    let raw = terminal.raw();
    let begun = raw.windows(8).filter(|w| w == b"\x1b[?2026h").count();
    let ended = raw.windows(8).filter(|w| w == b"\x1b[?2026l").count();
    assert!(begun > 0, "frames stand inside synchronized updates");
    assert!(begun - ended <= 1);
    for n in 0..200_u16 {
        terminal.resize(60 + n % 100, 20 + n % 30);
    }
    terminal.resize(100, 30);
    terminal.press("4");
    terminal.wait_until("a board of the last size", |screen| {
        screen.contains("failed") && screen.lines().count() <= 30 && screen.contains("? help")
    });
}

#[test]
fn arrow_keys_move_and_the_row_under_the_cursor_stays_the_same_row() {
    let (_home, mut terminal) = board(120, 40);
    terminal.press("4/code:CSBS");
    terminal.press(ENTER);
    terminal.wait_for("/code:CSBS");
    terminal.press(DOWN);
    terminal.press(DOWN);
    let marked = |screen: &str| {
        screen
            .lines()
            .find(|l| l.contains("▌✖") && l.contains("CSBS."))
            .map(|l| {
                l.split_whitespace()
                    .filter(|w| w.starts_with("ecs-") || w.starts_with("CSBS."))
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
    };
    let before = terminal.wait_until("a row under the cursor", |screen| marked(screen).is_some());
    let row = marked(&before);
    // other rows come and go meanwhile; this one keeps the cursor
    terminal.press("R");
    terminal.wait_until("the same row", |screen| marked(screen) == row);
}
