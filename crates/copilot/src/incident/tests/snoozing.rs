//! Putting incidents off, what ends that, and lists narrowed by marks.

use axum::extract::State as With;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::world::{Answer, World, answer, body, headers};
use crate::auth::{Engineer, Path};
use crate::incident::{snooze, store};

impl World {
    async fn snooze(&self, id: &str, wanted: Value) -> Answer {
        self.snooze_if(id, HeaderMap::new(), wanted).await
    }

    async fn snooze_if(&self, id: &str, headers: HeaderMap, wanted: Value) -> Answer {
        let valid = match body(&wanted).await {
            Ok(valid) => valid,
            Err(error) => return answer(Err::<StatusCode, _>(error)).await,
        };
        let member = Engineer(self.member.clone());
        answer(snooze::snooze(With(self.app()), member, Path(id.to_owned()), headers, valid).await).await
    }

    async fn wake(&self, id: &str, headers: HeaderMap) -> Answer {
        let member = Engineer(self.member.clone());
        answer(snooze::wake(With(self.app()), member, Path(id.to_owned()), headers).await).await
    }

    /// An incident of an alert of this severity, put off for an hour.
    async fn put_off(&self, name: &str, severity: &str) -> String {
        let id = self.alert(name, "checkout", severity, "firing").await;
        self.snooze(&id, json!({"for_minutes": 60})).await.expect(200);
        id
    }

    /// Why the snoozes of an incident ended, and who ended them.
    async fn ends(&self, id: &str) -> Value {
        let steps = self.all(id, "steps", 200).await;
        let ended = steps.iter().filter(|step| step["step_type"] == "snooze_ended");
        ended.map(|step| json!([step["detail"]["why"], step["actor"]])).collect()
    }

    /// How many snoozes the next sweep finds due.
    async fn due(&self) -> usize {
        let mut tx = self.db().read_across("sweep").await.unwrap();
        let now = tx.now();
        store::snoozed_enough(&mut tx, now).await.unwrap().len()
    }
}

#[tokio::test]
async fn an_incident_is_put_off_and_its_state_stays() {
    let world = World::new().await;
    let id = world.alert("Slow", "checkout", "high", "firing").await;
    let before = world.events().await.len();
    let off = world.snooze("INC-1", json!({"for_minutes": 15, "comment": "waits for the vendor"})).await;
    assert!(off.header("etag").starts_with("\"2-"), "{}", off.header("etag"));
    let off = off.expect(200);
    let shown = ["snoozed_until", "state", "acknowledged_at", "open", "version"].map(|name| &off[name]);
    assert_eq!(json!(shown), json!(["2026-01-24T12:15:00Z", "detected", null, true, 2]));
    assert_eq!(world.one(&id).await, off);
    assert_eq!(world.list("").await.expect(200)["items"][0], off);
    assert_eq!(world.events().await.split_off(before), ["incident.updated"]);
    let steps = world.all(&id, "steps", 200).await;
    let step = steps.last().unwrap();
    let detail = json!({"until": "2026-01-24T12:15:00Z", "comment": "waits for the vendor"});
    assert_eq!(
        (&step["step_type"], &step["detail"], &step["actor"]),
        (&json!("snoozed"), &detail, &json!("Ana Lee"))
    );
    assert_eq!(world.summary().await["unacknowledged"], 1);
    // The same again is no change; another time is one.
    let until = json!({"until": "2026-01-24T12:15:00Z"});
    assert_eq!(world.snooze(&id, until).await.expect(200)["version"], 2);
    let later = world.snooze(&id, json!({"until": "2026-01-24T15:15:00+02:00"})).await.expect(200);
    assert_eq!((&later["snoozed_until"], &later["version"]), (&json!("2026-01-24T13:15:00Z"), &json!(3)));
    // What is said of it otherwise leaves it as it is.
    world.set_state(&id, "acknowledged").await.expect(200);
    world.comment(&id, json!({"body": "still waiting"})).await.expect(201);
    world.alert("Slow", "checkout", "high", "firing").await;
    assert_eq!(world.one(&id).await["snoozed_until"], "2026-01-24T13:15:00Z");
    assert_eq!(world.ends(&id).await, json!([]));
}

