//! The signals by which a person ends a command.

use tokio::signal::unix::{SignalKind, signal};

/// Resolves when the process is asked to end (Ctrl-C or SIGTERM).
pub(crate) async fn interrupted() {
    let mut terminate = match signal(SignalKind::terminate()) {
        Ok(terminate) => terminate,
        Err(error) => {
            tracing::warn!(%error, "SIGTERM cannot be listened to");
            return std::future::pending().await;
        }
    };
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => {
            if let Err(error) = pressed {
                tracing::warn!(%error, "Ctrl-C cannot be listened to");
                std::future::pending::<()>().await;
            }
        }
        _ = terminate.recv() => {}
    }
}
