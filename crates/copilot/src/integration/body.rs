//! The body of a webhook request: whole, inflated, and counted while it is in memory.

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use bytes::BytesMut;
use flate2::read::MultiGzDecoder;
use http_body_util::BodyExt as _;

use super::room::Room;
use crate::error::{Error, Result};

/// The largest body that is read, in bytes, before and after it is inflated.
pub const MAX_BODY: usize = 16 * 1024 * 1024;

/// How long the body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The whole body, inflated if it was deflated, in `room`.
///
/// # Errors
/// When it can't be read or is too large; 503 when there is no room or it took too long.
pub async fn read(request: Request, room: &Arc<Room>) -> Result<Bytes> {
    let encodings = request.headers().get_all(header::CONTENT_ENCODING).iter();
    let encodings: Vec<_> = encodings.map(|value| value.as_bytes().to_ascii_lowercase()).collect();
    let gzip = match encodings.iter().map(Vec::as_slice).collect::<Vec<_>>()[..] {
        [] | [b"identity"] => false,
        [b"gzip" | b"x-gzip"] => true,
        _ => return Err(Error::Unsupported("unsupported-encoding", "send the body plain or as gzip")),
    };
    let (parts, body) = request.into_parts();
    let bytes = collect(&parts.headers, body, MAX_BODY, room).await?;
    if !gzip {
        return Ok(bytes);
    }
    let room = room.clone();
    let inflated = tokio::task::spawn_blocking(move || inflate(&bytes, &room));
    inflated.await.map_err(|error| Error::Internal(error.into()))?
}

/// The body as it was sent, of at most `most` bytes.
///
/// # Errors
/// As [`read`].
pub async fn collect(headers: &HeaderMap, body: Body, most: usize, room: &Room) -> Result<Bytes> {
    let length = content_length(headers).unwrap_or(0);
    if length > most {
        return Err(too_large(most));
    }
    room.hold(length)?;
    let whole = BytesMut::with_capacity(length);
    tokio::time::timeout(BODY_TIMEOUT, gather(whole, body, most, room))
        .await
        .map_err(|_| Error::Unavailable("unavailable", "the body took too long to arrive"))?
}

async fn gather(mut whole: BytesMut, mut body: Body, most: usize, room: &Room) -> Result<Bytes> {
    while let Some(frame) = body.frame().await {
        let frame = frame
            .map_err(|_| Error::Malformed("malformed-request", "the body could not be read".to_owned()))?;
        let Ok(piece) = frame.into_data() else { continue };
        let length = whole.len() + piece.len();
        if length > most {
            return Err(too_large(most));
        }
        room.hold(length)?;
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

fn content_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_large(most: usize) -> Error {
    Error::TooLarge(format!("its body is larger than {} MiB", most / 1024 / 1024))
}

/// Inflates twice: what the first time finds out is how much room the second one takes, before any is taken.
fn inflate(packed: &Bytes, room: &Room) -> Result<Bytes> {
    let damaged = |_| Error::Malformed("malformed-request", "the gzip body is damaged".to_owned());
    let inflated = || MultiGzDecoder::new(packed.as_ref()).take(MAX_BODY as u64 + 1);
    let length = std::io::copy(&mut inflated(), &mut std::io::sink()).map_err(damaged)?;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > MAX_BODY {
        return Err(too_large(MAX_BODY));
    }
    room.hold(packed.len() + length)?;
    let mut plain = Vec::with_capacity(length);
    inflated().read_to_end(&mut plain).map_err(damaged)?;
    Ok(plain.into())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};

    use super::*;
    use crate::integration::room::Rooms;

    #[test]
    fn a_small_body_that_inflates_to_a_large_one_takes_the_room_of_a_large_one() {
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        packed.write_all(&vec![b' '; MAX_BODY]).unwrap();
        let packed = Bytes::from(packed.finish().unwrap());
        let rooms = Rooms::default();
        let others: Vec<_> = std::iter::repeat_with(|| rooms.enter()).take(12).collect();
        assert!(others.iter().all(|room| room.hold(MAX_BODY).is_ok()));
        let refused = inflate(&packed, &rooms.enter()).unwrap_err();
        assert_eq!(refused.status().1, "ingest-overloaded");
        drop(others);
        assert_eq!(inflate(&packed, &rooms.enter()).unwrap().len(), MAX_BODY);
    }

    #[tokio::test]
    async fn a_body_of_unknown_length_is_counted_as_it_comes() {
        let rooms = Rooms::default();
        let others: Vec<_> = std::iter::repeat_with(|| rooms.enter()).take(256).collect();
        assert!(others.iter().all(|room| room.hold(1024 * 1024).is_ok()));
        let body = async || {
            let pieces = futures_util::stream::iter([Ok::<_, std::io::Error>("{"), Ok("}")]);
            collect(&HeaderMap::new(), Body::from_stream(pieces), MAX_BODY, &rooms.enter()).await
        };
        assert_eq!(body().await.unwrap_err().status().1, "ingest-overloaded");
        drop(others);
        assert_eq!(body().await.unwrap(), "{}");
    }
}
