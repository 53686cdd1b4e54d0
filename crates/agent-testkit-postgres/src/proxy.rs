//! Stands between a client and the server, and cuts the line at a chosen moment.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// How long the server gets to receive what was sent before the line is cut.
const PASSAGE: Duration = Duration::from_millis(300);

/// Passes bytes both ways until it is armed; then it passes the next message of the client that holds a certain
/// text, lets no answer to it through, and cuts both lines. Afterwards it passes bytes again.
pub struct CuttingProxy {
    port: u16,
    state: Arc<State>,
}

struct State {
    server: u16,
    text: Vec<u8>,
    armed: AtomicBool,
    cuts: AtomicU64,
}

impl CuttingProxy {
    /// Listens on a free port for clients of the server on `server`; cuts behind messages that hold `text`.
    ///
    /// # Panics
    /// When there is no free port.
    pub fn start(server: u16, text: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its number").port();
        let state = State {
            server,
            text: text.as_bytes().to_vec(),
            armed: AtomicBool::new(false),
            cuts: AtomicU64::new(0),
        };
        let state = Arc::new(state);
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                shared.connect(&client);
            }
        });
        Self { port, state }
    }

    /// Where clients find it.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Cuts behind the next message that holds the text.
    pub fn arm(&self) {
        self.state.armed.store(true, Ordering::SeqCst);
    }

    /// How often it has cut.
    pub fn cuts(&self) -> u64 {
        self.state.cuts.load(Ordering::SeqCst)
    }
}

impl State {
    fn connect(self: &Arc<Self>, client: &TcpStream) {
        let Ok(server) = TcpStream::connect(("127.0.0.1", self.server)) else { return };
        let clone = |stream: &TcpStream| stream.try_clone().expect("a second handle");
        let deaf = Arc::new(AtomicBool::new(false));
        let (to_server, from_client) = (clone(&server), clone(client));
        let (state, muted) = (Arc::clone(self), Arc::clone(&deaf));
        std::thread::spawn(move || state.pass_requests(from_client, to_server, &muted));
        let to_client = clone(client);
        std::thread::spawn(move || pass_answers(server, to_client, &deaf));
    }

    fn pass_requests(&self, mut client: TcpStream, mut server: TcpStream, deaf: &AtomicBool) {
        let mut buffer = [0; 64 * 1024];
        while let Ok(count @ 1..) = client.read(&mut buffer) {
            let bytes = buffer.get(..count).unwrap_or_default();
            let found = bytes.windows(self.text.len()).any(|window| window == self.text);
            let cut = found && self.armed.swap(false, Ordering::SeqCst);
            deaf.store(cut, Ordering::SeqCst);
            if server.write_all(bytes).is_err() {
                break;
            }
            if cut {
                std::thread::sleep(PASSAGE);
                self.cuts.fetch_add(1, Ordering::SeqCst);
                break;
            }
        }
        drop((client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both)));
    }
}

fn pass_answers(mut server: TcpStream, mut client: TcpStream, deaf: &AtomicBool) {
    let mut buffer = [0; 64 * 1024];
    while let Ok(count @ 1..) = server.read(&mut buffer) {
        let bytes = buffer.get(..count).unwrap_or_default();
        if !deaf.load(Ordering::SeqCst) && client.write_all(bytes).is_err() {
            break;
        }
    }
    drop((client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both)));
}
