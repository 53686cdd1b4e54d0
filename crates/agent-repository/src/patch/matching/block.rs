//! The two sides of a search/replace block, which do not say which line is which.

use crate::patch::HunkLine;

/// Cells of the table that lays the sides beside each other; a block beyond that is not looked at.
const LARGEST_TABLE: usize = 1_000_000;

/// Whether it is only a guess what becomes of one of these old lines: in some longest common subsequence of the
/// two sides it is another of the new lines than in another one, or none.
pub(super) fn is_open(old: &[&HunkLine], new: &[&HunkLine], mut lines: impl Iterator<Item = usize>) -> bool {
    let width = new.len() + 1;
    if (old.len() + 1) * width > LARGEST_TABLE {
        return true;
    }
    // Lengths of the longest common subsequences of what stands before a pair of lines, and of what follows.
    let mut before = vec![0_usize; (old.len() + 1) * width];
    let mut after = before.clone();
    let equal = |row: usize, column: usize| old[row].text == new[column].text;
    for row in 0..old.len() {
        for column in 0..new.len() {
            let next = (row + 1) * width + column + 1;
            before[next] = if equal(row, column) {
                before[row * width + column] + 1
            } else {
                before[next - 1].max(before[next - width])
            };
        }
    }
    for row in (0..old.len()).rev() {
        for column in (0..new.len()).rev() {
            let here = row * width + column;
            after[here] = if equal(row, column) {
                after[here + width + 1] + 1
            } else {
                after[here + 1].max(after[here + width])
            };
        }
    }
    let longest = after[0];
    lines.any(|row| {
        let stays = |column: &usize| {
            let here = row * width + column;
            equal(row, *column) && before[here] + 1 + after[here + width + 1] == longest
        };
        let goes =
            |column: usize| before[row * width + column] + after[(row + 1) * width + column] == longest;
        (0..new.len()).filter(stays).count() != 1 || (0..width).any(goes)
    })
}
