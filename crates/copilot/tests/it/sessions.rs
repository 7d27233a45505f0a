//! Registering, signing in and out, and staying signed in.

use std::collections::BTreeMap;

use copilot::server::{self, Start};
use copilot::service::Service;
use outbox::{Clock, Ts};
use reqwest::Method;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::world::{Home, NOON, PASSWORD, World, client, read, text};

const ME: &str = "/api/v1/auth/me";
const LOGIN: &str = "/api/v1/auth/login";

fn slug(body: &Value) -> String {
    text(&body["type"]).trim_start_matches("/problems/").to_owned()
}

#[tokio::test]
async fn of_twenty_first_visitors_one_registers() {
    let home = Home::new().await;
    let clock = Clock::manual(Ts::from_micros(NOON * 1_000_000));
    let start =
        Start { config: home.config(), services: Service::ALL.to_vec(), clock, metrics: None, model: None };
    let server = server::start(start).await.unwrap();
    let (http, base) = (client(), server.url());
    let setup =
        async || read(http.get(format!("{base}/api/v1/auth/setup")).send().await.unwrap()).await.expect(200);
    assert_eq!(setup().await, json!({"can_register": true, "registration": "first"}));
    let register = async |n: usize| {
        let body = json!({"email": format!("visitor{n}@shop.example"), "password": PASSWORD, "full_name": "V",
            "tenant_name": "Shop"});
        let sent = http.post(format!("{base}/api/v1/auth/register")).json(&body).send().await.unwrap();
        read(sent).await.status.as_u16()
    };
    let statuses = futures_util::future::join_all((0..20).map(register)).await;
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [201, 403].contains(status)), "{statuses:?}");
    assert_eq!(setup().await["can_register"], false);
    server.stop().await;
}

#[tokio::test]
async fn registering_needs_an_address_and_a_password_of_ones_own() {
    let world = World::with(|config| config.registration = copilot::config::Registration::Open, none()).await;
    let good = json!({"email": "eve@other.example", "password": PASSWORD, "full_name": "Eve", "tenant_name": "Other"});
    let cases: [(&str, Value, u16, &str); 16] = [
        ("email", Value::Null, 422, "validation-failed"),
        ("email", json!(["a@b.c"]), 422, "validation-failed"),
        ("email", json!({"$ne": ""}), 422, "validation-failed"),
        ("email", json!("eve"), 422, "validation-failed"),
        ("email", json!("ANA@shop.example"), 409, "conflict"),
        ("password", json!("kV7#pLq2zX9!mR"), 422, "validation-failed"),
        ("password", json!("x9".repeat(65)), 422, "validation-failed"),
        ("password", json!("x".repeat(1 << 20)), 422, "validation-failed"),
        ("password", json!("Password1!Password1!"), 422, "weak-password"),
        ("password", json!("srecopilot-srecopilot"), 422, "weak-password"),
        ("password", json!("eve@other.example"), 422, "weak-password"),
        ("full_name", json!("   "), 422, "validation-failed"),
        ("full_name", json!("x".repeat(201)), 422, "validation-failed"),
        ("tenant_name", json!("a\u{0}b"), 422, "validation-failed"),
        ("tenant_name", json!(7), 422, "validation-failed"),
        ("full_name", json!("Zoë 🦀 {{.}}"), 201, ""),
    ];
    for (field, value, status, kind) in cases {
        let mut body = good.clone();
        body[field] = value.clone();
        let answer = Browser::new(&world).visit("/api/v1/auth/register", body).await;
        let (found, body) = (answer.status.as_u16(), answer.body);
        assert_eq!(found, status, "{field} {value:.50}: {body}");
        if status != 201 {
            assert_eq!(slug(&body), kind, "{field} {value:.50}");
        }
    }
    world.end().await;
}

fn none() -> copilot::ai::Model {
    copilot::ai::Model::none()
}

