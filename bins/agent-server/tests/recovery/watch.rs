//! Events as somebody sees them who watches until the server is gone.

use agent_testkit::{Client, Frame};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// Events that were seen, by plan and position.
pub(crate) type Seen = BTreeMap<(i64, i64), Value>;

/// Somebody who watches.
pub(crate) struct Watch {
    watching: JoinHandle<(Seen, Option<Duration>)>,
    blind: Arc<AtomicBool>,
}

impl Watch {
    /// Begins to watch all plans. `started` is when the server was: the first event is measured from there.
    pub(crate) async fn begin(caller: &Client, started: Instant) -> Self {
        let mut socket = caller.connect("watch").await;
        socket.subscribe("all", None).await;
        let blind = Arc::new(AtomicBool::new(false));
        let eyes = Arc::clone(&blind);
        let watching = tokio::spawn(async move {
            let (mut seen, mut first) = (Seen::new(), None);
            loop {
                match socket.next().await {
                    Frame::Json(_) if eyes.load(Ordering::SeqCst) => {}
                    Frame::Json(event) if event["event"].is_string() => {
                        first.get_or_insert(started.elapsed());
                        let place = (event["plan_id"].as_i64().unwrap(), event["seq"].as_i64().unwrap());
                        seen.insert(place, event);
                    }
                    Frame::Json(_) => {}
                    Frame::Closed(..) | Frame::Lost => return (seen, first),
                }
            }
        });
        Self { watching, blind }
    }

    /// What comes from now on is not seen.
    pub(crate) fn close_eyes(&self) {
        self.blind.store(true, Ordering::SeqCst);
    }

    /// What was seen until the server was gone, and how long after its start the first event came.
    pub(crate) async fn end(self) -> (Seen, Option<Duration>) {
        self.watching.await.unwrap()
    }
}
