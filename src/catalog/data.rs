//! `catalog.toml` as constants, which `build.rs` generates.

use crate::word_list::{WordList, Words};

/// The text of the catalog.
pub(super) const SOURCE: &str = include_str!("catalog.toml");

include!(concat!(env!("OUT_DIR"), "/catalog.rs"));

type Text = &'static str;
type Texts = &'static [Text];

/// Pairs, sorted by their keys.
#[derive(Clone, Copy, Debug)]
pub(super) struct Map<V: 'static>(&'static [(Text, V)]);

impl<V: Copy> Map<V> {
    pub(super) fn get(self, key: &str) -> Option<V> {
        let at = self.0.binary_search_by(|(known, _)| (*known).cmp(key)).ok()?;
        self.0.get(at).map(|(_, value)| *value)
    }

    pub(super) fn iter(self) -> impl Iterator<Item = (Text, V)> {
        self.0.iter().copied()
    }
}

#[derive(Debug)]
pub(super) struct Data {
    pub server: Server,
    pub not: Not,
    /// Shells and similar programs, which the resolver resolves further.
    pub known: WordList,
    pub plugins: Plugins,
    pub electron: Electron,
    pub helper: Helper,
    pub supervisor: WordList,
    pub init: WordList,
    pub person: Person,
    /// The programs of all kinds in `tools`.
    pub tool_names: WordList,
    pub clients: Clients,
    /// All names that may identify a program that was not resolved further.
    pub heads: WordList,
}

#[derive(Debug)]
pub(super) struct Server {
    pub words: WordList,
    pub ending: Text,
    pub scopes: WordList,
    pub names: WordList,
    /// The arguments from `modes`, by program.
    pub modes_of: Map<Texts>,
    pub commands: WordList,
    pub bare_commands: WordList,
    pub subcommands: WordList,
    pub verbs: WordList,
    pub flags: WordList,
    pub official: WordList,
    pub alias: Map<Text>,
}

#[derive(Debug)]
pub(super) struct Not {
    pub names: WordList,
    pub first: WordList,
    pub last: WordList,
    pub job: WordList,
    pub own_job: WordList,
    pub script: WordList,
    pub batch_whole: WordList,
    pub batch: WordList,
    pub batch_flags: WordList,
    pub batch_option: WordList,
    pub batch_object: WordList,
    pub task: WordList,
    pub chore: WordList,
    pub of_mcp: WordList,
    pub cleans: WordList,
    pub chip: WordList,
    pub folder: WordList,
    pub folder_last: WordList,
}

#[derive(Debug)]
pub(super) struct Plugins {
    pub folders: Texts,
    pub except: Texts,
}

#[derive(Debug)]
pub(super) struct Electron {
    pub idle: Texts,
}

#[derive(Debug)]
pub(super) struct Helper {
    pub browsers: Texts,
    pub browser_helpers: Texts,
    pub profiles: Map<Text>,
    pub shared_profiles: Map<Text>,
    pub folders: Map<Text>,
    pub scripts: Map<Text>,
}

#[derive(Debug)]
pub(super) struct Person {
    pub editors: WordList,
    pub terminals: WordList,
    pub browsers: WordList,
    pub sessions: WordList,
    pub goes_on: WordList,
    pub multiplexers: WordList,
    pub desktop: WordList,
    pub builds: WordList,
}

/// The clients, by the form of their names and paths.
#[derive(Debug)]
pub(super) struct Clients {
    names: Map<Text>,
    apps: &'static [(Text, Text)],
    commands: &'static [(Text, Text)],
    beginnings: &'static [(Text, Text)],
    paths: &'static [(Text, Text)],
}

impl Helper {
    /// The server whose own folder of programs contains this path.
    pub(super) fn folder(&self, path: &str) -> Option<(Text, Text)> {
        self.folders.iter().find(|(folder, _)| path.contains(folder))
    }
}

impl Clients {
    /// The client with one of these names.
    pub(super) fn named(&self, name: &str) -> Option<Text> {
        let begun = || self.beginnings.iter().find(|(beginning, _)| name.starts_with(beginning));
        self.names.get(name).or_else(|| begun().map(|(_, client)| *client))
    }

    /// Does a client's name begin like this one?
    pub(super) fn begins(&self, name: &str) -> bool {
        self.beginnings.iter().any(|(beginning, _)| name.starts_with(beginning))
    }

