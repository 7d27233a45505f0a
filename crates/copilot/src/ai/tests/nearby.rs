//! Which other alerts are told about an incident.

use std::collections::BTreeMap;

use super::world::World;
use crate::ai::analysis::EvidenceKind;
use crate::ai::evidence::store;
use crate::ids::IncidentId;

#[tokio::test]
async fn a_storm_hides_neither_its_first_alert_nor_what_fired_before() {
    let world = World::new(None).await;
    let other = IncidentId::new();
    world.incident(other, 2).await;
    let fires = async |name: &str| {
        world.alert_with(other, name, "up == 0", &BTreeMap::new(), "").await;
        world.clock.advance(1.0);
    };
    fires("chronic").await;
    let crowd = |number: usize| format!("crowd-{number}");
    world.clock.advance(2.0 * 86_400.0);
    for number in 0..60 {
        fires(&crowd(number)).await;
    }
    fires("earlier").await;
    world.clock.advance(3_600.0);
    let from = world.clock.now();
    fires("first").await;
    for number in 0..600 {
        fires(&format!("later-{number}")).await;
    }
    let mut tx = world.db.read(world.tenant.0).await.unwrap();
    let until = (from, world.clock.now());
    let nearby = store::nearby(&mut tx, world.tenant, world.project, world.incident, until);
    let (nearby, more) = nearby.await.unwrap();
    let names: Vec<&str> = nearby.iter().map(|alert| alert.name.as_str()).collect();
    assert_eq!(names[13..17], [crowd(59).as_str(), "earlier", "first", "later-0"]);
    assert_eq!((names.len(), more), (50, true));
}

#[tokio::test]
async fn what_was_found_holds_only_alerts_that_began_around_the_alarm() {
    let world = World::new(None).await;
    let other = IncidentId::new();
    world.incident(other, 2).await;
    let fires = async |incident: IncidentId, name: &str| world.alert(incident, name, "up == 0").await;
    fires(other, "ForHours").await;
    world.clock.advance(6.0 * 3_600.0);
    fires(other, "MinutesBefore").await;
    world.clock.advance(600.0);
    // The incident was opened with an alert hours ago; it is over, and now there is another.
    world.close_alerts(world.incident).await;
    fires(world.incident, "Own").await;
    world.clock.advance(60.0);
    world.analyse(false).await;
    let found = world.evidence().await;
    let alerts = found.iter().filter(|row| row.kind == EvidenceKind::Alert);
    let names: Vec<&str> = alerts.filter_map(|row| row.summary.split(' ').next()).collect();
    assert_eq!(names, ["MinutesBefore", "Own"]);
    let checked = world.read().await.analysis.unwrap().checked;
    assert!(checked.contains(&"1 other alert around it".to_owned()), "{checked:?}");
}

#[tokio::test]
async fn many_changes_of_others_hide_none_of_the_service_and_not_the_newest() {
    let world = World::new(None).await;
    let from = world.clock.now();
    world.change("checkout", "the one that matters", 0).await;
    for number in 0..80 {
        world.clock.advance(1.0);
        world.change("other", &number.to_string(), 0).await;
    }
    let mut tx = world.db.read(world.tenant.0).await.unwrap();
    let window = (from, world.clock.now());
    let changes =
        store::changes(&mut tx, world.tenant, world.project, Some("checkout"), window, world.clock.now());
    let (told, more) = changes.await.unwrap();
    let versions: Vec<&str> = told.iter().filter_map(|change| change.version.as_deref()).collect();
    assert_eq!((versions.len(), more), (50, true));
    assert_eq!((versions[0], versions[1], versions[49]), ("the one that matters", "31", "79"));
}

#[tokio::test]
async fn what_was_looked_at_is_told_with_how_much_there_was() {
    let world = World::new(None).await;
    for number in 0..50 {
        world.change("other", &number.to_string(), 60).await;
    }
    let checked = async || world.analyse(true).await.analysis.unwrap().checked;
    let told = checked().await;
    assert!(told.contains(&"50 changes in the hour before the alarm".to_owned()), "{told:?}");
    world.change("other", "50", 60).await;
    let told = checked().await;
    let more = "more than 50 changes in the hour before the alarm; 50 of them were looked at";
    assert!(told.contains(&more.to_owned()), "{told:?}");
}
