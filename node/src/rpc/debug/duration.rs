//! Durations as Go writes them (`"5s"`, `"1m30s"`, `"250ms"`), which is how tools set a timeout.

use std::time::Duration;

/// Units, and how many nanoseconds each has. What begins alike is in the order in which it must be tried.
const UNITS: [(&str, f64); 8] = [
    ("ns", 1.0),
    ("us", 1e3),
    ("µs", 1e3),
    ("μs", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 60e9),
    ("h", 3600e9),
];

/// Reads a duration; `None` if it is none. Negative ones are zero.
pub fn parse(text: &str) -> Option<Duration> {
    let (is_negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    let (mut nanoseconds, mut rest) = part(rest)?;
    while !rest.is_empty() {
        let (more, after) = part(rest)?;
        nanoseconds += more;
        rest = after;
    }
    let seconds = if is_negative { 0.0 } else { nanoseconds / 1e9 };
    Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

/// Takes a number with its unit off the front.
fn part(text: &str) -> Option<(f64, &str)> {
    let digits = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number: f64 = text[..text.len() - digits.len()].parse().ok()?;
    let (unit, size) = UNITS.iter().find(|(unit, _)| digits.starts_with(unit))?;
    Some((number * size, &digits[unit.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        for (text, milliseconds) in [
            ("5s", 5_000),
            ("300ms", 300),
            ("1m30s", 90_000),
            ("1.5h", 5_400_000),
            ("+2s", 2_000),
            ("0", 0),
            ("-1s", 0),
            ("1000us", 1),
            ("1000µs", 1),
            (".5s", 500),
        ] {
            assert_eq!(
                parse(text),
                Some(Duration::from_millis(milliseconds)),
                "{text}"
            );
        }
        assert_eq!(parse("1ns"), Some(Duration::from_nanos(1)));
        assert_eq!(parse("1e99h"), None);
        assert_eq!(parse(&format!("{}h", "9".repeat(300))), Some(Duration::MAX));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "", "5", "s", "-", ".", ".s", "5 s", "five", "5sec", "1.2.3s", "5d",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
