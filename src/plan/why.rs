//! The reasons why an instance is left alone although its verdict or a person would end it.

use crate::process::Pid;

/// Why an instance is left alone although its verdict or a person would end it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// pid 0, 1 or 2, or a kernel thread.
    System,
    /// mcp-reap itself or one of its ancestors is a member.
    Ourselves,
    /// A member belongs to another user, or its user could not be read.
    OtherUser,
    /// A client was started below it and would lose its parent.
    Client,
    /// Younger than `min_age`.
    TooYoung,
    /// A member is in another PID namespace.
    OtherNamespace,
    /// It is a job of a Claude Code shell tool or hook, or may be one because its environment could not be read.
    ToolJob,
    /// A process outside the instance traces a member: a debugger is attached.
    Traced,
    /// A member belongs to the person: a browser, an editor, a terminal.
    Person,
    /// The shell above it runs another command after it, but only if it exits with success.
    Awaited,
    /// The second look saw another verdict, other members, or nothing.
    Changed,
    /// The second look saw nothing of it: it ended by itself.
    Left,
    /// It was chosen by a person, but the allowlist names it.
    Allowed,
    /// It was chosen by a person, but a service manager runs it and would start it again.
    Managed,
    /// A person chose it, but did not agree to end what is in use, and it is.
    InUse,
    /// A person chose it, but did not agree to end what is in use, and it may be: something could not be read.
    MayBeInUse,
}

impl Why {
    /// In a few words, for people and the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Why::System => "a system process is part of it",
            Why::Ourselves => "mcp-reap runs inside it",
            Why::OtherUser => "a member belongs to another user",
            Why::Client => "a client runs below it",
            Why::TooYoung => "younger than min_age",
            Why::OtherNamespace => "a member lives in another PID namespace",
            Why::ToolJob => "a job of a Claude Code shell tool or hook, or its environment is hidden",
            Why::Traced => "a debugger or tracer is attached to it",
            Why::Awaited => "the shell above it may go on only if it ends by itself",
            Why::Person => "a person's browser, editor or terminal runs below it",
            Why::Changed => "changed between the two looks",
            Why::Left => "ended by itself before any signal",
            Why::Allowed => "the allowlist names it",
            Why::Managed => "a service manager runs it, and would start it again",
            Why::InUse => "in use",
            Why::MayBeInUse => "may be in use: something could not be read",
        }
    }

    /// What a person can do to have it ended. `root` is the instance's root.
    pub fn way_out(self, root: Pid) -> String {
        match self {
            Why::Ourselves => "run mcp-reap from another terminal".to_owned(),
            Why::OtherUser => "run mcp-reap as that user, or as root with --all-users".to_owned(),
            Why::TooYoung => "--min-age 0s takes young ones too".to_owned(),
            Why::OtherNamespace => "run mcp-reap inside that container".to_owned(),
            Why::Traced => "detach the debugger first".to_owned(),
            Why::Left => "nothing is left to do".to_owned(),
            Why::Allowed => "take the rule out of the allowlist first".to_owned(),
            Why::Managed => "stop its unit with the service manager".to_owned(),
            Why::InUse | Why::MayBeInUse => "--in-use ends it all the same".to_owned(),
            Why::Changed => "run again".to_owned(),
            Why::System | Why::Client | Why::ToolJob | Why::Person | Why::Awaited => {
                format!("`mcp-reap explain {root}` says more")
            }
        }
    }
}
