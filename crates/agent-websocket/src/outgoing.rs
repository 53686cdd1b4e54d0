//! What a client is told: a bounded queue that the socket empties at its own pace.

use crate::Limits;
use crate::fault::CloseFrame;
use crate::frame::{self, MAX_HEAD, OpCode};
use actix_web::body::{BodySize, MessageBody};
use actix_web::web::{Bytes, BytesMut};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::poll_fn;
use std::mem;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tokio::time::Instant;

/// Bytes that are handed to the socket at once.
const CHUNK: usize = 16 * 1024;
/// The most bytes of a control frame's payload (RFC 6455, section 5.5).
const MAX_CONTROL: usize = 125;
/// The most control frames that wait: who asks faster than they are taken is not answered each time.
const MAX_CONTROLS: usize = 16;

/// The queue is full: the client takes less than it is sent. The message was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

/// The queue of messages to a client. Clones are the same queue.
pub struct Outgoing<T>(Rc<RefCell<Queue<T>>>);

impl<T> Clone for Outgoing<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

struct Queue<T> {
    limits: Limits,
    waiting: VecDeque<Message<T>>,
    bytes: usize,
    /// Pings and pongs; they overtake messages.
    controls: VecDeque<(OpCode, Bytes)>,
    closing: Closing,
    /// Since when the socket took nothing although something waits.
    waiting_since: Option<Instant>,
    body: Option<Waker>,
    sender: Option<Waker>,
}

struct Message<T> {
    opcode: OpCode,
    payload: Payload,
    mark: Option<T>,
}

enum Payload {
    Text(Arc<str>),
    Bytes(Bytes),
}

enum Closing {
    /// Messages are taken.
    No,
    /// This goes out behind what waits, and nothing after it.
    Last(CloseFrame),
    /// The last frame is out, or nobody is there any more.
    Done,
}

impl Payload {
    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

impl<T> Outgoing<T> {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self(Rc::new(RefCell::new(Queue {
            limits: *limits,
            waiting: VecDeque::new(),
            bytes: 0,
            controls: VecDeque::new(),
            closing: Closing::No,
            waiting_since: None,
            body: None,
            sender: None,
        })))
    }

    pub(crate) fn body(&self) -> Body<T> {
        Body { queue: Rc::clone(&self.0) }
    }

