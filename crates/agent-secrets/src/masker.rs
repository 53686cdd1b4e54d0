//! Puts a mask in place of every secret.

use crate::known::{self, Known};
use crate::rules::{self, Span};
use agent_core::ports::Redactor;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// What a mask begins with.
const MASK: &str = "[secret ";
/// A mask can complete the shape of another secret; more often than this it does not.
const MAX_ROUNDS: usize = 4;

/// Masks secrets: known values, and what has the shape of one.
#[derive(Clone, Default)]
pub struct SecretMasker {
    known: Vec<Arc<Known>>,
}

/// Collects the values that a [`SecretMasker`] knows.
#[derive(Default)]
pub struct Builder {
    values: Vec<(String, String)>,
}

impl Builder {
    /// This value is secret, and masked under this name. Values of less than six letters, numbers and common words are
    /// left out: masking them would make any text unreadable.
    #[must_use]
    pub fn known(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.values.push((name.into(), value.into()));
        self
    }

    /// These values are secret.
    #[must_use]
    pub fn all_known(mut self, values: impl IntoIterator<Item = (String, String)>) -> Self {
        self.values.extend(values);
        self
    }

    /// The masker.
    pub fn build(self) -> SecretMasker {
        SecretMasker { known: Known::new(&self.values).map(Arc::new).into_iter().collect() }
    }
}

impl SecretMasker {
    /// A masker that will know what is told the builder.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A masker that knows these values too; what this one knows is shared, not built again.
    #[must_use]
    pub fn and(&self, values: impl IntoIterator<Item = (String, String)>) -> Self {
        let values: Vec<(String, String)> = values.into_iter().collect();
        let mut known = self.known.clone();
        known.extend(Known::new(&values).map(Arc::new));
        Self { known }
    }

    /// Whether something was found within one of the masks that this masker makes. Any other text of that form is looked
    /// into, so that nobody can print a secret in the frame of a mask.
    fn is_in_mask(&self, text: &str, span: &Span<'_>) -> bool {
        let from = span.start.saturating_sub(MASK.len() + known::MAX_NAME);
        let starts = (from..=span.start).rev().filter(|at| text.as_bytes()[*at] == b'[');
        let mut masks = starts.filter_map(|start| mask_at(text, start));
        masks.any(|(name, end)| {
            span.end <= end && (rules::is_name(name) || self.known.iter().any(|known| known.is_name(name)))
        })
    }

    /// The text with its secrets masked once; `None` where it has none.
    fn masked(&self, text: &str) -> Option<String> {
        let mut found: Vec<Span<'_>> = Vec::new();
        for known in &self.known {
            known.find(text, &mut found);
        }
        rules::find(text, &mut found);
        found.retain(|span| !self.is_in_mask(text, span));
        if found.is_empty() {
            return None;
        }
        found.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
        let mut masked = String::with_capacity(text.len());
        let mut at = 0;
        let mut spans = found.into_iter().peekable();
        while let Some(mut span) = spans.next() {
            // What overlaps is one secret; the name of a known value says more than that of a shape.
            while let Some(next) = spans.next_if(|next| next.start < span.end) {
                span.end = span.end.max(next.end);
                if next.is_known && !span.is_known {
                    (span.name, span.is_known) = (next.name, true);
                }
            }
            masked.push_str(&text[at..span.start]);
            masked.push_str(MASK);
            masked.push_str(span.name);
            masked.push(']');
            at = span.end;
        }
        masked.push_str(&text[at..]);
        Some(masked)
    }
}

/// The mask that begins here: its name, and where it ends.
fn mask_at(text: &str, start: usize) -> Option<(&str, usize)> {
    let rest = text.get(start..)?.strip_prefix(MASK)?;
    let length =
        rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(byte)).count();
    (rest.as_bytes().get(length) == Some(&b']')).then(|| (&rest[..length], start + MASK.len() + length + 1))
}

impl Redactor for SecretMasker {
    fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let Some(mut masked) = self.masked(text) else { return Cow::Borrowed(text) };
        for _ in 1..MAX_ROUNDS {
            let Some(again) = self.masked(&masked) else { break };
            if again == masked {
                break;
            }
            masked = again;
        }
        Cow::Owned(masked)
    }
}

impl fmt::Debug for SecretMasker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretMasker").field("layers", &self.known.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("values", &self.values.len()).finish()
    }
}
