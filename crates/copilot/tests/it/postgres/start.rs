//! What start-up refuses and what it says then.

use std::time::Duration;

use bench::faults::until;
use outbox::{Clock, Db};
use sqlx::migrate::Migrator;
use sqlx::{Connection as _, PgConnection};

use super::cluster::Cluster;
use crate::process::Process;
use crate::world::{Home, folder};

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

/// Rows of the schema with the numbers up to 11: an open incident that somebody acknowledged and wrote to, and one that
/// was resolved by hand while its alert fires.
const BEFORE: [&str; 7] = [
    "insert into tenants (tenant_id, name, created_at) values (gen_random_uuid(), 'T', now())",
    "insert into projects (tenant_id, id, name, created_at) select tenant_id, gen_random_uuid(), 'P', now() from tenants",
    "insert into incidents (tenant_id, id, project_id, number, title, description, severity, severity_rank, state, open,
         source, labels, alert_count, open_alert_count, detected_at, created_at, updated_at, version)
     select tenant_id, gen_random_uuid(), id, 1, 'one', '', 'high', 1, 'acknowledged', true, 'am', '{}'::jsonb, 1, 1,
         timestamptz '2026-01-24T12:00Z', now(), now(), 1 from projects
     union all select tenant_id, gen_random_uuid(), id, 2, 'two', '', 'high', 1, 'resolved', false, 'am', '{}'::jsonb, 1, 1,
         timestamptz '2026-01-24T12:00Z', now(), now(), 1 from projects",
    "insert into alerts (tenant_id, id, project_id, alert_key, integration_id, incident_key, fingerprint, name, title,
         description, severity, labels, annotations, flags, transitions, first_seen_at, last_seen_at, statements)
     select tenant_id, gen_random_uuid(), id, '', gen_random_uuid(), '', '', 'A', 'A', '', 'high', '{}', '{}', '[]', '[]',
         now(), now(), 1 from projects",
    "insert into episodes (tenant_id, id, project_id, alert_id, incident_id, starts_at, opened_at)
     select a.tenant_id, gen_random_uuid(), a.project_id, a.id, i.id, '2026-01-24T11:50Z', now()
     from alerts a, incidents i where i.number = 1",
    "insert into steps (tenant_id, id, incident_id, step_type, status, started_at, detail, actor)
     select tenant_id, gen_random_uuid(), id, 'state_changed', 'completed', now(), '{\"to\": \"acknowledged\"}', 'Ana'
     from incidents where number = 1",
    "insert into comments (tenant_id, id, incident_id, author_name, body, created_at)
     select tenant_id, gen_random_uuid(), id, 'Ana', 'the resolver', now() from incidents where number = 1",
];

/// The address of a database that an owner without power has brought to the schema with the numbers up to 11.
async fn old(cluster: &Cluster) -> String {
    cluster.run("postgres", &["create role app login createrole", "create database old owner app"]).await;
    let url = cluster.url("app", "old");
    let mut owner = PgConnection::connect(&url).await.unwrap();
    let all = sqlx::migrate!("../../migrations/postgres");
    let before = all.iter().filter(|one| one.version <= 11).cloned().collect();
    Migrator::with_migrations(before).run(&mut owner).await.unwrap();
    sqlx::query("select sre_copilot_protect()").execute(&mut owner).await.unwrap();
    cluster.run("old", &BEFORE).await;
    url
}

/// Requests of the version before go on meanwhile, and none of them is ended for the schema's sake.
#[tokio::test]
async fn a_file_that_waits_for_requests_as_they_wait_for_it_is_tried_again() {
    let Some(cluster) = Cluster::start("") else { return };
    let url = old(&cluster).await;
    let mut request = PgConnection::connect(&url).await.unwrap();
    let mut look = PgConnection::connect(&url).await.unwrap();
    let mut tx = request.begin().await.unwrap();
    sqlx::query("lock table episodes in row exclusive mode").execute(&mut *tx).await.unwrap();
    let goes_on = async {
        let waits = "select count(*) from pg_locks where relation = 'episodes'::regclass and not granted";
        let waits = until(Duration::from_secs(30), async || {
            let count: i64 = sqlx::query_scalar(waits).fetch_one(&mut look).await?;
            Ok((count > 0).then_some(()))
        });
        waits.await.unwrap().expect("the schema waits for nobody");
        sqlx::query("lock table incidents in row exclusive mode").execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    };
    let (opened, ()) = tokio::join!(open(&url), goes_on);
    opened.unwrap().close().await;
}

/// The owner is held by row-level security as everybody is: a migration that forgets it changes nothing.
#[tokio::test]
async fn an_owner_without_power_brings_along_what_was_stored_before() {
    let Some(cluster) = Cluster::start("") else { return };
    let url = old(&cluster).await;
    open(&url).await.unwrap().close().await;
    let mut all = PgConnection::connect(&cluster.url("postgres", "old")).await.unwrap();
    let shown: Vec<(Option<String>, Option<String>, bool, bool)> = sqlx::query_as(
        "select to_char(started_at at time zone 'UTC', 'HH24:MI'), acknowledged_by, still_firing,
             coalesce(notes @@ 'resolver', false) from incidents order by number",
    )
    .fetch_all(&mut all)
    .await
    .unwrap();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(shown, [(text("11:50"), text("Ana"), false, true), (None, None, true, false)]);
    let unforced: Vec<String> = sqlx::query_scalar(
        "select relname::text from pg_class where relrowsecurity and not relforcerowsecurity",
    )
    .fetch_all(&mut all)
    .await
    .unwrap();
    assert_eq!(unforced, Vec::<String>::new());
}

#[tokio::test]
async fn a_server_that_comes_later_is_waited_for_and_one_that_refuses_is_not() {
    let Some(cluster) = Cluster::start("") else { return };
    cluster.run("postgres", &["create database late"]).await;
    let mut config = copilot::config::Config::defaults().unwrap();
    for (user, database) in [("postgres", "missing"), ("nobody", "late")] {
        config.database_url = cluster.url(user, database);
        let begun = std::time::Instant::now();
        copilot::db::reachable(&config).await.unwrap_err();
        assert!(begun.elapsed() < Duration::from_secs(2), "{user} {database}: {:?}", begun.elapsed());
    }
    let (home, url) = (Home::new().await, cluster.url("postgres", "late"));
    let path = home.folder.path().join("log");
    let log = std::fs::File::create(&path).unwrap();
    cluster.down();
    let variables = [("DATABASE_URL", url.as_str())];
    let comes = async {
        let waits = || std::fs::read_to_string(&path).unwrap().contains("waiting for the database");
        until(Duration::from_secs(20), async || Ok(waits().then_some(()))).await.unwrap().unwrap();
        cluster.up("");
    };
    tokio::join!(Process::start_logging(&home, &variables, log.into()), comes);
}
