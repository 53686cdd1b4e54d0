//! The envelope format that coding models are trained on: `*** Begin Patch` … `*** End Patch`.

use super::{FilePatch, Hunk, LineKind, Operation, ParseError, RawLine, unified};
use crate::error::Error;
use crate::path_guard::RelativePath;

const BEGIN: &str = "*** Begin Patch";
const END: &str = "*** End Patch";
const ADD: &str = "*** Add File: ";
const DELETE: &str = "*** Delete File: ";
const UPDATE: &str = "*** Update File: ";
const MOVE: &str = "*** Move to: ";
const END_OF_FILE: &str = "*** End of File";

pub(crate) fn is_begin(line: &str) -> bool {
    line.trim_end() == BEGIN
}

/// Understands every envelope in the text.
pub(crate) fn parse(lines: &[RawLine<'_>]) -> Result<Vec<FilePatch>, Error> {
    let mut reader = Reader { lines, next: 0, files: Vec::new() };
    while let Some(line) = reader.take() {
        if is_begin(line.text) {
            reader.envelope()?;
        }
    }
    if reader.files.is_empty() {
        return Err(ParseError::new(lines.len().saturating_sub(1), "the envelope names no file").into());
    }
    Ok(reader.files)
}

struct Reader<'a> {
    lines: &'a [RawLine<'a>],
    next: usize,
    files: Vec<FilePatch>,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<RawLine<'a>> {
        self.lines.get(self.next).copied()
    }

    fn take(&mut self) -> Option<RawLine<'a>> {
        let line = self.peek()?;
        self.next += 1;
        Some(line)
    }

    fn error(&self, reason: impl Into<String>) -> Error {
        ParseError::new(self.next.saturating_sub(1), reason).into()
    }

    fn envelope(&mut self) -> Result<(), Error> {
        while let Some(line) = self.take() {
            let text = line.text.trim_end();
            if text == END {
                return Ok(());
            } else if let Some(path) = text.strip_prefix(ADD) {
                self.add_file(path)?;
            } else if let Some(path) = text.strip_prefix(DELETE) {
                self.push(path, Operation::Delete { hunks: None })?;
            } else if let Some(path) = text.strip_prefix(UPDATE) {
                self.update_file(path)?;
            } else if !text.is_empty() {
                return Err(self.error(format!(
                    "`{text}` is not understood here; expected `{ADD}path`, `{UPDATE}path`, `{DELETE}path` or `{END}`"
                )));
            }
        }
        Err(self.error(format!("`{END}` is missing, so the patch may have been cut off; send all of it")))
    }

    fn push(&mut self, path: &str, operation: Operation) -> Result<(), Error> {
        let path = RelativePath::new(path.trim())?;
        let states_line_endings = operation.hunks().iter().any(Hunk::shows_carriage_return);
        self.files.push(FilePatch { path, operation, states_line_endings });
        Ok(())
    }

    fn add_file(&mut self, path: &str) -> Result<(), Error> {
        let mut content = String::new();
        while let Some(line) = self.peek() {
            let Some(text) = line.text.strip_prefix('+') else { break };
            content.push_str(text);
            content.push('\n');
            self.next += 1;
        }
        self.skip_blank_lines();
        if self.peek().is_some_and(|line| line.text.starts_with('+')) {
            return Err(
                self.error("a line of an added file lacks its `+`; write `+` also before empty lines")
            );
        }
        self.push(path, Operation::Create { content, executable: false })
    }

    fn skip_blank_lines(&mut self) {
        while self.peek().is_some_and(|line| line.text.trim().is_empty()) {
            self.next += 1;
        }
    }

    fn update_file(&mut self, path: &str) -> Result<(), Error> {
        let mut rename_to = None;
        if let Some(target) = self.peek().and_then(|line| line.text.trim_end().strip_prefix(MOVE)) {
            rename_to = Some(RelativePath::new(target.trim())?);
            self.next += 1;
        }
        let mut hunks = Vec::new();
        loop {
            self.skip_name_pair();
            match self.peek().map(|line| line.text) {
                None => break,
                Some(text) if text.starts_with("*** ") && text.trim_end() != END_OF_FILE => break,
                Some(text) if text.trim().is_empty() && hunks.is_empty() && self.blank_until_header() => {
                    self.next += 1;
                }
                Some(_) => hunks.push(self.hunk()?),
            }
        }
        if hunks.is_empty() && rename_to.is_none() {
            return Err(
                self.error(format!("the update of {path} has no lines; write `@@` and changed lines"))
            );
        }
        self.push(path, Operation::Modify { hunks, rename_to, executable: None })
    }

    /// Models sometimes put the two name lines of a unified diff inside the envelope.
    fn skip_name_pair(&mut self) {
        let second = self.lines.get(self.next + 1).map_or("", |line| line.text);
        let third = self.lines.get(self.next + 2).map_or("", |line| line.text);
        if self.peek().is_some_and(|first| unified::is_name_pair(first.text, second))
            && third.starts_with("@@")
        {
            self.next += 2;
        }
    }

    fn blank_until_header(&self) -> bool {
        let rest = self.lines.get(self.next..).unwrap_or_default();
        rest.iter()
            .find(|line| !line.text.trim().is_empty())
            .is_none_or(|line| line.text.starts_with("@@") || line.text.starts_with("*** "))
    }

    fn hunk(&mut self) -> Result<Hunk, Error> {
        let mut hunk = Hunk::default();
        while let Some(header) = self.peek().and_then(|line| line.text.strip_prefix("@@")) {
            self.next += 1;
            match unified::stated_lines(header) {
                Some(stated) => {
                    (hunk.old_start, hunk.new_start) = (Some(stated.old_start), stated.new_start);
                    hunk.section = stated.section;
                }
                None => hunk.scope.extend(unified::heading(header)),
            }
        }
        while let Some(line) = self.peek() {
            let Some((kind, text)) = body_line(line.text) else { break };
            hunk.lines.push(line.to_hunk_line(kind, text));
            self.next += 1;
        }
        if self.peek().is_some_and(|line| line.text.trim_end() == END_OF_FILE) {
            self.next += 1;
            hunk.at_end = true;
        }
        self.check_hunk_end(&mut hunk)?;
        Ok(hunk)
    }

    fn check_hunk_end(&mut self, hunk: &mut Hunk) -> Result<(), Error> {
        let following = self.peek().map(|line| line.text);
        if following.is_none_or(|text| text.starts_with("*** ")) {
            // Empty lines before the next header are layout; as context they would have a leading blank.
            let before = self.lines.get(..self.next).unwrap_or_default();
            let layout = before.iter().rev().take_while(|line| line.text.is_empty()).count();
            hunk.lines.truncate(hunk.lines.len().saturating_sub(if hunk.at_end { 0 } else { layout }));
        } else if following.is_some_and(|text| !text.starts_with("@@")) {
            self.next += 1;
            return Err(self.error("a line of a hunk must start with a blank, `-`, `+` or `@@`"));
        }
        if hunk.lines.is_empty() {
            return Err(
                self.error("this hunk has no lines; write the changed lines with `-` and `+` after it")
            );
        }
        Ok(())
    }
}

fn body_line(text: &str) -> Option<(LineKind, &str)> {
    if text.is_empty() {
        return Some((LineKind::Context, ""));
    }
    let kind = match text.as_bytes()[0] {
        b' ' => LineKind::Context,
        b'-' => LineKind::Remove,
        b'+' => LineKind::Add,
        _ => return None,
    };
    Some((kind, &text[1..]))
}
