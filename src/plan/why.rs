//! The reasons why an instance is left alone although its verdict or a person would end it.

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
    /// A person chose it, but did not agree to end what is in use, and it may be: what would show it is not known.
    MayBeInUse,
    /// Another run was at work, so this one left everything alone.
    OtherRun,
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
            Why::ToolJob => {
                "a job of a Claude Code shell tool or hook, or may be one: its environment is not known"
            }
            Why::Traced => "a debugger or tracer is attached to it",
            Why::Awaited => "the shell above it may go on only if it ends by itself",
            Why::Person => "a person's browser, editor or terminal runs below it",
            Why::Changed => "changed between the two looks",
            Why::Left => "ended by itself before any signal",
            Why::Allowed => "the allowlist names it",
            Why::Managed => "a service manager runs it, and would start it again",
            Why::InUse => "in use",
            Why::OtherRun => "another run is at work",
            Why::MayBeInUse => "whether anybody uses it is not known",
        }
    }
}
