//! One connection of a command: a request, its check, and the bytes that follow.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::rules::{Permit, split_port};
use super::{Desk, address};

/// Largest head of a request.
const HEAD: usize = 32 * 1024;
const HEADERS: usize = 128;
/// How long a request may take to arrive, and a host to answer the knocking.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a connection may be silent.
const IDLE: Duration = Duration::from_secs(300);
const CHUNK: usize = 32 * 1024;

/// A request that was read.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    host: String,
    port: u16,
    /// What to send on in its place; `None` for a tunnel.
    head: Option<Vec<u8>>,
}

/// Why a request is not served: the status line and a reason for whoever reads it.
#[derive(Debug, PartialEq, Eq)]
struct Refusal(&'static str, String);

const BAD: &str = "400 Bad Request";
const FORBIDDEN: &str = "403 Forbidden";
const UNREACHABLE: &str = "502 Bad Gateway";

/// Serves one request, and everything that its connection carries afterwards.
pub(super) async fn serve(mut client: TcpStream, desk: &Desk) {
    // A broken connection is the affair of whoever broke it.
    let _ = match opened(&mut client, desk).await {
        Ok((mut host, first)) => pass_on(&mut client, &mut host, &first).await,
        Err(Refusal(status, reason)) => {
            let length = reason.len() + 1;
            let answer = format!(
                "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{reason}\n"
            );
            client.write_all(answer.as_bytes()).await
        }
    };
    // Fails only if it is closed already.
    let _ = client.shutdown().await;
}

/// The connection to the host that was asked for, and what to send there first.
async fn opened(client: &mut TcpStream, desk: &Desk) -> Result<(TcpStream, Vec<u8>), Refusal> {
    let bad = |reason: &str| Refusal(BAD, reason.to_owned());
    let mut bytes = Vec::new();
    let length = timeout(PATIENCE, read_head(client, &mut bytes)).await.ok().flatten();
    let length = length.ok_or_else(|| bad("the head of the request is incomplete or too long"))?;
    let request =
        understand(&bytes[..length]).ok_or_else(|| bad("this proxy takes CONNECT and http:// only"))?;
    let rest = bytes.split_off(length);
    let host = connect(&request, desk).await?;
    let first = match request.head {
        Some(head) => [head, rest].concat(),
        None => {
            let told = client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await;
            told.map_err(|error| bad(&error.to_string()))?;
            rest
        }
    };
    Ok((host, first))
}

/// Reads until the head is complete; its length.
async fn read_head(client: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<usize> {
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            return Some(end + 4);
        }
        let room = HEAD.checked_sub(bytes.len()).filter(|room| *room > 0)?;
        let mut taken = client.take(room as u64);
        match taken.read_buf(bytes).await {
            Ok(1..) => {}
            _ => return None,
        }
    }
}