#[tokio::test]
async fn what_is_no_snooze_is_refused() {
    let world = World::new().await;
    let id = world.opened("Slow").await;
    for (wanted, field) in [
        (json!({}), "until"),
        (json!({"until": null, "for_minutes": null}), "until"),
        (json!({"until": "2026-01-24T13:00:00Z", "for_minutes": 60}), "until"),
        (json!({"until": "2026-01-24T12:00:00Z"}), "until"),
        (json!({"until": "2026-01-24T11:59:59Z"}), "until"),
        (json!({"until": "2026-01-31T12:00:00.000001Z"}), "until"),
        (json!({"until": "tomorrow"}), "until"),
        (json!({"for_minutes": 0}), "for_minutes"),
        (json!({"for_minutes": -5}), "for_minutes"),
        (json!({"for_minutes": 10_081}), "for_minutes"),
        (json!({"for_minutes": 1.5}), "for_minutes"),
        (json!({"for_minutes": 5, "comment": "nul \u{0}"}), "comment"),
        (json!({"for_minutes": 5, "comment": "x".repeat(5_001)}), "comment"),
    ] {
        let refused = world.snooze(&id, wanted.clone()).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], field, "{wanted}: {refused}");
    }
    assert_eq!(world.one(&id).await["version"], 1);
    for wanted in [json!({"until": "2026-01-31T12:00:00Z"}), json!({"for_minutes": 10_080})] {
        let off = world.snooze(&id, wanted).await.expect(200);
        assert_eq!(off["snoozed_until"], "2026-01-31T12:00:00Z");
    }
    for tag in ["\"1\"", "W/\"2\"", ""] {
        world.snooze_if(&id, headers("if-match", tag), json!({"for_minutes": 5})).await.expect(412);
        world.wake(&id, headers("if-match", tag)).await.expect(412);
    }
    world.snooze_if(&id, headers("if-match", "\"2\""), json!({"for_minutes": 5})).await.expect(200);
    world.wake(&id, headers("if-match", "\"3\"")).await.expect(200);
    let [target, gone] = [world.opened("target").await, crate::ids::IncidentId::new().to_string()];
    world.snooze(&gone, json!({"for_minutes": 5})).await.expect(404);
    world.wake(&gone, HeaderMap::new()).await.expect(404);
    for state in ["resolved", "learned"] {
        world.set_state(&id, state).await.expect(200);
        let refused = world.snooze(&id, json!({"for_minutes": 5})).await.expect(409);
        assert!(refused["detail"].as_str().unwrap().contains(state), "{refused}");
        world.wake(&id, HeaderMap::new()).await.expect(200);
    }
    let merged = world.opened("merged").await;
    world.merge(&merged, &target).await.expect(200);
    world.snooze(&merged, json!({"for_minutes": 5})).await.expect(409);
}

#[tokio::test]
async fn a_snooze_ends_when_it_is_due_and_once() {
    let world = World::new().await;
    let [id, other] = [world.put_off("Slow", "high").await, world.put_off("Errors", "low").await];
    world.later(3_599.0).await.unwrap();
    assert_eq!((world.due().await, world.ends(&id).await), (0, json!([])));
    let before = world.events().await.len();
    world.clock.advance(1.0);
    assert_eq!(world.due().await, 2);
    // Somebody puts one off anew before the sweep comes to it.
    world.snooze(&other, json!({"for_minutes": 1})).await.expect(200);
    let (tenant, project) = (world.member.tenant, world.member.project);
    snooze::end(&world.app(), tenant, project, other.parse().unwrap()).await.unwrap();
    let (one, again) = tokio::join!(world.later(0.0), world.later(0.0));
    one.unwrap();
    again.unwrap();
    let woken = world.one(&id).await;
    let shown = ["snoozed_until", "state", "acknowledged_at"].map(|name| &woken[name]);
    assert_eq!(json!(shown), json!([null, "detected", null]));
    assert_eq!(world.ends(&id).await, json!([["due", null]]));
    assert_eq!(world.ends(&other).await, json!([]));
    assert_eq!(world.events().await.split_off(before), ["incident.updated"; 2]);
    world.later(60.0).await.unwrap();
    assert_eq!((world.due().await, world.ends(&other).await), (0, json!([["due", null]])));
}

#[tokio::test]
async fn a_person_ends_a_snooze_and_ending_none_is_no_change() {
    let world = World::new().await;
    let id = world.put_off("Slow", "high").await;
    let woken = world.wake("INC-1", HeaderMap::new()).await.expect(200);
    assert_eq!((&woken["snoozed_until"], &woken["version"]), (&Value::Null, &json!(3)));
    assert_eq!(world.wake(&id, HeaderMap::new()).await.expect(200)["version"], 3);
    assert_eq!(world.ends(&id).await, json!([["woken", "Ana Lee"]]));
}

