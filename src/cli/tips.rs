//! Names of commands in other programs, and the command here with that purpose.

/// The command to type instead of one that does not exist; `None` if no other program has one of this name.
pub(crate) fn tip(word: &str) -> Option<&'static str> {
    Some(match word {
        "clean" | "cleanup" | "clear" | "end" | "gc" | "prune" | "purge" | "reap" | "run" | "start"
        | "sweep" => "`mcp-reap` alone finds, shows, asks and ends; `mcp-reap --dry-run` only shows",
        "dry-run" | "dryrun" | "plan" | "preview" => "`mcp-reap --dry-run` shows what would be ended",
        "stop" | "term" | "terminate" | "rm" | "remove" | "pkill" => {
            "`mcp-reap kill PID|NAME` ends what you choose"
        }
        "pick" | "select" | "interactive" => "`mcp-reap -i` lets you choose from a list",
        "watch" | "top" | "monitor" => "`mcp-reap list --watch` looks again every two seconds",
        "show" | "info" | "inspect" | "tree" => {
            "`mcp-reap list --tree` shows all instances, `mcp-reap explain PID` one of them"
        }
        "health" | "healthcheck" => {
            "`mcp-reap check` tells by its exit code, `mcp-reap doctor` what it can see"
        }
        "logs" | "audit" => "`mcp-reap log` shows what past runs ended",
        "init" | "edit" | "settings" => {
            "`mcp-reap config init` writes a configuration, `mcp-reap config edit` opens it"
        }
        "install" | "enable" | "cron" => {
            "`mcp-reap schedule install` runs it every week, `mcp-reap hook install` when a session ends"
        }
        "uninstall" | "disable" => "`mcp-reap schedule uninstall` and `mcp-reap hook uninstall`",
        "allow" | "ignore" => {
            "`mcp-reap config edit`, and an [[allow]] rule in it; for one run: --allow PATTERN"
        }
        _ => return None,
    })
}
