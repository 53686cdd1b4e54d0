//! An agent in this process: which settings, which data folder, which repository.

use crate::exit::{Failure, Outcome};
use agent_auth::Principal;
use agent_llm::{Script, ScriptedModel};
use agent_runtime::{Agent, Overrides, Settings};
use clap::Args;
use std::collections::BTreeMap;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a database is called when nobody has chosen one.
const UNCHOSEN: &str = "sqlite://agent.db";
/// A settings file that is always there and always empty.
const NO_FILE: &str = "/dev/null";

/// Which language model answers, and where settings are read from.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct EmbeddedArguments {
    /// Language model provider: openai, anthropic, gemini, ollama or scripted [default: what is set up here]
    #[arg(long, value_name = "PROVIDER", help_heading = "Language model")]
    provider: Option<String>,
    /// Model of that provider
    #[arg(long, value_name = "NAME", help_heading = "Language model")]
    model: Option<String>,
    /// Address of an OpenAI-compatible server
    #[arg(long, value_name = "URL", help_heading = "Language model")]
    base_url: Option<String>,
    /// Script of the scripted model (implies --provider scripted)
    #[arg(long, value_name = "FILE", help_heading = "Language model")]
    script: Option<PathBuf>,
    /// Settings file; without it only flags and AGENT_… variables count, never a file found in the repository
    #[arg(long, value_name = "FILE", env = "AGENT_CONFIG", hide_env_values = true)]
    config: Option<PathBuf>,
}

impl EmbeddedArguments {
    /// The effective settings, before the place of the data is decided.
    ///
    /// A settings file that lies in a repository could send the user's key anywhere, so that none is read
    /// that was not asked for.
    pub(crate) fn settings(&self, roots: Vec<PathBuf>) -> Result<Settings, Failure> {
        let scripted = self.script.is_some().then(|| "scripted".to_owned());
        let mut overrides = Overrides::default()
            .llm(self.provider.clone().or(scripted), self.script.clone())
            .repository_roots(Some(roots));
        overrides.config = Some(self.config.clone().unwrap_or_else(|| PathBuf::from(NO_FILE)));
        let mut settings = Settings::load(overrides)?;
        settings.llm_model = self.model.clone().or(settings.llm_model);
        settings.llm_base_url = self.base_url.clone().or(settings.llm_base_url);
        // Whoever runs a command wants that command done, not what another process left behind.
        settings.recover = false;
        settings.dev = false;
        Ok(settings)
    }
}

/// An agent in this process, and whom it works for.
pub(crate) struct Embedded {
    /// The agent.
    pub(crate) agent: Agent,
    /// The person at the terminal.
    pub(crate) me: Principal,
}

impl Embedded {
    /// Starts on the user's own data, to go on with plans or only to look, and stops when the action is done.
    pub(crate) async fn during(
        config: Option<PathBuf>,
        works: bool,
        action: impl AsyncFnOnce(&Self) -> Outcome,
    ) -> Outcome {
        let embedded = if works { Self::to_work(config).await? } else { Self::to_read(config).await? };
        let outcome = action(&embedded).await;
        embedded.agent.stop().await;
        outcome
    }

    /// Starts on the user's own data only to look at it: no plan is made or carried out, so that no language
    /// model has to be set up.
    async fn to_read(config: Option<PathBuf>) -> Result<Self, Failure> {
        let arguments = EmbeddedArguments { config, ..EmbeddedArguments::default() };
        let mut settings = arguments.settings(vec![PathBuf::from("/")])?;
        keep_data(&mut settings)?;
        let nobody = ScriptedModel::new(Script::default());
        let agent = Agent::builder(settings).model(Arc::new(nobody)).start().await?;
        let me = agent.local_principal().await?;
        Ok(Self { agent, me })
    }

    /// Starts on the user's own data to go on with plans that exist: each names its repository itself, and was
    /// admitted to it when it was made.
    async fn to_work(config: Option<PathBuf>) -> Result<Self, Failure> {
        let arguments = EmbeddedArguments { config, ..EmbeddedArguments::default() };
        Self::start(&arguments, vec![PathBuf::from("/")]).await
    }

