//! What a connection begins with: the head of its first request, looked at before anything is made of it.
//!
//! What is refused here is answered as every refusal is. Later requests of a connection are the server library's alone, which
//! refuses what it can't read with a status and nothing else, and takes a line feed for the end of a line.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use httparse::Status;
use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::error::Error;

/// How long a client may take to send its request line and headers.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest request line and headers, in bytes.
pub const MAX_HEAD: usize = 64 * 1024;

/// How much is read at first, in bytes: most requests without a body, and the better part of a webhook.
const FIRST_READ: usize = 4 * 1024;

/// What tells HTTP/2 from a request of HTTP/1.
const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n";

/// How many headers a request may have; the server library's own limit, of every request.
pub const MAX_HEADERS: usize = 100;

/// How a connection began.
#[derive(Debug, PartialEq, Eq)]
pub enum Opening {
    /// With these bytes, which can be read on.
    Readable(Bytes),
    /// With something that is no request.
    Unreadable(Fault),
    /// With nothing that could be answered.
    Gone,
}

/// Why a first request can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is no HTTP; what is wrong with it.
    Malformed(&'static str),
    /// Its first line is longer than a head may be.
    UriTooLong,
    /// Its head is longer than [`MAX_HEAD`], or has more than [`MAX_HEADERS`].
    HeadTooLarge,
    /// Its head was not there within [`HEADER_TIMEOUT`].
    TooSlow,
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Malformed(what) => Self::Malformed("malformed-request", what.to_owned()),
            Fault::UriTooLong => Self::UriTooLong(super::MAX_URI),
            Fault::HeadTooLarge => Self::HeadersTooLarge(MAX_HEAD / 1024, MAX_HEADERS),
            Fault::TooSlow => Self::TooSlow(HEADER_TIMEOUT.as_secs()),
        }
    }
}

/// Reads the head of the first request, which is waited for so long.
pub async fn read(stream: &mut (impl AsyncRead + Unpin), patience: Duration) -> Opening {
    let mut read = BytesMut::with_capacity(FIRST_READ);
    match tokio::time::timeout(patience, gather(stream, &mut read)).await {
        Ok(opening) => opening,
        // A sender of webhooks would take the answer for its own fault, and not send again.
        Err(_) if read.is_empty() || is_webhook(&read) => Opening::Gone,
        Err(_) => Opening::Unreadable(Fault::TooSlow),
    }
}

async fn gather(stream: &mut (impl AsyncRead + Unpin), read: &mut BytesMut) -> Opening {
    let mut seen = 0;
    loop {
        match stream.read_buf(read).await {
            Ok(0) | Err(_) => return Opening::Gone,
            Ok(_) => {}
        }
        match look(read, seen) {
            Ok(true) => return Opening::Readable(std::mem::take(read).freeze()),
            Ok(false) => seen = read.len(),
            Err(fault) => return Opening::Unreadable(fault),
        }
    }
}

/// Whether the head is whole, of which the first `seen` bytes were looked at before.
fn look(read: &[u8], seen: usize) -> Result<bool, Fault> {
    let blank = read.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let end = end_of_head(read, blank, seen)?;
    if end.unwrap_or(read.len()) > MAX_HEAD {
        let first_line = read.get(blank..).is_some_and(|rest| rest.contains(&b'\n'));
        return Err(if first_line { Fault::HeadTooLarge } else { Fault::UriTooLong });
    }
    // What is no HTTP from its first bytes on is not waited for.
    if seen == 0 || end.is_some() {
        parse(read)?;
    }
    Ok(end.is_some())
}

/// Where the head ends, if it does. Lines end with CR LF: a proxy that takes a line feed for an end where the next one does not
/// sees other requests than that one.
fn end_of_head(read: &[u8], blank: usize, seen: usize) -> Result<Option<usize>, Fault> {
    let from = seen.saturating_sub(3).max(blank);
    for at in memchr::memchr_iter(b'\n', read).skip_while(|at| *at < from) {
        let line = read.get(..at).unwrap_or_default();
        if !line.ends_with(b"\r") {
            return Err(Fault::Malformed("a line of its head ends with a line feed alone"));
        }
        if line.ends_with(b"\r\n\r") {
            return Ok(Some(at + 1));
        }
    }
    Ok(None)
}

fn parse(read: &[u8]) -> Result<(), Fault> {
    // The beginning of HTTP/2 (RFC 9113, 3.4), of which only a part may be there.
    if read.starts_with(HTTP2) || HTTP2.starts_with(read) {
        return Ok(());
    }
    if read.starts_with(&[0x16, 0x03]) {
        return Err(Fault::Malformed("this port speaks HTTP, not TLS"));
    }
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let end = match request.parse(read) {
        Ok(Status::Complete(end)) => end,
        Ok(Status::Partial) => return Ok(()),
        Err(httparse::Error::TooManyHeaders) => return Err(Fault::HeadTooLarge),
        Err(httparse::Error::HeaderName) => return Err(Fault::Malformed("the name of a header is none")),
        Err(httparse::Error::HeaderValue) => return Err(Fault::Malformed("the value of a header is none")),
        Err(httparse::Error::Version) => return Err(Fault::Malformed("its version of HTTP is none")),
        Err(_) => return Err(Fault::Malformed("its first line is no request")),
    };
    match (framing(request.headers)?, read.get(end..)) {
        (Framing::Chunked, Some(body)) => first_chunk(body),
        _ => Ok(()),
    }
}

/// How the end of a body is told.
enum Framing {
    Length,
    Chunked,
}

