//! What is asked inside the writer is answered by an index, however long the history.

use outbox::TxConn;

use super::world::World;
use crate::incident::{State, store, tracked};

/// On SQLite, whose planner does not go by how much is stored.
#[tokio::test]
async fn what_is_asked_inside_the_writer_is_answered_by_an_index() {
    let world = World::new().await;
    let mut tx = world.db().read(world.member.tenant.0).await.unwrap();
    let TxConn::Sqlite(open) = tx.conn() else { return };
    let alerts = "alerts_incident (tenant_id=? AND incident_id=?)";
    for (query, index) in [
        (store::COUNT_OPEN, "COVERING INDEX incidents_state (tenant_id=? AND project_id=? AND state=?)"),
        (tracked::store::FLAPPING, alerts),
        (tracked::store::LAST_STATEMENT, alerts),
        (tracked::store::MOVE, alerts),
    ] {
        let explain = sqlx::AssertSqlSafe(format!("explain query plan {query}"));
        let plan: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(explain).fetch_all(&mut **open).await.unwrap();
        let mut searches = plan.iter().map(|(.., step)| step).filter(|step| step.starts_with("SEARCH"));
        assert!(
            searches.clone().count() > 0 && searches.all(|step| step.ends_with(index)),
            "{query}: {plan:?}"
        );
    }
}

#[test]
fn the_open_states_are_those_that_are_counted() {
    for state in State::ALL {
        assert_eq!(store::COUNT_OPEN.contains(&format!("'{state}'")), state.is_open(), "{state}");
    }
}
