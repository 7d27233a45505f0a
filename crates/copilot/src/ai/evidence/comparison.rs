//! From an alert's expression to the series it watches and the threshold it compares them with.
//!
//! Precedence of operators: <https://prometheus.io/docs/prometheus/latest/querying/operators/>. Only the outermost
//! comparison is taken off; what can't be split safely is watched as it is.

/// What an alert's expression watches.
#[derive(Clone, Debug, PartialEq)]
pub struct Watched {
    /// The expression without its comparison.
    pub series: String,
    /// What it is compared with, when that is a plain number.
    pub threshold: Option<f64>,
}

/// Words that connect whole conditions; they bind weaker than any comparison.
const SET_OPERATORS: [&str; 3] = ["and", "or", "unless"];

/// Takes the comparison off `expression`.
pub fn split(expression: &str) -> Watched {
    let expression = unwrapped(expression.trim());
    let whole = || Watched { series: expression.to_owned(), threshold: None };
    let Some(tokens) = top_level(expression) else { return whole() };
    if let Some(set) = tokens.iter().find(|token| SET_OPERATORS.contains(&token.text)) {
        // The left side of `and` and `unless` decides which series there are; both sides of `or` do.
        let only_left =
            tokens.iter().filter(|token| SET_OPERATORS.contains(&token.text)).all(|t| t.text != "or");
        let left = expression.get(..set.at).unwrap_or_default();
        return if only_left && !left.trim().is_empty() { split(left) } else { whole() };
    }
    let mut comparisons = tokens.iter().filter(|token| !SET_OPERATORS.contains(&token.text));
    let (Some(one), None) = (comparisons.next(), comparisons.next()) else { return whole() };
    let left = expression.get(..one.at).unwrap_or_default().trim();
    let right = expression.get(one.at + one.text.len()..).unwrap_or_default().trim();
    let right = right.strip_prefix("bool").map_or(right, str::trim_start);
    match (number(left), number(right)) {
        (None, Some(threshold)) if !left.is_empty() => {
            Watched { series: unwrapped(left).to_owned(), threshold: Some(threshold) }
        }
        (Some(threshold), None) if !right.is_empty() => {
            Watched { series: unwrapped(right).to_owned(), threshold: Some(threshold) }
        }
        (None, None) if !left.is_empty() => Watched { series: unwrapped(left).to_owned(), threshold: None },
        _ => whole(),
    }
}

/// A comparison or a set operator outside of all brackets.
struct Token<'a> {
    at: usize,
    text: &'a str,
}

/// The operators outside of all brackets and strings; `None` when brackets or quotes don't close.
fn top_level(expression: &str) -> Option<Vec<Token<'_>>> {
    let bytes = expression.as_bytes();
    let (mut at, mut depth, mut tokens) = (0, 0_usize, Vec::new());
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' | b'\'' | b'`' => at = end_of_string(bytes, at)?,
            b'#' => return None,
            b'(' | b'{' | b'[' => depth += 1,
            b')' | b'}' | b']' => depth = depth.checked_sub(1)?,
            b'>' | b'<' | b'=' | b'!' if depth == 0 => {
                let long = bytes.get(at + 1) == Some(&b'=');
                if !long && matches!(byte, b'=' | b'!') {
                    return None;
                }
                let text = expression.get(at..at + if long { 2 } else { 1 })?;
                tokens.push(Token { at, text });
                at += text.len() - 1;
            }
            _ if byte.is_ascii_alphabetic() || byte == b'_' => {
                let end = at + word(bytes.get(at..)?);
                let text = expression.get(at..end)?;
                if depth == 0 && SET_OPERATORS.contains(&text) {
                    tokens.push(Token { at, text });
                }
                at = end - 1;
            }
            _ => {}
        }
        at += 1;
    }
    (depth == 0).then_some(tokens)
}

/// Where the string that opens at `at` closes.
fn end_of_string(bytes: &[u8], at: usize) -> Option<usize> {
    let quote = *bytes.get(at)?;
    let mut end = at + 1;
    loop {
        match *bytes.get(end)? {
            b'\\' if quote != b'`' => end += 1,
            byte if byte == quote => return Some(end),
            _ => {}
        }
        end += 1;
    }
}

fn word(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'.')).count()
}

/// The expression without brackets around all of it.
fn unwrapped(expression: &str) -> &str {
    let mut inner = expression.trim();
    while let Some(rest) = inner.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        // `(a) > (b)` begins and ends with brackets that are not each other's.
        if top_level(rest).is_none() {
            break;
        }
        inner = rest.trim();
    }
    inner
}

fn number(text: &str) -> Option<f64> {
    let text = unwrapped(text);
    let begins = text.trim_start_matches(['+', '-']).starts_with(|c: char| c.is_ascii_digit() || c == '.');
    text.parse().ok().filter(|value: &f64| begins && value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_are_taken_off() {
        for (expression, series, threshold) in [
            ("X > 0.05", "X", Some(0.05)),
            ("X >= bool 5", "X", Some(5.0)),
            ("(X) < (1e3)", "X", Some(1000.0)),
            ("((X > 5))", "X", Some(5.0)),
            ("X == 0", "X", Some(0.0)),
            ("X != 1", "X", Some(1.0)),
            ("5 < X", "X", Some(5.0)),
            ("X > -1.5", "X", Some(-1.5)),
            ("up{job=\"a > b\"} == 0", "up{job=\"a > b\"}", Some(0.0)),
            ("X{a!=\"b\",c=~\"d|e\"} > 2", "X{a!=\"b\",c=~\"d|e\"}", Some(2.0)),
            (
                "100 * sum by (service) (rate(x{code=~\"5..\"}[20s])) / sum by (service) (rate(x[20s])) > 5",
                "100 * sum by (service) (rate(x{code=~\"5..\"}[20s])) / sum by (service) (rate(x[20s]))",
                Some(5.0),
            ),
            ("(a / b) > 0.9 and on(x) c > 0", "a / b", Some(0.9)),
            ("a > 1 unless b", "a", Some(1.0)),
            ("a > b", "a", None),
            ("a > on(x) group_left b", "a", None),
            ("a > 5 or b > 6", "a > 5 or b > 6", None),
            ("a > 5 < 6", "a > 5 < 6", None),
            ("absent(up)", "absent(up)", None),
            ("android > 1", "android", Some(1.0)),
            ("sum(a > 5)", "sum(a > 5)", None),
            ("a > 5 # why", "a > 5 # why", None),
            ("a > (5", "a > (5", None),
            ("x{a=\"\\\" > 1\"} > 2", "x{a=\"\\\" > 1\"}", Some(2.0)),
            ("vector(1)", "vector(1)", None),
            ("> 5", "> 5", None),
            ("1 > 0", "1 > 0", None),
            ("", "", None),
        ] {
            assert_eq!(split(expression), Watched { series: series.to_owned(), threshold }, "{expression}");
        }
    }
}