    /// The client that a program with this first argument is.
    pub(super) fn called(&self, name: &str, first: &str) -> Option<Text> {
        self.commands
            .iter()
            .find(|(mark, _)| mark.split_once(' ') == Some((name, first)))
            .map(|(_, client)| *client)
    }

    /// The client of a file in an application's own folder of programs, or in the folder of a client's versions. A file
    /// in an application's Resources does not count.
    pub(super) fn at(&self, path: &str) -> Option<Text> {
        // Most paths contain none of the marks. Searching for each mark took a third of all identification.
        if !parts(path).any(|part| self.begins_mark(part)) {
            return None;
        }
        if let Some((before, inside)) = path.split_once(".app/Contents/") {
            let app = before.rsplit('/').next().unwrap_or(before);
            let own = inside.starts_with("MacOS/") || inside.starts_with("Frameworks/");
            if own
                && let Some((_, client)) =
                    self.apps.iter().find(|(known, _)| known.strip_suffix(".app") == Some(app))
            {
                return Some(client);
            }
        }
        self.paths.iter().find(|(part, _)| path.contains(part)).map(|(_, client)| *client)
    }

    /// Does a mark begin here?
    fn begins_mark(&self, part: &str) -> bool {
        part.starts_with("/Contents/") || self.paths.iter().any(|(mark, _)| part.starts_with(mark))
    }
}

/// The rest of a path from each of its slashes on.
fn parts(path: &str) -> impl Iterator<Item = &str> {
    let slashes = path.bytes().enumerate().filter(|(_, byte)| *byte == b'/');
    slashes.filter_map(|(at, _)| path.get(at..))
}

impl Data {
    /// May this path be in the folder of a client's or a server's own programs?
    pub(super) fn has_mark(&self, path: &str) -> bool {
        let helper = |part: &str| self.helper.folders.iter().any(|(folder, _)| part.starts_with(folder));
        parts(path).any(|part| self.clients.begins_mark(part) || helper(part))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_catalog_holds_what_its_text_says() {
        let data = &DATA;
        assert!(data.clients.named("claude") == Some("claude-code") && data.server.words.contains("mcp"));
    }

    #[test]
    fn every_list_of_words_is_sorted_for_its_search() {
        let lists = SOURCE.split("'''").skip(1).step_by(2);
        let mut seen = 0;
        for list in lists {
            let words: Vec<&str> = list.split_whitespace().collect();
            assert!(words.is_sorted_by(|left, right| left < right), "out of order or twice: {list}");
            seen += 1;
        }
        assert!(seen > 10, "{seen} lists");
    }

    #[test]
    fn what_makes_a_server_without_a_known_name_says_mcp() {
        let Data { server, helper, .. } = &DATA;
        let words = [server.words, server.commands, server.bare_commands, server.flags];
        let scripts = helper.scripts.iter().map(|(script, _)| script);
        for word in words.into_iter().flat_map(WordList::iter).chain(scripts).chain([server.ending]) {
            assert!(word.contains("mcp"), "the prefilter and `may_be_one` leave it out: {word}");
        }
        assert!(helper.folders.iter().all(|(folder, _)| folder.starts_with('/')));
        assert!(DATA.clients.paths.iter().all(|(mark, _)| mark.starts_with('/')));
    }

    #[test]
    fn a_program_may_be_a_client_only_with_its_first_argument() {
        let clients = &DATA.clients;
        assert!(DATA.heads.contains("q"));
        assert_eq!((clients.called("q", "chat"), clients.called("q", "x")), (Some("amazon-q"), None));
    }

    #[test]
    fn a_client_is_known_by_its_own_programs_and_not_by_what_it_ships() {
        let clients = &DATA.clients;
        for (path, client) in [
            ("/Applications/Zed.app/Contents/MacOS/zed", Some("zed")),
            ("/Applications/Zed.app/Contents/Frameworks/Helper.app/Contents/MacOS/Helper", Some("zed")),
            ("Zed.app/Contents/MacOS/zed", Some("zed")),
            ("/Applications/Zed.app/Contents/Resources/git", None),
            ("/Applications/Notes.app/Contents/MacOS/Notes", None),
            ("/home/u/.cursor-server/bin/abc/node", Some("cursor")),
            ("/home/u/cursor-server/node", None),
            ("Zed.app", None),
        ] {
            assert_eq!(clients.at(path), client, "{path}");
        }
    }
}
