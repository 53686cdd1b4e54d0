//! A collector of traces: an HTTP server that reads OTLP, or does not.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// How long spans are waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Reads what it is sent, on a free loopback port.
pub(crate) struct Collector {
    address: SocketAddr,
    arrived: Arc<(Mutex<Vec<Arrived>>, Condvar)>,
}

/// A span and the name of the service that sent it.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    pub(crate) service: String,
    pub(crate) span: Span,
}

impl Collector {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let arrived = Arc::<(Mutex<Vec<Arrived>>, Condvar)>::default();
        let shared = Arc::clone(&arrived);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &shared));
            }
        });
        Self { address, arrived }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All spans so far, once they are as wanted.
    pub(crate) fn spans(&self, are_wanted: impl Fn(&[Arrived]) -> bool) -> Vec<Arrived> {
        let (spans, changed) = &*self.arrived;
        let (begun, mut spans) = (Instant::now(), spans.lock().unwrap());
        while !are_wanted(&spans) {
            let left = PATIENCE.checked_sub(begun.elapsed());
            let left = left.unwrap_or_else(|| panic!("they never came: {spans:#?}"));
            spans = changed.wait_timeout(spans, left).unwrap().0;
        }
        spans.clone()
    }
}

/// Answers one connection, request after request.
fn serve(stream: TcpStream, arrived: &(Mutex<Vec<Arrived>>, Condvar)) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some(body) = request(&mut reader) {
        let request = ExportTraceServiceRequest::decode(body.as_slice()).unwrap();
        let mut spans = arrived.0.lock().unwrap();
        for resource in request.resource_spans {
            let service = service_of(&resource.resource.unwrap());
            let sent = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
            spans.extend(sent.map(|span| Arrived { service: service.clone(), span }));
        }
        drop(spans);
        arrived.1.notify_all();
        let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n";
        (&stream).write_all(answer.as_bytes()).unwrap();
    }
}

/// The body of the next request; none where the connection ends.
fn request(reader: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_ascii_lowercase()),
        }
    }
    assert_eq!(lines[0], "post /v1/traces http/1.1");
    assert!(lines.contains(&"content-type: application/x-protobuf".to_owned()), "{lines:?}");
    let length = lines.iter().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut body).ok()?;
    Some(body)
}

fn service_of(resource: &opentelemetry_proto::tonic::resource::v1::Resource) -> String {
    let name = resource.attributes.iter().find(|attribute| attribute.key == "service.name").unwrap();
    text(name.value.as_ref().unwrap())
}

/// A value in words.
fn text(value: &opentelemetry_proto::tonic::common::v1::AnyValue) -> String {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    match value.value.as_ref().unwrap() {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        other => format!("{other:?}"),
    }
}

impl Arrived {
    /// An attribute in words; empty where there is none.
    pub(crate) fn attribute(&self, key: &str) -> String {
        let found = self.span.attributes.iter().find(|attribute| attribute.key == key);
        found.and_then(|attribute| attribute.value.as_ref()).map(text).unwrap_or_default()
    }
}
