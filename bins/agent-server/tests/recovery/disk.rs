//! Disks that a test may fill, break and cut off: needs root, as only root may mount.

use crate::scene::until;
use crate::settings::tell;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A file system of its own; unmounted with this value.
pub(crate) struct Disk {
    folder: TempDir,
    mounted: bool,
}

/// Runs a program to its end.
///
/// # Errors
/// What it said, or that it is not there.
#[expect(clippy::disallowed_methods, reason = "the test is its own administrator")]
pub(crate) fn run(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program).args(arguments).output().map_err(|e| format!("{program}: {e}"))?;
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        return Ok(said(&output.stdout));
    }
    Err(format!("{program} {arguments:?}: {} {}", output.status, said(&output.stderr)))
}

/// Says why a case is left out on this machine.
pub(crate) fn left_out<T>(case: &str, made: Result<T, String>) -> Option<T> {
    made.map_err(|reason| tell(&format!("{case} is left out on this machine: {reason}"))).ok()
}

impl Disk {
    fn new() -> Self {
        let disk = Self { folder: tempfile::tempdir().unwrap(), mounted: false };
        std::fs::create_dir(disk.place()).unwrap();
        disk
    }

    /// A small disk in memory.
    pub(crate) fn in_memory(size: &str) -> Result<Self, String> {
        let mut disk = Self::new();
        let place = disk.place().display().to_string();
        run("mount", &["-t", "tmpfs", "-o", &format!("size={size}"), "none", &place])?;
        disk.mounted = true;
        Ok(disk)
    }

    /// A disk in a file, with a journal.
    pub(crate) fn in_file(bytes: u64) -> Result<Self, String> {
        let mut disk = Self::new();
        File::create(disk.image()).and_then(|file| file.set_len(bytes)).map_err(|e| e.to_string())?;
        run("mkfs.ext4", &["-q", "-F", &disk.image().display().to_string()])?;
        disk.mount()?;
        Ok(disk)
    }

    /// Where its files are.
    pub(crate) fn place(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    fn image(&self) -> PathBuf {
        self.folder.path().join("image")
    }

    /// The address of a database on it.
    pub(crate) fn database_url(&self) -> String {
        format!("sqlite://{}", self.place().join("agent.db").display())
    }

    /// Mounts a disk in a file (again).
    pub(crate) fn mount(&mut self) -> Result<(), String> {
        let (image, place) = (self.image().display().to_string(), self.place().display().to_string());
        run("mount", &["-o", "loop", &image, &place])?;
        self.mounted = true;
        Ok(())
    }

    /// Unmounts it, and waits until nobody has it any more: each command in a sandbox had a view of all that was
    /// mounted, and as long as one is left the disk stays as it is.
    pub(crate) async fn unmount(&mut self) {
        let place = self.place().display().to_string();
        until("the end of those who use the disk", async || run("umount", &[&place])).await;
        self.mounted = false;
        let image = self.image().display().to_string();
        until("the release of the disk", async || {
            let users = run("losetup", &["-j", &image])?;
            if users.is_empty() { Ok(()) } else { Err(users) }
        })
        .await;
    }

    /// Cuts the power: what is not on the disk in this moment never gets there.
    pub(crate) fn cut_power(&self) {
        shut_down(&self.place());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.mounted {
            // Whoever still has files open on it keeps them; the place is free again.
            let _ = run("umount", &["-l", &self.place().display().to_string()]);
        }
    }
}

/// `FS_IOC_SHUTDOWN` with the flag that the journal is not written out first (`NOLOGFLUSH`).
#[expect(unsafe_code, reason = "there is no safe call for it")]
fn shut_down(place: &Path) {
    use rustix::ioctl::{Opcode, Setter, ioctl, opcode};
    const SHUTDOWN: Opcode = opcode::read::<u32>(b'X', 125);
    const NO_LOG_FLUSH: u32 = 2;
    let folder = File::open(place).unwrap();
    // SAFETY: the kernel reads one `u32` through the pointer, which is what `Setter` passes.
    unsafe { ioctl(&folder, Setter::<SHUTDOWN, u32>::new(NO_LOG_FLUSH)) }.unwrap();
}
