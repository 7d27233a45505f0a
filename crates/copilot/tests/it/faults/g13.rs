//! Whoever is shut out is out.

use bench::faults::Backend;
use bench::faults::revoked::{self, Way};

use super::{found, held, trial};

#[tokio::test]
async fn who_is_shut_out_gets_nothing_more() {
    held(&revoked::at_once(&trial(Backend::Postgres, ""), &Way::ALL).await.unwrap());
}

#[tokio::test]
async fn permissions_that_are_remembered_are_noticed() {
    let trial = trial(Backend::Postgres, "permissions-remembered");
    for way in [Way::KeyDeleted, Way::RoleLowered] {
        found("accepted", async || revoked::at_once(&trial, &[way]).await).await;
    }
}

#[tokio::test]
async fn sockets_that_nobody_looks_at_again_are_noticed() {
    let trial = trial(Backend::Postgres, "sockets-never-rechecked");
    found("unclosed", async || revoked::at_once(&trial, &[Way::SessionEnded]).await).await;
}
