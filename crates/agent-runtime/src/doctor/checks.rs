//! The checks one by one.

use super::Check;
use crate::policy;
use crate::repositories::real_folders;
use crate::settings::{self, Settings};
use crate::system::SystemClock;
use agent_core::ports::Clock;
use agent_llm::Provider;
use agent_sandbox::{Backend, Effective, HostEnvironment, Sandbox};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long somebody at the other end may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// Free space below which it is worth a word, and below which work will fail, in bytes.
const LITTLE_SPACE: u64 = 2 << 30;
const TOO_LITTLE_SPACE: u64 = 64 << 20;
/// When this was written (2026-11-26): a clock that says earlier is wrong.
const WRITTEN_AT_MICROS: i64 = 1_795_651_200_000_000;
/// How every file of SQLite begins.
const SQLITE: &[u8] = b"SQLite format 3\0";

/// What commands can be kept from.
pub(super) async fn sandbox(settings: &Settings) -> Vec<Check> {
    let host: HostEnvironment = settings.environment.iter().collect();
    let backend = settings.sandbox_backend;
    let probed = tokio::task::spawn_blocking(move || Sandbox::probe_with(host, &[], backend)).await;
    let Ok(sandbox) = probed else {
        let advice = "report this as a defect, with what `agent doctor` printed";
        return vec![Check::problem("sandbox", "the probe broke off", advice)];
    };
    levels(sandbox.effective()).chain(hardening(sandbox.effective(), backend)).collect()
}

fn levels(effective: &Effective) -> impl Iterator<Item = Check> {
    effective.levels.iter().map(|support| match &support.reason {
        None => Check::ok("sandbox", format!("{}: {}", support.level, support.guarantees.join("; "))),
        Some(reason) => Check::problem(
            "sandbox",
            format!("{} cannot be enforced, so tasks that ask for it are refused: {reason}", support.level),
            "see docs/sandbox.md: permit user namespaces, or install bubblewrap",
        ),
    })
}

fn hardening(effective: &Effective, backend: Backend) -> impl Iterator<Item = Check> {
    let root = effective.running_as_root.then(|| {
        Check::warning(
            "account",
            "the server would run as root",
            "run it as a user of its own (systemd: User=agent), so that a mistake of ours is worth less",
        )
    });
    let groups = (!effective.memory_limit).then(|| {
        Check::warning(
            "limits",
            "memory is limited per process only, since no control group can be written",
            "delegate a control group to the server (systemd: Delegate=yes)",
        )
    });
    let missing = (backend == Backend::Bubblewrap && effective.bubblewrap.is_none()).then(|| {
        let advice = "install it (apt install bubblewrap), or leave AGENT_SANDBOX_BACKEND out";
        Check::problem("bubblewrap", "bubblewrap is asked for and does not work here", advice)
    });
    root.into_iter().chain(groups).chain(missing)
}

/// Whether git is there and of a version that knows what is asked of it.
pub(super) async fn git() -> Check {
    let advice = "install git 2.31 or newer";
    let asked = tokio::task::spawn_blocking(agent_repository::git::version).await;
    match asked {
        Ok(Ok(Some(version))) => {
            let numbers = version.iter().map(u32::to_string).collect::<Vec<_>>().join(".");
            if version.as_slice() >= [2, 31].as_slice() {
                Check::ok("git", format!("version {numbers}"))
            } else {
                Check::warning("git", format!("version {numbers} is old"), advice)
            }
        }
        Ok(Ok(None)) => Check::warning(
            "git",
            "git is not installed: plans work, but without branches, isolation and the state of repositories",
            advice,
        ),
        Ok(Err(error)) => Check::problem("git", error.to_string(), advice),
        Err(_broke_off) => Check::problem("git", "the check broke off", advice),
    }
}

/// Whether the database is there, or can be made.
pub(super) async fn database(settings: &Settings) -> Check {
    match settings::file_of(&settings.database_url) {
        Some(file) => of_file(&file),
        None => of_server(&settings.database_url).await,
    }
}

