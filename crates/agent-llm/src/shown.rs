//! Tells whoever watches an answer when the answer begins anew.

use agent_core::model::TokenSink;

/// A sink that remembers whether anything was shown, so that beginning anew is told only then.
pub(crate) struct Remembering<'a> {
    inner: &'a mut dyn TokenSink,
    has_shown: bool,
}

impl<'a> Remembering<'a> {
    /// Passes everything on to `inner`.
    pub(crate) fn new(inner: &'a mut dyn TokenSink) -> Self {
        Self { inner, has_shown: false }
    }

    /// Another try follows.
    pub(crate) fn begin_anew(&mut self) {
        if std::mem::take(&mut self.has_shown) {
            self.inner.restart();
        }
    }
}

impl TokenSink for Remembering<'_> {
    fn token(&mut self, text: &str) {
        self.has_shown = true;
        self.inner.token(text);
    }

    fn restart(&mut self) {
        self.has_shown = false;
        self.inner.restart();
    }
}
