//! Which other alerts are told about an incident.

use std::collections::BTreeMap;

use super::world::World;
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
    world.clock.advance(2.0 * 86_400.0);
    fires("earlier").await;
    world.clock.advance(3_600.0);
    let from = world.clock.now();
    fires("first").await;
    for number in 0..600 {
        fires(&format!("later-{number}")).await;
    }
    let mut tx = world.db.read(world.tenant.0).await.unwrap();
    let until = (from, world.clock.now());
    let nearby = store::nearby(&mut tx, world.tenant, world.project, world.incident, until).await.unwrap();
    let names: Vec<&str> = nearby.iter().map(|alert| alert.name.as_str()).collect();
    assert_eq!(names[..3], ["earlier", "first", "later-0"]);
    assert_eq!(names.len(), 50);
}
