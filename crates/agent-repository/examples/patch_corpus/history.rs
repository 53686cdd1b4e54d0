//! The changes of a git history, file by file.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::change::Change;

/// Larger files say nothing more about patches.
const LARGEST_FILE: usize = 1024 * 1024;

/// The first-parent changes of text files, oldest first: of each commit against its first parent. Those with
/// more than `largest` added and removed lines are left out.
///
/// # Errors
/// When git cannot be run or does not know the directory.
pub(crate) fn changes_of(repository: &Path, commits: usize, largest: usize) -> Result<Vec<Change>, String> {
    let mut log = git(repository)
        .args(["log", "--first-parent", "--diff-merges=first-parent", "--reverse", "-p", "-U3"])
        .args(["--no-renames", "--full-index", "--no-color", "--no-ext-diff", "--no-textconv"])
        .args(["--src-prefix=a/", "--dst-prefix=b/", "--diff-filter=M", "--format=commit %H"])
        .arg(format!("--max-count={commits}"))
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("git cannot be started: {error}"))?;
    let output = log.stdout.take().ok_or("git has no output")?;
    let mut blobs = Blobs::of(repository)?;
    let mut changes = Vec::new();
    let mut file = FileDiff::default();
    let mut reader = BufReader::new(output);
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        let ended = reader.read_until(b'\n', &mut bytes).map_err(|error| error.to_string())? == 0;
        // What is not UTF-8 makes the change one of a binary file, which is left out below.
        let line = String::from_utf8_lossy(&bytes);
        if ended || line.starts_with("diff --git ") || line.starts_with("commit ") {
            changes.extend(std::mem::take(&mut file).into_change(&mut blobs)?);
        }
        if ended {
            break;
        }
        file.take(&line);
    }
    let status = log.wait().map_err(|error| error.to_string())?;
    if !status.success() {
        return Err(format!("git log failed in {}", repository.display()));
    }
    changes.retain(|change: &Change| change.size() <= largest);
    Ok(changes)
}

#[expect(clippy::disallowed_methods, reason = "a development tool that reads a history through git itself")]
fn git(repository: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(repository).args(["-c", "core.quotepath=false", "-c", "diff.algorithm=myers"]);
    command
}

#[derive(Default)]
struct FileDiff {
    path: Option<String>,
    blobs: Option<(String, String)>,
    hunks: Vec<String>,
}

impl FileDiff {
    fn take(&mut self, line: &str) {
        if !self.hunks.is_empty() || line.starts_with("@@ ") {
            self.hunks.push(line.to_owned());
        } else if let Some(path) = line.strip_prefix("+++ b/") {
            self.path = Some(path.trim_end_matches(['\n', '\t']).to_owned());
        } else if let Some((old, rest)) = line.strip_prefix("index ").and_then(|line| line.split_once("..")) {
            let new = rest.split_whitespace().next().unwrap_or_default();
            self.blobs = Some((old.to_owned(), new.to_owned()));
        }
    }

    fn into_change(self, blobs: &mut Blobs) -> Result<Option<Change>, String> {
        let (Some(path), Some((old, new))) = (self.path, self.blobs) else { return Ok(None) };
        if self.hunks.is_empty() {
            return Ok(None);
        }
        // An empty line separates commits; it is no part of the diff.
        let hunks: Vec<String> = self.hunks.into_iter().filter(|line| line != "\n").collect();
        let (before, after) = (blobs.text(&old)?, blobs.text(&new)?);
        let (Some(before), Some(after)) = (before, after) else { return Ok(None) };
        Ok(Change::new(&path, &before, &after, &hunks))
    }
}

/// `git cat-file --batch`: contents by hash.
struct Blobs {
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Blobs {
    fn of(repository: &Path) -> Result<Self, String> {
        let mut child = git(repository)
            .args(["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("git cannot be started: {error}"))?;
        let answers = BufReader::new(child.stdout.take().ok_or("git has no output")?);
        Ok(Self { requests: child.stdin.take(), answers, child })
    }

    /// The text with this hash; `None` for what is no text, or too large.
    fn text(&mut self, hash: &str) -> Result<Option<String>, String> {
        let failed = |error: std::io::Error| format!("git cat-file: {error}");
        if let Some(requests) = &mut self.requests {
            writeln!(requests, "{hash}").and_then(|()| requests.flush()).map_err(failed)?;
        }
        let mut head = String::new();
        self.answers.read_line(&mut head).map_err(failed)?;
        let Some(size) = head.split_whitespace().nth(2).and_then(|size| size.parse::<usize>().ok()) else {
            return Ok(None);
        };
        let mut content = vec![0; size + 1];
        self.answers.read_exact(&mut content).map_err(failed)?;
        content.pop();
        Ok(String::from_utf8(content).ok().filter(|text| text.len() <= LARGEST_FILE && !text.contains('\0')))
    }
}

impl Drop for Blobs {
    fn drop(&mut self) {
        // Its input ends, so it does.
        self.requests = None;
        let _ended = self.child.wait();
    }
}
