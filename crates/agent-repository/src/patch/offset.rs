//! How far hunks are from the lines that they state.

/// What the hunks placed so far say about the next one.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Offset {
    distance: isize,
    confirmed: bool,
}

impl Offset {
    /// Takes note of a hunk that was found `distance` lines after the one it states, in a file that has `longer` lines
    /// more than its context.
    pub(crate) fn observe(&mut self, distance: isize, longer: isize) {
        // Numbers that are merely wrong differ each time: one that is off proves nothing for the next.
        self.confirmed = distance == 0 || distance == self.distance;
        self.distance = distance + longer;
    }

    /// How far the next hunk must be from the line it states.
    pub(crate) fn expected(self) -> isize {
        if self.confirmed { self.distance } else { 0 }
    }
}
