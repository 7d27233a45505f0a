//! The product as it is run: one process on SQLite, or two replicas on PostgreSQL and Redis, with a project and an integration.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::database::Database;
use super::postgres::Postgres;
use super::redis::Redis;
use super::replica::Replica;
use super::{Backend, Trial, caller};

/// How long the driver waits for an answer before it counts as none; senders wait about as long.
const ANSWER: Duration = Duration::from_secs(10);

/// The address of the first owner.
pub const OWNER: &str = "ana@shop.example";
/// The password that everybody has.
pub const PASSWORD: &str = "lantern orchid seventeen tugboat";

/// A running product.
#[derive(Debug)]
pub struct Site {
    /// Its processes.
    pub replicas: Vec<Replica>,
    /// Its PostgreSQL, unless it runs on SQLite.
    pub postgres: Option<Postgres>,
    /// Its Redis, unless it runs on SQLite.
    pub redis: Option<Redis>,
    /// The checker's own look into the database.
    pub database: Database,
    /// A client that follows no redirect.
    pub http: Client,
    /// The tenant.
    pub tenant: String,
    /// The project.
    pub project: String,
    /// An API key of its owner.
    pub key: String,
    /// The token of its Alertmanager integration.
    pub token: String,
    /// How many times as long as promised healing may take.
    pub patience: u32,
    folder: TempDir,
}

impl Site {
    /// Starts the product that `trial` describes, in a folder in memory.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(trial: &Trial) -> anyhow::Result<Self> {
        Self::with(trial, |_| {}).await
    }

    /// Starts the product; `set_up` gets each replica before its first start.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn with(trial: &Trial, set_up: impl FnMut(&mut Replica)) -> anyhow::Result<Self> {
        Self::within(folder()?, trial, set_up).await
    }

    /// As [`Site::with`], in a folder that is there.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn within(
        folder: TempDir,
        trial: &Trial,
        mut set_up: impl FnMut(&mut Replica),
    ) -> anyhow::Result<Self> {
        let (http, patience) = (client()?, trial.patience);
        let (postgres, redis, count) = match trial.backend {
            Backend::Sqlite => (None, None, 1),
            Backend::Postgres => {
                let (postgres, redis) = (Postgres::create(folder.path()), Redis::create(folder.path()));
                (Some(postgres.await?), Some(redis.await?), 2)
            }
        };
        let mut replicas = Vec::new();
        for number in 1..=count {
            let mut replica =
                Replica::new(&trial.binary, folder.path(), &format!("replica-{number}"), &http)?;
            if let Some(postgres) = &postgres {
                replica.set("DATABASE_URL", postgres.url());
            }
            if let Some(redis) = &redis {
                replica.set("REDIS_URL", redis.url());
            }
            if number == count {
                replica.set_clock(&trial.clock)?;
            }
            replica.set("SRE_COPILOT_BROKEN", trial.broken);
            set_up(&mut replica);
            replica.start().await?;
            replicas.push(replica);
        }
        let database = match &postgres {
            None => Database::sqlite(&folder.path().join("data")).await?,
            Some(postgres) => Database::postgres(&postgres.url())?,
        };
        let base = replicas.first().context("a replica")?.base();
        let (tenant, project, key) = first_owner(&http, &base).await?;
        let token = integration(&http, &base, &project, &key).await?;
        Ok(Self { replicas, postgres, redis, database, http, tenant, project, key, token, patience, folder })
    }

    /// Where the webhook of each replica is.
    pub fn webhooks(&self) -> Vec<String> {
        self.replicas.iter().map(|replica| format!("{}/webhooks/alertmanager", replica.base())).collect()
    }

    /// A file or folder of the site's own.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// One replica.
    ///
    /// # Errors
    /// When there is none with this number.
    pub fn replica(&mut self, number: usize) -> anyhow::Result<&mut Replica> {
        self.replicas.get_mut(number).context("a replica")
    }

    /// Its Redis.
    ///
    /// # Errors
    /// When it has none.
    pub fn redis(&mut self) -> anyhow::Result<&mut Redis> {
        self.redis.as_mut().context("a Redis")
    }

    /// What a GET of the API answers, from the first replica that runs.
    ///
    /// # Errors
    /// When it is not answered with 200.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let base = self.replicas.first().context("a replica")?.base();
        expect(self.http.get(format!("{base}{path}")).bearer_auth(&self.key), 200).await
    }

    /// What `method path` answers: its status and body.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn post(&self, replica: usize, path: &str, body: &Value) -> anyhow::Result<(u16, Value)> {
        let base = self.replicas.get(replica).context("a replica")?.base();
        let sent = self.http.post(format!("{base}{path}")).bearer_auth(&self.key).body(body.to_string());
        let answer = sent.header("content-type", "application/json").send().await?;
        let status = answer.status().as_u16();
        Ok((status, serde_json::from_slice(&answer.bytes().await?).unwrap_or_default()))
    }
}

/// A folder in memory where there is one, which PostgreSQL's user may pass through.
///
/// # Errors
/// When it can't be created.
pub fn folder() -> anyhow::Result<TempDir> {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory)? } else { tempfile::tempdir()? };
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open)?;
    Ok(folder)
}

/// A client for loopback.
///
/// # Errors
/// When it can't be made.
pub fn client() -> anyhow::Result<Client> {
    // A second installation fails and changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).timeout(ANSWER).build()?)
}

async fn expect(request: reqwest::RequestBuilder, status: u16) -> anyhow::Result<Value> {
    let answer = request.send().await?;
    let (given, url) = (answer.status().as_u16(), answer.url().to_string());
    let body = answer.text().await?;
    if given != status {
        bail!("{url} answered {given} instead of {status}: {body}");
    }
    serde_json::from_str(&body).with_context(|| format!("{url} answered {body}"))
}

/// Registers the first visitor and gives them an API key: tenant, project, key.
async fn first_owner(http: &Client, base: &str) -> anyhow::Result<(String, String, String)> {
    let body = json!({
        "email": OWNER, "password": PASSWORD, "full_name": "Ana Lee", "tenant_name": "Shop",
    });
    let asked = http.post(format!("{base}/api/v1/auth/register")).body(body.to_string());
    let answer = asked.header("content-type", "application/json").send().await?;
    let cookies = caller::cookies(answer.headers());
    let registered: Value = serde_json::from_slice(&answer.bytes().await?)?;
    let (tenant, project) = (text(&registered, "/tenant/id")?, text(&registered, "/project/id")?);
    let asked = http
        .post(format!("{base}/api/v1/projects/{project}/api-keys"))
        .header("cookie", cookies)
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/json")
        .body(json!({"name": "faults", "role": "owner"}).to_string());
    let key = text(&expect(asked, 201).await?, "/key")?;
    Ok((tenant, project, key))
}

async fn integration(http: &Client, base: &str, project: &str, key: &str) -> anyhow::Result<String> {
    let asked = http
        .post(format!("{base}/api/v1/projects/{project}/integrations"))
        .bearer_auth(key)
        .header("content-type", "application/json")
        .body(json!({"kind": "alertmanager", "name": "am"}).to_string());
    text(&expect(asked, 201).await?, "/token")
}

/// The text at a JSON pointer.
///
/// # Errors
/// When there is none.
pub fn text(value: &Value, pointer: &str) -> anyhow::Result<String> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.map(str::to_owned).with_context(|| format!("no text at {pointer} of {value}"))
}