    /// Sends a text, with a mark that [`Outgoing::give_up`] gives back if it never went out. Once the end is decided,
    /// nothing more is sent.
    ///
    /// # Errors
    /// [`Full`].
    pub fn text(&self, text: Arc<str>, mark: Option<T>) -> Result<(), Full> {
        self.push(Message { opcode: OpCode::Text, payload: Payload::Text(text), mark })
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// [`Full`].
    pub fn binary(&self, bytes: Bytes) -> Result<(), Full> {
        self.push(Message { opcode: OpCode::Binary, payload: Payload::Bytes(bytes), mark: None })
    }

    /// Asks for a sign of life, ahead of what waits.
    pub fn ping(&self) {
        self.control(OpCode::Ping, Bytes::new());
    }

    /// Answers a ping with what it carried, ahead of what waits.
    pub fn pong(&self, bytes: Bytes) {
        self.control(OpCode::Pong, bytes);
    }

    /// Whether another message is taken.
    pub fn has_room(&self) -> bool {
        self.0.borrow().has_room()
    }

    /// Waits until another message is taken. Safe to drop half-way.
    pub async fn room(&self) {
        poll_fn(|context| {
            let mut queue = self.0.borrow_mut();
            if queue.has_room() {
                return Poll::Ready(());
            }
            queue.sender = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Since when something has waited without anything being taken; `None` while nothing waits.
    pub fn waiting_since(&self) -> Option<Instant> {
        self.0.borrow().waiting_since
    }

    /// Ends the connection behind what waits. The first call decides.
    pub fn close(&self, frame: CloseFrame) {
        let mut queue = self.0.borrow_mut();
        if matches!(queue.closing, Closing::No) {
            queue.closing = Closing::Last(frame);
            queue.wake_body();
        }
    }

    /// Drops what waits and gives the marks of it, the oldest first.
    pub fn give_up(&self) -> Vec<T> {
        let mut queue = self.0.borrow_mut();
        queue.bytes = 0;
        queue.controls.clear();
        mem::take(&mut queue.waiting).into_iter().filter_map(|message| message.mark).collect()
    }

    /// Ends the connection without a word.
    pub fn abort(&self) {
        self.give_up();
        let mut queue = self.0.borrow_mut();
        queue.closing = Closing::Done;
        queue.wake_body();
    }

    fn push(&self, message: Message<T>) -> Result<(), Full> {
        let mut queue = self.0.borrow_mut();
        if !matches!(queue.closing, Closing::No) {
            return Ok(());
        }
        if !queue.has_room() {
            return Err(Full);
        }
        queue.bytes += message.payload.as_bytes().len();
        queue.waiting.push_back(message);
        queue.wake_body();
        Ok(())
    }

    fn control(&self, opcode: OpCode, bytes: Bytes) {
        let mut queue = self.0.borrow_mut();
        if queue.controls.len() < MAX_CONTROLS && bytes.len() <= MAX_CONTROL {
            queue.controls.push_back((opcode, bytes));
            queue.wake_body();
        }
    }
}

impl<T> Queue<T> {
    fn has_room(&self) -> bool {
        // Once the end is decided, messages go nowhere, and nobody shall wait for that.
        let ends = !matches!(self.closing, Closing::No);
        ends || (self.waiting.len() < self.limits.max_queued && self.bytes < self.limits.max_queued_bytes)
    }

    fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.controls.is_empty()
    }

    fn wake_body(&mut self) {
        self.waiting_since.get_or_insert_with(Instant::now);
        if let Some(body) = self.body.take() {
            body.wake();
        }
    }

    /// As many frames as fit a chunk.
    fn next_chunk(&mut self) -> Option<Bytes> {
        let waiting = self.bytes + (self.waiting.len() + self.controls.len()) * (MAX_HEAD + 1);
        let mut chunk = BytesMut::with_capacity(waiting.min(CHUNK));
        for (opcode, bytes) in self.controls.drain(..) {
            frame::write(opcode, &bytes, &mut chunk);
        }
        while let Some(message) = self.waiting.pop_front() {
            let payload = message.payload.as_bytes();
            frame::write(message.opcode, payload, &mut chunk);
            self.bytes -= payload.len();
            if chunk.len() >= CHUNK {
                break;
            }
        }
        if self.waiting.is_empty()
            && let Closing::Last(frame) = &self.closing
        {
            frame::write(OpCode::Close, &frame.payload(), &mut chunk);
            self.closing = Closing::Done;
        }
        self.waiting_since = if self.is_empty() { None } else { Some(Instant::now()) };
        if let Some(sender) = self.sender.take() {
            sender.wake();
        }
        Some(chunk.freeze()).filter(|chunk| !chunk.is_empty())
    }
}

/// The body of the answer that opened the connection: the frames, for as long as it lives.
pub(crate) struct Body<T> {
    queue: Rc<RefCell<Queue<T>>>,
}

impl<T> MessageBody for Body<T> {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let mut queue = self.queue.borrow_mut();
        if let Closing::Done = queue.closing {
            return Poll::Ready(None);
        }
        if let Some(chunk) = queue.next_chunk() {
            return Poll::Ready(Some(Ok(chunk)));
        }
        queue.body = Some(context.waker().clone());
        Poll::Pending
    }
}

impl<T> Drop for Body<T> {
    fn drop(&mut self) {
        let mut queue = self.queue.borrow_mut();
        queue.closing = Closing::Done;
        queue.waiting.clear();
        queue.bytes = 0;
        if let Some(sender) = queue.sender.take() {
            sender.wake();
        }
    }
}
