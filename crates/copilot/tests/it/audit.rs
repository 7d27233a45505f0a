//! The audit log: one entry for each act and each refusal, and no change of it that does not show.

mod kills;
mod trims;

use copilot::auth::chain::{self, Verified};
use outbox::{Pool, on_tx};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::browser::{Browser, join};
use crate::world::{PASSWORD, World, text};

const PROJECTS: &str = "/api/v1/projects";
const NEXT: &str = "granite parasol eleven walnut";

/// The log as an admin reads it, and how much of it was looked at.
struct Log<'a> {
    world: &'a World,
    seen: usize,
}

impl Log<'_> {
    async fn new(world: &World) -> Log<'_> {
        let mut log = Log { world, seen: 0 };
        log.news().await;
        log
    }

    /// Entries since the last look, as `action object result`, with ids left out.
    async fn news(&mut self) -> Vec<String> {
        let entries = self.world.get("/api/v1/audit?limit=200").await["items"].as_array().unwrap().clone();
        let new = entries.len() - self.seen;
        self.seen = entries.len();
        let show = |entry: &Value| {
            let object = text(&entry["object"]);
            let kind =
                if object.contains('/') { object } else { object.split(':').next().unwrap().to_owned() };
            format!("{} {kind} {}", text(&entry["action"]), text(&entry["result"]))
        };
        entries.iter().take(new).map(show).collect()
    }

    /// An answer of this status, and exactly these entries for it, the newest first.
    #[track_caller]
    fn check(found: &[String], answer: (u16, u16), expected: &[&str]) {
        assert_eq!(answer.0, answer.1, "{expected:?}");
        assert_eq!(found, expected, "an answer of {}", answer.0);
    }

    /// `browser` sends this; the answer has the status, and the log has exactly these entries for it.
    async fn act(
        &mut self,
        browser: &mut Browser,
        (method, path): (Method, &str),
        body: Option<Value>,
        status: u16,
        entries: &[&str],
    ) -> Value {
        let answer = browser.page(method, path, body).await;
        browser.keep(&answer);
        Self::check(&self.news().await, (answer.status.as_u16(), status), entries);
        answer.body
    }
}

#[tokio::test]
async fn each_act_of_managing_is_one_entry() {
    let world = World::new().await;
    let mut ana = Browser::owner(&world).await;
    let bob = join(&world, "bob@shop.example", "viewer").await;
    let bob = text(&bob.get("/api/v1/auth/me").await.expect(200)["user"]["id"]);
    let log = &mut Log::new(&world).await;
    let made = log
        .act(
            &mut ana,
            (Method::POST, PROJECTS),
            Some(json!({"name": "Second"})),
            201,
            &["project.created project ok"],
        )
        .await;
    let project = format!("{PROJECTS}/{}", text(&made["id"]));
    let (members, keys) = (format!("{project}/members"), format!("{project}/api-keys"));
    let hooks = format!("{project}/integrations");
    let name = Some(json!({"name": "Renamed"}));
    log.act(&mut ana, (Method::PATCH, &project), name, 200, &["project.renamed project ok"]).await;
    let body = json!({"email": "bob@shop.example", "role": "viewer"});
    log.act(&mut ana, (Method::POST, &members), Some(body.clone()), 201, &["member.added user ok"]).await;
    log.act(&mut ana, (Method::POST, &members), Some(body), 409, &[]).await;
    let member = format!("{members}/{bob}");
    let role = Some(json!({"role": "admin"}));
    log.act(&mut ana, (Method::PATCH, &member), role, 200, &["member.role_changed user ok"]).await;
    log.act(&mut ana, (Method::DELETE, &member), None, 204, &["member.removed user ok"]).await;
    let key = Some(json!({"name": "ci", "role": "viewer"}));
    let made = log.act(&mut ana, (Method::POST, &keys), key, 201, &["api_key.created key ok"]).await;
    let key = format!("{keys}/{}", text(&made["id"]));
    log.act(&mut ana, (Method::DELETE, &key), None, 204, &["api_key.revoked key ok"]).await;
    log.act(&mut ana, (Method::DELETE, &key), None, 404, &[]).await;
    let hook = Some(json!({"kind": "alertmanager", "name": "am"}));
    let made =
        log.act(&mut ana, (Method::POST, &hooks), hook, 201, &["integration.created integration ok"]).await;
    let hook = format!("{hooks}/{}", text(&made["id"]));
    let name = Some(json!({"name": "other"}));
    log.act(&mut ana, (Method::PATCH, &hook), name, 200, &["integration.changed integration ok"]).await;
    let rotate = format!("{hook}/rotate-token");
    log.act(&mut ana, (Method::POST, &rotate), None, 200, &["integration.token_rotated integration ok"])
        .await;
    log.act(&mut ana, (Method::DELETE, &hook), None, 204, &["integration.removed integration ok"]).await;
    let invitations = "/api/v1/auth/invitations";
    let body = Some(json!({"email": "carol@shop.example", "role": "viewer"}));
    let made = log
        .act(&mut ana, (Method::POST, invitations), body, 201, &["invitation.created invitation ok"])
        .await;
    let invitation = format!("{invitations}/{}", text(&made["id"]));
    log.act(&mut ana, (Method::DELETE, &invitation), None, 204, &["invitation.withdrawn invitation ok"])
        .await;
    log.act(&mut ana, (Method::DELETE, &project), None, 204, &["project.deleted project ok"]).await;
    assert_eq!(verified(&world).await.broken, None);
    world.end().await;
}

