//! The role of a process, and what identified it.

use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::process::Pid;

/// The role of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Starts MCP servers and talks to them. Never a target by default.
    Client,
    /// Speaks MCP.
    Server,
    /// Stands between client and server, and its own argv names the server that it launches.
    Launcher,
    /// Runs another program, but its argv names no server (`sh script`, `npm run x`, `env`, `timeout`). It belongs to
    /// an instance only if everything that it runs does.
    Wrapper,
    /// Started by a server and recognised without it, such as a browser with a server's profile folder.
    Helper,
    /// Starts and watches other programs (pm2, supervisord, a container shim). As a parent it is an owner, also as pid
    /// 1.
    Supervisor,
    /// Adopts orphans (systemd, launchd, tini). As a parent it means that the owner is gone.
    Init,
}

/// The role of a process, its name, and what identified it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identification {
    /// Its role.
    pub role: Role,
    /// For servers, launchers and helpers the server's short name (`server-filesystem`,
    /// `chrome-devtools-mcp`); for clients the client's (`claude-code`); for wrappers, supervisors and inits
    /// the program's.
    pub name: String,
    /// What identified it.
    pub basis: Basis,
}

/// What identified a process, the strongest first. In JSON it is `by` and `what`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Its argv is an entry in the configuration of one of the person's clients.
    Configured {
        /// The client, such as `claude-code`.
        client: String,
        /// The entry's name there.
        entry: String,
    },
    /// Its script is below a client's plugin folder. That identifies it only together with a wire.
    Plugin {
        /// The plugin's name.
        plugin: String,
        /// The script's path.
        script: String,
    },
    /// The resolved program matches a rule of the catalog.
    Catalog {
        /// What really runs: package, module, script, bin or image.
        program: String,
        /// The rule that it matches.
        rule: Rule,
    },
    /// The resolved program matches a `[[server]]` rule.
    Taught {
        /// What really runs.
        program: String,
        /// The rule's pattern, as the person wrote it.
        pattern: String,
    },
    /// It is a browser with a profile folder that a library makes for any program: a server, or a person's own tests.
    /// It is a helper only with more evidence.
    SharedProfile {
        /// The beginning of the names of such folders.
        profile: String,
    },
    /// It is a headless browser with such a profile or a temporary one, so a program controls it. That program is not
    /// known, so the browser is a helper only if its parent has ended.
    Automated {
        /// The profile folder, or the beginning of its name.
        profile: String,
    },
    /// Its environment shows that Claude Code started it as a stdio server.
    Environment,
    /// The person put `mcp-reap exec` in front of it, or it carries the marker of `exec`.
    Exec,
    /// It holds both other ends of a server's stdio connection, as a client does.
    ActsAsClient {
        /// The server.
        server: Pid,
    },
}

/// A rule of the catalog, with the part of the program that matched it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A word of its name: `mcp`.
    Word(String),
    /// Its whole name, which the catalog lists.
    Name(String),
    /// The scope of its package: `@modelcontextprotocol`.
    Scope(String),
    /// The name of its image.
    Image(String),
    /// The folder with the program.
    Folder(String),
    /// An option that makes any program a server: `--mcp`.
    Option(String),
    /// A command that makes any program a server: `mcp serve`.
    Command(String),
    /// Arguments that make this program a server.
    Mode(String),
    /// A client's program name.
    Client(String),
    /// The name of a client that is installed at this path.
    ClientPath(String),
    /// A program that can be pid 1.
    Init(String),
    /// A program that supervises other programs.
    Supervisor(String),
    /// A browser's profile folder that only a server makes.
    Profile(String),
    /// The end of the path of a script that belongs to a server.
    Script(String),
    /// A tool that only runs another program.
    Wrapper(String),
}

impl Basis {
    /// The source of the identification, in one word.
    pub fn source(&self) -> &'static str {
        match self {
            Basis::Configured { .. } => "configured",
            Basis::Plugin { .. } => "plugin",
            Basis::Catalog { .. } => "catalog",
            Basis::Taught { .. } => "rule",
            Basis::SharedProfile { .. } | Basis::Environment => "environment",
            Basis::Automated { .. } => "profile",
            Basis::ActsAsClient { .. } => "stdio",
            Basis::Exec => "exec",
        }
    }
}

