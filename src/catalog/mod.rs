//! What is known about programs: servers, launchers, clients, helpers; and what a process is by it.

use crate::process::ProcessRecord;

/// What part a process plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Starts MCP servers and talks to them. Never a target by default.
    Client,
    /// Speaks MCP.
    Server,
    /// Stands between client and server, and its own argv names the server it launches.
    Launcher,
    /// Passes on to another program without naming a server itself (`sh script`, `npm run x`,
    /// `env`, `timeout`): part of an instance only when all it runs is.
    Wrapper,
    /// Something a server starts that can be told as such on its own: a browser with a server's
    /// profile folder.
    Helper,
    /// Starts and watches processes of others (pm2, supervisord, a container shim): as a parent it
    /// is an owner, even as pid 1.
    Supervisor,
    /// Adopts orphans (systemd, launchd, tini): as a parent it says that the owner is gone.
    Init,
}

/// By what a process was identified, strongest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Its argv is an entry of one of the person's MCP client configs.
    Configured {
        /// Which client's configuration, such as `claude-code`.
        client: String,
        /// The entry's name there.
        entry: String,
    },
    /// The resolved program matches a rule of the catalog.
    Catalog {
        /// What really runs: package, module, script, bin or image.
        program: String,
        /// The rule, as the catalog writes it.
        rule: String,
    },
    /// The resolved program matches a `[[server]]` rule.
    Rule {
        /// What really runs.
        program: String,
        /// The rule's name.
        rule: String,
    },
    /// Its environment says that Claude Code started it as a stdio server.
    Environment,
    /// It is a child of a client, on a wire to it.
    Ancestry,
}

/// What a process is, and by what that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identification {
    /// The part it plays.
    pub role: Role,
    /// For servers, launchers and helpers the server's short name (`server-filesystem`,
    /// `chrome-devtools-mcp`); for clients the client's (`claude-code`); for wrappers, supervisors and inits
    /// the program's.
    pub name: String,
    /// By what.
    pub basis: Basis,
}

/// All that is known, compiled once.
#[derive(Debug, Default)]
pub struct Catalog {}

impl Catalog {
    /// What a process is, if anything that matters here. Looks at argv, exe and comm only.
    #[must_use]
    pub fn identify(&self, record: &ProcessRecord) -> Option<Identification> {
        let _ = record;
        None
    }

    /// The name of the program a process really runs, where that can be told.
    #[must_use]
    pub fn program(&self, record: &ProcessRecord) -> Option<String> {
        let _ = record;
        None
    }
}
