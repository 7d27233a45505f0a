//! A project is deleted while everything is under way in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use copilot::ai::Model;
use futures_util::StreamExt as _;
use llm::{Failure, Scripted};
use outbox::{Tx, on_tx};
use reqwest::Method;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::browser::Browser;
use crate::world::{World, alert, read, text};

const PATIENCE: Duration = Duration::from_secs(30);

/// What comes from a socket.
type Heard = Result<Message, tokio_tungstenite::tungstenite::Error>;

/// How a socket that was open when its project ended was closed.
async fn closed(mut socket: impl futures_util::Stream<Item = Heard> + Unpin) -> u16 {
    let closing = async {
        while let Some(Ok(message)) = socket.next().await {
            if let Message::Close(frame) = message {
                return frame.map_or(0, |frame| frame.code.into());
            }
        }
        0
    };
    tokio::time::timeout(PATIENCE, closing).await.expect("a socket outlived its project")
}

async fn count(tx: &mut Tx, query: &'static str) -> i64 {
    on_tx!(tx, c => sqlx::query_scalar(query).fetch_one(c).await).unwrap()
}

/// A project that will be deleted, and what opens it.
struct Doomed {
    project: String,
    token: String,
    key: String,
}

async fn doomed(ana: &Browser) -> Doomed {
    let made = ana.page(Method::POST, "/api/v1/projects", Some(json!({"name": "doomed"}))).await.expect(201);
    let project = text(&made["id"]);
    let path = format!("/api/v1/projects/{project}");
    let hook = json!({"kind": "alertmanager", "name": "am"});
    let hook = ana.page(Method::POST, &format!("{path}/integrations"), Some(hook)).await.expect(201);
    let key = json!({"name": "k", "role": "engineer"});
    let key = ana.page(Method::POST, &format!("{path}/api-keys"), Some(key)).await.expect(201);
    Doomed { project, token: text(&hook["token"]), key: text(&key["key"]) }
}