#[tokio::test]
async fn a_rising_severity_ends_a_snooze_and_a_falling_one_does_not() {
    let world = World::new().await;
    let id = world.put_off("Slow", "medium").await;
    let lower = json!({"severity": "low"});
    world.patch(&id, HeaderMap::new(), lower).await.expect(200);
    assert_eq!(world.ends(&id).await, json!([]));
    world.patch(&id, HeaderMap::new(), json!({"severity": "critical"})).await.expect(200);
    assert_eq!(world.ends(&id).await, json!([["severity", null]]));
    // Another alert joins it, worse than the ones before.
    let id = world.put_off("Errors", "medium").await;
    let join = |host: &str, severity: &str| {
        let labels =
            json!({"alertname": "Errors", "service": "checkout", "severity": severity, "host": host});
        json!([{"labels": labels, "startsAt": world.clock.now(), "endsAt": world.clock.now().plus_seconds(240)}])
    };
    assert_eq!(world.send(&join("a", "medium")).await, id);
    assert_eq!((&world.one(&id).await["alert_count"], world.ends(&id).await), (&json!(2), json!([])));
    assert_eq!(world.send(&join("b", "critical")).await, id);
    let worse = world.one(&id).await;
    assert_eq!((&worse["severity"], &worse["snoozed_until"]), (&json!("critical"), &Value::Null));
    assert_eq!(world.ends(&id).await, json!([["severity", null]]));
}

#[tokio::test]
async fn closing_ends_a_snooze_whoever_closes() {
    let world = World::new().await;
    let by_hand = world.put_off("Slow", "high").await;
    let closed = world.set_state(&by_hand, "resolved").await.expect(200);
    assert_eq!((&closed["snoozed_until"], &closed["version"]), (&Value::Null, &json!(3)));
    let reopened = world.set_state(&by_hand, "investigating").await.expect(200);
    assert_eq!(reopened["snoozed_until"], Value::Null);
    let by_source = world.put_off("Errors", "high").await;
    world.clock.advance(60.0);
    world.alert("Errors", "checkout", "high", "resolved").await;
    let learnt = world.put_off("Full", "high").await;
    for state in ["inconclusive", "learned"] {
        world.set_state(&learnt, state).await.expect(200);
    }
    for id in [&by_hand, &by_source, &learnt] {
        assert_eq!(world.one(id).await["snoozed_until"], Value::Null);
        assert_eq!(world.ends(id).await, json!([["closed", null]]));
    }
    let [merged, target] = [world.put_off("Down", "high").await, world.put_off("Up", "high").await];
    world.merge(&merged, &target).await.expect(200);
    assert_eq!(world.ends(&merged).await, json!([["merged", null]]));
    assert_eq!(world.one(&target).await["snoozed_until"], "2026-01-24T13:01:00Z");
    // A version that knows no snooze closes it.
    world.resolve_as_before(&target).await;
    assert_eq!(world.one(&target).await["snoozed_until"], Value::Null);
}

#[tokio::test]
async fn a_snooze_in_a_deleted_project_keeps_nothing_waiting() {
    let mut world = World::new().await;
    world.put_off("Slow", "high").await;
    world.delete_as_before().await;
    world.move_on().await;
    let id = world.opened("by hand").await;
    world.snooze(&id, json!({"for_minutes": 60})).await.expect(200);
    world.later(3_600.0).await.unwrap();
    assert_eq!((world.due().await, world.ends(&id).await), (0, json!([["due", null]])));
}

