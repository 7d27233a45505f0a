//! Numbers and times in words, for people.

use super::prompt::clean::clean;

/// `text` without what a person would not see, cut to `most` characters.
pub fn short(text: &str, most: usize) -> String {
    let text = clean(text);
    let mut out: String = text.chars().take(most).collect();
    if text.chars().nth(most).is_some() {
        out.push('…');
    }
    out
}

/// Three significant digits.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return "no value".to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let digits = (2.0 - value.abs().log10().floor()).clamp(0.0, 9.0) as usize;
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A value with its unit: `ratio`, `s`, `bytes`, `/s`, `bytes/s`, `cores`, or none.
pub fn quantity(value: f64, unit: &str) -> String {
    match unit {
        "ratio" => format!("{}%", number(value * 100.0)),
        "%" => format!("{}%", number(value)),
        "s" if value.abs() < 1.0 => format!("{} ms", number(value * 1e3)),
        "s" if value < 120.0 => format!("{} s", number(value)),
        "s" => span(value),
        "bytes" | "bytes/s" => {
            let scaled = [("GiB", 1_073_741_824.0), ("MiB", 1_048_576.0), ("KiB", 1024.0)];
            let fits = scaled.into_iter().find(|(_, size)| value.abs() >= *size);
            let (name, size) = fits.unwrap_or(("B", 1.0));
            format!("{} {name}{}", number(value / size), if unit == "bytes" { "" } else { "/s" })
        }
        "/s" => format!("{}/s", number(value)),
        "" => number(value),
        other => format!("{} {other}", number(value)),
    }
}

/// A length of time: `41 s`, `12 min`, `3 h`.
pub fn span(seconds: f64) -> String {
    let seconds = seconds.abs();
    if seconds < 120.0 {
        format!("{seconds:.0} s")
    } else if seconds < 7200.0 {
        format!("{:.0} min", seconds / 60.0)
    } else if seconds < 172_800.0 {
        format!("{:.0} h", seconds / 3600.0)
    } else {
        format!("{:.0} days", seconds / 86_400.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        for (value, unit, text) in [
            (0.1425, "ratio", "14.2%"),
            (0.002, "ratio", "0.2%"),
            (0.98, "ratio", "98%"),
            (0.0351, "s", "35.1 ms"),
            (1.25, "s", "1.25 s"),
            (885.0, "s", "15 min"),
            (3_221_225_472.0, "bytes", "3 GiB"),
            (512.0, "bytes/s", "512 B/s"),
            (120.4, "/s", "120/s"),
            (40.0, "", "40"),
            (0.0, "s", "0 ms"),
            (f64::NAN, "", "no value"),
        ] {
            assert_eq!(quantity(value, unit), text);
        }
        for (seconds, text) in [(41.2, "41 s"), (600.0, "10 min"), (9000.0, "2 h"), (259_200.0, "3 days")] {
            assert_eq!(span(seconds), text);
        }
        assert_eq!(short("a\nbc", 3), "a b…");
    }
}
