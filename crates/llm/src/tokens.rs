//! How many tokens a text has, without the model's own vocabulary.

/// Letters per token of a word; common English words are one token, rare ones are cut into such pieces.
const LETTERS: u32 = 3;

/// Runs of letters above this are not words (random ids, encoded data) and are cut into pieces of two.
const LONGEST_WORD: u32 = 16;

/// An estimate of the tokens in `text` that is rather too high than too low.
///
/// Byte-pair vocabularies never need more tokens than bytes. So digits, punctuation and bytes outside ASCII count
/// one each, a blank belongs to the word it precedes, and only words are taken to be cheaper than their bytes.
pub fn estimate_tokens(text: &str) -> u32 {
    let mut tokens: u32 = 0;
    let mut letters: u32 = 0;
    for byte in text.bytes() {
        if byte.is_ascii_alphabetic() {
            letters = letters.saturating_add(1);
            continue;
        }
        tokens = tokens.saturating_add(word(letters)).saturating_add(u32::from(byte != b' '));
        letters = 0;
    }
    tokens.saturating_add(word(letters))
}

/// The tokens of a run of letters.
fn word(letters: u32) -> u32 {
    letters.div_ceil(if letters > LONGEST_WORD { 2 } else { LETTERS })
}

#[cfg(test)]
mod tests {
    use super::estimate_tokens;

    #[test]
    fn texts_are_estimated_from_above() {
        for (text, expected) in [
            ("", 0),
            ("the pod is gone", 5),
            ("error 503 at 10:42", 11),
            ("{\"claim\":\"x\"}", 10),
            ("äö", 4),
            ("日本", 6),
            ("abcdefghijklmnopqrst", 10),
        ] {
            assert_eq!(estimate_tokens(text), expected, "{text}");
        }
    }
}
