//! Sockets over real HTTP: order, resuming, resyncs, limits and ends.

mod world;

use std::time::Duration;

use outbox::{Clock, Ts};
use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio_tungstenite::tungstenite::Message as Frame;

use super::hub::Limits;
use world::{Heard, World, soon};

fn limits() -> Limits {
    Limits { poll: Duration::from_millis(50), recheck: Duration::from_millis(50), ..Limits::default() }
}

#[tokio::test]
async fn hello_comes_first_and_then_every_event_in_order() {
    // Nobody polls: the commit's own wake-up is enough.
    let world = World::with(Limits { poll: Duration::from_secs(3_600), ..limits() }, Clock::System).await;
    world.happen("incident.created", 3, 0).await;
    let mut client = world.connect("").await;
    let epoch = world.head().await.epoch;
    assert_eq!(client.text().await, json!({"type": "hello", "epoch": epoch, "seq": 3}));
    world.happen("incident.updated", 1, 0).await;
    let event = client.text().await;
    let timestamp = event["timestamp"].as_str().unwrap().to_owned();
    assert!(timestamp.parse::<jiff::Timestamp>().is_ok());
    assert_eq!(
        event,
        json!({
            "type": "incident.updated", "seq": 4, "tenant_id": world.member.tenant,
            "project_id": world.member.project, "data": {"id": 0, "pad": ""}, "timestamp": timestamp,
        })
    );
    // More than the queue holds, in one commit: a burst is not a slow client.
    world.happen("alert.fired", 1_000, 0).await;
    client.events(5, 1_004).await;
}

#[tokio::test]
async fn a_project_without_events_has_an_epoch() {
    let world = World::new().await;
    let hello = world.connect("").await.text().await;
    let epoch = world.head().await.epoch;
    assert!(!epoch.is_nil());
    assert_eq!(hello, json!({"type": "hello", "epoch": epoch, "seq": 0}));
}

