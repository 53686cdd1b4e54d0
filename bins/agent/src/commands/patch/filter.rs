//! `agent patch filter`: patches texts in memory, one line of JSON in, one out.

use crate::exit::{Exit, Failure, Outcome, chain};
use agent_repository::patch::{self, LARGEST_FILE, LARGEST_PATCH};
use agent_repository::path_guard::RelativePath;
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::time::{Duration, Instant};

const EXAMPLES: &str = "\
Examples:
  echo '{\"id\":1,\"path\":\"a.txt\",\"before\":\"one\\n\",\"diff\":\"--- a/a.txt\\n+++ b/a.txt\\n@@ @@\\n-one\\n+two\\n\"}' |
    agent patch filter
  {\"id\":1,\"ok\":true,\"after\":\"two\\n\",\"ms\":0.031}

Each line in has id (any JSON), path, before (the file, null when it does not exist) and diff; each line out
has id, ok, after (null when the patch deletes the file) or error, and ms. A line that cannot be understood
is answered with ok false and an error, and the next one is taken. Exit code 0 at the end of the input.";

/// Longest accepted line: the largest file and patch, with what JSON adds to ordinary text.
const LONGEST_LINE: usize = 2 * (LARGEST_FILE as usize + LARGEST_PATCH);
/// What is kept of the buffer from line to line.
const KEPT_BUFFER: usize = 1024 * 1024;

/// Arguments of `agent patch filter`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Filter {}

#[derive(Deserialize)]
struct Request {
    #[serde(default)]
    id: Value,
    path: String,
    /// Must be said: a file that was forgotten is not one that does not exist.
    #[serde(deserialize_with = "Option::deserialize")]
    before: Option<String>,
    diff: String,
}

/// What can still be told of a line that is no request.
#[derive(Default, Deserialize)]
struct Identified {
    #[serde(default)]
    id: Value,
}

#[derive(Serialize)]
struct Answer {
    id: Value,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    ms: f64,
}

impl Filter {
    pub(super) fn run(self) -> Outcome {
        match answer_all(&mut io::stdin().lock(), &mut io::stdout().lock()) {
            // A reader that has gone away wants no more answers.
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Failure::from(error).during("answering the lines of standard input"))
            }
            _ => Ok(Exit::Done),
        }
    }
}

fn answer_all(input: &mut impl BufRead, output: &mut impl Write) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        line.shrink_to(KEPT_BUFFER);
        if input.by_ref().take(LONGEST_LINE as u64 + 1).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let answer = if line.len() > LONGEST_LINE && !line.ends_with(b"\n") {
            input.skip_until(b'\n')?;
            let error = format!("the line has more than {LONGEST_LINE} bytes; patch such a file on the disk");
            Answer::refusal(Value::Null, error, Duration::ZERO)
        } else if line.trim_ascii().is_empty() {
            continue;
        } else {
            answer(&line)
        };
        serde_json::to_writer(&mut *output, &answer)?;
        output.write_all(b"\n")?;
        output.flush()?;
    }
}

#[expect(clippy::disallowed_methods, reason = "how long a patch takes is part of the answer")]
fn answer(line: &[u8]) -> Answer {
    if !line.trim_ascii_start().starts_with(b"{") {
        return Answer::refusal(Value::Null, "the line is no JSON object".to_owned(), Duration::ZERO);
    }
    let request: Request = match serde_json::from_slice(line) {
        Ok(request) => request,
        Err(error) => {
            let Identified { id } = serde_json::from_slice(line).unwrap_or_default();
            return Answer::refusal(id, format!("the line is no request: {error}"), Duration::ZERO);
        }
    };
    let started = Instant::now();
    let patched = RelativePath::new(&request.path)
        .and_then(|path| patch::apply_to_text(&path, request.before.as_deref(), &request.diff));
    let took = started.elapsed();
    match patched {
        Ok(after) => {
            Answer { id: request.id, ok: true, after: Some(after), error: None, ms: milliseconds(took) }
        }
        Err(error) => Answer::refusal(request.id, chain(&error), took),
    }
}

impl Answer {
    fn refusal(id: Value, error: String, took: Duration) -> Self {
        Self { id, ok: false, after: None, error: Some(error), ms: milliseconds(took) }
    }
}

/// To the microsecond.
fn milliseconds(took: Duration) -> f64 {
    (took.as_secs_f64() * 1_000_000.0).round() / 1000.0
}
