//! The processes that stay behind to end a command together with all it started.
//!
//! They are copies of the server that never load a program of their own, so they give up every descriptor at
//! once, and close their memory to others.

use std::os::fd::RawFd;

use libc::pid_t;

use super::calls;
use super::report::Report;

/// Runs as parent of the first process of the namespaces, whose end is the end of all in them.
pub(crate) fn with_namespaces(link: RawFd, first: pid_t) -> ! {
    withdraw(link);
    await_end(link, first);
    calls::kill(first);
    calls::wait(first);
    calls::exit(0)
}

/// Runs as first process of the namespaces: reaps orphans, and ends with the program.
pub(crate) fn first_process(link: RawFd, program: pid_t) -> ! {
    withdraw(link);
    while let Some((ended, status)) = calls::wait(-1) {
        if ended == program {
            report(link, status);
            break;
        }
    }
    calls::exit(0)
}

/// Runs as parent of the program and as heir of every process that its own parent leaves behind.
pub(crate) fn without_namespaces(link: RawFd, program: pid_t) -> ! {
    withdraw(link);
    let ended_by_itself = await_end(link, program);
    if ended_by_itself && let Some((_, status)) = calls::wait(program) {
        report(link, status);
    } else {
        calls::kill(program);
    }
    calls::kill(-program);
    // Each round inherits the children of those that the round before ended.
    while kill_children() {
        calls::wait(-1);
    }
    calls::exit(0)
}

/// Waits for the process, or for the server to close the link or die; tells whether it was the process.
fn await_end(link: RawFd, pid: pid_t) -> bool {
    let Ok(process) = calls::pidfd_open(pid) else { return false };
    loop {
        match calls::poll([link, process]) {
            [_, true] => return true,
            [true, _] => return false,
            _ => {}
        }
    }
}

fn report(link: RawFd, status: i32) {
    calls::send(link, &Report::Ended(calls::decode(status)).encode());
}

/// Lets go of everything of the server but the link. A failure leaves descriptors open, which does no harm here.
fn withdraw(link: RawFd) {
    let _ = calls::prctl(libc::PR_SET_DUMPABLE, 0);
    let link = link.unsigned_abs();
    if link > 0 {
        let _ = calls::close_range(0, link - 1, 0);
    }
    let _ = calls::close_range(link + 1, u32::MAX, 0);
    let _ = calls::chdir(c"/");
}

/// Kills all children, the dead that were not waited for included; tells whether there were any.
fn kill_children() -> bool {
    let mut buffer = [0_u8; 4096];
    let Ok(length) = calls::read_file(c"/proc/thread-self/children", &mut buffer) else { return false };
    // A list cut short is taken up again in the next round; a number cut short is left for then.
    let complete = buffer[..length].iter().rposition(|byte| *byte == b' ').map_or(0, |end| end + 1);
    let mut found = false;
    let mut number: pid_t = 0;
    for byte in &buffer[..complete] {
        match byte {
            b'0'..=b'9' => number = number.wrapping_mul(10).wrapping_add(pid_t::from(byte - b'0')),
            _ => {
                if number > 0 {
                    calls::kill(number);
                    found = true;
                }
                number = 0;
            }
        }
    }
    found
}
