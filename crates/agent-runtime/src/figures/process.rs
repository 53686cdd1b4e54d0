//! What the process uses of the machine, as Linux tells it.

use rustix::time::{ClockId, clock_gettime};
use std::fs;
use std::time::Duration;

/// What the process uses of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessFigures {
    /// Memory that is held in RAM, in bytes.
    pub resident_bytes: u64,
    /// Time on processors, of all threads together.
    pub cpu: Duration,
    /// Threads.
    pub threads: u64,
    /// Files and sockets that are open.
    pub open_files: u64,
    /// How many may be.
    pub max_open_files: Option<u64>,
}

impl ProcessFigures {
    /// As it is now; a few files of `/proc` are read. `None` where they are not there.
    pub(crate) fn read() -> Option<Self> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<u64>().ok()
        };
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        let cpu = Duration::new(cpu.tv_sec.try_into().ok()?, cpu.tv_nsec.try_into().ok()?);
        Some(Self {
            resident_bytes: field("VmRSS:")?.saturating_mul(1024),
            cpu,
            threads: field("Threads:")?,
            // The folder that is read is open itself.
            open_files: (fs::read_dir("/proc/self/fd").ok()?.count() as u64).saturating_sub(1),
            max_open_files: rustix::process::getrlimit(rustix::process::Resource::Nofile).current,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_more_of_is_seen() {
        let before = ProcessFigures::read().unwrap();
        assert!(before.resident_bytes > 1024 * 1024 && before.threads >= 2, "{before:?}");
        let folder = tempfile::tempdir().unwrap();
        let files: Vec<fs::File> =
            (0..50).map(|number| fs::File::create(folder.path().join(number.to_string())).unwrap()).collect();
        let memory = vec![1_u8; 64 * 1024 * 1024];
        let after = ProcessFigures::read().unwrap();
        assert!(after.open_files >= before.open_files + 40, "{before:?} {after:?}");
        assert!(after.resident_bytes > before.resident_bytes + 32 * 1024 * 1024, "{before:?} {after:?}");
        assert!(after.cpu > before.cpu);
        drop((files, memory));
    }
}
