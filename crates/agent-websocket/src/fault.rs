//! What is wrong with a client, in the codes of RFC 6455, section 7.4.

use actix_http::ws::ProtocolError;

/// Bytes of words that fit a close frame beside its code.
const MAX_WORDS: usize = 123;

/// Why a connection ends, as the other side is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseFrame {
    /// The close code; `None` for a close frame without one.
    pub code: Option<u16>,
    /// Words for people, cut to what fits a frame.
    pub words: String,
}

impl CloseFrame {
    /// A close frame with a code and words.
    pub fn new(code: u16, words: impl Into<String>) -> Self {
        Self { code: Some(code), words: words.into() }
    }

    /// The payload on the wire.
    pub(crate) fn payload(&self) -> Vec<u8> {
        let Some(code) = self.code else { return Vec::new() };
        let mut payload = code.to_be_bytes().to_vec();
        payload.extend_from_slice(&self.words.as_bytes()[..self.words.floor_char_boundary(MAX_WORDS)]);
        payload
    }
}

/// What a client did that ends its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It broke the protocol (1002).
    Protocol,
    /// It sent text that is not UTF-8 (1007).
    NotUtf8,
    /// It sent a message that is too large (1009).
    TooLarge,
    /// It is gone without a word, so that nobody can be told.
    Gone,
}

impl Fault {
    /// What the client is told; `None` where it is gone.
    pub fn close_frame(self) -> Option<CloseFrame> {
        match self {
            Self::Protocol => Some(CloseFrame::new(1002, "protocol error")),
            Self::NotUtf8 => Some(CloseFrame::new(1007, "a text message must be UTF-8")),
            Self::TooLarge => Some(CloseFrame::new(1009, "message too large")),
            Self::Gone => None,
        }
    }
}

impl From<ProtocolError> for Fault {
    fn from(error: ProtocolError) -> Self {
        match error {
            ProtocolError::Overflow => Self::TooLarge,
            // Reserved bits come as invalid data, without a name of their own.
            _ => Self::Protocol,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_between_characters_to_what_fits() {
        let frame = CloseFrame::new(4401, "ü".repeat(100));
        let payload = frame.payload();
        assert_eq!(payload.len(), 2 + 122);
        assert_eq!(&payload[..2], &4401_u16.to_be_bytes());
        assert!(std::str::from_utf8(&payload[2..]).is_ok());
    }
}
