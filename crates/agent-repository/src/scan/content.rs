//! Reads a file's content within the limits, and says what it is.

use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};

use super::beneath;
use super::filter;
use super::identity::Identity;
use super::walk::Found;

/// How much of a file is looked at to tell binary from text.
const HEAD: usize = 8 * 1024;

/// Bytes that may still be read.
#[derive(Debug)]
pub(crate) struct Budget {
    max_file_bytes: u64,
    max_total_bytes: u64,
    wanted: AtomicU64,
}

impl Budget {
    pub(crate) fn new(max_file_bytes: u64, max_total_bytes: u64) -> Self {
        Self { max_file_bytes, max_total_bytes, wanted: AtomicU64::new(0) }
    }

    /// Takes `size` bytes from what may be read; the reason if they may not.
    pub(crate) fn refuses(&self, size: u64) -> Option<Content> {
        if size > self.max_file_bytes {
            return Some(Content::TooLarge);
        }
        let wanted = self.wanted.fetch_add(size, Ordering::Relaxed) + size;
        (wanted > self.max_total_bytes).then_some(Content::OverBudget)
    }

    pub(crate) fn is_spent(&self) -> bool {
        self.wanted.load(Ordering::Relaxed) > self.max_total_bytes
    }
}

/// What stands in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// The buffer holds the whole file.
    Text,
    /// It has a zero byte near its start; it was not read further.
    Binary,
    /// It is larger than a single file may be; it was not read.
    TooLarge,
    /// It is a private key.
    Sensitive,
    /// The budget for all files is spent; it was not read.
    OverBudget,
}

impl Found<'_> {
    /// Reads the file into `buffer` and returns what it is and its size in bytes.
    pub(crate) fn read(&self, buffer: &mut Vec<u8>) -> io::Result<(Content, u64)> {
        self.read_identified(buffer).map(|(content, identity)| (content, identity.size))
    }

    /// Reads the file into `buffer` and returns what it is, and which file it was before it was read.
    pub(crate) fn read_identified(&self, buffer: &mut Vec<u8>) -> io::Result<(Content, Identity)> {
        buffer.clear();
        let (mut file, identity) = beneath::open_identified(self.folder, self.name)?;
        if let Some(content) = self.budget.refuses(identity.size) {
            return Ok((content, identity));
        }
        // One byte more than expected tells the end of the file without another call.
        let expected = usize::try_from(identity.size).unwrap_or(HEAD).saturating_add(1);
        buffer.reserve(expected);
        file.by_ref().take(HEAD as u64).read_to_end(buffer)?;
        if memchr::memchr(0, buffer).is_some() {
            return Ok((Content::Binary, identity));
        }
        if filter::opens_with_private_key(buffer) {
            buffer.clear();
            return Ok((Content::Sensitive, identity));
        }
        if buffer.len() == HEAD {
            // A file that grows while it is read is cut at the limit.
            file.take(self.budget.max_file_bytes.saturating_sub(HEAD as u64)).read_to_end(buffer)?;
        }
        Ok((Content::Text, identity))
    }

    /// The size in bytes, without opening the file.
    pub(crate) fn size(&self) -> io::Result<u64> {
        beneath::size(self.folder, self.name)
    }

    /// Which regular file it is, without opening it.
    pub(crate) fn identity(&self) -> io::Result<Option<Identity>> {
        beneath::identity(self.folder, self.name)
    }
}