fn of_file(file: &Path) -> Check {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let shown = file.display();
    if let Err(error) = tempfile::NamedTempFile::new_in(folder) {
        let advice = "make the folder writable for the server, or set AGENT_DATABASE_URL to another place";
        return Check::problem("database", format!("nothing can be written beside {shown}: {error}"), advice);
    }
    let mut beginning = [0; SQLITE.len()];
    match std::fs::File::open(file).and_then(|mut opened| opened.read_exact(&mut beginning)) {
        Ok(()) if beginning == SQLITE => Check::ok("database", format!("{shown} is there")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Check::ok("database", format!("{shown} will be made at the first start"))
        }
        // An empty file is what SQLite makes of a name before anything is written.
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Check::ok("database", format!("{shown} is empty"))
        }
        Ok(()) => {
            let advice = "set AGENT_DATABASE_URL to another file; this one is left as it is";
            Check::problem("database", format!("{shown} is no SQLite database"), advice)
        }
        Err(error) => {
            Check::problem("database", format!("{shown}: {error}"), "make it readable for the server")
        }
    }
}

async fn of_server(url: &str) -> Check {
    let advice = "start PostgreSQL, or correct AGENT_DATABASE_URL";
    let Some(place) = settings::without_login(url).and_then(|address| place_of(&address, 5432)) else {
        return Check::problem("database", "AGENT_DATABASE_URL names no host", advice);
    };
    match answers(&place).await {
        Ok(()) => Check::ok("database", format!("PostgreSQL answers at {place}")),
        Err(why) => Check::problem("database", format!("PostgreSQL at {place}: {why}"), advice),
    }
}

/// Whether somebody is there to answer prompts; nothing is asked of them.
pub(super) async fn language_model(settings: &Settings) -> Check {
    let configured = settings.llm_provider.or_else(|| agent_llm::detect(&settings.environment));
    let Some(provider) = configured else {
        if agent_llm::ollama_is_listening(agent_llm::OLLAMA_BASE_URL).await {
            return Check::ok("language model", "an Ollama listens here");
        }
        return Check::warning(
            "language model",
            "none is configured: plans need explicit tasks, and `agent` tasks fail",
            "set AGENT_LLM_PROVIDER and its key; docs/language-models.md lists what works",
        );
    };
    if provider == Provider::Scripted {
        return Check::warning(
            "language model",
            "a script answers in the place of a model",
            "set AGENT_LLM_PROVIDER to a real provider for real work",
        );
    }
    let base = settings.llm_base_url.as_deref().or(provider.default_base_url()).unwrap_or_default();
    let otherwise = if base.starts_with("http:") { 80 } else { 443 };
    let name = provider.as_str();
    let advice = "check AGENT_LLM_BASE_URL, the network and proxies";
    let Some(place) = place_of(base, otherwise) else {
        return Check::problem("language model", format!("{name}: {base:?} names no host"), advice);
    };
    match answers(&place).await {
        Ok(()) => Check::ok("language model", format!("{name} answers at {place}")),
        Err(why) => Check::problem("language model", format!("{name} at {place}: {why}"), advice),
    }
}

/// Whether the rules can be used.
pub(super) fn policy(settings: &Settings) -> Check {
    match (policy::judge(settings, Vec::new()), &settings.policy_file) {
        (Ok(_), Some(file)) => Check::ok("policy", format!("the rules in {} hold", file.display())),
        (Ok(_), None) => Check::ok("policy", "the built-in rules hold; AGENT_POLICY_FILE adds your own"),
        (Err(error), _) => {
            Check::problem("policy", error.to_string(), "mend the file; the server does not start")
        }
    }
}

/// Whether the folders that plans may work below are there.
pub(super) fn repositories(settings: &Settings) -> Check {
    match real_folders(&settings.repository_roots) {
        Ok(_) => {
            let roots: Vec<String> =
                settings.repository_roots.iter().map(|root| root.display().to_string()).collect();
            Check::ok("repositories", format!("plans may work below {}", roots.join(", ")))
        }
        Err(error) => Check::problem("repositories", error.to_string(), "correct AGENT_REPOSITORY_ROOTS"),
    }
}

