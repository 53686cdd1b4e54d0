//! What is typed after the name of the program.

use std::path::PathBuf;

/// How to call it.
pub(crate) const USAGE: &str = "\
Usage: patch_corpus [OPTIONS] GIT_DIRECTORY...

Options:
  --commits N   how many of the latest first-parent commits of each history (default 500)
  --largest N   leave out changes with more than N added and removed lines (default 400)
  --seed N      another choice of perturbations (default 1)
  --kind TEXT   only kinds whose name contains this
  --show N      print the first N wrong and the first N refused patches of each kind
  --keep DIR    write the file, the patch and the right result of what is shown below this new folder
  --runs N      how often each patch is applied; the fastest time counts (default 3)
  --json        one JSON document instead of a table

Example:
  cargo run --release -p agent-repository --example patch_corpus -- --commits 300 ../some-repository

Exit code 1 when a patch came out wrong without a word, 2 when it cannot run.
";

/// The arguments.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) repositories: Vec<PathBuf>,
    pub(crate) commits: usize,
    pub(crate) largest: usize,
    pub(crate) seed: u64,
    pub(crate) show: usize,
    pub(crate) keep: Option<PathBuf>,
    pub(crate) runs: usize,
    pub(crate) json: bool,
    kind: Option<String>,
}

impl Arguments {
    /// `None` when help is asked for.
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut arguments = Self {
            repositories: Vec::new(),
            commits: 500,
            largest: 400,
            seed: 1,
            show: 0,
            keep: None,
            runs: 3,
            json: false,
            kind: None,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--help" | "-h" => return Ok(None),
                "--json" => arguments.json = true,
                "--commits" => arguments.commits = number(&word, &value()?)?,
                "--largest" => arguments.largest = number(&word, &value()?)?,
                "--seed" => arguments.seed = number(&word, &value()?)?,
                "--show" => arguments.show = number(&word, &value()?)?,
                "--keep" => arguments.keep = Some(PathBuf::from(value()?)),
                "--runs" => arguments.runs = number(&word, &value()?)?,
                "--kind" => arguments.kind = Some(value()?),
                option if option.starts_with('-') => return Err(format!("{option} is no option")),
                directory => arguments.repositories.push(PathBuf::from(directory)),
            }
        }
        if arguments.repositories.is_empty() {
            return Err("name at least one git directory".to_owned());
        }
        Ok(Some(arguments))
    }

    pub(crate) fn wants(&self, kind: &str) -> bool {
        self.kind.as_ref().is_none_or(|part| kind.contains(part.as_str()))
    }
}

fn number<N: std::str::FromStr>(option: &str, value: &str) -> Result<N, String> {
    value.parse().map_err(|_not_a_number| format!("{option} needs a number, not {value:?}"))
}
