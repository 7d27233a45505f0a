//! The master key is changed while everything runs, with the real binary.

mod kills;
mod stage;

use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::operator::{ANYWHERE, CREATE, done, refused, run};
use crate::process::Process;
use crate::world::{Home, PASSWORD};
use stage::Stage;

/// A variable of a process.
type Variable = (&'static str, &'static str);

const OLD: &str = "Qm1xN2dZc0tVd2p5RTR0aFZiTHpBcDhGUjNvQ2lYMlE=";
const NEW: &str = "n4Jw0yTqD1rXbVgU6hKzE8sMcP2oLfA7iYtRxQeSvBk=";
const THIRD: &str = "8tHfWz3LqP6vXc1RbYk9JmGdN0sUeA4oTiQxVnBwCgE=";

/// What takes its time takes a tenth of it.
const HURRY: Variable = ("SRE_COPILOT_HURRY", "10");
const UNLIMITED: Variable = ("SRE_COPILOT_API_REQUESTS_PER_MINUTE", "0");

const ONLY_OLD: [Variable; 3] = [HURRY, UNLIMITED, ("SRE_COPILOT_MASTER_KEY", OLD)];
const ONLY_NEW: [Variable; 3] = [HURRY, UNLIMITED, ("SRE_COPILOT_MASTER_KEY", NEW)];
const BOTH: [Variable; 4] =
    [HURRY, UNLIMITED, ("SRE_COPILOT_MASTER_KEY", NEW), ("SRE_COPILOT_MASTER_KEY_PREVIOUS", OLD)];

async fn rotate(home: &Home, variables: &[Variable]) -> Output {
    run(home, &["master-key", "rotate"], variables, "").await
}

/// Why `serve` does not start with these variables.
async fn does_not_start(home: &Home, variables: &[Variable]) -> String {
    let variables = [&ANYWHERE[..], variables].concat();
    refused(&run(home, &["serve"], &variables, "").await)
}

/// Rotates while requests run, and says what the command said; none of them may fail.
async fn rotate_in_traffic(home: &Home, variables: &[Variable], stage: &Stage, bases: &[&str]) -> String {
    let over = AtomicBool::new(false);
    let command = async {
        let output = rotate(home, variables).await;
        over.store(true, Ordering::SeqCst);
        output
    };
    let traffic = async {
        let mut rounds = 0;
        while !over.load(Ordering::SeqCst) {
            for base in bases {
                stage.works(base).await;
            }
            rounds += 1;
        }
        rounds
    };
    let hooks = async {
        while !over.load(Ordering::SeqCst) {
            for base in bases {
                stage.sends(base).await;
            }
        }
    };
    let (output, rounds, ()) = tokio::join!(command, traffic, hooks);
    assert!(rounds >= 2, "the command was over before anybody asked for anything");
    done(&output)
}

