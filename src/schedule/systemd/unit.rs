//! The two units, quoted according to systemd.syntax(7) and systemd.service(5). `systemd/` in the repository has a copy
//! of both.

use super::super::job::{ARGUMENTS, Job};
use super::super::seal;

/// The service: one run.
pub(super) fn service(job: &Job) -> String {
    format!(
        r#"{header}
[Unit]
Description=End MCP servers that nobody uses any more
Documentation=https://github.com/mcp-reap/mcp-reap

[Service]
Type=oneshot
ExecStart={command}
{environment}
# A run waits up to five minutes for another one, and takes as long as its grace. Longer than this, and it hangs.
TimeoutStartSec={longest_run}
# Stopped (logout, shutdown), it finishes what it has begun and closes the audit log: exit 128 + SIGTERM is an
# orderly end. Exit 1, something survived, is not: it shows in `systemctl --user --failed`.
TimeoutStopSec={longest_stop}
SuccessExitStatus=143

# Behind everything the person is doing.
Slice=background.slice
Nice=10
IOSchedulingClass=best-effort
IOSchedulingPriority=7

# Only what a user manager can do without a user namespace. ProtectSystem=, ProtectHome=, ProtectProc=, PrivateTmp=,
# PrivateUsers= and all others that need a mount namespace put a service of a user manager into a user namespace of
# its own, and from in there the kernel shows no process's /proc/PID/fd, environ and cwd, not even of the same user
# (ptrace(2), access mode check): every verdict would be "undetermined". CapabilityBoundingSet= and what implies it
# (ProtectClock=, ProtectKernelModules=, ProtectKernelLogs=, PrivateDevices=) end in 218/CAPABILITIES here.
NoNewPrivileges=yes
UMask=0077
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
# systemctl talks to the bus; sock_diag(7) shows the other end of a socket. Nothing else leaves.
RestrictAddressFamilies=AF_UNIX AF_NETLINK
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
"#,
        header = header("mcp-reap.service", job),
        command = command(job),
        environment = environment(job),
        longest_run = job.longest_run(),
        longest_stop = job.longest_stop(),
    )
}

/// The timer: when it runs.
pub(super) fn timer(job: &Job) -> String {
    format!(
        r"{header}
[Unit]
Description=End MCP servers that nobody uses any more, {calendar}
Documentation=https://github.com/mcp-reap/mcp-reap

[Timer]
OnCalendar={on_calendar}
# A time that was slept through or logged out over is made up for.
Persistent=true
RandomizedDelaySec={spread}
Unit=mcp-reap.service

[Install]
WantedBy=timers.target
",
        header = header("mcp-reap.timer", job),
        calendar = job.calendar,
        on_calendar = job.calendar.systemd(),
        spread = job.calendar.spread_seconds(),
    )
}

fn header(unit: &str, job: &Job) -> String {
    format!(
        "# Written by `mcp-reap schedule install`, removed by `mcp-reap schedule uninstall`. What is changed in here is left
# alone by both from then on; `systemctl --user edit {unit}` puts changes beside it instead.
{}",
        seal::lines("# ", job)
    )
}

/// The value of `ExecStart=`.
///
/// `$` begins a variable in the arguments, which include argv\[0\], but not in the path that is executed. So doubling
/// it cannot be right for both. `:` before the path turns variables off (systemd 244), and is written only if it is
/// needed.
fn command(job: &Job) -> String {
    let binary = job.binary();
    let literal = if binary.contains('$') { ":" } else { "" };
    format!("{literal}{} {}", word(&binary), ARGUMENTS.join(" "))
}

/// The lines that set variables.
fn environment(job: &Job) -> String {
    let line = |(name, value)| format!("Environment={}\n", word(&format!("{name}={value}")));
    job.environment.iter().map(line).collect()
}

/// One word. `%` is doubled, because it begins a specifier, and a word that is not plain is quoted.
fn word(text: &str) -> String {
    let text = text.replace('%', "%%");
    if text.chars().all(|letter| letter.is_ascii_alphanumeric() || "/._-+:@,=%$".contains(letter)) {
        return text;
    }
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_systemd_would_split_or_expand_them() {
        for (text, expected) in [
            ("/usr/bin/mcp-reap", "/usr/bin/mcp-reap"),
            ("/o/100%", "/o/100%%"),
            ("/o/my tools/m", "\"/o/my tools/m\""),
            ("/o/it's;a", "\"/o/it's;a\""),
            ("/o/a\"b\\c", "\"/o/a\\\"b\\\\c\""),
            ("/o/ü", "\"/o/ü\""),
        ] {
            assert_eq!(word(text), expected);
        }
    }
}
