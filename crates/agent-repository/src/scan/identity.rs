//! Tells whether a file is still the one that was read.

use rustix::fs::Stat;

/// File systems round times down to as much as two seconds.
const GRANULARITY_NS: i128 = 2_000_000_000;

/// What the operating system says of a file without reading it. A change of the content changes it, but
/// for a change so soon after that the file's clock has not moved on: see [`Identity::is_settled`].
///
/// The mode is a part of it, as a file that may no longer be read must not be known from before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) mode: u32,
    /// In bytes.
    pub(crate) size: u64,
    /// When the content was changed, in nanoseconds since 1970; programs may set it to any value.
    pub(crate) modified_ns: i128,
    /// When the file was changed in any way, in nanoseconds since 1970; programs cannot set it.
    pub(crate) changed_ns: i128,
}

impl Identity {
    #[expect(clippy::unnecessary_cast, reason = "the width of these fields differs between systems")]
    pub(crate) fn of(stat: &Stat) -> Self {
        let time = |seconds: i128, nanoseconds: i128| seconds * 1_000_000_000 + nanoseconds;
        Self {
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
            mode: stat.st_mode,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            modified_ns: time(i128::from(stat.st_mtime), stat.st_mtime_nsec as i128),
            changed_ns: time(i128::from(stat.st_ctime), stat.st_ctime_nsec as i128),
        }
    }

    /// Whether the file had stood still long enough at `now_ns`, when or before it was read: a change
    /// made after the reading shows in its times. Git calls an entry for which this does not hold racy.
    pub(crate) fn is_settled(&self, now_ns: i128) -> bool {
        self.changed_ns.max(self.modified_ns) < now_ns - GRANULARITY_NS
    }
}

#[cfg(test)]
mod tests {
    use super::Identity;

    #[test]
    fn a_file_changed_just_before_it_was_read_or_in_the_future_is_not_settled() {
        let now = 1_000_000_000_000;
        let at = |modified_ns, changed_ns| Identity {
            device: 1,
            inode: 1,
            mode: 0,
            size: 0,
            modified_ns,
            changed_ns,
        };
        assert!(at(0, now - 2_000_000_001).is_settled(now));
        assert!(!at(0, now - 2_000_000_000).is_settled(now));
        assert!(!at(now + 5, 0).is_settled(now));
    }
}
