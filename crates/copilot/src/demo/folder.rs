//! Where the demo keeps its files while it runs.

use std::fs::DirBuilder;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

/// The demo's folder; one that it made up itself is removed with it.
pub struct Folder {
    path: PathBuf,
    temporary: bool,
}

impl Folder {
    /// Takes the folder the user named, or makes one that is gone afterwards.
    ///
    /// # Errors
    /// When it can't be made, or holds another demo's data, which would be mixed with this one's.
    pub fn prepare(chosen: Option<&Path>) -> anyhow::Result<Self> {
        let (path, temporary) = match chosen {
            Some(path) => (std::path::absolute(path)?, false),
            None => {
                let name = format!("sre-copilot-demo-{}", uuid::Uuid::new_v4().simple());
                (std::env::temp_dir().join(name), true)
            }
        };
        make(&path)?;
        let folder = Self { path, temporary };
        if folder.blocks().exists() {
            bail!("{} has the data of an earlier demo: name an empty folder", folder.path.display());
        }
        make(&folder.blocks())?;
        make(&folder.path.join("rules"))?;
        Ok(folder)
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Prometheus' data.
    pub fn blocks(&self) -> PathBuf {
        self.path.join("prometheus-data")
    }

    /// Writes a file that only this user can read.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write(&self, name: &str, text: &str) -> anyhow::Result<PathBuf> {
        let path = self.file(name);
        let mut options = std::fs::OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(&path);
        file.and_then(|mut file| file.write_all(text.as_bytes()))
            .with_context(|| format!("can't write {}", path.display()))?;
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.temporary
            && let Err(error) = std::fs::remove_dir_all(&self.path)
        {
            tracing::warn!(%error, folder = %self.path.display(), "the demo's folder can't be removed");
        }
    }
}

fn make(path: &Path) -> anyhow::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(path).with_context(|| format!("can't make the folder {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_up_folder_goes_and_a_chosen_one_stays() {
        let made_up = Folder::prepare(None).unwrap();
        let path = made_up.path.clone();
        made_up.write("token", "secret").unwrap();
        assert!(path.is_dir());
        drop(made_up);
        assert!(!path.exists());

        let parent = tempfile::tempdir().unwrap();
        let chosen = parent.path().join("demo");
        drop(Folder::prepare(Some(&chosen)).unwrap());
        assert!(chosen.is_dir());
        let error = Folder::prepare(Some(&chosen)).err().unwrap().to_string();
        assert!(error.ends_with("has the data of an earlier demo: name an empty folder"), "{error}");
    }
}
