//! G13: whoever is shut out gets nothing more, whichever replica they ask, under load, with Redis and without.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use reqwest::Method;
use serde_json::{Value, json};

use super::asking::{Asking, Sockets};
use super::caller::{Answer, Caller};
use super::site::{Site, text};
use super::{Report, Trial};

/// How long they go on asking.
const AFTER: Duration = Duration::from_secs(3);

/// How somebody is shut out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Their API key is deleted.
    KeyDeleted,
    /// Their session is ended from another one.
    SessionEnded,
    /// They are taken out of the project.
    MemberRemoved,
    /// They are an engineer, and become a viewer.
    RoleLowered,
}

impl Way {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::KeyDeleted, Self::SessionEnded, Self::MemberRemoved, Self::RoleLowered];
}

/// A method, a path, and a body or null.
pub type Wish = (Method, String, Value);

/// Somebody, what they ask again and again, and how they are shut out.
struct Case {
    who: Caller,
    asks: Wish,
    by: Caller,
    ends: Wish,
}

/// T-G13b: people and programs are shut out in each of `ways` by one replica while they ask both, first with Redis and
/// then without.
///
/// # Errors
/// When the product can't be started or asked.
pub async fn at_once(trial: &Trial, ways: &[Way]) -> anyhow::Result<Report> {
    let mut site = Site::start(trial).await?;
    let (mut report, mut number) = (Report::default(), 0);
    for redis in [true, false] {
        if !redis {
            site.redis()?.kill()?;
        }
        for way in ways {
            number += 1;
            let case = Case::new(&site, *way, number).await?;
            let when = format!("{way:?}, Redis {}", if redis { "up" } else { "down" });
            let asking = Asking::start(&site, &case.who, &case.asks);
            // Who has another role may listen as before.
            let listens = *way != Way::RoleLowered;
            let sockets = if listens { Some(Sockets::open(&site, &case.who).await?) } else { None };
            asking.warm().await.with_context(|| when.clone())?;
            let answer = ask(&site, number % site.replicas.len(), &case.by, &case.ends).await?;
            let ended = Instant::now();
            ensure!(answer.status < 300, "{when}: answered {}: {}", answer.status, answer.body);
            tokio::time::sleep(AFTER).await;
            asking.judge(&mut report, ended, &when).await;
            if let Some(sockets) = sockets {
                sockets.judge(&mut report, ended, &when).await?;
            }
        }
    }
    Ok(report)
}

async fn ask(
    site: &Site,
    replica: usize,
    who: &Caller,
    (method, path, body): &Wish,
) -> anyhow::Result<Answer> {
    let base = site.replicas.get(replica).context("a replica")?.base();
    let body = (!body.is_null()).then_some(body);
    who.ask(&base, method.clone(), path, body, &[]).await
}

impl Case {
    async fn new(site: &Site, way: Way, number: usize) -> anyhow::Result<Self> {
        let owner = Caller::program(&site.http, &site.key);
        let project = format!("/api/v1/projects/{}", site.project);
        let get = |path: &str| (Method::GET, path.to_owned(), Value::Null);
        let list = get("/api/v1/incidents?limit=1");
        if way == Way::KeyDeleted {
            let wish = json!({"name": format!("key {number}"), "role": "engineer"});
            let made = ask(site, 0, &owner, &(Method::POST, format!("{project}/api-keys"), wish)).await?;
            let (id, key) = (text(&made.body, "/id")?, text(&made.body, "/key")?);
            let ends = (Method::DELETE, format!("{project}/api-keys/{id}"), Value::Null);
            return Ok(Self { who: Caller::program(&site.http, &key), asks: list, by: owner, ends });
        }
        let email = format!("bo{number}@shop.example");
        let (who, user) = Caller::join(site, &email, "engineer").await?;
        let member = format!("{project}/members/{user}");
        Ok(match way {
            Way::KeyDeleted | Way::MemberRemoved => {
                Self { who, asks: list, by: owner, ends: (Method::DELETE, member, Value::Null) }
            }
            Way::SessionEnded => {
                let base = site.replicas.first().context("a replica")?.base();
                let by = Caller::sign_in(&site.http, &base, &email).await?;
                let sessions = ask(site, 0, &by, &get("/api/v1/auth/sessions")).await?.body;
                let all = sessions.get("items").and_then(Value::as_array).context("sessions")?;
                let other = all.iter().find(|one| one.get("current") == Some(&json!(false)));
                let id = text(other.context("another session")?, "/id")?;
                let ends = (Method::DELETE, format!("/api/v1/auth/sessions/{id}"), Value::Null);
                Self { who, asks: list, by, ends }
            }
            Way::RoleLowered => {
                let wish = (Method::POST, "/api/v1/incidents".to_owned(), json!({"title": "By hand"}));
                let opened = ask(site, 0, &owner, &wish).await?;
                let path = format!("/api/v1/incidents/{}", text(&opened.body, "/id")?);
                let ends = (Method::PATCH, member, json!({"role": "viewer"}));
                Self { who, asks: (Method::PATCH, path, json!({})), by: owner, ends }
            }
        })
    }
}
