//! What makes an incident another one while it is explained.

use outbox::on_tx;

use super::world::World;
use crate::ids::IncidentId;

/// Has the analysis of an incident run.
async fn run(world: &World, incident: &str) {
    let (tenant, incident): (_, IncidentId) = (world.member.tenant, incident.parse().unwrap());
    let mut tx = world.db().begin(tenant.0).await.unwrap();
    on_tx!(tx, c => sqlx::query("update analyses set status = 'running' where tenant_id = $1 and incident_id = $2")
        .bind(tenant).bind(incident).execute(c).await.map(drop))
    .unwrap();
    tx.commit().await.unwrap();
}

/// Of each analysis of an incident, whether another one follows it.
async fn followed(world: &World, incident: &str) -> Vec<bool> {
    let (tenant, incident): (_, IncidentId) = (world.member.tenant, incident.parse().unwrap());
    let mut tx = world.db().read(tenant.0).await.unwrap();
    on_tx!(tx, c => sqlx::query_scalar("select again from analyses where tenant_id = $1 and incident_id = $2")
        .bind(tenant).bind(incident).fetch_all(c).await)
    .unwrap()
}

#[tokio::test]
async fn a_merge_or_a_reopening_is_looked_at_after_what_runs() {
    let world = World::new().await;
    let [from, into] = [world.opened("a").await, world.opened("b").await];
    run(&world, &into).await;
    assert_eq!(followed(&world, &into).await, [false]);
    world.merge(&from, &into).await.expect(200);
    assert_eq!(followed(&world, &into).await, [true]);
    let opened = world.opened("c").await;
    run(&world, &opened).await;
    world.set_state(&opened, "resolved").await.expect(200);
    world.set_state(&opened, "investigating").await.expect(200);
    assert_eq!(followed(&world, &opened).await, [true], "by a person");
    let fired = world.alert("Slow", "checkout", "high", "firing").await;
    run(&world, &fired).await;
    world.clock.advance(60.0);
    world.alert("Slow", "checkout", "high", "resolved").await;
    world.clock.advance(120.0);
    assert_eq!(world.alert_again("Slow", "checkout").await, fired);
    assert_eq!(followed(&world, &fired).await, [true], "by its sender");
}
