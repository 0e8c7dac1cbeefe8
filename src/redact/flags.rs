//! Programs whose flags mean something of their own.

/// The short flag with which this program takes a password, and whether the password may be the next word (`true`) or
/// only part of the same word.
pub(super) fn short_flag(program: &str) -> Option<(&'static str, bool)> {
    match program {
        "ldapsearch" => Some(("w", true)),
        "mariadb" | "mariadb-dump" | "mysql" | "mysqldump" => Some(("p", false)),
        "mongosh" | "sshpass" => Some(("p", true)),
        "redis-cli" => Some(("a", true)),
        _ => None,
    }
}

/// Programs whose `--env NAME` takes no more words: the value comes from their own environment.
pub(super) fn is_container(program: &str) -> bool {
    matches!(program, "docker" | "finch" | "nerdctl" | "podman")
}
