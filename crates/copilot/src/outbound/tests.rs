use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

fn door(private: bool, allow: &str) -> Outbound {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = Config { public_url: "https://sre.example:8443".to_owned(), ..Config::defaults().unwrap() };
    Outbound { private, allow: allow.parse().unwrap(), own: Own::of(&config) }
}

#[tokio::test]
async fn the_product_does_not_ask_itself() {
    for (url, own) in [
        ("http://127.0.0.1:8504/webhooks/alertmanager", true),
        ("http://localhost:8500", true),
        ("http://[::1]:8500", true),
        ("https://sre.example:8443/x", true),
        ("http://127.0.0.1:9090", false),
        ("http://10.0.0.1:8500", false),
    ] {
        assert_eq!(door(true, "").check(url).await.is_err_and(|why| why == own::SELF), own, "{url}");
    }
}

/// Class XF: each address while anybody may register; none of these names needs a resolver.
const REFUSED: &[&str] = &[
    "http://127.0.0.1/",
    "http://127.0.0.1:9090",
    "http://127.0.0.1:6379",
    "http://127.1",
    "http://127.0.1",
    "http://127.255.255.254",
    "http://2130706433",
    "http://0x7f000001",
    "http://017700000001",
    "http://0x7f.1",
    "http://127.0x1",
    "http://0/",
    "http://0.0.0.0",
    "http://0x0",
    "http://[::1]",
    "http://[::]",
    "http://[0:0:0:0:0:0:0:1]",
    "http://[::ffff:127.0.0.1]",
    "http://[::ffff:7f00:1]",
    "http://[::127.0.0.1]",
    "http://[64:ff9b::7f00:1]",
    "http://[64:ff9b:1::1]",
    "http://[fe80::1%25eth0]",
    "http://[fe80::1]",
    "http://[fc00::1]",
    "http://[fd00:ec2::254]",
    "http://10.0.0.1",
    "http://172.16.0.1",
    "http://172.31.255.255",
    "http://192.168.0.1",
    "http://169.254.169.254/latest",
    "http://100.64.0.1",
    "http://100.127.255.255",
    "http://192.0.0.1",
    "http://192.0.2.1",
    "http://192.88.99.1",
    "http://198.18.0.1",
    "http://198.51.100.1",
    "http://203.0.113.1",
    "http://224.0.0.1",
    "http://240.0.0.1",
    "http://255.255.255.255",
    "http://[ff02::1]",
    "http://[100::1]",
    "http://[2001:db8::1]",
    "http://[2001::1]",
    "http://[2002:7f00:1::]",
    "http://[3fff::1]",
    "http://[5f00::1]",
    "javascript:alert(1)",
    "data:text/html,x",
    "blob:http://e.com/x",
    "about:blank",
    "file:///etc/passwd",
    "gopher://e.com/",
    "http://user:pass@9.9.9.9/",
    "http://9.9.9.9#@127.0.0.1/",
    "http://9.9.9.9\\@127.0.0.1/",
    "http://127.0.0.1%00.9.9.9.9/",
    "http://9.9.9.9%2f/",
    "http://9.9.9.9%40x/",
    "http://①②⑦.⓪.⓪.①",
    "http://127。0。0。1",
    "http://xn--\u{fffd}/",
    "http://a b/",
    "http://a\tb/",
    "http://a\rb/",
    "http://a\nb/",
    "http://a_b/",
    "http://9.9.9.9:0",
    "http://9.9.9.9:65536",
    "http://9.9.9.9:-1",
    "http://9.9.9.9:22",
    "http://9.9.9.9:25",
    "http://9.9.9.9:6379",
    "http://9.9.9.9:80:80/",
    "http://[::1",
    "http://",
    "https://",
    "",
    "http:9.9.9.9",
    "http://9.9.9.9/?x=1",
    "http://a..b/",
];

const ALLOWED: &[&str] = &[
    "http://9.9.9.9",
    "https://9.9.9.9:443/prometheus",
    "http://172.15.0.1",
    "http://172.32.0.1:9090",
    "http://100.128.0.1:3000",
    "http://[2606:4700::1111]:9090/",
    "HTTPS://9.9.9.9/..%2f..%2finternal",
    "https://9.9.9.9/%0d%0aHost:%20x",
];

#[tokio::test]
async fn class_xf_is_judged_as_the_table_says() {
    let door = door(false, "");
    for text in REFUSED {
        assert!(door.check(text).await.is_err(), "{text:?} was accepted");
        let opened = door.open(text, None).await;
        assert!(matches!(opened, Err(Failure::Refused(_))), "{text:?} was opened");
    }
    for text in ALLOWED {
        assert!(door.check(text).await.is_ok(), "{text:?}: {:?}", door.check(text).await);
    }
    for long in [format!("http://{}/", "a".repeat(64)), format!("http://9.9.9.9/{}", "a".repeat(10_000))] {
        assert!(door.check(&long).await.is_err(), "{long:.20}");
    }
}

