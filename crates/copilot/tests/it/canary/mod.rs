//! Organisations that write their own mark wherever they can: nobody else ever sees it, and nobody at all a secret.

#![expect(clippy::disallowed_methods, reason = "each task here ends with the value that holds it")]

mod stub;
mod tour;

use std::process::Stdio;
use std::sync::{Arc, Mutex};

use futures_util::StreamExt as _;
use redis::AsyncCommands as _;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_util::task::AbortOnDropHandle;

use crate::process::Process;
use crate::redis::server::RedisServer;
use crate::world::{Home, World, client};
use stub::Stub;
use tour::Tour;

const MODEL_KEY: &str = "sk-canary-0f9e8d7c6b5a49382716";
const MASTER_KEY: &str = "sVQ4B0C9xk3mJpR7tYwZ1uEoLhNfGdKa5iXr2cMvTbI=";

/// Answers to fields that were filled by rule which are no 2xx, and why.
const REFUSED: [(&str, u16); 5] = [
    // Nobody of the organisation has the address that was made up.
    ("POST /api/v1/projects/{project_id}/members", 422),
    // Without a series there is no hypothesis, and so none to judge.
    ("POST /api/v1/incidents/{incident_id}/hypotheses/{hypothesis_id}/feedback", 404),
    // The integration was given a credential, and its Prometheus is asked for its own API.
    ("POST /api/v1/projects/{project_id}/integrations/{integration_id}/test", 200),
    // What is no query can't be run again.
    ("POST /api/v1/incidents/{incident_id}/evidence/{evidence_id}/run", 422),
    ("POST /api/v1/incidents/{incident_id}/evidence/{evidence_id}/run", 409),
];

/// Everything there is: a process that logs all it can, its database, Redis, a model, and who uses them.
struct Stage {
    home: Home,
    process: Process,
    redis: RedisServer,
    model: Stub,
    upstreams: Vec<Stub>,
    tours: Vec<Tour>,
    sockets: Vec<Heard>,
    channels: Heard,
}