/// Whoever stands in front of us must not be able to understand it otherwise.
fn framing(headers: &[httparse::Header<'_>]) -> Result<Framing, Fault> {
    let all = |name: &str| -> Vec<_> {
        headers
            .iter()
            .filter(|header| header.name.eq_ignore_ascii_case(name))
            .map(|header| header.value)
            .collect()
    };
    match (&all("content-length")[..], &all("transfer-encoding")[..]) {
        ([], []) => Ok(Framing::Length),
        ([length], [])
            if !length.is_empty() && length.len() < 20 && length.iter().all(u8::is_ascii_digit) =>
        {
            Ok(Framing::Length)
        }
        ([], [encoding]) if encoding.eq_ignore_ascii_case(b"chunked") => Ok(Framing::Chunked),
        (_, []) => Err(Fault::Malformed("a request has one Content-Length, a number of bytes")),
        ([], _) => Err(Fault::Malformed("the only Transfer-Encoding understood is chunked")),
        _ => Err(Fault::Malformed("a request has a Content-Length or a Transfer-Encoding, not both")),
    }
}

/// A size that no body has is a wait without an end to the server library.
fn first_chunk(body: &[u8]) -> Result<(), Fault> {
    let digits =
        body.iter().skip_while(|digit| **digit == b'0').take_while(|digit| digit.is_ascii_hexdigit());
    if digits.count() > 15 { Err(Fault::Malformed("the size of a chunk is none")) } else { Ok(()) }
}

fn is_webhook(read: &[u8]) -> bool {
    read.split(|byte| *byte == b' ').nth(1).is_some_and(|path| path.starts_with(b"/webhooks/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &[u8] =
        b"\r\nPOST /webhooks/x HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";

    async fn opening(bytes: &[u8]) -> Opening {
        read(&mut &bytes[..], HEADER_TIMEOUT).await
    }

    #[tokio::test]
    async fn a_request_is_read_on_wherever_its_first_pieces_are_cut() {
        for cut in 1..WHOLE.len() {
            let (one, two) = WHOLE.split_at(cut);
            let Opening::Readable(read) = read(&mut one.chain(two), HEADER_TIMEOUT).await else {
                panic!("cut at {cut}")
            };
            assert!(WHOLE.starts_with(&read) && read.len() >= cut, "cut at {cut}");
        }
        let http2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        for cut in 1..http2.len() {
            let (one, two) = http2.split_at(cut);
            let read = read(&mut one.chain(two), HEADER_TIMEOUT).await;
            assert!(matches!(read, Opening::Readable(_)), "{read:?} of HTTP/2 cut at {cut}");
        }
        assert_eq!(opening(b"GET / HTTP/1.1\r\nhost:").await, Opening::Gone);
    }

    #[tokio::test]
    async fn what_is_no_request_is_refused_at_once() {
        let malformed = [
            &b"GET / HTTP/1.1\nhost: h\n\n"[..],
            b"GET / HTTP/1.1\r\nhost: h\n\r\n",
            b"GET / HTTP/1.1\r\nhost: h\r\n\n",
            b"\x16\x03\x01\x02\x00",
            b"GET / HTTP/9\r\n\r\n",
            b"GET / HTTP/1.1\r\nhost : h\r\n\r\n",
            b"GET / HTTP/1.1\r\nx: a\r\n b\r\n\r\n",
            b"GET / HTTP/1.1\r\nx: a\0b\r\n\r\n",
            b"{}\r\n\r\n",
            b"POST / HTTP/1.1\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n",
            b"POST / HTTP/1.1\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\n",
            b"POST / HTTP/1.1\r\ncontent-length: \r\n\r\n",
            b"POST / HTTP/1.1\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
            b"POST / HTTP/1.1\r\ntransfer-encoding: Chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n",
        ];
        for bytes in malformed {
            // Nothing more is waited for.
            let (mut open, mut from) = tokio::io::duplex(1024);
            tokio::io::AsyncWriteExt::write_all(&mut open, bytes).await.unwrap();
            let read = read(&mut from, HEADER_TIMEOUT).await;
            assert!(
                matches!(read, Opening::Unreadable(Fault::Malformed(_))),
                "{read:?} {}",
                bytes.escape_ascii()
            );
        }
        let long = [b"GET /", "x".repeat(MAX_HEAD).as_bytes()].concat();
        assert_eq!(opening(&long).await, Opening::Unreadable(Fault::UriTooLong));
        let head = |end: &str| format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n{end}", "x".repeat(MAX_HEAD - 23));
        assert_eq!(head("").len(), MAX_HEAD);
        assert!(matches!(opening(head("body").as_bytes()).await, Opening::Readable(_)));
        let longer = head("").replace("x:", "xx:");
        assert_eq!(opening(longer.as_bytes()).await, Opening::Unreadable(Fault::HeadTooLarge));
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(MAX_HEADERS + 1));
        assert_eq!(opening(many.as_bytes()).await, Opening::Unreadable(Fault::HeadTooLarge));
    }

    #[tokio::test]
    async fn who_is_too_slow_is_told_so_unless_it_sends_alerts() {
        let slow = async |sent: &[u8]| {
            let (mut open, mut from) = tokio::io::duplex(1024);
            tokio::io::AsyncWriteExt::write_all(&mut open, sent).await.unwrap();
            read(&mut from, Duration::from_millis(1)).await
        };
        assert_eq!(slow(b"GET /api/v1/incidents HTTP").await, Opening::Unreadable(Fault::TooSlow));
        assert_eq!(slow(b"POST /webhooks/grafana HTTP").await, Opening::Gone);
        assert_eq!(slow(b"").await, Opening::Gone);
    }
}
