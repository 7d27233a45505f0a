//! What fires is shown.

use bench::faults::load::Rate;
use bench::faults::{Backend, visible};

use super::{found, held, trial};

#[tokio::test]
async fn what_fires_is_shown() {
    let rate = Rate { per_second: 100, alerts: 2, senders: 8 };
    held(&visible::shown(&trial(Backend::Sqlite, ""), rate).await.unwrap());
}

#[tokio::test]
async fn what_fires_is_shown_by_every_replica() {
    let rate = Rate { per_second: 100, alerts: 2, senders: 8 };
    held(&visible::shown(&trial(Backend::Postgres, ""), rate).await.unwrap());
}

#[tokio::test]
async fn alerts_dropped_beyond_a_number_are_noticed() {
    let (trial, rate) =
        (trial(Backend::Sqlite, "drop-beyond-20"), Rate { per_second: 5, alerts: 30, senders: 2 });
    found("lost", async || visible::shown(&trial, rate).await).await;
}
