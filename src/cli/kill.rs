//! What is typed to end instances by choice.

use clap::Args;

use super::Named;

/// Which instances to end, and with whose yes.
#[derive(Args, Debug, Default)]
pub struct KillArgs {
    /// Any process of an instance (4242), all instances of a server (context7-mcp, a pattern), or what listens on
    /// a port (:3000).
    #[arg(required = true, value_name = "PID|NAME|:PORT", value_parser = Named::parse)]
    pub targets: Vec<Named>,

    /// Also end what is in use, or may be, without asking: a session loses its tools.
    #[arg(long)]
    pub in_use: bool,

    /// Show what would be ended and why; send nothing, write no audit events.
    #[arg(long, short = 'n')]
    pub dry_run: bool,

    /// Do not ask. Needed where nobody can be asked: a pipe, a script, a timer.
    #[arg(long, short = 'y')]
    pub yes: bool,

    /// Wait for another run of mcp-reap to end (five minutes at most) instead of leaving the work to it.
    #[arg(long)]
    pub wait: bool,
}
