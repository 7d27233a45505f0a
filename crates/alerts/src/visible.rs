//! What of a text a person would see.

/// Removes what a person would not see: control characters, text direction, zero width, tags.
pub fn clean(text: &str) -> String {
    text.chars().filter_map(seen).collect()
}

fn seen(letter: char) -> Option<char> {
    match letter {
        '\n' | '\t' | '\r' | '\u{2028}' | '\u{2029}' => Some(' '),
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' => None,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => None,
        '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}' | '\u{fff9}'..='\u{fffb}' => None,
        letter if letter.is_control() => None,
        letter => Some(letter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_text_is_removed() {
        assert_eq!(clean("a\u{202e}b\u{200b}c\u{e0041}d\u{feff}\u{7}e\nf"), "abcde f");
    }
}
