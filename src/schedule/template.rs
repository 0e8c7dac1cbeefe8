//! From a template to a file, and from a file back to who wrote it.
//!
//! Each file carries in its comments the job it was made for, and a seal: a checksum of everything
//! else in it. A whole seal says that some version of mcp-reap wrote these very bytes, so they may
//! be replaced or removed; a broken one, that a person has been at work since. The seal guards
//! against accidents only: whoever may write here may also run what they like.

use super::job::Job;

const SEAL: &str = "mcp-reap-seal: ";
const JOB: &str = "mcp-reap-job: ";
/// Stands in place of the checksum while it is made.
const UNSEALED: &str = "0000000000000000";

/// Fills every `{{name}}` with its value, in one pass: a value is never searched for placeholders.
/// A line that is nothing but an empty value is left out.
pub(super) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(template.len() * 2);
    for line in template.split_inclusive('\n') {
        let begin = filled.len();
        let mut rest = line;
        let mut emptied = false;
        while let Some((before, after)) = rest.split_once("{{") {
            let known = after.split_once("}}").and_then(|(name, after)| {
                let value = values.iter().find(|(known, _)| *known == name)?.1;
                Some((value, after))
            });
            filled.push_str(before);
            match known {
                Some((value, after)) => {
                    filled.push_str(value);
                    emptied |= value.is_empty();
                    rest = after;
                }
                None => {
                    filled.push_str("{{");
                    rest = after;
                }
            }
        }
        filled.push_str(rest);
        if emptied && filled[begin..].trim().is_empty() {
            filled.truncate(begin);
        }
    }
    filled
}

/// Turns the defaults of a template into placeholders. The templates are files that are valid as they
/// stand, with the default schedule in them; a mark says which part is filled in: in XML
/// `<!--{{name}}-->default<!--/-->`, in a unit a line `#= {{name}}` above `Key=default`, or above an empty
/// line.
fn opened(template: &str) -> String {
    let mut text = template.to_owned();
    while let Some(begin) = text.find("<!--{{") {
        let Some(mark) = text[begin..].find("-->").map(|at| begin + at) else { break };
        let Some(end) = text[mark..].find("<!--/-->").map(|at| mark + at) else { break };
        let name = text[begin + "<!--".len()..mark].to_owned();
        text.replace_range(begin..end + "<!--/-->".len(), &name);
    }
    let mut opened = String::with_capacity(text.len());
    let mut lines = text.split_inclusive('\n');
    while let Some(line) = lines.next() {
        let Some(name) = line.strip_prefix("#= ").map(str::trim_end) else {
            opened.push_str(line);
            continue;
        };
        let key = lines.next().and_then(|line| line.split_once('=')).map(|(key, _)| format!("{key}="));
        opened.push_str(&format!("{}{name}\n", key.unwrap_or_default()));
    }
    opened
}

/// Fills a template and seals it.
pub(super) fn sealed(template: &str, values: &[(&str, &str)]) -> String {
    let mut values = values.to_vec();
    values.push(("seal", UNSEALED));
    let text = fill(&opened(template), &values);
    let seal = checksum(&text);
    // The first one: the template has it above everything that was filled in.
    text.replacen(&format!("{SEAL}{UNSEALED}"), &format!("{SEAL}{seal}"), 1)
}

/// What the comments of a file say of its origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Some version of mcp-reap wrote it, and nobody has changed it. Without a job where that
    /// version wrote its jobs differently.
    Sealed(Option<Job>),
    /// mcp-reap wrote it, and somebody has changed it.
    Edited,
    /// Somebody else's.
    Foreign,
}

/// Reads the origin of a file.
pub(super) fn origin(text: &str) -> Origin {
    let Some(at) = text.find(SEAL).map(|at| at + SEAL.len()) else { return Origin::Foreign };
    let Some(seal) = text.get(at..at + UNSEALED.len()) else { return Origin::Edited };
    let unsealed = format!("{}{UNSEALED}{}", &text[..at], &text[at + UNSEALED.len()..]);
    if checksum(&unsealed) != seal {
        return Origin::Edited;
    }
    let job = text.lines().find_map(|line| line.split_once(JOB)).map(|(_, job)| job.trim());
    Origin::Sealed(job.and_then(|job| serde_json::from_str(job).ok()))
}

/// FNV-1a, 64 bits (draft-eastlake-fnv): ten lines, and one changed byte always shows.
fn checksum(text: &str) -> String {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_never_taken_for_a_template() {
        let filled = fill("{{a}} {{b}}{{c}} {{ {{unknown}}\n", &[("a", "{{b}}"), ("b", "{{"), ("c", "}}")]);
        assert_eq!(filled, "{{b}} {{}} {{ {{unknown}}\n");
    }

    #[test]
    fn a_mark_takes_the_place_of_the_default_behind_it() {
        let xml = "<a><!--{{x}}-->1<!--/--></a><b><!--{{y}}-->\n2\n<!--/--></b><!-- a word -->";
        assert_eq!(opened(xml), "<a>{{x}}</a><b>{{y}}</b><!-- a word -->");
        assert_eq!(
            opened("#= {{x}}\nKey=1\n# a word\n#= {{y}}\n\nZ=2\n"),
            "Key={{x}}\n# a word\n{{y}}\nZ=2\n"
        );
    }

    #[test]
    fn a_line_of_nothing_but_an_empty_value_is_left_out() {
        let values = [("none", ""), ("some", "x=1")];
        assert_eq!(fill("a\n{{none}}\n\n{{some}}\n[{{none}}]\n", &values), "a\n\nx=1\n[]\n");
    }

    #[test]
    fn every_changed_byte_breaks_the_seal() {
        let text = sealed("# mcp-reap-seal: {{seal}}\n# mcp-reap-job: none\nkey={{v}}\n", &[("v", "ü")]);
        assert_eq!(origin(&text), Origin::Sealed(None));
        for (at, letter) in text.char_indices().filter(|(_, letter)| letter.is_ascii()) {
            let mut changed = text.clone();
            changed.replace_range(at..at + letter.len_utf8(), if letter == '~' { "!" } else { "~" });
            assert_ne!(origin(&changed), Origin::Sealed(None), "{changed}");
            changed.truncate(at);
            assert_ne!(origin(&changed), Origin::Sealed(None), "{changed}");
        }
        assert_eq!(origin(&format!("{text}\n")), Origin::Edited);
        assert_eq!(origin("[Timer]\nOnCalendar=daily\n"), Origin::Foreign);
        assert_eq!(origin("# mcp-reap-seal: ü"), Origin::Edited);
        assert_eq!(origin("# mcp-reap-seal: 123456789012345ü"), Origin::Edited);
    }

    #[test]
    fn a_value_that_looks_like_a_seal_seals_nothing() {
        let template = "# mcp-reap-seal: {{seal}}\nkey={{v}}\n";
        let text = sealed(template, &[("v", "mcp-reap-seal: 0000000000000000")]);
        assert_eq!(origin(&text), Origin::Sealed(None));
        assert!(text.ends_with("key=mcp-reap-seal: 0000000000000000\n"));
    }
}
