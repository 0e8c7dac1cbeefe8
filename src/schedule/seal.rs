//! The seal of a job's file, which shows whether mcp-reap wrote the file and whether it was changed since.
//!
//! The comments of each file contain the job that it was made for and a seal, which is a checksum of everything else in
//! it. If the seal is right, a version of mcp-reap wrote exactly these bytes, so they may be replaced or removed. If it
//! is wrong, the file was edited. The seal protects only against accidents: a user who may write this file may also run
//! any program.

use super::job::Job;

const SEAL: &str = "mcp-reap-seal: ";
const JOB: &str = "mcp-reap-job: ";
/// The placeholder for the checksum while it is computed.
const UNSEALED: &str = "0000000000000000";

/// The two comment lines with the origin of a file. Each begins with `margin`.
pub(super) fn lines(margin: &str, job: &Job) -> String {
    format!("{margin}{SEAL}{UNSEALED}\n{margin}{JOB}{}\n", job.to_line())
}

/// The text with its checksum instead of the placeholder. `text` must contain [`lines`] before any variable part.
pub(super) fn sealed(text: &str) -> String {
    text.replacen(&format!("{SEAL}{UNSEALED}"), &format!("{SEAL}{}", checksum(text)), 1)
}

/// The origin of a file by its comments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// A version of mcp-reap wrote it, and it is unchanged. The job is `None` if that version wrote jobs in another
    /// form.
    Sealed(Option<Job>),
    /// mcp-reap wrote it, but it was changed since.
    Edited,
    /// Not written by mcp-reap.
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

/// FNV-1a with 64 bits (draft-eastlake-fnv). It needs only ten lines of code, and a single changed byte always changes
/// it.
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
    fn every_changed_byte_breaks_the_seal() {
        let text = sealed("# mcp-reap-seal: 0000000000000000\n# mcp-reap-job: none\nkey=ü\n");
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
        let text = sealed("# mcp-reap-seal: 0000000000000000\nkey=mcp-reap-seal: 0000000000000000\n");
        assert_eq!(origin(&text), Origin::Sealed(None));
        assert!(text.ends_with("key=mcp-reap-seal: 0000000000000000\n"));
    }
}
