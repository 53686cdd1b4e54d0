//! A command that may reach named hosts, and no other.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use agent_sandbox::{CommandOutcome, Error, SandboxLevel};

use crate::{Bench, has};

const WRITE: SandboxLevel = SandboxLevel::WorkspaceWrite;

/// A web server of the host that answers `/` with a text and `/away` with a redirect to another host; its port.
fn web_server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map(Result::unwrap) {
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let Some(first) = lines.next() else { continue };
            let host =
                lines.by_ref().take_while(|line| !line.is_empty()).find(|line| line.starts_with("Host:"));
            let body = format!("{first} {}", host.unwrap_or_default());
            let (status, more) = match first.contains("/away") {
                true => ("302 Found", "Location: http://elsewhere.example/\r\n"),
                false => ("200 OK", ""),
            };
            let length = body.len();
            let head =
                format!("HTTP/1.1 {status}\r\n{more}Content-Length: {length}\r\nConnection: close\r\n\r\n");
            // A client that has gone away is its own affair.
            let _ = stream.write_all((head + &body).as_bytes());
        }
    });
    port
}

/// A program that asks for several things and prints how each went.
fn script(port: u16) -> String {
    format!(
        "import os, socket, urllib.request, urllib.error\n\
         def ask(name, url):\n\
         \x20 try: print(name, urllib.request.urlopen(url, timeout=20).read().decode().strip())\n\
         \x20 except urllib.error.HTTPError as e: print(name, e.code)\n\
         \x20 except OSError as e: print(name, e)\n\
         def raw(name, request):\n\
         \x20 s = socket.create_connection(('127.0.0.1', 3128), 20)\n\
         \x20 s.sendall(request.encode()); print(name, s.recv(65536).decode().splitlines()[0]); s.close()\n\
         for name in ['no_proxy', 'NO_PROXY']: del os.environ[name]\n\
         ask('allowed', 'http://localhost:{port}/')\n\
         ask('other host', 'http://other.example/')\n\
         ask('redirect', 'http://localhost:{port}/away')\n\
         raw('tunnel', 'CONNECT LOCALHOST.:{port} HTTP/1.1\\r\\n\\r\\n')\n\
         raw('tunnel to an address', 'CONNECT 127.0.0.1:{port} HTTP/1.1\\r\\n\\r\\n')\n\
         raw('tunnel to another port', 'CONNECT localhost:1 HTTP/1.1\\r\\n\\r\\n')\n\
         raw('metadata', 'GET http://169.254.169.254/ HTTP/1.1\\r\\n\\r\\n')\n\
         raw('host that lies', 'GET http://localhost:{port}/ HTTP/1.1\\r\\nHost: other.example\\r\\n\\r\\n')\n\
         raw('no proxy request', 'GET / HTTP/1.1\\r\\nHost: localhost:{port}\\r\\n\\r\\n')\n\
         raw('endless head', 'GET http://localhost:{port}/ HTTP/1.1\\r\\nX: ' + 'x' * 40000)\n\
         try: socket.create_connection(('127.0.0.1', {port}), 5); print('direct open')\n\
         except OSError as e: print('direct', e.strerror)\n"
    )
}

async fn asked(bench: &Bench, port: u16) -> Option<CommandOutcome> {
    let command = bench.request(["python3", "-c", &script(port)]);
    let ran = bench.run(command.domains([format!("localhost:{port}"), "*.crates.io".to_owned()])).await;
    if bench.sandbox.effective().domains {
        return Some(ran.unwrap());
    }
    println!("there is no network namespace here");
    assert!(matches!(ran, Err(Error::Unavailable { .. })), "{ran:?}");
    None
}

#[tokio::test]
async fn x07_of_all_hosts_only_those_on_the_list_are_reached() {
    let Some(bench) = Bench::enforcing(WRITE).await else { return };
    if !has(&bench, "python3").await {
        return;
    }
    let port = web_server();
    let Some(outcome) = asked(&bench, port).await else { return };
    let forbidden = "HTTP/1.1 403 Forbidden";
    let expected = format!(
        "allowed GET / HTTP/1.1 Host: localhost:{port}\n\
         other host 403\n\
         redirect 403\n\
         tunnel HTTP/1.1 200 Connection established\n\
         tunnel to an address {forbidden}\n\
         tunnel to another port {forbidden}\n\
         metadata {forbidden}\n\
         host that lies HTTP/1.1 200 OK\n\
         no proxy request HTTP/1.1 400 Bad Request\n\
         endless head HTTP/1.1 400 Bad Request\n\
         direct Connection refused\n"
    );
    assert_eq!(outcome.stdout.text, expected, "{outcome:?}");
    let refused = [
        "other.example:80".to_owned(),
        "elsewhere.example:80".to_owned(),
        format!("127.0.0.1:{port}"),
        "localhost:1".to_owned(),
        "169.254.169.254:80".to_owned(),
    ];
    assert_eq!(outcome.refused_hosts, refused);
    assert!(!outcome.effective.network && outcome.effective.own_network);
}

#[tokio::test]
async fn a_name_on_the_list_that_leads_to_the_host_itself_is_refused() {
    let Some(bench) = Bench::enforcing(WRITE).await else { return };
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap().trim().to_owned();
    let found =
        std::net::ToSocketAddrs::to_socket_addrs(&(name.as_str(), 80)).map(Iterator::collect::<Vec<_>>);
    if found.is_err() || !bench.sandbox.effective().domains || !has(&bench, "python3").await {
        return println!("the name of this machine leads nowhere, or there is no network namespace");
    }
    let script = format!(
        "import socket\ns = socket.create_connection(('127.0.0.1', 3128), 20)\n\
         s.sendall(b'CONNECT {name}:443 HTTP/1.1\\r\\n\\r\\n'); print(s.recv(999).decode().splitlines()[0])"
    );
    let outcome = bench.outcome(bench.request(["python3", "-c", &script]).domains([name.clone()])).await;
    assert_eq!(outcome.stdout.text, "HTTP/1.1 403 Forbidden\n", "{found:?} {outcome:?}");
    assert_eq!(outcome.refused_hosts, [format!("{name}:443")]);
}

#[tokio::test]
async fn a_list_that_cannot_be_understood_or_kept_to_runs_nothing() {
    let Some(bench) = Bench::enforcing(WRITE).await else { return };
    let touch = || bench.request(["touch", "canary"]);
    for request in [
        touch().domains(["http://crates.io/"]),
        touch().domains(["crates.io"]).level(SandboxLevel::FullAccess),
    ] {
        let refused = bench.run(request).await;
        assert!(matches!(refused, Err(Error::Unavailable { .. })), "{refused:?}");
    }
    assert!(!bench.workspace.path().join("canary").exists());
}
