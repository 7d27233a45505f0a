//! A replica whose clock is wrong changes nothing: leases, due times and events go by the database's clock.

use outbox::{Clock, Db, NewEvent, NewJob, Stream, lease};
use serde_json::json;
use uuid::Uuid;

use crate::world::Home;

const HOUR: i64 = 3600;

#[tokio::test]
async fn a_wrong_clock_takes_over_no_lease_and_hides_no_work() {
    if std::env::var("SRE_COPILOT_TEST_DATABASE_URL").is_err() {
        return;
    }
    let home = Home::new().await;
    let replica = async |clock| -> Db {
        copilot::db::open(&home.database.url(), home.folder.path(), clock).await.unwrap()
    };
    let (right, fast, slow) =
        (replica(Clock::System).await, replica(Clock::Wrong(HOUR)).await, replica(Clock::Wrong(-HOUR)).await);
    let owner = Uuid::now_v7();
    for (turn, from) in [&fast, &slow, &right].into_iter().enumerate() {
        let mut tx = from.begin(owner).await.unwrap();
        let (key, run_at) = (format!("job {turn}"), tx.now());
        let job = NewJob { owner, queue: "clocks", key: key.clone(), payload: json!({}), run_at };
        lease::enqueue(&mut tx, job).await.unwrap();
        tx.append(Stream { owner, id: owner }, NewEvent { kind: "turn", data: json!(turn) });
        tx.commit().await.unwrap();
        // Due at once for everybody, whoever asked for it.
        let job = lease::claim(&right, "clocks", 60).await.unwrap().expect("it is not due");
        assert_eq!(job.key, key);
        for other in [&fast, &slow] {
            assert!(lease::claim(other, "clocks", 60).await.unwrap().is_none(), "{key} was taken over");
        }
        let mut tx = right.begin(owner).await.unwrap();
        assert!(lease::finish(&mut tx, &job).await.unwrap());
        tx.commit().await.unwrap();
    }
    let mut tx = right.read(owner).await.unwrap();
    let events = outbox::event::after(&mut tx, Stream { owner, id: owner }, 0, 10).await.unwrap();
    assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(events.is_sorted_by_key(|event| event.at), "dated by different clocks: {events:?}");
    drop(tx);
    for db in [right, fast, slow] {
        db.close().await;
    }
}
