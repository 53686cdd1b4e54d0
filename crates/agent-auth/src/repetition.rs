//! How much a text repeats itself.

/// The length of the shortest piece that makes up the text when it is repeated at least twice, the last time perhaps
/// only in part: the text is no better than that piece.
pub(crate) fn repeated_piece<T: PartialEq>(text: &[T]) -> Option<usize> {
    (1..=text.len() / 2).find(|length| text[*length..] == text[..text.len() - length])
}

/// How many different letters or bytes it has.
pub(crate) fn distinct<T: Ord + Copy>(text: &[T]) -> usize {
    let mut all = text.to_vec();
    all.sort_unstable();
    all.dedup();
    all.len()
}
