//! Does Codex run a hook? It ignores a hook silently until it has asked the person about it.
//!
//! The answer is in the person's `config.toml`, under the hook's file, event and position:
//!
//! ```toml
//! [hooks.state."/home/u/.codex/hooks.json:session_end:0:0"]
//! trusted_hash = "sha256:..."
//! ```
//!
//! The hash is that of the entry, so Codex asks again about a changed entry. The hash is not checked here. If there is
//! one, the person was asked (codex-rs/hooks/src/engine/discovery.rs).

use std::path::Path;

use serde::Serialize;
use toml::Value;

use super::error::InstallError;
use super::install::text;
use super::settings::{HookClient, positions};

/// The person's answer about a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Trust {
    /// There is none, so Codex ignores the hook.
    NotAsked,
    /// The hook was trusted as it was then.
    Recorded,
    /// The hook is switched off.
    Off,
}

/// The person's answers about all entries that an install writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CodexTrust {
    /// The answer about our entry, for each event that has one.
    pub(crate) events: Vec<(&'static str, Trust)>,
    /// Whether no hook runs, because of `hooks = false` under `[features]`.
    pub(crate) hooks_off: bool,
}

/// Reads the answers about our entries in this `hooks.json` from the person's `config.toml`.
///
/// # Errors
/// When one of the two files cannot be read, or the configuration is not TOML.
pub(crate) fn of_codex(hooks: &Path, config: &Path) -> Result<CodexTrust, InstallError> {
    let entries = text(hooks)?;
    let config: toml::Table = text(config)?.parse().map_err(|error: toml::de::Error| {
        InstallError::Unparsed { file: config.to_owned(), why: error.to_string() }
    })?;
    let state = config.get("hooks").and_then(|hooks| hooks.get("state"));
    // Codex writes the path as it was found, or with its links resolved.
    let real = hooks.canonicalize().unwrap_or_else(|_| hooks.to_owned());
    let answer = |event: &str, (group, entry): (usize, usize)| {
        let recorded = [hooks, &real]
            .into_iter()
            .find_map(|path| state?.get(format!("{}:{}:{group}:{entry}", path.display(), key(event))));
        match recorded {
            Some(recorded) if recorded.get("enabled").and_then(Value::as_bool) == Some(false) => Trust::Off,
            Some(recorded) if recorded.get("trusted_hash").is_some() => Trust::Recorded,
            _ => Trust::NotAsked,
        }
    };
    let events = HookClient::Codex.events().iter().filter_map(|event| {
        let place = positions(HookClient::Codex, &entries, event).into_iter().next()?;
        Some((*event, answer(event, place)))
    });
    let features = config.get("features");
    let hooks_off =
        features.and_then(|features| features.get("hooks")).and_then(Value::as_bool) == Some(false);
    Ok(CodexTrust { events: events.collect(), hooks_off })
}

/// The name of an event in the key.
fn key(event: &str) -> &'static str {
    match event {
        "SessionStart" => "session_start",
        _ => "session_end",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use super::super::settings::{HookCommand, install};
    use super::*;

    /// `hooks.json` as an install leaves it, behind another entry at the session's start.
    fn answers(config: &str) -> Result<CodexTrust, InstallError> {
        let folder = tempfile::tempdir().unwrap();
        let hooks = folder.path().join("hooks.json");
        let before = r#"{"hooks": {"SessionStart": [{"hooks": [{"type": "command", "command": "hello"}]}]}}"#;
        let command = HookCommand::new(HookClient::Codex, Path::new("/usr/bin/mcp-reap")).unwrap();
        fs::write(&hooks, install(before, &command).unwrap().text).unwrap();
        fs::write(folder.path().join("config.toml"), config.replace("HOOKS", hooks.to_str().unwrap()))
            .unwrap();
        of_codex(&hooks, &folder.path().join("config.toml"))
    }

    #[test]
    fn a_hook_that_codex_was_told_nothing_of_is_not_trusted() {
        for (config, end, start) in [
            ("", Trust::NotAsked, Trust::NotAsked),
            (
                "[hooks.state.\"HOOKS:session_end:0:0\"]\ntrusted_hash = \"sha256:0\"",
                Trust::Recorded,
                Trust::NotAsked,
            ),
            (
                "[hooks.state.\"HOOKS:session_start:0:0\"]\ntrusted_hash = \"sha256:0\"",
                Trust::NotAsked,
                Trust::NotAsked,
            ),
            (
                "[hooks.state.\"HOOKS:session_start:1:0\"]\ntrusted_hash = \"sha256:0\"",
                Trust::NotAsked,
                Trust::Recorded,
            ),
            (
                "[hooks.state.\"HOOKS:session_end:0:0\"]\nenabled = false\ntrusted_hash = \"sha256:0\"",
                Trust::Off,
                Trust::NotAsked,
            ),
            ("[hooks]\nstate = 7", Trust::NotAsked, Trust::NotAsked),
        ] {
            let expected = vec![("SessionEnd", end), ("SessionStart", start)];
            assert_eq!(
                answers(config).unwrap(),
                CodexTrust { events: expected, hooks_off: false },
                "{config}"
            );
        }
    }

    #[test]
    fn hooks_can_be_off_altogether_and_a_broken_file_is_named() {
        assert!(answers("[features]\nhooks = false").unwrap().hooks_off);
        assert!(!answers("[features]\nhooks = true").unwrap().hooks_off);
        let error = answers("[features").unwrap_err().to_string();
        assert!(error.contains("config.toml") && error.contains("line 1"), "{error}");
    }
}
