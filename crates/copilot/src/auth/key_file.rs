//! The generated master key in the data folder, and the one that is to follow it.

use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

use crate::db::create_private;

/// The key in use, or the one before it while [`NEXT`] is there.
const FILE: &str = "master.key";

/// The key that a rotation brings into use; it takes the place of [`FILE`] when nothing needs that any more.
const NEXT: &str = "master.key.next";

/// The key, made if there is none and the database is `fresh`; and the one that is to follow it, if there is one.
///
/// # Errors
/// When it is missing with a database that is set up, or can't be read or made.
pub(super) fn read(data_dir: &Path, fresh: bool) -> anyhow::Result<(String, Option<String>)> {
    let path = data_dir.join(FILE);
    if !path.exists() {
        ensure!(
            fresh,
            "{} is missing: the database was set up with a master key. Put the file back, or set \
             SRE_COPILOT_MASTER_KEY to what it held",
            path.display()
        );
        create_private(data_dir)?;
        make(data_dir, FILE)?;
    }
    // The next one first: it may take the place of the other in between, and is then read as that.
    let next = match std::fs::read_to_string(data_dir.join(NEXT)) {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        other => Some(other.with_context(|| format!("reading {NEXT} in the data folder"))?),
    };
    let key = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    Ok((key, next))
}

/// Makes the key that is to follow, unless one was made; it is on the disk before it can be used.
///
/// # Errors
/// When it can't be written, or there is none that it could follow.
pub(super) fn make_next(data_dir: &Path) -> anyhow::Result<()> {
    ensure!(data_dir.join(FILE).exists(), "there is no {FILE} in {} to follow", data_dir.display());
    if data_dir.join(NEXT).exists() { Ok(()) } else { make(data_dir, NEXT) }
}

/// Puts the key that follows in the place of the other, which is gone then.
///
/// # Errors
/// When the folder can't be written to.
pub(super) fn settle(data_dir: &Path) -> anyhow::Result<()> {
    match std::fs::rename(data_dir.join(NEXT), data_dir.join(FILE)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other.with_context(|| format!("putting {NEXT} in the place of {FILE}")),
    }?;
    sync(data_dir)
}

fn make(data_dir: &Path, name: &str) -> anyhow::Result<()> {
    let draft = data_dir.join(format!("{name}.{}", Uuid::new_v4()));
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .with_context(|| format!("creating {}", draft.display()))?;
    let key: [u8; 32] = rand::random();
    writeln!(file, "{}", STANDARD.encode(key))
        .and_then(|()| file.sync_all())
        .context("writing the master key")?;
    // A link appears whole or not at all, and of two processes that make one together one wins.
    let linked = std::fs::hard_link(&draft, data_dir.join(name));
    std::fs::remove_file(&draft).context("removing the draft of the master key")?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            Err(error).with_context(|| format!("creating {name} in {}", data_dir.display()))
        }
        _ => sync(data_dir),
    }
}

/// A name is on the disk when its folder is.
fn sync(folder: &Path) -> anyhow::Result<()> {
    let synced = std::fs::File::open(folder).and_then(|open| open.sync_all());
    synced.with_context(|| format!("syncing {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_generated_once_and_only_its_owner_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let (first, second) = (read(&data, true).unwrap(), read(&data, false).unwrap());
        assert_eq!(first, second);
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&data), mode(&data.join(FILE))), (0o700, 0o600));
        assert_eq!(std::fs::read_dir(&data).unwrap().count(), 1);
    }

    #[test]
    fn the_next_key_is_made_once_and_takes_the_place_of_the_other() {
        let dir = tempfile::tempdir().unwrap();
        assert!(make_next(dir.path()).is_err(), "a key that follows none");
        let (old, none) = read(dir.path(), true).unwrap();
        assert_eq!(none, None);
        make_next(dir.path()).unwrap();
        let (still, next) = read(dir.path(), false).unwrap();
        make_next(dir.path()).unwrap();
        assert_eq!((&still, read(dir.path(), false).unwrap().1), (&old, next.clone()));
        for _ in 0..2 {
            settle(dir.path()).unwrap();
            assert_eq!(read(dir.path(), false).unwrap(), (next.clone().unwrap(), None));
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
