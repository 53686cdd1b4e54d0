//! How the command line looks to a person: on a terminal of a given width.

use crate::fixture::{Ended, Workplace};
use crate::server::AtServer;

const LONG: &str = "\
goal: Make the greeting a good deal longer, warmer and more personal than any greeting was before in this place
tasks:
  - {description: Look around, kind: scan}
";

/// Runs a program on a terminal of its own, and answers its questions.
const ON_TERMINAL: &str = r#"
import fcntl, os, pty, struct, sys, termios
columns, answers, program = int(sys.argv[1]), sys.argv[2].split("|"), sys.argv[3:]
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    os.execv(program[0], program)
said, heard = b"", 0
while True:
    try:
        read = os.read(terminal, 4096)
    except OSError:
        break
    if not read:
        break
    said += read
    while answers and answers[0] and said[heard:].rstrip().endswith(b":"):
        heard = len(said)
        os.write(terminal, answers.pop(0).encode() + b"\n")
os.write(1, said)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"#;

fn on_terminal(
    place: &Workplace,
    columns: u32,
    answers: &str,
    environment: &[(&str, &str)],
    arguments: &[&str],
) -> Ended {
    let columns = columns.to_string();
    let python = ["-c", ON_TERMINAL, &columns, answers, env!("CARGO_BIN_EXE_agent")];
    place.program("python3", environment, &[&python[..], arguments].concat())
}

fn with_plan() -> Workplace {
    let place = Workplace::with_repository();
    let plan = place.beside("plan.yaml", LONG);
    place.agent(&["run", "--plan", &plan]).with_code(0);
    place
}

/// Without what sets colours.
fn uncoloured(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_, after)| after);
    }
    plain + rest
}

#[test]
fn tables_fit_the_terminal_and_are_whole_elsewhere() {
    let place = with_plan();
    for columns in [60, 90] {
        let shown = on_terminal(&place, columns, "", &[], &["plans", "list"]).with_code(0).stdout;
        let shown = uncoloured(&shown);
        assert!(shown.contains('…'), "{shown}");
        for line in shown.lines() {
            assert!(line.trim_end().chars().count() <= columns as usize, "{columns}: {line:?}");
        }
    }
    let whole = place.agent(&["plans", "list"]).with_code(0).stdout;
    assert!(whole.contains("than any greeting was before in this place"), "{whole}");
}

#[test]
fn colours_are_for_terminals_and_not_for_those_who_want_none() {
    let place = with_plan();
    let list = ["plans", "list"];
    assert!(on_terminal(&place, 80, "", &[], &list).with_code(0).stdout.contains("\u{1b}[32mcompleted"));
    for environment in [&[("NO_COLOR", "1")][..], &[("NO_COLOR", "yes")]] {
        let shown = on_terminal(&place, 80, "", environment, &list).with_code(0).stdout;
        assert!(!shown.contains('\u{1b}') && shown.contains("completed"), "{shown:?}");
    }
    assert!(on_terminal(&place, 80, "", &[("NO_COLOR", "")], &list).with_code(0).stdout.contains('\u{1b}'));
    let flag = on_terminal(&place, 80, "", &[], &["--no-color", "plans", "list"]).with_code(0).stdout;
    assert!(!flag.contains('\u{1b}'), "{flag:?}");
    assert!(!place.agent(&list).with_code(0).stdout.contains('\u{1b}'));
}

#[test]
fn a_password_is_asked_on_the_terminal_and_not_shown() {
    let at = AtServer::start();
    let asked = on_terminal(&at.place, 80, "demo|demo123", &[], &["login", &at.url]).with_code(0).stdout;
    assert!(asked.contains("User name: demo") && asked.contains("Password: "), "{asked:?}");
    assert!(!asked.contains("demo123") && asked.contains("logged in to"), "{asked:?}");
    let shown = on_terminal(&at.place, 80, "", &[], &["plans", "list"]).with_code(0).stdout;
    assert!(shown.contains(&format!("at {}", at.url)), "a person is told which server is asked: {shown}");
}