/// What came in on a connection so far.
struct Heard(Arc<Mutex<String>>, #[expect(dead_code, reason = "ends with this value")] AbortOnDropHandle<()>);

impl Heard {
    fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

impl Stage {
    async fn new(organisations: usize) -> Self {
        let (home, redis, model) = (Home::new().await, RedisServer::start(&[]).await, Stub::start().await);
        let log = std::fs::File::create(home.folder.path().join("log")).unwrap();
        let variables = [
            ("SRE_COPILOT_API_REQUESTS_PER_MINUTE", "0"),
            ("SRE_COPILOT_REGISTRATION", "open"),
            ("SRE_COPILOT_OUTBOUND_ALLOW", "127.0.0.0/8:*"),
            ("SRE_COPILOT_LOG_LEVEL", "trace"),
            ("SRE_COPILOT_MASTER_KEY", MASTER_KEY),
            ("OPENAI_API_KEY", MODEL_KEY),
            ("OPENAI_BASE_URL", &format!("{}/v1", model.url)),
            ("REDIS_URL", &redis.url()),
        ];
        let process = Process::start_logging(&home, &variables, Stdio::from(log)).await;
        let channels = channels(&redis).await;
        let (mut upstreams, mut tours, mut sockets) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..organisations {
            let upstream = Stub::start().await;
            let mut tour = Tour::begin(&process.base, &upstream.url).await;
            sockets.push(socket(&mut tour).await);
            tours.push(tour);
            upstreams.push(upstream);
        }
        Self { home, process, redis, model, upstreams, tours, sockets, channels }
    }

    /// Everybody writes, and then reads.
    async fn play(&mut self) {
        let same =
            crate::world::alert("SameEverywhere", "checkout", "firing", outbox::Clock::System.now(), None);
        let mut incidents = Vec::new();
        for tour in &mut self.tours {
            let told = tour.alert(&same).await;
            assert_eq!(told["results"][0]["outcome"], "repeated", "{told}");
            incidents.push(told["results"][0]["incident_id"].clone());
        }
        for (at, incident) in incidents.iter().enumerate() {
            assert!(!incidents[..at].contains(incident), "the same alert of two tenants is in one incident");
        }
        for tour in &mut self.tours {
            tour.explained().await;
            for (route, status) in tour.write().await {
                let known = (200..300).contains(&status) || REFUSED.contains(&(route.as_str(), status));
                assert!(known, "{route}: {status}; its fields were not written");
            }
        }
        for tour in &mut self.tours {
            let read = tour.read().await;
            assert!(read > 50, "only {read} answers");
            assert!(tour.found() > 40, "only {} of its own marks came back", tour.found());
        }
        for (tour, socket) in self.tours.iter_mut().zip(&self.sockets) {
            let text = socket.text();
            tour.received.push_str(&text);
            tour.shown.push_str(&text);
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.home.folder.path().join("log")).unwrap()
    }

    async fn metrics(&self) -> String {
        client().get(format!("{}/metrics", self.process.base)).send().await.unwrap().text().await.unwrap()
    }

    /// Every key and value in Redis.
    async fn stored_in_redis(&self) -> String {
        let mut connection = self.redis.connect().await;
        let keys: Vec<String> = connection.keys("*").await.unwrap();
        let mut all = keys.join("\n");
        for key in keys {
            let dump: Vec<u8> =
                redis::cmd("DUMP").arg(&key).query_async(&mut connection).await.unwrap_or_default();
            all.push_str(&String::from_utf8_lossy(&dump));
        }
        all
    }

    /// The database as bytes: SQLite's files, or every row of every table.
    async fn database(&mut self) -> Vec<u8> {
        self.process.kill();
        let url = self.home.database.url();
        if url.is_empty() {
            let folder = self.home.folder.path().join("data");
            let files = ["sre-copilot.db", "sre-copilot.db-wal"].map(|name| std::fs::read(folder.join(name)));
            return files.into_iter().flat_map(Result::unwrap_or_default).collect();
        }
        let mut owner = PgConnection::connect(&url).await.unwrap();
        let tables = "select relname::text from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace";
        let mut all = Vec::new();
        for table in sqlx::query(tables).fetch_all(&mut owner).await.unwrap() {
            let rows = format!("select t::text from {} t", table.get::<String, _>(0));
            for row in sqlx::query(AssertSqlSafe(rows)).fetch_all(&mut owner).await.unwrap() {
                all.extend(row.get::<String, _>(0).into_bytes());
            }
        }
        all
    }
}

async fn channels(redis: &RedisServer) -> Heard {
    let client = redis::Client::open(redis.url()).unwrap();
    let mut listener = client.get_async_pubsub().await.unwrap();
    listener.subscribe(&["incidents", "hypotheses", "alerts"]).await.unwrap();
    let heard = Arc::<Mutex<String>>::default();
    let told = Arc::clone(&heard);
    let task = tokio::spawn(async move {
        let mut messages = listener.on_message();
        while let Some(message) = messages.next().await {
            told.lock().unwrap().push_str(&format!("{}\n", message.get_payload::<String>().unwrap()));
        }
    });
    Heard(heard, AbortOnDropHandle::new(task))
}

/// Everything that a tour's organisation is told live, from now on.
async fn socket(tour: &mut Tour) -> Heard {
    let url = format!("{}/ws", tour.browser.base.replacen("http", "ws", 1));
    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert("cookie", tour.browser.cookies.parse().unwrap());
    request.headers_mut().insert("origin", tour.browser.base.parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let heard = Arc::<Mutex<String>>::default();
    let told = Arc::clone(&heard);
    let task = tokio::spawn(async move {
        while let Some(Ok(message)) = socket.next().await {
            told.lock().unwrap().push_str(&format!("{message}\n"));
        }
    });
    Heard(heard, AbortOnDropHandle::new(task))
}

/// T-G12a, c, d, f: three organisations, a mark in every field that can be written, everything read.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_what_another_organisation_wrote() {
    let mut stage = Stage::new(3).await;
    stage.play().await;
    let (log, metrics, redis) = (stage.log(), stage.metrics().await, stage.stored_in_redis().await);
    let channels = stage.channels.text();
    let mut leaks = Vec::new();
    for (at, tour) in stage.tours.iter().enumerate() {
        for (place, text) in [("the log", &log), ("/metrics", &metrics), ("Redis", &redis)] {
            if let Some(found) = text.find(&tour.mark) {
                leaks.push(format!("{place}: {:.300}", &text[text[..found].rfind('\n').unwrap_or(0)..]));
            }
        }
        for (other, reader) in stage.tours.iter().enumerate().filter(|(other, _)| *other != at) {
            if let Some(found) = reader.received.find(&tour.mark) {
                let from = reader.received[..found].rfind('\n').map_or(0, |end| end + 1);
                leaks.push(format!("{other} was sent what {at} wrote: {:.300}", &reader.received[from..]));
            }
            if stage.upstreams[other].heard().iter().any(|request| request.contains(&tour.mark)) {
                leaks.push(format!("the Prometheus of {other} was sent what {at} wrote"));
            }
        }
        if !stage.sockets[at].text().contains(&tour.mark) {
            leaks.push(format!("{at} was told nothing of its own on its socket"));
        }
        let own = format!("\"tenant_id\":\"{}\"", tenant(&tour.shown));
        for line in channels.lines().filter(|line| line.contains(&tour.mark) && !line.contains(&own)) {
            leaks.push(format!("a channel: {line:.300}"));
        }
    }
    let prompts = stage.model.heard();
    assert!(prompts.len() >= 3, "only {} prompts", prompts.len());
    for prompt in prompts {
        if stage.tours.iter().filter(|tour| prompt.contains(&tour.mark)).count() > 1 {
            leaks.push("a prompt about two organisations".to_owned());
        }
    }
    assert!(log.len() > 100_000 && channels.contains(&stage.tours[0].mark), "the places were looked at");
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
}

/// The organisation that events on a socket name.
fn tenant(shown: &str) -> &str {
    let (_, rest) = shown.split_once("\"tenant_id\":\"").expect("an event was told");
    &rest[..36]
}

/// T-G21: the secrets of an organisation and of the operator, wherever bytes go.
#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_nowhere_but_where_they_belong() {
    let mut stage = Stage::new(1).await;
    stage.play().await;
    let tour = stage.tours.remove(0);
    let mut secrets = tour.secrets.clone();
    secrets.extend([("the model's key", MODEL_KEY.to_owned()), ("the master key", MASTER_KEY.to_owned())]);
    assert!(secrets.len() > 12, "only {} secrets", secrets.len());
    let prompts: String = stage.model.heard().into_iter().map(|prompt| prompt.body).collect();
    let mut places = vec![
        ("the log", stage.log().into_bytes()),
        ("/metrics", stage.metrics().await.into_bytes()),
        ("an answer or an event", tour.shown.clone().into_bytes()),
        ("a prompt", prompts.into_bytes()),
        ("Redis", (stage.stored_in_redis().await + &stage.channels.text()).into_bytes()),
    ];
    places.push(("the database", stage.database().await));
    let mut leaks = Vec::new();
    for (place, bytes) in &places {
        assert!(!bytes.is_empty(), "nothing was found in {place}");
        for (what, secret) in &secrets {
            for (form, needle) in forms(secret) {
                if bytes.windows(needle.len()).any(|at| at == needle) {
                    leaks.push(format!("{place} holds {what} {form}"));
                }
            }
        }
    }
    for request in stage.upstreams[0].heard() {
        let theirs = |what: &str| what.contains("integration") || what.contains("channel");
        let foreign = secrets.iter().filter(|(what, _)| !theirs(what));
        leaks.extend(
            foreign
                .filter(|(_, secret)| request.contains(secret))
                .map(|(what, _)| format!("{what} was sent out")),
        );
    }
    leaks.dedup();
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}

/// A secret as somebody might write it down.
fn forms(secret: &str) -> Vec<(&'static str, Vec<u8>)> {
    use base64::Engine as _;
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let base64 = base64::engine::general_purpose::STANDARD.encode(secret);
    let mut forms = vec![
        ("in clear", secret.into()),
        ("in hex", hex.into()),
        ("in base64", base64.trim_end_matches('=').into()),
    ];
    // Of a token of ours the part that counts; its beginning is its name.
    if let Some(secret) = secret.strip_prefix("srec_").and_then(|rest| rest.split('_').nth(1)) {
        forms.push(("in part", secret.into()));
    }
    forms
}

/// The routes that refuse what is sent: those that take no members they do not know, and two for which the document makes up
/// nothing that can be meant (a person who exists, one of two ends).
const REFUSING: [&str; 9] = [
    "POST /api/v1/projects/{project_id}/members",
    "POST /api/v1/projects/{project_id}/api-keys",
    "POST /api/v1/projects/{project_id}/notification-channels",
    "PATCH /api/v1/incidents/{incident_id}/state",
    "POST /api/v1/incidents/{incident_id}/snooze",
    "POST /api/v1/incidents/{incident_id}/questions",
    "POST /api/v1/incidents/{incident_id}/hypotheses",
    "POST /api/v1/incidents/{incident_id}/hypotheses/{hypothesis_id}/feedback",
    "POST /api/v1/changes",
];

/// T-G13c: fields that are none of the route's, such as another tenant, role or cost, change nothing.
#[tokio::test(flavor = "multi_thread")]
async fn fields_of_answers_change_nothing_when_they_are_sent() {
    let world = World::with(
        |config| {
            config.registration = copilot::config::Registration::Open;
            config.outbound_allow = "127.0.0.0/8:*".to_owned();
        },
        copilot::ai::Model::none(),
    )
    .await;
    let upstream = Stub::start().await;
    world.clock.advance(outbox::Clock::System.now().seconds_since(world.clock.now()));
    let mut tour = Tour::begin(&world.base, &upstream.url).await;
    let same = crate::world::alert("Same", "checkout", "firing", world.clock.now(), None);
    tour.alert(&same).await;
    tour.explained().await;
    let before = tour.browser.get("/api/v1/auth/me").await.expect(200);
    let (foreign, word, number) = (uuid::Uuid::now_v7().to_string(), "zzforeignword", 987_654_321);
    let (names, fields) = foreign_fields(&foreign, word, number);
    assert!(names > 60, "only {names} names of fields");
    tour.extras = fields;
    let mut refused = Vec::new();
    for (route, status) in tour.write().await {
        assert!((200..300).contains(&status) || [404, 409, 422].contains(&status), "{route}: {status}");
        refused.extend((status == 422).then_some(route));
    }
    assert_eq!(refused, REFUSING, "all others take the body and nothing of what is not theirs");
    tour.extras.clear();
    tour.shown.clear();
    tour.read().await;
    for trace in [foreign.as_str(), word, &number.to_string()] {
        let found = tour.shown.find(trace).map(|at| &tour.shown[at.saturating_sub(200)..at + 40]);
        assert_eq!(found, None, "{trace} was taken over");
    }
    let after = tour.browser.get("/api/v1/auth/me").await.expect(200);
    for field in ["tenant", "role"] {
        assert_eq!(after[field], before[field]);
    }
    assert_eq!(after["project"]["id"], before["project"]["id"]);
    world.end().await;
}

/// Every name of a field of any answer, with a value that nobody else sends; and how many there are.
fn foreign_fields(id: &str, word: &str, number: i64) -> (usize, serde_json::Map<String, Value>) {
    let document = crate::bodies::document();
    let mut fields = serde_json::Map::new();
    for schema in document["components"]["schemas"].as_object().unwrap().values() {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let kind = &property["type"];
            let value = if name == "id" || name.ends_with("_id") || name == "created_by" {
                json!(id)
            } else if name == "role" {
                json!("owner")
            } else if kind == "integer" || kind == "number" {
                json!(number)
            } else if kind == "boolean" {
                json!(true)
            } else {
                json!(word)
            };
            fields.insert(name.clone(), value);
        }
    }
    fields.extend([("tenant_id", id), ("created_by", id)].map(|(name, id)| (name.to_owned(), json!(id))));
    fields.insert("cost".to_owned(), json!(number));
    (fields.len(), fields)
}
