//! Following a topic over as many connections as it takes. [`machine`] decides, this drives.

mod frames;
mod line;
mod machine;

use crate::client::{Inner, Renewal};
use crate::error::Error;
use crate::events::{Update, Wanted};
use agent_core::error::with_causes;
use frames::ServerFrame;
use line::{Heard, Line};
use machine::{Loss, Machine, Next, Step, Times};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

/// A server that hears nothing for 60 s drops the connection; while the consumer takes its time, it hears this often.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

type Out = mpsc::Sender<Result<Update, Error>>;

/// Follows a topic until it ends or nobody listens any more.
pub(crate) async fn run(inner: Arc<Inner>, wanted: Wanted, out: Out) {
    let machine = Machine::new(wanted, inner.http.retries());
    let mut following = Following { inner, machine, out, up_since: None, down_since: None };
    if let Err(error) = following.run().await {
        // Nobody listens any more where this fails.
        let _ = following.out.send(Err(error)).await;
    }
}

struct Following {
    inner: Arc<Inner>,
    machine: Machine,
    out: Out,
    /// Since when the topic is subscribed.
    up_since: Option<Instant>,
    /// Since when it is not any more.
    down_since: Option<Instant>,
}

/// How listening on a line ended.
enum Ended {
    /// Nothing more is wanted.
    Done,
    /// The line is lost.
    Lost(Loss),
}

impl Following {
    /// Ends well when everything wanted was handed out, or nobody listens any more.
    async fn run(&mut self) -> Result<(), Error> {
        loop {
            let held = self.inner.credential().await;
            let loss = match Line::open(&self.inner, &held.shown).await? {
                Ok(mut line) => match self.listen(&mut line).await? {
                    Ended::Done => return Ok(()),
                    Ended::Lost(loss) => loss,
                },
                Err(loss) => loss,
            };
            if !self.recover(loss, held.number).await? {
                return Ok(());
            }
        }
    }

    /// Listens on a line until it is lost.
    async fn listen(&mut self, line: &mut Line) -> Result<Ended, Error> {
        if let Err(loss) = line.say(&self.machine.subscribe()).await {
            return Ok(Ended::Lost(loss));
        }
        loop {
            let frame = match self.hear(line).await {
                Heard::Text(text) => ServerFrame::read(&text)?,
                Heard::Lost(loss) => return Ok(Ended::Lost(loss)),
            };
            if matches!(frame, ServerFrame::Subscribed { .. }) {
                self.up_since.get_or_insert_with(Instant::now);
                self.down_since = None;
            }
            match self.machine.hear(frame)? {
                Step::Nothing => {}
                Step::HandOut(update) => {
                    if !self.hand_out(update, line).await {
                        return Ok(Ended::Done);
                    }
                }
                Step::HandOutLast(update) => {
                    self.hand_out(update, line).await;
                    return Ok(Ended::Done);
                }
                Step::Subscribe => {
                    if let Err(loss) = line.say(&self.machine.subscribe()).await {
                        return Ok(Ended::Lost(loss));
                    }
                }
                Step::Leave(loss) => return Ok(Ended::Lost(loss)),
            }
        }
    }

    /// What comes next. A server that pings and does not answer is as good as one that is silent.
    async fn hear(&self, line: &mut Line) -> Heard {
        if !self.machine.awaits() {
            return line.hear().await;
        }
        let limit = self.inner.socket.silence_limit;
        let heard = timeout(limit, line.hear()).await;
        heard.unwrap_or_else(|_elapsed| Heard::Lost(Loss::Silent(limit)))
    }

    /// Hands an update to the consumer, however long that takes; false when nobody listens any more.
    async fn hand_out(&self, update: Update, line: &mut Line) -> bool {
        loop {
            tokio::select! {
                room = self.out.reserve() => {
                    let Ok(room) = room else { return false };
                    room.send(Ok(update));
                    return true;
                }
                // Whether it was heard is seen when there is time to listen.
                () = sleep(SIGN_OF_LIFE) => line.sign_of_life().await,
            }
        }
    }

    /// Waits and renews as the loss of a line asks for; false when nobody listens any more.
    async fn recover(&mut self, loss: Loss, number: u64) -> Result<bool, Error> {
        let lived = self.up_since.take().map(|since| since.elapsed()).unwrap_or_default();
        let outage = self.down_since.get_or_insert_with(Instant::now).elapsed();
        let times = Times { lived, outage };
        let why = loss.to_string();
        let (pause, renewal) = match self.machine.lose(loss, times, self.inner.http.chance())? {
            Next::Open { pause } => (pause, None),
            Next::Renew { pause, otherwise } => (pause, Some(otherwise)),
        };
        tracing::debug!(why, ?pause, "following is interrupted");
        if self.out.send(Ok(Update::Lost { why, retry_in: pause })).await.is_err() {
            return Ok(false);
        }
        sleep(pause).await;
        match renewal {
            Some(otherwise) => self.renew(number, otherwise).await.map(|()| true),
            None => Ok(true),
        }
    }

    /// Renews the credential of that number. A server that cannot be reached is tried again with the next line.
    async fn renew(&mut self, number: u64, otherwise: Option<Error>) -> Result<(), Error> {
        match (self.inner.renew(number).await, otherwise) {
            (Ok(Renewal::None), Some(error)) => Err(error),
            (Ok(_), _) => Ok(()),
            (Err(error @ Error::Problem(_)), _) if !error.is_temporary() => Err(error),
            (Err(error), _) => {
                tracing::debug!(error = with_causes(&error), "the session could not be renewed");
                self.machine.not_renewed();
                Ok(())
            }
        }
    }
}
