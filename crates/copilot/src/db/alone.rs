//! One process on a SQLite file: it knows of nothing that another would write there.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use anyhow::{Context as _, bail};

use super::{Place, create_private, kind};
use crate::config::Config;

/// Says that this process serves from the SQLite file of these settings, for as long as the answer is kept; `None` on PostgreSQL.
///
/// Processes that work `together`, by a Redis or with a part of the services each, share it. The lock is the kernel's, so
/// that of a process that was killed ends with it.
///
/// # Errors
/// When another process serves from it, or it can't be written to.
pub fn claim(config: &Config, together: bool) -> anyhow::Result<Option<File>> {
    if kind(config) == "postgresql" {
        return Ok(None);
    }
    let Place::Sqlite(database) = Place::of(&config.database_url, &config.data_dir)? else { return Ok(None) };
    let database = database.get_filename();
    // What is in memory has a name and no file, and no other process can find it.
    if database.to_string_lossy().starts_with("file:") {
        return Ok(None);
    }
    let folder = database.parent().unwrap_or_else(|| Path::new("."));
    if folder == config.data_dir {
        create_private(folder)?;
    }
    let path = database.with_extension("lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = file.with_context(|| format!("opening {}", path.display()))?;
    let locked = if together { file.try_lock_shared() } else { file.try_lock() };
    match locked {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => bail!(
            "another process already serves from {}; stop it first, or give this one a data folder of its own",
            folder.display()
        ),
        // Some file systems know no locks; there nobody can tell.
        Err(TryLockError::Error(error)) => {
            tracing::warn!(
                error = error.to_string(),
                "whether another process serves from here can't be told"
            );
            Ok(Some(file))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sqlite_file_has_one_process_or_several_that_work_together() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::defaults().unwrap();
        config.data_dir = folder.path().join("data");
        let only = claim(&config, false).unwrap();
        for together in [false, true] {
            let refused = claim(&config, together).unwrap_err().to_string();
            assert!(refused.contains(config.data_dir.to_str().unwrap()), "{refused}");
        }
        drop(only);
        let _parts = [claim(&config, true).unwrap(), claim(&config, true).unwrap()];
        assert!(claim(&config, false).is_err());
        for none in ["postgres://localhost/x", "sqlite::memory:"] {
            config.database_url = none.to_owned();
            assert!(claim(&config, false).unwrap().is_none(), "{none}");
        }
    }
}
