//! A request with an `Idempotency-Key` whose client hangs up.

use std::time::Instant;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::world::{World, read};

/// Requests that are hung up on.
const REQUESTS: u32 = 60;

/// Sends a request for an incident; what it is answered is not read yet.
async fn ask(world: &World, key: u32) -> TcpStream {
    let (address, body) = (world.base.trim_start_matches("http://"), json!({"title": "slow"}).to_string());
    let head = format!(
        "POST /api/v1/incidents HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\n\
         idempotency-key: {key}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        world.key,
        body.len()
    );
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(head.as_bytes()).await.unwrap();
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_hangs_up_and_asks_again_has_it_done_once() {
    let world = World::new().await;
    let begun = Instant::now();
    ask(&world, REQUESTS).await.read_u8().await.unwrap();
    let whole = begun.elapsed();
    for key in 0..REQUESTS {
        let mut client = ask(&world, key).await;
        // Some hang up before anything is done and some after all of it; what counts is in between.
        let _ = tokio::time::timeout(whole * key / REQUESTS, client.read_u8()).await;
    }
    world.clock.advance(62.0);
    for key in 0..REQUESTS {
        let again = world.http.post(format!("{}/api/v1/incidents", world.base)).bearer_auth(&world.key);
        let again = again.header("idempotency-key", key.to_string()).json(&json!({"title": "slow"}));
        read(again.send().await.unwrap()).await.expect(201);
    }
    assert_eq!(world.incidents().await.len(), REQUESTS as usize + 1);
    world.end().await;
}
