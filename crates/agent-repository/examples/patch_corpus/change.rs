//! What really happened to a file: the truth that a patch is measured by.

/// What happens to a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    Context,
    Remove,
    Add,
}

impl Sign {
    pub(crate) fn mark(self) -> char {
        match self {
            Self::Context => ' ',
            Self::Remove => '-',
            Self::Add => '+',
        }
    }
}

/// A line of a hunk, with its ending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HunkLine {
    pub(crate) sign: Sign,
    pub(crate) text: String,
    /// Whether it is written without its sign.
    pub(crate) bare: bool,
}

/// Some lines of the file and what becomes of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hunk {
    /// The first old line, or the one before which lines are added, counted from 0.
    pub(crate) start: usize,
    /// What git shows as the enclosing line.
    pub(crate) section: String,
    pub(crate) lines: Vec<HunkLine>,
}

/// A change of one file, as the repository knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) path: String,
    /// The lines before, each with its ending.
    pub(crate) before: Vec<String>,
    pub(crate) hunks: Vec<Hunk>,
}

impl Change {
    /// Understands git's own diff of a file; `None` when that does not lead from `before` to `after`.
    pub(crate) fn new(path: &str, before: &str, after: &str, hunks: &[String]) -> Option<Self> {
        let before: Vec<String> = before.split_inclusive('\n').map(str::to_owned).collect();
        let hunks = parsed(hunks)?;
        let change = Self { path: path.to_owned(), before, hunks };
        (!change.hunks.is_empty() && change.after() == after).then_some(change)
    }

    pub(crate) fn before(&self) -> String {
        self.before.concat()
    }

    /// The file after the change.
    pub(crate) fn after(&self) -> String {
        let mut after = String::new();
        let mut next = 0;
        for hunk in &self.hunks {
            after.extend(self.before.get(next..hunk.start).unwrap_or_default().iter().map(String::as_str));
            next = hunk.start;
            for line in &hunk.lines {
                match line.sign {
                    Sign::Context => after.push_str(self.before.get(next).map_or("", String::as_str)),
                    Sign::Add => after.push_str(&line.text),
                    Sign::Remove => {}
                }
                next += usize::from(line.sign != Sign::Add);
            }
        }
        after.extend(self.before.get(next..).unwrap_or_default().iter().map(String::as_str));
        after
    }

    /// Added and removed lines together.
    pub(crate) fn size(&self) -> usize {
        self.hunks.iter().flat_map(|hunk| &hunk.lines).filter(|line| line.sign != Sign::Context).count()
    }

    /// Changes old lines of a hunk in the file itself, as somebody else would have before the patch.
    pub(crate) fn edit_old_lines(&mut self, hunk: usize, mut edit: impl FnMut(&mut String, Sign)) {
        let hunk = &mut self.hunks[hunk];
        let old_lines = hunk.lines.iter_mut().filter(|line| line.sign != Sign::Add);
        for (at, line) in (hunk.start..).zip(old_lines) {
            edit(&mut line.text, line.sign);
            self.before[at].clone_from(&line.text);
        }
    }

    /// Puts a line into the context of a hunk, before its line `index`.
    pub(crate) fn insert_context(&mut self, hunk: usize, index: usize, text: &str) {
        let at = self.hunks[hunk].line_in_file(index);
        self.before.insert(at, text.to_owned());
        let line = HunkLine { sign: Sign::Context, text: text.to_owned(), bare: false };
        self.hunks[hunk].lines.insert(index, line);
        self.hunks.iter_mut().skip(hunk + 1).for_each(|later| later.start += 1);
    }

    /// Takes the context line `index` of a hunk out of the file.
    pub(crate) fn remove_context(&mut self, hunk: usize, index: usize) {
        let at = self.hunks[hunk].line_in_file(index);
        self.before.remove(at);
        self.hunks[hunk].lines.remove(index);
        self.hunks.iter_mut().skip(hunk + 1).for_each(|later| later.start -= 1);
    }
}

impl Hunk {
    pub(crate) fn old(&self) -> impl Iterator<Item = &HunkLine> {
        self.lines.iter().filter(|line| line.sign != Sign::Add)
    }

    /// How many context lines stand before the first change, and after the last.
    pub(crate) fn edges(&self) -> (usize, usize) {
        let is_context = |line: &&HunkLine| line.sign == Sign::Context;
        let lead = self.lines.iter().take_while(is_context).count();
        (lead, self.lines.iter().rev().take_while(is_context).count())
    }

    fn line_in_file(&self, index: usize) -> usize {
        self.start + self.lines[..index].iter().filter(|line| line.sign != Sign::Add).count()
    }
}

fn parsed(lines: &[String]) -> Option<Vec<Hunk>> {
    let mut hunks: Vec<Hunk> = Vec::new();
    for line in lines {
        if let Some(header) = line.strip_prefix("@@ ") {
            let (ranges, section) = header.split_once(" @@")?;
            let (start, count) = match ranges.split(' ').next()?.strip_prefix('-')?.split_once(',') {
                Some((start, count)) => (start.parse::<usize>().ok()?, count.parse::<usize>().ok()?),
                None => (ranges.split(' ').next()?.strip_prefix('-')?.parse().ok()?, 1),
            };
            let start = if count == 0 { start } else { start.checked_sub(1)? };
            hunks.push(Hunk { start, section: section.trim().to_owned(), lines: Vec::new() });
            continue;
        }
        let hunk = hunks.last_mut()?;
        let sign = match line.as_bytes().first()? {
            b' ' => Sign::Context,
            b'-' => Sign::Remove,
            b'+' => Sign::Add,
            _ => {
                // `\ No newline at end of file` speaks of the line before.
                hunk.lines.last_mut()?.text.pop();
                continue;
            }
        };
        hunk.lines.push(HunkLine { sign, text: line[1..].to_owned(), bare: false });
    }
    Some(hunks)
}
