//! Row-level security: what one tenant's transaction can see and do when the condition on the tenant is forgotten.

use std::time::Duration;

use outbox::{Pool, Tx, TxConn, on_tx};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};
use uuid::Uuid;

use crate::world::{PASSWORD, World, alert, cookies, read, text};

/// A world on PostgreSQL with a second tenant; `None` on the pass over SQLite, which has no such barrier.
async fn two_tenants() -> Option<(World, Uuid, Uuid)> {
    std::env::var("SRE_COPILOT_TEST_DATABASE_URL").ok()?;
    let world = World::with(
        |config| config.registration = copilot::config::Registration::Open,
        copilot::ai::Model::none(),
    )
    .await;
    let hook = world.integration("alertmanager", json!({})).await;
    hook.send_json(&alert("Down", "checkout", "firing", world.clock.now(), None)).await.expect(200);
    let body = json!({
        "email": "eve@other.example", "password": PASSWORD, "full_name": "Eve", "tenant_name": "Other",
    });
    let sent =
        world.http.post(format!("{}/api/v1/auth/register", world.base)).json(&body).send().await.unwrap();
    let cookies = cookies(sent.headers());
    let registered = read(sent).await.expect(201);
    let (tenant, project) = (text(&registered["tenant"]["id"]), text(&registered["project"]["id"]));
    let made = world
        .http
        .post(format!("{}/api/v1/incidents", world.base))
        .header("cookie", cookies)
        .header("sec-fetch-site", "same-origin")
        .json(&json!({"title": "theirs", "severity": "high", "project_id": project}));
    read(made.send().await.unwrap()).await.expect(201);
    let ours = world.tenant.parse().unwrap();
    Some((world, ours, tenant.parse().unwrap()))
}

async fn strings(world: &World, query: &'static str) -> Vec<String> {
    let mut owner = PgConnection::connect(&world.database_url()).await.unwrap();
    let rows = sqlx::query(query).fetch_all(&mut owner).await.unwrap();
    owner.close().await.unwrap();
    rows.iter().map(|row| row.get::<String, _>(0)).collect()
}

const TABLES: &str =
    "select table_name::text from information_schema.columns c join pg_class p on p.relname = c.table_name
    where c.table_schema = 'public' and column_name = 'tenant_id' and p.relkind = 'r' order by 1";

async fn fails(tx: &mut Tx, statement: String) -> String {
    let TxConn::Postgres(open) = tx.conn() else { panic!("not PostgreSQL") };
    let mut point = open.begin().await.unwrap();
    let result = sqlx::query(AssertSqlSafe(statement)).execute(&mut *point).await;
    let error = result.expect_err("it was let through");
    point.rollback().await.unwrap();
    error.as_database_error().unwrap().code().unwrap().into_owned()
}

