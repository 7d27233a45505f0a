//! Posting to exactly the address that a user entered: a webhook of theirs, whose path and query are its secret.

use url::Url;

use super::{Failure, Outbound, Refused, address, failure};

/// How much of an answer is read, in bytes; what is beyond it is not waited for.
const MOST_ANSWER: usize = 16 * 1024;

/// What was answered to what was posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// The HTTP status.
    pub status: u16,
    /// Seconds to wait before the next request, if it said so in whole seconds (RFC 9110, 10.2.3).
    pub retry_after_s: Option<u64>,
    /// The beginning of the body.
    pub body: Vec<u8>,
}

impl Outbound {
    /// As [`Outbound::check`], for an address that is posted to exactly as it is written.
    ///
    /// # Errors
    /// When it must not be used.
    pub async fn check_exact(&self, text: &str) -> Result<Url, Refused> {
        self.check_url(address::parse_exact(text)?).await
    }

    /// Posts JSON to exactly this address, checked again and with the connection pinned to what was checked; follows no
    /// redirect.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn post_exact(
        &self,
        text: &str,
        headers: &[(&'static str, String)],
        body: String,
    ) -> Result<Posted, Failure> {
        let url = address::parse_exact(text)?;
        let client = self.pinned(&url).await?;
        let request = client
            .post(url)
            .header("content-type", "application/json")
            .header("user-agent", concat!("sre-copilot/", env!("CARGO_PKG_VERSION")));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
        let mut response = request.body(body).send().await.map_err(|error| failure(&error))?;
        let retry_after_s =
            response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let status = response.status().as_u16();
        let mut body = Vec::new();
        // It was answered: what breaks off after the status changes nothing.
        while let Ok(Some(chunk)) = response.chunk().await {
            let room = MOST_ANSWER.saturating_sub(body.len());
            body.extend(chunk.iter().take(room));
            if chunk.len() >= room {
                break;
            }
        }
        Ok(Posted { status, retry_after_s, body })
    }
}
