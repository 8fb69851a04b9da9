//! Taking in a poll of 200,000 tasks: asked over HTTP, decoded, folded, indexed. Beside it stands serde_json
//! alone, decoding the same bytes from memory into the same rows.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use keepwatch::config::Config;
use keepwatch::connect::Page;
use keepwatch::kinds;
use keepwatch::model::{RecordsFrom, ServiceId, Timestamp};
use keepwatch::query::Noun;
use keepwatch::store::Store;
use keepwatch::watch::{self, WatchEvent, Watched};
use serde::Deserialize;

use crate::common::{Count, cost, median, ms, row, timed};

const TASKS: usize = 200_000;
const PAGE: usize = 1_000;
/// The feed that reads the whole history.
const FEED: &str = "recent";

/// A list of backups as CSBS answers it, page by page, newest first.
fn pages() -> Vec<String> {
    let mut rng = fastrand::Rng::with_seed(3);
    let uuid = |rng: &mut fastrand::Rng| {
        let h = format!("{:032x}", rng.u128(..));
        format!(
            "{}-{}-{}-{}-{}",
            &h[..8],
            &h[8..12],
            &h[12..16],
            &h[16..20],
            &h[20..]
        )
    };
    let devices: Vec<(String, String)> = (0..1_000)
        .map(|n| (uuid(&mut rng), format!("ecs-app-{n:04}")))
        .collect();
    let stamp = |ms: i64| {
        let text = Timestamp(ms).rfc3339();
        format!("{}000", text.trim_end_matches('Z'))
    };
    (0..TASKS / PAGE)
        .map(|page| {
            let mut body = String::from("{\"checkpoint_items\": [");
            for n in 0..PAGE {
                let (device, name) = &devices[rng.usize(..devices.len())];
                let (id, run, disk) = (uuid(&mut rng), uuid(&mut rng), uuid(&mut rng));
                let at = 1_790_000_000_000 - 13_000 * (page * PAGE + n) as i64;
                let failed = rng.u8(0..32) == 0;
                let (status, code) = if failed {
                    ("error", r#"{"Code": "CSBS.5001", "Description": "The server is busy."}"#)
                } else {
                    ("available", "{}")
                };
                let comma = if n == 0 { "" } else { ", " };
                let (start, end) = (stamp(at - 90_000), stamp(at));
                let size = rng.u32(100..50_000);
                let _ = write!(
                    body,
                    "{comma}{{\"id\": \"{id}\", \"checkpoint_id\": \"{run}\", \"name\": \"autobk_{:04x}\", \
                     \"description\": \"\", \"status\": \"{status}\", \"resource_id\": \"{device}\", \
                     \"resource_type\": \"OS::Nova::Server\", \"created_at\": \"{start}\", \
                     \"updated_at\": \"{end}\", \"backup_data\": {{\"__openstack_region_name\": \"eu-de\", \
                     \"cloudservicetype\": \"\", \"disk\": 0, \"imagetype\": \"gold\", \"ram\": 8192, \
                     \"vcpus\": 4, \"eip\": \"\", \"private_ip\": \"192.168.0.{}\"}}, \"extend_info\": \
                     {{\"auto_trigger\": true, \"average_speed\": 118.0, \"copy_from\": \"\", \
                     \"copy_status\": \"na\", \"fail_code\": {code}, \"fail_op\": \"\", \"fail_reason\": \"\", \
                     \"image_type\": \"backup\", \"incremental\": true, \"progress\": 100, \
                     \"resource_az\": \"eu-de-01\", \"resource_name\": \"{name}\", \
                     \"resource_type\": \"OS::Nova::Server\", \"size\": {size}, \"space_saving_ratio\": 2.0, \
                     \"finished_at\": \"{end}\", \"supported_restore_mode\": \"backup\", \
                     \"support_lld\": true, \"taskid\": \"{run}\", \"hypervisor_type\": \"QEMU\", \
                     \"os_images_data\": [{{\"image_id\": \"\"}}], \"volume_backups\": [{{\"id\": \"{disk}\", \
                     \"name\": \"disk_system\", \"status\": \"{status}\", \"bootable\": true, \"size\": {size}, \
                     \"average_speed\": 118, \"space_saving_ratio\": 2, \"incremental\": true, \
                     \"image_type\": \"backup\", \"snapshot_id\": \"{id}\", \"source_volume_id\": \"{device}\", \
                     \"source_volume_name\": \"{name}-system\", \"source_volume_size\": 40}}]}}}}",
                    n & 0xffff,
                    n % 250,
                );
            }
            body.push_str("]}");
            body
        })
        .collect()
}

/// The rows as serde_json makes them, with nothing around it.
#[derive(Deserialize)]
struct Plain {
    checkpoint_items: Vec<PlainItem>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "decoded, not read")]
struct PlainItem {
    id: String,
    checkpoint_id: String,
    name: String,
    description: String,
    status: String,
    resource_id: String,
    resource_type: String,
    created_at: String,
    updated_at: String,
    backup_data: PlainData,
    extend_info: PlainExtend,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "decoded, not read")]
struct PlainData {
    eip: String,
    private_ip: String,
    ram: i64,
    vcpus: i64,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "decoded, not read")]
struct PlainExtend {
    auto_trigger: bool,
    average_speed: f64,
    copy_status: String,
    fail_code: HashMap<String, String>,
    fail_op: String,
    fail_reason: String,
    incremental: bool,
    progress: i64,
    resource_az: String,
    resource_name: String,
    resource_type: String,
    size: f64,
    finished_at: String,
    supported_restore_mode: String,
    volume_backups: Vec<PlainVolume>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "decoded, not read")]
struct PlainVolume {
    id: String,
    status: String,
    source_volume_id: String,
    source_volume_name: String,
    source_volume_size: f64,
}

