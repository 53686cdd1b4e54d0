//! The demonstration: a broken program is mended before the reader's eyes, through the real server.
//!
//! Everything is real but, where none is configured, the language model: then a script that comes with this
//! program says what a model would say about exactly this repository.

mod client;
mod live;
mod model;
mod program;
mod server;
mod story;
mod suite;

use crate::embedded::EmbeddedArguments;
use crate::exit::{Exit, Failure, Outcome};
use crate::output::Terminal;
use crate::signals::interrupted;
use server::RunningServer;
use std::path::PathBuf;
use std::pin::pin;
use story::Story;

/// What the reader chose.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Stay up at the end.
    pub(crate) keep: bool,
    /// One JSON document in place of the story.
    pub(crate) json: bool,
    /// The port to listen on; 0 picks a free one.
    pub(crate) port: u16,
    /// Use the script even where a language model is configured.
    pub(crate) scripted: bool,
    /// Which language model.
    pub(crate) embedded: EmbeddedArguments,
}

/// The folders of one demonstration; all of them go with it.
#[derive(Debug, Clone)]
pub(crate) struct Folders {
    /// The program that is mended.
    pub(crate) repository: PathBuf,
    /// What the server keeps.
    pub(crate) data: PathBuf,
}

/// Tells the story once, and leaves nothing behind, however it ends.
pub(crate) async fn run(options: Options, terminal: Terminal) -> Outcome {
    let folder = tempfile::Builder::new().prefix("agent-demo-").tempdir()?;
    let folders = Folders { repository: folder.path().join("roombook"), data: folder.path().join("data") };
    std::fs::create_dir(&folders.repository)?;
    std::fs::create_dir(&folders.data)?;
    let mut server: Option<RunningServer> = None;
    let story = Story::new(&options, &folders, terminal);
    // One listener from beginning to end: a signal that came between two of them would be lost.
    let mut asked_to_end = pin!(interrupted());
    let told = tokio::select! {
        biased;
        () = &mut asked_to_end => Err(Failure::work("interrupted; nothing is left behind")),
        told = story.tell(&mut server) => told,
    };
    if options.keep && told.is_ok() {
        terminal.note("\nThe server stays up; Ctrl-C ends it and removes everything.");
        asked_to_end.await;
    }
    if let Some(server) = server {
        server.stop().await;
    }
    let path = folder.path().to_owned();
    folder.close().map_err(|error| {
        Failure::work(format!("the folder {} could not be removed: {error}; remove it", path.display()))
    })?;
    told.map(|green| if green { Exit::Done } else { Exit::WorkFailed })
}
