//! Fills in placeholders, and extracts the host of an address.
//!
//! Clients fill in `${VAR}`, `${VAR:-x}`, `$VAR`, `${env:VAR}`, `${workspaceFolder}`, `${input:x}` and more when they
//! start a server. Their environment is not ours, and its values may be secrets. So only placeholders whose value
//! follows from the place of the file are filled in.

use std::path::Path;

/// Placeholders for the folder of the plugin or extension with the entry, in Claude Code, Gemini CLI and Claude
/// Desktop.
const FOLDER: [&str; 3] = ["${CLAUDE_PLUGIN_ROOT}", "${extensionPath}", "${__dirname}"];
/// Placeholders for the separator of paths, which is `/` here.
const SEPARATOR: [&str; 2] = ["${/}", "${pathSeparator}"];
/// Placeholders for the person's home, of the shell, VS Code and Cursor.
const HOME: [&str; 3] = ["${HOME}", "${env:HOME}", "${userHome}"];

/// Fills in the folder of a plugin or extension.
pub(super) fn folder(word: &str, folder: &Path) -> String {
    let mut filled = word.to_owned();
    for name in FOLDER {
        if filled.contains(name) {
            filled = filled.replace(name, &folder.to_string_lossy());
        }
    }
    for name in SEPARATOR {
        filled = filled.replace(name, "/");
    }
    filled
}

/// Fills in the home: a leading `~`, and `$HOME` in its spellings.
pub(super) fn home(word: &str, home: &Path) -> String {
    if !word.contains(['~', '$']) {
        return word.to_owned();
    }
    let home = home.to_string_lossy();
    let mut filled = match word.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("{home}{rest}"),
        _ => word.to_owned(),
    };
    for name in HOME {
        filled = filled.replace(name, &home);
    }
    bare_home(&filled, &home)
}

/// `$HOME`, but not the beginning of `$HOMEBREW_PREFIX`.
fn bare_home(word: &str, home: &str) -> String {
    let mut parts = word.split("$HOME");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let longer = part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        filled.push_str(if longer { "$HOME" } else { home });
        filled.push_str(part);
    }
    filled
}

/// Only the host of an address, with its port. User names, paths and queries may contain tokens.
pub(super) fn host(url: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    url.trim()
        .split_once("://")
        .map(|(_, rest)| rest.split(['/', '?', '#', '\\']).next().unwrap_or_default())
        .map(|authority| authority.rsplit('@').next().unwrap_or_default())
        .filter(|host| !host.is_empty() && host.len() <= 255 && host.chars().all(plain))
        .unwrap_or("unknown")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_file_s_own_place_tells_is_filled_in() {
        for (written, filled) in [
            ("${CLAUDE_PLUGIN_ROOT}/dist/s.js", "/p/x/dist/s.js"),
            ("--a=${extensionPath}${/}b${/}c", "--a=/p/x/b/c"),
            ("${__dirname}${pathSeparator}s.py", "/p/x/s.py"),
            ("${CLAUDE_PLUGIN_DATA}/db", "${CLAUDE_PLUGIN_DATA}/db"),
            ("$CLAUDE_PLUGIN_ROOT", "$CLAUDE_PLUGIN_ROOT"),
        ] {
            assert_eq!(folder(written, Path::new("/p/x")), filled, "{written}");
        }
    }

    #[test]
    fn the_home_is_filled_in_and_nothing_else_of_the_environment() {
        for (written, filled) in [
            ("~", "/h/ada"),
            ("~/bin/s", "/h/ada/bin/s"),
            ("~root/bin/s", "~root/bin/s"),
            ("a~/b", "a~/b"),
            ("$HOME/s", "/h/ada/s"),
            ("-v$HOME:/data", "-v/h/ada:/data"),
            ("$HOMEBREW_PREFIX/bin", "$HOMEBREW_PREFIX/bin"),
            ("$HOME_DIR$HOME", "$HOME_DIR/h/ada"),
            ("${HOME}/s:${env:HOME}:${userHome}", "/h/ada/s:/h/ada:/h/ada"),
            ("${PATH}", "${PATH}"),
            ("${HOME:-/x}", "${HOME:-/x}"),
            ("${env:PATH}", "${env:PATH}"),
            ("${input:key} $USER ${workspaceFolder}", "${input:key} $USER ${workspaceFolder}"),
            ("", ""),
        ] {
            assert_eq!(home(written, Path::new("/h/ada")), filled, "{written}");
        }
    }

    #[test]
    fn of_an_address_only_the_host_is_kept() {
        for (url, kept) in [
            ("https://mcp.example.com/sse", "mcp.example.com"),
            ("http://127.0.0.1:8080", "127.0.0.1:8080"),
            ("https://[::1]:9/x", "[::1]:9"),
            ("https://user:s3cret@api.example.com:444/k/s3cret?key=s3cret#s3cret", "api.example.com:444"),
            ("https://a@b@s3cret.example@host.example/", "host.example"),
            ("https://host.example?token=s3cret@x", "host.example"),
            ("${MCP_URL}", "unknown"),
            ("https://${HOST:-s3cret}/x", "unknown"),
            ("sk-s3cret", "unknown"),
            ("https://", "unknown"),
            ("", "unknown"),
            ("https://evil\u{1b}[2J/", "unknown"),
        ] {
            assert_eq!(host(url), kept, "{url}");
        }
    }
}
