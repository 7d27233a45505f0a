//! Who may do what: forged requests, roles, other tenants, keys that were revoked.

use reqwest::Method;
use serde_json::{Value, json};

use crate::browser::{Browser, join};
use crate::world::{PASSWORD, World, text};

const ME: &str = "/api/v1/auth/me";
const PROJECTS: &str = "/api/v1/projects";

fn slug(body: &Value) -> String {
    text(&body["type"]).trim_start_matches("/problems/").to_owned()
}

#[tokio::test]
async fn a_change_with_a_cookie_must_come_from_our_page() {
    let world = World::new().await;
    let browser = Browser::owner(&world).await;
    let (ours, token) = (world.base.clone(), browser.csrf.clone());
    let other_port = ours.rsplit_once(':').unwrap().0.to_owned() + ":1";
    let stranger = Browser::owner(&world).await.csrf;
    let cases: [(&[(&str, &str)], u16); 16] = [
        (&[("sec-fetch-site", "same-origin")], 201),
        (&[("origin", &ours)], 201),
        (&[("x-csrf-token", &token)], 201),
        (&[], 403),
        (&[("x-csrf-token", "")], 403),
        (&[("x-csrf-token", &stranger)], 403),
        (&[("x-csrf-token", &token), ("origin", "https://evil.test")], 403),
        (&[("x-csrf-token", &token), ("sec-fetch-site", "cross-site")], 403),
        (&[("sec-fetch-site", "same-site")], 403),
        (&[("sec-fetch-site", "none")], 403),
        (&[("sec-fetch-site", "cross-site"), ("origin", "https://evil.test")], 403),
        (&[("origin", "null")], 403),
        (&[("origin", &format!("{ours}.evil.test"))], 403),
        (&[("origin", &ours.replace("http:", "https:"))], 403),
        (&[("origin", &other_port)], 403),
        (&[("origin", &format!("{ours}/"))], 403),
    ];
    for (headers, expected) in cases {
        let answer = browser.send(Method::POST, PROJECTS, Some(json!({"name": "p"})), headers).await;
        assert_eq!(answer.status.as_u16(), expected, "{headers:?}: {}", answer.body);
        if expected == 403 {
            assert_eq!(slug(&answer.body), "csrf-failed", "{headers:?}");
        }
    }
    // Reading needs none of it; signing in has no cookie yet and asks for the Origin alone.
    browser.send(Method::GET, PROJECTS, None, &[("origin", "https://evil.test")]).await.expect(200);
    let login = json!({"email": "ana@shop.example", "password": PASSWORD});
    let evil = [("origin", "https://evil.test")];
    for path in ["/api/v1/auth/login", "/api/v1/auth/register", "/api/v1/auth/link"] {
        let mut body = login.clone();
        body["token"] = json!("x");
        body["full_name"] = json!("x");
        body["tenant_name"] = json!("x");
        let answer = Browser::new(&world).send(Method::POST, path, Some(body), &evil).await;
        assert_eq!(slug(&answer.expect(403)), "origin-not-allowed", "{path}");
    }
    for path in ["/api/v1/auth/logout", "/api/v1/auth/refresh"] {
        let answer = browser.send(Method::POST, path, None, &evil).await;
        assert_eq!(slug(&answer.expect(403)), "csrf-failed", "{path}");
    }
    browser.get(ME).await.expect(200);
    let preflight = [("origin", "https://evil.test"), ("access-control-request-method", "POST")];
    let answer = browser.send(Method::OPTIONS, PROJECTS, None, &preflight).await;
    assert!(!answer.headers.keys().any(|name| name.as_str().starts_with("access-control-allow")));
    answer.expect(403);
    world.end().await;
}

