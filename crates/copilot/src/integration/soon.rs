//! How long a request that can be spooled waits for the database.

use std::time::Duration;

use crate::error::{Error, Result};

/// How long the database may take over a request before it counts as away.
const SOON: Duration = Duration::from_millis(500);

/// The pause before it is asked again when it did not answer: a connection that was cut is replaced meanwhile.
const AGAIN: Duration = Duration::from_millis(50);

/// What the database says, or nothing if it does not say so soon: then the request is spooled.
pub async fn soon<T, F: Future<Output = Result<T>>>(ask: impl Fn() -> F) -> Option<Result<T>> {
    let said = async {
        loop {
            match ask().await {
                Err(Error::Unavailable(..)) => tokio::time::sleep(AGAIN).await,
                said => return said,
            }
        }
    };
    tokio::time::timeout(SOON, said).await.ok()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const GONE: Error = Error::Unavailable("unavailable", "gone");

    #[tokio::test]
    async fn a_connection_that_was_cut_is_no_reason_to_give_up_and_silence_is() {
        let asked = AtomicUsize::new(0);
        let cut = || async { if asked.fetch_add(1, Ordering::SeqCst) < 3 { Err(GONE) } else { Ok(7) } };
        assert!(matches!(soon(cut).await, Some(Ok(7))));
        assert!(soon(|| async { Err::<u8, _>(GONE) }).await.is_none());
        assert!(soon(std::future::pending::<Result<u8>>).await.is_none());
        assert!(matches!(soon(|| async { Err::<u8, _>(Error::NotFound) }).await, Some(Err(Error::NotFound))));
    }
}
