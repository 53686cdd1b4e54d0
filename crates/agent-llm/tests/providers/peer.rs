//! A server that gives the answers it was told to give, and remembers what it was asked.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data, Payload};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use futures_util::{StreamExt, stream};
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;

/// A piece of a streamed answer.
#[derive(Clone)]
pub(crate) enum Piece {
    /// Bytes.
    Text(String),
    /// The connection is cut.
    Cut,
    /// Nothing more comes, but the connection stays open.
    Stall,
    /// Nothing for a while.
    Pause(Duration),
    /// The same again and again, as fast as it is read.
    Flood(String),
    /// Nothing but signs of life, until the client is gone (only writing shows the server that).
    Drip,
}

/// One answer.
pub(crate) enum Reply {
    /// 200 with an event stream.
    Stream(Vec<Piece>),
    /// 200 with JSON.
    Json(Value),
    /// A status with headers and a body.
    Status(u16, Vec<(&'static str, String)>, String),
}

/// A request as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
}

struct Shared {
    replies: Mutex<VecDeque<Reply>>,
    asked: Mutex<Vec<Asked>>,
    closed: mpsc::UnboundedSender<()>,
}

/// The server; stopped when dropped.
pub(crate) struct Peer {
    address: std::net::SocketAddr,
    shared: Arc<Shared>,
    closed: mpsc::UnboundedReceiver<()>,
    handle: actix_web::dev::ServerHandle,
}

impl Peer {
    /// Starts a server that answers in this order.
    pub(crate) fn start(replies: Vec<Reply>) -> Self {
        let (sender, closed) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            replies: Mutex::new(replies.into()),
            asked: Mutex::new(Vec::new()),
            closed: sender,
        });
        let data = Data::from(shared.clone());
        let server =
            HttpServer::new(move || App::new().app_data(data.clone()).default_service(web::to(answer)))
                .workers(1)
                .disable_signals()
                .bind(("127.0.0.1", 0))
                .unwrap();
        let address = server.addrs()[0];
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { address, shared, closed, handle }
    }

    /// A server that gives one stream of events and is done.
    pub(crate) fn streaming(events: &[Value]) -> Self {
        Self::start(vec![stream_of(events)])
    }

    /// The base URL, without a path.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// Waits until the client has closed a dripping stream.
    pub(crate) async fn closed(&mut self) {
        tokio::time::timeout(Duration::from_secs(10), self.closed.recv())
            .await
            .expect("the client keeps the connection")
            .expect("the server is there");
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

/// OpenAI's way: unnamed events, then the end mark.
pub(crate) fn stream_of(events: &[Value]) -> Reply {
    let mut pieces: Vec<Piece> = events.iter().map(event).collect();
    pieces.push(Piece::Text("data: [DONE]\n\n".into()));
    Reply::Stream(pieces)
}

/// One unnamed event.
pub(crate) fn event(event: &Value) -> Piece {
    Piece::Text(format!("data: {event}\n\n"))
}

/// Anthropic's way: events named after their type.
pub(crate) fn named_stream_of(events: &[Value]) -> Reply {
    Reply::Stream(
        events
            .iter()
            .map(|event| {
                Piece::Text(format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap()))
            })
            .collect(),
    )
}

/// An error with a JSON body.
pub(crate) fn refusal(status: u16, body: Value) -> Reply {
    Reply::Status(status, vec![("content-type", "application/json".into())], body.to_string())
}

/// Tells when the stream it belongs to is dropped.
struct Guard(mpsc::UnboundedSender<()>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.send(()).ok();
    }
}

async fn answer(request: HttpRequest, mut payload: Payload, shared: Data<Shared>) -> HttpResponse {
    let mut body = Vec::new();
    while let Some(bytes) = payload.next().await {
        body.extend_from_slice(&bytes.unwrap());
    }
    let headers = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap().to_owned()))
        .collect();
    shared.asked.lock().unwrap().push(Asked {
        path: request.uri().to_string(),
        headers,
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    });
    let reply = shared.replies.lock().unwrap().pop_front();
    match reply {
        Some(Reply::Json(body)) => HttpResponse::Ok().json(body),
        Some(Reply::Status(status, headers, body)) => {
            let mut response = HttpResponse::build(StatusCode::from_u16(status).unwrap());
            for (name, value) in headers {
                response.insert_header((name, value));
            }
            response.body(body)
        }
        Some(Reply::Stream(pieces)) => {
            HttpResponse::Ok().content_type("text/event-stream").streaming(played(pieces, shared))
        }
        None => HttpResponse::NotFound().body("the test holds no more replies"),
    }
}

fn played(
    pieces: Vec<Piece>,
    shared: Data<Shared>,
) -> impl futures_util::Stream<Item = Result<Bytes, io::Error>> {
    let guard = Guard(shared.closed.clone());
    stream::iter(pieces).flat_map(move |piece| {
        // Held by the stream, so that dropping the stream tells the test.
        let _held = &guard;
        match piece {
            Piece::Text(text) => stream::once(async { Ok(Bytes::from(text)) }).boxed_local(),
            Piece::Cut => stream::once(async {
                // A pending body makes the server send what it has, so that the cut comes after it.
                tokio::task::yield_now().await;
                Err(io::Error::from(io::ErrorKind::ConnectionReset))
            })
            .boxed_local(),
            Piece::Pause(pause) => stream::once(tokio::time::sleep(pause))
                .filter_map(|()| async { None::<Result<Bytes, io::Error>> })
                .boxed_local(),
            Piece::Flood(text) => stream::repeat(Bytes::from(text)).map(Ok).boxed_local(),
            Piece::Stall => stream::pending().boxed_local(),
            Piece::Drip => stream::unfold((), |()| async {
                tokio::time::sleep(Duration::from_millis(5)).await;
                Some((Ok(Bytes::from_static(b": alive\n\n")), ()))
            })
            .boxed_local(),
        }
    })
}
