//! Grafana's signature in place of a token.

use serde_json::{Value, json};

use crate::world::{NOON, World, read, text};

/// What Grafana sends as its signature: HMAC-SHA256 of the time, a colon and the body, or of the body alone.
pub fn signature(token: &str, time: Option<i64>, body: &str) -> String {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(token.as_bytes()).unwrap();
    mac.update(time.map(|time| format!("{time}:")).unwrap_or_default().as_bytes());
    mac.update(body.as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn grafana_may_sign_instead_of_sending_its_token() {
    let world = World::new().await;
    let (hook, other) =
        (world.integration("grafana", json!({})).await, world.integration("grafana", json!({})).await);
    let kept: Value =
        serde_json::from_str(include_str!("../../../alerts/tests/fixtures/grafana-firing.json")).unwrap();
    let sent = &kept["body"];
    let body = &sent.to_string();
    let send = async |path: &str, signed: &str, time: Option<i64>| {
        let url = format!("{}{path}", hook.url);
        let mut request = world.http.post(url).header("content-type", "application/json");
        if let Some(time) = time {
            let name = if time % 2 == 0 {
                "x-grafana-alerting-timestamp"
            } else {
                "x-grafana-alerting-signature-timestamp"
            };
            request = request.header(name, time);
        }
        let request = request.header("x-grafana-alerting-signature", signed).body(body.clone());
        read(request.send().await.unwrap()).await
    };
    let path = format!("/{}", hook.id);
    let (plain, timed) = (signature(&hook.token, None, body), signature(&hook.token, Some(NOON), body));
    let answer = send(&path, &plain, None).await.expect(200);
    assert_eq!(answer["results"][0]["fingerprint"], sent["alerts"][0]["fingerprint"]);
    send(&path, &plain.to_uppercase(), None).await.expect(200);
    send(&path, &timed, Some(NOON)).await.expect(200);
    send(&path, &timed, Some(NOON + 1)).await.expect(401);
    send(&path, &signature(&hook.token, Some(NOON + 1), body), Some(NOON + 1)).await.expect(200);
    let late = signature(&hook.token, Some(NOON - 301), body);
    send(&path, &late, Some(NOON - 301)).await.expect(401);
    send(&path, "00", None).await.expect(401);
    send(&format!("/{}", other.id), &plain, None).await.expect(401);
    send("", &plain, None).await.expect(401);
    let rotate = format!("/api/v1/projects/{}/integrations/{}/rotate-token", world.project, hook.id);
    let new = text(&world.post(&rotate, json!({})).await.expect(200)["token"]);
    send(&path, &signature(&new, None, body), None).await.expect(200);
    send(&path, &plain, None).await.expect(200);
    let again = world.post(&rotate, json!({})).await.expect(409);
    assert!(text(&again["detail"]).contains("24 h"), "{again}");
    world.later(24.0 * 3600.0 + 1.0).await;
    send(&path, &plain, None).await.expect(401);
    world.post(&rotate, json!({})).await.expect(200);
    world.end().await;
}

#[tokio::test]
async fn a_signature_is_checked_beside_a_token_and_may_be_required() {
    let world = World::new().await;
    let hook = world.integration("grafana", json!({})).await;
    let kept: Value =
        serde_json::from_str(include_str!("../../../alerts/tests/fixtures/grafana-firing.json")).unwrap();
    let body = &kept["body"].to_string();
    let send = async |path: &str, token: Option<&str>, signed: Option<&str>| {
        let request = world.http.post(format!("{}/webhooks/{path}", world.base));
        let mut request = request.header("content-type", "application/json").body(body.clone());
        if let Some(token) = token {
            request = request.header("x-webhook-secret", token);
        }
        if let Some(signed) = signed {
            request = request.header("x-grafana-alerting-signature", signed);
        }
        read(request.send().await.unwrap()).await
    };
    let own = format!("grafana/{}", hook.id);
    let right = signature(&hook.token, None, body);
    let again = serde_json::to_string_pretty(&kept["body"]).unwrap();
    let of_other_bytes = signature(&hook.token, None, &again);
    let token = Some(hook.token.as_str());
    for path in ["grafana", &own, "alertmanager"] {
        send(path, token, None).await.expect(200);
        send(path, token, Some(&right)).await.expect(200);
        for wrong in ["", "00", &of_other_bytes, &signature("x", None, body)] {
            let refused = send(path, token, Some(wrong)).await.expect(401);
            assert_eq!(refused["type"], "/problems/invalid-credentials", "{path} {wrong}");
        }
    }
    let one = format!("/api/v1/projects/{}/integrations/{}", world.project, hook.id);
    let required = json!({"settings": {"require_signature": true}});
    let changed = world.call(reqwest::Method::PATCH, &one, Some(required.clone())).await.expect(200);
    assert_eq!(changed["settings"]["require_signature"], true);
    for path in ["grafana", &own, "alertmanager"] {
        let refused = send(path, token, None).await.expect(401);
        assert_eq!(refused["type"], "/problems/invalid-credentials");
        send(path, token, Some(&right)).await.expect(200);
    }
    send(&own, None, Some(&right)).await.expect(200);
    send(&own, None, None).await.expect(401);

    let other = world.integration("alertmanager", json!({})).await;
    let one = format!("/api/v1/projects/{}/integrations/{}", world.project, other.id);
    let refused = world.call(reqwest::Method::PATCH, &one, Some(required)).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "settings.require_signature");
    world.end().await;
}
