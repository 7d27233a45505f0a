//! What start-up refuses and what it says then.

use outbox::{Clock, Db};

use super::cluster::Cluster;
use crate::world::folder;

async fn open(url: &str) -> Result<Db, String> {
    let folder = folder();
    copilot::db::open(url, folder.path(), Clock::System).await.map_err(|error| format!("{error:#}"))
}

async fn refused(url: &str, why: &str) {
    let error = open(url).await.map(drop).expect_err(why);
    assert!(error.contains(why), "{error}");
}

#[tokio::test]
async fn a_server_that_loses_commits_is_refused() {
    let Some(cluster) = Cluster::start("-c fsync=off") else { return };
    refused(&cluster.url("postgres", "postgres"), "fsync=off").await;
    cluster.down();
    cluster.up("");
    cluster
        .run("postgres", &["create role app login createrole", "create database careless owner app"])
        .await;
    cluster.run("postgres", &["alter role app set synchronous_commit = off"]).await;
    refused(&cluster.url("app", "careless"), "synchronous_commit=off").await;
    cluster.run("postgres", &["alter role app reset synchronous_commit"]).await;
    cluster.run("postgres", &["alter database careless set synchronous_commit = off"]).await;
    refused(&cluster.url("app", "careless"), "synchronous_commit=off").await;
    cluster.run("postgres", &["alter database careless reset synchronous_commit"]).await;
    let db = open(&cluster.url("app", "careless")).await.unwrap();
    db.close().await;
}

#[tokio::test]
async fn a_role_that_cannot_be_taken_on_is_named_with_its_remedy() {
    let Some(cluster) = Cluster::start("") else { return };
    cluster.run("postgres", &["create role plain login", "create database plain owner plain"]).await;
    let url = cluster.url("plain", "plain");
    refused(&url, "create role sre_copilot_app nologin;").await;
    cluster.run("postgres", &["create role sre_copilot_app nologin"]).await;
    refused(&url, "grant sre_copilot_app to \"plain\"").await;
    cluster
        .run("postgres", &["grant sre_copilot_app to plain", "alter role sre_copilot_app bypassrls"])
        .await;
    refused(&url, "nobypassrls").await;
    cluster.run("postgres", &["alter role sre_copilot_app nobypassrls"]).await;
    // Two replicas at once: one migrates, the other waits for it.
    let (one, other) = tokio::join!(open(&url), open(&url));
    one.unwrap().close().await;
    other.unwrap().close().await;
    // The version before this one starts on the schema of the next.
    cluster
        .run("plain", &["insert into _sqlx_migrations values (9999, 'later', now(), true, '\\x00', 0)"])
        .await;
    open(&url).await.unwrap().close().await;
}
