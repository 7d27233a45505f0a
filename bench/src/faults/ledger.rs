//! What a driver was told, written to the disk before it goes on: the other half of every check.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use anyhow::{Context as _, anyhow};

/// An open ledger: a line for every request sent and for every answer received.
#[derive(Debug)]
pub struct Ledger {
    sender: Sender<String>,
    writer: JoinHandle<std::io::Result<()>>,
    path: PathBuf,
}

impl Ledger {
    /// Begins a ledger in the file `path`.
    ///
    /// # Errors
    /// When the file can't be created.
    pub fn create(path: &Path) -> anyhow::Result<Self> {
        let file = File::create(path).with_context(|| format!("creating {}", path.display()))?;
        let (sender, receiver) = channel();
        let writer = std::thread::spawn(move || write(file, &receiver));
        Ok(Self { sender, writer, path: path.to_owned() })
    }

    /// A pen that may be given to a sender.
    pub fn pen(&self) -> Pen {
        Pen(self.sender.clone())
    }

    /// Waits until everything is on the disk, and reads it back. Every other pen must have been dropped.
    ///
    /// # Errors
    /// When it could not be written or can't be read.
    pub fn close(self) -> anyhow::Result<Book> {
        drop(self.sender);
        self.writer.join().map_err(|_| anyhow!("the ledger's writer panicked"))??;
        Book::read(&self.path)
    }
}

/// Writes lines into a ledger.
#[derive(Clone, Debug)]
pub struct Pen(Sender<String>);

impl Pen {
    /// A request is about to be sent.
    pub fn invoke(&self, id: &str) {
        self.line(format!("invoke {id}"));
    }

    /// It was answered 2xx; `receipt` is what the answer named.
    pub fn ok(&self, id: &str, receipt: &str) {
        self.line(format!("ok {id} {receipt}"));
    }

    /// It was answered otherwise.
    pub fn fail(&self, id: &str, status: u16) {
        self.line(format!("fail {id} {status}"));
    }

    /// There was no answer: it may or may not have been done.
    pub fn info(&self, id: &str) {
        self.line(format!("info {id}"));
    }

    fn line(&self, line: String) {
        // The writer ends only after the last pen.
        let _ = self.0.send(line);
    }
}

/// Writes what has gathered, then syncs it, again and again.
fn write(mut file: File, lines: &Receiver<String>) -> std::io::Result<()> {
    while let Ok(first) = lines.recv() {
        let mut text = first + "\n";
        for line in lines.try_iter() {
            text.push_str(&line);
            text.push('\n');
        }
        file.write_all(text.as_bytes())?;
        file.sync_data()?;
    }
    Ok(())
}

/// A ledger that was read back.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// Every request that was sent.
    pub invoked: BTreeSet<String>,
    /// Those answered 2xx, with the receipt of each.
    pub ok: BTreeMap<String, String>,
    /// Those answered otherwise, with the status of each.
    pub failed: BTreeMap<String, u16>,
    /// Those without an answer.
    pub unknown: BTreeSet<String>,
}

impl Book {
    fn read(path: &Path) -> anyhow::Result<Self> {
        let mut book = Self::default();
        for line in BufReader::new(File::open(path)?).lines() {
            let line = line?;
            let mut words = line.split(' ').map(str::to_owned);
            match (words.next().as_deref(), words.next(), words.next()) {
                (Some("invoke"), Some(id), None) => drop(book.invoked.insert(id)),
                (Some("ok"), Some(id), Some(receipt)) => drop(book.ok.insert(id, receipt)),
                (Some("fail"), Some(id), Some(status)) => drop(book.failed.insert(id, status.parse()?)),
                (Some("info"), Some(id), None) => drop(book.unknown.insert(id)),
                _ => return Err(anyhow!("a damaged ledger: {line}")),
            }
        }
        Ok(book)
    }

    /// Whether nothing of this request may be there: it was never sent, or it was refused for good.
    pub fn must_be_absent(&self, id: &str) -> bool {
        let refused = self.failed.get(id).is_some_and(|status| (400..500).contains(status));
        refused || !self.invoked.contains(id)
    }

    /// How many requests ended in which way.
    pub fn summary(&self) -> String {
        let mut codes: BTreeMap<u16, usize> = BTreeMap::new();
        for status in self.failed.values() {
            *codes.entry(*status).or_default() += 1;
        }
        let (ok, unknown) = (self.ok.len(), self.unknown.len());
        format!(
            "{} requests: {ok} accepted, {unknown} without an answer, refused {codes:?}",
            self.invoked.len()
        )
    }
}
