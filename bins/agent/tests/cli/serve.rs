use crate::fixture::{Ended, Workplace, line_with};
use std::io::{Read, Write};
use std::net::TcpStream;

#[test]
fn a_server_says_where_it_is_answers_and_ends_when_told() {
    let place = Workplace::new();
    let mut server = place.start(&["serve", "--dev", "--bind", "127.0.0.1:0", "--log", "warn"]);
    let ready = line_with(server.stdout.as_mut().unwrap(), "ready on http://");
    let address = ready.rsplit("http://").next().unwrap();
    let mut connection = TcpStream::connect(address).unwrap();
    connection.write_all(b"GET /health HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("\"status\":\"healthy\""), "{answer}");
    place.signal("TERM", &server);
    Ended::of(server).with_code(0);
}

#[test]
fn settings_that_make_no_sense_are_wrong_usage() {
    let place = Workplace::new();
    let open = place.agent(&["serve", "--dev", "--bind", "0.0.0.0:0"]).with_code(2);
    assert!(open.stderr.contains("loopback"), "{}", open.stderr);
    let shown = place.agent(&["serve", "--print-config"]).with_code(0);
    assert!(shown.stdout.contains("bind = \"127.0.0.1:8000\""), "{}", shown.stdout);
}