#[tokio::test]
async fn each_act_about_a_session_is_one_entry() {
    let world = World::new().await;
    let mut ana = Browser::owner(&world).await;
    let log = &mut Log::new(&world).await;
    let login = |password: &str| Some(json!({"email": "ana@shop.example", "password": password}));
    let sign_in = (Method::POST, "/api/v1/auth/login");
    let mut second = Browser::new(&world);
    log.act(&mut second, sign_in.clone(), login(PASSWORD), 200, &["session.begun session ok"]).await;
    log.act(&mut Browser::new(&world), sign_in.clone(), login("wrong"), 401, &["session.begun user refused"])
        .await;
    let stranger = Some(json!({"email": "nobody@shop.example", "password": PASSWORD}));
    log.act(&mut Browser::new(&world), sign_in.clone(), stranger, 401, &[]).await;
    let first = second.clone();
    log.act(&mut second, (Method::POST, "/api/v1/auth/refresh"), None, 204, &[]).await;
    log.act(&mut second, (Method::POST, "/api/v1/auth/refresh"), None, 204, &[]).await;
    let reused = ["refresh.reused session refused"];
    log.act(&mut first.clone(), (Method::POST, "/api/v1/auth/refresh"), None, 401, &reused).await;
    let mut third = Browser::new(&world);
    log.act(&mut third, sign_in.clone(), login(PASSWORD), 200, &["session.begun session ok"]).await;
    log.act(&mut third, (Method::POST, "/api/v1/auth/logout"), None, 204, &["session.ended session ok"])
        .await;
    let others = (Method::DELETE, "/api/v1/auth/sessions");
    log.act(&mut ana, others, None, 204, &["sessions.ended user ok"]).await;
    let change = |old: &str, new: &str| Some(json!({"old_password": old, "new_password": new}));
    let password = (Method::POST, "/api/v1/auth/password");
    log.act(&mut ana, password.clone(), change("wrong", NEXT), 422, &["password.changed user refused"]).await;
    log.act(&mut ana, password, change(PASSWORD, NEXT), 204, &["password.changed user ok"]).await;
    let invited =
        world.post("/api/v1/auth/invitations", json!({"email": "bob@shop.example", "role": "viewer"}));
    let token = text(&invited.await.expect(201)["link"]).split_once('#').unwrap().1.to_owned();
    log.news().await;
    let body = json!({"token": token, "password": PASSWORD, "full_name": "Bob"});
    let accepted = ["session.begun session ok", "invitation.accepted invitation ok"];
    let accept = (Method::POST, "/api/v1/auth/invitations/accept");
    log.act(&mut Browser::new(&world), accept, Some(body), 200, &accepted).await;
    let me = ana.get("/api/v1/auth/me").await.expect(200);
    let (tenant, user) = (world.tenant.parse().unwrap(), text(&me["user"]["id"]).parse().unwrap());
    let link = Some(json!({"token": copilot::auth::issue_link(&world.server.app, tenant, user)}));
    log.act(
        &mut Browser::new(&world),
        (Method::POST, "/api/v1/auth/link"),
        link,
        200,
        &["link.used session ok"],
    )
    .await;
    let listed = ana.get("/api/v1/auth/sessions").await.expect(200);
    let other = listed["items"].as_array().unwrap().iter().find(|one| one["current"] == false).unwrap();
    let other = format!("/api/v1/auth/sessions/{}", text(&other["id"]));
    log.act(&mut ana, (Method::DELETE, &other), None, 204, &["session.ended session ok"]).await;
    assert_eq!(verified(&world).await.broken, None);
    world.end().await;
}

