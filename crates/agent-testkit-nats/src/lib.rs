//! A real NATS made easy to start in a test.
//!
//! Knows how to start a private server of it with JetStream on a free port, to kill it in the middle of its work and to
//! start it again. Never pretends: where there is no `nats-server` a test is told so, says so and passes. A
//! dev-dependency, nothing else.
//!
//! ```
//! use agent_testkit_nats::NatsServer;
//!
//! if let Some(mut nats) = NatsServer::start(&[]) {
//!     assert!(nats.url().starts_with("nats://127.0.0.1:"));
//!     nats.kill();
//!     nats.restart();
//! }
//! ```

#![expect(clippy::expect_used, reason = "a test that cannot set itself up fails, and says so")]
#![expect(clippy::disallowed_methods, reason = "it starts the server of NATS, as told by the environment")]

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// The variable that names the program; without it, one on the path is taken.
const VARIABLE: &str = "AGENT_TEST_NATS_SERVER";
/// How often the server is asked whether it answers, and how many times.
const ASK_EVERY: Duration = Duration::from_millis(5);
const ASK_TIMES: u32 = 6_000;

/// Starts and kills the server when told to, and ends it, with all its files, when nobody can tell it anything any more:
/// also when the test process was killed.
const KEEPER: &str = r#"
folder=$1
shift
while read -r word; do
    case $word in
    start)
        "$@" >>"$folder/log" 2>&1 </dev/null &
        server=$! ;;
    kill)
        kill -KILL "$server"
        wait "$server" 2>/dev/null
        server= ;;
    esac
    echo "$word"
done
[ -z "$server" ] || kill -KILL "$server"
wait
rm -rf "$folder"
"#;

/// A server of NATS that no other test uses.
pub struct NatsServer {
    folder: PathBuf,
    port: u16,
    keeper: Child,
    /// `None` once the keeper was told to clean up.
    tell: Option<ChildStdin>,
    hear: BufReader<ChildStdout>,
}

impl NatsServer {
    /// A server with these further arguments, such as `--user` and `--pass`. `None`, and a line that says so, where there
    /// is no program to start.
    ///
    /// # Panics
    /// When it does not answer within half a minute.
    #[expect(clippy::print_stderr, reason = "a test that does nothing says so")]
    pub fn start(arguments: &[&str]) -> Option<Self> {
        let Some(program) = program() else {
            eprintln!(
                "there is no nats-server on the path and {VARIABLE} is not set: this test does nothing"
            );
            return None;
        };
        let folder = tempfile::Builder::new().prefix("agent-nats-").tempdir().expect("a folder").keep();
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        let mut keeper = Command::new("sh");
        keeper.args(["-c", KEEPER, "keeper"]).arg(&folder).arg(program);
        keeper.args(["-a", "127.0.0.1", "-p", &port.to_string(), "-js", "-sd"]).arg(folder.join("data"));
        keeper.args(arguments).current_dir("/").process_group(0);
        let mut keeper =
            keeper.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the keeper is started");
        let tell = keeper.stdin.take();
        let hear = BufReader::new(keeper.stdout.take().expect("its standard output"));
        let mut server = Self { folder, port, keeper, tell, hear };
        server.restart();
        Some(server)
    }

    /// Its address, without credentials.
    pub fn url(&self) -> String {
        format!("nats://{}", self.place())
    }

    /// Its host and port.
    pub fn place(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// `kill -9`, and waits until it is gone.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub fn kill(&mut self) {
        self.tell("kill");
    }

    /// Starts it again after it was killed, and waits until it answers.
    ///
    /// # Panics
    /// When it does not.
    pub fn restart(&mut self) {
        self.tell("start");
        for _ in 0..ASK_TIMES {
            if self.answers() {
                return;
            }
            std::thread::sleep(ASK_EVERY);
        }
        let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        panic!("NATS does not answer:\n{log}");
    }

    /// Whether it greets as a server with JetStream does.
    fn answers(&self) -> bool {
        let Ok(stream) = TcpStream::connect(("127.0.0.1", self.port)) else { return false };
        let mut greeting = String::new();
        let read = BufReader::new(stream).read_line(&mut greeting);
        read.is_ok() && greeting.contains(r#""jetstream":true"#)
    }

    fn tell(&mut self, word: &str) {
        let input = self.tell.as_mut().expect("the keeper listens");
        input.write_all(format!("{word}\n").as_bytes()).expect("the keeper is told");
        let mut answer = String::new();
        self.hear.read_line(&mut answer).expect("the keeper answers");
        assert_eq!(answer.trim(), word, "the keeper did something else");
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        // The end of its input tells the keeper to clean up.
        drop(self.tell.take());
        drop(self.keeper.wait());
    }
}

/// The program: the one named, or the first on the path.
fn program() -> Option<PathBuf> {
    let named = std::env::var_os(VARIABLE).filter(|name| !name.is_empty()).map(PathBuf::from);
    named.or_else(|| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path)
            .map(|folder| folder.join(OsStr::new("nats-server")))
            .find(|file| file.is_file())
    })
}
