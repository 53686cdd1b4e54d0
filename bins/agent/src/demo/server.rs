//! The real server, in this process, on a loopback port.

use crate::exit::Failure;
use agent_runtime::{Agent, Settings};
use agent_server::{Running, ServeOptions, serve};
use std::net::TcpListener;
use std::time::Duration;

/// How long what runs may take to end; at the end of the story nothing runs any more.
const GRACE: Duration = Duration::from_secs(1);

/// A server and the agent behind it.
pub(super) struct RunningServer {
    agent: Agent,
    server: Running,
}

/// Starts both. The socket is taken first, so that a port in use is told before anything is set up.
pub(super) async fn start(settings: Settings) -> Result<RunningServer, Failure> {
    let bind = settings.bind;
    let listener = TcpListener::bind(bind).map_err(|error| {
        Failure::work(format!("cannot listen on {bind}: {error}; --port 0 picks a free port"))
    })?;
    let agent = Agent::start(settings).await?;
    let server = match serve(
        agent.clone(),
        listener,
        ServeOptions { grace: GRACE, ..ServeOptions::default() },
    )
    .await
    {
        Ok(server) => server,
        Err(error) => {
            agent.stop_within(GRACE).await;
            return Err(Failure::work(format!("the server cannot be started: {error}")));
        }
    };
    Ok(RunningServer { agent, server })
}

impl RunningServer {
    /// Where it is reached.
    pub(super) fn url(&self) -> String {
        self.server.url()
    }

    /// Stops both; no file is written any more when this returns.
    pub(super) async fn stop(self) {
        self.server.stop().await;
        self.agent.stop_within(GRACE).await;
    }
}
