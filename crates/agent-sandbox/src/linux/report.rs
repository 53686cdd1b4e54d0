//! What a new process tells the server through the link.

/// The steps whose failure refuses a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub(crate) enum Stage {
    Identity,
    Namespaces,
    UserMap,
    Network,
    Mounts,
    Group,
    Limits,
    WorkingDirectory,
    Capabilities,
    Landlock,
    Seccomp,
}

impl Stage {
    const ALL: [Self; 11] = [
        Self::Identity,
        Self::Namespaces,
        Self::UserMap,
        Self::Network,
        Self::Mounts,
        Self::Group,
        Self::Limits,
        Self::WorkingDirectory,
        Self::Capabilities,
        Self::Landlock,
        Self::Seccomp,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Identity => "becoming another user",
            Self::Namespaces => "making namespaces",
            Self::UserMap => "mapping the user",
            Self::Network => "setting up the network namespace",
            Self::Mounts => "making everything else read-only",
            Self::Group => "entering the control group",
            Self::Limits => "setting resource limits",
            Self::WorkingDirectory => "entering the working directory",
            Self::Capabilities => "giving up privileges",
            Self::Landlock => "applying Landlock",
            Self::Seccomp => "applying the system call filter",
        }
    }
}

/// One message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Report {
    /// All restrictions are applied, and the program is loaded next.
    Ready,
    /// The command ended: its code, or the negated number of a signal.
    Ended(i32),
    /// A restriction could not be applied, and the program was not run.
    Failed { stage: Stage, errno: i32 },
}

impl Report {
    pub(crate) const LENGTH: usize = 8;
    const ENDED: i32 = -1;
    const READY: i32 = -2;

    pub(crate) fn encode(self) -> [u8; Self::LENGTH] {
        let (kind, value) = match self {
            Self::Ready => (Self::READY, 0),
            Self::Ended(status) => (Self::ENDED, status),
            Self::Failed { stage, errno } => (stage as i32, errno),
        };
        let mut bytes = [0; Self::LENGTH];
        bytes[..4].copy_from_slice(&kind.to_ne_bytes());
        bytes[4..].copy_from_slice(&value.to_ne_bytes());
        bytes
    }

    /// Reads the first message of all that came: a process that fails reports why, and then its parent that it
    /// ended. A byte that carried a descriptor may lie before it.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let messages = &bytes[bytes.len() % Self::LENGTH..];
        let [a, b, c, d, e, f, g, h] = *messages.first_chunk::<{ Self::LENGTH }>()?;
        let (kind, value) = (i32::from_ne_bytes([a, b, c, d]), i32::from_ne_bytes([e, f, g, h]));
        match kind {
            Self::READY => Some(Self::Ready),
            Self::ENDED => Some(Self::Ended(value)),
            _ => {
                let stage = Stage::ALL.into_iter().find(|stage| *stage as i32 == kind)?;
                Some(Self::Failed { stage, errno: value })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_survive_the_way_through_the_link() {
        let failures = Stage::ALL.map(|stage| Report::Failed { stage, errno: libc::EPERM });
        for report in failures.into_iter().chain([
            Report::Ready,
            Report::Ended(0),
            Report::Ended(255),
            Report::Ended(-9),
        ]) {
            assert_eq!(Report::decode(&report.encode()), Some(report));
            let after_a_descriptor = [&[0][..], &report.encode(), &Report::Ended(1).encode()].concat();
            assert_eq!(Report::decode(&after_a_descriptor), Some(report));
        }
        assert_eq!(Report::decode(&[0; 3]), None);
    }
}
