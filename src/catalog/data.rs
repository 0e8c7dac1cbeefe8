//! `catalog.toml`, read into sets. It borrows from the text, so reading it costs hardly more than
//! parsing it.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Deserialize;

/// The text of the catalog, compiled in.
pub(super) const SOURCE: &str = include_str!("catalog.toml");

type Text = &'static str;
pub(super) type Set = HashSet<Text>;

/// Sorted words in one string, parted by white space: quicker to parse than a list of strings.
#[derive(Debug, Deserialize)]
#[serde(from = "Text", bound(deserialize = "'de: 'static"))]
pub(super) struct Words(Vec<Text>);

impl From<Text> for Words {
    fn from(text: Text) -> Words {
        Words(text.split_whitespace().collect())
    }
}

impl Words {
    pub(super) fn contains(&self, word: &str) -> bool {
        self.0.binary_search(&word).is_ok()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Text> {
        self.0.iter().copied()
    }

    /// The same without regard to case.
    pub(super) fn has(&self, word: &str) -> bool {
        self.0.iter().any(|known| known.eq_ignore_ascii_case(word))
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(super) struct Data {
    pub server: Server,
    pub not: Not,
    /// By kind; the kinds are for the reader.
    tools: BTreeMap<Text, Words>,
    /// Shells and the like, which the resolver looks through.
    pub known: Names,
    client: BTreeMap<Text, Vec<Text>>,
    pub plugins: Plugins,
    pub electron: Electron,
    pub helper: Helper,
    pub supervisor: Names,
    pub init: Names,
    /// Filled from `tools`.
    #[serde(skip)]
    pub tool_names: Set,
    /// Filled from `client`.
    #[serde(skip)]
    pub clients: Clients,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(super) struct Server {
    pub words: Words,
    pub ending: Text,
    pub scopes: Words,
    pub names: Words,
    modes: Vec<Text>,
    /// Filled from `modes`: the arguments, by program.
    #[serde(skip)]
    pub modes_of: HashMap<Text, Vec<Text>>,
    pub commands: Words,
    pub bare_commands: Words,
    pub subcommands: Words,
    pub verbs: Words,
    pub flags: Words,
    pub official: Words,
    pub alias: HashMap<Text, Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(super) struct Not {
    pub names: Words,
    pub first: Words,
    pub last: Words,
    pub job: Words,
    pub own_job: Words,
    pub script: Words,
    pub batch_whole: Words,
    pub batch: Words,
    pub batch_flags: Words,
    pub batch_option: Words,
    pub batch_object: Words,
    pub task: Words,
    pub of_mcp: Words,
    pub cleans: Words,
    pub chip: Words,
    pub folder: Words,
    pub folder_last: Words,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(super) struct Plugins {
    pub folders: Vec<Text>,
    pub except: Vec<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(super) struct Electron {
    pub idle: Vec<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(super) struct Helper {
    pub browsers: Set,
    pub browser_helpers: Vec<Text>,
    pub profiles: BTreeMap<Text, Text>,
    pub shared_profiles: BTreeMap<Text, Text>,
    pub folders: BTreeMap<Text, Text>,
    pub scripts: BTreeMap<Text, Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(super) struct Names {
    pub names: Words,
}

/// The clients by the form of what is known of them.
#[derive(Debug, Default)]
pub(super) struct Clients {
    names: HashMap<Text, Text>,
    apps: HashMap<Text, Text>,
    commands: Vec<(Text, Text)>,
    beginnings: Vec<(Text, Text)>,
    paths: Vec<(Text, Text)>,
}

impl Helper {
    /// The server in whose own folder of programs a path lies.
    pub(super) fn folder(&self, path: &str) -> Option<(Text, Text)> {
        self.folders
            .iter()
            .find(|(folder, _)| path.contains(**folder))
            .map(|(folder, server)| (*folder, *server))
    }
}

impl Data {
    /// # Errors
    /// When the text is not a catalog; a test holds the built-in one to it.
    pub(super) fn parse() -> Result<Data, toml::de::Error> {
        let mut data: Data = toml::from_str(SOURCE)?;
        data.tool_names.reserve(512);
        data.tool_names.extend(std::mem::take(&mut data.tools).into_values().flat_map(|words| words.0));
        for (client, marks) in std::mem::take(&mut data.client) {
            for mark in marks {
                if let Some(beginning) = mark.strip_suffix('*') {
                    data.clients.beginnings.push((beginning, client));
                } else if mark.starts_with('/') {
                    data.clients.paths.push((mark, client));
                } else if mark.ends_with(".app") {
                    data.clients.apps.insert(mark, client);
                } else if mark.contains(' ') {
                    data.clients.commands.push((mark, client));
                } else {
                    data.clients.names.insert(mark, client);
                }
            }
        }
        for mode in std::mem::take(&mut data.server.modes) {
            let (program, arguments) = mode.split_once(' ').unwrap_or((mode, ""));
            data.server.modes_of.entry(program).or_default().push(arguments);
        }
        Ok(data)
    }
}

impl Clients {
    /// The client with one of these names.
    pub(super) fn named(&self, name: &str) -> Option<Text> {
        let exact = self.names.get(name).copied();
        exact.or_else(|| {
            self.beginnings
                .iter()
                .find(|(beginning, _)| name.starts_with(beginning))
                .map(|(_, client)| *client)
        })
    }

    /// The client that a program is with its first argument.
    pub(super) fn called(&self, name: &str, first: &str) -> Option<Text> {
        self.commands
            .iter()
            .find(|(mark, _)| mark.split_once(' ') == Some((name, first)))
            .map(|(_, client)| *client)
    }

    /// The programs that are a client only with a first argument.
    pub(super) fn with_commands(&self) -> impl Iterator<Item = Text> {
        self.commands.iter().filter_map(|(mark, _)| Some(mark.split_once(' ')?.0))
    }

    /// The client that a file belongs to by where it lies: an application's own programs, or the
    /// folder of a client's versions. What an application ships in its Resources is not it.
    pub(super) fn at(&self, path: &str) -> Option<Text> {
        // Most first arguments are a bare name, and every mark has a slash.
        if !path.contains('/') {
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
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_catalog_is_one() {
        let data = Data::parse().unwrap();
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
    fn a_program_may_be_a_client_only_with_its_first_argument() {
        let clients = Data::parse().unwrap().clients;
        assert_eq!(clients.with_commands().collect::<Vec<_>>(), ["q"]);
        assert_eq!((clients.called("q", "chat"), clients.called("q", "x")), (Some("amazon-q"), None));
    }

    #[test]
    fn a_client_is_known_by_its_own_programs_and_not_by_what_it_ships() {
        let clients = Data::parse().unwrap().clients;
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
