//! A server on loopback that hands every request to a handler.

use crate::cassette::End;
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use serde_json::Value;
use std::io;
use std::sync::Arc;

/// A request as it came in.
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Value,
}

/// What is sent back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) chunks: Vec<String>,
    pub(crate) end: End,
}

/// Answers requests.
#[async_trait]
pub(crate) trait Handler: Send + Sync {
    async fn answer(&self, asked: Asked) -> Answer;
}

/// The server; stopped when dropped.
pub(crate) struct Server {
    pub(crate) url: String,
    handle: actix_web::dev::ServerHandle,
}

impl Server {
    pub(crate) fn start(handler: Arc<dyn Handler>) -> Self {
        let data = Data::new(handler);
        let server = HttpServer::new(move || {
            let limit = web::PayloadConfig::new(16 << 20);
            App::new().app_data(data.clone()).app_data(limit).default_service(web::to(answer))
        })
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .unwrap();
        let url = format!("http://{}", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { url, handle }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

async fn answer(request: HttpRequest, body: Bytes, handler: Data<Arc<dyn Handler>>) -> HttpResponse {
    let headers = request.headers().iter();
    let asked = Asked {
        method: request.method().to_string(),
        path: request.uri().to_string(),
        headers: headers
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect(),
        body: serde_json::from_slice(&body).unwrap(),
    };
    let answer = handler.answer(asked).await;
    let mut response = HttpResponse::build(StatusCode::from_u16(answer.status).unwrap());
    for header in answer.headers {
        response.insert_header(header);
    }
    let cut = (answer.end == End::Cut).then(|| Err(io::Error::from(io::ErrorKind::ConnectionReset)));
    let chunks = answer.chunks.into_iter().map(|text| Ok(Bytes::from(text))).chain(cut);
    response.streaming(stream::iter(chunks).boxed_local())
}
