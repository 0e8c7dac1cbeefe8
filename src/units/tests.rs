#![allow(clippy::unwrap_used)]
use super::*;
use proptest::prelude::*;

#[test]
fn every_unit_of_time_is_read() {
    for (text, millis) in [
        ("0", 0),
        ("0s", 0),
        ("1ms", 1),
        ("500ms", 500),
        ("90s", 90_000),
        ("15m", 900_000),
        ("24h", 86_400_000),
        ("7d", 604_800_000),
        ("2w", 1_209_600_000),
        ("1h30m", 5_400_000),
        ("2d 4h", 187_200_000),
        (" 1w1d1h1m1s1ms ", 694_861_001),
        ("0090s", 90_000),
    ] {
        assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
    }
}

#[test]
fn a_wrong_duration_says_what_is_wrong() {
    for (text, complaint) in [
        ("", "empty, where a duration such as 90s or 1h30m is expected"),
        ("90", "`90` has no unit: write 90s, 90m, 90h or 90d"),
        ("1h30", "`30` has no unit: write 30s, 30m, 30h or 30d"),
        ("-5s", "`-5s` does not begin with a number"),
        ("5 s", "`5` has no unit: write 5s, 5m, 5h or 5d"),
        ("1.5h", "`.` is not a unit, use ms, s, m, h, d or w"),
        ("5min", "`min` is not a unit, use ms, s, m, h, d or w"),
        ("5S", "`S` is not a unit, use ms, s, m, h, d or w"),
        ("30m1h", "`1h` comes after a unit that is not larger: write the largest first, each once"),
        ("1s1s", "`1s` comes after a unit that is not larger: write the largest first, each once"),
        ("99999999999999999999d", "`99999999999999999999d` is too large"),
        ("18446744073709551615w", "`18446744073709551615w` is too large"),
        ("5\u{661}s", "`\u{661}s` is not a unit, use ms, s, m, h, d or w"),
    ] {
        assert_eq!(parse_duration(text).unwrap_err().to_string(), complaint, "{text}");
    }
}

#[test]
fn sizes_know_powers_of_1000_and_of_1024() {
    for (text, bytes) in [
        ("0", 0),
        ("4096B", 4096),
        ("1kB", 1000),
        ("500MB", 500_000_000),
        ("500mb", 500_000_000),
        ("2 GB", 2_000_000_000),
        ("1KiB", 1024),
        ("64MiB", 67_108_864),
        ("1GiB", 1_073_741_824),
        ("0.5GB", 500_000_000),
        ("1.0000000019kB", 1000),
        ("16777215TiB", 16_777_215 << 40),
    ] {
        assert_eq!(parse_size(text), Ok(bytes), "{text}");
    }
}

#[test]
fn a_wrong_size_says_what_is_wrong() {
    for (text, complaint) in [
        (" ", "empty, where a size such as 500MB or 1GiB is expected"),
        ("MB", "`MB` does not begin with a number"),
        ("-1", "`-1` does not begin with a number"),
        ("512M", "`512M` can mean two things: write 512MB (powers of 1000) or 512MiB (powers of 1024)"),
        ("500", "`500` has no unit: write 500MB, 500MiB or 500B"),
        ("1.5", "`1.5` has no unit: write 1.5MB, 1.5MiB or 1.5B"),
        ("1.GB", "`.GB` does not begin with a number"),
        ("1Gb/s", "`Gb/s` is not a unit, use B, kB, MB, GB, TB, KiB, MiB, GiB or TiB"),
        ("16777216TiB", "`16777216TiB` is too large"),
        ("99999999999999999999B", "`99999999999999999999B` is too large"),
    ] {
        assert_eq!(parse_size(text).unwrap_err().to_string(), complaint, "{text}");
    }
}

#[test]
fn a_duration_is_shown_in_its_two_largest_units() {
    for (millis, shown) in [
        (0, "0s"),
        (7, "7ms"),
        (999, "999ms"),
        (1500, "1s"),
        (59_999, "59s"),
        (60_000, "1m"),
        (3_599_000, "59m 59s"),
        (10_800_000, "3h"),
        (10_859_000, "3h"),
        (187_323_000, "2d 4h"),
        (1_209_600_000, "14d"),
    ] {
        assert_eq!(show_duration(Duration::from_millis(millis)), shown);
    }
}

#[test]
fn a_size_is_shown_with_at_most_three_digits() {
    for (bytes, shown) in [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (1049, "1 kB"),
        (1051, "1.1 kB"),
        (9_949, "9.9 kB"),
        (9_951, "10 kB"),
        (999_499, "999 kB"),
        (999_500, "1 MB"),
        (92_274_688, "92 MB"),
        (1_073_741_824, "1.1 GB"),
        (u64::MAX, "18 EB"),
    ] {
        assert_eq!(show_size(bytes), shown, "{bytes}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_readers_panic(text in ".*") {
        let _ = (parse_duration(&text), parse_size(&text));
    }

    #[test]
    fn what_is_shown_of_a_duration_is_read_back_as_no_more(millis in 0..u64::MAX) {
        let duration = Duration::from_millis(millis);
        let back = parse_duration(&show_duration(duration)).unwrap();
        prop_assert!(back <= duration);
        prop_assert!(duration.as_secs_f64() <= back.as_secs_f64() * 1.05 + 1.0);
    }

    #[test]
    fn what_is_shown_of_a_size_is_read_back_within_a_twentieth(bytes: u64) {
        if let Ok(back) = parse_size(&show_size(bytes)) {
            prop_assert!((back as f64 - bytes as f64).abs() <= bytes as f64 * 0.05);
        } else {
            prop_assert!(bytes > 999_000_000_000_000, "{}", show_size(bytes));
        }
    }
}
