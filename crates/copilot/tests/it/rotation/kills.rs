//! A rotation that dies at any step: the next start works, and the next rotation ends it.

use std::os::unix::process::ExitStatusExt as _;

use super::stage::Stage;
use super::{BOTH, HURRY, ONLY_NEW, ONLY_OLD, UNLIMITED, Variable};
use super::{does_not_start, on_postgres, rotate, rotate_in_traffic};
use crate::operator::done;
use crate::process::Process;
use crate::world::Home;

/// Rotates, and dies of `fault`.
async fn dies(home: &Home, variables: &[Variable], fault: &'static str) {
    let variables = [variables, &[("SRE_COPILOT_FAULT", fault)]].concat();
    let output = rotate(home, &variables).await;
    assert_eq!(output.status.signal(), Some(9), "{fault}: {output:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_that_is_cut_short_goes_on() {
    let home = Home::new().await;
    let mut process = Process::start_with(&home, &ONLY_OLD).await;
    let stage = Stage::new(&process.base).await;
    process.kill();
    for fault in ["rotate.in_use=kill", "rotate.value=kill@1", "rotate.value=kill@4", "rotate.sealed=kill"] {
        dies(&home, &BOTH, fault).await;
        let why = does_not_start(&home, &ONLY_NEW).await;
        assert!(why.contains("values are still sealed with the previous one"), "{fault}: {why}");
        assert_eq!(why.contains("and 0 values"), fault == "rotate.sealed=kill", "{fault}: {why}");
        let why = does_not_start(&home, &ONLY_OLD).await;
        assert!(why.contains("in use with another master key"), "{fault}: {why}");
        process = Process::start_with(&home, &BOTH).await;
        stage.works(&process.base).await;
        process.kill();
    }
    done(&rotate(&home, &BOTH).await);
    process = Process::start_with(&home, &ONLY_NEW).await;
    stage.works(&process.base).await;
    assert_eq!(stage.rotations(&process.base).await, 1, "one entry of the audit log");
}

/// On SQLite the server looks after its key, and one command changes it.
#[tokio::test(flavor = "multi_thread")]
async fn a_generated_key_is_changed_by_one_command() {
    if on_postgres() {
        return;
    }
    let home = Home::new().await;
    let settings = [HURRY, UNLIMITED];
    let mut process = Process::start_with(&home, &settings).await;
    let stage = Stage::new(&process.base).await;
    let file = |name: &str| std::fs::read_to_string(home.folder.path().join("data").join(name)).ok();
    let first = file("master.key").unwrap();
    for fault in ["rotate.made=kill", "rotate.in_use=kill", "rotate.value=kill@2", "rotate.ended=kill"] {
        dies(&home, &settings, fault).await;
        stage.works(&process.base).await;
        process.kill();
        process = Process::start_with(&home, &settings).await;
        stage.works(&process.base).await;
    }
    let next = file("master.key.next").unwrap();
    assert_eq!(file("master.key").as_ref(), Some(&first), "it is replaced at the very end");
    done(&rotate(&home, &settings).await);
    assert_eq!((file("master.key"), file("master.key.next")), (Some(next.clone()), None));
    process.kill();
    process = Process::start_with(&home, &settings).await;
    stage.works(&process.base).await;
    let told = rotate_in_traffic(&home, &settings, &stage, &[&process.base]).await;
    assert!(told.contains("1 running processes use the new master key"), "{told}");
    assert!(file("master.key").unwrap() != next && file("master.key.next").is_none());
    process.kill();
    process = Process::start_with(&home, &settings).await;
    stage.works(&process.base).await;
    assert_eq!(stage.rotations(&process.base).await, 2);
}
