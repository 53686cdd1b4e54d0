//! Runs commands of the demonstration itself: git, and the test suite before and after.

use crate::exit::{Failure, chain};
use agent_sandbox::{
    CommandOutcome, CommandRequest, Error, HostEnvironment, Limits, Sandbox, SandboxLevel, Silent,
};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// The command that runs the whole suite.
const SUITE: [&str; 6] = ["python3", "-m", "unittest", "discover", "-s", "tests"];
/// How long a command may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where commands of the demonstration run.
pub(super) struct Workshop {
    sandbox: Sandbox,
}

/// What a run of the suite said.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Verdict {
    /// Whether every test passed.
    pub(super) green: bool,
    /// The command.
    pub(super) command: String,
    /// The tests that failed.
    pub(super) failing: Vec<String>,
    /// How many tests ran, in the words of the runner.
    pub(super) ran: String,
    /// The runner's last word, such as `OK`.
    pub(super) result: String,
    /// What was enforced while it ran.
    pub(super) sandbox: String,
}

impl Workshop {
    /// Finds out what this machine's sandbox can do.
    pub(super) fn new(environment: &BTreeMap<String, String>) -> Self {
        let host: HostEnvironment = environment.iter().collect();
        Self { sandbox: Sandbox::probe(host) }
    }

    /// Runs a command of the demonstration's own, unconfined; `false` when the program is not installed.
    pub(super) async fn own(
        &self,
        folder: &Path,
        argv: &[&str],
        environment: &BTreeMap<String, String>,
    ) -> Result<bool, Failure> {
        let mut request = request(folder, argv).level(SandboxLevel::FullAccess).network(true);
        request.environment = environment.clone();
        match self.sandbox.run(request, Default::default(), &mut Silent).await {
            Ok(outcome) if outcome.succeeded() => Ok(true),
            Ok(outcome) => {
                let said = outcome.stderr.text.trim();
                Err(Failure::work(format!("`{}` failed: {said}", argv.join(" "))))
            }
            Err(Error::NotFound(_)) => Ok(false),
            Err(error) => Err(Failure::work(chain(&error))),
        }
    }

    /// Runs the test suite in the sandbox, as the tasks of a plan do.
    pub(super) async fn run_tests(&self, folder: &Path) -> Result<Verdict, Failure> {
        let ran = self.sandbox.run(request(folder, &SUITE), Default::default(), &mut Silent).await;
        let outcome = ran.map_err(|error| match error {
            Error::NotFound(_) => {
                Failure::work("the demonstration mends a Python program: install python3 and run it again")
            }
            error => Failure::work(format!("the tests cannot be run: {}", chain(&error))),
        })?;
        Ok(verdict(&outcome))
    }
}

fn request(folder: &Path, argv: &[&str]) -> CommandRequest {
    CommandRequest::new(folder, argv.iter().copied()).limits(Limits { wall: PATIENCE, ..Limits::default() })
}

/// Reads what unittest writes to standard error.
fn verdict(outcome: &CommandOutcome) -> Verdict {
    let text = &outcome.stderr.text;
    let failing = text.lines().filter_map(|line| {
        let rest = line.strip_prefix("FAIL: ").or_else(|| line.strip_prefix("ERROR: "))?;
        // `test_name (module.Class.test_name)` from Python 3.11, `test_name (module.Class)` before.
        let (name, place) = rest.split_once(" (")?;
        let module = place.split('.').next().unwrap_or_default();
        Some(format!("{module}: {name}"))
    });
    let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no output");
    let isolation = &outcome.effective;
    let network = if isolation.network { "with network" } else { "no network" };
    Verdict {
        green: outcome.succeeded(),
        command: SUITE.join(" "),
        failing: failing.collect(),
        ran: text.lines().rev().find(|line| line.starts_with("Ran ")).unwrap_or_default().to_owned(),
        result: last.to_owned(),
        sandbox: format!("{}, {network}", isolation.level),
    }
}
