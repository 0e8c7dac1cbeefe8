//! Parses the output of `systemctl show`, which has one `Name=value` on each line.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::{DateTime, NaiveDateTime, Utc};

/// The properties of the timer that are read. `LastTriggerUSec` is not among them: after a restart it is the stamp of
/// `Persistent=`, which is made when the timer is first started and not when it first runs.
pub(super) const TIMER: &str = "LoadState,ActiveState,UnitFileState,FragmentPath,DropInPaths,NeedDaemonReload,\
TimersCalendar,NextElapseUSecRealtime";

/// The properties of the service that are read.
pub(super) const SERVICE: &str = "LoadState,ActiveState,FragmentPath,DropInPaths,NeedDaemonReload,\
ExecStart,ExecMainStartTimestamp,ExecMainExitTimestamp,ExecMainStatus,Result";

/// The properties in an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Properties(BTreeMap<String, String>);

impl Properties {
    pub(super) fn parse(output: &str) -> Properties {
        let pairs = output.lines().filter_map(|line| line.split_once('='));
        Properties(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// The value of a property; `None` if it is missing or empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub(super) fn is(&self, name: &str, value: &str) -> bool {
        self.get(name) == Some(value)
    }

    /// The drop-in files for this unit. Those that distributions install for all services do not count (Fedora:
    /// `/usr/lib/systemd/user/service.d/10-timeout-abort.conf`). The paths are separated by spaces and may contain
    /// spaces.
    pub(super) fn drop_ins(&self) -> Vec<String> {
        let list = format!(" {}", self.get("DropInPaths").unwrap_or_default());
        let paths = list.split(" /").skip(1).map(|path| format!("/{path}"));
        paths.filter(|path| path.contains("/mcp-reap.")).collect()
    }

    /// The program of `ExecStart={ path=/usr/bin/mcp-reap ; argv[]=/usr/bin/mcp-reap --yes ; ... }`.
    pub(super) fn program(&self) -> Option<PathBuf> {
        let (path, _) = self.get("ExecStart")?.strip_prefix("{ path=")?.split_once(" ; argv[]=")?;
        Some(PathBuf::from(path))
    }

    /// A time as systemctl writes it with `TZ=UTC`: `Sun 2026-11-22 03:00:00 UTC`. `n/a`, `0` and an empty value count
    /// as missing.
    pub(super) fn time(&self, name: &str) -> Option<DateTime<Utc>> {
        let (_weekday, time) = self.get(name)?.split_once(' ')?;
        NaiveDateTime::parse_from_str(time, "%Y-%m-%d %H:%M:%S UTC").ok().map(|time| time.and_utc())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn drop_ins_of_all_services_do_not_count() {
        let shown = Properties::parse(
            "DropInPaths=/usr/lib/systemd/user/service.d/10-timeout-abort.conf \
             /home/a b/.config/systemd/user/mcp-reap.service.d/my own.conf /x/mcp-reap.timer.d/z.conf\n",
        );
        let expected =
            ["/home/a b/.config/systemd/user/mcp-reap.service.d/my own.conf", "/x/mcp-reap.timer.d/z.conf"];
        assert_eq!(shown.drop_ins(), expected);
        assert!(Properties::parse("DropInPaths=\n").drop_ins().is_empty());
    }

    #[test]
    fn an_empty_or_unreadable_value_is_none() {
        let shown = Properties::parse(
            "A=\nB=x=y\nnoise\nT=Sun 2026-11-22 03:00:00 UTC\nN=n/a\nZ=0\nL=Sun 2026-11-22 03:00:00 CET\n",
        );
        assert_eq!(shown.program(), None);
        let service =
            Properties::parse("ExecStart={ path=/o p/m ; argv[]=/o p/m --yes ; ignore_errors=no }\n");
        assert_eq!(service.program(), Some(PathBuf::from("/o p/m")));
        assert_eq!((shown.get("A"), shown.get("B"), shown.get("C")), (None, Some("x=y"), None));
        assert!(shown.is("B", "x=y") && !shown.is("A", ""));
        assert_eq!(shown.time("T").unwrap().to_rfc3339(), "2026-11-22T03:00:00+00:00");
        assert_eq!(["A", "N", "Z", "L", "C"].map(|name| shown.time(name)), [None; 5]);
    }
}