#[tokio::test]
async fn every_table_with_a_tenant_has_the_barrier() {
    let Some((world, ..)) = two_tenants().await else { return };
    let open = "select relname::text from pg_class c join pg_attribute a on a.attrelid = c.oid and attname = 'tenant_id'
        where relnamespace = 'public'::regnamespace and relkind = 'r' and (not relrowsecurity or not relforcerowsecurity
        or not exists (select 1 from pg_policies where tablename = relname and policyname = 'tenant'))";
    assert_eq!(strings(&world, open).await, [""; 0], "tables without FORCE or policy");
    let keys = "select format('%s.%s', conrelid::regclass, conname) from pg_constraint c
        where contype in ('p', 'u') and connamespace = 'public'::regnamespace
        and exists (select 1 from pg_attribute where attrelid = conrelid and attname = 'tenant_id')
        and (select attname from pg_attribute where attrelid = conrelid and attnum = conkey[1]) <> 'tenant_id'";
    assert_eq!(strings(&world, keys).await, [""; 0], "keys that do not begin with the tenant");
    let references = "select format('%s.%s', conrelid::regclass, conname) from pg_constraint c
        where contype = 'f' and connamespace = 'public'::regnamespace and
        (select attname from pg_attribute where attrelid = conrelid and attnum = conkey[1]) <> 'tenant_id'";
    assert_eq!(strings(&world, references).await, [""; 0], "references that do not carry the tenant");
    // Look-ups whose answer is the tenant need their key alone; what is in them is random or, for an address, public.
    let unique = "select i.relname::text from pg_index x join pg_class i on i.oid = indexrelid
        join pg_class t on t.oid = indrelid where indisunique and t.relnamespace = 'public'::regnamespace
        and exists (select 1 from pg_attribute where attrelid = t.oid and attname = 'tenant_id')
        and (select attname from pg_attribute where attrelid = t.oid and attnum = indkey[0]) <> 'tenant_id' order by 1";
    let known = [
        "api_keys_prefix",
        "integration_tokens_prefix",
        "invitations_token",
        "sessions_refresh",
        "users_email",
    ];
    assert_eq!(strings(&world, unique).await, known);
    let doors = "select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind in ('v', 'm')
        union all select proname::text from pg_proc where pronamespace = 'public'::regnamespace and prosecdef order by 1";
    // The searches hold the tenant themselves; the next test tries the two that are given one.
    assert_eq!(
        strings(&world, doors).await,
        ["find_incidents", "list_incidents", "search_incidents"],
        "views and definer functions go round the barrier"
    );
    let powers =
        "select rolname::text from pg_roles where rolname = 'sre_copilot_app' and (rolsuper or rolbypassrls
        or rolcanlogin or exists (select 1 from pg_class where relowner = pg_roles.oid))";
    assert_eq!(strings(&world, powers).await, [""; 0]);
    world.end().await;
}

#[tokio::test]
async fn the_search_finds_only_what_the_transaction_is_about() {
    let Some((world, ours, theirs)) = two_tenants().await else { return };
    let project: Uuid = strings(&world, "select project_id::text from incidents where title = 'theirs'")
        .await[0]
        .parse()
        .unwrap();
    for (search, marks) in [("find_incidents", ""), ("list_incidents", ", null")] {
        let search = format!(
            "select count(*) from {search}($1, $2, '''theirs''', null, null, null, null, null, null,
            '-detected_at', null, null, null, 10, null, false, null{marks})"
        );
        for (about, asked, found) in [(theirs, theirs, 1), (ours, theirs, 0), (ours, ours, 0)] {
            let mut tx = world.server.app.db.read(about).await.unwrap();
            let TxConn::Postgres(open) = tx.conn() else { panic!("not PostgreSQL") };
            let query = sqlx::query_scalar(AssertSqlSafe(search.as_str())).bind(asked).bind(project);
            let count: i64 = query.fetch_one(&mut **open).await.unwrap();
            assert_eq!(count, found, "of {asked} in a transaction about {about}: {search}");
        }
    }
    world.end().await;
}

#[tokio::test]
async fn a_query_that_forgot_its_tenant_finds_only_its_own_rows() {
    let Some((world, ours, theirs)) = two_tenants().await else { return };
    let mut seen = 0;
    for table in strings(&world, TABLES).await {
        let count = format!("select count(*), count(*) filter (where tenant_id <> $1) from {table}");
        let mut tx = world.server.app.db.begin(ours).await.unwrap();
        let TxConn::Postgres(open) = tx.conn() else { panic!("not PostgreSQL") };
        let (all, foreign): (i64, i64) =
            sqlx::query_as(AssertSqlSafe(count)).bind(ours).fetch_one(&mut **open).await.unwrap();
        assert_eq!(foreign, 0, "{table}");
        seen += all;
        for change in [format!("delete from {table}"), format!("update {table} set tenant_id = tenant_id")] {
            let sql = format!("{change} where tenant_id = '{theirs}'");
            let mut point = open.begin().await.unwrap();
            match sqlx::query(AssertSqlSafe(sql)).execute(&mut *point).await {
                Ok(done) => assert_eq!(done.rows_affected(), 0, "{change}"),
                // The audit log is nobody's to change.
                Err(error) => {
                    let code = error.as_database_error().and_then(|error| error.code()).unwrap();
                    assert_eq!((table.as_str(), &*code), ("audit", "42501"), "{error}");
                }
            }
            point.rollback().await.unwrap();
        }
        drop(tx);
        for mut tx in [
            world.server.app.db.begin_unscoped().await.unwrap(),
            world.server.app.db.read_across("unheard of").await.unwrap(),
        ] {
            let TxConn::Postgres(open) = tx.conn() else { panic!("not PostgreSQL") };
            let sql = format!("select count(*) from {table}");
            let all: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut **open).await.unwrap();
            assert_eq!(all, 0, "{table} without a tenant");
        }
    }
    assert!(seen > 10, "the tables were empty");
    world.end().await;
}

