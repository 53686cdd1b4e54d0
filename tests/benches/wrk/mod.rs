//! `wrk` (of the Debian package of that name) as a source of load, and what it reports.

use crate::process::processor_time;
use std::process::Command;
use std::time::Duration;

/// What is asked for again and again, and how hard.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    /// Where to.
    pub(crate) url: String,
    /// Connections at once.
    pub(crate) connections: u32,
    /// For how long.
    pub(crate) seconds: u32,
    /// The access token to show.
    pub(crate) token: Option<String>,
    /// A script that makes the requests.
    pub(crate) script: Option<std::path::PathBuf>,
}

/// What came of it.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    /// Everything that `wrk` printed.
    pub(crate) text: String,
    /// Processor time that this process used meanwhile: the server's, `wrk` being another process.
    used: Duration,
    seconds: u32,
}

impl Load {
    /// Sends requests until the time is over; `None` where there is no `wrk`.
    pub(crate) async fn run(self) -> Option<Report> {
        let mut wrk = Command::new("wrk");
        wrk.args(["--threads", "1", "--latency", "--connections", &self.connections.to_string()]);
        wrk.args(["--duration", &format!("{}s", self.seconds)]);
        if let Some(script) = &self.script {
            wrk.arg("--script").arg(script);
        }
        if let Some(token) = &self.token {
            wrk.args(["--header", &format!("Authorization: Bearer {token}")]);
        }
        wrk.arg(&self.url);
        let before = processor_time();
        let output = tokio::task::spawn_blocking(move || wrk.output()).await.ok()?.ok()?;
        let used = processor_time() - before;
        Some(Report {
            text: String::from_utf8_lossy(&output.stdout).into_owned(),
            used,
            seconds: self.seconds,
        })
    }
}

impl Report {
    /// Requests a second.
    pub(crate) fn rate(&self) -> f64 {
        let rate = self.text.lines().find_map(|line| line.trim().strip_prefix("Requests/sec:"));
        rate.and_then(|rate| rate.trim().parse().ok()).unwrap_or_default()
    }

    /// The figures, as a benchmark prints them.
    pub(crate) fn figures(&self) -> String {
        let each = self.used.div_f64((self.rate() * f64::from(self.seconds)).max(1.0));
        format!(
            "{:.0} a second, {:.1} µs of processor time each, p99 {:?}",
            self.rate(),
            each.as_secs_f64() * 1e6,
            self.p99()
        )
    }

    /// The time within which 99 of 100 requests were answered.
    fn p99(&self) -> Duration {
        let shown =
            self.text.lines().find_map(|line| line.trim().strip_prefix("99%")).unwrap_or_default().trim();
        let number = shown.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
        let unit = match &shown[number.len()..] {
            "us" => 1e-6,
            "ms" => 1e-3,
            _ => 1.0,
        };
        Duration::from_secs_f64(number.parse::<f64>().unwrap_or_default() * unit)
    }

    /// Whether every answer was a success.
    pub(crate) fn all_well(&self) -> bool {
        !self.text.contains("Non-2xx") && !self.text.contains("Socket errors")
    }
}
