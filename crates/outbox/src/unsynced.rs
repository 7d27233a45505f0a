//! Ends the process when the disk did not keep what was written.
//!
//! Linux tells of a failed fsync once and then takes what it could not write for written, so an fsync that succeeds later
//! proves nothing (Rebello et al., *Can Applications Recover from fsync Failures?*, USENIX ATC 2020). A process that starts
//! anew reads what is there and checks it. A full disk is something else: it refuses before anything is lost, and passes.

use std::fmt::Display;
use std::io;

use sqlx::sqlite::SqliteError;

use crate::sabotage;

/// The status a process ends with then: `EX_IOERR` of sysexits(3).
const STATUS: i32 = 74;

/// Extended result codes of SQLite: a file, or the folder that names it, could not be synced.
const SQLITE: [&str; 2] = ["1034", "1290"];

/// As `result`; but where SQLite could not sync, the process ends.
///
/// # Errors
/// Those of `result`.
pub fn checked<T>(result: sqlx::Result<T>) -> sqlx::Result<T> {
    result.inspect_err(check_database)
}

/// Ends the process if it is SQLite that could not sync. PostgreSQL looks after its own files, and ends itself.
pub fn check_database(error: &sqlx::Error) {
    let refused = error.as_database_error();
    let refused = refused.filter(|refused| refused.try_downcast_ref::<SqliteError>().is_some());
    if refused.and_then(|refused| refused.code()).is_some_and(|code| SQLITE.contains(&code.as_ref())) {
        end("the database", error);
    }
}

/// Ends the process if input or output failed (EIO) where `what` was written and synced: of the two the system does not say which,
/// and what a write is told of was often written before. Whatever else it refuses, for want of room above all, passes.
pub fn check_file(what: &str, error: &io::Error) {
    if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) {
        end(what, error);
    }
}

/// Not in order: nothing that has not been synced yet may be answered, and nothing be closed as if it had been.
fn end(what: &str, error: &dyn Display) {
    let error = error.to_string();
    tracing::error!(what, error, "fsync failed; the process ends");
    if sabotage::broken("retry-fsync") {
        return;
    }
    eprintln!(
        "sre-copilot: the disk could not keep {what}: {error}. This process ends, because after a failed fsync it can't \
         know what is on the disk. What it answered with success is; start it again once the disk is well (see dmesg)."
    );
    std::process::exit(STATUS);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_and_a_broken_rule_pass() {
        for errno in [rustix::io::Errno::NOSPC, rustix::io::Errno::DQUOT, rustix::io::Errno::ROFS] {
            check_file("a file", &errno.into());
        }
        assert!(matches!(checked::<()>(Err(sqlx::Error::RowNotFound)), Err(sqlx::Error::RowNotFound)));
    }
}
