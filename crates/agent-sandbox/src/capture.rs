//! Keeps the beginning and the end of an output stream in bounded memory.

use std::collections::VecDeque;

use serde::Serialize;

/// Which stream a piece of output came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Follows the output of a command while it runs. Closures `FnMut(OutputStream, &[u8])` are sinks.
pub trait OutputSink {
    /// Takes the next piece, at most 64 KiB, cut anywhere; must return quickly.
    fn on_output(&mut self, stream: OutputStream, chunk: &[u8]);
}

impl<F: FnMut(OutputStream, &[u8])> OutputSink for F {
    fn on_output(&mut self, stream: OutputStream, chunk: &[u8]) {
        self(stream, chunk);
    }
}

/// The sink for those who only want the outcome.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl OutputSink for Silent {
    fn on_output(&mut self, _stream: OutputStream, _chunk: &[u8]) {}
}

/// What a stream said: all of it, or its beginning and end with a note of what lies between.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Captured {
    /// The text; bytes that are no UTF-8 are shown as U+FFFD.
    pub text: String,
    /// Bytes the command wrote, kept or not.
    pub total_bytes: u64,
    /// Whether something was left out.
    pub truncated: bool,
}

/// Collects one stream.
#[derive(Debug)]
pub(crate) struct Capture {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    head_limit: usize,
    tail_limit: usize,
    total: u64,
}

impl Capture {
    pub(crate) fn new(limit: usize) -> Self {
        let head_limit = limit / 2;
        Self { head: Vec::new(), tail: VecDeque::new(), head_limit, tail_limit: limit - head_limit, total: 0 }
    }

    pub(crate) fn push(&mut self, chunk: &[u8]) {
        self.total += chunk.len() as u64;
        let room = self.head_limit - self.head.len();
        let (first, rest) = chunk.split_at(room.min(chunk.len()));
        self.head.extend_from_slice(first);
        let rest = &rest[rest.len().saturating_sub(self.tail_limit)..];
        let overflow = (self.tail.len() + rest.len()).saturating_sub(self.tail_limit);
        self.tail.drain(..overflow);
        self.tail.extend(rest);
    }

    pub(crate) fn finish(mut self) -> Captured {
        let kept = (self.head.len() + self.tail.len()) as u64;
        let truncated = kept < self.total;
        let tail = self.tail.make_contiguous();
        let text = if truncated {
            let (head, tail) = (whole_end(&self.head), whole_start(tail));
            let left_out = self.total - (head.len() + tail.len()) as u64;
            let (head, tail) = (String::from_utf8_lossy(head), String::from_utf8_lossy(tail));
            format!("{head}\n[... {left_out} bytes left out ...]\n{tail}")
        } else {
            self.head.extend_from_slice(tail);
            String::from_utf8_lossy(&self.head).into_owned()
        };
        Captured { text, total_bytes: self.total, truncated }
    }
}

/// Drops a character that the cut left without its end.
fn whole_end(bytes: &[u8]) -> &[u8] {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => &bytes[..error.valid_up_to()],
        _ => bytes,
    }
}

/// Drops the rest of a character that the cut left without its start.
fn whole_start(bytes: &[u8]) -> &[u8] {
    let continued = bytes.iter().take(3).take_while(|byte| **byte & 0xC0 == 0x80).count();
    &bytes[continued..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(limit: usize, chunks: &[&[u8]]) -> Captured {
        let mut capture = Capture::new(limit);
        chunks.iter().for_each(|chunk| capture.push(chunk));
        capture.finish()
    }

    #[test]
    fn output_within_the_limit_is_kept_whole_across_chunks() {
        let kept = captured(8, &[b"ab", b"cdefg", b"h"]);
        assert_eq!(kept, Captured { text: "abcdefgh".into(), total_bytes: 8, truncated: false });
    }

    #[test]
    fn of_longer_output_the_beginning_and_the_end_are_kept() {
        let kept = captured(4, &[b"0123", b"456", b"789"]);
        assert_eq!(kept.text, "01\n[... 6 bytes left out ...]\n89");
        assert_eq!((kept.total_bytes, kept.truncated), (10, true));
    }

    #[test]
    fn a_cut_never_leaves_half_a_character() {
        let kept = captured(6, &["ää-------ää".as_bytes()]);
        assert_eq!(kept.text, "ä\n[... 11 bytes left out ...]\nä");
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_as_replacement_characters() {
        assert_eq!(captured(10, &[b"a\xFFb\0"]).text, "a\u{FFFD}b\0");
    }
}