#[tokio::test]
async fn each_refused_change_is_one_entry() {
    let world = World::new().await;
    let mut viewer = join(&world, "viewer@shop.example", "viewer").await;
    let mut admin = join(&world, "admin@shop.example", "admin").await;
    let log = &mut Log::new(&world).await;
    let project = format!("{PROJECTS}/{}", world.project);
    let name = Some(json!({"name": "mine"}));
    let refused = ["request.sent PATCH /api/v1/projects/{project_id} refused"];
    log.act(&mut viewer, (Method::PATCH, &project), name.clone(), 403, &refused).await;
    // Reading is refused as well, and is no act.
    log.act(&mut viewer, (Method::GET, "/api/v1/audit"), None, 403, &[]).await;
    // What only the handler can know: nobody gives a role above their own.
    let keys = format!("{project}/api-keys");
    let key = Some(json!({"name": "k", "role": "owner"}));
    let refused = ["request.sent POST /api/v1/projects/{project_id}/api-keys refused"];
    log.act(&mut admin, (Method::POST, &keys), key, 403, &refused).await;
    // Another site's page with our cookie.
    let answer = admin.send(Method::PATCH, &project, name, &[("origin", "https://evil.test")]).await;
    let refused = ["request.sent PATCH /api/v1/projects/{project_id} refused"];
    Log::check(&log.news().await, (answer.status.as_u16(), 403), &refused);
    // A program that asks for what only people may.
    let answer = world.post("/api/v1/auth/password", json!({})).await;
    let refused = ["request.sent POST /api/v1/auth/password refused"];
    Log::check(&log.news().await, (answer.status.as_u16(), 403), &refused);
    assert_eq!(verified(&world).await.broken, None);
    world.end().await;
}

/// Twenty at once, on several connections where there are: every number is taken once.
#[tokio::test(flavor = "multi_thread")]
async fn entries_of_several_requests_at_once_are_one_chain() {
    let world = World::new().await;
    let keys = format!("{PROJECTS}/{}/api-keys", world.project);
    let before = verified(&world).await.entries;
    let posts = (0..20).map(|_| world.post(&keys, json!({"name": "k", "role": "viewer"})));
    for answer in futures_util::future::join_all(posts).await {
        answer.expect(201);
    }
    let after = verified(&world).await;
    assert_eq!((after.entries, after.broken), (before + 20, None));
    world.end().await;
}

async fn verified(world: &World) -> Verified {
    let found = chain::verify(&world.server.app.db).await.unwrap();
    found.into_iter().find(|one| one.tenant.to_string() == world.tenant).unwrap()
}

/// Does to the database what an intruder would, as whoever owns it.
async fn tamper(world: &World, statements: &[&str]) {
    match world.server.app.db.pool() {
        Pool::Postgres(_) => {
            let mut owner = PgConnection::connect(&world.database_url()).await.unwrap();
            for statement in statements {
                sqlx::query(AssertSqlSafe(*statement)).execute(&mut owner).await.unwrap();
            }
            owner.close().await.unwrap();
        }
        Pool::Sqlite { writer, .. } => {
            for statement in statements {
                sqlx::query(AssertSqlSafe(*statement)).execute(writer).await.unwrap();
            }
        }
    }
}

/// As whoever owns the database, who can get round everything that guards the log.
async fn own(world: &World) {
    let statements: &[&str] = match world.server.app.db.pool() {
        Pool::Postgres(_) => &["alter table audit disable trigger audit_stays"],
        Pool::Sqlite { .. } => &["drop trigger audit_is_kept", "drop trigger audit_stays"],
    };
    tamper(world, statements).await;
}

