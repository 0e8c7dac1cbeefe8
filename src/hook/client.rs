//! The clients that run hooks: the file of each, and the form of our entry in it.
//!
//! | client | file | an entry |
//! |---|---|---|
//! | Claude Code | `settings.json` | a program and its `args`, without a shell (<https://code.claude.com/docs/en/hooks>) |
//! | Codex | `hooks.json` | the same shape, a line for a shell (<https://developers.openai.com/codex/hooks>) |
//! | Gemini CLI | `settings.json` | a line for a shell, with a name; milliseconds (<https://geminicli.com/docs/hooks/reference>) |
//! | Cursor | `hooks.json` | a line for a shell, without a group around it (<https://cursor.com/docs/hooks>) |

use std::path::Path;

use serde_json::{Value, json};

use super::error::SettingsError;

/// A client that calls hooks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum HookClient {
    /// Claude Code.
    #[default]
    ClaudeCode,
    /// OpenAI's Codex.
    Codex,
    /// Google's Gemini CLI.
    #[value(name = "gemini", alias = "gemini-cli")]
    GeminiCli,
    /// Cursor.
    Cursor,
}

impl HookClient {
    /// All clients.
    pub const ALL: [HookClient; 4] =
        [HookClient::ClaudeCode, HookClient::Codex, HookClient::GeminiCli, HookClient::Cursor];

    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            HookClient::ClaudeCode => "Claude Code",
            HookClient::Codex => "Codex",
            HookClient::GeminiCli => "Gemini CLI",
            HookClient::Cursor => "Cursor",
        }
    }

    /// Its name in the catalog and in JSON.
    pub fn id(self) -> &'static str {
        match self {
            HookClient::ClaudeCode => "claude-code",
            HookClient::Codex => "codex",
            HookClient::GeminiCli => "gemini-cli",
            HookClient::Cursor => "cursor",
        }
    }

    /// The events that call our hook, in the client's own names. At the end of a session servers are left behind. At
    /// the start of one those are found that a crash left, after which no hook runs. For Cursor only the end counts,
    /// because its sessions are conversations, and the start of one says nothing about a crash.
    pub fn events(self) -> &'static [&'static str] {
        match self {
            HookClient::Cursor => &["sessionEnd"],
            _ => &["SessionEnd", "SessionStart"],
        }
    }

    /// The matcher of our group. Gemini CLI compares the whole word, and Codex takes a regular expression. Without a
    /// matcher both would also call the hook for `clear`, which begins no session.
    pub(super) fn matcher(self, event: &str) -> Option<&'static str> {
        match (self, event) {
            (HookClient::ClaudeCode, _) => Some(""),
            (HookClient::Codex, "SessionStart") => Some("startup|resume"),
            (HookClient::GeminiCli, "SessionStart") => Some("startup"),
            _ => None,
        }
    }

    /// Are entries in groups, each with a list `hooks`? Cursor has a list of entries without groups.
    pub(super) fn has_groups(self) -> bool {
        self != HookClient::Cursor
    }

    /// The key that the file needs besides `hooks`, with its value.
    pub(super) fn required(self) -> Option<(&'static str, Value)> {
        (self == HookClient::Cursor).then(|| ("version", json!(1)))
    }

    /// The program that an entry with these values runs, if the entry is ours. It is ours if it runs a program of our
    /// name with exactly the arguments of a hook.
    pub(super) fn our_program(
        self,
        kind: Option<&str>,
        command: &str,
        args: Option<&[String]>,
    ) -> Option<String> {
        let program = match (self, kind, args) {
            (HookClient::ClaudeCode, Some("command"), Some(args)) if args == ARGS => command.to_owned(),
            (HookClient::Cursor, None | Some("command"), None) => program_of_line(command)?,
            (HookClient::Codex | HookClient::GeminiCli, Some("command"), None) => program_of_line(command)?,
            _ => return None,
        };
        is_our_program(&program).then_some(program)
    }
}

/// The program a client's hook runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookCommand {
    pub(super) client: HookClient,
    pub(super) program: String,
}

impl HookCommand {
    /// The program at this path, with the arguments `hook run`.
    ///
    /// # Errors
    /// When the path is not absolute, is not Unicode (JSON cannot contain it), or does not end in `mcp-reap` (the entry
    /// would not be found again).
    pub fn new(client: HookClient, program: &Path) -> Result<HookCommand, SettingsError> {
        let text = program.to_str().filter(|_| program.is_absolute());
        match text {
            Some(text) if is_our_program(text) => Ok(HookCommand { client, program: text.to_owned() }),
            _ => Err(SettingsError::Program { program: program.to_string_lossy().into_owned() }),
        }
    }

    /// The path.
    pub fn program(&self) -> &Path {
        Path::new(&self.program)
    }

    /// The client.
    pub fn client(&self) -> HookClient {
        self.client
    }

