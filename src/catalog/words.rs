//! The words of a name: `mcp-server-git`, `MCPServer` and `mcp_server.main` have the same words.

/// The words of a name, split at everything that is no letter or digit and where the case changes.
pub(super) fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(|c: char| !c.is_ascii_alphanumeric()).flat_map(humps).filter(|word| !word.is_empty())
}

/// `GitHubMCPServer` -> `Git`, `Hub`, `MCP`, `Server`. The text is ASCII letters and digits.
fn humps(text: &str) -> impl Iterator<Item = &str> {
    let bytes = text.as_bytes();
    let mut start = 0;
    std::iter::from_fn(move || {
        if start >= bytes.len() {
            return None;
        }
        let mut end = start + 1;
        while end < bytes.len() {
            let upper = bytes[end].is_ascii_uppercase();
            let rises = upper && !bytes[end - 1].is_ascii_uppercase();
            let falls = upper && bytes.get(end + 1).is_some_and(u8::is_ascii_lowercase);
            // "URLs", "APIs": a lone small letter at the end belongs to the word before.
            if rises || falls {
                break;
            }
            end += 1;
        }
        let word = text.get(start..end);
        start = end;
        word
    })
}

/// Do the bytes contain `mcp` in any case? This is a quick check before the words are examined.
#[allow(clippy::needless_bitwise_bool)] // a lazy operator is a way out in between
pub(super) fn says_mcp(bytes: &[u8]) -> bool {
    let says = |bytes: &[u8]| {
        // This compares all bytes without leaving early, so that sixteen bytes are compared at once.
        let threes = bytes.iter().zip(bytes.iter().skip(1)).zip(bytes.iter().skip(2));
        threes.fold(false, |found, ((m, c), p)| {
            found | ((m | 0x20 == b'm') & (c | 0x20 == b'c') & (p | 0x20 == b'p'))
        })
    };
    // Eighteen bytes contain sixteen positions. The last ones are compared twice, so that none is compared singly.
    match bytes.last_chunk::<18>() {
        Some(end) => says(end) || (0..bytes.len() - 18).step_by(16).any(|at| says(&bytes[at..at + 18])),
        None => says(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_falls_into_words_at_separators_and_humps() {
        for (name, expected) in [
            ("mcp-server-git", "mcp server git"),
            ("@a/notes_mcp.server", "a notes mcp server"),
            ("GitHubMCPServer", "Git Hub MCP Server"),
            ("McpServer", "Mcp Server"),
            ("BlenderMCP", "Blender MCP"),
            ("xcodebuildmcp", "xcodebuildmcp"),
            ("mcproxy", "mcproxy"),
            ("mcp:start", "mcp start"),
            ("", ""),
            ("--", ""),
            ("né-mcp", "n mcp"),
        ] {
            assert_eq!(words(name).collect::<Vec<_>>().join(" "), expected, "{name}");
        }
    }

    #[test]
    fn mcp_is_seen_in_any_case_and_nothing_else_is() {
        for (text, says) in [("a-MCP", true), ("Mcp", true), ("mc", false), ("m-c-p", false), ("", false)] {
            assert_eq!(says_mcp(text.as_bytes()), says, "{text}");
        }
        for length in 3..70 {
            for at in 0..=length - 3 {
                let mut text = vec![b'-'; length];
                assert!(!says_mcp(&text));
                text[at..at + 3].copy_from_slice(b"mCp");
                assert!(says_mcp(&text), "{at} of {length}");
            }
        }
    }
}