/// Whether there is room for what will be written.
pub(super) fn disk(settings: &Settings) -> Check {
    let folder = settings.history_folder().parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf);
    let folder = if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder };
    let Ok(space) = rustix::fs::statvfs(&folder) else {
        let detail = format!("the free space of {} cannot be found out", folder.display());
        return Check::warning("disk", detail, "check that the folder exists");
    };
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    let detail = format!("{:.1} GiB free in {}", free as f64 / f64::from(1 << 30), folder.display());
    let advice = "free some space; the server stops taking work when the disk is full, and loses nothing";
    match free {
        ..TOO_LITTLE_SPACE => Check::problem("disk", detail, advice),
        TOO_LITTLE_SPACE..LITTLE_SPACE => Check::warning("disk", detail, advice),
        _ => Check::ok("disk", detail),
    }
}

/// Whether the clock can be right: tokens, deadlines and certificates go by it.
pub(super) fn clock() -> Check {
    let now = SystemClock.now();
    if now.as_micros() < WRITTEN_AT_MICROS {
        let advice = "set the clock, and keep it right (systemd-timesyncd, chrony)";
        return Check::problem(
            "clock",
            format!("it says {now}, which is before this program was written"),
            advice,
        );
    }
    Check::ok("clock", format!("it says {now}"))
}

/// Host and port of an address.
fn place_of(url: &str, otherwise: u16) -> Option<String> {
    let rest = url.split_once("://")?.1;
    let place = rest.split(['/', '?']).next()?;
    let place = place.rsplit_once('@').map_or(place, |(_user, place)| place);
    if place.is_empty() {
        return None;
    }
    let has_port = place.rsplit_once(':').is_some_and(|(host, port)| {
        port.parse::<u16>().is_ok() && (!host.contains(':') || host.ends_with(']'))
    });
    Some(if has_port { place.to_owned() } else { format!("{place}:{otherwise}") })
}

async fn answers(place: &str) -> Result<(), String> {
    match timeout(PATIENCE, TcpStream::connect(place)).await {
        Ok(Ok(_stream)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_elapsed) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::CheckStatus;
    use super::*;

    #[test]
    fn the_place_of_an_address_is_found_without_its_password() {
        let cases = [
            ("postgres://ada:s3@cret@db/agent", Some("db:5432")),
            ("postgres://ada@db:5433/agent?sslmode=require", Some("db:5433")),
            ("http://[::1]:9/v1", Some("[::1]:9")),
            ("http://[::1]/v1", Some("[::1]:5432")),
            ("postgres:///agent", None),
            ("nonsense", None),
        ];
        for (url, place) in cases {
            assert_eq!(place_of(url, 5432).as_deref(), place, "{url}");
        }
    }

    #[test]
    fn a_file_that_is_no_database_is_a_problem_and_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("agent.db");
        assert_eq!(of_file(&file).status, CheckStatus::Ok);
        std::fs::write(&file, "this is a text of more than sixteen bytes").unwrap();
        assert_eq!(of_file(&file).status, CheckStatus::Problem);
        assert!(std::fs::read_to_string(&file).unwrap().starts_with("this is a text"));
        assert_eq!(of_file(&folder.path().join("missing/agent.db")).status, CheckStatus::Problem);
    }

    #[tokio::test]
    async fn a_model_that_nobody_answers_for_is_a_problem_with_what_to_check() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            llm_provider: Some(Provider::OpenAi),
            llm_base_url: Some(format!("http://{address}/v1")),
            ..Settings::embedded(folder.path())
        };
        assert_eq!(language_model(&settings).await.status, CheckStatus::Ok);
        drop(listener);
        let found = language_model(&settings).await;
        assert!(found.status == CheckStatus::Problem && found.advice.is_some(), "{found:?}");
    }
}
