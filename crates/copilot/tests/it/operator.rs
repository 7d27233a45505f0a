//! What an operator does at the command line, with the real binary.

use std::os::unix::fs::PermissionsExt;
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::process::Process;
use crate::world::{Home, PASSWORD, client};

const ANOTHER: &str = "granite parasol eleven walnut";

/// Longer than any of these commands takes; one that goes on is not what was asked for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a command of the program on the database of `home`.
pub async fn run(home: &Home, arguments: &[&str], variables: &[(&str, &str)], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sre-copilot"));
    command.args(arguments).env_clear().env("SRE_COPILOT_DATA_DIR", home.folder.path().join("data"));
    command.env("DATABASE_URL", home.database.url());
    command.env("SRE_COPILOT_MASTER_KEY", home.database.master_key()).envs(variables.iter().copied());
    // A test of a broken product is run anew with this set.
    command.envs(std::env::var(outbox::sabotage::BROKEN).map(|ways| (outbox::sabotage::BROKEN, ways)));
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.kill_on_drop(true).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).await.unwrap();
    tokio::time::timeout(PATIENCE, child.wait_with_output()).await.expect("it goes on and on").unwrap()
}

#[track_caller]
pub fn done(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[track_caller]
pub fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr.clone()).unwrap()
}

pub const CREATE: [&str; 8] =
    ["user", "create", "--email", "ana@shop.example", "--name", "Ana Lee", "--tenant", "Shop"];

#[tokio::test]
async fn who_forgot_a_password_is_given_another() {
    let home = Home::new().await;
    done(&run(&home, &CREATE, &[], PASSWORD).await);
    let listed: Value = serde_json::from_str(&done(&run(&home, &["user", "list"], &[], "").await)).unwrap();
    assert_eq!(
        json!([listed["email"], listed["tenant"], listed["projects"][0]["role"], listed["disabled"]]),
        json!(["ana@shop.example", "Shop", "owner", false])
    );
    let process = Process::start(&home).await;
    let login = format!("{}/api/v1/auth/login", process.base);
    let enter = async |password: &str| {
        let body = json!({"email": "ana@shop.example", "password": password});
        client().post(&login).json(&body).send().await.unwrap()
    };
    let session = enter(PASSWORD).await;
    assert_eq!(session.status(), 200);
    let cookie = session.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let told = refused(&run(&home, &["user", "reset-password", "ana@shop.example"], &[], "short").await);
    assert!(told.contains("password"), "{told}");
    let told = done(&run(&home, &["user", "reset-password", "Ana@shop.example"], &[], ANOTHER).await);
    assert!(told.contains("1 sessions were ended"), "{told}");
    assert_eq!(
        (enter(PASSWORD).await.status(), enter(ANOTHER).await.status()),
        (401.try_into().unwrap(), 200.try_into().unwrap())
    );
    let me = client().get(format!("{}/api/v1/auth/me", process.base)).header("cookie", cookie);
    assert_eq!(me.send().await.unwrap().status(), 401);
    let healthy = format!("{}/-/healthy", process.base);
    done(&run(&home, &["health", &healthy], &[], "").await);
    let told = refused(&run(&home, &["health", &format!("{}/api/v1/auth/me", process.base)], &[], "").await);
    assert!(told.contains("401"), "{told}");
}

#[tokio::test]
async fn another_master_key_than_the_first_is_refused_until_that_is_forgotten() {
    let home = Home::new().await;
    done(&run(&home, &CREATE, &[], PASSWORD).await);
    let another = [("SRE_COPILOT_MASTER_KEY", "3q2+7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs=")];
    let second = ["user", "create", "--email", "b@shop.example", "--name", "Bo Ek", "--tenant", "Shop"];
    let told = refused(&run(&home, &second, &another, PASSWORD).await);
    assert!(told.contains("in use with another master key"), "{told}");
    done(&run(&home, &["master-key", "forget"], &[], "").await);
    done(&run(&home, &second, &another, PASSWORD).await);
}

