//! Where in a file something stands, and how the line there reads.

use super::skeleton::Skeleton;

/// Bytes shown of a line.
const MAX_SIGNATURE: usize = 160;

/// The lines of a source text.
#[derive(Debug)]
pub(crate) struct Places<'a> {
    source: &'a [u8],
    skeleton: &'a Skeleton,
    /// Where each line break stands.
    breaks: &'a [u32],
}

impl<'a> Places<'a> {
    /// `breaks` is a buffer that is used again from file to file.
    pub(crate) fn new(source: &'a [u8], skeleton: &'a Skeleton, breaks: &'a mut Vec<u32>) -> Self {
        breaks.clear();
        // Larger files are not outlined.
        breaks.extend(memchr::memchr_iter(b'\n', source).map(|at| u32::try_from(at).unwrap_or(u32::MAX)));
        Self { source, skeleton, breaks }
    }

    /// The line, from 1, of a place in the skeleton.
    pub(crate) fn line_of(&self, at: usize) -> u32 {
        self.line_of_source(self.skeleton.source_of(at))
    }

    /// The line, from 1, of a place in the source.
    pub(crate) fn line_of_source(&self, at: usize) -> u32 {
        let at = u32::try_from(at).unwrap_or(u32::MAX);
        u32::try_from(self.breaks.partition_point(|end| *end < at)).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// What the line says of the definition that stands there. Values and texts are left out: they are
    /// where secrets stand.
    pub(crate) fn signature(&self, line: u32) -> String {
        let index = usize::try_from(line).unwrap_or(usize::MAX);
        let start = match index {
            0 | 1 => 0,
            _ => self.breaks.get(index - 2).map_or(self.source.len(), |end| *end as usize + 1),
        };
        let end = self.breaks.get(index.saturating_sub(1)).map_or(self.source.len(), |end| *end as usize);
        // A line of a minified file may be a megabyte long.
        let line = &self.source[start.min(end)..end.min(start + 4 * MAX_SIGNATURE)];
        shown(&String::from_utf8_lossy(line))
    }
}

fn shown(line: &str) -> String {
    let mut text = String::with_capacity(MAX_SIGNATURE);
    let mut quote: Option<char> = None;
    let mut characters = line.trim().chars().peekable();
    let mut before = ' ';
    while let Some(character) = characters.next() {
        if text.len() >= MAX_SIGNATURE {
            text.push('…');
            break;
        }
        if let Some(open) = quote {
            match character {
                '\\' => {
                    characters.next();
                }
                _ if character == open => {
                    quote = None;
                    text.push_str("…");
                    text.push(character);
                }
                _ => {}
            }
            continue;
        }
        let next = characters.peek().copied().unwrap_or(' ');
        let assigned = character == '=' && !matches!(next, '=' | '>') && !"=!<>+-*/%&|^:".contains(before);
        if assigned && !text.contains('(') && !text.contains('<') {
            break;
        }
        match character {
            // A lifetime is no quote.
            '\'' if next.is_alphabetic()
                && !line[line.len().min(1)..].is_empty()
                && is_lifetime(&characters) =>
            {
                text.push(character)
            }
            '"' | '\'' | '`' => {
                quote = Some(character);
                text.push(character);
            }
            c if c.is_control() => text.push(' '),
            c => text.push(c),
        }
        before = character;
    }
    if quote.is_some() {
        text.push('…');
    }
    text.trim_end_matches(['{', ' ', ':']).to_owned()
}

/// Whether what follows a `'` is a name without a closing `'`, as in `&'a str`.
fn is_lifetime(rest: &std::iter::Peekable<std::str::Chars<'_>>) -> bool {
    let after = rest.clone().find(|character| !(character.is_alphanumeric() || *character == '_'));
    after != Some('\'')
}
