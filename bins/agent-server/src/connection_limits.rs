//! What a connection may cost, and a connection that ends when nobody asks anything over it.
//!
//! The web server itself times the head of the first request only, and reads the rest of a body that no handler wanted
//! for as long as it comes. So a client could ask once and then send a byte a minute for ever. Here the connection
//! knows whether a request is being worked on; where none is, it ends after a while whatever trickles in.

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::rt::net::TcpStream;
use actix_web::web::Bytes;
use std::cell::Cell;
use std::error::Error;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// What connections may cost: how long clients may take, and how many there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// How long the head of a request may take.
    pub head_deadline: Duration,
    /// How long the whole body of a request may take.
    pub body_deadline: Duration,
    /// How long a connection may wait for the next request.
    pub keep_alive: Duration,
    /// How long a client may take nothing of what it is sent.
    pub write_deadline: Duration,
    /// The most connections at once; further ones wait until the operating system has no more room for them.
    pub connections: usize,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            head_deadline: Duration::from_secs(5),
            body_deadline: Duration::from_secs(30),
            keep_alive: Duration::from_secs(5),
            write_deadline: Duration::from_secs(30),
            connections: 25_000,
        }
    }
}

/// Which requests of a connection are being worked on.
pub(crate) struct Work {
    requests: Cell<usize>,
    idle_since: Cell<Instant>,
}

impl Work {
    fn none() -> Rc<Self> {
        Rc::new(Self { requests: Cell::new(0), idle_since: Cell::new(Instant::now()) })
    }

    /// Work on a request; it lasts as long as what is returned.
    pub(crate) fn begin(self: &Rc<Self>) -> Busy {
        self.requests.set(self.requests.get() + 1);
        Busy(Rc::clone(self))
    }

    /// When the connection has been without work for this long, provided that none comes.
    fn ends_at(&self, limit: Duration) -> Instant {
        let since = if self.requests.get() == 0 { self.idle_since.get() } else { Instant::now() };
        since + limit
    }
}

/// One request that is being worked on.
pub(crate) struct Busy(Rc<Work>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.requests.set(self.0.requests.get().saturating_sub(1));
        self.0.idle_since.set(Instant::now());
    }
}

/// A body with the work that lasts until it is sent.
pub(crate) struct BusyBody {
    body: BoxBody,
    busy: Option<Busy>,
}

impl BusyBody {
    /// This body; the work is none outside of a connection.
    pub(crate) fn new(body: BoxBody, busy: Option<Busy>) -> Self {
        Self { body, busy }
    }
}

impl MessageBody for BusyBody {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_next(context)
    }

    fn try_into_bytes(self) -> Result<Bytes, Self> {
        let Self { body, busy } = self;
        body.try_into_bytes().map_err(|body| Self { body, busy })
    }
}

/// A connection that ends when nothing was worked on for a while.
pub(crate) struct Line {
    stream: TcpStream,
    work: Rc<Work>,
    limit: Duration,
    write_deadline: Duration,
    /// Since when the client has taken nothing although something is to be sent.
    stuck_since: Option<Instant>,
    alarm: Pin<Box<Sleep>>,
}

impl Line {
    /// This connection, which may be without work for the time in which it may wait for a request and the time that
    /// its head may take.
    pub(crate) fn new(stream: TcpStream, limits: &ConnectionLimits) -> Self {
        let limit = limits.keep_alive + limits.head_deadline;
        let (work, alarm) = (Work::none(), Box::pin(sleep(limit)));
        Self { stream, work, limit, write_deadline: limits.write_deadline, stuck_since: None, alarm }
    }

    /// The work on its requests.
    pub(crate) fn work(&self) -> Rc<Work> {
        Rc::clone(&self.work)
    }

    /// Whether it ends now. The alarm is set anew only when it rings, which is enough: the end never moves nearer.
    fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        while self.alarm.as_mut().poll(context).is_ready() {
            let end = self.work.ends_at(self.limit);
            if end <= Instant::now() {
                return true;
            }
            self.alarm.as_mut().reset(end);
        }
        false
    }

    /// Ends a connection whose client takes nothing for too long. That is found out when the alarm rings.
    fn judge_write(
        &mut self,
        written: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stuck_since = None;
            return written;
        }
        let since = *self.stuck_since.get_or_insert_with(Instant::now);
        if since.elapsed() >= self.write_deadline || self.is_over(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Poll::Pending
    }
}

impl AsyncRead for Line {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let line = self.get_mut();
        // Nothing read is what the end of a connection looks like.
        if line.is_over(context) {
            Poll::Ready(Ok(()))
        } else {
            Pin::new(&mut line.stream).poll_read(context, buffer)
        }
    }
}

impl AsyncWrite for Line {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let line = self.get_mut();
        let written = Pin::new(&mut line.stream).poll_write(context, bytes);
        line.judge_write(written, context)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
