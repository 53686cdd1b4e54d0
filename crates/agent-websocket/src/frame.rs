//! Frames from a server (RFC 6455, section 5.2): whole, unmasked, without extensions.

use actix_web::web::BytesMut;

const FINAL: u8 = 0x80;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OpCode {
    Text = 0x1,
    Binary = 0x2,
    Close = 0x8,
    Ping = 0x9,
    Pong = 0xA,
}

/// The most bytes that come before a payload.
pub(crate) const MAX_HEAD: usize = 10;

/// Writes a frame.
pub(crate) fn write(opcode: OpCode, payload: &[u8], to: &mut BytesMut) {
    let first = FINAL | opcode as u8;
    let length = payload.len();
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short), _) if short < 126 => to.extend_from_slice(&[first, short]),
        (_, Ok(medium)) => {
            to.extend_from_slice(&[first, 126]);
            to.extend_from_slice(&medium.to_be_bytes());
        }
        _ => {
            to.extend_from_slice(&[first, 127]);
            to.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    to.extend_from_slice(payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_length_has_its_shortest_head() {
        for (length, head) in [
            (0, vec![0x81, 0]),
            (125, vec![0x81, 125]),
            (126, vec![0x81, 126, 0, 126]),
            (255, vec![0x81, 126, 0, 255]),
            (65_535, vec![0x81, 126, 255, 255]),
            (65_536, vec![0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let mut written = BytesMut::new();
            write(OpCode::Text, &vec![b'x'; length], &mut written);
            assert_eq!(written[..written.len() - length], head, "{length}");
            assert!(head.len() <= MAX_HEAD);
        }
    }
}
