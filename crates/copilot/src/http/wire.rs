//! A client's connection, as the server library reads and writes it.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

/// How long a client that was answered may go on sending. What a closed socket is sent is answered by a reset, on which the client
/// forgets the answer that it has not read yet: one that sends a large body, and is refused by its head, would not learn why.
const AFTERMATH: Duration = Duration::from_secs(3);

/// How much of what is thrown away is read at once, in bytes.
const SCRAP: usize = 8 * 1024;

/// A connection, some of whose bytes were read already.
pub struct Wire {
    begun: Bytes,
    stream: TcpStream,
    /// When whoever is still sending is left alone, from the end of the last answer on.
    aftermath: Option<Pin<Box<Sleep>>>,
}

impl Wire {
    /// `stream`, of which `begun` was read.
    pub fn new(begun: Bytes, stream: TcpStream) -> Self {
        Self { begun, stream, aftermath: None }
    }

    /// Ready when the client is done.
    fn poll_quiet(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut scrap = [0; SCRAP];
        let left = self.aftermath.get_or_insert_with(|| Box::pin(tokio::time::sleep(AFTERMATH)));
        if left.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        loop {
            let mut read = ReadBuf::new(&mut scrap);
            match ready!(Pin::new(&mut self.stream).poll_read(context, &mut read)) {
                Ok(()) if !read.filled().is_empty() => {}
                _ => return Poll::Ready(()),
            }
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.begun.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, to);
        }
        let length = self.begun.len().min(to.remaining());
        to.put_slice(self.begun.get(..length).unwrap_or_default());
        self.begun.advance(length);
        if self.begun.is_empty() {
            // The memory is held for as long as anything refers to it.
            self.begun = Bytes::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.aftermath.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
        }
        self.poll_quiet(context).map(Ok)
    }
}
