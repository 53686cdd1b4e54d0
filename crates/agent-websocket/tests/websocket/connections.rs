//! What a client meets: messages both ways, bounds, faults and the end.

use crate::server::Server;
use agent_websocket::{Accepted, CloseFrame, Full, Limits, Received};
use futures_util::future::LocalBoxFuture;
use futures_util::{FutureExt, SinkExt, StreamExt};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

const PATIENCE: Duration = Duration::from_secs(20);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Says back what it hears, until the client ends it or breaks something.
pub(crate) fn echo(accepted: Accepted<u32>) -> LocalBoxFuture<'static, ()> {
    let Accepted { mut incoming, outgoing, .. } = accepted;
    async move {
        loop {
            outgoing.room().await;
            let end = match incoming.next().await {
                Ok(Received::Text(text)) => {
                    outgoing.text(text.into(), None).unwrap();
                    continue;
                }
                Ok(Received::Binary(bytes)) => {
                    outgoing.binary(bytes).unwrap();
                    continue;
                }
                Ok(Received::Ping(bytes)) => {
                    outgoing.pong(bytes);
                    continue;
                }
                Ok(Received::Pong(_)) => continue,
                Ok(Received::Close(frame)) => Some(frame),
                Err(fault) => fault.close_frame(),
            };
            return match end {
                Some(frame) => outgoing.close(frame),
                None => outgoing.abort(),
            };
        }
    }
    .boxed_local()
}

/// Fills the queue without end, then says how much went out and leaves in place of the rest.
fn flood(accepted: Accepted<u32>) -> LocalBoxFuture<'static, ()> {
    let Accepted { incoming, outgoing, .. } = accepted;
    async move {
        let text: Arc<str> = "x".repeat(10_000).into();
        let mut number = 0;
        loop {
            match outgoing.text(Arc::clone(&text), Some(number)) {
                Ok(()) => number += 1,
                Err(Full) => {
                    let waited = tokio::time::timeout(Duration::from_millis(200), outgoing.room()).await;
                    if waited.is_err() {
                        break;
                    }
                }
            }
        }
        assert!(outgoing.waiting_since().is_some());
        let unsent = outgoing.give_up();
        assert_eq!(unsent.last().copied(), Some(number - 1));
        assert!(unsent.windows(2).all(|pair| pair[0] + 1 == pair[1]), "in order, without a gap");
        outgoing.close(CloseFrame::new(4408, format!("sent {}", unsent[0])));
        outgoing.text(text, None).expect("what comes after the end is nobody's burden");
        drop(incoming);
    }
    .boxed_local()
}

async fn connect(server: &Server) -> Socket {
    connect_async(server.address()).await.unwrap().0
}

async fn next(socket: &mut Socket) -> Option<Result<Message, Error>> {
    tokio::time::timeout(PATIENCE, socket.next()).await.expect("a message in time")
}

async fn ends_with(socket: &mut Socket, code: u16) {
    match next(socket).await {
        Some(Ok(Message::Close(Some(close)))) => assert_eq!(u16::from(close.code), code, "{}", close.reason),
        other => panic!("no close frame: {other:?}"),
    }
}

#[tokio::test]
async fn messages_come_back_whole_whatever_their_kind_and_size() {
    let server = Server::start(Limits { max_message: 300_000, ..Limits::default() }, echo);
    let mut socket = connect(&server).await;
    for size in [0, 1, 125, 126, 65_535, 65_536, 200_000] {
        for message in [Message::text("ü".repeat(size / 2)), Message::binary(vec![7; size])] {
            socket.send(message.clone()).await.unwrap();
            assert_eq!(next(&mut socket).await.unwrap().unwrap(), message);
        }
    }
    socket.send(Message::Ping(b"there?".to_vec().into())).await.unwrap();
    assert_eq!(next(&mut socket).await.unwrap().unwrap(), Message::Pong(b"there?".to_vec().into()));
    socket.close(None).await.unwrap();
    assert!(matches!(next(&mut socket).await, Some(Ok(Message::Close(None)))));
}

#[tokio::test]
async fn faults_have_their_close_codes() {
    let server = Server::start(Limits { max_message: 1_000, ..Limits::default() }, echo);
    let reserved = {
        let mut frame = Frame::message("x", OpCode::Data(Data::Text), true);
        frame.header_mut().rsv1 = true;
        Message::Frame(frame)
    };
    let not_utf8 = Message::Frame(Frame::message(vec![0xC3, 0x28], OpCode::Data(Data::Text), true));
    let lonely = Message::Frame(Frame::message("x", OpCode::Data(Data::Continue), true));
    let large = Message::text("x".repeat(1_001));
    for (message, code) in [(reserved, 1002), (lonely, 1002), (not_utf8, 1007), (large, 1009)] {
        let mut socket = connect(&server).await;
        socket.send(message).await.unwrap();
        ends_with(&mut socket, code).await;
    }
}

#[tokio::test]
async fn w14_fragments_without_end_are_too_large_however_small_each_is() {
    let server = Server::start(Limits { max_message: 1_000, ..Limits::default() }, echo);
    let mut socket = connect(&server).await;
    let fragment = |kind| Message::Frame(Frame::message("x".repeat(100), OpCode::Data(kind), false));
    socket.send(fragment(Data::Text)).await.unwrap();
    for _ in 0..20 {
        // The server may have ended it already.
        let _ = socket.send(fragment(Data::Continue)).await;
    }
    ends_with(&mut socket, 1009).await;
}

#[tokio::test]
async fn a_client_that_takes_nothing_costs_a_bounded_queue_and_is_told_where_it_stopped() {
    let server = Server::start(Limits { max_queued: 64, ..Limits::default() }, flood);
    let mut socket = connect(&server).await;
    // It takes nothing until the server has given up: only then is there a close frame.
    let mut whole = 0;
    tokio::time::sleep(Duration::from_millis(600)).await;
    loop {
        match next(&mut socket).await.unwrap().unwrap() {
            Message::Text(text) => {
                assert_eq!(text.len(), 10_000);
                whole += 1;
            }
            Message::Close(Some(close)) => {
                assert_eq!(u16::from(close.code), 4408);
                assert_eq!(close.reason.as_str(), format!("sent {whole}"), "exactly what went out");
                break;
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn only_the_protocols_of_the_server_are_ever_echoed() {
    use tokio_tungstenite::tungstenite::client::IntoClientRequest;
    let server = Server::start(Limits::default(), echo);
    let mut request = server.address().into_client_request().unwrap();
    let offered = "bearer.secret, agent.v1".parse().unwrap();
    request.headers_mut().insert("Sec-WebSocket-Protocol", offered);
    let (_, response) = connect_async(request).await.unwrap();
    assert_eq!(response.headers()["sec-websocket-protocol"], "agent.v1");
}