    /// Starts on the user's own data, allowed to work in these folders.
    pub(crate) async fn start(arguments: &EmbeddedArguments, roots: Vec<PathBuf>) -> Result<Self, Failure> {
        let mut settings = arguments.settings(roots.clone())?;
        keep_data(&mut settings)?;
        for root in roots.iter().filter(|root| root.parent().is_some()) {
            keep_out(&settings.database_url, root)?;
        }
        let agent = Agent::start(settings).await?;
        let me = agent.local_principal().await?;
        Ok(Self { agent, me })
    }
}

/// Where changes of workspaces are recorded that are made without an agent; `None` where no folder can be had.
pub(crate) fn history_folder() -> Option<PathBuf> {
    let mut settings = EmbeddedArguments::default().settings(Vec::new()).ok()?;
    keep_data(&mut settings).ok()?;
    Some(settings.history_folder())
}

/// Keeps data in the database that was chosen, or in the user's data folder; there too what belongs beside a
/// database that is on a server.
fn keep_data(settings: &mut Settings) -> Result<(), Failure> {
    if settings.database_url != UNCHOSEN && settings.database_url.starts_with("sqlite:") {
        return Ok(());
    }
    let folder = data_folder(&settings.environment)?;
    DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(|error| {
        let advice = "set AGENT_DATABASE_URL to sqlite:///a/folder/you/may/write/agent.db";
        Failure::usage(format!("the data folder {} cannot be made: {error}; {advice}", folder.display()))
    })?;
    if settings.database_url == UNCHOSEN {
        settings.database_url = format!("sqlite://{}", folder.join("agent.db").display());
    }
    settings.data_folder = folder;
    Ok(())
}

fn data_folder(environment: &BTreeMap<String, String>) -> Result<PathBuf, Failure> {
    let absolute = |name: &str| environment.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_DATA_HOME").or_else(|| Some(absolute("HOME")?.join(".local/share")));
    base.map(|base| base.join("agent")).ok_or_else(|| {
        Failure::usage(
            "neither XDG_DATA_HOME nor HOME names a folder; set AGENT_DATABASE_URL to sqlite:///PATH",
        )
    })
}

/// Data about a repository does not belong into it: it would be scanned, patched and committed with it.
fn keep_out(database_url: &str, repository: &Path) -> Result<(), Failure> {
    let Some(path) = database_url.strip_prefix("sqlite://").map(Path::new) else { return Ok(()) };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (Ok(folder), Ok(repository)) = (folder.canonicalize(), repository.canonicalize()) else {
        return Ok(());
    };
    if folder.starts_with(&repository) {
        let (database, repository) = (path.display(), repository.display());
        return Err(Failure::usage(format!(
            "the database {database} would lie inside the repository {repository}; \
             set AGENT_DATABASE_URL to a place outside"
        )));
    }
    Ok(())
}

/// The folder a person named as repository, made absolute.
pub(crate) fn repository(path: &Path) -> Result<PathBuf, Failure> {
    let refused = |reason: String| {
        Failure::usage(format!(
            "the repository {} cannot be used: {reason}; name one with --repo",
            path.display()
        ))
    };
    let real = path.canonicalize().map_err(|error| refused(error.to_string()))?;
    if real.is_dir() { Ok(real) } else { Err(refused("it is not a folder".to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_goes_to_the_users_data_folder() {
        let environment = |pairs: &[(&str, &str)]| {
            data_folder(&pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
        };
        let home = environment(&[("HOME", "/home/ada")]).unwrap();
        assert_eq!(home, Path::new("/home/ada/.local/share/agent"));
        let chosen = environment(&[("HOME", "/home/ada"), ("XDG_DATA_HOME", "/data")]).unwrap();
        assert_eq!(chosen, Path::new("/data/agent"));
        // A relative path is to be ignored, says the XDG base directory specification.
        let relative = environment(&[("HOME", "/home/ada"), ("XDG_DATA_HOME", "data")]).unwrap();
        assert_eq!(relative, Path::new("/home/ada/.local/share/agent"));
        assert!(environment(&[]).unwrap_err().message.contains("AGENT_DATABASE_URL"));
    }

    #[test]
    fn a_database_inside_the_repository_is_refused() {
        let repository = tempfile::tempdir().unwrap();
        let inside = format!("sqlite://{}", repository.path().join("agent.db").display());
        assert!(keep_out(&inside, repository.path()).is_err());
        let outside = tempfile::tempdir().unwrap();
        assert!(keep_out(&inside, outside.path()).is_ok());
    }
}
