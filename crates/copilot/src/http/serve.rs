//! The connections of a listener, from the first to the last answer.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, StatusCode, Version, header};
use axum::response::Response;
use bytes::Bytes;
use futures_util::FutureExt as _;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::opening::{self, Fault, Opening};
use super::wire::Wire;

/// What is read in the place of a request that can't be, so that its refusal is answered, logged and counted as others are.
const INSTEAD: &[u8] = b"GET /unreadable HTTP/1.1\r\nhost: unreadable\r\nconnection: close\r\n\r\n";

/// The longest headers of a request of HTTP/2, in bytes.
const HTTP2_HEADERS: u32 = 64 * 1024;

/// How long connections are still accepted and read after the stop was asked for. A proxy that keeps connections may have sent
/// a request already, and one that is not read is lost: nginx answers 502, as it can't know that nothing was done.
const LINGER: Duration = Duration::from_millis(200);

/// How long running requests may take after the stop was asked for.
const DRAIN: Duration = Duration::from_secs(15);

/// Answers requests on `listener` until `stop`, then lets the running ones finish. Whatever is sent within [`LINGER`] is answered
/// as well, and told not to come back on the same connection.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let mut connections = tokio::task::JoinSet::new();
    let mut leave = pin!(lingered(&stop));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut leave => break,
        };
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, peer)) => {
                connections.spawn(connection(stream, peer, router.clone(), stop.clone()));
            }
            Err(error) => {
                // Out of file descriptors, mostly: wait for some to be given back.
                tracing::warn!(error = error.to_string(), "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    // Who is in the queue has connected as well.
    while let Some(Ok((stream, peer))) = listener.accept().now_or_never() {
        connections.spawn(connection(stream, peer, router.clone(), stop.clone()));
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(DRAIN, ended).await;
    connections.shutdown().await;
}

/// Returns when who is to stop has been told, and what was on its way has had time to arrive.
async fn lingered(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(LINGER).await;
}

async fn connection(mut stream: TcpStream, peer: SocketAddr, router: Router, stop: CancellationToken) {
    // A connection that sends nothing would wait for ever before the header timer starts.
    let opening = tokio::select! {
        opening = opening::read(&mut stream, opening::HEADER_TIMEOUT) => opening,
        () = lingered(&stop) => Opening::Gone,
    };
    let (begun, fault) = match opening {
        Opening::Readable(begun) => (begun, None),
        Opening::Unreadable(fault) => (Bytes::from_static(INSTEAD), Some(fault)),
        Opening::Gone => return,
    };
    let _ = stream.set_nodelay(true);
    let service = hyper::service::service_fn(|request| answer(request, router.clone(), peer, fault, &stop));
    let builder = builder();
    let wire = TokioIo::new(Wire::new(begun, stream));
    let mut served = pin!(builder.serve_connection_with_upgrades(wire, service));
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = lingered(&stop) => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error, "a connection ended early");
    }
}

fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // To set how many headers there may be, even to what it is, takes them from the heap at every request.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(opening::HEADER_TIMEOUT);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(20))
        .max_concurrent_streams(256)
        .max_header_list_size(HTTP2_HEADERS);
    builder
}

fn answer(
    request: hyper::Request<hyper::body::Incoming>,
    router: Router,
    peer: SocketAddr,
    fault: Option<Fault>,
    stop: &CancellationToken,
) -> impl Future<Output = Result<Response, Infallible>> + use<> {
    let stop = stop.clone();
    async move {
        let version = request.version();
        let mut request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        if let Some(fault) = fault {
            request.extensions_mut().insert(fault);
        }
        let mut answer = router.oneshot(request).await?;
        if (stop.is_cancelled() || fault.is_some())
            && version < Version::HTTP_2
            && answer.status() != StatusCode::SWITCHING_PROTOCOLS
        {
            answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream as Client;

    use axum::routing::get;

    use super::*;

    const CLIENTS: usize = 20;
    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

    /// Everything that the server still says to a client.
    async fn said(mut client: Client) -> String {
        let read = move || {
            let mut said = String::new();
            client.read_to_string(&mut said).map(|_| said)
        };
        tokio::task::spawn_blocking(read).await.unwrap().unwrap_or_else(|error| error.to_string())
    }

    /// A server, and clients that have just sent a request which it can't have read yet, when it is told to stop: on this one
    /// thread, nobody else runs meanwhile. With `kept`, each has had an answer on its connection before.
    async fn stopped_with_requests_on_their_way(kept: bool) -> Vec<String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let router = Router::new().route("/", get(async || "here"));
        let server = tokio_util::task::TaskTracker::new().spawn(serve(listener, router, stop.clone()));
        let mut clients: Vec<Client> = (0..CLIENTS).map(|_| Client::connect(address).unwrap()).collect();
        if kept {
            for client in &mut clients {
                client.write_all(REQUEST).unwrap();
            }
            for client in &clients {
                let mut client = client.try_clone().unwrap();
                let answered = tokio::task::spawn_blocking(move || client.read(&mut [0; 1024]));
                assert!(answered.await.unwrap().unwrap() > 0);
            }
        }
        for client in &mut clients {
            client.write_all(REQUEST).unwrap();
        }
        stop.cancel();
        let mut heard = Vec::new();
        for client in clients {
            heard.push(said(client).await);
        }
        server.await.unwrap();
        heard
    }

    fn each_is_answered_and_told_to_go(heard: &[String]) {
        for said in heard {
            assert!(
                said.starts_with("HTTP/1.1 200") && said.contains("connection: close"),
                "{said:?} of {heard:?}"
            );
        }
    }

    #[tokio::test]
    async fn who_has_connected_before_the_stop_is_answered() {
        each_is_answered_and_told_to_go(&stopped_with_requests_on_their_way(false).await);
    }

    #[tokio::test]
    async fn what_was_sent_before_the_stop_on_a_connection_that_is_kept_is_answered() {
        each_is_answered_and_told_to_go(&stopped_with_requests_on_their_way(true).await);
    }
}
