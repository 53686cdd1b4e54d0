//! What the content of one file tells, whatever the file is called and wherever it stands.

use std::sync::Arc;

use super::content::Content;
use super::count::Counts;
use crate::symbols::FileOutline;

/// What a scan learnt from one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) content: Content,
    /// The number of the language, and the lines; `None` for files that are not counted.
    pub(crate) counted: Option<(usize, Counts)>,
    pub(crate) outline: Outlined,
}

/// Whether a file was outlined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outlined {
    /// It was not asked for.
    NotAsked,
    /// There is nothing to outline: another language, a binary file.
    Nothing,
    /// The flag says that references were counted.
    Done(Arc<FileOutline>, bool),
    /// It was left out, and why.
    LeftOut(String),
}

/// How much of a file a scan wants to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wanted {
    /// Lines only.
    Counts,
    /// And what it defines.
    Symbols,
    /// And which identifiers it uses.
    References,
}

impl Facts {
    /// A file of which nothing but its kind is known.
    pub(crate) fn only(content: Content) -> Self {
        Self { content, counted: None, outline: Outlined::Nothing }
    }

    /// Whether they hold all that is wanted.
    pub(crate) fn suffice(&self, wanted: Wanted) -> bool {
        match (&self.outline, wanted) {
            (_, Wanted::Counts) | (Outlined::Nothing, _) => true,
            (Outlined::Done(_, references), _) => *references || wanted < Wanted::References,
            (Outlined::NotAsked | Outlined::LeftOut(_), _) => false,
        }
    }

    /// Whether another scan would learn the same from the same content.
    pub(crate) fn are_lasting(&self) -> bool {
        // A file left out for lack of time may do better the next time.
        !matches!(self.outline, Outlined::LeftOut(_))
            && matches!(self.content, Content::Text | Content::Binary | Content::Sensitive)
    }
}
