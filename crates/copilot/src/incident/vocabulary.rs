//! The words by which an incident is found that its own texts lack: those of the alerts that joined it. Pure.

use std::collections::BTreeSet;

use super::record::Record;

/// Bytes of such words that an incident keeps.
const MOST: usize = 2_000;

/// Bytes of one text that are looked at.
const READ: usize = 4_000;

/// Characters of a word that the index keeps.
const WORD: usize = 64;

/// What an incident can be found by.
#[derive(Debug)]
pub struct Vocabulary {
    /// Everything, with ASCII letters folded as in the index.
    known: BTreeSet<String>,
    /// What is kept beside the incident's own texts.
    kept: String,
    /// Whether any of it is not stored yet.
    grown: bool,
}

impl Vocabulary {
    /// What an incident can be found by so far.
    pub fn of(record: &Record) -> Self {
        let incident = &record.incident;
        let kept = record.alert_words.clone().unwrap_or_default();
        let labels = incident.labels.iter().flat_map(|(name, value)| [name, value]);
        let texts = [&incident.title, &incident.description, &kept].into_iter().chain(labels);
        let known = texts.flat_map(|text| words(text)).map(folded).collect();
        Self { known, kept, grown: false }
    }

    /// Adds what a text says that was not said before, while there is room.
    pub fn hear(&mut self, text: &str) {
        for word in words(text) {
            if self.kept.len() + 1 + word.len() <= MOST && self.known.insert(folded(word)) {
                if !self.kept.is_empty() {
                    self.kept.push(' ');
                }
                self.kept.push_str(word);
                self.grown = true;
            }
        }
    }

    /// Whether nothing more has room, or is worth it.
    pub fn is_full(record: &Record) -> bool {
        record.alert_words.as_ref().is_some_and(|kept| kept.len() + WORD > MOST)
    }

    /// What is to be stored, if that is more than is.
    pub fn unsaved(&self) -> Option<&str> {
        self.grown.then_some(&self.kept)
    }
}

/// The words of a text, as the index parts them, each as far as it keeps it.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let text = &text[..text.floor_char_boundary(READ)];
    let parted = text.split(|letter: char| letter.is_ascii() && !letter.is_ascii_alphanumeric());
    parted.filter(|word| !word.is_empty()).map(|word| match word.char_indices().nth(WORD) {
        Some((end, _)) => &word[..end],
        None => word,
    })
}

fn folded(word: &str) -> String {
    word.to_ascii_lowercase()
}