#[tokio::test]
async fn one_credential_a_request() {
    let world = World::new().await;
    let browser = Browser::owner(&world).await;
    let access = browser.cookie("srec_at");
    let stranger = Browser::new(&world);
    let key = world.key.clone();
    let wrong = format!("{}{}", &key[..key.len() - 1], if key.ends_with('1') { '2' } else { '1' });
    #[expect(clippy::type_complexity, reason = "a table: headers, status, problem")]
    let cases: [(&[(&str, &str)], u16, &str); 11] = [
        (&[], 401, "unauthenticated"),
        (&[("authorization", "Bearer ")], 401, "unauthenticated"),
        (&[("authorization", &format!("Bearer {access}"))], 401, "invalid-credentials"),
        (&[("authorization", &format!("Bearer {wrong}"))], 401, "invalid-credentials"),
        (
            &[("authorization", &format!("Bearer {}", copilot::auth::SecretToken::generate().reveal()))],
            401,
            "invalid-credentials",
        ),
        (&[("authorization", &format!("Basic {key}"))], 400, "malformed-request"),
        (&[("cookie", &format!("srec_at={access}; srec_at={access}"))], 401, "invalid-credentials"),
        (&[("cookie", &format!("srec_at={access}x"))], 401, "invalid-credentials"),
        (&[("cookie", &format!("srec_rt={access}"))], 401, "unauthenticated"),
        (
            &[("cookie", &browser.cookies), ("authorization", &format!("Bearer {key}"))],
            400,
            "malformed-request",
        ),
        (
            &[("authorization", &format!("Bearer {key}")), ("authorization", &format!("Bearer {key}"))],
            400,
            "malformed-request",
        ),
    ];
    for (headers, status, kind) in cases {
        let answer = stranger.send(Method::GET, ME, None, headers).await;
        assert_eq!(answer.status.as_u16(), status, "{headers:?}");
        assert_eq!(slug(&answer.body), kind, "{headers:?}");
    }
    let in_the_url = stranger.get(&format!("{ME}?token={key}&api_key={key}")).await;
    in_the_url.expect(401);
    let pretending = [("authorization", format!("Bearer {key}")), ("x-tenant-id", "x".to_owned())];
    let headers = pretending.each_ref().map(|(name, value)| (*name, value.as_str()));
    let me = stranger.send(Method::GET, ME, None, &headers).await.expect(200);
    assert_eq!(me["project"]["id"], json!(world.project));
    world.end().await;
}

#[tokio::test]
async fn every_role_may_do_its_own_and_no_more() {
    let world = World::new().await;
    let spare =
        Browser::owner(&world).await.page(Method::POST, PROJECTS, Some(json!({"name": "spare"}))).await;
    spare.expect(201);
    let project = format!("{PROJECTS}/{}", world.project);
    let (members, keys) = (format!("{project}/members"), format!("{project}/api-keys"));
    let name = json!({"name": "Shop"});
    let key = |role: &str| json!({"name": "k", "role": role});
    let invite = |role: &str| json!({"email": "x@shop.example", "role": role});
    // What each of viewer, engineer, admin and owner is answered.
    let table: [(Method, &str, Option<Value>, [u16; 4]); 16] = [
        (Method::GET, ME, None, [200; 4]),
        (Method::GET, PROJECTS, None, [200; 4]),
        (Method::GET, &project, None, [200; 4]),
        (Method::GET, &members, None, [200; 4]),
        (Method::GET, &keys, None, [403, 403, 200, 200]),
        (Method::GET, "/api/v1/audit", None, [403, 403, 200, 200]),
        (Method::GET, "/api/v1/auth/invitations", None, [403, 403, 200, 200]),
        (Method::PATCH, &project, Some(name), [403, 403, 200, 200]),
        (Method::POST, PROJECTS, Some(json!({"name": "n"})), [403, 403, 201, 201]),
        (Method::POST, &keys, Some(key("viewer")), [403, 403, 201, 201]),
        (Method::POST, &keys, Some(key("owner")), [403, 403, 403, 201]),
        (Method::POST, &keys, Some(key("superadmin")), [403, 403, 422, 422]),
        (Method::POST, "/api/v1/auth/invitations", Some(invite("engineer")), [403, 403, 201, 201]),
        (Method::POST, "/api/v1/auth/invitations", Some(invite("owner")), [403, 403, 403, 201]),
        (
            Method::POST,
            &members,
            Some(json!({"email": "y@shop.example", "role": "viewer"})),
            [403, 403, 422, 422],
        ),
        (Method::DELETE, &project, None, [403, 403, 403, 204]),
    ];
    let mut people = Vec::new();
    for role in ["viewer", "engineer", "admin", "owner"] {
        people.push(join(&world, &format!("{role}@shop.example"), role).await);
    }
    for (method, path, body, expected) in table {
        for (browser, expected) in people.iter().zip(expected) {
            let answer = browser.page(method.clone(), path, body.clone()).await;
            assert_eq!(answer.status.as_u16(), expected, "{method} {path} {body:?}: {}", answer.body);
        }
    }
    assert_eq!(people[0].get(&project).await.status, 404, "it was deleted");
    world.end().await;
}