#[tokio::test]
async fn one_organisation_may_ask_its_own_network_but_never_metadata() {
    let door = door(true, "169.254.0.0/16:*");
    for text in ["http://127.0.0.1:45123", "http://10.1.2.3:9090", "http://[fd12::1]:1", "http://169.254.1.1"]
    {
        assert!(door.check(text).await.is_ok(), "{text}");
    }
    for text in
        ["http://169.254.169.254", "http://[fd00:ec2::254]", "http://0.0.0.0", "http://[::ffff:a9fe:a9fe]"]
    {
        assert!(door.check(text).await.is_err(), "{text}");
    }
}

#[tokio::test]
async fn the_operators_list_opens_networks_and_ports() {
    let door = door(false, "10.0.0.0/8:9090, 127.0.0.0/8:*, [fd12::]/16:443,9.9.9.9/32:8443");
    for (text, allowed) in [
        ("http://10.255.0.1:9090", true),
        ("http://10.255.0.1:9091", false),
        ("http://11.0.0.1:9090", true),
        ("http://11.0.0.1:9091", false),
        ("http://127.3.2.1:6379", true),
        ("https://[fd12:3::1]", true),
        ("http://[fd13::1]", false),
        ("http://[::ffff:127.0.0.1]:1234", true),
        ("https://9.9.9.9:8443", true),
        ("http://192.168.0.1:9090", false),
    ] {
        assert_eq!(door.check(text).await.is_ok(), allowed, "{text}");
    }
    for wrong in ["10.0.0.0:9090", "10.0.0.0/33:*", "10.0.0.0/8", "x/8:1", "10.0.0.0/8:http"] {
        assert!(wrong.parse::<Allow>().is_err(), "{wrong}");
    }
}

#[test]
fn every_address_of_a_name_counts() {
    let door = door(false, "");
    let mixed: Vec<SocketAddr> = vec!["9.9.9.9:80".parse().unwrap(), "[::1]:80".parse().unwrap()];
    assert!(matches!(door.judge(&mixed), Err(Failure::Refused(_))));
    assert!(matches!(door.judge(&[]), Err(Failure::Unresolved)));
}

#[tokio::test]
async fn localhost_by_name_is_a_private_address() {
    let closed = door(false, "");
    for text in
        ["http://localhost:9090", "http://LOCALHOST:9090", "http://localhost.:9090", "http://foo.localhost"]
    {
        assert!(closed.check(text).await.is_err(), "{text}");
    }
}

/// Answers one connection with `answer` and returns what was asked.
async fn once(answer: Vec<u8>) -> (String, impl Future<Output = String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let served = async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = vec![0; 4096];
        let read = stream.read(&mut asked).await.unwrap();
        let _ = stream.write_all(&answer).await;
        drop(stream);
        String::from_utf8_lossy(&asked[..read]).into_owned()
    };
    (base, served)
}

#[tokio::test]
async fn redirects_are_answers_and_credentials_travel_once() {
    let redirect = b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\nset-cookie: a=b\r\ncontent-length: 0\r\n\r\n";
    let (base, served) = once(redirect.to_vec()).await;
    let token = Credentials::Bearer { token: "t0p".to_owned() };
    let target = door(true, "").open(&format!("{base}/prom"), Some(&token)).await.unwrap();
    let query = [("query", "up{a=\"b\"}".to_owned())];
    let (answer, asked) = tokio::join!(target.get("/api/v1/query", &query, 100), served);
    assert_eq!(answer.unwrap().status, 302);
    assert!(asked.starts_with("GET /prom/api/v1/query?query=up%7Ba%3D%22b%22%7D HTTP/1.1"), "{asked}");
    assert!(asked.contains("authorization: Bearer t0p"), "{asked}");
    assert_eq!(format!("{token:?}"), "Bearer(hidden)");
}

#[tokio::test]
async fn an_endless_answer_is_cut() {
    let mut endless = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    endless.resize(70_000, b'x');
    let (base, served) = once(endless).await;
    let target = door(true, "").open(&base, None).await.unwrap();
    let form = [("a", "b c".to_owned())];
    let (answer, _) = tokio::join!(target.post_form("api/v1/query", &form, 65_536), served);
    assert!(matches!(answer, Err(Failure::TooLarge)));
}
