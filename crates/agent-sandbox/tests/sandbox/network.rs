//! What a command can connect to.

use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

use agent_sandbox::{CommandOutcome, SandboxLevel};

use crate::{Bench, has};

const WRITE: SandboxLevel = SandboxLevel::WorkspaceWrite;

/// Services of the host that a command may want to reach, and a program that tries to.
struct Host {
    _tcp: TcpListener,
    _udp: UdpSocket,
    _local: UnixListener,
    _abstract: UnixListener,
    script: String,
}

impl Host {
    fn new(bench: &Bench) -> Self {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let path = bench.workspace.path().join("socket");
        let local = UnixListener::bind(&path).unwrap();
        let name = format!("agent-sandbox-test-{}", tcp.local_addr().unwrap().port());
        let nameless = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        let (port, udp_port) = (tcp.local_addr().unwrap().port(), udp.local_addr().unwrap().port());
        let script = format!(
            "import errno, os, socket as s\n\
             s.setdefaulttimeout(5)\n\
             def attempt(name, act):\n\
             \x20 try: act(); print(name, 'open')\n\
             \x20 except OSError as e: print(name, errno.errorcode.get(e.errno, type(e).__name__))\n\
             def answered():\n\
             \x20 u = s.socket(s.AF_INET, s.SOCK_DGRAM); u.connect(('127.0.0.1', {udp_port})); u.send(b'x'); u.send(b'x')\n\
             def itself(family, address):\n\
             \x20 server = s.create_server((address, 0), family=family)\n\
             \x20 client = s.create_connection(server.getsockname()[:2]); peer, _ = server.accept()\n\
             \x20 client.sendall(b'hello'); assert peer.recv(5) == b'hello'\n\
             attempt('tcp', lambda: s.create_connection(('127.0.0.1', {port})))\n\
             attempt('udp', answered)\n\
             attempt('metadata', lambda: s.create_connection(('169.254.169.254', 80)))\n\
             attempt('abstract', lambda: s.socket(s.AF_UNIX).connect('\\0{name}'))\n\
             attempt('local', lambda: s.socket(s.AF_UNIX).connect('{path}'))\n\
             attempt('itself', lambda: itself(s.AF_INET, '127.0.0.1'))\n\
             attempt('itself6', lambda: itself(s.AF_INET6, '::1'))\n\
             attempt('raw', lambda: s.socket(s.AF_INET, s.SOCK_RAW, 1))\n\
             attempt('routing', lambda: s.socket(s.AF_NETLINK, s.SOCK_RAW, 0))\n\
             attempt('audit', lambda: s.socket(s.AF_NETLINK, s.SOCK_RAW, 9))\n\
             attempt('packet', lambda: s.socket(s.AF_PACKET, s.SOCK_RAW))\n\
             attempt('vsock', lambda: s.socket(s.AF_VSOCK, s.SOCK_STREAM))\n\
             attempt('pair', lambda: s.socketpair())\n\
             attempt('packets', lambda: s.socketpair(s.AF_UNIX, s.SOCK_DGRAM)[0].connect('{path}'))\n",
            path = path.display(),
        );
        Self { _tcp: tcp, _udp: udp, _local: local, _abstract: nameless, script }
    }

    async fn tried(&self, bench: &Bench, level: SandboxLevel, network: bool) -> CommandOutcome {
        bench.outcome(bench.request(["python3", "-c", &self.script]).level(level).network(network)).await
    }
}

/// The answers of a host, of a loopback interface of one's own, and of no network at all.
fn expected(own_network: bool) -> String {
    let (loopback, itself, elsewhere) =
        if own_network { ("ECONNREFUSED", "open", "ENETUNREACH") } else { ("EPERM", "EPERM", "EPERM") };
    format!(
        "tcp {loopback}\nudp {loopback}\nmetadata {elsewhere}\nabstract EPERM\nlocal EPERM\nitself {itself}\nitself6 {itself}\n\
         raw EPERM\nrouting EPERM\naudit EPERM\npacket EPERM\nvsock EPERM\npair open\npackets EPERM\n"
    )
}

#[tokio::test]
async fn x06_the_network_of_the_host_is_out_of_reach() {
    for level in [WRITE, SandboxLevel::ReadOnly] {
        let Some(bench) = Bench::enforcing(level).await else { return };
        if !has(&bench, "python3").await {
            return;
        }
        let host = Host::new(&bench);
        let closed = host.tried(&bench, level, false).await;
        assert_eq!(closed.stdout.text, expected(bench.sandbox.effective().own_network), "{closed:?}");
        let full = host.tried(&bench, SandboxLevel::FullAccess, false).await;
        assert_eq!(full.stdout.text, expected(false), "{full:?}");
    }
}

#[tokio::test]
async fn with_the_network_services_of_the_host_can_be_reached() {
    let Some(bench) = Bench::enforcing(WRITE).await else { return };
    if !has(&bench, "python3").await {
        return;
    }
    let open = Host::new(&bench).tried(&bench, WRITE, true).await;
    let answers: Vec<_> = open.stdout.text.lines().filter(|line| !line.starts_with("metadata")).collect();
    let (local, packets) = if bench.is_wrapped() { ("EPERM", "EPERM") } else { ("open", "EPROTOTYPE") };
    let expected = [
        "tcp open".to_owned(),
        "udp open".to_owned(),
        "abstract EPERM".to_owned(),
        format!("local {local}"),
        "itself open".to_owned(),
        "itself6 open".to_owned(),
        "raw EPERM".to_owned(),
        "routing open".to_owned(),
        "audit EPERM".to_owned(),
        "packet EPERM".to_owned(),
        "vsock EPERM".to_owned(),
        "pair open".to_owned(),
        format!("packets {packets}"),
    ];
    assert_eq!(answers, expected, "{open:?}");
}