/// What identified it: `mcp-server-notes (word mcp)`.
impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Basis::Configured { client, entry } => write!(f, "{entry} of {client}"),
            Basis::Plugin { plugin, script } => write!(f, "{script} (plugin {plugin})"),
            Basis::Catalog { program, rule } => write!(f, "{program} ({rule})"),
            Basis::Taught { program, pattern } => write!(f, "{program} ({pattern})"),
            Basis::SharedProfile { profile } | Basis::Automated { profile } => write!(f, "profile {profile}"),
            Basis::Environment => f.write_str("started as a stdio server by claude-code"),
            Basis::Exec => f.write_str("started by mcp-reap exec"),
            Basis::ActsAsClient { server } => write!(f, "client of server {server}"),
        }
    }
}

impl Serialize for Basis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("by", self.source())?;
        map.serialize_entry("what", &self.to_string())?;
        map.end()
    }
}

/// The kind of rule and what matched: `word mcp`.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, value) = match self {
            Rule::Script(end) => return f.write_str(end),
            Rule::Word(word) => ("word", word),
            Rule::Name(name) => ("name", name),
            Rule::Scope(scope) => ("scope", scope),
            Rule::Image(image) => ("image", image),
            Rule::Folder(folder) => ("folder", folder),
            Rule::Option(option) => ("option", option),
            Rule::Command(command) => ("command", command),
            Rule::Mode(mode) => ("mode", mode),
            Rule::Client(client) => ("client", client),
            Rule::ClientPath(client) => ("path of", client),
            Rule::Init(init) => ("init", init),
            Rule::Supervisor(supervisor) => ("supervisor", supervisor),
            Rule::Profile(profile) => ("profile", profile),
            Rule::Wrapper(tool) => ("wrapper", tool),
        };
        write!(f, "{kind} {value}")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn each_basis_says_where_it_comes_from_and_what_it_was() {
        let text = |text: &str| text.to_owned();
        let catalog = |rule| Basis::Catalog { program: text("x"), rule };
        for (basis, by, what) in [
            (Basis::Configured { client: text("cursor"), entry: text("fs") }, "configured", "fs of cursor"),
            (Basis::Plugin { plugin: text("p"), script: text("/p/x.js") }, "plugin", "/p/x.js (plugin p)"),
            (Basis::Taught { program: text("x"), pattern: text("*-tools") }, "rule", "x (*-tools)"),
            (Basis::SharedProfile { profile: text("/p_") }, "environment", "profile /p_"),
            (Basis::Environment, "environment", "started as a stdio server by claude-code"),
            (Basis::Exec, "exec", "started by mcp-reap exec"),
            (catalog(Rule::Word(text("mcp"))), "catalog", "x (word mcp)"),
            (catalog(Rule::Name(text("x"))), "catalog", "x (name x)"),
            (catalog(Rule::Scope(text("@x"))), "catalog", "x (scope @x)"),
            (catalog(Rule::Image(text("mcp/*"))), "catalog", "x (image mcp/*)"),
            (catalog(Rule::Folder(text("mcps"))), "catalog", "x (folder mcps)"),
            (catalog(Rule::Option(text("--mcp"))), "catalog", "x (option --mcp)"),
            (catalog(Rule::Command(text("mcp"))), "catalog", "x (command mcp)"),
            (catalog(Rule::Mode(text("x mcp"))), "catalog", "x (mode x mcp)"),
            (catalog(Rule::Client(text("zed"))), "catalog", "x (client zed)"),
            (catalog(Rule::ClientPath(text("zed"))), "catalog", "x (path of zed)"),
            (catalog(Rule::Init(text("tini"))), "catalog", "x (init tini)"),
            (catalog(Rule::Supervisor(text("pm2"))), "catalog", "x (supervisor pm2)"),
            (catalog(Rule::Profile(text("/p"))), "catalog", "x (profile /p)"),
            (catalog(Rule::Script(text("/watchdog.js"))), "catalog", "x (/watchdog.js)"),
            (catalog(Rule::Wrapper(text("npx"))), "catalog", "x (wrapper npx)"),
        ] {
            let json = serde_json::to_string(&basis).unwrap();
            assert_eq!(json, format!(r#"{{"by":"{by}","what":"{what}"}}"#));
        }
    }
}
