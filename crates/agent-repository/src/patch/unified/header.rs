//! The lines before the hunks of a file: names, modes, renames.

use super::name;
use crate::error::Error;
use crate::patch::{FilePatch, Hunk, LineKind, Operation, ParseError};
use crate::path_guard::RelativePath;

const NOTHING: &str = "/dev/null";

/// A file of a diff while it is being read.
#[derive(Default)]
pub(super) struct Header {
    line: usize,
    git: Option<(String, String)>,
    is_git: bool,
    old: Option<String>,
    new: Option<String>,
    /// GNU diff shows a missing file by the time stamp of the epoch.
    old_is_epoch: bool,
    new_is_epoch: bool,
    rename: (Option<String>, Option<String>),
    new_file_mode: Option<bool>,
    changed_mode: Option<bool>,
    deleted: bool,
    pub(super) hunks: Vec<Hunk>,
}

impl Header {
    pub(super) fn git(line: usize, text: &str) -> Self {
        let names = name::git_names(text.strip_prefix("diff --git ").unwrap_or_default().trim_end());
        Self { line, git: names, is_git: true, ..Self::default() }
    }

    pub(super) fn plain(line: usize) -> Self {
        Self { line, ..Self::default() }
    }

    pub(super) fn has_names(&self) -> bool {
        self.old.is_some() || !self.hunks.is_empty()
    }

    pub(super) fn name_pair(&mut self, old: &str, new: &str) {
        let (old, old_stamp) = name::take(old.strip_prefix("--- ").unwrap_or_default());
        let (new, new_stamp) = name::take(new.strip_prefix("+++ ").unwrap_or_default());
        self.old_is_epoch = is_epoch(old_stamp);
        self.new_is_epoch = is_epoch(new_stamp);
        self.old = Some(old);
        self.new = Some(new);
    }

    /// One of git's extended header lines; anything else is prose.
    pub(super) fn extended(&mut self, line: usize, text: &str) -> Result<(), ParseError> {
        if text.starts_with("GIT binary patch")
            || (text.starts_with("Binary files ") && text.ends_with(" differ"))
        {
            return Err(ParseError::new(
                line,
                "binary content cannot be patched; write the file with a command instead",
            ));
        }
        if !self.is_git || self.has_names() {
            return Ok(());
        }
        let text = text.trim_end();
        if let Some(name) = text.strip_prefix("rename from ") {
            self.rename.0 = Some(name::take(name).0);
        } else if let Some(name) = text.strip_prefix("rename to ") {
            self.rename.1 = Some(name::take(name).0);
        } else if text.starts_with("copy from ") || text.starts_with("copy to ") {
            return Err(ParseError::new(line, "copies are not supported; write the copy as a new file"));
        } else if let Some(mode) = text.strip_prefix("new file mode ") {
            self.new_file_mode = Some(executable(line, mode)?);
        } else if let Some(mode) = text.strip_prefix("deleted file mode ") {
            executable(line, mode)?;
            self.deleted = true;
        } else if let Some(mode) = text.strip_prefix("old mode ") {
            executable(line, mode)?;
        } else if let Some(mode) = text.strip_prefix("new mode ") {
            self.changed_mode = Some(executable(line, mode)?);
        } else if let Some(mode) = text.strip_prefix("index ").and_then(|index| index.split_once(' ')) {
            executable(line, mode.1)?;
        }
        Ok(())
    }

    pub(super) fn into_file_patch(self) -> Result<Option<FilePatch>, Error> {
        let Some((old, new)) = self.names()? else { return Ok(None) };
        let states_line_endings = self.hunks.iter().any(Hunk::shows_carriage_return);
        let is_nothing = |name: &Option<String>| name.as_deref() == Some(NOTHING);
        let creates = self.new_file_mode.is_some()
            || is_nothing(&self.old)
            || (self.old_is_epoch && self.has_only(LineKind::Add));
        let deletes =
            self.deleted || is_nothing(&self.new) || (self.new_is_epoch && self.has_only(LineKind::Remove));
        let (path, operation) = if creates && deletes {
            return Err(self.error("the diff both creates and deletes this file").into());
        } else if creates {
            (new, self.creation()?)
        } else if deletes {
            (old, Operation::Delete { hunks: Some(self.hunks) })
        } else if self.hunks.is_empty() && self.rename.1.is_none() && self.changed_mode.is_none() {
            // A `diff --git` line alone, for example before a file whose blank space only differs.
            return Ok(None);
        } else {
            let rename_to = (old != new).then(|| RelativePath::new(&new)).transpose()?;
            (old, Operation::Modify { hunks: self.hunks, rename_to, executable: self.changed_mode })
        };
        Ok(Some(FilePatch { path: RelativePath::new(&path)?, operation, states_line_endings }))
    }

