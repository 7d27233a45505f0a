//! What is the engine's is told as the engine's, and what the evidence does not hold is not told.

use llm::Reply;
use outbox::on_tx;
use serde_json::{Value, json};

use super::ends::{one, says};
use super::world::World;
use crate::ai::analysis::{AnalysisStatus, Engine};

async fn world() -> World {
    let world = World::new(Some(1_000_000)).await;
    world.change("checkout", "v2.41.0", 41).await;
    world
}

#[tokio::test]
async fn a_model_that_adds_nothing_is_not_who_answered() {
    let nothing = json!({"hypotheses": [], "insufficient_evidence": true}).to_string();
    for (reply, said) in [
        (Ok(Reply::of(nothing, None)), "found the evidence insufficient"),
        (says(json!([])), "added nothing"),
        (
            says(json!([one("checkout ran out of memory", 0.9, &["E77"])])),
            "1 hypothesis of the model was left out",
        ),
        (says(json!([one("checkout is the cause", 0.9, &["E1"])])), "added nothing"),
    ] {
        let world = world().await;
        world.script.then(reply);
        let answer = world.analyse(false).await;
        let analysis = answer.analysis.unwrap();
        assert_eq!(
            (analysis.status, analysis.engine),
            (AnalysisStatus::Completed, Engine::Statistical),
            "{said}"
        );
        let reason = analysis.reason.unwrap();
        assert!(reason.contains(said), "{reason}");
        assert_eq!(answer.items.iter().map(|one| one.engine).collect::<Vec<_>>(), [Engine::Statistical]);
        // Who asks again over the same evidence pays nothing.
        let again = world.analyse(true).await.analysis.unwrap();
        assert_eq!((again.engine, world.script.journal().len()), (Engine::Statistical, 1));
    }
}

#[tokio::test]
async fn what_the_evidence_does_not_hold_is_left_out() {
    for (claim, shown) in [
        ("Release v2.41.0 of checkout broke voucher rules", true),
        ("Release v9.9.9 of checkout broke voucher rules", false),
        ("checkout leaked 4711 MiB after its release", false),
        ("checkout is healthy after its release", false),
        ("checkout: what went wrong and in which service, in one plain sentence", false),
    ] {
        let world = world().await;
        world.script.then(says(json!([one(claim, 0.9, &["E1"])])));
        let answer = world.analyse(false).await;
        assert_eq!(answer.items[0].claim == claim, shown, "{claim}: {}", answer.items[0].claim);
    }
    let world = world().await;
    let mut told = one("Release v2.41.0 of checkout broke voucher rules", 0.9, &["E1"]);
    told["description"] = json!("4711 requests failed.");
    world.script.then(says(Value::Array(vec![told])));
    assert_eq!(world.analyse(false).await.items[0].description, "");
}

#[tokio::test]
async fn an_answer_is_dropped_that_comes_after_the_model_was_turned_off() {
    let world = world().await;
    let late = one("Release v2.41.0 of checkout broke voucher rules", 0.9, &["E1"]);
    world.script.then_when_released(says(json!([late])));
    world.ask(false, None).await.unwrap();
    let turned_off = async {
        while world.script.journal().is_empty() {
            tokio::task::yield_now().await;
        }
        let mut tx = world.db.begin(world.tenant.0).await.unwrap();
        on_tx!(tx, c => sqlx::query("update tenants set llm_enabled = $2 where tenant_id = $1")
            .bind(world.tenant).bind(false).execute(c).await.map(drop))
        .unwrap();
        tx.commit().await.unwrap();
        world.script.release();
    };
    let (stepped, ()) = tokio::join!(world.worker().step(), turned_off);
    assert!(stepped.unwrap());
    let answer = world.read().await;
    assert_eq!(answer.items[0].engine, Engine::Statistical);
    assert!(answer.analysis.unwrap().reason.unwrap().contains("turned off"));
    assert_eq!(world.calls().await, [("completed".to_owned(), Some(210))], "the call is paid for");
}
