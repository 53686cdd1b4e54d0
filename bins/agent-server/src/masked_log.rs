//! The log, with every secret masked.

use agent_core::ports::Redactor;
use std::io::{self, Write};
use std::sync::Arc;
use tracing_subscriber::fmt::MakeWriter;

/// Writes lines to standard error, masked. Each event arrives in one piece, so that no secret is cut in two.
#[derive(Clone)]
pub(crate) struct MaskedLog {
    redactor: Arc<dyn Redactor>,
}

impl MaskedLog {
    /// A log that masks what this redactor knows.
    pub(crate) fn new(redactor: Arc<dyn Redactor>) -> Self {
        Self { redactor }
    }

    fn masked(&self, bytes: &[u8]) -> Vec<u8> {
        self.redactor.redact(&String::from_utf8_lossy(bytes)).into_owned().into_bytes()
    }
}

impl<'a> MakeWriter<'a> for MaskedLog {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Write for MaskedLog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stderr().lock().write_all(&self.masked(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    struct Word;

    impl Redactor for Word {
        fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
            text.replace("hunter2", "[secret]").into()
        }
    }

    #[test]
    fn an_event_is_masked_as_a_whole_and_counts_as_written() {
        let mut log = MaskedLog::new(Arc::new(Word));
        assert_eq!(log.masked(b"login with hunter2\n"), b"login with [secret]\n");
        assert_eq!(log.write(b"hunter2").unwrap(), 7);
    }
}
