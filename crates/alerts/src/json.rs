//! The limits of the JSON text, checked once over the whole body before anything is read from it.
//!
//! A typed parser skips what it does not know: an unknown field may nest a hundred thousand deep, hold a lone
//! surrogate or a number of a million digits, and fail later in a database. Here unknown fields count too.

use thiserror::Error;

use crate::{MAX_ALERTS, fields::List};

/// The deepest nesting of lists and objects.
pub(crate) const MAX_DEPTH: usize = 64;
/// The longest number, in characters.
pub(crate) const MAX_NUMBER_CHARS: usize = 40;
/// The largest decimal exponent: that of the largest double.
pub(crate) const MAX_EXPONENT: u32 = 308;
/// The largest negative decimal exponent: that of the smallest double, 5e-324.
pub(crate) const MAX_NEGATIVE_EXPONENT: u32 = 324;
/// The most members of one object.
pub(crate) const MAX_MEMBERS: usize = 100_000;

/// Where the body stops being acceptable JSON, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{problem} at byte {offset}")]
pub struct Malformed {
    /// Offset into the body, in bytes from 0.
    pub offset: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with a JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Problem {
    /// Not UTF-8, the only encoding of JSON between systems (RFC 8259, 8.1).
    #[error("not UTF-8")]
    NotUtf8,
    /// A byte order mark, which JSON between systems must not start with (RFC 8259, 8.1).
    #[error("a byte order mark")]
    ByteOrderMark,
    /// The text ends inside a value.
    #[error("unexpected end")]
    End,
    /// Something other than the named thing was found.
    #[error("expected {0}")]
    Expected(&'static str),
    /// More text after the value.
    #[error("text after the value")]
    Trailing,
    /// Lists and objects nest deeper than 64.
    #[error("nested deeper than 64")]
    TooDeep,
    /// A number longer than 40 characters.
    #[error("a number longer than 40 characters")]
    NumberTooLong,
    /// A number outside the range of a double.
    #[error("a number out of range")]
    NumberRange,
    /// Half of a UTF-16 pair, which is no character.
    #[error("a lone surrogate")]
    LoneSurrogate,
    /// A raw control character inside a string.
    #[error("a control character in a string")]
    ControlCharacter,
    /// An object with more than 100,000 members.
    #[error("an object with more than 100000 members")]
    TooManyMembers,
}

/// A text that keeps the rules.
#[derive(Debug)]
pub(crate) struct Checked<'a> {
    /// The whole of it.
    pub(crate) text: &'a str,
    /// The elements, when the whole is a list.
    pub(crate) elements: List<'a>,
}

/// Checks the body against the JSON grammar and the limits, and gives it back as text.
///
/// # Errors
/// [`Malformed`], at the first byte that breaks a rule.
pub(crate) fn check(body: &[u8]) -> Result<Checked<'_>, Malformed> {
    if body.starts_with(&[0xEF, 0xBB, 0xBF]) {
        return Err(Malformed { offset: 0, problem: Problem::ByteOrderMark });
    }
    let text = str::from_utf8(body)
        .map_err(|error| Malformed { offset: error.valid_up_to(), problem: Problem::NotUtf8 })?;
    let mut scanner = Scanner { bytes: body, at: 0, elements: Vec::new(), count: 0 };
    scanner.blanks();
    scanner.value(0)?;
    scanner.blanks();
    if scanner.at < body.len() {
        return scanner.fail(Problem::Trailing);
    }
    // The scanner stops between characters only.
    let items = scanner.elements.iter().filter_map(|(from, to)| text.get(*from..*to)).collect();
    Ok(Checked { text, elements: List { items, count: scanner.count } })
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where the first elements of the outermost list begin and end, and how many there are in all.
    elements: Vec<(usize, usize)>,
    count: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn fail<T>(&self, problem: Problem) -> Result<T, Malformed> {
        Err(Malformed { offset: self.at, problem })
    }

    fn missing<T>(&self, expected: &'static str) -> Result<T, Malformed> {
        self.fail(if self.peek().is_none() { Problem::End } else { Problem::Expected(expected) })
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// `depth` is the number of lists and objects around this value, so the recursion ends at [`MAX_DEPTH`].
    fn value(&mut self, depth: usize) -> Result<(), Malformed> {
        match self.peek() {
            Some(b'{' | b'[') if depth >= MAX_DEPTH => self.fail(Problem::TooDeep),
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.list(depth + 1),
            Some(b'"') => self.string(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            _ => self.missing("a value"),
        }
    }

    fn object(&mut self, depth: usize) -> Result<(), Malformed> {
        self.at += 1;
        self.blanks();
        if self.take(b'}') {
            return Ok(());
        }
        let mut members = 0;
        loop {
            members += 1;
            if members > MAX_MEMBERS {
                return self.fail(Problem::TooManyMembers);
            }
            if self.peek() != Some(b'"') {
                return self.missing("a member name");
            }
            self.string()?;
            self.blanks();
            if !self.take(b':') {
                return self.missing("a colon");
            }
            self.blanks();
            self.value(depth)?;
            self.blanks();
            if self.take(b'}') {
                return Ok(());
            }
            if !self.take(b',') {
                return self.missing("a comma or the end of the object");
            }
            self.blanks();
        }
    }

    fn list(&mut self, depth: usize) -> Result<(), Malformed> {
        self.at += 1;
        self.blanks();
        if self.take(b']') {
            return Ok(());
        }
        loop {
            let start = self.at;
            self.value(depth)?;
            if depth == 1 {
                self.count += 1;
                if self.elements.len() < MAX_ALERTS {
                    self.elements.push((start, self.at));
                }
            }
            self.blanks();
            if self.take(b']') {
                return Ok(());
            }
            if !self.take(b',') {
                return self.missing("a comma or the end of the list");
            }
            self.blanks();
        }
    }

    fn word(&mut self, word: &'static [u8]) -> Result<(), Malformed> {
        for &byte in word {
            if !self.take(byte) {
                return self.missing("true, false or null");
            }
        }
        Ok(())
    }

    fn string(&mut self) -> Result<(), Malformed> {
        self.at += 1;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1F));
            self.at += plain.unwrap_or(rest.len());
            match self.peek() {
                None => return self.fail(Problem::End),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.escape()?,
                Some(0..=0x1F) => return self.fail(Problem::ControlCharacter),
                Some(_) => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Result<(), Malformed> {
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 1;
                Ok(())
            }
            Some(b'u') => self.unicode(),
            _ => self.missing("an escape"),
        }
    }

