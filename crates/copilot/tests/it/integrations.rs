//! What is kept of an integration, and what two who change it at once may do.

use std::time::Duration;

use futures_util::future::{join, join_all};
use outbox::on_tx;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{World, alert, text};

#[tokio::test]
async fn of_twenty_rotations_at_once_one_counts_and_the_old_token_works_on() {
    let world = World::new().await;
    let hook = world.integration("alertmanager", json!({})).await;
    let path = format!("/api/v1/projects/{}/integrations/{}/rotate-token", world.project, hook.id);
    let answers = join_all((0..20).map(|_| world.post(&path, json!({})))).await;
    let mut counts = [0, 0];
    for answer in &answers {
        match answer.status.as_u16() {
            200 => counts[0] += 1,
            409 => counts[1] += 1,
            other => panic!("{other}: {}", answer.body),
        }
    }
    assert_eq!(counts, [1, 19]);
    let body = alert("A", "s", "firing", world.clock.now().plus_seconds(-5), None);
    hook.send_json(&body).await.expect(200);
    world.end().await;
}

#[tokio::test]
async fn what_can_not_be_sent_or_compared_is_refused_by_its_name() {
    let world = World::new().await;
    let path = format!("/api/v1/projects/{}/integrations", world.project);
    let bearer = |token: &str| json!({"auth": {"type": "bearer", "token": token}});
    let basic = |name: &str, password: &str| json!({"auth": {"type": "basic", "username": name, "password": password}});
    let settings = |settings: Value| json!({"settings": settings});
    for (part, field) in [
        (bearer("a\r\nX: y"), "auth.token"),
        (bearer("a\n"), "auth.token"),
        (bearer(""), "auth.token"),
        (bearer(&"x".repeat(5000)), "auth.token"),
        (basic("a:b", "c"), "auth.username"),
        (basic("a", "c\0"), "auth.password"),
        (settings(json!({"group_by": ["a\0"]})), "settings.group_by"),
        (settings(json!({"group_by": [""]})), "settings.group_by"),
        (settings(json!({"source": "a\0"})), "settings.source"),
        (settings(json!({"service_labels": ["x".repeat(300)]})), "settings.service_labels"),
        (settings(json!({"severity_map": {"a\0": "high"}})), "settings.severity_map"),
        (settings(json!({"topology": [["a", "b\0"]]})), "settings.topology"),
    ] {
        let mut body = json!({"kind": "prometheus", "name": "p"});
        body.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
        let refused = world.post(&path, body).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], field, "{part}");
    }
    let mut good = basic("", "");
    good.as_object_mut()
        .unwrap()
        .extend([("kind".to_owned(), json!("prometheus")), ("name".to_owned(), json!("p"))]);
    world.post(&path, good).await.expect(201);
    world.end().await;
}

#[tokio::test]
async fn an_analysis_is_asked_for_with_an_object_or_with_nothing() {
    let world = World::new().await;
    let opened = world.post("/api/v1/incidents", json!({"title": "slow"})).await.expect(201);
    let path = format!("/api/v1/incidents/{}/hypotheses", text(&opened["id"]));
    for odd in [json!([]), json!([true]), json!(null), json!({"refresh": 1})] {
        world.post(&path, odd).await.expect(422);
    }
    let bare = world.http.post(format!("{}{path}", world.base)).bearer_auth(&world.key).send().await.unwrap();
    assert!(bare.status().is_success(), "{}", bare.status());
    assert!(world.post(&path, json!({})).await.status.is_success());
    world.end().await;
}

#[tokio::test]
async fn a_body_that_stops_arriving_is_given_up() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let world = World::new().await;
    let address = world.base.strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /api/v1/incidents HTTP/1.1\r\nhost: h\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: 100\r\n\r\n{{",
        world.key
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let read = tokio::time::timeout(std::time::Duration::from_secs(30), stream.read(&mut answer)).await;
    let answer = String::from_utf8_lossy(&answer[..read.unwrap().unwrap()]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("request-timeout"), "{answer}");
    world.end().await;
}

/// On SQLite there is one writer. Here both have looked before either writes.
#[tokio::test]
async fn of_two_changes_at_once_neither_is_lost() {
    if std::env::var("SRE_COPILOT_TEST_DATABASE_URL").is_err() {
        return;
    }
    let world = World::new().await;
    let hook = world.integration("alertmanager", json!({})).await;
    let path = format!("/api/v1/projects/{}/integrations/{}", world.project, hook.id);
    let mut held = world.server.app.db.begin(world.tenant.parse().unwrap()).await.unwrap();
    on_tx!(held, c => sqlx::query("update integrations set name = name").execute(c).await.map(drop)).unwrap();
    let both_wait = async {
        let waiting = "select count(distinct pid) from pg_locks join pg_stat_activity using (pid)
            where not granted and datname = current_database()";
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        loop {
            ticks.tick().await;
            let mut tx = world.server.app.db.read_unscoped().await.unwrap();
            let count: i64 = on_tx!(tx, c => sqlx::query_scalar(waiting).fetch_one(c).await).unwrap();
            if count == 2 {
                break drop(held);
            }
        }
    };
    let change = async |change: Value| world.call(Method::PATCH, &path, Some(change)).await.expect(200);
    let settings = json!({"heartbeat_timeout_s": 301});
    let changes = join(change(json!({"name": "renamed"})), change(json!({"settings": settings})));
    join(changes, tokio::time::timeout(Duration::from_secs(2), both_wait)).await.1.expect("they do not meet");
    let stored = world.get(&path).await;
    assert_eq!(
        (&stored["name"], &stored["settings"]["heartbeat_timeout_s"]),
        (&json!("renamed"), &json!(301))
    );
    world.end().await;
}
