//! W01: the cases of the Autobahn test suite, as kosoku tries them: frames, pings, reserved bits, opcodes, fragments,
//! UTF-8, closing, and messages of up to 16 MiB. `AGENT_TEST_KOSOKU` is the program that `tests/fetch-kosoku.sh` names.
//!
//! Left out are 12 and 13, which try compression; messages are never compressed here.

use crate::connections::echo;
use crate::server::Server;
use agent_websocket::Limits;
use serde_json::{Map, Value};
use std::process::{Command, Stdio};
use std::time::Duration;

/// It would wait for ever for a server that does not answer.
const PATIENCE: Duration = Duration::from_secs(180);
/// How many cases there are without those of compression.
const CASES: usize = 301;
const LARGEST: usize = 16 * 1024 * 1024;

fn word<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name].as_str().unwrap_or_default()
}

fn is_passed(case: &Value) -> bool {
    ["OK", "NON-STRICT", "INFORMATIONAL"].contains(&word(case, "behavior"))
        && ["OK", "INFORMATIONAL"].contains(&word(case, "behaviorClose"))
}

#[test]
fn w01_every_case_of_autobahn_passes() {
    let Ok(program) = std::env::var("AGENT_TEST_KOSOKU") else {
        eprintln!("AGENT_TEST_KOSOKU names no program; nothing was tried");
        return;
    };
    let limits = Limits { max_message: LARGEST, max_queued_bytes: 2 * LARGEST, ..Limits::default() };
    let server = Server::start(limits, echo);
    let reports = tempfile::tempdir().unwrap();
    let mut command = Command::new(program);
    command.args(["-p", "2", "-x", "12.*", "-x", "13.*", "-o"]).arg(reports.path());
    let mut tries = command.arg(format!("127.0.0.1:{}", server.port)).stdout(Stdio::null()).spawn().unwrap();
    let (sender, ended) = std::sync::mpsc::channel();
    let pid = tries.id();
    let waiter = std::thread::spawn(move || sender.send(tries.wait()));
    if ended.recv_timeout(PATIENCE).is_err() {
        let _ = Command::new("kill").arg(pid.to_string()).status();
        panic!("it did not end in time");
    }
    waiter.join().unwrap().unwrap();
    let index = std::fs::read_to_string(reports.path().join("index.json")).unwrap();
    let index: Map<String, Value> = serde_json::from_str(&index).unwrap();
    let cases = index.values().next().unwrap().as_object().unwrap();
    assert_eq!(cases.len(), CASES);
    let failed: Vec<_> = cases.iter().filter(|(_, case)| !is_passed(case)).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    let closes_with = |group: &str, code: u16| {
        let of_group = cases.iter().filter(|(id, _)| id.starts_with(group));
        let codes: Vec<_> = of_group.map(|(id, case)| (id, &case["remoteCloseCode"])).collect();
        assert!(!codes.is_empty() && codes.iter().all(|(_, told)| **told == code), "{codes:?}");
    };
    closes_with("3.1", 1002);
    closes_with("6.3.1", 1007);
}
