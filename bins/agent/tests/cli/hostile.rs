//! A server that tries to steer the terminal of whoever asks it.

use crate::fixture::Workplace;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

/// Clears the screen, sets colours, sets the title, in both spellings, deletes, and turns the direction of writing.
const HOSTILE: &str = "good\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{7f}\u{202e}\u{2066} end";

fn plan() -> Value {
    json!({
        "id": 1, "goal": HOSTILE, "repo_path": HOSTILE, "status": "failed", "summary": HOSTILE,
        "policy": {}, "auto_execute": true, "template_id": null, "version": 1, "revision": 1,
        "created_at": "2026-01-01T12:00:00Z", "updated_at": "2026-01-01T12:00:00Z", "tasks": 1, "completed_tasks": 0
    })
}

fn task() -> Value {
    json!({
        "id": 1, "plan_id": 1, "position": 1, "description": HOSTILE, "kind": "command", "command": [HOSTILE],
        "priority": "high", "depends_on": [], "status": "failed", "attempts": 1, "completed": false, "error": HOSTILE
    })
}

fn approval() -> Value {
    json!({
        "id": 1, "plan_id": 1, "task_id": 1, "kind": "command", "subject": HOSTILE, "reason": HOSTILE, "risk": "high",
        "args_hash": HOSTILE, "covers": {"input": HOSTILE}, "on_expiry": "deny", "decision": HOSTILE,
        "decided_by": HOSTILE, "requested_at": "2026-01-01T12:00:00Z", "expires_at": "2026-01-01T12:00:00Z"
    })
}

fn template() -> Value {
    json!({
        "id": HOSTILE, "name": HOSTILE, "description": HOSTILE, "difficulty": HOSTILE, "tags": [HOSTILE],
        "task_count": 1, "goal": HOSTILE,
        "tasks": [{"id": 1, "phase": HOSTILE, "description": HOSTILE, "kind": HOSTILE, "priority": "high"}],
        "parameters": [{"name": HOSTILE, "kind": HOSTILE, "description": HOSTILE, "required": false,
                        "default": HOSTILE, "options": [HOSTILE]}]
    })
}

fn answer(path: &str) -> (u16, Value) {
    let ok = |value| (200, value);
    match path.split('?').next().unwrap_or_default() {
        "/plans" => ok(json!({"plans": [plan()], "total": 2, "next_cursor": HOSTILE})),
        "/plans/1" => ok(json!({"plan": plan(), "tasks": [task()], "statistics": {
            "total_tasks": 1, "completed_tasks": 0, "failed_tasks": 1, "total_executions": 1, "progress": 0.0}})),
        "/plans/1/tasks" => ok(json!({"plan_id": 1, "tasks": [task()]})),
        "/plans/1/diff" => ok(json!({"plan_id": 1, "diff": ""})),
        "/plans/1/tasks/1/executions" => ok(json!({"plan_id": 1, "task_id": 1, "executions": [
            {"attempt": 1, "status": "failed", "error": HOSTILE, "started_at": "2026-01-01T12:00:00Z"}]})),
        "/plans/1/events" if path.contains("after=1") => ok(json!({"events": [], "next_after": 1})),
        "/plans/1/events" => ok(json!({"next_after": 1, "events": [
            {"seq": 1, "cursor": 1, "event": "plan_updated", "plan_id": 1, "task_id": null,
             "timestamp": "2026-01-01T12:00:00Z", "status": "failed", "summary": HOSTILE}]})),
        "/conversation" => {
            ok(json!({"messages": [{"id": 1, "role": HOSTILE, "content": HOSTILE, "plan_id": 1,
            "created_at": "2026-01-01T12:00:00Z"}], "total": 1}))
        }
        "/approvals" => ok(json!({"approvals": [approval()], "total": 1})),
        "/approvals/1" => ok(approval()),
        "/templates" => ok(json!([template()])),
        "/templates/1" => ok(template()),
        "/auth/validate" => ok(json!({"valid": true, "user_id": 1, "username": HOSTILE, "roles": [HOSTILE]})),
        "/auth/keys" => ok(json!({"total": 1, "keys": [{"key_id": 1, "prefix": HOSTILE, "name": HOSTILE,
            "scopes": [HOSTILE], "created_at": "2026-01-01T12:00:00Z"}]})),
        "/users" => ok(json!({"total": 1, "users": [{"user_id": 1, "username": HOSTILE, "role": "user",
            "disabled": false, "created_at": "2026-01-01T12:00:00Z"}]})),
        _ => (
            422,
            json!({"title": HOSTILE, "detail": HOSTILE, "code": "invalid_request", "status": 422,
            "errors": [{"pointer": HOSTILE, "detail": HOSTILE}]}),
        ),
    }
}

fn serve(stream: TcpStream) {
    let mut reader = BufReader::new(stream);
    let (mut line, mut length) = (String::new(), 0);
    reader.read_line(&mut line).unwrap();
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        if let Some(text) = header.to_lowercase().strip_prefix("content-length:") {
            length = text.trim().parse().unwrap();
        }
        if header.trim().is_empty() {
            break;
        }
    }
    reader.read_exact(&mut vec![0; length]).unwrap();
    let (status, body) = answer(&path);
    let body = body.to_string();
    let head =
        format!("HTTP/1.1 {status} Played\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let mut stream = reader.into_inner();
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).unwrap();
}

#[test]
fn nothing_that_a_server_says_reaches_the_terminal_raw() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || listener.incoming().for_each(|stream| serve(stream.unwrap())));
    let place = Workplace::new();
    let commands: [(&[&str], i32, bool); 16] = [
        (&["plans", "list"], 0, true),
        (&["plans", "show", "1"], 0, true),
        (&["plans", "tasks", "1"], 0, true),
        (&["plans", "events", "1"], 0, true),
        (&["plans", "events", "1", "--follow"], 1, true),
        (&["plans", "conversation", "1"], 0, true),
        (&["history"], 0, true),
        (&["history", "--plan", "1"], 0, true),
        (&["approvals", "list"], 0, true),
        (&["approvals", "show", "1"], 0, true),
        (&["templates", "list"], 0, true),
        (&["templates", "show", "1"], 0, true),
        (&["whoami"], 0, true),
        (&["keys", "list"], 0, true),
        (&["users", "list"], 0, true),
        (&["plans", "show", "2"], 2, false),
    ];
    for (arguments, code, says_it) in commands {
        for json in [&[][..], &["--json"]] {
            let asked = [arguments, json, &["--server", &url, "--token", "t"]].concat();
            let ended = place.agent(&asked).with_code(code);
            let said = format!("{}{}", ended.stdout, ended.stderr);
            assert!(!says_it || said.contains("good"), "{arguments:?}: {said}");
            let steering = |c: char| {
                c.is_control() && c != '\n' || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            };
            assert!(!said.contains(steering), "{arguments:?} {json:?}: {said:?}");
        }
    }
}
