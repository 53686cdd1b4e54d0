//! Follows a started command to its end: output, time limit, cancellation, and what is left behind.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::capture::Capture;
use crate::linux::Running;
use crate::{CommandOutcome, Error, Exit, Limits, OutputSink, OutputStream};

/// How long output is still read after the end of the command.
const GRACE: Duration = Duration::from_millis(200);
/// How long the supervisor of a command may take to end it before it is killed itself.
const PATIENCE: Duration = Duration::from_secs(2);
/// Largest piece handed to a sink.
const CHUNK: usize = 64 * 1024;

/// Both output streams and what was kept of them.
struct Pump<'a> {
    out: Option<ChildStdout>,
    err: Option<ChildStderr>,
    out_buffer: Vec<u8>,
    err_buffer: Vec<u8>,
    stdout: Capture,
    stderr: Capture,
    sink: &'a mut (dyn OutputSink + Send),
}

impl Pump<'_> {
    fn is_open(&self) -> bool {
        self.out.is_some() || self.err.is_some()
    }

    /// Takes the next piece of either stream; giving up between two calls loses nothing.
    async fn step(&mut self) {
        let read = tokio::select! {
            read = read_some(&mut self.out, &mut self.out_buffer), if self.out.is_some() => (OutputStream::Stdout, read),
            read = read_some(&mut self.err, &mut self.err_buffer), if self.err.is_some() => (OutputStream::Stderr, read),
            else => return,
        };
        let (stream, length) = read;
        let (capture, buffer) = match stream {
            OutputStream::Stdout => (&mut self.stdout, &self.out_buffer),
            OutputStream::Stderr => (&mut self.stderr, &self.err_buffer),
        };
        match length {
            0 if stream == OutputStream::Stdout => self.out = None,
            0 => self.err = None,
            _ => {
                capture.push(&buffer[..length]);
                self.sink.on_output(stream, &buffer[..length]);
            }
        }
    }

    async fn drain(&mut self) {
        while self.is_open() {
            self.step().await;
        }
    }
}

/// Reads what is there; a broken stream counts as ended.
async fn read_some<R: AsyncReadExt + Unpin>(stream: &mut Option<R>, buffer: &mut [u8]) -> usize {
    match stream {
        Some(stream) => stream.read(buffer).await.unwrap_or(0),
        None => 0,
    }
}

/// Runs until the command and all it started are gone.
pub(crate) async fn to_end(
    mut running: Running,
    stdin: Option<Vec<u8>>,
    limits: &Limits,
    cancel: CancellationToken,
    sink: &mut (dyn OutputSink + Send),
) -> Result<CommandOutcome, Error> {
    let started = Instant::now();
    let (child_stdin, out, err) = running.take_streams();
    let feeding = tokio::spawn(feed(child_stdin, stdin));
    let capture = || Capture::new(limits.output_bytes);
    let mut pump = Pump {
        out,
        err,
        out_buffer: vec![0; CHUNK],
        err_buffer: vec![0; CHUNK],
        stdout: capture(),
        stderr: capture(),
        sink,
    };
    let stopped = wait(&mut running, &mut pump, limits.wall, cancel).await;
    let duration = started.elapsed();
    feeding.abort();
    // Something that left the process tree may hold the pipes open for ever.
    let _ = timeout(GRACE, pump.drain()).await;
    let Pump { stdout, stderr, .. } = pump;
    let (stdout, stderr) = (stdout.finish(), stderr.finish());
    let exit = match stopped {
        Some(exit) => Ok(exit),
        None => running.exit(&stderr.text),
    };
    let (effective, refused_hosts) = (running.isolation(), running.refused_hosts());
    running.clean_up().await;
    Ok(CommandOutcome { exit: exit?, stdout, stderr, duration, effective, refused_hosts })
}

/// Waits for the end and says why it was brought about, if it was.
async fn wait(
    running: &mut Running,
    pump: &mut Pump<'_>,
    wall: Duration,
    cancel: CancellationToken,
) -> Option<Exit> {
    let mut stopped = None;
    let deadline = sleep(wall);
    tokio::pin!(deadline);
    loop {
        tokio::select! {
            () = running.ended() => return stopped,
            () = &mut deadline => {
                if stopped.is_some() {
                    running.force();
                } else {
                    stopped = Some(Exit::TimedOut);
                    running.stop();
                }
                deadline.as_mut().reset(Instant::now() + PATIENCE);
            }
            () = cancel.cancelled(), if stopped.is_none() => {
                stopped = Some(Exit::Cancelled);
                running.stop();
                deadline.as_mut().reset(Instant::now() + PATIENCE);
            }
            () = pump.step(), if pump.is_open() => {}
        }
    }
}

async fn feed(stdin: Option<ChildStdin>, bytes: Option<Vec<u8>>) {
    if let (Some(mut stdin), Some(bytes)) = (stdin, bytes) {
        // A command may end without reading its input; that is no fault.
        let _ = stdin.write_all(&bytes).await;
    }
}