#[tokio::test]
async fn a_session_lives_from_login_to_logout() {
    let world = World::new().await;
    let mut browser = Browser::new(&world);
    let answer = browser.sign_in("  Ana@Shop.example ").await;
    let set: Vec<_> =
        answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
    assert_eq!(set.len(), 3);
    for (cookie, name, age) in [
        (set[0], "srec_at=", "Max-Age=900"),
        (set[1], "srec_rt=", "Max-Age=604800"),
        (set[2], "srec_device=", "Max-Age=7776000"),
    ] {
        assert!(cookie.starts_with(name) && cookie.ends_with(age), "{cookie}");
        assert!(cookie.contains("; Path=/; HttpOnly; SameSite=Strict;"), "{cookie}");
    }
    let body = answer.expect(200);
    assert_eq!(body["user"]["email"], "ana@shop.example");
    assert_eq!(body["projects"][0]["role"], "owner");
    for secret in [browser.cookie("srec_at"), browser.cookie("srec_rt")] {
        assert!(!body.to_string().contains(&secret));
    }
    let me = browser.get(ME).await;
    assert_eq!(me.headers["cache-control"], "no-store");
    let me = me.expect(200);
    assert_eq!((&me["role"], &me["project"]["id"]), (&json!("owner"), &json!(world.project)));
    assert_eq!(me["csrf_token"], body["csrf_token"]);
    let sessions = browser.get("/api/v1/auth/sessions").await.expect(200);
    assert_eq!(sessions["items"].as_array().unwrap().len(), 2, "registering began one");
    let out = browser.page(Method::POST, "/api/v1/auth/logout", None).await;
    assert_eq!(out.headers["clear-site-data"], "\"cache\", \"storage\"");
    out.expect(204);
    assert_eq!(slug(&browser.get(ME).await.expect(401)), "session-revoked");
    let refresh = browser.page(Method::POST, "/api/v1/auth/refresh", None).await.expect(401);
    assert_eq!(slug(&refresh), "session-revoked");
    world.end().await;
}

#[tokio::test]
async fn who_can_not_sign_in_learns_nothing() {
    let world = World::new().await;
    let browser = Browser::new(&world);
    let mut bodies = Vec::new();
    for (email, password) in [("ana@shop.example", "not the password"), ("nobody@shop.example", PASSWORD)] {
        let body = Some(json!({"email": email, "password": password}));
        let mut answer = browser.page(Method::POST, LOGIN, body).await.expect(401);
        answer["request_id"] = Value::Null;
        bodies.push(answer);
    }
    assert_eq!(bodies[0], bodies[1]);
    assert_eq!(slug(&bodies[0]), "invalid-credentials");
    let form =
        world.http.post(format!("{}{LOGIN}", world.base)).header("content-type", "text/plain").body("{}");
    assert_eq!(read(form.send().await.unwrap()).await.status, 415);
    let get = browser.get("/api/v1/auth/refresh").await;
    assert_eq!(get.status, 405);
    let bare = browser.page(Method::POST, "/api/v1/auth/refresh", Some(json!({"refresh_token": "x"}))).await;
    assert_eq!(slug(&bare.expect(401)), "unauthenticated");
    world.end().await;
}

#[tokio::test]
async fn guessing_is_slow() {
    let world = World::new().await;
    let browser = Browser::new(&world);
    let guess = async |email: &str, password: &str| {
        browser.page(Method::POST, LOGIN, Some(json!({"email": email, "password": password}))).await
    };
    for _ in 0..5 {
        guess("ana@shop.example", "wrong").await.expect(401);
    }
    let sixth = guess("ａｎａ@SHOP.example", PASSWORD).await;
    assert_eq!(sixth.headers["retry-after"], "2");
    assert_eq!(slug(&sixth.expect(429)), "login-throttled");
    world.clock.advance(2.0);
    guess("ana@shop.example", "wrong").await.expect(401);
    world.clock.advance(3.0);
    assert_eq!(guess("ana@shop.example", PASSWORD).await.headers["retry-after"], "1");
    world.clock.advance(1.0);
    guess("ana@shop.example", PASSWORD).await.expect(200);
    guess("ana@shop.example", "wrong").await.expect(401);

    let many = (0..60).map(|_| guess("ghost@shop.example", "wrong"));
    let mut counts: BTreeMap<u16, usize> = BTreeMap::new();
    for answer in futures_util::future::join_all(many).await {
        *counts.entry(answer.status.as_u16()).or_default() += 1;
    }
    assert_eq!(counts, BTreeMap::from([(401, 5), (429, 55)]));
    world.end().await;
}

#[tokio::test]
async fn who_guesses_beside_a_known_browser_does_not_lock_it_out() {
    let world = World::new().await;
    let (owner, stranger) = (Browser::owner(&world).await, Browser::new(&world));
    let tries = async |browser: &Browser, email: &str, password: &str| {
        let said = json!({"email": email, "password": password});
        browser.page(Method::POST, LOGIN, Some(said)).await
    };
    for _ in 0..5 {
        tries(&stranger, "ana@shop.example", "wrong").await.expect(401);
        tries(&stranger, "ben@shop.example", "wrong").await.expect(401);
    }
    tries(&stranger, "ana@shop.example", PASSWORD).await.expect(429);
    tries(&owner, "ana@shop.example", PASSWORD).await.expect(200);
    // The mark counts as well, and for nobody else's account.
    tries(&owner, "ben@shop.example", "wrong").await.expect(429);
    for _ in 0..5 {
        tries(&owner, "ana@shop.example", "wrong").await.expect(401);
    }
    tries(&owner, "ana@shop.example", PASSWORD).await.expect(429);
    world.end().await;
}

