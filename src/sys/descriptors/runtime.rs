//! Names of unix sockets: how they are shown, and which sockets are no channel.

use std::collections::BTreeMap;

use crate::bytes::{Argv, to_text};
use crate::process::Listener;

/// Sockets that a runtime opens in every program, for its own debugger or children:
///
/// - `tsx-UID/PID.pipe` below the temporary folder: the launcher of [tsx] listens there for its own child.
/// - `dotnet-diagnostic-PID-KEY-socket`, `clr-debug-pipe-PID-...`: the [diagnostic port] of every .NET process.
/// - `SingletonSocket`: a second Chromium with the same profile reports to the first one there.
/// - `.java_pidPID`: the attach listener of a HotSpot JVM.
///
/// Each entry has a prefix of the parent folder's name, and a prefix and a suffix of the file's name.
///
/// [tsx]: https://github.com/privatenumber/tsx
/// [diagnostic port]: https://learn.microsoft.com/dotnet/core/diagnostics/diagnostic-port
const RUNTIMES_OWN: [(&str, &str, &str); 5] = [
    ("tsx-", "", ".pipe"),
    ("", "dotnet-diagnostic-", ""),
    ("", "clr-debug-pipe", ""),
    ("", "SingletonSocket", ""),
    ("", ".java_pid", ""),
];

/// Is it a runtime's own socket, and so no channel? The name is as the kernel reports it.
pub(in crate::sys) fn is_runtimes_own(name: &[u8]) -> bool {
    let name = String::from_utf8_lossy(name);
    let (folder, file) = name.rsplit_once('/').unwrap_or(("", &name));
    let folder = folder.rsplit_once('/').map_or(folder, |(_, folder)| folder);
    RUNTIMES_OWN.iter().any(|(parent, begin, end)| {
        folder.starts_with(parent) && file.starts_with(begin) && file.ends_with(end)
    })
}

/// Is it the socket of a display server: `/tmp/.X11-unix/X0`, as a path or in the abstract namespace, or `wayland-0`?
pub(in crate::sys) fn is_display(name: &[u8]) -> bool {
    let name = String::from_utf8_lossy(name.strip_prefix(b"\0").unwrap_or(name));
    name.contains(".X11-unix/X") || name.rsplit('/').next().is_some_and(|file| file.starts_with("wayland-"))
}

/// Was a process told to show its window on one of these X displays, by its environment or by an option of X's toolkit? If the
/// environment was not read, the answer is yes.
pub(in crate::sys) fn is_told_to_show(
    argv: Option<&Argv>,
    env: Option<&BTreeMap<String, String>>,
    displays: &[u16],
) -> bool {
    if displays.is_empty() {
        return false;
    }
    let names_one = |text: &str| display_number(text).is_some_and(|number| displays.contains(&number));
    let words: Vec<_> = argv.iter().flat_map(|argv| argv.iter()).map(to_text).collect();
    env.is_none_or(|env| env.get("DISPLAY").is_some_and(|value| names_one(value)))
        || words
            .windows(2)
            .any(|pair| ["-display", "--display", "-d"].contains(&&*pair[0]) && names_one(&pair[1]))
        || words.iter().filter_map(|word| word.strip_prefix("--display=")).any(names_one)
}

/// `localhost:10.0` names the display with number 10 (X(7)).
fn display_number(name: &str) -> Option<u16> {
    let (_, number) = name.rsplit_once(':')?;
    number.split('.').next()?.parse().ok()
}

/// The text by which a unix socket that serves is shown: `unix:/run/x.sock`, `unix:@abstract`.
pub(in crate::sys) fn unix_listener(name: &[u8]) -> Listener {
    let shown = match name.strip_prefix(b"\0") {
        Some(name) => format!("unix:@{}", String::from_utf8_lossy(name)),
        None => format!("unix:{}", String::from_utf8_lossy(name)),
    };
    Listener::Other(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtimes_own_socket_is_no_channel_and_any_other_is() {
        let cases: [(&[u8], bool); 11] = [
            (b"/tmp/org.chromium.Chromium.8GsT1a/SingletonSocket", true),
            (b"/tmp/tsx-1000/4711.pipe", true),
            (b"/tmp/dotnet-diagnostic-4711-992233-socket", true),
            (b"/tmp/clr-debug-pipe-4711-992233-in", true),
            (b"/tmp/.java_pid4711", true),
            (b"/tmp/tsx-1000/server.sock", false),
            (b"/tmp/4711.pipe", false),
            (b"/run/user/1000/my-dotnet-diagnostic-1-socket", false),
            (b"/tmp/mcp.sock", false),
            (b"\0codegraph", false),
            (b"", false),
        ];
        for (name, own) in cases {
            assert_eq!(is_runtimes_own(name), own, "{}", String::from_utf8_lossy(name));
        }
    }

    #[test]
    fn a_display_is_known_by_its_sockets_name() {
        let cases: [(&[u8], bool); 7] = [
            (b"/tmp/.X11-unix/X9", true),
            (b"\0/tmp/.X11-unix/X0", true),
            (b"/run/user/1000/wayland-0", true),
            (b"/run/user/1000/bus", false),
            (b"/tmp/.X11-unix", false),
            (b"/home/u/wayland-tools/mcp.sock", false),
            (b"", false),
        ];
        for (name, display) in cases {
            assert_eq!(is_display(name), display, "{}", String::from_utf8_lossy(name));
        }
    }

    #[test]
    fn a_display_over_tcp_is_the_one_that_the_process_was_told() {
        let env = |value: &str| BTreeMap::from([("DISPLAY".to_owned(), value.to_owned())]);
        let told = |display: &str| is_told_to_show(None, Some(&env(display)), &[10]);
        for display in ["localhost:10.0", "localhost:10", "[::1]:10.1", "10.0.0.3:10", ":10"] {
            assert!(told(display), "{display}");
        }
        for display in ["localhost:0", ":0.10", "localhost", "", "wayland-10", "host:10x"] {
            assert!(!told(display), "{display}");
        }
        assert!(is_told_to_show(None, None, &[10]), "its environment was not read");
        assert!(!is_told_to_show(None, None, &[]) && !is_told_to_show(None, Some(&BTreeMap::new()), &[10]));
        let argv = |words: &[&str]| {
            let argv = words.iter().map(|word| word.as_bytes()).collect();
            is_told_to_show(Some(&argv), Some(&env(":0")), &[10])
        };
        assert!(argv(&["xterm", "-display", "far:10.0"]) && argv(&["gedit", "--display=far:10"]));
        assert!(!argv(&["xterm", "-display", "far:1"]) && !argv(&["xterm", "far:10"]));
    }

    #[test]
    fn names_are_shown_as_the_recorded_tables_have_them() {
        assert_eq!(unix_listener(b"/run/x.sock").to_string(), "unix:/run/x.sock");
        assert_eq!(unix_listener(b"\0hub").to_string(), "unix:@hub");
    }
}