#[tokio::test]
async fn a_look_up_across_tenants_sees_only_what_it_is_for() {
    let Some((world, ..)) = two_tenants().await else { return };
    let policies = "select distinct substring(policyname from 'across_(.*)_[a-z]+$') || ':' || tablename from pg_policies
        where policyname like 'across%' order by 1";
    let admitted = strings(&world, policies).await;
    for look_up in [
        "registration",
        "sign_in",
        "operator",
        "api_key",
        "invitation",
        "webhook",
        "sweep",
        "jobs",
        "housekeeping",
        "rotation",
        "bodies",
        "events",
    ] {
        for table in strings(&world, TABLES).await {
            let mut tx = world.server.app.db.read_across(look_up).await.unwrap();
            let TxConn::Postgres(open) = tx.conn() else { panic!("not PostgreSQL") };
            let sql = format!("select count(*) from {table}");
            let all: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut **open).await.unwrap();
            assert!(all == 0 || admitted.contains(&format!("{look_up}:{table}")), "{look_up} sees {table}");
        }
    }
    world.end().await;
}

#[tokio::test]
async fn keys_tell_nothing_about_another_tenant() {
    let Some((world, ours, theirs)) = two_tenants().await else { return };
    let project = &world.project;
    let mut tx = world.server.app.db.begin(ours).await.unwrap();
    // A row for somebody else, though the reference would hold.
    let stream = Uuid::now_v7();
    let sql = format!("insert into streams values ('{theirs}', '{stream}', '{stream}', 1)");
    assert_eq!(fails(&mut tx, sql).await, "42501");
    // A row of ours that points at a row of theirs: there is no such row for us.
    let their_user = {
        let mut other = world.server.app.db.read(theirs).await.unwrap();
        on_tx!(other, c => sqlx::query_scalar::<_, Uuid>("select id from users").fetch_one(c).await).unwrap()
    };
    let sql = format!("insert into members values ('{ours}', '{project}', '{their_user}', 'owner', now())");
    assert_eq!(fails(&mut tx, sql).await, "23503");
    // A key of theirs is free for us, so that its being taken tells nothing.
    let mut other = world.server.app.db.read(theirs).await.unwrap();
    let stream: Uuid =
        on_tx!(other, c => sqlx::query_scalar("select stream_id from streams").fetch_one(c).await).unwrap();
    drop(other);
    on_tx!(tx, c => sqlx::query("insert into streams values ($1, $2, $2, 0)").bind(ours).bind(stream).execute(c).await
        .map(drop))
    .unwrap();
    // The role can't be left, nor the barrier be taken down.
    assert_eq!(fails(&mut tx, "alter table users disable row level security".to_owned()).await, "42501");
    tx.commit().await.unwrap();
    world.end().await;
}

#[tokio::test]
async fn nothing_of_a_request_stays_on_its_connection() {
    let Some((world, ours, theirs)) = two_tenants().await else { return };
    let options = world.database_url().parse().unwrap();
    let pool = sqlx::postgres::PgPoolOptions::new().max_connections(1).connect_with(options);
    let pool = pool.await.unwrap();
    let db = outbox::Db::new(Pool::Postgres(pool.clone()), outbox::Clock::System);
    let mut cut = 0;
    for round in 0..400_u32 {
        let (mine, other) = if round % 2 == 0 { (ours, theirs) } else { (theirs, ours) };
        let mut tx = db.begin(mine).await.unwrap();
        let found: Vec<Uuid> =
            on_tx!(tx, c => sqlx::query_scalar("select tenant_id from incidents").fetch_all(c).await)
                .unwrap();
        assert!(!found.is_empty() && !found.contains(&other), "round {round}: {found:?}");
        match round % 4 {
            0 => tx.commit().await.unwrap(),
            1 => drop(tx),
            2 => {
                // Cancelled in the middle of a statement, as when a client goes away.
                let slow = async {
                    on_tx!(tx, c => sqlx::query("select pg_sleep(0.05)").execute(c).await.map(drop))
                };
                let cancelled = tokio::time::timeout(Duration::from_millis(2), slow).await;
                cut += u32::from(cancelled.is_err());
                drop(tx);
            }
            _ => {
                on_tx!(tx, c => sqlx::query("select 1/0").execute(c).await.map(drop)).unwrap_err();
                drop(tx);
            }
        }
        let left: (String, Option<String>) =
            sqlx::query_as("select current_user::text, nullif(current_setting('app.tenant', true), '')")
                .fetch_one(&pool)
                .await
                .unwrap();
        assert_eq!(left, ("postgres".to_owned(), None), "round {round}");
    }
    assert!(cut > 50, "only {cut} of 100 were cancelled in time");
    pool.close().await;
    world.end().await;
}

