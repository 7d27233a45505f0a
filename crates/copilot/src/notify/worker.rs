//! Looks for channels that have something to tell, and tells them, a few at once.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::store::pass::{self as store, Due};
use super::{pass, send};
use crate::app::App;
use crate::error::{Error, Result, seldom};
use crate::ids::{ChannelId, TenantId};

/// How often it looks when nothing wakes it.
const EVERY: Duration = Duration::from_secs(1);

/// How soon it looks again when it is woken all the time.
const AT_LEAST: Duration = Duration::from_millis(200);

/// Channels that are told at once.
const AT_ONCE: usize = 32;

/// Those of one tenant: receivers that do not answer keep nobody else's waiting.
const OF_A_TENANT: usize = 8;

/// Tells until `stop`.
pub async fn run(app: App, stop: CancellationToken) {
    let mut wakes = app.db.wake().streams();
    let mut at_work = FuturesUnordered::new();
    let mut held: BTreeMap<ChannelId, TenantId> = BTreeMap::new();
    loop {
        match due(&app).await {
            Ok(due) => {
                for one in due {
                    let of_tenant = held.values().filter(|tenant| **tenant == one.tenant_id).count();
                    if held.len() < AT_ONCE && of_tenant < OF_A_TENANT && !held.contains_key(&one.id) {
                        held.insert(one.id, one.tenant_id);
                        at_work.push(told(&app, one));
                    }
                }
            }
            Err(error) => complain("channels could not be looked for", &error),
        }
        let pause = tokio::time::sleep(AT_LEAST);
        tokio::pin!(pause);
        let mut over = false;
        while !over {
            tokio::select! {
                () = &mut pause => over = true,
                Some(id) = at_work.next(), if !at_work.is_empty() => drop(held.remove(&id)),
                () = stop.cancelled() => return finish(at_work).await,
            }
        }
        tokio::select! {
            woken = wakes.recv() => {
                if matches!(woken, Err(RecvError::Closed)) {
                    return;
                }
                wakes = wakes.resubscribe();
            }
            () = tokio::time::sleep(EVERY) => {}
            Some(id) = at_work.next(), if !at_work.is_empty() => drop(held.remove(&id)),
            () = stop.cancelled() => return finish(at_work).await,
        }
    }
}

/// Lets what is under way come to its end: each ends after its request.
async fn finish(mut at_work: FuturesUnordered<impl Future<Output = ChannelId>>) {
    while at_work.next().await.is_some() {}
}

async fn told(app: &App, due: Due) -> ChannelId {
    if let Err(error) = tell(app, &due).await {
        complain("a channel could not be told", &error);
    }
    due.id
}

fn complain(what: &'static str, error: &Error) {
    if let Some(times) = seldom(what, "") {
        tracing::error!(error = error.cause(), times, "{what}");
    }
}

async fn due(app: &App) -> Result<Vec<Due>> {
    let mut tx = app.db.read_across("notify").await?;
    Ok(store::due(&mut tx).await?)
}

/// Looks at what is new for one channel, and sends what waits in it.
async fn tell(app: &App, due: &Due) -> Result<()> {
    match pass::look(app, due).await? {
        Some(held) => send::send(app, held).await,
        None => Ok(()),
    }
}

/// Tells every channel what is due now, one after another, and says how many there were.
///
/// # Errors
/// When the database refused.
pub async fn once(app: &App) -> Result<usize> {
    let due = due(app).await?;
    for one in &due {
        tell(app, one).await?;
    }
    Ok(due.len())
}
