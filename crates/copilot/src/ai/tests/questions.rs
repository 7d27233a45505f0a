//! Questions about an incident: answered from its evidence, or honestly not.

use llm::{Failure, Reply, Usage};
use outbox::{NewJob, lease};
use serde_json::{Value, json};

use super::world::World;
use crate::ai::model::{Denied, Purpose, store as ledger};
use crate::ai::questions::{QUEUE, Question, QuestionStatus, store};
use crate::ids::QuestionId;
use crate::incident::explain;

pub fn says(answer: Value) -> Result<Reply, Failure> {
    let usage = Usage { prompt_tokens: 1000, completion_tokens: 100, ..Usage::default() };
    Ok(Reply::of(answer.to_string(), Some(usage)))
}

/// Asks about an analysed incident, works on it and reads what came of it.
pub async fn ask(world: &World, text: &str) -> Question {
    let (tenant, incident) = (world.tenant, world.incident);
    let mut tx = world.db.begin(tenant.0).await.unwrap();
    let analysis = store::analysed(&mut tx, tenant, incident).await.unwrap().unwrap();
    let id = QuestionId::new();
    let (model, asked_by) = ("gpt-4o-mini", "Ana");
    let new = store::New { id, project: world.project, incident, analysis, question: text, model, asked_by };
    store::enter(&mut tx, tenant, &new).await.unwrap();
    let payload = json!({ "question_id": id });
    let run_at = tx.now();
    let job = NewJob { owner: tenant.0, queue: QUEUE, key: incident.to_string(), payload, run_at };
    lease::enqueue(&mut tx, job).await.unwrap();
    tx.commit().await.unwrap();
    let claimed = world.worker().claim_question().await.unwrap().unwrap();
    world.worker().answer_question(claimed).await.unwrap();
    let mut tx = world.db.read(tenant.0).await.unwrap();
    assert!(!store::is_open(&mut tx, tenant, incident).await.unwrap());
    store::find(&mut tx, tenant, id).await.unwrap().unwrap()
}

/// An incident whose analysis is over, and a model that has not been asked yet.
async fn analysed() -> World {
    let world = World::new(Some(5_000_000)).await;
    world.change("checkout", "v2.41.0", 41).await;
    world.script.then(Err(Failure::Config { status: 401 }));
    world.analyse(false).await;
    world
}

#[tokio::test]
async fn an_answer_cites_the_evidence_it_comes_from_and_is_paid_for() {
    let world = analysed().await;
    let text = "Version v2.41.0 was deployed 41 s before.";
    world.script.then(says(json!({"answer": text, "cites": ["E1", "E1", "E99"], "enough": true})));
    let question = ask(&world, "What changed?").await;
    assert_eq!((question.status, question.answer.as_deref()), (QuestionStatus::Answered, Some(text)));
    assert_eq!(question.cited.len(), 1);
    assert_eq!(question.evidence[0].id, question.cited[0]);
    assert_eq!((question.tokens.prompt, question.cost_usd), (Some(1000), Some(0.000_21)));
    let request = world.script.journal().pop().unwrap();
    assert!(request.user.contains("What changed?") && request.user.contains("v2.41.0"));
    assert!(!request.schema.unwrap().to_string().contains("promql"), "there is nothing to query");
    // The analysis' own account is not touched by it.
    assert_eq!(world.read().await.analysis.unwrap().tokens.unwrap().prompt, Some(0));
}

#[tokio::test]
async fn what_is_not_carried_by_evidence_is_not_shown() {
    for (said, status, word) in [
        (
            says(json!({"answer": "It is DNS.", "cites": ["E77"]})),
            QuestionStatus::Unanswered,
            "cites no evidence",
        ),
        (
            says(json!({"answer": "?", "cites": [], "enough": false})),
            QuestionStatus::Unanswered,
            "does not answer",
        ),
        (Ok(Reply::of("It is DNS.", None)), QuestionStatus::Failed, "JSON object"),
        (Err(Failure::Timeout), QuestionStatus::Failed, "in time"),
        (Err(Failure::Refused { usage: None }), QuestionStatus::Failed, "declined"),
    ] {
        let world = analysed().await;
        world.script.then(said);
        let question = ask(&world, "Is it DNS?").await;
        assert_eq!((question.status, question.answer), (status, None), "{word}");
        assert!(question.reason.as_deref().unwrap().contains(word), "{:?}", question.reason);
    }
}

#[tokio::test]
async fn a_model_that_wants_queries_where_there_are_none_gets_none() {
    let world = analysed().await;
    let wish = json!({"promql": "up", "why": "to see"});
    world.script.then(says(json!({"answer": "", "cites": [], "enough": false, "queries": [wish]})));
    let question = ask(&world, "Is everything up?").await;
    assert_eq!(question.status, QuestionStatus::Unanswered);
    assert_eq!(world.script.journal().len(), 2, "one call for the analysis, one for the question");
}

#[tokio::test]
async fn a_call_whose_caller_died_is_under_way_until_it_must_have_ended() {
    let world = analysed().await;
    let request = world.script.journal().pop().unwrap();
    let analysis = world.read().await.analysis.unwrap().id;
    let purpose = Purpose { project: world.project, incident: world.incident, analysis, question: None };
    world.queue(world.incident).await;
    let job = lease::claim(&world.db, explain::QUEUE, 20).await.unwrap().unwrap();
    let reserve = async || {
        let mut tx = world.db.begin(world.tenant.0).await.unwrap();
        let reserved =
            world.model.reserve(&mut tx, world.tenant, purpose, &job, &request, "1").await.unwrap();
        tx.commit().await.unwrap();
        reserved.map(drop)
    };
    assert_eq!(reserve().await, Ok(()));
    world.clock.advance(30.0);
    let mut tx = world.db.begin(world.tenant.0).await.unwrap();
    ledger::orphan(&mut tx, world.tenant, world.incident, None).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(world.calls().await.pop().unwrap().0, "orphaned");
    assert_eq!(reserve().await, Err(Denied::Busy), "the model may still be at work on the lost one");
    world.clock.advance(46.0);
    assert_eq!(reserve().await, Ok(()));
}
