//! What the web framework can do at most.

use crate::wrk::{Load, Report};
use actix_web::{App, HttpResponse, HttpServer, web};

/// An answer that costs nothing but the web framework, on as many threads as the server has.
pub(crate) async fn constant_answer(connections: u32, seconds: u32) -> Option<Report> {
    let workers = agent_server::ServeOptions::default().workers;
    let answer = || async { HttpResponse::Ok().content_type("application/json").body(r#"{"valid":true}"#) };
    let server = HttpServer::new(move || App::new().route("/", web::get().to(answer)))
        .workers(workers)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .unwrap();
    let url = format!("http://{}/", server.addrs()[0]);
    let running = server.run();
    let handle = running.handle();
    let running = tokio::spawn(running);
    let report = Load { url, connections, seconds, token: None, script: None }.run().await;
    handle.stop(false).await;
    running.await.unwrap().unwrap();
    report
}
