//! Writes a cache to a file and reads it back.
//!
//! The file is a mark with the version, a SHA-256 of the rest, and the rest. Whatever does not read back
//! as it was written is not used at all.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::super::content::Content;
use super::super::count::Counts;
use super::super::facts::{Facts, Outlined};
use super::super::identity::Identity;
use super::super::language_table::LANGUAGES;
use super::{Entry, Key};
use crate::symbols::{Definition, FileOutline, References, SymbolKind};

/// Counts up whenever the same bytes would mean something else, or the same file would tell something
/// else: with each change of counting, of grammars and of this format.
const MARK: &[u8; 16] = b"agent-scan 00001";

/// Bytes before the rest: the mark and the SHA-256.
const HEADER: usize = 16 + 32;

pub(super) fn write<'a>(
    path: &Path,
    files: impl Iterator<Item = (&'a Vec<u8>, &'a Entry)>,
) -> io::Result<()> {
    let mut body = Vec::new();
    // The languages by name: their numbers change when the table grows.
    for row in LANGUAGES {
        put_bytes(&mut body, row.name.as_bytes());
    }
    let mut files: Vec<_> = files.collect();
    files.sort_unstable_by_key(|(path, _)| *path);
    for (path, entry) in files {
        put_entry(&mut body, path, entry);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(MARK)?;
    file.write_all(&Sha256::digest(&body))?;
    file.write_all(&body)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

pub(super) fn read(path: &Path, max_bytes: usize) -> Option<Vec<(Vec<u8>, Entry)>> {
    let file = File::open(path).ok()?;
    let size = file.metadata().ok().filter(std::fs::Metadata::is_file)?.len();
    if usize::try_from(size).ok()? > max_bytes.saturating_add(HEADER) {
        return None;
    }
    let mut text = Vec::new();
    file.take(size).read_to_end(&mut text).ok()?;
    let body = text.strip_prefix(MARK)?;
    let (digest, body) = body.split_at_checked(32)?;
    if digest != Sha256::digest(body).as_slice() {
        return None;
    }
    let mut from = Reader { rest: body };
    for row in LANGUAGES {
        if from.bytes()? != row.name.as_bytes() {
            return None;
        }
    }
    let mut files = Vec::new();
    while !from.rest.is_empty() {
        files.push(entry(&mut from)?);
    }
    Some(files)
}

fn put_number(body: &mut Vec<u8>, number: u64) {
    body.extend_from_slice(&number.to_le_bytes());
}

fn put_bytes(body: &mut Vec<u8>, bytes: &[u8]) {
    put_number(body, bytes.len() as u64);
    body.extend_from_slice(bytes);
}

fn put_entry(body: &mut Vec<u8>, path: &[u8], entry: &Entry) {
    put_bytes(body, path);
    let Identity { device, inode, mode, size, modified_ns, changed_ns } = entry.identity;
    for number in [device, inode, u64::from(mode), size] {
        put_number(body, number);
    }
    body.extend_from_slice(&modified_ns.to_le_bytes());
    body.extend_from_slice(&changed_ns.to_le_bytes());
    body.push(u8::from(entry.settled));
    body.extend_from_slice(&entry.key.digest);
    put_number(body, entry.key.language.map_or(u64::MAX, |number| number as u64));
    put_facts(body, &entry.facts);
}

fn put_facts(body: &mut Vec<u8>, facts: &Facts) {
    body.push(match facts.content {
        Content::Text => 0,
        Content::Binary => 1,
        _ => 2,
    });
    match facts.counted {
        None => put_number(body, u64::MAX),
        Some((language, Counts { code, comments, blanks })) => {
            for number in [language as u64, code, comments, blanks] {
                put_number(body, number);
            }
        }
    }
    let (kind, outline) = match &facts.outline {
        Outlined::Done(outline, references) => (2 + u8::from(*references), Some(outline)),
        Outlined::Nothing => (1, None),
        Outlined::NotAsked | Outlined::LeftOut(_) => (0, None),
    };
    body.push(kind);
    let Some(outline) = outline else { return };
    put_number(body, outline.definitions.len() as u64);
    for definition in &outline.definitions {
        put_bytes(body, definition.name.as_bytes());
        body.push(SymbolKind::ALL.iter().position(|kind| *kind == definition.kind).unwrap_or(0) as u8);
        put_number(body, u64::from(definition.line));
        put_number(body, u64::from(definition.end_line));
        body.push(u8::from(definition.container.is_some()));
        put_bytes(body, definition.container.as_deref().unwrap_or_default().as_bytes());
        put_bytes(body, definition.signature.as_bytes());
    }
    put_number(body, outline.references.len() as u64);
    for (hash, count) in outline.references.entries() {
        put_number(body, *hash);
        put_number(body, u64::from(*count));
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|taken| taken[0])
    }

    fn number(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    fn small(&mut self) -> Option<u32> {
        u32::try_from(self.number()?).ok()
    }

    fn length(&mut self) -> Option<usize> {
        // Nothing is longer than what is left, so no length asks for more memory than the file takes.
        usize::try_from(self.number()?).ok().filter(|length| *length <= self.rest.len())
    }

    fn time(&mut self) -> Option<i128> {
        Some(i128::from_le_bytes(self.take(16)?.try_into().ok()?))
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.length()?;
        self.take(length)
    }

    fn text(&mut self) -> Option<Arc<str>> {
        std::str::from_utf8(self.bytes()?).ok().map(Arc::from)
    }
}

fn entry(from: &mut Reader<'_>) -> Option<(Vec<u8>, Entry)> {
    let path = from.bytes()?.to_vec();
    let identity = Identity {
        device: from.number()?,
        inode: from.number()?,
        mode: from.small()?,
        size: from.number()?,
        modified_ns: from.time()?,
        changed_ns: from.time()?,
    };
    let settled = from.byte()? == 1;
    let digest = from.take(32)?.try_into().ok()?;
    let language = match from.number()? {
        u64::MAX => None,
        number => Some(usize::try_from(number).ok().filter(|number| *number < LANGUAGES.len())?),
    };
    let facts = Arc::new(facts(from)?);
    Some((path, Entry { identity, settled, key: Key { digest, language }, facts, seen_in: 0 }))
}

fn facts(from: &mut Reader<'_>) -> Option<Facts> {
    let content = match from.byte()? {
        0 => Content::Text,
        1 => Content::Binary,
        2 => Content::Sensitive,
        _ => return None,
    };
    let counted = match from.number()? {
        u64::MAX => None,
        number => {
            let number = usize::try_from(number).ok().filter(|number| *number < LANGUAGES.len())?;
            let (code, comments, blanks) = (from.number()?, from.number()?, from.number()?);
            Some((number, Counts { code, comments, blanks }))
        }
    };
    let outline = match from.byte()? {
        0 => Outlined::NotAsked,
        1 => Outlined::Nothing,
        kind => Outlined::Done(Arc::new(outline(from)?), kind == 3),
    };
    Some(Facts { content, counted, outline })
}

fn outline(from: &mut Reader<'_>) -> Option<FileOutline> {
    let mut definitions = Vec::new();
    for _ in 0..from.length()? {
        definitions.push(definition(from)?);
    }
    let mut references = Vec::new();
    for _ in 0..from.length()? {
        references.push((from.number()?, from.small()?));
    }
    Some(FileOutline { definitions, references: References::from_entries(references)? })
}

fn definition(from: &mut Reader<'_>) -> Option<Definition> {
    let name = from.text()?;
    let kind = *SymbolKind::ALL.get(usize::from(from.byte()?))?;
    let (line, end_line) = (from.small()?, from.small()?);
    let contained = from.byte()? == 1;
    let container = from.text()?;
    let signature = from.text()?;
    Some(Definition { name, kind, line, end_line, container: contained.then_some(container), signature })
}
