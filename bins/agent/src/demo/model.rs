//! Which language model the demonstration uses: the configured one, or the script that comes with this program.

use super::{Folders, Options};
use crate::exit::Failure;
use agent_llm::{OLLAMA_BASE_URL, Provider, detect, ollama_is_listening};
use agent_runtime::Settings;

const SCRIPT: &str = include_str!("script.json");

/// The settings of the demonstration's server, and whether the script answers.
pub(super) async fn settings(options: &Options, folders: &Folders) -> Result<(Settings, bool), Failure> {
    let mut settings = options.embedded.settings(vec![folders.repository.clone()])?;
    settings.bind = std::net::SocketAddr::from(([127, 0, 0, 1], options.port));
    settings.database_url = format!("sqlite://{}", folders.data.join("agent.db").display());
    settings.jwt_secret = None;
    settings.dev = true;
    let scripted = options.scripted || !is_configured(&settings).await;
    if scripted {
        let script = folders.data.join("demo-script.json");
        std::fs::write(&script, SCRIPT)?;
        settings.llm_provider = Some(Provider::Scripted);
        settings.llm_script = Some(script);
    }
    Ok((settings, scripted))
}

async fn is_configured(settings: &Settings) -> bool {
    settings.llm_provider.is_some()
        || detect(&settings.environment).is_some()
        || ollama_is_listening(OLLAMA_BASE_URL).await
}

#[cfg(test)]
mod tests {
    use super::SCRIPT;

    #[test]
    fn the_script_is_one_that_the_scripted_model_reads() {
        assert!(agent_llm::Script::parse(SCRIPT).is_ok());
    }
}
