//! The floor of a look: what the kernel alone takes to hand out `stat`, owner and `cmdline` of every process, on two
//! threads and with as few calls as there are. Nothing is parsed and nothing is kept. `benches/scan.sh` runs it beside
//! `mcp-reap`. Under any other name than its own it sleeps: the processes that are looked at.

#[cfg(target_os = "linux")]
fn main() -> std::io::Result<()> {
    linux::main()
}

/// Elsewhere there is no /proc.
#[cfg(not(target_os = "linux"))]
fn main() -> std::process::ExitCode {
    std::process::ExitCode::from(77)
}

#[cfg(target_os = "linux")]
mod linux {
    use std::mem::MaybeUninit;
    use std::os::fd::{AsFd, BorrowedFd};
    use std::sync::atomic::{AtomicUsize, Ordering};

    use rustix::fs::{Mode, OFlags, RawDir, fstat, open, openat};

    /// How many processes a thread takes at a time.
    const CHUNK: usize = 32;

    pub(super) fn main() -> std::io::Result<()> {
        while !std::env::args().next().is_some_and(|name| name.ends_with("/floor")) {
            std::thread::park();
        }
        let root = open("/proc", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let mut names: Vec<String> = Vec::new();
        let mut buffer = vec![MaybeUninit::uninit(); 32 << 10];
        let mut entries = RawDir::new(&root, &mut buffer);
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name.iter().all(u8::is_ascii_digit) {
                names.push(String::from_utf8_lossy(name).into_owned());
            }
        }
        let next = AtomicUsize::new(0);
        let work = || {
            let mut text = vec![0; 8 << 10];
            while let Some(names) = names.chunks(CHUNK).nth(next.fetch_add(1, Ordering::Relaxed)) {
                for name in names {
                    // A process may have ended meanwhile.
                    let _ = read(root.as_fd(), name, &mut text);
                }
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(work);
            work();
        });
        Ok(())
    }

    fn read(root: BorrowedFd<'_>, name: &str, text: &mut [u8]) -> rustix::io::Result<()> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let stat = openat(root, format!("{name}/stat"), flags, Mode::empty())?;
        fstat(&stat)?;
        rustix::io::read(&stat, &mut *text)?;
        drop(stat);
        let cmdline = openat(root, format!("{name}/cmdline"), flags, Mode::empty())?;
        rustix::io::read(&cmdline, text)?;
        Ok(())
    }
}