    /// The `command` of the entry: the program, or the shell line that runs it.
    pub(super) fn line(&self) -> String {
        match self.client {
            HookClient::ClaudeCode => self.program.clone(),
            _ => format!("{} {}", quoted(&self.program), ARGS.join(" ")),
        }
    }

    /// The item for the array of an event: a group with one entry, or the entry.
    pub(super) fn item(&self, event: &str) -> Value {
        let command = self.line();
        // Claude Code gives all SessionEnd hooks together 1.5 s, unless an entry has a longer timeout. Codex allows at
        // most three seconds at a session's end.
        let entry = match (self.client, event) {
            (HookClient::ClaudeCode, _) => {
                json!({"type": "command", "command": command, "args": ARGS, "timeout": 10})
            }
            (HookClient::Codex, "SessionEnd") => json!({"type": "command", "command": command, "timeout": 3}),
            (HookClient::Codex, _) => json!({"type": "command", "command": command, "timeout": 10}),
            (HookClient::GeminiCli, _) => {
                json!({"name": PROGRAM, "type": "command", "command": command, "timeout": 3000})
            }
            (HookClient::Cursor, _) => return json!({"command": command}),
        };
        match self.client.matcher(event) {
            Some(matcher) => json!({"matcher": matcher, "hooks": [entry]}),
            None => json!({"hooks": [entry]}),
        }
    }
}

/// The name of the program in an entry that is ours.
const PROGRAM: &str = "mcp-reap";
const ARGS: [&str; 2] = ["hook", "run"];

fn is_our_program(path: &str) -> bool {
    path.rsplit('/').next() == Some(PROGRAM)
}

/// A path quoted as one word for a shell.
fn quoted(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+,:@%=".contains(&byte);
    if path.bytes().all(plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

/// The program in a shell line that consists of one word and our arguments, as an install or a person writes it.
fn program_of_line(line: &str) -> Option<String> {
    let word = ARGS.iter().rev().try_fold(line.trim(), |line, word| {
        let before = line.strip_suffix(word)?;
        let word = before.trim_end_matches([' ', '\t']);
        (word.len() < before.len()).then_some(word)
    })?;
    let mut program = String::new();
    let mut rest = word.chars();
    while let Some(next) = rest.next() {
        match next {
            '\'' => {
                let (inside, after) = rest.as_str().split_once('\'')?;
                program.push_str(inside);
                rest = after.chars();
            }
            '"' => {
                let (inside, after) = rest.as_str().split_once('"')?;
                // The shell would expand this to a path that is not known here.
                if inside.contains(['$', '`', '\\']) {
                    return None;
                }
                program.push_str(inside);
                rest = after.chars();
            }
            '\\' => program.push(rest.next()?),
            next if next.is_whitespace() || "|&;<>()$`*?[#~!{}".contains(next) => return None,
            next => program.push(next),
        }
    }
    Some(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_of_a_shell_and_is_found_again() {
        for (path, word) in [
            ("/usr/local/bin/mcp-reap", "/usr/local/bin/mcp-reap"),
            ("/home/a b/mcp-reap", "'/home/a b/mcp-reap'"),
            ("/o'neil/$x/mcp-reap", r"'/o'\''neil/$x/mcp-reap'"),
            ("/\u{fc}/~/mcp-reap", "'/\u{fc}/~/mcp-reap'"),
        ] {
            for client in [HookClient::Codex, HookClient::GeminiCli, HookClient::Cursor] {
                let line = HookCommand { client, program: path.to_owned() }.line();
                assert_eq!(line, format!("{word} hook run"));
                assert_eq!(client.our_program(Some("command"), &line, None).as_deref(), Some(path), "{line}");
            }
        }
    }

    #[test]
    fn a_line_that_does_more_or_less_is_not_ours() {
        for line in [
            "/x/mcp-reaper hook run",
            "/x/mcp-reap hook run --quiet",
            "/x/mcp-reap hook",
            "/x/mcp-reaphook run",
            "echo; /x/mcp-reap hook run",
            "nice /x/mcp-reap hook run",
            "$HOME/bin/mcp-reap hook run",
            "\"$HOME/bin/mcp-reap\" hook run",
            "'/x/mcp-reap hook run",
            "/x/mcp-reap hook run; true",
            "hook run",
            "",
        ] {
            assert_eq!(HookClient::Codex.our_program(Some("command"), line, None), None, "{line}");
        }
        for line in ["\"/x y/mcp-reap\"  hook\trun ", "/x\\ y/mcp-reap hook run", "'/x y'/mcp-reap hook run"]
        {
            let found = HookClient::Cursor.our_program(None, line, None);
            assert_eq!(found.as_deref(), Some("/x y/mcp-reap"), "{line}");
        }
        assert_eq!(HookClient::Codex.our_program(Some("prompt"), "/x/mcp-reap hook run", None), None);
        assert_eq!(HookClient::ClaudeCode.our_program(Some("command"), "/x/mcp-reap hook run", None), None);
    }
}