/// Answers every question for a list with the page that the marker asks for.
fn serve(
    stream: TcpStream,
    pages: &[String],
    next: &HashMap<String, usize>,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut input = BufReader::new(stream.try_clone()?);
    let mut out = stream;
    let mut line = String::new();
    loop {
        line.clear();
        if input.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let marker = line.split("marker=").nth(1).and_then(|m| m.get(..36));
        let page = match marker {
            Some(marker) => next.get(marker).copied(),
            None => Some(0),
        };
        // the other lists (what runs, what failed, the policies) are empty
        let body = page
            .filter(|_| line.contains("sort=updated_at"))
            .and_then(|p| pages.get(p))
            .map_or("{\"checkpoint_items\": [], \"policies\": []}", |b| b);
        while line.trim_end() != "" {
            line.clear();
            input.read_line(&mut line)?;
        }
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        out.write_all(head.as_bytes())?;
        out.write_all(body.as_bytes())?;
    }
}

/// One round as the console does it: the watchers ask and decode, this thread folds what comes.
fn round(runtime: &tokio::runtime::Runtime, watched: &Watched, store: &mut Store) -> (u32, u32) {
    let _inside = runtime.enter();
    let (watchers, mut events) = watch::spawn(std::slice::from_ref(watched));
    let (mut rows, mut same) = (0, 0);
    let now = Timestamp::now();
    while let Some(event) = events.blocking_recv() {
        let ended = match &event {
            WatchEvent::Page { feed, page, .. } if *feed == FEED => {
                match page {
                    Page::Rows(_) => rows += 1,
                    Page::Same => same += 1,
                }
                false
            }
            WatchEvent::Round { feed, round, .. } if *feed == FEED => {
                assert!(round.outcome.as_ref().is_ok_and(|report| report.complete));
                true
            }
            _ => false,
        };
        let _ = watch::fold(store, event, now);
        if ended {
            break;
        }
    }
    drop(watchers);
    (rows, same)
}

pub fn run(count: Count) {
    let pages = Arc::new(pages());
    let bytes: usize = pages.iter().map(String::len).sum();
    // allocations are counted of the second poll alone
    let times = if count.is_some() { 1 } else { 3 };
    let plain = || {
        let mut rows = Vec::new();
        for body in pages.iter() {
            let page: Plain = serde_json::from_str(body).expect("what was made");
            rows.extend(page.checkpoint_items);
        }
        assert_eq!(rows.len(), TASKS);
        rows
    };
    let serde = count.is_none().then(|| median(times, || timed(plain).0));

    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let served = Arc::clone(&pages);
    thread::spawn(move || {
        // the id of the last row of a page is the marker of the next
        let next: HashMap<String, usize> = served
            .iter()
            .enumerate()
            .map(|(n, body)| {
                let at = body.rfind("{\"id\": \"").expect("rows");
                let start = body[..at]
                    .rfind("{\"id\": \"")
                    .map_or(at, |before| before + 8);
                (body[start..start + 36].to_owned(), n + 1)
            })
            .collect();
        let next = Arc::new(next);
        for stream in listener.incoming().flatten() {
            let (served, next) = (Arc::clone(&served), Arc::clone(&next));
            thread::spawn(move || serve(stream, &served, &next));
        }
    });
    let toml = format!(
        "[[service]]\nname = \"bench\"\nkind = \"csbs\"\nendpoint = \"http://127.0.0.1:{port}/v1/p\"\n\
         rate_per_minute = 100000\n[service.auth]\nmethod = \"none\"\n[service.options]\nproject_id = \"p\"\n"
    );
    let known: Vec<_> = kinds::drivers().map(|d| d.kind).collect();
    let config = Config::parse(&toml, "bench", Path::new("."), &known).expect("a configuration");
    let settings = config.services[0].settings(ServiceId(0)).expect("settings");
    let driver = kinds::driver(settings.kind).expect("csbs");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("threads");
    let service = config.services[0].service(ServiceId(0), false);
    let mut made = None;
    let ours = median(times, || {
        let watched = Watched {
            service: service.clone(),
            connector: (driver.open)(&settings).expect("a connector"),
            history_ms: 3_660 * 86_400_000,
            every_ms: Some(86_400_000),
            records_from: RecordsFrom::default(),
        };
        let mut store = Store::new(vec![service.clone()]);
        store.share_records_from(watched.records_from.clone());
        let (time, _) = timed(|| round(&runtime, &watched, &mut store));
        assert_eq!(store.task_count(), TASKS);
        made = Some((watched, store));
        time
    });
    if let Some(serde) = serde {
        let rate = |time: std::time::Duration| {
            format!("{:.0} MB/s", bytes as f64 / 1e6 / time.as_secs_f64())
        };
        row(
            "taking in a poll of 200,000 tasks over HTTP: decode, fold, index",
            &format!("{}, {}", ms(ours), rate(ours)),
            &format!(
                "serde_json alone, from memory: {}, {} ({:.2} of its speed)",
                ms(serde),
                rate(serde),
                serde.as_secs_f64() / ours.as_secs_f64()
            ),
        );
    }

    // the same poll again
    let (watched, mut store) = made.expect("made");
    let tasks = store.task_count();
    let changed = store.changed(Noun::Tasks);
    let (taken, (rows, same)) = cost(count, Some(TASKS), || round(&runtime, &watched, &mut store));
    assert_eq!((rows, store.task_count()), (0, tasks));
    assert!(same as usize >= TASKS / PAGE);
    assert_eq!(store.changed(Noun::Tasks), changed, "a frame would be due");
    row(
        "the same poll again, nothing changed",
        &format!("{taken}, 0 frames"),
        "",
    );
}