#[tokio::test]
async fn a_client_resumes_where_it_left() {
    let world = World::new().await;
    world.happen("alert.fired", 450, 0).await;
    let epoch = world.head().await.epoch;
    for seq in [0, 1, 449, 450] {
        let mut client = world.connect(&format!("?epoch={epoch}&seq={seq}")).await;
        assert_eq!(client.seq().await, ("hello".to_owned(), seq));
        client.events(seq + 1, 450).await;
        client.say(&format!(r#"{{"type":"resume","epoch":"{epoch}","seq":448}}"#)).await;
        client.events(449, 450).await;
        client.say(r#"{"type":"ping"}"#).await;
        assert_eq!(client.text().await, json!({"type": "pong"}));
    }
}

/// What a client at `epoch` and `seq` is told, by URL and by message.
async fn check_resync(world: &World, epoch: &str, seq: &str) {
    let head = world.head().await;
    let resync = ("resync".to_owned(), head.seq);
    let mut client = world.connect(&format!("?epoch={epoch}&seq={seq}")).await;
    assert_eq!(client.seq().await, ("hello".to_owned(), head.seq), "{epoch} {seq}");
    assert_eq!(client.seq().await, resync, "{epoch} {seq}");
    client.say(&format!(r#"{{"type":"resume","epoch":"{epoch}","seq":{seq}}}"#)).await;
    assert_eq!(client.seq().await, resync, "{epoch} {seq}");
    world.happen("alert.fired", 1, 0).await;
    client.events(head.seq + 1, head.seq + 1).await;
    client.leave().await;
}

#[tokio::test]
async fn a_client_that_cannot_be_told_everything_is_told_to_look_again() {
    let clock = Clock::manual(Ts::from_micros(1_769_256_000_000_000));
    let world = World::with(limits(), clock.clone()).await;
    world.happen("alert.fired", 9, 0).await;
    let epoch = world.head().await.epoch.to_string();
    check_resync(&world, &epoch, "4000").await;
    check_resync(&world, &epoch, "9223372036854775808").await;
    check_resync(&world, &uuid::Uuid::nil().to_string(), "5").await;
    check_resync(&world, "not-an-epoch", "5").await;
    check_resync(&world, "", "5").await;
    clock.advance(24.0 * 3600.0 + 1.0);
    check_resync(&world, &epoch, "5").await;
}

#[tokio::test]
async fn ten_thousand_events_are_told_and_one_more_is_not() {
    let world = World::new().await;
    world.happen("alert.fired", 10_001, 0).await;
    let epoch = world.head().await.epoch.to_string();
    let mut client = world.connect(&format!("?epoch={epoch}&seq=1")).await;
    assert_eq!(client.seq().await, ("hello".to_owned(), 1));
    client.events(2, 10_001).await;
    check_resync(&world, &epoch, "0").await;
}

#[tokio::test]
async fn a_restored_database_is_noticed() {
    let world = World::with(limits(), Clock::System).await;
    world.happen("alert.fired", 5, 0).await;
    let mut client = world.connect("").await;
    client.text().await;
    // A copy that stood where we stand, then one that was behind.
    for (epoch, seq) in [(7, 5), (7, 3), (8, 3)] {
        let epoch = uuid::Uuid::from_u128(epoch);
        let mut tx = world.db.begin(world.member.tenant.0).await.unwrap();
        outbox::on_tx!(tx, c => sqlx::query("update streams set epoch = $1, seq = $2")
            .bind(epoch).bind(seq).execute(c).await.map(drop))
        .unwrap();
        tx.commit().await.unwrap();
        assert_eq!(client.text().await, json!({"type": "resync", "epoch": epoch, "seq": seq}));
    }
}

#[tokio::test]
async fn a_filter_leaves_gaps_and_nothing_else() {
    let world = World::new().await;
    let mut client = world.connect("").await;
    client.text().await;
    client.say(r#"{"type":"subscribe","channels":["hypotheses","alerts"]}"#).await;
    client.say(r#"{"type":"unsubscribe","channels":["alerts","incidents"]}"#).await;
    client.say(r#"{"type":"ping"}"#).await;
    assert_eq!(client.text().await, json!({"type": "pong"}));
    for kind in ["incident.created", "alert.fired", "incident.updated", "hypothesis.generated"] {
        world.happen(kind, 1, 0).await;
    }
    assert_eq!(client.seq().await, ("hypothesis.generated".to_owned(), 4));
    client.say(r#"{"type":"subscribe"}"#).await;
    client.say(&format!(r#"{{"type":"resume","epoch":"{}","seq":0}}"#, world.head().await.epoch)).await;
    client.events(1, 4).await;
}

/// A client that hears nothing, beside one that heard 480 events of 60 kB.
async fn behind(slow: Duration) -> (World, world::Client) {
    let world = World::with(Limits { slow, ..limits() }, Clock::System).await;
    let mut behind = world.connect_narrow().await;
    let mut quick = world.connect("").await;
    behind.text().await;
    quick.text().await;
    for batch in 0..12 {
        world.happen("alert.fired", 40, 60_000).await;
        quick.events(batch * 40 + 1, batch * 40 + 40).await;
    }
    (world, behind)
}

#[tokio::test]
async fn a_client_that_only_paused_is_told_everything() {
    let (_world, mut paused) = behind(Duration::from_secs(3_600)).await;
    paused.events(1, 480).await;
}

#[tokio::test]
async fn a_slow_client_is_told_to_look_again_and_harms_nobody() {
    let (world, mut slow) = behind(Duration::ZERO).await;
    let total = 480;
    let mut last = 0;
    let resynced = loop {
        let (kind, seq) = slow.seq().await;
        if kind == "resync" {
            break seq;
        }
        assert_eq!(seq, last + 1);
        last = seq;
    };
    assert!(resynced > last + 1 && resynced <= total, "{last} {resynced}");
    slow.events(resynced + 1, total).await;
    world.happen("alert.fired", 1, 0).await;
    slow.events(total + 1, total + 1).await;
}

#[tokio::test]
async fn a_client_that_never_reads_is_let_go() {
    let limits = Limits { stalled: Duration::from_millis(200), ..limits() };
    let world = World::with(limits, Clock::System).await;
    let mut client = world.connect_narrow().await;
    client.text().await;
    world.happen("alert.fired", 250, 60_000).await;
    world.quiet().await;
    assert_eq!(world.hub.feeds(), 0);
}

#[tokio::test]
async fn a_client_without_a_pulse_is_let_go() {
    let limits = Limits { dead: Duration::from_millis(200), ..limits() };
    let world = World::with(limits, Clock::System).await;
    let mut client = world.connect("").await;
    world.quiet().await;
    assert_eq!(client.closed().await, 4408);
}

#[tokio::test]
async fn two_tabs_live_side_by_side_and_the_twenty_first_does_not() {
    let world = World::with(limits(), Clock::System).await;
    let mut tabs = Vec::new();
    for _ in 0..20 {
        let mut tab = world.connect("").await;
        assert_eq!(tab.seq().await, ("hello".to_owned(), 0));
        tabs.push(tab);
    }
    assert_eq!(world.connect("").await.closed().await, 4429);
    world.happen("alert.fired", 1, 0).await;
    for tab in &mut tabs {
        tab.events(1, 1).await;
    }
    tabs.pop().unwrap().leave().await;
    let mut next = world.connect("").await;
    assert_eq!(next.seq().await, ("hello".to_owned(), 1));
    assert_eq!(world.hub.feeds(), 1);
    next.leave().await;
    for tab in tabs {
        tab.leave().await;
    }
    world.quiet().await;
    assert_eq!(world.hub.feeds(), 0);
}

#[tokio::test]
async fn ten_invalid_messages_are_enough() {
    let world = World::new().await;
    let mut client = world.connect("").await;
    client.text().await;
    client.say(r#"{"type":"shout"}"#).await;
    assert_eq!(client.text().await, json!({"type": "error", "error": "unknown-type"}));
    for text in ["", " ", "null", "[]", "42", "\"x\"", "{", "{}", "{\"a\":1}", "\u{0}"] {
        client.say(text).await;
        assert_eq!(client.text().await, json!({"type": "error", "error": "invalid-message"}), "{text}");
    }
    assert_eq!(client.hear().await, Heard::Close(4400));
}

#[tokio::test]
async fn a_client_that_asks_too_often_is_told_once_and_then_let_go() {
    let limits = Limits { requests_per_minute: 5, requests_before_close: 30, ..limits() };
    let world = World::with(limits, Clock::System).await;
    let mut client = world.connect("").await;
    client.text().await;
    // With the pong it is one more than allowed.
    for _ in 0..30 {
        client.say(r#"{"type":"subscribe"}"#).await;
    }
    assert_eq!(client.text().await, json!({"type": "error", "error": "limit"}));
    assert_eq!(client.hear().await, Heard::Close(4429));
}

#[tokio::test]
async fn frames_that_are_not_ours_end_the_socket() {
    let world = World::new().await;
    for (frame, code) in [
        (Frame::binary(vec![1]), 1003),
        (Frame::text("x".repeat(64 * 1024 + 1)), 1009),
        (Frame::text("x".repeat(256 * 1024)), 1009),
    ] {
        let mut client = world.connect("").await;
        client.send(frame).await;
        assert_eq!(client.closed().await, code);
    }
}

const UPGRADE: &str = "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";
const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const VERSION: &str = "Sec-WebSocket-Version: 13\r\n";

/// Everything the server sends in answer to `head` and then `frames`, until it closes.
async fn answer(world: &World, head: &str, frames: &[u8]) -> Vec<u8> {
    let mut stream = world.raw(&[head.as_bytes(), b"\r\n", frames].concat()).await;
    let mut answer = Vec::new();
    soon(stream.read_to_end(&mut answer)).await.unwrap();
    answer
}

#[tokio::test]
async fn broken_frames_are_answered_with_their_code() {
    let world = World::new().await;
    let head = format!("{UPGRADE}{KEY}{VERSION}");
    for (frame, code) in [
        (vec![0x81, 0x02, b'h', b'i'], 1002_u16),
        (vec![0xc1, 0x80, 0, 0, 0, 0], 1002),
        (vec![0x83, 0x80, 0, 0, 0, 0], 1002),
        (vec![0x80, 0x80, 0, 0, 0, 0], 1002),
        (vec![0x81, 0x82, 0, 0, 0, 0, 0xff, 0xff], 1007),
        (vec![0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0], 1009),
    ] {
        let answer = answer(&world, &head, &frame).await;
        let expected = code.to_be_bytes();
        let found = answer.windows(4).any(|at| at[0] == 0x88 && at[2..] == expected);
        assert!(found, "{frame:x?} -> {}", String::from_utf8_lossy(&answer));
    }
}

#[tokio::test]
async fn a_handshake_is_refused_for_its_reason() {
    let world = World::new().await;
    let close = "Connection: close\r\n";
    let with = |query: &str| UPGRADE.replace("/ws", &format!("/ws{query}"));
    for (head, status) in [
        (format!("GET /ws HTTP/1.1\r\nHost: h\r\n{close}"), 426),
        (format!("{UPGRADE}{KEY}{close}Sec-WebSocket-Version: 8\r\n"), 426),
        (format!("{UPGRADE}{VERSION}{close}"), 400),
        (format!("{UPGRADE}{VERSION}{close}{KEY}{KEY}"), 400),
        (format!("{UPGRADE}{VERSION}{close}Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA\r\n"), 400),
        (format!("{}{VERSION}{KEY}{close}", with("?epoch=x&seq=-1")), 422),
        (format!("{}{VERSION}{KEY}{close}", with("?epoch=x&seq=1.5")), 422),
        (format!("{}{VERSION}{KEY}{close}", with("?project_id=nobody")), 404),
    ] {
        let answer = answer(&world, &head, b"").await;
        assert_eq!(String::from_utf8_lossy(&answer[9..12]), status.to_string(), "{head}");
    }
}

#[tokio::test]
async fn the_subprotocol_is_echoed_when_offered() {
    let world = World::new().await;
    let left = [0x88, 0x80, 0, 0, 0, 0];
    for (offered, echoed) in [("x, srec.v1", true), ("x", false)] {
        let head = format!("{UPGRADE}{KEY}{VERSION}Sec-WebSocket-Protocol: {offered}\r\n");
        let answer = String::from_utf8_lossy(&answer(&world, &head, &left).await).to_lowercase();
        assert!(answer.starts_with("http/1.1 101"), "{answer}");
        assert_eq!(answer.contains("sec-websocket-protocol: srec.v1\r\n"), echoed, "{answer}");
    }
}

#[tokio::test]
async fn a_session_that_ends_takes_its_sockets_along() {
    let world = World::with(limits(), Clock::System).await;
    let mut client = world.connect("").await;
    client.text().await;
    world.sign_out();
    assert_eq!(client.hear().await, Heard::Close(4401));
}

#[tokio::test]
async fn a_stop_says_that_the_server_comes_back() {
    let world = World::new().await;
    let mut client = world.connect("").await;
    client.text().await;
    world.stop.cancel();
    assert_eq!(client.hear().await, Heard::Close(1012));
    world.quiet().await;
}

#[tokio::test]
async fn events_of_another_process_arrive_without_a_wake_up() {
    let world = World::with(limits(), Clock::System).await;
    let mut client = world.connect("").await;
    client.text().await;
    let other = world.other_process().await;
    world::happen(&other, &world.member, "alert.fired", 100, 0).await;
    client.events(1, 100).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_writers_at_once_leave_no_gap() {
    let world = World::new().await;
    let writers = tokio_util::task::TaskTracker::new();
    for _ in 0..8 {
        let (db, member) = (world.db.clone(), world.member.clone());
        writers.spawn(async move {
            for count in 1..=25 {
                world::happen(&db, &member, "alert.fired", count % 3 + 1, 0).await;
            }
        });
    }
    let mut clients = Vec::new();
    for _ in 0..6 {
        let mut client = world.connect("").await;
        let (kind, seq) = client.seq().await;
        assert_eq!(kind, "hello");
        clients.push((client, seq));
        let resumed = world.connect(&format!("?epoch={}&seq={}", world.head().await.epoch, seq / 2)).await;
        clients.push((resumed, -1));
    }
    writers.close();
    soon(writers.wait()).await;
    let total = world.head().await.seq;
    assert!(total >= 200);
    for (mut client, mut seq) in clients {
        if seq < 0 {
            seq = client.seq().await.1;
        }
        client.events(seq + 1, total).await;
    }
}
