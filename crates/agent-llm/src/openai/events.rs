//! Server-sent events, as far as language model servers use them: the data of each event.

use agent_core::model::ModelError;
use std::collections::VecDeque;

/// Longest event of a stream, in bytes.
const EVENT_LIMIT: usize = 8 << 20;

/// Cuts the bytes of a stream into the data of its events.
#[derive(Debug, Default)]
pub(crate) struct Events {
    line: Vec<u8>,
    data: Vec<String>,
    ready: VecDeque<String>,
    after_carriage_return: bool,
}

impl Events {
    /// Takes the next bytes, wherever the network cut them.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<(), ModelError> {
        for &byte in bytes {
            let second_half = std::mem::take(&mut self.after_carriage_return) && byte == b'\n';
            match byte {
                b'\n' if second_half => {}
                b'\n' => self.end_line(),
                b'\r' => {
                    self.after_carriage_return = true;
                    self.end_line();
                }
                other => self.line.push(other),
            }
        }
        let data: usize = self.data.iter().map(String::len).sum();
        if self.line.len() + data > EVENT_LIMIT {
            return Err(ModelError::Malformed(format!("an event of the stream exceeds {EVENT_LIMIT} bytes")));
        }
        Ok(())
    }

    /// The stream is over; many servers leave out the empty line behind the last event.
    pub(crate) fn end(&mut self) {
        self.end_line();
        self.end_event();
    }

    /// The data of the next whole event.
    pub(crate) fn next(&mut self) -> Option<String> {
        self.ready.pop_front()
    }

    fn end_line(&mut self) {
        let bytes = std::mem::take(&mut self.line);
        if bytes.is_empty() {
            self.end_event();
        } else if let Some(value) = bytes.strip_prefix(b"data:") {
            let text = String::from_utf8_lossy(value);
            self.data.push(text.strip_prefix(' ').unwrap_or(&text).to_owned());
        }
        // Comments and the fields event, id and retry carry nothing that is needed.
    }

    fn end_event(&mut self) {
        if !self.data.is_empty() {
            self.ready.push_back(std::mem::take(&mut self.data).join("\n"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Events;

    fn data(pieces: &[&[u8]]) -> Vec<String> {
        let mut events = Events::default();
        for piece in pieces {
            events.feed(piece).unwrap();
        }
        events.end();
        std::iter::from_fn(|| events.next()).collect()
    }

    #[test]
    fn events_survive_every_cut_of_the_network() {
        let stream =
            "data: {\"a\":\"ä\"}\r\n\r\n: alive\n\nevent: x\ndata:one\ndata: two\n\ndata: last".as_bytes();
        for cut in 0..stream.len() {
            let (left, right) = stream.split_at(cut);
            assert_eq!(data(&[left, right]), ["{\"a\":\"ä\"}", "one\ntwo", "last"], "cut at {cut}");
        }
    }

    #[test]
    fn a_lone_carriage_return_ends_a_line() {
        assert_eq!(data(&[b"data: a\r\rdata: b\r\r"]), ["a", "b"]);
    }
}
