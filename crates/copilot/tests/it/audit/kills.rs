//! An act and its entry are one, whenever the process dies; and the command that looks at the log.

use std::collections::BTreeSet;
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use tokio::process::Command;
use tokio::sync::Mutex;

use crate::process::Process;
use crate::world::{Home, client, first_owner, read, text};

/// How often the process is killed.
const ROUNDS: usize = 5;

/// How many keys are made and revoked before each kill.
const DONE: usize = 12;

/// How many requests are under way at once.
const SENDERS: usize = 6;

/// Ids of keys, by what became of them.
#[derive(Default, Debug)]
struct Ledger {
    made: Mutex<BTreeSet<String>>,
    revoked: Mutex<BTreeSet<String>>,
    done: AtomicUsize,
    stop: AtomicBool,
}

/// The API of a process that may be dead by now.
#[derive(Clone)]
struct Api {
    http: Client,
    keys: String,
    audit: String,
    key: String,
}

impl Api {
    fn request(&self, method: Method, url: &str) -> RequestBuilder {
        self.http.request(method, url).bearer_auth(&self.key)
    }

    async fn get(&self, url: &str) -> Value {
        read(self.request(Method::GET, url).send().await.unwrap()).await.expect(200)
    }

    /// Makes keys and revokes them, until told to stop.
    async fn work(self, ledger: Arc<Ledger>) {
        while !ledger.stop.load(Ordering::SeqCst) {
            let body = json!({"name": "k", "role": "viewer"});
            let Ok(made) = self.request(Method::POST, &self.keys).json(&body).send().await else { continue };
            let Ok(made) = made.json::<Value>().await else { continue };
            let Some(id) = made["id"].as_str() else { continue };
            ledger.made.lock().await.insert(id.to_owned());
            let gone = self.request(Method::DELETE, &format!("{}/{id}", self.keys)).send().await;
            if gone.is_ok_and(|gone| gone.status() == 204) {
                ledger.revoked.lock().await.insert(id.to_owned());
                ledger.done.fetch_add(1, Ordering::SeqCst);
            }
        }
    }

    /// Keys of which the log says this; none twice.
    async fn logged(&self, action: &str) -> BTreeSet<String> {
        let (mut found, mut cursor) = (BTreeSet::new(), String::new());
        loop {
            let page = self.get(&format!("{}?limit=200{cursor}", self.audit)).await;
            let items = page["items"].as_array().unwrap();
            for entry in items.iter().filter(|entry| entry["action"] == action) {
                let id = text(&entry["object"]).trim_start_matches("key:").to_owned();
                assert!(found.insert(id), "two entries: {entry}");
            }
            let Some(next) = page["next_cursor"].as_str() else { return found };
            cursor = format!("&cursor={next}");
        }
    }
}

/// T-G22: whatever is in the database has its entry, and what the log tells is in the database.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the senders are joined before the test ends")]
async fn kill_nine_leaves_no_act_without_its_entry() {
    let home = Home::new().await;
    let mut process = Process::start(&home).await;
    let http = client();
    let (_, project, key) = first_owner(&http, &process.base).await;
    let api = |base: &str| Api {
        http: http.clone(),
        keys: format!("{base}/api/v1/projects/{project}/api-keys"),
        audit: format!("{base}/api/v1/audit"),
        key: key.clone(),
    };
    let before = alive(&api(&process.base)).await;
    let ledger = Arc::new(Ledger::default());
    for round in 1..=ROUNDS {
        ledger.stop.store(false, Ordering::SeqCst);
        let senders: Vec<_> =
            (0..SENDERS).map(|_| tokio::task::spawn(api(&process.base).work(Arc::clone(&ledger)))).collect();
        while ledger.done.load(Ordering::SeqCst) < round * DONE {
            tokio::task::yield_now().await;
        }
        process.kill();
        ledger.stop.store(true, Ordering::SeqCst);
        for sender in senders {
            sender.await.unwrap();
        }
        process = Process::start(&home).await;
    }
    let api = api(&process.base);
    let (made, revoked) = (api.logged("api_key.created").await, api.logged("api_key.revoked").await);
    let alive: BTreeSet<String> = alive(&api).await.difference(&before).cloned().collect();
    let made: BTreeSet<String> = made.difference(&before).cloned().collect();
    assert!(ledger.made.lock().await.is_subset(&made), "a key that was given out has no entry");
    assert!(ledger.revoked.lock().await.is_subset(&revoked), "a key that was revoked has no entry");
    let logged: BTreeSet<String> = made.difference(&revoked).cloned().collect();
    assert_eq!(alive, logged, "keys that there are, and keys that there are by the log");
    assert!(revoked.is_subset(&made) && made.len() >= ROUNDS * DONE, "{} made", made.len());
    process.kill();
    let good = verify(&home).await;
    assert!(good.status.success(), "{good:?}");
    tamper(&home).await;
    let bad = verify(&home).await;
    let said = String::from_utf8_lossy(&bad.stderr).into_owned();
    assert!(!bad.status.success() && said.contains("entry 7 is missing"), "{bad:?}");
}

async fn alive(api: &Api) -> BTreeSet<String> {
    api.get(&api.keys).await["items"].as_array().unwrap().iter().map(|key| text(&key["id"])).collect()
}

/// `sre-copilot audit verify`, as an operator runs it.
async fn verify(home: &Home) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sre-copilot"));
    command.args(["audit", "verify"]).env_clear().kill_on_drop(true);
    command.env("SRE_COPILOT_DATA_DIR", home.folder.path().join("data"));
    command.env("DATABASE_URL", home.database.url());
    command.env("SRE_COPILOT_MASTER_KEY", home.database.master_key());
    command.output().await.unwrap()
}

/// Takes an entry out of the log, as whoever owns the database.
async fn tamper(home: &Home) {
    let (url, statement) = (home.database.url(), "delete from audit where number = 7");
    if url.is_empty() {
        let file = home.folder.path().join("data/sre-copilot.db");
        let mut owner = SqliteConnection::connect(file.to_str().unwrap()).await.unwrap();
        for statement in ["drop trigger audit_is_kept", "drop trigger audit_stays", statement] {
            sqlx::query(AssertSqlSafe(statement)).execute(&mut owner).await.unwrap();
        }
        owner.close().await.unwrap();
    } else {
        let mut owner = PgConnection::connect(&url).await.unwrap();
        for statement in ["alter table audit disable trigger audit_stays", statement] {
            sqlx::query(AssertSqlSafe(statement)).execute(&mut owner).await.unwrap();
        }
        owner.close().await.unwrap();
    }
}