/// Titles of a list, by pages of `limit`.
async fn pages(world: &World, query: &str, limit: usize) -> Vec<String> {
    let (mut titles, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.list(&format!("{query}&limit={limit}{cursor}")).await.expect(200);
        titles.extend(
            page["items"].as_array().unwrap().iter().map(|row| row["title"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next_cursor"].as_str() else { return titles };
        cursor = format!("&cursor={next}");
    }
}

/// Two incidents that are put off, among others that are not.
async fn some_put_off() -> World {
    let world = World::new().await;
    for (title, severity, state, off) in [
        ("off-low", "low", "detected", true),
        ("low", "low", "detected", false),
        ("off-worst", "critical", "acknowledged", true),
        ("seen", "critical", "acknowledged", false),
        ("closed", "critical", "resolved", false),
        ("off-seen", "critical", "detected", true),
        ("new", "critical", "detected", false),
    ] {
        let new =
            json!({"title": title, "severity": severity, "service_name": "api", "labels": {"tier": "1"}});
        let made = world.create(new).await.expect(201);
        let id = made["id"].as_str().unwrap();
        if state != "detected" {
            world.set_state(id, state).await.expect(200);
        }
        if off {
            world.snooze(id, json!({"for_minutes": 60})).await.expect(200);
        }
        world.clock.advance(1.0);
    }
    world
}

#[tokio::test]
async fn what_is_put_off_comes_after_the_others_that_are_open() {
    let world = some_put_off().await;
    let open = ["new", "low", "seen", "off-seen", "off-worst", "off-low"];
    let all = ["new", "low", "seen", "off-seen", "off-worst", "off-low", "closed"];
    let off = ["off-seen", "off-worst", "off-low"];
    for (query, expected) in [
        ("sort=needs_me", &all[..]),
        ("sort=needs_me&open=true", &open),
        ("sort=needs_me&service_name=api&open=true", &open),
        ("sort=needs_me&service_name=none", &[]),
        ("sort=needs_me&q=api", &all),
        ("sort=needs_me&q=api&open=true", &open),
        ("sort=needs_me&q=api&state=acknowledged", &["seen", "off-worst"]),
        ("sort=needs_me&state=acknowledged", &["seen", "off-worst"]),
        ("sort=needs_me&state=resolved", &["closed"]),
        ("sort=needs_me&severity=low", &["low", "off-low"]),
        ("sort=needs_me&is=snoozed", &off),
        ("is=snoozed", &["off-seen", "off-worst", "off-low"]),
        ("is=snoozed&sort=detected_at", &["off-low", "off-worst", "off-seen"]),
        ("is=snoozed&state=detected", &["off-seen", "off-low"]),
        ("is=snoozed&severity=critical&open=true", &["off-seen", "off-worst"]),
        ("is=snoozed&open=false", &[]),
        ("is=snoozed&q=inc-1", &["off-low"]),
        ("is=snoozed&service_name=api&to=2026-01-24T12:00:03Z", &["off-worst", "off-low"]),
        ("is=snoozed&is=stale", &[]),
        ("is=snoozed&q=off", &off),
        ("is=snoozed&q=off+api&sort=detected_at", &["off-low", "off-worst", "off-seen"]),
        ("is=snoozed&q=api&sort=needs_me&severity=critical", &["off-seen", "off-worst"]),
        ("is=snoozed&q=new", &[]),
        ("is=snoozed&label=tier%3D1&sort=needs_me", &off),
        ("is=stale&label=tier%3D1", &[]),
        ("", &["new", "off-seen", "closed", "seen", "off-worst", "low", "off-low"]),
    ] {
        for limit in [1, 2, 200] {
            assert_eq!(pages(&world, query, limit).await, expected, "{query} by {limit}");
        }
    }
    for refused in ["is=asleep", "is=", "is=snoozed&is=open"] {
        let refused = world.list(refused).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], "is", "{refused}");
    }
}

#[tokio::test]
async fn a_list_is_narrowed_by_every_mark_it_names() {
    let world = World::new().await;
    for _ in 0..8 {
        world.alert_again("Flappy", "checkout").await;
        world.clock.advance(61.0);
        world.alert("Flappy", "checkout", "high", "resolved").await;
        world.later(61.0).await.unwrap();
    }
    let title = async |id: String| world.one(&id).await["title"].as_str().unwrap().to_owned();
    let flappy = world.alert_again("Flappy", "checkout").await;
    let quiet = title(world.alert_again("Quiet", "cart").await).await;
    assert_eq!(pages(&world, "is=flapping", 1).await, [title(flappy.clone()).await]);
    assert_eq!(pages(&world, "is=stale", 1).await, [""; 0]);
    world.later(86_400.0).await.unwrap();
    let calm = title(flappy.clone()).await;
    for query in ["is=stale", "is=stale&sort=needs_me", "is=stale&open=true&severity=high&is=stale"] {
        assert_eq!(pages(&world, query, 1).await, [quiet.clone(), calm.clone()], "{query}");
    }
    assert_eq!(pages(&world, "is=stale&is=flapping", 1).await, [""; 0], "the flapping has ended");
    world.snooze(&flappy, json!({"for_minutes": 5})).await.expect(200);
    for query in ["is=stale&is=snoozed", "is=snoozed&is=stale&sort=needs_me"] {
        assert_eq!(pages(&world, query, 1).await, [calm.as_str()], "{query}");
    }
    assert_eq!(pages(&world, "is=stale&is=snoozed&q=flappy", 1).await, [calm.as_str()]);
    assert_eq!(pages(&world, "is=stale&q=quiet", 1).await, [quiet.as_str()]);
    assert_eq!(pages(&world, "is=stale&sort=needs_me", 1).await, [quiet, calm]);
}