    fn has_only(&self, kind: LineKind) -> bool {
        self.hunks.iter().flat_map(|hunk| &hunk.lines).all(|line| line.kind == kind)
    }

    fn creation(&self) -> Result<Operation, ParseError> {
        if self.hunks.len() > 1 || self.hunks.iter().any(|hunk| hunk.old_lines().next().is_some()) {
            return Err(self.error("a file that does not exist yet can only have one hunk of added lines"));
        }
        let mut content = String::new();
        let mut lacks_newline = false;
        for hunk in &self.hunks {
            for line in &hunk.lines {
                content.push_str(&line.text);
                content.push_str(if line.carriage_return { "\r\n" } else { "\n" });
            }
            lacks_newline = hunk.new_lacks_newline;
        }
        if lacks_newline {
            content.pop();
        }
        Ok(Operation::Create { content, executable: self.new_file_mode.unwrap_or(false) })
    }

    fn error(&self, reason: impl Into<String>) -> ParseError {
        ParseError::new(self.line, reason)
    }

    /// The names before and after, without git's prefixes.
    fn names(&self) -> Result<Option<(String, String)>, ParseError> {
        if let (Some(from), Some(to)) = &self.rename {
            return Ok(Some((from.clone(), to.clone())));
        }
        if self.rename.0.is_some() || self.rename.1.is_some() {
            return Err(self.error("a rename needs both a `rename from` and a `rename to` line"));
        }
        let (old, new) = match (&self.old, &self.new, &self.git) {
            (Some(old), Some(new), _) => (old.clone(), new.clone()),
            (_, _, Some((old, new))) => (old.clone(), new.clone()),
            _ => {
                return Err(
                    self.error("the names in this line cannot be told apart; add `---` and `+++` lines")
                );
            }
        };
        let names = match (old == NOTHING, new == NOTHING) {
            (true, true) => return Ok(None),
            (true, false) => {
                (name::without_lone_prefix(&new).to_owned(), name::without_lone_prefix(&new).to_owned())
            }
            (false, true) => {
                (name::without_lone_prefix(&old).to_owned(), name::without_lone_prefix(&old).to_owned())
            }
            (false, false) => self.name_pair_of(&old, &new)?,
        };
        Ok(Some(names))
    }

    fn name_pair_of(&self, old: &str, new: &str) -> Result<(String, String), ParseError> {
        let (old_rest, new_rest) = (name::without_first_part(old), name::without_first_part(new));
        if let (Some(old_rest), Some(new_rest)) = (old_rest, new_rest)
            && old != new
        {
            if old_rest == new_rest {
                return Ok((new_rest.to_owned(), new_rest.to_owned()));
            }
            if name::has_git_prefixes(old, new) {
                return self.same_file(old_rest, new_rest);
            }
        }
        self.same_file(old, new)
    }

    fn same_file(&self, old: &str, new: &str) -> Result<(String, String), ParseError> {
        let backup =
            [".orig", ".old", ".bak", "~"].iter().any(|ending| old.strip_suffix(ending) == Some(new));
        if old == new || backup {
            return Ok((new.to_owned(), new.to_owned()));
        }
        Err(self.error(format!(
            "`{old}` and `{new}` are two files; write `rename from` and `rename to` lines to rename one"
        )))
    }
}

/// Whether a git mode is that of an executable file.
fn executable(line: usize, mode: &str) -> Result<bool, ParseError> {
    let digits = mode.trim();
    match digits {
        "100644" | "100664" | "100600" => Ok(false),
        "100755" | "100775" | "100700" => Ok(true),
        "120000" => Err(ParseError::new(line, "symbolic links cannot be patched (mode 120000)")),
        "160000" => Err(ParseError::new(line, "submodules cannot be patched (mode 160000)")),
        _ => Err(ParseError::new(
            line,
            format!("mode {digits} is not that of a regular file; use 100644 or 100755"),
        )),
    }
}

fn is_epoch(stamp: &str) -> bool {
    ["1970-01-01 00:00:00", "1970-01-01 01:00:00", "1969-12-31 "].iter().any(|epoch| stamp.starts_with(epoch))
}
