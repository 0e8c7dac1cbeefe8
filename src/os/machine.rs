//! The facts of the machine: what it runs and how much memory it has. Read when they are shown, and
//! never for a judgement.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sysinfo::{MemoryRefreshKind, RefreshKind, System};

/// One machine. What the system does not say is `None`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Machine {
    /// The operating system or distribution: `Debian GNU/Linux`, `macOS`.
    pub(crate) os: Option<String>,
    /// Its version: `12`, `15.4`.
    pub(crate) os_version: Option<String>,
    /// The kernel's: `6.18.1`, `24.4.0`.
    pub(crate) kernel: Option<String>,
    /// As Rust calls it: `x86_64`, `aarch64`.
    pub(crate) arch: &'static str,
    /// When it was started.
    pub(crate) booted_at: Option<DateTime<Utc>>,
    /// Bytes of memory; in a container with a limit of its own, that limit.
    pub(crate) memory: Option<u64>,
    /// Bytes of swap space.
    pub(crate) swap: Option<u64>,
}

impl Machine {
    /// This machine. Reads a handful of small files or system values, well below a millisecond.
    #[must_use]
    pub(crate) fn here() -> Machine {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

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
