//! Analyses: evidence from live systems, hypotheses ranked by it.
//!
//! `incident::explain` puts an analysis on the queue inside the transaction that opens an incident; [`run`] works it.
//! The statistical answer is stored first and needs no model; a configured model may add to it, never replace what
//! was measured.

pub mod analysis;
pub mod analytics;
pub mod changed;
pub mod changes;
pub mod diagnose;
pub mod evidence;
pub mod feedback;
pub mod hypotheses;
pub mod model;
pub mod prometheus;
pub mod prompt;
pub mod questions;
pub mod replay;
pub mod rerun;
pub mod store;
pub mod text;
pub mod worker;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::error::{Result, seldom};
pub use analysis::{
    Analysis, AnalysisStatus, Engine, Evidence, EvidenceKind, EvidenceRole, Hypothesis, Verdict,
};
pub use model::Model;
use worker::Looked;
pub use worker::Worker;

/// How many analyses look at once in one process; those whose model is asked wait elsewhere.
const AT_ONCE: usize = 2;

/// How many questions are worked on at once in one process: nearly all of their time is the model's.
const QUESTIONS_AT_ONCE: usize = 8;

/// How long an analysis makes way while a storm of webhooks comes in.
const MAKE_WAY: Duration = Duration::from_secs(1);

/// How often the queue is looked at when no wake-up comes.
const POLL: Duration = Duration::from_secs(2);

/// The routes of this service.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(hypotheses::list, hypotheses::start))
        .routes(routes!(hypotheses::evidence))
        .routes(routes!(rerun::run))
        .routes(routes!(questions::list, questions::ask))
        .routes(routes!(feedback::give))
        .routes(routes!(changes::list, changes::report))
        .routes(routes!(analytics::ai))
}

/// The work of this service: analyses, until `stop`.
pub async fn run(app: App, stop: CancellationToken) {
    let analyses = (0..AT_ONCE).map(|_| work(&app, &stop, Queue::Analyses));
    let questions = work(&app, &stop, Queue::Questions(Arc::new(Semaphore::new(QUESTIONS_AT_ONCE))));
    tokio::join!(futures_util::future::join_all(analyses), questions);
}

/// What waits for a worker.
#[derive(Debug)]
enum Queue {
    Analyses,
    /// Each answered beside the worker, when it is its turn.
    Questions(Arc<Semaphore>),
}

impl Queue {
    fn name(&self) -> &'static str {
        match self {
            Self::Analyses => "analyses",
            Self::Questions(_) => "questions",
        }
    }
}

async fn work(app: &App, stop: &CancellationToken, queue: Queue) {
    loop {
        // Listening begins with the first poll, before looking, so that no commit in between goes unseen.
        let mut woken = pin!(app.db.wake().next_job().fuse());
        let _ = woken.as_mut().now_or_never();
        let worked = match &queue {
            Queue::Analyses => {
                app.inbox.lull(MAKE_WAY).await;
                look_once(app).await
            }
            Queue::Questions(turns) => answer_once(app, stop, turns).await,
        };
        match worked {
            Ok(true) if !stop.is_cancelled() => continue,
            Ok(_) => {}
            Err(error) => {
                if let Some(times) = seldom("the queue could not be worked on", queue.name()) {
                    let queue = queue.name();
                    tracing::error!(queue, error = error.cause(), times, "the queue could not be worked on");
                }
            }
        }
        tokio::select! {
            () = &mut woken => {}
            () = tokio::time::sleep(POLL) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Looks at one analysis and lets its model be asked beside this, so that the next one need not wait for that; says
/// whether there was one.
async fn look_once(app: &App) -> Result<bool> {
    match Worker::new(app).look().await? {
        Looked::AtNothing => return Ok(false),
        Looked::Ended => {}
        Looked::Unasked(unasked) => {
            let own = app.clone();
            app.spawn(async move {
                if let Err(error) = Worker::new(&own).ask_model(*unasked).await
                    && let Some(times) = seldom("an analysis could not be ended", "")
                {
                    tracing::error!(error = error.cause(), times, "an analysis could not be ended");
                }
            });
        }
    }
    Ok(true)
}

/// Lets one question be answered beside this, when it is its turn; says whether there was one.
async fn answer_once(app: &App, stop: &CancellationToken, turns: &Arc<Semaphore>) -> Result<bool> {
    let turn = tokio::select! {
        turn = Arc::clone(turns).acquire_owned() => turn,
        () = stop.cancelled() => return Ok(false),
    };
    let Some(question) = Worker::new(app).claim_question().await? else { return Ok(false) };
    let own = app.clone();
    app.spawn(async move {
        if let Err(error) = Worker::new(&own).answer_question(question).await
            && let Some(times) = seldom("a question could not be answered", "")
        {
            tracing::error!(error = error.cause(), times, "a question could not be answered");
        }
        drop(turn);
    });
    Ok(true)
}

/// Works on one analysis, and says whether there was one.
///
/// # Errors
/// When the database refused; the analysis is tried again then.
pub async fn work_once(app: &App) -> Result<bool> {
    Worker::new(app).step().await
}

#[cfg(test)]
mod tests;
