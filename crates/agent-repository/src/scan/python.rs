//! Finds out how a Python tree is tested.

use std::os::fd::BorrowedFd;

use super::beneath;
use super::manifests::MAX_MANIFEST_BYTES;

/// Test files looked at for their framework.
const MAX_LOOKED_AT: usize = 16;

/// Python test files met during a scan.
#[derive(Debug, Default)]
pub(crate) struct PythonTests {
    files: Vec<Vec<u8>>,
}

impl PythonTests {
    pub(crate) fn meet(&mut self, path: &[u8], name: &[u8]) {
        let is_test = (name.starts_with(b"test") || name.ends_with(b"_test.py")) && name.ends_with(b".py");
        if is_test || name == b"conftest.py" {
            self.files.push(path.to_vec());
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.files.extend(other.files);
    }

    /// The command that tests the tree below `folder` (empty for the root); `named` are texts, such as
    /// manifests, that may name a framework. `None` if there is nothing to test.
    pub(crate) fn command(
        &self,
        root: BorrowedFd<'_>,
        folder: &[u8],
        named: &[&[u8]],
    ) -> Option<Vec<String>> {
        let below: Vec<&[u8]> = self.files.iter().filter_map(|path| strip_folder(path, folder)).collect();
        if self.wants_pytest(root, folder, &below) || named.iter().any(|text| mentions_pytest(text)) {
            return Some(argv(&["python3", "-m", "pytest"]));
        }
        let is_unittest = |path: &&&[u8]| {
            let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
            name.starts_with(b"test") && name.ends_with(b".py")
        };
        let tests: Vec<&&[u8]> = below.iter().filter(is_unittest).collect();
        let start = ["tests", "test"]
            .into_iter()
            .find(|start| tests.iter().any(|path| strip_folder(path, start.as_bytes()).is_some()));
        if tests.iter().any(|path| !path.contains(&b'/')) {
            return Some(argv(&["python3", "-m", "unittest", "discover"]));
        }
        if let Some(start) = start {
            return Some(argv(&["python3", "-m", "unittest", "discover", "-s", start]));
        }
        (!tests.is_empty()).then(|| argv(&["python3", "-m", "unittest", "discover"]))
    }

    fn wants_pytest(&self, root: BorrowedFd<'_>, folder: &[u8], below: &[&[u8]]) -> bool {
        let beside = [
            "pytest.ini",
            "tox.ini",
            "setup.cfg",
            "requirements.txt",
            "requirements-dev.txt",
            "dev-requirements.txt",
        ];
        let mut paths: Vec<Vec<u8>> = beside.iter().map(|name| name.as_bytes().to_vec()).collect();
        let mut tests: Vec<&[u8]> = below.to_vec();
        tests.sort_unstable();
        paths.extend(tests.into_iter().take(MAX_LOOKED_AT).map(<[u8]>::to_vec));
        paths.iter().any(|path| {
            let whole = super::walk::joined(folder, path);
            beneath::read_small(root, &whole, MAX_MANIFEST_BYTES).is_some_and(|text| mentions_pytest(&text))
        })
    }
}

fn mentions_pytest(text: &[u8]) -> bool {
    text.windows(6).any(|window| window == b"pytest")
}

fn strip_folder<'a>(path: &'a [u8], folder: &[u8]) -> Option<&'a [u8]> {
    if folder.is_empty() { Some(path) } else { path.strip_prefix(folder)?.strip_prefix(b"/") }
}

pub(crate) fn argv(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
