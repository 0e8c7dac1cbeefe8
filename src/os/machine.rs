//! Facts of the machine: its system and its memory. They are only displayed, and no judgement uses them.

use chrono::{DateTime, Utc};
use serde::Serialize;

/// A machine. A value that the system does not know is `None`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Machine {
    /// The operating system or distribution: `Debian GNU/Linux`, `macOS`.
    pub(crate) os: Option<String>,
    /// Its version: `12`, `15.4`.
    pub(crate) os_version: Option<String>,
    /// The kernel's: `6.18.1`, `24.4.0`.
    pub(crate) kernel: Option<String>,
    /// The processor architecture by Rust's name: `x86_64`, `aarch64`.
    pub(crate) arch: &'static str,
    /// When it was started.
    pub(crate) booted_at: Option<DateTime<Utc>>,
    /// Bytes of memory; in a container with a limit, that limit.
    pub(crate) memory: Option<u64>,
    /// Bytes of swap space.
    pub(crate) swap: Option<u64>,
}

#[cfg(not(target_os = "macos"))]
impl Machine {
    /// This machine. Reads a handful of small files or system values, well below a millisecond.
    pub(crate) fn here() -> Machine {
        use sysinfo::{MemoryRefreshKind, RefreshKind, System};
        let memory = MemoryRefreshKind::nothing().with_ram().with_swap();
        let system = System::new_with_specifics(RefreshKind::nothing().with_memory(memory)).ok();
        let system = system.filter(|system| system.total_memory() > 0);
        let limit = system.as_ref().and_then(System::cgroup_limits).map(|limits| limits.total_memory);
        let total = system.as_ref().map(System::total_memory);
        let boot = System::boot_time().ok().and_then(|seconds| i64::try_from(seconds).ok());
        Machine {
            os: System::name().ok(),
            os_version: System::os_version().ok(),
            kernel: System::kernel_version().ok(),
            arch: std::env::consts::ARCH,
            booted_at: boot.filter(|at| *at > 0).and_then(|at| DateTime::from_timestamp(at, 0)),
            memory: total.into_iter().chain(limit.filter(|bytes| *bytes > 0)).min(),
            swap: system.as_ref().map(System::total_swap),
        }
    }
}

#[cfg(target_os = "macos")]
impl Machine {
    /// This machine. Runs `sysctl`, a few milliseconds.
    pub(crate) fn here() -> Machine {
        let limit = std::time::Duration::from_secs(2);
        let call =
            super::command::Call { program: "sysctl", args: &VALUES, environment: &[], limit, largest: 4096 };
        Machine::of_sysctl(&call.run().map(|output| output.stdout).unwrap_or_default())
    }
}

/// The names for `sysctl` on a Mac.
#[cfg(any(target_os = "macos", test))]
const VALUES: [&str; 5] =
    ["kern.osproductversion", "kern.osrelease", "kern.boottime", "hw.memsize", "vm.swapusage"];

#[cfg(any(target_os = "macos", test))]
impl Machine {
    /// Reads what `sysctl` prints:
    /// ```text
    /// kern.osproductversion: 15.4
    /// kern.boottime: { sec = 1772000000, usec = 123456 } Wed Feb 25 07:13:20 2026
    /// vm.swapusage: total = 2048.00M  used = 913.25M  free = 1134.75M  (encrypted)
    /// ```
    fn of_sysctl(output: &str) -> Machine {
        let value = |name: &str| {
            let line = |line: &'_ str| Some(line.strip_prefix(name)?.strip_prefix(": ")?.trim().to_owned());
            output.lines().find_map(line).filter(|value| !value.is_empty())
        };
        // The number between a mark and the next character that is no digit.
        let after = |text: String, mark: &str| -> Option<String> {
            let rest = text.split_once(mark)?.1;
            Some(rest.chars().take_while(char::is_ascii_digit).collect())
        };
        let boot =
            value("kern.boottime").and_then(|text| after(text, "sec = ")).and_then(|sec| sec.parse().ok());
        let swap = value("vm.swapusage")
            .and_then(|text| after(text, "total = "))
            .and_then(|mb| mb.parse::<u64>().ok());
        Machine {
            os: value("kern.osproductversion").map(|_| "macOS".to_owned()),
            os_version: value("kern.osproductversion"),
            kernel: value("kern.osrelease"),
            arch: std::env::consts::ARCH,
            booted_at: boot.filter(|at| *at > 0).and_then(|at| DateTime::from_timestamp(at, 0)),
            memory: value("hw.memsize").and_then(|bytes| bytes.parse().ok()),
            swap: swap.and_then(|mb| mb.checked_mul(1 << 20)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_sysctl_prints_on_a_mac_is_read_and_what_it_does_not_print_is_not_known() {
        let output = "kern.osproductversion: 15.4\nkern.osrelease: 24.4.0\n\
            kern.boottime: { sec = 1772000000, usec = 123456 } Wed Feb 25 07:13:20 2026\nhw.memsize: 17179869184\n\
            vm.swapusage: total = 2048.00M  used = 913.25M  free = 1134.75M  (encrypted)\n";
        let machine = Machine::of_sysctl(output);
        let version = (machine.os.as_deref(), machine.os_version.as_deref(), machine.kernel.as_deref());
        assert_eq!(version, (Some("macOS"), Some("15.4"), Some("24.4.0")));
        assert_eq!((machine.memory, machine.swap), (Some(16 << 30), Some(2 << 30)));
        assert_eq!(machine.booted_at.unwrap().timestamp(), 1_772_000_000);
        for noise in ["", "kern.osrelease:", "hw.memsize: much\nkern.boottime: { }\nvm.swapusage: total = ?"]
        {
            let machine = Machine::of_sysctl(noise);
            assert_eq!((machine.os, machine.kernel, machine.memory, machine.swap), (None, None, None, None));
            assert_eq!(machine.booted_at, None);
        }
        assert!(VALUES.iter().all(|name| output.contains(&format!("{name}: "))));
    }

    #[test]
    fn a_machine_has_a_kernel_a_boot_and_some_memory() {
        let machine = Machine::here();
        assert!(
            machine.kernel.is_some_and(|kernel| kernel.starts_with(|first: char| first.is_ascii_digit()))
        );
        assert!(machine.booted_at.unwrap() < Utc::now());
        assert!(machine.memory.unwrap() > 16 << 20);
    }
}