#[tokio::test]
async fn somebody_elses_is_absent() {
    let world = World::with(
        |config| config.registration = copilot::config::Registration::Open,
        copilot::ai::Model::none(),
    )
    .await;
    let mut eve = Browser::new(&world);
    let body = json!({"email": "eve@other.example", "password": PASSWORD, "full_name": "Eve", "tenant_name": "Other"});
    eve.visit("/api/v1/auth/register", body).await.expect(201);
    let ana = Browser::owner(&world).await;
    let key = ana.get(&format!("{PROJECTS}/{}/api-keys", world.project)).await.expect(200)["items"][0]["id"]
        .clone();
    let user = ana.get(ME).await.expect(200)["user"]["id"].clone();
    let project = format!("{PROJECTS}/{}", world.project);
    let own = text(&eve.get(ME).await.expect(200)["project"]["id"]);
    let paths = [
        (Method::GET, project.clone()),
        (Method::PATCH, project.clone()),
        (Method::DELETE, project.clone()),
        (Method::GET, format!("{project}/members")),
        (Method::DELETE, format!("{project}/members/{}", text(&user))),
        (Method::GET, format!("{project}/api-keys")),
        (Method::DELETE, format!("{project}/api-keys/{}", text(&key))),
        (Method::DELETE, format!("{PROJECTS}/{own}/api-keys/{}", text(&key))),
        (Method::PATCH, format!("{PROJECTS}/{own}/members/{}", text(&user))),
        (Method::GET, format!("{PROJECTS}/not-an-id")),
        (Method::GET, format!("{PROJECTS}/{}", uuid::Uuid::now_v7())),
    ];
    for (method, path) in paths {
        let body = (method == Method::PATCH).then(|| json!({"name": "x", "role": "viewer"}));
        let answer = eve.page(method.clone(), &path, body).await;
        assert_eq!(answer.status.as_u16(), 404, "{method} {path}: {}", answer.body);
    }
    let switch =
        eve.page(Method::POST, "/api/v1/auth/switch-project", Some(json!({"project_id": world.project})));
    switch.await.expect(404);
    // Who is not signed in can't tell one from the other.
    for path in [project.clone(), format!("{PROJECTS}/not-an-id")] {
        Browser::new(&world).get(&path).await.expect(401);
    }
    let members = format!("{PROJECTS}/{own}/members");
    let added =
        eve.page(Method::POST, &members, Some(json!({"email": "ana@shop.example", "role": "viewer"})));
    added.await.expect(422);
    let seen = eve.get("/api/v1/audit").await.expect(200);
    assert!(!seen.to_string().contains("ana@shop.example"));
    world.end().await;
}

#[tokio::test]
async fn what_was_taken_away_is_gone_with_the_next_request() {
    let world = World::new().await;
    let bob = join(&world, "bob@shop.example", "admin").await;
    let keys = format!("{PROJECTS}/{}/api-keys", world.project);
    let made =
        bob.page(Method::POST, &keys, Some(json!({"name": "ci", "role": "engineer"}))).await.expect(201);
    let bearer = format!("Bearer {}", text(&made["key"]));
    let program = Browser::new(&world);
    let me = async || program.send(Method::GET, ME, None, &[("authorization", &bearer)]).await;
    assert_eq!(me().await.expect(200)["role"], "engineer");
    let ana = Browser::owner(&world).await;
    let listed = ana.get(&keys).await.expect(200).to_string();
    assert!(!listed.contains(text(&made["key"]).rsplit('_').nth(1).unwrap()), "a key is shown once");
    ana.page(Method::DELETE, &format!("{keys}/{}", text(&made["id"])), None).await.expect(204);
    assert_eq!(slug(&me().await.expect(401)), "invalid-credentials");

    let member = format!(
        "{PROJECTS}/{}/members/{}",
        world.project,
        text(&bob.get(ME).await.expect(200)["user"]["id"])
    );
    ana.page(Method::PATCH, &member, Some(json!({"role": "viewer"}))).await.expect(200);
    bob.get(&keys).await.expect(403);
    ana.page(Method::DELETE, &member, None).await.expect(204);
    bob.get(&keys).await.expect(404);
    bob.get(ME).await.expect(403);

    let owner = format!(
        "{PROJECTS}/{}/members/{}",
        world.project,
        text(&ana.get(ME).await.expect(200)["user"]["id"])
    );
    ana.page(Method::DELETE, &owner, None).await.expect(409);
    ana.page(Method::PATCH, &owner, Some(json!({"role": "viewer"}))).await.expect(409);
    ana.page(Method::DELETE, &format!("{PROJECTS}/{}", world.project), None).await.expect(409);

    let other = Browser::owner(&world).await;
    ana.page(Method::DELETE, "/api/v1/auth/sessions", None).await.expect(204);
    assert_eq!(slug(&other.get(ME).await.expect(401)), "session-revoked");
    ana.get(ME).await.expect(200);
    world.end().await;
}

