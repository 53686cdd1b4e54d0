//! The Landlock ruleset of one command.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, Scope,
};

/// The newest version this was written for; older kernels get what they have, after the level was checked.
const VERSION: ABI = ABI::V7;

/// Devices without memory or side effects.
const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// What may be done beneath the private `/proc` and `/dev/shm`, which exist only once the command starts.
pub(crate) struct LateAccess {
    pub(crate) read: u64,
    pub(crate) write: u64,
}

/// Builds the ruleset. What is readable and missing is left out; what is writable must exist. With
/// `closed_network` no port can be bound or connected to.
pub(crate) fn build(
    readable: &BTreeSet<PathBuf>,
    writable: &[PathBuf],
    closed_network: bool,
) -> io::Result<OwnedFd> {
    let mut ruleset = create(closed_network).map_err(io::Error::other)?;
    let read = AccessFs::from_read(VERSION);
    for path in readable {
        if let Ok(directory) = PathFd::new(path) {
            ruleset = add(ruleset, directory, read)?;
        }
    }
    let device = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::IoctlDev;
    for path in DEVICES {
        if let Ok(file) = PathFd::new(path) {
            ruleset = add(ruleset, file, device)?;
        }
    }
    for path in writable {
        let directory = PathFd::new(path).map_err(io::Error::other)?;
        ruleset = add(ruleset, directory, write_access())?;
    }
    Option::<OwnedFd>::from(ruleset).ok_or_else(|| io::Error::other("Landlock made no ruleset"))
}

/// The rights of rules that are added late, among those a kernel with this version knows.
pub(crate) fn late_access(abi: u32) -> LateAccess {
    let known = if abi >= 5 { 0xFFFF } else { 0x7FFF };
    LateAccess { read: AccessFs::from_read(VERSION).bits() & known, write: write_access().bits() & known }
}

fn write_access() -> BitFlags<AccessFs> {
    AccessFs::from_all(VERSION) & !(AccessFs::MakeChar | AccessFs::MakeBlock)
}

fn create(closed_network: bool) -> Result<RulesetCreated, RulesetError> {
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(VERSION))?
        .scope(Scope::Signal)?;
    if closed_network {
        ruleset = ruleset.handle_access(AccessNet::from_all(VERSION))?;
    }
    // Sockets without a name in the file system belong to services of the host.
    ruleset.scope(Scope::AbstractUnixSocket)?.create()
}

fn add(ruleset: RulesetCreated, path: PathFd, access: BitFlags<AccessFs>) -> io::Result<RulesetCreated> {
    ruleset.add_rule(PathBeneath::new(path, access)).map_err(io::Error::other)
}
