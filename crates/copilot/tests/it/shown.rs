//! How a program shows its secret: the same ways for the API, for sockets and for webhooks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::json;
use tokio_tungstenite::tungstenite::Error as SocketError;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::browser::Browser;
use crate::world::{World, alert, read, text};

const ME: &str = "/api/v1/auth/me";

type Headers<'a> = &'a [(&'static str, &'a str)];

/// The status of a handshake with these headers.
async fn handshake(world: &World, headers: Headers<'_>) -> u16 {
    let mut request = format!("{}/ws", world.base.replacen("http", "ws", 1)).into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    match tokio_tungstenite::connect_async(request).await {
        Ok((_, answer)) => answer.status().as_u16(),
        Err(SocketError::Http(answer)) => answer.status().as_u16(),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn an_api_key_is_read_wherever_programs_put_it() {
    let world = World::new().await;
    let program = Browser::new(&world);
    let other = copilot::auth::SecretToken::generate();
    let bearer = format!("Bearer {}", world.key);
    let basic = format!("Basic {}", STANDARD.encode(format!("anyone:{}", world.key)));
    let cookies = Browser::owner(&world).await.cookies;
    let cases: [(Headers<'_>, u16, u16); 9] = [
        (&[("authorization", &bearer)], 200, 101),
        (&[("authorization", &basic)], 200, 101),
        (&[("x-api-key", &world.key)], 200, 101),
        (&[("authorization", &bearer), ("x-api-key", &world.key)], 200, 101),
        (&[("authorization", &bearer), ("x-api-key", other.reveal())], 400, 400),
        (&[("x-api-key", other.reveal())], 401, 401),
        (&[("x-api-key", "")], 401, 401),
        (&[("x-webhook-secret", &world.key)], 401, 401),
        (&[("cookie", &cookies), ("x-api-key", &world.key)], 400, 400),
    ];
    for (headers, status, socket) in cases {
        let answer = program.send(Method::GET, ME, None, headers).await;
        assert_eq!(answer.status.as_u16(), status, "{headers:?}: {}", answer.body);
        assert_eq!(handshake(&world, headers).await, socket, "{headers:?}");
    }
    let (page, evil) = (("origin", world.base.as_str()), ("origin", "https://evil.test"));
    let opening = || Some(json!({"title": "by hand"}));
    for (headers, status, socket) in [
        ([("authorization", basic.as_str()), page], 201, 101),
        ([("authorization", basic.as_str()), evil], 403, 403),
        ([("x-api-key", world.key.as_str()), evil], 201, 101),
    ] {
        let answer = program.send(Method::POST, "/api/v1/incidents", opening(), &headers).await;
        assert_eq!(answer.status.as_u16(), status, "{headers:?}: {}", answer.body);
        assert_eq!(handshake(&world, &headers).await, socket, "{headers:?}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_webhook_is_told_that_its_token_is_an_api_key() {
    let world = World::new().await;
    let hook = world.integration("alertmanager", json!({})).await;
    let keys = format!("/api/v1/projects/{}/api-keys", world.project);
    let until = world.clock.now().plus_seconds(60).to_string();
    let viewer =
        world.post(&keys, json!({"name": "v", "role": "viewer", "expires_at": until})).await.expect(201);
    let (key, id) = (text(&viewer["key"]), text(&viewer["id"]));
    let body = alert("A", "checkout", "firing", world.clock.now(), None);
    let send = async |url: &str, key: &str| {
        read(world.http.post(url).bearer_auth(key).json(&body).send().await.unwrap()).await
    };
    let named = format!("{}/{}", hook.url, hook.id);
    for url in [&hook.url, &named] {
        for key in [&key, &world.key] {
            let refused = send(url, key).await.expect(403);
            assert_eq!(refused["type"], "/problems/forbidden");
            assert!(text(&refused["detail"]).contains("integration's own token"), "{refused}");
        }
    }
    let mut altered = key.clone();
    altered.replace_range(20..21, if &key[20..21] == "a" { "b" } else { "a" });
    send(&hook.url, &altered).await.expect(401);
    send(&hook.url, copilot::auth::SecretToken::generate().reveal()).await.expect(401);
    let soon = world.post(&keys, json!({"name": "w", "role": "admin"})).await.expect(201);
    send(&hook.url, &text(&soon["key"])).await.expect(403);
    world.call(Method::DELETE, &format!("{keys}/{}", text(&soon["id"])), None).await.expect(204);
    send(&hook.url, &text(&soon["key"])).await.expect(401);
    world.clock.advance(60.0);
    send(&hook.url, &key).await.expect(401);
    assert!(!id.is_empty() && world.incidents().await.is_empty());
    world.end().await;
}
