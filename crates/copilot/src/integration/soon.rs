//! How long a request that can be spooled waits for the database.

use std::time::Duration;

use crate::error::{Error, Result};

/// How long the database may take over a request before it counts as away.
const SOON: Duration = Duration::from_millis(500);

/// What the database says, or nothing if it does not say so soon: then the request is spooled.
pub async fn soon<T>(asked: impl Future<Output = Result<T>>) -> Option<Result<T>> {
    match tokio::time::timeout(SOON, asked).await {
        Err(_) | Ok(Err(Error::Unavailable(..))) => None,
        Ok(said) => Some(said),
    }
}
