//! Programs whose flags mean something of their own.

/// A short flag that is for a password in this program.
#[derive(Debug)]
pub(super) struct ShortFlag {
    program: &'static str,
    pub flag: &'static str,
    /// The password may be the next word; else it only stands in the same one.
    pub apart: bool,
}

const SHORT_FLAGS: &[ShortFlag] = &[
    ShortFlag { program: "ldapsearch", flag: "w", apart: true },
    ShortFlag { program: "mariadb", flag: "p", apart: false },
    ShortFlag { program: "mariadb-dump", flag: "p", apart: false },
    ShortFlag { program: "mongosh", flag: "p", apart: true },
    ShortFlag { program: "mysql", flag: "p", apart: false },
    ShortFlag { program: "mysqldump", flag: "p", apart: false },
    ShortFlag { program: "redis-cli", flag: "a", apart: true },
    ShortFlag { program: "sshpass", flag: "p", apart: true },
];

/// The flag of this program that is for a password.
pub(super) fn short_flag(program: &str) -> Option<&'static ShortFlag> {
    SHORT_FLAGS.iter().find(|short| short.program == program)
}

/// Programs whose `--env NAME` takes no more words: the value comes from their own environment.
pub(super) fn is_container(program: &str) -> bool {
    matches!(program, "docker" | "finch" | "nerdctl" | "podman")
}