#[tokio::test]
async fn a_file_without_its_master_key_is_given_no_new_one() {
    let home = Home::new().await;
    let none = [("SRE_COPILOT_MASTER_KEY", ""), ("DATABASE_URL", "")];
    let data = home.folder.path().join("data");
    std::fs::create_dir_all(&data).unwrap();
    std::fs::set_permissions(&data, PermissionsExt::from_mode(0o755)).unwrap();
    done(&run(&home, &CREATE, &none, PASSWORD).await);
    let mode = |name: &str| std::fs::metadata(data.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("sre-copilot.db"), mode("master.key")), (0o600, 0o600));
    std::fs::remove_file(data.join("master.key")).unwrap();
    let told = refused(&run(&home, &["serve"], &none, "").await);
    assert!(told.contains("master.key is missing"), "{told}");
    assert!(!data.join("master.key").exists());
}

#[tokio::test]
async fn a_command_that_reads_makes_no_database() {
    let home = Home::new().await;
    let elsewhere = [("DATABASE_URL", "")];
    for command in [
        &["audit", "verify"][..],
        &["user", "list"],
        &["token", "create", "--email", "a@b.example", "--name", "x"],
    ] {
        let told = refused(&run(&home, command, &elsewhere, "").await);
        assert!(
            told.contains("nothing was set up in the database") && told.contains("sre-copilot.db"),
            "{told}"
        );
    }
    assert!(!home.folder.path().join("data").exists());
}

/// What a process listens on that shall be in nobody's way.
pub const ANYWHERE: [(&str, &str); 6] = [
    ("SRE_COPILOT_GATEWAY_LISTEN", "127.0.0.1:0"),
    ("SRE_COPILOT_AUTH_LISTEN", "127.0.0.1:0"),
    ("SRE_COPILOT_INCIDENT_LISTEN", "127.0.0.1:0"),
    ("SRE_COPILOT_AI_LISTEN", "127.0.0.1:0"),
    ("SRE_COPILOT_INTEGRATION_LISTEN", "127.0.0.1:0"),
    ("SRE_COPILOT_WEBSOCKET_LISTEN", "127.0.0.1:0"),
];

#[tokio::test]
async fn a_second_process_on_one_sqlite_file_ends_with_the_reason() {
    let home = Home::new().await;
    if !home.database.url().is_empty() {
        return;
    }
    let mut first = Process::start(&home).await;
    let why = refused(&run(&home, &["serve"], &ANYWHERE, "").await);
    let folder = home.folder.path().join("data").display().to_string();
    assert!(why.contains(&format!("another process already serves from {folder}")), "{why}");
    done(&run(&home, &CREATE, &[], PASSWORD).await);
    done(&run(&home, &["user", "list"], &[], "").await);
    // That of a process that crashed keeps nobody out.
    first.kill();
    Process::start(&home).await;
}

#[tokio::test]
async fn a_database_that_nobody_answers_for_is_waited_for() {
    let home = Home::new().await;
    let mut variables = ANYWHERE.to_vec();
    variables.extend([("DATABASE_URL", "postgres://x@127.0.0.1:1/x"), ("SRE_COPILOT_DATABASE_WAIT_S", "3")]);
    let begun = std::time::Instant::now();
    let why = refused(&run(&home, &["serve"], &variables, "").await);
    assert!(begun.elapsed() >= Duration::from_secs(3), "{:?}", begun.elapsed());
    assert_eq!(why.matches("waiting for the database").count(), 2, "{why}");
    assert!(why.contains("x of PostgreSQL at 127.0.0.1:1"), "{why}");
    variables.push(("SRE_COPILOT_DATABASE_WAIT_S", "0"));
    let why = refused(&run(&home, &["serve"], &variables, "").await);
    assert!(!why.contains("waiting for the database"), "{why}");
}