#[tokio::test]
async fn a_refresh_token_works_once() {
    let world = World::new().await;
    let mut browser = Browser::owner(&world).await;
    let first = browser.clone();
    world.clock.advance(906.0);
    assert_eq!(slug(&browser.get(ME).await.expect(401)), "token-expired");
    // Twenty tabs at once: one successor.
    let tabs = (0..20).map(|_| first.page(Method::POST, "/api/v1/auth/refresh", None));
    let mut successors = Vec::new();
    for answer in futures_util::future::join_all(tabs).await {
        assert_eq!(answer.status, 204, "{}", answer.body);
        browser.keep(&answer);
        successors.push(browser.cookie("srec_rt"));
    }
    successors.dedup();
    assert_eq!(successors.len(), 1);
    assert_ne!(successors[0], first.cookie("srec_rt"));
    browser.get(ME).await.expect(200);
    // The parent again, too late: the whole family ends.
    world.clock.advance(11.0);
    assert_eq!(
        slug(&first.page(Method::POST, "/api/v1/auth/refresh", None).await.expect(401)),
        "session-revoked"
    );
    assert_eq!(slug(&browser.get(ME).await.expect(401)), "session-revoked");
    browser.page(Method::POST, "/api/v1/auth/refresh", None).await.expect(401);
    let audit = world.get("/api/v1/audit").await;
    assert_eq!(audit["items"][0]["action"], "refresh.reused");
    assert_eq!(audit["items"][0]["result"], "refused");
    world.end().await;
}

#[tokio::test]
async fn an_older_refresh_token_ends_the_session_at_once() {
    let world = World::new().await;
    let mut browser = Browser::owner(&world).await;
    let first = browser.clone();
    browser.visit("/api/v1/auth/refresh", Value::Null).await.expect(204);
    browser.visit("/api/v1/auth/refresh", Value::Null).await.expect(204);
    first.page(Method::POST, "/api/v1/auth/refresh", None).await.expect(401);
    assert_eq!(slug(&browser.get(ME).await.expect(401)), "session-revoked");
    let mut late = Browser::owner(&world).await;
    world.clock.advance(7.0 * 86_400.0 + 1.0);
    let answer = late.visit("/api/v1/auth/refresh", Value::Null).await;
    assert_eq!(slug(&answer.expect(401)), "token-expired");
    world.end().await;
}

#[tokio::test]
async fn a_refresh_token_is_refused_beside_the_access_token_of_another_session() {
    let world = World::new().await;
    let (one, two) = (Browser::owner(&world).await, Browser::owner(&world).await);
    let mut mixed = one.clone();
    mixed.cookies = format!("srec_at={}; srec_rt={}", one.cookie("srec_at"), two.cookie("srec_rt"));
    let refused = mixed.page(Method::POST, "/api/v1/auth/refresh", None).await.expect(401);
    assert_eq!(slug(&refused), "invalid-credentials");
    two.page(Method::POST, "/api/v1/auth/refresh", None).await.expect(204);
    world.end().await;
}

#[tokio::test]
async fn a_weak_new_password_is_refused_by_the_name_of_its_field() {
    let world = World::new().await;
    let browser = Browser::owner(&world).await;
    let body = json!({"old_password": PASSWORD, "new_password": "Password1!Password1!"});
    let refused = browser.page(Method::POST, "/api/v1/auth/password", Some(body)).await.expect(422);
    assert_eq!(
        (slug(&refused).as_str(), &refused["errors"][0]["field"]),
        ("weak-password", &json!("new_password"))
    );
    world.end().await;
}

#[tokio::test]
async fn with_https_the_cookies_are_bound_to_the_host() {
    let world = World::new().await;
    let home = Home::new().await;
    let mut config = home.config();
    config.public_url = "https://sre.example".to_owned();
    let start =
        Start { config, services: Service::ALL.to_vec(), clock: Clock::System, metrics: None, model: None };
    let server = server::start(start).await.unwrap();
    let base = format!("http://{}", server.addresses[&Service::Gateway]);
    let mut browser = Browser::new(&world);
    browser.base = base;
    let body = json!({"email": "a@b.example", "password": PASSWORD, "full_name": "A", "tenant_name": "B"});
    let answer = browser.visit("/api/v1/auth/register", body).await;
    for cookie in answer.headers.get_all("set-cookie") {
        let cookie = cookie.to_str().unwrap();
        assert!(cookie.starts_with("__Host-srec_") && cookie.ends_with("; Secure"), "{cookie}");
    }
    assert_eq!(answer.headers["strict-transport-security"], "max-age=31536000; includeSubDomains");
    answer.expect(201);
    browser.get(ME).await.expect(200);
    browser.cookies = browser.cookies.replace("__Host-", "");
    browser.get(ME).await.expect(401);
    server.stop().await;
    world.end().await;
}
