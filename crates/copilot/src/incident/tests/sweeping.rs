//! What time alone brings about, when something stands in its way.

use outbox::{Ts, Tx, on_tx};

use super::world::World;
use crate::ids::{IntegrationId, ProjectId};
use crate::incident::{store, sweep};

impl World {
    /// Has a firing held that repeats the start of an episode that has just closed, and whose incident a person closed:
    /// when it is believed it opens another.
    async fn held(&self, name: &str) {
        let id = self.alert(name, "checkout", "high", "firing").await;
        self.set_state(&id, "resolved").await.expect(200);
        self.clock.advance(1.0);
        self.alert(name, "checkout", "high", "resolved").await;
        self.clock.advance(1.0);
        self.alert(name, "checkout", "high", "firing").await;
        assert_eq!(self.waiting().await, 1, "it is held");
    }

    /// How many alerts of the current project wait for their hold or their flapping to end.
    async fn waiting(&self) -> i64 {
        let (tenant, project) = (self.member.tenant, self.member.project);
        let mut tx = self.db().read(tenant.0).await.unwrap();
        on_tx!(tx, c => sqlx::query_scalar(
            "select count(*) from alerts where tenant_id = $1 and project_id = $2
             and (held_until is not null or flapping_until is not null)")
            .bind(tenant).bind(project).fetch_one(c).await)
        .unwrap()
    }

    /// Goes on in another project of the organisation.
    pub(super) async fn move_on(&mut self) {
        let (tenant, project) = (self.member.tenant, ProjectId::new());
        let mut tx = self.db().begin(tenant.0).await.unwrap();
        let now = tx.now();
        on_tx!(tx, c => sqlx::query(
            "insert into projects (tenant_id, id, name, created_at) values ($1, $2, 'Q', $3)")
            .bind(tenant).bind(project).bind(now).execute(c).await.map(drop))
        .unwrap();
        tx.commit().await.unwrap();
        self.member.project = project;
    }

    /// Deletes the current project as a version does that leaves its alerts as they are.
    pub(super) async fn delete_as_before(&self) {
        let mut tx = self.db().begin(self.member.tenant.0).await.unwrap();
        let now = tx.now();
        on_tx!(tx, c => sqlx::query("update projects set deleted_at = $3 where tenant_id = $1 and id = $2")
            .bind(self.member.tenant).bind(self.member.project).bind(now).execute(c).await.map(drop))
        .unwrap();
        tx.commit().await.unwrap();
    }

    /// Takes an alert's integration away, without which nothing can be done for it.
    async fn spoil(&self, name: &str) {
        let mut tx = self.db().begin(self.member.tenant.0).await.unwrap();
        on_tx!(tx, c => sqlx::query("update alerts set integration_id = $3 where tenant_id = $1 and name = $2")
            .bind(self.member.tenant).bind(name).bind(IntegrationId::new()).execute(c).await.map(drop))
        .unwrap();
        tx.commit().await.unwrap();
    }

    /// How many incidents the next sweep reads because they may have gone stale.
    async fn looked_at(&self) -> usize {
        let mut tx = self.db().read_across("sweep").await.unwrap();
        let now = tx.now();
        store::maybe_stale(&mut tx, now).await.unwrap().len()
    }

    /// Writes when an alert was last heard, and nothing else.
    pub(super) async fn hear(&self, name: &str, at: Ts) {
        let mut tx = self.db().begin(self.member.tenant.0).await.unwrap();
        on_tx!(tx, c => sqlx::query("update alerts set last_seen_at = $3 where tenant_id = $1 and name = $2")
            .bind(self.member.tenant).bind(name).bind(at).execute(c).await.map(drop))
        .unwrap();
        tx.commit().await.unwrap();
    }

    /// Holds the current project, as a commit does that takes long.
    async fn hold(&self) -> Tx {
        let mut tx = self.db().begin(self.member.tenant.0).await.unwrap();
        let (tenant, project) = (self.member.tenant, self.member.project);
        assert!(store::lock_project(&mut tx, tenant, project).await.unwrap());
        tx
    }
}

#[tokio::test]
async fn an_alert_held_in_a_deleted_project_is_let_go() {
    let world = World::new().await;
    world.held("Slow").await;
    world.delete_as_before().await;
    world.later(61.0).await.unwrap();
    assert_eq!(world.waiting().await, 0);
}

#[tokio::test]
async fn what_fails_keeps_nothing_else_waiting() {
    let mut world = World::new().await;
    let first = world.member.project;
    let silent = world.alert("Silent", "cart", "high", "firing").await;
    world.clock.advance(86_400.0);
    world.held("Spoilt").await;
    world.spoil("Spoilt").await;
    world.move_on().await;
    world.held("Slow").await;
    world.later(61.0).await.unwrap_err();
    assert_eq!(world.waiting().await, 0, "the other alert waited for the one that failed");
    world.member.project = first;
    assert_eq!(world.waiting().await, 1);
    assert_eq!(world.one(&silent).await["stale"], true);
}

/// On SQLite whoever writes waits for whoever writes.
#[tokio::test]
async fn a_project_that_somebody_holds_keeps_no_other_waiting() {
    if std::env::var("SRE_COPILOT_TEST_DATABASE_URL").is_err() {
        return;
    }
    let mut world = World::new().await;
    world.held("Slow").await;
    let held = world.hold().await;
    world.move_on().await;
    world.held("Slow").await;
    world.later(61.0).await.unwrap_err();
    assert_eq!(world.waiting().await, 0, "the other project waited for the one that is held");
    drop(held);
    world.later(1.0).await.unwrap();
}

#[tokio::test]
async fn a_stale_incident_is_left_alone_until_it_is_heard_of() {
    let world = World::new().await;
    let id = world.alert("Slow", "checkout", "high", "firing").await;
    world.later(86_400.0).await.unwrap();
    assert_eq!(world.one(&id).await["stale"], true);
    assert_eq!(world.looked_at().await, 0);
    // What was heard before it could be seen stale is written within a minute.
    world.later(61.0).await.unwrap();
    assert_eq!(world.looked_at().await, 0);
    world.clock.advance(3_600.0);
    assert_eq!(world.looked_at().await, 0);
    let before = world.events().await.len();
    assert_eq!(world.alert("Slow", "checkout", "high", "firing").await, id);
    assert_eq!(world.one(&id).await["stale"], false, "the statement takes the mark off");
    assert_eq!(world.events().await.split_off(before), ["incident.updated"]);
    world.later(86_400.0).await.unwrap();
    assert_eq!(world.one(&id).await["stale"], true, "and it goes stale again");
    assert_eq!(world.step_counts(&id).await["became_stale"], 2);
}

#[tokio::test]
async fn what_was_resolved_since_it_was_found_silent_does_not_go_stale() {
    let world = World::new().await;
    let id = world.alert("Slow", "checkout", "high", "firing").await;
    world.clock.advance(86_400.0);
    let mut tx = world.db().read_across("sweep").await.unwrap();
    let now = tx.now();
    let found = store::maybe_stale(&mut tx, now).await.unwrap();
    drop(tx);
    world.set_state(&id, "resolved").await.expect(200);
    let mine = found.into_iter().find(|one| one.id.to_string() == id).unwrap();
    sweep::check_silence(&world.app(), mine).await.unwrap();
    let one = world.one(&id).await;
    assert_eq!((&one["stale"], &one["open"]), (&false.into(), &false.into()), "{one}");
}

#[tokio::test]
async fn what_another_process_wrote_late_takes_the_mark_off() {
    let world = World::new().await;
    let id = world.alert("Slow", "checkout", "high", "firing").await;
    world.clock.advance(86_000.0);
    let heard_at = world.clock.now();
    world.later(400.0).await.unwrap();
    assert_eq!(world.one(&id).await["stale"], true);
    world.hear("Slow", heard_at).await;
    world.later(61.0).await.unwrap();
    assert_eq!(world.one(&id).await["stale"], false);
}
