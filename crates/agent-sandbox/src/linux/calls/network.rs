//! The network namespace of a command: its loopback interface, and the door that the server opens for it.

use std::io::{self, IoSliceMut};
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;

use libc::{c_int, c_long};

use super::{check, close};

fn socket(kind: c_int) -> io::Result<RawFd> {
    // SAFETY: plain numbers.
    let socket = unsafe { libc::socket(libc::AF_INET, kind | libc::SOCK_CLOEXEC, 0) };
    check(c_long::from(socket)).map(|fd| fd as RawFd)
}

/// Switches on the loopback interface, which a new namespace has but does not use.
pub(crate) fn raise_loopback() -> io::Result<()> {
    let control = socket(libc::SOCK_DGRAM)?;
    // SAFETY: a structure of numbers, for which all zeroes is a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    request.ifr_name[0] = b'l' as libc::c_char;
    request.ifr_name[1] = b'o' as libc::c_char;
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: `request` outlives the call and is what this request takes.
    let raised =
        check(c_long::from(unsafe { libc::ioctl(control, libc::SIOCSIFFLAGS as _, &raw const request) }));
    close(control);
    raised.map(drop)
}

/// Listens on 127.0.0.1 at a port that nobody else can have taken in a namespace this new.
pub(crate) fn listen(port: u16) -> io::Result<RawFd> {
    const WAITING: c_int = 128;
    let listener = socket(libc::SOCK_STREAM | libc::SOCK_NONBLOCK)?;
    let address = libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: port.to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from_be_bytes([127, 0, 0, 1]).to_be() },
        sin_zero: [0; 8],
    };
    let length = size_of::<libc::sockaddr_in>() as libc::socklen_t;
    // SAFETY: `address` outlives the call and has the length that is given.
    let done = unsafe {
        check(c_long::from(libc::bind(listener, (&raw const address).cast(), length)))
            .and_then(|_| check(c_long::from(libc::listen(listener, WAITING))))
    };
    done.map(|_| listener).inspect_err(|_| close(listener))
}

/// Room for one descriptor on its way, aligned as the kernel wants it.
#[repr(C, align(8))]
struct Control([u8; 32]);

fn message(bytes: &mut libc::iovec, control: &mut Control) -> libc::msghdr {
    // SAFETY: a structure of numbers and pointers, for which all zeroes is a value.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = bytes;
    message.msg_iovlen = 1;
    message.msg_control = (&raw mut control.0).cast();
    // SAFETY: computes a length.
    message.msg_controllen = unsafe { libc::CMSG_SPACE(size_of::<c_int>() as u32) } as _;
    message
}

/// Sends a descriptor to the server, with one byte to carry it, and closes it here.
pub(crate) fn send_descriptor(link: RawFd, descriptor: RawFd) -> io::Result<()> {
    let mut byte = [0_u8; 1];
    let mut bytes = libc::iovec { iov_base: byte.as_mut_ptr().cast(), iov_len: 1 };
    let mut control = Control([0; 32]);
    let message = message(&mut bytes, &mut control);
    // SAFETY: the control buffer is large enough for one descriptor, so that the first header exists.
    let sent = unsafe {
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        (*header).cmsg_level = libc::SOL_SOCKET;
        (*header).cmsg_type = libc::SCM_RIGHTS;
        (*header).cmsg_len = libc::CMSG_LEN(size_of::<c_int>() as u32) as _;
        libc::CMSG_DATA(header).cast::<c_int>().write_unaligned(descriptor);
        libc::sendmsg(link, &raw const message, libc::MSG_NOSIGNAL)
    };
    close(descriptor);
    check(sent as c_long).map(drop)
}

/// Receives the descriptor that the first process of a command has sent.
pub(crate) fn receive_descriptor(link: &UnixStream) -> io::Result<OwnedFd> {
    use std::os::fd::AsRawFd;
    let mut byte = [0_u8; 1];
    let mut slice = IoSliceMut::new(&mut byte);
    let mut bytes = libc::iovec { iov_base: slice.as_mut_ptr().cast(), iov_len: 1 };
    let mut control = Control([0; 32]);
    let mut message = message(&mut bytes, &mut control);
    let flags = libc::MSG_CMSG_CLOEXEC | libc::MSG_DONTWAIT;
    // SAFETY: all buffers outlive the call; what is read of the control buffer was written by the kernel.
    unsafe {
        check(libc::recvmsg(link.as_raw_fd(), &raw mut message, flags) as c_long)?;
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        if header.is_null() || (*header).cmsg_type != libc::SCM_RIGHTS {
            return Err(io::Error::from(io::ErrorKind::InvalidData));
        }
        Ok(OwnedFd::from_raw_fd(libc::CMSG_DATA(header).cast::<c_int>().read_unaligned()))
    }
}
