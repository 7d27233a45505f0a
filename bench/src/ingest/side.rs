//! Who takes the alerts: Alertmanager, or the product over one of its databases.

use std::fmt;
use std::path::Path;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::roots;
use crate::alert_set::Target;
use crate::alertmanager::{self, Alertmanager};
use crate::api::{self, Account};
use crate::postgres::Postgres;
use crate::product::{self, Product};

/// Path of the product that takes what Prometheus sends.
const PATH: &str = "/webhooks/prometheus/api/v2/alerts";

/// Who takes the alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Side {
    /// Alertmanager, which keeps them in memory.
    Alertmanager,
    /// The product over SQLite.
    Sqlite,
    /// The product over PostgreSQL.
    Postgres,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Alertmanager => "alertmanager",
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        })
    }
}

/// A side that runs.
pub enum Running {
    /// Alertmanager.
    Alertmanager(Box<Alertmanager>),
    /// The product with a project, a webhook token and, over PostgreSQL, the server's process.
    Product(Box<Product>, Account, String, Option<u32>),
}

impl Running {
    /// Starts `side` with nothing in it, its data in `folder`.
    ///
    /// # Errors
    /// When it does not become ready.
    pub fn start(side: Side, folder: &Path, postgres: Option<&Postgres>) -> anyhow::Result<Self> {
        let url = match side {
            Side::Alertmanager => return Ok(Self::Alertmanager(Box::new(Alertmanager::start(folder)?))),
            Side::Sqlite => None,
            Side::Postgres => Some(postgres.context("no PostgreSQL runs")?.database("ingest")?),
        };
        let settings: Vec<(&str, &str)> = url.iter().map(|url| ("DATABASE_URL", url.as_str())).collect();
        let product = Product::start(&product::binary(), folder, &settings)?;
        let account = Account::register(&product.gateway)?;
        let token = account.integration("prometheus", &json!({}))?;
        let server = url.and(postgres).map(|postgres| postgres.process.id());
        Ok(Self::Product(Box::new(product), account, token, server))
    }

    /// Where the alerts go.
    pub fn target(&self) -> Target<'_> {
        match self {
            Self::Alertmanager(one) => {
                Target { address: &one.address, path: alertmanager::PATH, token: None }
            }
            Self::Product(product, _, token, _) => {
                Target { address: &product.gateway, path: PATH, token: Some(token) }
            }
        }
    }

    /// The processes whose trees do the work, the program itself first.
    pub fn processes(&self) -> Vec<u32> {
        match self {
            Self::Alertmanager(one) => roots([&one.process]),
            Self::Product(product, _, _, server) => {
                let mut roots = roots([&product.process]);
                roots.extend(server);
                roots
            }
        }
    }

    /// Alerts that are there, by what its API says; none for Alertmanager, whose word is not in question. What it has taken into
    /// its spool under a load beyond its database's is waited for.
    ///
    /// # Errors
    /// When the API does not answer, or the spool is not empty in time.
    pub fn stored(&mut self) -> anyhow::Result<Option<u64>> {
        let Self::Product(product, account, _, _) = self else { return Ok(None) };
        let gateway = product.gateway.clone();
        product.process.wait_until(|| api::has_stored_everything(&gateway))?;
        let (mut stored, mut cursor) = (0, String::new());
        loop {
            let page = account.call("GET", &format!("/api/v1/incidents?limit=200{cursor}"), None)?;
            let items = page.pointer("/items").and_then(Value::as_array).context("no items")?;
            stored += items.iter().filter_map(|item| item.get("alert_count")?.as_u64()).sum::<u64>();
            match page.pointer("/next_cursor").and_then(Value::as_str) {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(Some(stored)),
            }
        }
    }
}