    fn unicode(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        let lone = Malformed { offset: start, problem: Problem::LoneSurrogate };
        match self.hexadecimal()? {
            0xDC00..=0xDFFF => Err(lone),
            0xD800..=0xDBFF => {
                if self.peek().is_none() {
                    return self.fail(Problem::End);
                }
                if !(self.take(b'\\') && self.peek() == Some(b'u')) {
                    return Err(lone);
                }
                match self.hexadecimal()? {
                    0xDC00..=0xDFFF => Ok(()),
                    _ => Err(lone),
                }
            }
            _ => Ok(()),
        }
    }

    /// Reads the `u` under the scanner and four hexadecimal digits.
    fn hexadecimal(&mut self) -> Result<u32, Malformed> {
        self.at += 1;
        let mut code = 0;
        for _ in 0..4 {
            let Some(digit) = self.peek().and_then(|byte| char::from(byte).to_digit(16)) else {
                return self.missing("four hexadecimal digits");
            };
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }

    fn number(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            self.exponent(start)?;
        }
        if self.at - start > MAX_NUMBER_CHARS {
            return Err(Malformed { offset: start, problem: Problem::NumberTooLong });
        }
        Ok(())
    }

    fn exponent(&mut self, start: usize) -> Result<(), Malformed> {
        let negative = self.take(b'-');
        if !negative {
            self.take(b'+');
        }
        let digits = self.digits()?;
        let magnitude = digits
            .iter()
            .fold(0_u32, |sum, digit| sum.saturating_mul(10).saturating_add(u32::from(digit - b'0')));
        let limit = if negative { MAX_NEGATIVE_EXPONENT } else { MAX_EXPONENT };
        if magnitude > limit {
            return Err(Malformed { offset: start, problem: Problem::NumberRange });
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<&[u8], Malformed> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start {
            return self.missing("a digit");
        }
        Ok(self.bytes.get(start..self.at).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(body: &str) -> Option<Problem> {
        check(body.as_bytes()).err().map(|malformed| malformed.problem)
    }

    #[test]
    fn limits_hold_exactly_at_their_edge() {
        let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        let objects = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        assert_eq!(problem(&nested(64)), None);
        assert_eq!(problem(&nested(65)), Some(Problem::TooDeep));
        assert_eq!(problem(&objects(64)), None);
        assert_eq!(problem(&objects(65)), Some(Problem::TooDeep));
        assert_eq!(problem(&"9".repeat(40)), None);
        assert_eq!(problem(&"9".repeat(41)), Some(Problem::NumberTooLong));
        assert_eq!(problem("1e308"), None);
        assert_eq!(problem("[1E+309]"), Some(Problem::NumberRange));
        assert_eq!(problem("5e-324"), None);
        assert_eq!(problem("5e-325"), Some(Problem::NumberRange));
    }

    #[test]
    fn grammar_is_that_of_the_standard() {
        for good in
            ["{}", " [ ] ", "-0", "0.5e1", "\"\\ud83d\\ude00\\n\\/\"", "[null,true,false]", "{\"a\":{}}"]
        {
            assert_eq!(problem(good), None, "{good}");
        }
        for bad in
            ["", " ", "01", "-", "1.", ".5", "1e", "+1", "nul", "{\"a\" 1}", "{a:1}", "[1,]", "{\"a\":1,}"]
        {
            assert!(problem(bad).is_some(), "{bad}");
        }
        for lone in ["\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\\ud800x\"", "\"\\ud800\\n\""] {
            assert_eq!(problem(lone), Some(Problem::LoneSurrogate), "{lone}");
        }
        for escape in ["\"\\x\"", "\"\\u12g4\"", "\"\\u12\""] {
            assert!(matches!(problem(escape), Some(Problem::Expected(_))), "{escape}");
        }
    }

    #[test]
    fn it_accepts_what_the_json_library_accepts() {
        for text in [
            "{\"a\":[1,2,{\"b\":\"\\u0000\"}]}",
            "[-1.5e-3]",
            "\"é\u{2028}\"",
            "[\"\\\"\"]",
            "{\"a\":1 ,\"a\":2}",
        ] {
            assert!(serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok(), "{text}");
            assert_eq!(problem(text), None, "{text}");
        }
    }
}
