//! A server whose connections do what a test says.

use actix_web::dev::ServerHandle;
use actix_web::web::Payload;
use actix_web::{App, HttpRequest, HttpServer, rt, web};
use agent_websocket::{Accepted, Limits, accept};
use futures_util::future::LocalBoxFuture;
use std::thread::JoinHandle;

/// What a connection does once it is open. The mark is the number of the message.
pub(crate) type Serve = fn(Accepted<u32>) -> LocalBoxFuture<'static, ()>;

/// A server on a free loopback port, in a thread of its own.
pub(crate) struct Server {
    pub(crate) port: u16,
    handle: ServerHandle,
    thread: Option<JoinHandle<std::io::Result<()>>>,
}

impl Server {
    pub(crate) fn start(limits: Limits, serve: Serve) -> Self {
        let (sender, receiver) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            rt::System::new().block_on(async move {
                let open = move |request: HttpRequest, payload: Payload| async move {
                    let accepted = accept(&request, payload, &["agent.v1"], &limits)?;
                    let (response, rest) = split(accepted);
                    rt::spawn(async move { serve(rest).await });
                    Ok::<_, actix_web::Error>(response)
                };
                let server = HttpServer::new(move || App::new().default_service(web::to(open)))
                    .workers(1)
                    .disable_signals()
                    .shutdown_timeout(0)
                    .bind(("127.0.0.1", 0))?;
                let port = server.addrs()[0].port();
                let running = server.run();
                sender.send((port, running.handle())).expect("the test waits");
                running.await
            })
        });
        let (port, handle) = receiver.recv().expect("the server starts");
        Self { port, handle, thread: Some(thread) }
    }

    pub(crate) fn address(&self) -> String {
        format!("ws://127.0.0.1:{}/", self.port)
    }
}

/// The answer is sent by the caller; an empty one stands in its place.
fn split(mut accepted: Accepted<u32>) -> (actix_web::HttpResponse, Accepted<u32>) {
    let response = std::mem::replace(&mut accepted.response, actix_web::HttpResponse::Ok().finish());
    (response, accepted)
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
