//! `agent man`: the manual pages.

use super::Cli;
use crate::exit::{Exit, Failure, Outcome};
use crate::output::Terminal;
use clap::{Args, CommandFactory};
use clap_mangen::Man;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  agent man | man -l -                                  read the manual page
  agent man --dir ~/.local/share/man/man1               a page for each command: man agent-plans-list";

/// Arguments of `agent man`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Manual {
    /// Write a page for each command into this folder
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl Manual {
    pub(super) fn run(self, terminal: Terminal) -> Outcome {
        let mut command = Cli::command();
        command.build();
        match self.dir {
            None => terminal.raw(&String::from_utf8_lossy(&page(command)?)),
            Some(folder) => {
                std::fs::create_dir_all(&folder)?;
                let written = write_all(&command, "agent", &folder).map_err(|error| {
                    Failure::work(format!("{} cannot be written: {error}", folder.display()))
                })?;
                terminal.note(format_args!("{written} pages are in {}", folder.display()));
            }
        }
        Ok(Exit::Done)
    }
}

fn page(command: clap::Command) -> std::io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command).render(&mut page)?;
    Ok(page)
}

/// Writes the pages of a command and of all below it; says how many.
fn write_all(command: &clap::Command, name: &str, folder: &Path) -> std::io::Result<usize> {
    let mut file = BufWriter::new(File::create(folder.join(format!("{name}.1")))?);
    file.write_all(&page(command.clone())?)?;
    file.flush()?;
    let mut written = 1;
    let below = command.get_subcommands().filter(|below| !below.is_hide_set() && below.get_name() != "help");
    for below in below {
        written += write_all(below, &format!("{name}-{}", below.get_name()), folder)?;
    }
    Ok(written)
}
