//! NATS, the fastest of the peers: the same subscribers, the same payload, nothing durable and nothing to resume from.

use crate::subscribers::{Kind, Spec, Subscribers};
use crate::{BURST, PACE, PACED, SUBSCRIBERS, now, payload, print_rate};
use agent_testkit_nats::NatsServer;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

fn start(events: usize) -> Option<(NatsServer, Spec)> {
    let server = NatsServer::start(&[])?;
    let address = server.url().trim_start_matches("nats://").to_owned();
    Some((server, Spec { address, kind: Kind::Nats, subscribers: SUBSCRIBERS, events }))
}

async fn publish(stream: &mut TcpStream) {
    let text = payload();
    stream.write_all(format!("PUB bench {}\r\n{text}\r\n", text.len()).as_bytes()).await.unwrap();
}

async fn connect(spec: &Spec) -> TcpStream {
    let mut stream = TcpStream::connect(&spec.address).await.unwrap();
    stream.write_all(b"CONNECT {\"verbose\":false,\"pedantic\":false}\r\n").await.unwrap();
    stream
}

pub(crate) async fn burst() {
    let Some((_server, spec)) = start(BURST) else { return };
    let subscribers = Subscribers::start(&spec).await;
    let mut stream = connect(&spec).await;
    let began = now();
    for _ in 0..BURST {
        publish(&mut stream).await;
    }
    print_rate("NATS", began, &subscribers.end().await);
}

pub(crate) async fn paced() {
    let Some((_server, spec)) = start(PACED) else { return };
    let subscribers = Subscribers::start(&spec).await;
    let mut stream = connect(&spec).await;
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / PACE);
    let mut called = Vec::new();
    for _ in 0..PACED {
        ticks.tick().await;
        called.push(now());
        publish(&mut stream).await;
    }
    println!("NATS, {PACE} events/s: {} from the call", subscribers.end().await.lags(&called));
}
