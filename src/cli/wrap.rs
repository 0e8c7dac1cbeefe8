//! What is typed to put configured servers under `exec`.

use clap::Subcommand;

/// What to do with the clients' configurations.
#[derive(Debug, Subcommand)]
pub enum WrapAction {
    /// Put one server under exec: in your own configuration, for all projects. Its client must not run.
    Install {
        /// Whose configuration, as `mcp-reap wrap` names it.
        #[arg(long, value_name = "CLIENT")]
        client: String,
        /// The server, by the name it has there.
        #[arg(long, value_name = "NAME")]
        server: String,
    },
    /// Take exec out again, of every server in your own configurations that has it.
    Uninstall {
        /// Only in this client's configuration.
        #[arg(long, value_name = "CLIENT")]
        client: Option<String>,
        /// Only of servers of this name.
        #[arg(long, value_name = "NAME")]
        server: Option<String>,
    },
}
