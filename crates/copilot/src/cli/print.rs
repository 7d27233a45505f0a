//! What a command prints: machine output on stdout, words on stderr.

use std::io::Write as _;

/// Text of a file as a terminal may show it: without what moves the cursor, changes colours or turns the direction.
pub fn plain(text: &str) -> String {
    crate::visible::clean(text)
}

/// Prints one line on stdout; a reader that went away ends the command quietly.
///
/// # Errors
/// When stdout can't be written, other than by a closed pipe.
pub fn line(text: &str) -> anyhow::Result<()> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        other => Ok(other?),
    }
}
