//! Words of a unit file, as systemd.syntax(7) and systemd.service(5) want them written.

use super::super::job::{ARGUMENTS, Job};

/// The value of `ExecStart=`.
///
/// `$` starts a variable in the arguments, and so in argv\[0\], but not in the path that is
/// executed: no doubling is right for both. `:` before the path turns variables off (systemd 244),
/// and is written only where it is needed.
pub(super) fn command(job: &Job) -> String {
    let binary = job.binary();
    let literal = if binary.contains('$') { ":" } else { "" };
    format!("{literal}{} {}", word(&binary), ARGUMENTS.join(" "))
}

/// The lines that set variables, without the last newline.
pub(super) fn environment(job: &Job) -> String {
    let lines = job
        .environment
        .iter()
        .map(|(name, value)| format!("Environment={}", word(&format!("{name}={value}"))));
    lines.collect::<Vec<_>>().join("\n")
}

/// One word: `%` doubled, as it starts a specifier; in quotes unless it is plain.
fn word(text: &str) -> String {
    let text = text.replace('%', "%%");
    if text.chars().all(|letter| letter.is_ascii_alphanumeric() || "/._-+:@,=%$".contains(letter)) {
        return text;
    }
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_systemd_would_split_or_expand_them() {
        for (text, expected) in [
            ("/usr/bin/mcp-reap", "/usr/bin/mcp-reap"),
            ("/o/100%", "/o/100%%"),
            ("/o/my tools/m", "\"/o/my tools/m\""),
            ("/o/it's;a", "\"/o/it's;a\""),
            ("/o/a\"b\\c", "\"/o/a\\\"b\\\\c\""),
            ("/o/ü", "\"/o/ü\""),
        ] {
            assert_eq!(word(text), expected);
        }
    }
}