#[tokio::test]
async fn a_key_expires() {
    let world = World::new().await;
    let keys = format!("{PROJECTS}/{}/api-keys", world.project);
    let at = |seconds: i64| world.clock.now().plus_seconds(seconds).to_string();
    world.post(&keys, json!({"name": "k", "role": "viewer", "expires_at": at(0)})).await.expect(422);
    let body = json!({"name": "k", "role": "viewer", "expires_at": at(60)});
    let bearer = format!("Bearer {}", text(&world.post(&keys, body).await.expect(201)["key"]));
    let program = Browser::new(&world);
    let me = async || program.send(Method::GET, ME, None, &[("authorization", &bearer)]).await;
    me().await.expect(200);
    world.clock.advance(60.0);
    me().await.expect(401);
    world.end().await;
}

#[tokio::test]
async fn an_invitation_is_accepted_once() {
    let world = World::new().await;
    let invite = async |email: &str| {
        let body = json!({"email": email, "role": "engineer"});
        let made = world.post("/api/v1/auth/invitations", body).await.expect(201);
        (text(&made["id"]), text(&made["link"]).split_once("/invite#").unwrap().1.to_owned())
    };
    let accept = async |token: &str, password: &str| {
        let body = json!({"token": token, "password": password, "full_name": "Bob"});
        Browser::new(&world).visit("/api/v1/auth/invitations/accept", body).await
    };
    let (_, token) = invite("bob@shop.example").await;
    assert_eq!(slug(&accept(&token, "too short").await.expect(422)), "validation-failed");
    assert_eq!(slug(&accept(&token, "passwordpassword").await.expect(422)), "weak-password");
    let accepted = accept(&token, PASSWORD).await.expect(200);
    assert_eq!(accepted["projects"][0]["role"], "engineer");
    accept(&token, PASSWORD).await.expect(401);
    let twice = json!({"email": "BOB@shop.example", "role": "admin"});
    world.post("/api/v1/auth/invitations", twice).await.expect(409);
    let bob = format!("{PROJECTS}/{}/members/{}", world.project, text(&accepted["user"]["id"]));
    world.call(Method::DELETE, &bob, None).await.expect(204);
    // Somebody who has an account shows that it is theirs.
    let (_, again) = invite("bob@shop.example").await;
    accept(&again, "not bob's password at all").await.expect(401);
    accept(&again, PASSWORD).await.expect(200);
    world.call(Method::DELETE, &bob, None).await.expect(204);
    // Several at once are one.
    let (_, twice) = invite("bob@shop.example").await;
    let answers = futures_util::future::join_all((0..5).map(|_| accept(&twice, PASSWORD))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    let (id, withdrawn) = invite("carol@shop.example").await;
    let path = format!("/api/v1/auth/invitations/{id}");
    world.call(Method::DELETE, &path, None).await.expect(204);
    accept(&withdrawn, PASSWORD).await.expect(401);
    let (_, late) = invite("carol@shop.example").await;
    world.clock.advance(7.0 * 86_400.0);
    accept(&late, PASSWORD).await.expect(401);
    world.end().await;
}

#[tokio::test]
async fn an_operator_needs_no_browser() {
    let world = World::new().await;
    let (db, keys) = (&world.server.app.db, &world.server.app.keys);
    let create = async |tenant: &'static str, email: &'static str, password: &'static str| {
        copilot::auth::operator::create_user(db, keys, tenant, email, "Bob", password).await
    };
    let bob = create("Shop", "bob@shop.example", PASSWORD).await.unwrap();
    assert!(!bob.founded && bob.project.to_string() == world.project);
    let eve = create("Other", "eve@other.example", PASSWORD).await.unwrap();
    assert!(eve.founded && eve.tenant != bob.tenant);
    for (email, password, complaint) in [
        ("bob@shop.example", PASSWORD, "this e-mail address is taken"),
        ("carol", PASSWORD, "the e-mail address is not one"),
        ("carol@shop.example", "short", "the password must have 15 to 128 characters"),
    ] {
        assert_eq!(create("Shop", email, password).await.unwrap_err().to_string(), complaint);
    }
    let mut browser = Browser::new(&world);
    browser.sign_in("bob@shop.example").await.expect(200);
    let token = async |email: &str, project, role| {
        copilot::auth::operator::create_token(db, email, project, "cli", role, None).await
    };
    let role = copilot::auth::Role::Engineer;
    let key = token("bob@shop.example", Some(bob.project), role).await.unwrap();
    let bearer = format!("Bearer {}", key.reveal());
    let me =
        Browser::new(&world).send(Method::GET, ME, None, &[("authorization", &bearer)]).await.expect(200);
    assert_eq!((&me["role"], &me["user"]["full_name"]), (&json!("engineer"), &json!("cli")));
    assert!(token("bob@shop.example", Some(eve.project), role).await.is_err());
    assert!(token("nobody@shop.example", None, role).await.is_err());
    world.end().await;
}

