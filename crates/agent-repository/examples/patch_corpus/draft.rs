//! A patch as somebody writes it: right in the beginning, then less and less so.

use std::fmt::Write;

use super::change::{Change, Hunk, HunkLine, Sign};

/// In which of the formats the patch is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Unified,
    /// Whether the enclosing line stands after `@@`.
    Envelope {
        scoped: bool,
    },
    SearchReplace,
}

/// How a file is named in a unified diff.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    Git,
    WithoutGitLine,
    WithoutPrefixes,
    WithTimes,
    GitLineOnly,
}

/// A hunk as it is written.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    pub(crate) hunk: Hunk,
    /// The line with `@@`, when it is not to be worked out.
    pub(crate) header: Option<String>,
    /// Whether the patch states the true line.
    pub(crate) stated: bool,
    /// A line before the header that belongs to no format.
    pub(crate) remark: Option<String>,
}

/// A patch and the file it is for.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    /// The file and what is meant to happen to it.
    pub(crate) change: Change,
    pub(crate) written: Vec<Written>,
    pub(crate) format: Format,
    pub(crate) names: Names,
    /// Text before and after the patch.
    pub(crate) around: (String, String),
    /// Whether every line of the patch ends with CR LF.
    pub(crate) as_crlf: bool,
    /// How many of its last lines are missing.
    pub(crate) cut: usize,
    pub(crate) chomped: bool,
    /// Whether the number of a hunk is that of a place that it almost fits: refusing it is right, too.
    pub(crate) contradicts: bool,
    /// Whether the place of a hunk is gone, so that only a refusal is right.
    pub(crate) hopeless: bool,
}

impl Draft {
    pub(crate) fn of(change: &Change) -> Self {
        let written = |hunk: &Hunk| Written { hunk: hunk.clone(), header: None, stated: true, remark: None };
        Self {
            written: change.hunks.iter().map(written).collect(),
            change: change.clone(),
            format: Format::Unified,
            names: Names::Git,
            around: (String::new(), String::new()),
            as_crlf: false,
            cut: 0,
            chomped: false,
            contradicts: false,
            hopeless: false,
        }
    }

    /// The text of the patch.
    pub(crate) fn patch(&self) -> String {
        let mut text = match self.format {
            Format::Unified => self.unified(),
            Format::Envelope { scoped } => self.envelope(scoped),
            Format::SearchReplace => self.blocks(),
        };
        for _ in 0..self.cut {
            text.pop();
            text.truncate(text.rfind('\n').map_or(0, |end| end + 1));
        }
        let mut text = format!("{}{text}{}", self.around.0, self.around.1);
        if self.as_crlf {
            text = text.replace('\n', "\r\n");
        }
        if self.chomped {
            text.truncate(text.trim_end_matches(['\n', '\r']).len());
        }
        text
    }

    fn unified(&self) -> String {
        let path = &self.change.path;
        let mut text = String::new();
        if matches!(self.names, Names::Git | Names::GitLineOnly) {
            let _ = write!(text, "diff --git a/{path} b/{path}\nindex 1111111..2222222 100644\n");
        }
        let _ = match self.names {
            Names::Git | Names::WithoutGitLine => write!(text, "--- a/{path}\n+++ b/{path}\n"),
            Names::WithoutPrefixes => write!(text, "--- {path}\n+++ {path}\n"),
            Names::WithTimes => {
                let time = "2024-05-01 10:11:12.000000000 +0200";
                write!(text, "--- a/{path}\t{time}\n+++ b/{path}\t{time}\n")
            }
            Names::GitLineOnly => Ok(()),
        };
        let mut shift = 0;
        for written in &self.written {
            if let Some(remark) = &written.remark {
                let _ = writeln!(text, "{remark}");
            }
            let header = written.header.clone().unwrap_or_else(|| numbered(&written.hunk, shift, (0, 0)));
            let _ = writeln!(text, "{header}");
            written.hunk.lines.iter().for_each(|line| push_line(&mut text, line));
            shift += count(&written.hunk, Sign::Remove).cast_signed()
                - count(&written.hunk, Sign::Add).cast_signed();
        }
        text
    }

    fn envelope(&self, scoped: bool) -> String {
        let mut text = format!("*** Begin Patch\n*** Update File: {}\n", self.change.path);
        for Written { hunk, .. } in &self.written {
            let section = if scoped { hunk.section.as_str() } else { "" };
            let _ = writeln!(text, "{}", format!("@@ {section}").trim_end());
            hunk.lines.iter().for_each(|line| push_line(&mut text, line));
        }
        text.push_str("*** End Patch\n");
        text
    }

    fn blocks(&self) -> String {
        let mut text = String::new();
        for Written { hunk, .. } in &self.written {
            let _ = write!(text, "{}\n<<<<<<< SEARCH\n", self.change.path);
            let side = |without: Sign| hunk.lines.iter().filter(move |line| line.sign != without);
            text.extend(side(Sign::Add).map(|line| line.text.as_str()));
            text.push_str("=======\n");
            text.extend(side(Sign::Remove).map(|line| line.text.as_str()));
            text.push_str(">>>>>>> REPLACE\n");
        }
        text
    }

    /// Whether every line of the hunks ends with a newline, which is all that two of the formats can say.
    pub(crate) fn ends_lines(&self) -> bool {
        self.written.iter().flat_map(|written| &written.hunk.lines).all(|line| line.text.ends_with('\n'))
    }
}

/// A line that states where a hunk is. The counts are off by `wrong`.
pub(crate) fn numbered(hunk: &Hunk, shift: isize, wrong: (isize, isize)) -> String {
    let (added, removed) = (count(hunk, Sign::Add), count(hunk, Sign::Remove));
    let context = hunk.lines.len() - added - removed;
    let (old, new) = (context + removed, context + added);
    let line = |lines: usize| hunk.start + usize::from(lines > 0);
    let new_start = (line(new).cast_signed() - shift).max(0);
    let stated = |lines: usize, wrong: isize| (lines.cast_signed() + wrong).max(1 - isize::from(wrong == 0));
    let (start, old, new) = (line(old), stated(old, wrong.0), stated(new, wrong.1));
    format!("@@ -{start},{old} +{new_start},{new} @@ {}", hunk.section).trim_end().to_owned()
}

pub(crate) fn count(hunk: &Hunk, sign: Sign) -> usize {
    hunk.lines.iter().filter(|line| line.sign == sign).count()
}

fn push_line(text: &mut String, line: &HunkLine) {
    if !line.bare {
        text.push(line.sign.mark());
    }
    text.push_str(&line.text);
    if !line.text.ends_with('\n') {
        text.push_str("\n\\ No newline at end of file\n");
    }
}