fn understand(head: &[u8]) -> Option<Request> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    parsed.parse(head).ok().filter(httparse::Status::is_complete)?;
    let (method, target) = (parsed.method?, parsed.path?);
    if method.eq_ignore_ascii_case("CONNECT") {
        let (host, port) = split_port(target)?;
        return Some(Request { host: host.to_owned(), port: port?, head: None });
    }
    let scheme = target.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("http://"))?;
    let rest = &target[scheme.len()..];
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (host, port) = split_port(authority)?;
    let slash = if path.starts_with('/') { "" } else { "/" };
    let mut head =
        format!("{method} {slash}{path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n").into_bytes();
    for header in parsed.headers.iter().filter(|header| !is_for_the_proxy(header.name)) {
        head.extend_from_slice(header.name.as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(header.value);
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    Some(Request { host: host.to_owned(), port: port.unwrap_or(80), head: Some(head) })
}

/// Headers that concern this connection only, and the host, which is taken from the target that was checked.
fn is_for_the_proxy(name: &str) -> bool {
    const NAMES: [&str; 6] =
        ["host", "connection", "keep-alive", "proxy-connection", "proxy-authorization", "upgrade"];
    NAMES.iter().any(|known| name.eq_ignore_ascii_case(known))
}

async fn connect(request: &Request, desk: &Desk) -> Result<TcpStream, Refusal> {
    let Request { host, port, .. } = request;
    let refused = |reason: String| {
        desk.refuse(&format!("{host}:{port}"));
        Refusal(FORBIDDEN, reason)
    };
    let permit = desk.rules.permit(host, *port);
    let permit =
        permit.ok_or_else(|| refused(format!("{host}:{port} is not on the list of this command")))?;
    // The dot that ends a full name is known to few lists of hosts, and brackets to no resolver.
    let bare = host.trim_start_matches('[').trim_end_matches([']', '.']);
    let unreachable = |reason: String| Refusal(UNREACHABLE, format!("{host}:{port} {reason}"));
    let found = timeout(PATIENCE, tokio::net::lookup_host((bare, *port))).await;
    let found = found.map_err(|_late| unreachable("was not found in time".into()))?;
    let found: Vec<SocketAddr> = found.map_err(|error| unreachable(error.to_string()))?.collect();
    let fits = |found: &&SocketAddr| permit == Permit::Any || address::is_public(found.ip());
    let fitting: Vec<_> = found.iter().filter(fits).collect();
    if fitting.is_empty() {
        return Err(refused(format!("{host} leads to no address of the internet")));
    }
    let mut last = String::from("cannot be reached");
    for address in fitting {
        match timeout(PATIENCE, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error.to_string(),
            Err(_late) => last = "did not answer in time".to_owned(),
        }
    }
    Err(unreachable(last))
}

/// Carries bytes both ways until both have ended, or nothing has moved for long.
async fn pass_on(client: &mut TcpStream, host: &mut TcpStream, first: &[u8]) -> io::Result<()> {
    host.write_all(first).await?;
    let moved = Notify::new();
    let silence = async { while timeout(IDLE, moved.notified()).await.is_ok() {} };
    let (from_client, to_client) = client.split();
    let (from_host, to_host) = host.split();
    let both =
        async { tokio::join!(carry(from_client, to_host, &moved), carry(from_host, to_client, &moved)) };
    tokio::select! {
        _ = both => {}
        () = silence => {}
    }
    Ok(())
}

async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    moved: &Notify,
) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..length]).await?;
        moved.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tunnel_is_asked_for_by_name_and_port() {
        let tunnel = understand(b"CONNECT crates.io:443 HTTP/1.1\r\nHost: other.org\r\n\r\n").unwrap();
        assert_eq!(tunnel, Request { host: "crates.io".into(), port: 443, head: None });
        for wrong in [
            "CONNECT crates.io HTTP/1.1",
            "CONNECT / HTTP/1.1",
            "GET /path HTTP/1.1",
            "GET ftp://a/ HTTP/1.1",
        ] {
            let head = format!("{wrong}\r\nHost: crates.io\r\n\r\n");
            assert_eq!(understand(head.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn a_plain_request_is_passed_on_to_the_host_that_was_checked() {
        let asked = "GET http://Example.org:8080?q=1 HTTP/1.1\r\nHost: evil.org\r\nProxy-Authorization: x\r\nAccept: */*\r\n\r\n";
        let request = understand(asked.as_bytes()).unwrap();
        assert_eq!((&*request.host, request.port), ("Example.org", 8080));
        let head = String::from_utf8(request.head.unwrap()).unwrap();
        let expected =
            "GET /?q=1 HTTP/1.1\r\nHost: Example.org:8080\r\nConnection: close\r\nAccept: */*\r\n\r\n";
        assert_eq!(head, expected);
    }

    #[test]
    fn a_user_in_the_address_is_no_way_around_the_list() {
        let request = understand(b"GET http://crates.io@evil.org/ HTTP/1.1\r\n\r\n").unwrap();
        assert_eq!(request.host, "crates.io@evil.org");
    }
}