#[tokio::test]
async fn characters_that_postgresql_refuses_are_no_fault() {
    let Some((world, ..)) = two_tenants().await else { return };
    let hook = world.integration("grafana", json!({})).await;
    let odd = ["a\u{0}b", "\u{0}", "\u{fffd}\u{ffff}", "😀\u{202e}"];
    for text in odd {
        let mut body = alert("Odd", text, "firing", world.clock.now(), None);
        body["alerts"][0]["labels"][text] = json!(text);
        body["alerts"][0]["annotations"][text] = json!(text);
        body["alerts"][0]["generatorURL"] = json!(text);
        body["receiver"] = json!(text);
        let answer = hook.send_json(&body).await;
        assert!([200, 400].contains(&answer.status.as_u16()), "{text:?}: {:?}", answer.body);
        for (method, path, body) in writes(&world, text) {
            let answer = world.call(method, &path, Some(body)).await;
            assert!(answer.status.as_u16() < 500, "{path} {text:?}: {:?}", answer.body);
        }
    }
    let lone = "{\"title\": \"\\ud800\", \"severity\": \"high\"}";
    let sent = world.http.post(format!("{}/api/v1/incidents", world.base)).bearer_auth(&world.key);
    let sent = sent.header("content-type", "application/json").body(lone).send().await.unwrap();
    assert!(sent.status().is_client_error(), "{}", sent.status());
    let sent = world.http.get(format!("{}/api/v1/incidents?q=%00&service=%00&cursor=%00", world.base));
    let status = sent.bearer_auth(&world.key).send().await.unwrap().status();
    assert!(status.as_u16() < 500, "{status}");
    let agent = sent_with_agent(&world, &hook.url).await;
    assert!(agent < 500, "{agent}");
    world.end().await;
}

fn writes(world: &World, text: &str) -> Vec<(Method, String, Value)> {
    let project = format!("/api/v1/projects/{}", world.project);
    vec![
        (
            Method::POST,
            "/api/v1/incidents".to_owned(),
            json!({"title": text, "severity": "high", "description": text, "service_name": text, "labels": {text: text}}),
        ),
        (Method::POST, "/api/v1/incidents/INC-1/comments".to_owned(), json!({"body": text})),
        (Method::PATCH, "/api/v1/incidents/INC-1".to_owned(), json!({"title": text, "root_cause": text})),
        (
            Method::POST,
            "/api/v1/changes".to_owned(),
            json!({"service_name": text, "summary": text, "kind": text, "version": text}),
        ),
        (
            Method::POST,
            format!("{project}/integrations"),
            json!({"kind": "alertmanager", "name": text, "settings": {"source": text, "group_by": [text]}}),
        ),
        (Method::POST, format!("{project}/api-keys"), json!({"name": text, "role": "viewer"})),
        (
            Method::POST,
            "/api/v1/auth/login".to_owned(),
            json!({"email": format!("{text}@x.example"), "password": text}),
        ),
    ]
}

async fn sent_with_agent(world: &World, url: &str) -> u16 {
    let sent =
        world.http.post(url).header("user-agent", b"\xff\xfe".as_slice()).body("{}").send().await.unwrap();
    sent.status().as_u16()
}