fn on_postgres() -> bool {
    std::env::var_os("SRE_COPILOT_TEST_DATABASE_URL").is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_notices_that_the_key_is_changed() {
    let home = Home::new().await;
    let mut first = Process::start_with(&home, &ONLY_OLD).await;
    // On PostgreSQL there are two processes, which are never replaced together.
    let mut second = if on_postgres() { Some(Process::start_with(&home, &ONLY_OLD).await) } else { None };
    let stage = Stage::new(&first.base).await;
    let told = refused(&rotate(&home, &BOTH).await);
    assert!(told.contains("running processes do not have the new master key yet"), "{told}");
    first.terminate().await;
    first = Process::start_with(&home, &BOTH).await;
    if let Some(behind) = &mut second {
        for (one, other) in [(&first.base, &behind.base), (&behind.base, &first.base)] {
            stage.works(one).await;
            let made = stage.channel(one).await;
            stage.tells(other, &made).await;
        }
        let told = refused(&rotate(&home, &BOTH).await);
        assert!(told.contains("1 of 2 running processes do not have the new master key yet"), "{told}");
        behind.terminate().await;
        *behind = Process::start_with(&home, &BOTH).await;
    }
    let bases: Vec<&str> =
        [Some(&first), second.as_ref()].into_iter().flatten().map(|one| &*one.base).collect();
    let told = rotate_in_traffic(&home, &BOTH, &stage, &bases).await;
    let count: u64 = told.split(' ').next().unwrap().parse().unwrap();
    assert!(count >= 6 && told.contains(&format!("{} running processes use the new", bases.len())), "{told}");
    let told = done(&rotate(&home, &BOTH).await);
    assert!(told.starts_with("0 values were sealed anew"), "{told}");
    first.terminate().await;
    let why = does_not_start(&home, &ONLY_OLD).await;
    assert!(why.contains("in use with another master key"), "{why}");
    first = Process::start_with(&home, &ONLY_NEW).await;
    stage.works(&first.base).await;
    if let Some(other) = &mut second {
        stage.works(&other.base).await;
        other.terminate().await;
    }
    assert_eq!(stage.rotations(&first.base).await, 1, "one entry of the audit log");
}

#[tokio::test]
async fn keys_in_the_wrong_order_are_refused() {
    let home = Home::new().await;
    done(&run(&home, &CREATE, &ONLY_OLD, PASSWORD).await);
    let people = async |variables: &[Variable]| run(&home, &BO, variables, PASSWORD).await;
    let told = refused(&people(&ONLY_NEW).await);
    assert!(told.contains("in use with another master key"), "{told}");
    let told = refused(&rotate(&home, &ONLY_OLD).await);
    assert!(told.contains("there is no other key to change to"), "{told}");
    let alone = [("SRE_COPILOT_MASTER_KEY", ""), ("SRE_COPILOT_MASTER_KEY_PREVIOUS", OLD)];
    let told = refused(&rotate(&home, &alone).await);
    assert!(told.contains("master_key_previous is set and master_key is not"), "{told}");
    let others = [HURRY, ("SRE_COPILOT_MASTER_KEY", NEW), ("SRE_COPILOT_MASTER_KEY_PREVIOUS", THIRD)];
    let told = refused(&rotate(&home, &others).await);
    assert!(told.contains("in use with another master key than these two"), "{told}");
    done(&people(&BOTH).await);
    let shown = done(&run(&home, &["config", "show"], &BOTH, "").await);
    assert!(shown.lines().any(|line| line.starts_with("master_key_previous") && line.contains("(hidden)")));
    assert!(!shown.contains(OLD) && !shown.contains(NEW), "{shown}");
    let told = done(&rotate(&home, &BOTH).await);
    assert!(told.starts_with("0 values were sealed anew; 0 running processes"), "{told}");
    let told = refused(&people(&ONLY_OLD).await);
    assert!(told.contains("in use with another master key"), "{told}");
    // Back, as long as there is the old one.
    let back = [HURRY, ("SRE_COPILOT_MASTER_KEY", OLD), ("SRE_COPILOT_MASTER_KEY_PREVIOUS", NEW)];
    done(&rotate(&home, &back).await);
    let told = refused(&people(&ONLY_NEW).await);
    assert!(told.contains("in use with another master key"), "{told}");
}

const BO: [&str; 8] = ["user", "create", "--email", "b@shop.example", "--name", "Bo Ek", "--tenant", "Shop"];

/// Somebody puts what was sealed for one channel into another, before the key is changed.
#[tokio::test]
async fn what_was_swapped_stays_useless() {
    let home = Home::new().await;
    let mut process = Process::start_with(&home, &ONLY_OLD).await;
    let stage = Stage::new(&process.base).await;
    let other = stage.channel(&process.base).await;
    process.terminate().await;
    stage::as_owner(
        &home,
        &format!(
            "update notification_channels set target = (select target from notification_channels where name = 'on-call')
             where name = '{other}'"
        ),
    )
    .await;
    let told = done(&rotate(&home, &BOTH).await);
    assert!(told.starts_with("notification_channels.target of "), "{told}");
    assert!(
        told.lines().next().unwrap().ends_with(" can't be opened with either key, and was left."),
        "{told}"
    );
    let process = Process::start_with(&home, &BOTH).await;
    stage.works(&process.base).await;
    let told = stage.trial(&process.base, &other).await;
    assert_eq!(told["ok"], false, "{told}");
    drop(process);
    let log = tempfile::NamedTempFile::new().unwrap();
    let file = log.reopen().unwrap().into();
    let process = Process::start_logging(&home, &ONLY_NEW, file).await;
    stage.tells(&process.base, "on-call").await;
    let said = std::fs::read_to_string(log.path()).unwrap();
    assert!(said.contains("values are sealed with a master key that is not here"), "{said}");
    assert!(said.contains("\"strays\":1"), "{said}");
}
