//! `agent backup` and `agent restore`: what a server keeps, in one file and back again.

use crate::exit::{Exit, Failure, Outcome};
use crate::output::Terminal;
use agent_runtime::backup::{self, BackedUp, Progress, Restored};
use agent_runtime::{Overrides, Settings, SystemClock};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

const BACKUP_EXAMPLES: &str = "\
Examples:
  agent backup /var/backups/agent-monday.backup
  agent backup --database-url sqlite:///var/lib/agent/agent.db /var/backups/agent.backup

Servers go on meanwhile. The file holds the database, the signing secret and the history of applied patches, and is as
secret as they are; it gets its name once it is whole, checked and on the disk. A database on PostgreSQL is backed up with
pg_dump.";

const RESTORE_EXAMPLES: &str = "\
Examples:
  agent restore /var/backups/agent-monday.backup
  agent restore --force --database-url sqlite:///var/lib/agent/agent.db /var/backups/agent.backup

No server may run there. With --force, what is there is kept under other names (replaced-TIME-…), and these are printed.";

/// Which data it is about.
#[derive(Debug, Args)]
struct Place {
    /// Where the database is [default: as the settings say, else sqlite://agent.db]
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// Settings file [default: agent.toml, if there is one]
    #[arg(long, value_name = "FILE", env = "AGENT_CONFIG", hide_env_values = true)]
    config: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Place {
    fn settings(&self) -> Result<Settings, Failure> {
        let mut overrides = Overrides::default().database_url(self.database_url.clone());
        overrides.config = self.config.clone();
        Ok(Settings::load(overrides)?)
    }
}

/// Arguments of `agent backup`.
#[derive(Debug, Args)]
#[command(after_help = BACKUP_EXAMPLES)]
pub(super) struct Backup {
    /// The file to make; it must not be there yet
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    place: Place,
}

impl Backup {
    pub(super) fn run(self, terminal: Terminal) -> Outcome {
        let settings = self.place.settings()?;
        let tell = move |Progress { written, total }: Progress| {
            if terminal.live && total > 0 {
                terminal.note(format_args!("{} of about {}", in_words(written), in_words(total)));
            }
        };
        let BackedUp { path, bytes, files } = backup::back_up(&settings, &self.file, tell)?;
        if self.place.json {
            terminal.json(&json!({"path": path, "bytes": bytes, "files": files}))?;
        } else {
            let size = in_words(bytes);
            terminal.line(format_args!(
                "backed up to {}: {size}, the database and {files} files beside it, checked",
                path.display()
            ));
        }
        Ok(Exit::Done)
    }
}

/// Arguments of `agent restore`.
#[derive(Debug, Args)]
#[command(after_help = RESTORE_EXAMPLES)]
pub(super) struct Restore {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Restore although something is there; it is kept under another name
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    place: Place,
}

impl Restore {
    pub(super) async fn run(self, terminal: Terminal) -> Outcome {
        let settings = self.place.settings()?;
        let restored = backup::restore(&settings, &self.file, self.force, &SystemClock).await?;
        let Restored { database, files, kept_aside } = restored;
        if self.place.json {
            terminal.json(&json!({"database": database, "files": files, "kept_aside": kept_aside}))?;
        } else {
            let database = database.display();
            terminal.line(format_args!("restored to {database}, with {files} files beside it"));
            kept_aside
                .iter()
                .for_each(|path| terminal.line(format_args!("what was there is kept as {}", path.display())));
        }
        Ok(Exit::Done)
    }
}

fn in_words(bytes: u64) -> String {
    const KIB: u64 = 1024;
    const MIB: u64 = KIB * 1024;
    match bytes {
        0..MIB => format!("{} KiB", bytes.div_ceil(KIB)),
        _ => format!("{} MiB", bytes.div_ceil(MIB)),
    }
}