async fn listen(world: &World, query: &str, with: &[(&'static str, &str)]) -> Socket {
    let url = format!("{}/ws{query}", world.base.replacen("http", "ws", 1));
    let mut request = url.into_client_request().unwrap();
    for (name, value) in with {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    Box::pin(tokio_tungstenite::connect_async(request).await.unwrap().0)
}

type Socket = std::pin::Pin<Box<dyn futures_util::Stream<Item = Heard> + Send>>;

/// XD44: no answer is a fault of ours, sockets end, what runs comes to its end, and what it cost stays known.
#[tokio::test(flavor = "multi_thread")]
async fn a_project_ends_while_everything_is_under_way_in_it() {
    let script = Scripted::new("gpt-4o-mini");
    // The first call is under way until the project is gone.
    script.then_when_released(Err(Failure::Timeout));
    let world = World::with(|_| {}, Model::scripted(script.clone(), 5_000_000)).await;
    let ana = Browser::owner(&world).await;
    let Doomed { project, token, key } = doomed(&ana).await;
    let path = format!("/api/v1/projects/{project}");
    let bearer = [("authorization", &*format!("Bearer {key}"))];
    let sockets = futures_util::future::join_all([0; 3].map(|_| listen(&world, "", &bearer))).await;
    let member = [("cookie", ana.cookies.as_str()), ("origin", &world.base)];
    let member = listen(&world, &format!("?project_id={project}"), &member).await;
    let over = Arc::new(AtomicBool::new(false));
    let send = async |worker: usize| {
        let mut statuses = Vec::new();
        for n in 0.. {
            if over.load(Ordering::SeqCst) || n > 10_000 {
                break;
            }
            let body = alert("Busy", &format!("s{worker}-{}", n % 40), "firing", world.clock.now(), None);
            let request =
                world.http.post(format!("{}/webhooks/alertmanager", world.base)).bearer_auth(&token);
            statuses.push(read(request.json(&body).send().await.unwrap()).await.status.as_u16());
            let opened = world.http.post(format!("{}/api/v1/incidents", world.base)).bearer_auth(&key);
            let opened = opened.json(&json!({"title": "by hand"})).send().await.unwrap();
            statuses.push(read(opened).await.status.as_u16());
        }
        statuses
    };
    let delete = async {
        // Once some have come through and an analysis is at work.
        let stored = format!("{path}/deliveries?limit=200");
        let busy = async {
            let mut ticks = tokio::time::interval(Duration::from_millis(20));
            while ana.get(&stored).await.expect(200)["items"].as_array().unwrap().len() < 20 {
                ticks.tick().await;
            }
            let ask = format!("{}/api/v1/incidents/INC-1/questions", world.base);
            while script.journal().is_empty() {
                world.clock.advance(1.0);
                let question = world.http.post(&ask).bearer_auth(&key).json(&json!({"question": "Why?"}));
                // The answer is a stream, and nobody waits for its end.
                drop(question.send().await.unwrap());
                ticks.tick().await;
            }
        };
        tokio::time::timeout(PATIENCE, busy).await.expect("nothing was under way");
        ana.page(Method::DELETE, &path, None).await.expect(204);
        // The senders notice.
        let (mut seen, mut tried) = (0, 0);
        while seen < 3 {
            tried += 1;
            assert!(tried < 1_000, "a token outlived its project");
            let request =
                world.http.post(format!("{}/webhooks/alertmanager", world.base)).bearer_auth(&token);
            let body = alert("Late", "s", "firing", world.clock.now(), None);
            seen += usize::from(request.json(&body).send().await.unwrap().status() == 401);
        }
        over.store(true, Ordering::SeqCst);
    };
    let (sent, ()) = tokio::join!(futures_util::future::join_all((0..6).map(send)), delete);
    let statuses: Vec<u16> = sent.into_iter().flatten().collect();
    let odd: Vec<_> = statuses.iter().filter(|status| ![200, 201, 401, 404].contains(*status)).collect();
    assert!(odd.is_empty() && statuses.len() > 40, "{} answers, of which {odd:?}", statuses.len());
    for socket in sockets {
        assert_eq!(closed(socket).await, 4401, "its key has ended");
    }
    assert_eq!(closed(member).await, 4403, "signed in, and in the project no longer");
    script.release();
    nothing_is_left(&world, &project).await;
    ana.get(&path).await.expect(404);
    ana.get(&format!("{path}/deliveries")).await.expect(404);
    let listed: Value = ana.get("/api/v1/incidents").await.expect(200);
    assert!(!listed.to_string().contains(&project));
    world.end().await;
}

/// Every job of the project comes to its end, and every row has what it belongs to.
async fn nothing_is_left(world: &World, project: &str) {
    let rows = [
        "select count(*) from jobs where done_at is null and queue = 'analysis'",
        "select count(*) from alerts a left join projects p on p.tenant_id = a.tenant_id and p.id = a.project_id where p.id is null",
        "select count(*) from episodes e left join incidents i on i.tenant_id = e.tenant_id and i.id = e.incident_id where e.incident_id is not null and i.id is null",
        "select count(*) from receipts r left join integrations i on i.tenant_id = r.tenant_id and i.id = r.integration_id where i.id is null",
        "select count(*) from analyses a left join incidents i on i.tenant_id = a.tenant_id and i.id = a.incident_id where i.id is null",
        "select count(*) from analyses where status in ('queued', 'running')",
        "select count(*) from model_calls where ended_at is null",
    ];
    for query in rows {
        let ended = async {
            let mut ticks = tokio::time::interval(Duration::from_millis(50));
            loop {
                ticks.tick().await;
                world.settle().await;
                let mut tx = world.server.app.db.read(world.tenant.parse().unwrap()).await.unwrap();
                if count(&mut tx, query).await == 0 {
                    return;
                }
            }
        };
        let ended = tokio::time::timeout(PATIENCE * 2, ended).await;
        assert!(ended.is_ok(), "of {project} there still is: {query}");
    }
}

#[tokio::test]
async fn nothing_of_a_deleted_project_waits_for_its_time() {
    let world = World::new().await;
    let ana = Browser::owner(&world).await;
    let Doomed { project, token, key } = doomed(&ana).await;
    let start = world.clock.now();
    let send = async |status: &str| {
        world.clock.advance(1.0);
        let ends_at = (status == "resolved").then(|| world.clock.now());
        let body = alert("Slow", "s", status, start, ends_at);
        let request = world.http.post(format!("{}/webhooks/alertmanager", world.base)).bearer_auth(&token);
        read(request.json(&body).send().await.unwrap()).await.expect(200)
    };
    send("firing").await;
    let path = format!("{}/api/v1/incidents/INC-1/state", world.base);
    let resolve = world.http.patch(path).bearer_auth(&key).json(&json!({"state": "resolved"}));
    read(resolve.send().await.unwrap()).await.expect(200);
    send("resolved").await;
    assert_eq!(send("firing").await["results"][0]["outcome"], "held");
    ana.page(Method::DELETE, &format!("/api/v1/projects/{project}"), None).await.expect(204);
    let mut tx = world.server.app.db.read(world.tenant.parse().unwrap()).await.unwrap();
    let waiting = "select count(*) from alerts where held_until is not null or flapping_until is not null";
    assert_eq!(count(&mut tx, waiting).await, 0);
    drop(tx);
    world.later(61.0).await;
    world.end().await;
}
