//! The system calls a command may not make. Built once; the kernel checks them in well under a microsecond.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, sock_filter,
};

use super::SharedFilters;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;
type Result<T> = std::result::Result<T, seccompiler::Error>;

/// Ways to look into other processes, to change the machine, or to reach what another check would have refused.
const REFUSED: [libc::c_long; 44] = [
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_adjtimex,
    libc::SYS_bpf,
    libc::SYS_chroot,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_fanotify_init,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_init_module,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_kcmp,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pivot_root,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_setns,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
];

/// Namespaces that `clone` could make.
const NAMESPACES: [libc::c_int; 7] = [
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWUTS,
];

/// `TIOCSTI` and `TIOCLINUX`, which type into a terminal; their type differs between C libraries.
const PUSH_INPUT: u64 = 0x5412;
const CONSOLE: u64 = 0x541C;

/// Which sockets a command can make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sockets {
    /// None, pairs excepted.
    None,
    /// TCP and UDP, which lead nowhere in a network namespace of its own.
    Loopback,
    /// The internet's, but no local ones: without Landlock nothing keeps it from services of the host that have
    /// no name in the file system.
    Internet,
    /// The internet's and local ones.
    InternetAndLocal,
    /// Any, and no other call is refused either.
    Unfiltered,
}

/// The filters for each kind of command.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filters {
    confined: BTreeMap<Sockets, SharedFilters>,
    full_access: Option<SharedFilters>,
}

impl Filters {
    pub(crate) fn build() -> Result<Self> {
        let kinds = [Sockets::None, Sockets::Loopback, Sockets::Internet, Sockets::InternetAndLocal];
        let confined = kinds.into_iter().map(|kind| Ok((kind, confined(kind)?.into())));
        Ok(Self {
            confined: confined.collect::<Result<_>>()?,
            full_access: Some(vec![program(no_sockets()?, libc::EPERM)?].into()),
        })
    }

    /// Those of a confined command. There are none on a processor that cannot filter; every command that needs
    /// one is refused before.
    pub(crate) fn confined(&self, sockets: Sockets) -> SharedFilters {
        self.confined.get(&sockets).cloned().unwrap_or_default()
    }

    /// Those of a command at `full_access`.
    pub(crate) fn full_access(&self, sockets: Sockets) -> SharedFilters {
        self.full_access.clone().filter(|_| sockets != Sockets::Unfiltered).unwrap_or_default()
    }
}

fn confined(sockets: Sockets) -> Result<Vec<BpfProgram>> {
    let mut rules: Rules = REFUSED.iter().map(|number| (*number, Vec::new())).collect();
    // The kernel looks at 32 bits of the request only, whatever the upper ones say.
    let push_input = condition(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, PUSH_INPUT)?;
    let console = condition(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, CONSOLE)?;
    rules
        .insert(libc::SYS_ioctl, vec![SeccompRule::new(vec![push_input])?, SeccompRule::new(vec![console])?]);
    let namespaces = NAMESPACES.iter().map(|flag| {
        let bit = u64::from(flag.unsigned_abs());
        Ok(SeccompRule::new(vec![condition(0, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(bit), bit)?])?)
    });
    rules.insert(libc::SYS_clone, namespaces.collect::<Result<_>>()?);
    rules.extend(no_set_id_bits()?);
    rules.extend(match sockets {
        Sockets::None => no_sockets()?,
        Sockets::Loopback => loopback_sockets_only()?,
        Sockets::Internet => internet_sockets_only(&[libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK])?,
        Sockets::InternetAndLocal | Sockets::Unfiltered => {
            internet_sockets_only(&[libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK, libc::AF_UNIX])?
        }
    });
    // The arguments of these lie in memory, where no filter sees them; callers fall back to clone and openat.
    let unseen =
        [libc::SYS_clone3, libc::SYS_openat2].into_iter().map(|number| (number, Vec::new())).collect();
    Ok(vec![program(rules, libc::EPERM)?, program(unseen, libc::ENOSYS)?])
}

/// No file that runs with the rights of its owner: in a workspace of root that would be root.
fn no_set_id_bits() -> Result<Rules> {
    let set = |argument, bit: u32| {
        condition(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(u64::from(bit)), bit)
    };
    let mut rules = Rules::new();
    let mut refuse = |call: libc::c_long, mode: u8, flags: Option<u8>| -> Result<()> {
        for bit in [libc::S_ISUID, libc::S_ISGID] {
            let rules = rules.entry(call).or_default();
            match flags {
                None => rules.push(SeccompRule::new(vec![set(mode, bit)?])?),
                // Without one of these there is no mode, and its register holds anything.
                Some(flags) => {
                    for creating in [libc::O_CREAT, libc::O_TMPFILE & !libc::O_DIRECTORY] {
                        let creates = set(flags, creating.unsigned_abs())?;
                        rules.push(SeccompRule::new(vec![creates, set(mode, bit)?])?);
                    }
                }
            }
        }
        Ok(())
    };
    const FCHMODAT2: libc::c_long = 452;
    refuse(libc::SYS_fchmod, 1, None)?;
    refuse(libc::SYS_fchmodat, 2, None)?;
    refuse(FCHMODAT2, 2, None)?;
    refuse(libc::SYS_mknodat, 2, None)?;
    refuse(libc::SYS_openat, 3, Some(2))?;
    #[cfg(target_arch = "x86_64")]
    {
        refuse(libc::SYS_chmod, 1, None)?;
        refuse(libc::SYS_mknod, 1, None)?;
        refuse(libc::SYS_creat, 1, None)?;
        refuse(libc::SYS_open, 2, Some(1))?;
    }
    Ok(rules)
}

