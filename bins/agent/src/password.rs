//! Asks the person at the terminal: for a name, and for a password, which is not shown while it is typed.

use crate::exit::Failure;
use crate::signals::interrupted;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use secrecy::SecretString;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use tokio::sync::oneshot;

/// The terminal itself: standard input and output may be something else.
const TERMINAL: &str = "/dev/tty";

/// The first line of standard input, as a script hands in a password or a key.
///
/// # Errors
/// Wrong usage where there is none.
pub(crate) fn from_standard_input(what: &str) -> Result<SecretString, Failure> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let secret = line.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        return Err(Failure::usage(format!("standard input holds no {what}")));
    }
    Ok(secret.into())
}

/// Asks for a line that is shown while it is typed.
///
/// # Errors
/// Wrong usage where there is no terminal, or nothing is typed.
pub(crate) async fn ask_line(prompt: &str, advice: &str) -> Result<String, Failure> {
    ask(prompt, advice, true).await
}

/// Asks for a line that is not shown while it is typed.
///
/// # Errors
/// As [`ask_line`].
pub(crate) async fn ask_secret(prompt: &str, advice: &str) -> Result<SecretString, Failure> {
    ask(prompt, advice, false).await.map(Into::into)
}

async fn ask(prompt: &str, advice: &str, shown: bool) -> Result<String, Failure> {
    let nobody = |error: io::Error| Failure::usage(format!("nobody can be asked ({error}); {advice}"));
    let mut terminal = OpenOptions::new().read(true).write(true).open(TERMINAL).map_err(nobody)?;
    let _quiet = if shown { None } else { Some(Quiet::on(terminal.try_clone()?)?) };
    write!(terminal, "{prompt}: ")?;
    terminal.flush()?;
    let (sender, typed) = oneshot::channel();
    // A read cannot be taken back, and a thread of the runtime would keep the program from ending.
    std::thread::spawn(move || {
        let mut line = String::new();
        // Whoever was interrupted does not listen any more.
        let _unheard = sender.send(BufReader::new(terminal).read_line(&mut line).map(|_bytes| line));
    });
    let line = tokio::select! {
        line = typed => line.map_err(io::Error::other)??,
        () = interrupted() => return Err(Failure::work("interrupted")),
    };
    let line = line.trim_end_matches(['\r', '\n']);
    if line.is_empty() {
        Err(Failure::usage(format!("nothing was typed; {advice}")))
    } else {
        Ok(line.to_owned())
    }
}

/// A terminal that does not show what is typed, until this is dropped.
struct Quiet {
    terminal: File,
    before: Termios,
}

impl Quiet {
    fn on(terminal: File) -> io::Result<Self> {
        let before = tcgetattr(&terminal)?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        // The end of the line is shown, so that what follows begins on one of its own.
        quiet.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(&terminal, OptionalActions::Flush, &quiet)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if let Err(error) = tcsetattr(&self.terminal, OptionalActions::Now, &self.before) {
            tracing::warn!(%error, "the terminal could not be set back; `stty echo` does it");
        }
    }
}