#[tokio::test]
async fn a_link_signs_in_once() {
    let world = World::new().await;
    let ana = Browser::owner(&world).await.get(ME).await.expect(200);
    let (tenant, user) = (world.tenant.parse().unwrap(), text(&ana["user"]["id"]).parse().unwrap());
    let token = copilot::auth::issue_link(&world.server.app, tenant, user);
    let mut browser = Browser::new(&world);
    browser.visit("/api/v1/auth/link", json!({"token": token})).await.expect(200);
    browser.get(ME).await.expect(200);
    Browser::new(&world).visit("/api/v1/auth/link", json!({"token": token})).await.expect(401);
    world.end().await;
}

#[tokio::test]
async fn a_session_changes_its_project() {
    let world = World::new().await;
    let mut browser = Browser::owner(&world).await;
    let made = browser.page(Method::POST, PROJECTS, Some(json!({"name": "Second"}))).await.expect(201);
    let before = browser.cookie("srec_at");
    let body = json!({"project_id": made["id"]});
    let me = browser.visit("/api/v1/auth/switch-project", body).await.expect(200);
    assert_eq!((&me["project"]["id"], &me["role"]), (&made["id"], &json!("owner")));
    assert_ne!(browser.cookie("srec_at"), before);
    assert_eq!(browser.get(ME).await.expect(200)["project"]["name"], "Second");
    browser.visit("/api/v1/auth/refresh", Value::Null).await.expect(204);
    assert_eq!(browser.get(ME).await.expect(200)["project"]["name"], "Second");
    let gone = format!("{PROJECTS}/{}", text(&made["id"]));
    browser.page(Method::DELETE, &gone, None).await.expect(204);
    assert_eq!(browser.get(ME).await.expect(200)["project"]["id"], json!(world.project));
    browser.get(&gone).await.expect(404);
    let audit = world.get("/api/v1/audit?limit=2").await;
    assert_eq!(audit["items"][0]["action"], "project.deleted");
    assert_eq!(
        (&audit["items"][0]["actor"], &audit["items"][0]["target"]),
        (&json!("Ana Lee"), &json!("Second"))
    );
    let next = format!("/api/v1/audit?limit=200&cursor={}", text(&audit["next_cursor"]));
    let actions: Vec<String> = world.get(&next).await["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| text(&entry["action"]))
        .collect();
    assert_eq!(actions.last().unwrap(), "tenant.registered");
    world.call(Method::GET, "/api/v1/audit?cursor=x", None).await.expect(422);
    world.end().await;
}
