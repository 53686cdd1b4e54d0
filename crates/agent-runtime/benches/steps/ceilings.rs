//! What the machine and the database can do by themselves.

use agent_testkit_postgres::TestDatabase;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(1);

/// One sync after another of a growing file.
pub(crate) fn syncs_per_second(folder: &Path) -> f64 {
    let mut file = std::fs::File::create(folder.join("syncs")).unwrap();
    let (started, mut syncs) = (Instant::now(), 0_u32);
    while started.elapsed() < PATIENCE {
        file.write_all(&[0; 4096]).unwrap();
        file.sync_data().unwrap();
        syncs += 1;
    }
    f64::from(syncs) / started.elapsed().as_secs_f64()
}

/// One durable commit of a small row after another.
pub(crate) trait Ceiling {
    fn commits_per_second(&self) -> f64;
}

/// By Python's `sqlite3`, with the same settings as ours.
pub(crate) struct Sqlite<'a>(pub(crate) &'a Path);

const PYTHON: &str = "\
import sqlite3, sys, time
conn = sqlite3.connect(sys.argv[1], isolation_level=None)
conn.execute('PRAGMA journal_mode = WAL')
conn.execute('PRAGMA synchronous = FULL')
conn.execute('CREATE TABLE IF NOT EXISTS raw (id INTEGER PRIMARY KEY, text TEXT)')
started, commits = time.perf_counter(), 0
while time.perf_counter() - started < 1:
    conn.execute('INSERT INTO raw (text) VALUES (?)', ('a row of a few bytes',))
    commits += 1
print(commits / (time.perf_counter() - started))
";

impl Ceiling for Sqlite<'_> {
    fn commits_per_second(&self) -> f64 {
        let output =
            Command::new("python3").args(["-c", PYTHON]).arg(self.0.join("raw.db")).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
    }
}

/// By one client of `pgbench`, where it is installed.
pub(crate) struct Postgres<'a>(pub(crate) &'a TestDatabase);

impl Ceiling for Postgres<'_> {
    fn commits_per_second(&self) -> f64 {
        self.0.query("CREATE TABLE IF NOT EXISTS raw (id BIGSERIAL PRIMARY KEY, text TEXT)");
        let script = std::env::temp_dir().join(format!("raw-{}.sql", std::process::id()));
        std::fs::write(&script, "INSERT INTO raw (text) VALUES ('a row of a few bytes');\n").unwrap();
        let pgbench = Command::new("pgbench")
            .args(["--no-vacuum", "--client=1", "--time=2", "--protocol=prepared"])
            .arg(format!("--file={}", script.display()))
            .arg(self.0.url())
            .output();
        std::fs::remove_file(&script).unwrap();
        let text =
            pgbench.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with("tps = "));
        line.and_then(|line| line.split_whitespace().nth(2)?.parse().ok()).unwrap_or(f64::NAN)
    }
}