fn no_sockets() -> Result<Rules> {
    // io_uring makes sockets, too.
    let mut rules: Rules =
        [libc::SYS_socket, libc::SYS_io_uring_setup].into_iter().map(|number| (number, Vec::new())).collect();
    rules.insert(libc::SYS_socketpair, connected_pairs_only()?);
    Ok(rules)
}

/// A pair that knows only packets can be connected anew, to a service that has a path in the file system.
fn connected_pairs_only() -> Result<Vec<SeccompRule>> {
    let other = condition(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, libc::AF_UNIX.unsigned_abs())?;
    Ok(vec![SeccompRule::new(vec![other])?, SeccompRule::new(vec![of_type(libc::SOCK_DGRAM)?])?])
}

/// The type lies in the lowest bits, beside flags.
fn of_type(kind: libc::c_int) -> Result<SeccompCondition> {
    const TYPE: u64 = 0xF;
    condition(1, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(TYPE), kind.unsigned_abs())
}

fn loopback_sockets_only() -> Result<Rules> {
    let unlike = |argument, known: &[libc::c_int]| -> Result<SeccompRule> {
        let differs = |value: &libc::c_int| {
            condition(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, value.unsigned_abs())
        };
        Ok(SeccompRule::new(known.iter().map(differs).collect::<Result<_>>()?)?)
    };
    let mut refused = vec![
        unlike(0, &[libc::AF_INET, libc::AF_INET6])?,
        // Other protocols would load modules of the kernel that no test needs.
        unlike(2, &[0, libc::IPPROTO_TCP, libc::IPPROTO_UDP])?,
    ];
    for kind in (0..16).filter(|kind| ![libc::SOCK_STREAM, libc::SOCK_DGRAM].contains(kind)) {
        refused.push(SeccompRule::new(vec![of_type(kind)?])?);
    }
    let pairs = connected_pairs_only()?;
    Ok([(libc::SYS_socket, refused), (libc::SYS_socketpair, pairs)].into_iter().collect())
}

fn internet_sockets_only(families: &[libc::c_int]) -> Result<Rules> {
    let domain =
        |operator, value: libc::c_int| condition(0, SeccompCmpArgLen::Dword, operator, value.unsigned_abs());
    let unknown = families.iter().map(|known| domain(SeccompCmpOp::Ne, *known)).collect::<Result<_>>()?;
    let not_routing =
        condition(2, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, libc::NETLINK_ROUTE.unsigned_abs())?;
    let netlink = vec![domain(SeccompCmpOp::Eq, libc::AF_NETLINK)?, not_routing];
    let mut rules: Rules = [(libc::SYS_socket, vec![SeccompRule::new(unknown)?, SeccompRule::new(netlink)?])]
        .into_iter()
        .collect();
    if !families.contains(&libc::AF_UNIX) {
        rules.insert(libc::SYS_socketpair, connected_pairs_only()?);
    }
    Ok(rules)
}

fn condition(
    argument: u8,
    length: SeccompCmpArgLen,
    operator: SeccompCmpOp,
    value: impl Into<u64>,
) -> Result<SeccompCondition> {
    Ok(SeccompCondition::new(argument, length, operator, value.into())?)
}

fn program(rules: Rules, errno: libc::c_int) -> Result<BpfProgram> {
    let architecture = TargetArch::try_from(std::env::consts::ARCH)?;
    let refuse = SeccompAction::Errno(errno.unsigned_abs());
    let mut program = other_numbering();
    program.extend(BpfProgram::try_from(SeccompFilter::new(
        rules,
        SeccompAction::Allow,
        refuse,
        architecture,
    )?)?);
    Ok(program)
}

/// Refuses the second set of numbers that x86-64 has for the same calls (x32), which no rule would match.
fn other_numbering() -> BpfProgram {
    if !cfg!(target_arch = "x86_64") {
        return Vec::new();
    }
    let load_number = sock_filter { code: 0x20, jt: 0, jf: 0, k: 0 };
    let jump_if_at_least = sock_filter { code: 0x35, jt: 0, jf: 1, k: 0x4000_0000 };
    let refuse = sock_filter { code: 0x06, jt: 0, jf: 0, k: 0x0005_0000 | libc::ENOSYS.unsigned_abs() };
    vec![load_number, jump_if_at_least, refuse]
}

/// A filter as a program reads it that applies it itself.
pub(crate) fn as_bytes(program: &[sock_filter]) -> Vec<u8> {
    program
        .iter()
        .flat_map(|instruction| {
            let [a, b] = instruction.code.to_ne_bytes();
            let [w, x, y, z] = instruction.k.to_ne_bytes();
            [a, b, instruction.jt, instruction.jf, w, x, y, z]
        })
        .collect()
}
