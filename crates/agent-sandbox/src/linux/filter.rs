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

/// The filters for each kind of command.
#[derive(Debug, Clone)]
pub(crate) struct Filters {
    confined: SharedFilters,
    confined_with_network: SharedFilters,
    full_access: SharedFilters,
    unfiltered: SharedFilters,
}

impl Filters {
    pub(crate) fn build() -> Result<Self> {
        Ok(Self {
            confined: confined(false)?.into(),
            confined_with_network: confined(true)?.into(),
            full_access: vec![program(no_sockets(), libc::EPERM)?].into(),
            unfiltered: Vec::new().into(),
        })
    }

    /// No filters at all, for a processor that has none; every command that needs one is refused before.
    pub(crate) fn none() -> Self {
        let none: SharedFilters = Vec::new().into();
        Self {
            confined: none.clone(),
            confined_with_network: none.clone(),
            full_access: none.clone(),
            unfiltered: none,
        }
    }

    pub(crate) fn of(&self, confined: bool, network: bool) -> SharedFilters {
        match (confined, network) {
            (true, false) => self.confined.clone(),
            (true, true) => self.confined_with_network.clone(),
            (false, false) => self.full_access.clone(),
            (false, true) => self.unfiltered.clone(),
        }
    }
}

fn confined(network: bool) -> Result<Vec<BpfProgram>> {
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
    rules.extend(if network { internet_sockets_only()? } else { no_sockets() });
    // The arguments of clone3 lie in memory, where no filter sees them; callers fall back to clone.
    let clone3 = [(libc::SYS_clone3, Vec::new())].into_iter().collect();
    Ok(vec![program(rules, libc::EPERM)?, program(clone3, libc::ENOSYS)?])
}

fn no_sockets() -> Rules {
    // io_uring makes sockets, too.
    [libc::SYS_socket, libc::SYS_io_uring_setup].into_iter().map(|number| (number, Vec::new())).collect()
}

fn internet_sockets_only() -> Result<Rules> {
    let domain =
        |operator, value: libc::c_int| condition(0, SeccompCmpArgLen::Dword, operator, value.unsigned_abs());
    let unknown = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK]
        .into_iter()
        .map(|known| domain(SeccompCmpOp::Ne, known))
        .collect::<Result<_>>()?;
    let not_routing =
        condition(2, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, libc::NETLINK_ROUTE.unsigned_abs())?;
    let netlink = vec![domain(SeccompCmpOp::Eq, libc::AF_NETLINK)?, not_routing];
    Ok([(libc::SYS_socket, vec![SeccompRule::new(unknown)?, SeccompRule::new(netlink)?])]
        .into_iter()
        .collect())
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
