//! Programs with flags that have a special meaning.

/// The short flag by which this program takes a password, and whether the password may be the next word (`true`) or only
/// the rest of the same word.
pub(super) fn short_flag(program: &str) -> Option<(&'static str, bool)> {
    match program {
        "ldapsearch" => Some(("w", true)),
        "mariadb" | "mariadb-dump" | "mysql" | "mysqldump" => Some(("p", false)),
        "mongosh" | "sshpass" => Some(("p", true)),
        "redis-cli" => Some(("a", true)),
        _ => None,
    }
}

/// Is it a program whose `--env NAME` takes the value from its own environment, not from the next word?
pub(super) fn is_container(program: &str) -> bool {
    matches!(program, "docker" | "finch" | "nerdctl" | "podman")
}