/// Puts back what an intruder changed, from copies.
const RESTORE: [&str; 4] = [
    "delete from audit",
    "insert into audit select * from kept",
    "delete from audit_heads",
    "insert into audit_heads select * from ends",
];

/// What an intruder does, and what is said of it.
const INTRUSIONS: &[(&[&str], &str)] = &[
    (&["update audit set actor = 'user:x' where number = 3"], "entry 3 ("),
    (&["update audit set action = 'x' where number = 1"], "entry 1 ("),
    (&["update audit set object = 'x' where number = 6"], "entry 6 ("),
    (&["update audit set result = 'refused' where number = 2"], "entry 2 ("),
    (&["update audit set remote = '::1' where number = 4"], "entry 4 ("),
    (&["update audit set request_id = '' where number = 4"], "entry 4 ("),
    (&["update audit set detail = '{}' where number = 5"], "entry 5 ("),
    (&["update audit set hash = (select hash from audit where number = 2) where number = 3"], "entry 3 ("),
    (&["delete from audit where number = 1"], "entry 1 is missing"),
    (&["delete from audit where number = 3"], "entry 3 is missing"),
    (&["delete from audit where number = 6"], "entry 6 is missing: the chain ended with 6"),
    (&["delete from audit where number > 2"], "entry 3 is missing: the chain ended with 6"),
    (
        &["delete from audit where number = 3", "update audit set number = number - 1 where number = 4"],
        "entry 3 (",
    ),
    (
        &[
            "update audit set number = 100 where number = 3",
            "update audit set number = 3 where number = 4",
            "update audit set number = 4 where number = 100",
        ],
        "entry 3 (",
    ),
    (&["update audit set number = null where number = 6"], "is younger than the chain and not in it"),
    (&["delete from audit_heads"], "nothing says where the chain ends"),
];

#[tokio::test]
async fn a_log_that_was_tampered_with_names_the_first_wrong_entry() {
    let world = World::new().await;
    let keys = format!("{PROJECTS}/{}/api-keys", world.project);
    for name in ["a", "b", "c", "d"] {
        world.clock.advance(1.0);
        world.post(&keys, json!({"name": name, "role": "viewer"})).await.expect(201);
    }
    let good = verified(&world).await;
    assert_eq!((good.entries, good.broken), (6, None), "registering, the world's key, and four");
    own(&world).await;
    tamper(
        &world,
        &["create table kept as select * from audit", "create table ends as select * from audit_heads"],
    )
    .await;
    let copy =
        "insert into audit (tenant_id, id, at, actor, action, object, result, remote, request_id, detail)
        select tenant_id, hash_id, at, actor, action, object, result, remote, request_id, detail from";
    let forged = if matches!(world.server.app.db.pool(), Pool::Postgres(_)) {
        format!("{copy} (select audit.*, gen_random_uuid() as hash_id from audit where number = 6) one")
    } else {
        format!("{copy} (select audit.*, randomblob(16) as hash_id from audit where number = 6) one")
    };
    let forged: (&[&str], &str) = (&[&forged], "is younger than the chain and not in it");
    for (statements, expected) in INTRUSIONS.iter().chain([&forged]) {
        tamper(&world, statements).await;
        let found = verified(&world).await.broken.unwrap_or_default();
        assert!(found.contains(expected), "{statements:?}: {found:?}");
        tamper(&world, &RESTORE).await;
        assert_eq!(
            verified(&world).await,
            Verified { broken: None, ..verified(&world).await },
            "{statements:?}"
        );
    }
    world.end().await;
}

/// The product itself can add entries and nothing else: on PostgreSQL its role may not, on SQLite a trigger says no.
#[tokio::test]
async fn the_product_can_not_change_the_log() {
    let world = World::new().await;
    for statement in ["update audit set actor = 'x'", "delete from audit"] {
        let mut tx = world.server.app.db.begin(world.tenant.parse().unwrap()).await.unwrap();
        let done = on_tx!(tx, c => sqlx::query(statement).execute(c).await.map(drop));
        let refused = done.unwrap_err().to_string();
        assert!(refused.contains("permission denied") || refused.contains("is never"), "{refused}");
    }
    assert_eq!(verified(&world).await.broken, None);
    world.end().await;
}
