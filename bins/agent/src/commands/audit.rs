//! `agent audit`: whether what was recorded of who did what is still as it was recorded.

use crate::exit::{Exit, Failure, Outcome};
use crate::output::{Style, Terminal};
use agent_audit::{ChainId, Expected, Head, Summary, VerifyError, verify_json_lines};
use clap::{Args, Subcommand};
use serde_json::json;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, stdin};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  curl -sH \"X-API-Key: $KEY\" http://127.0.0.1:8000/audit/export > audit.jsonl
  agent audit verify audit.jsonl
  agent audit verify audit.jsonl --head 1:4711:7d865e95…    as noted from GET /audit/chain
  curl -sH \"X-API-Key: $KEY\" http://127.0.0.1:8000/audit/export | agent audit verify - --json

A chain proves that nothing in it was changed, removed or moved. That its end is whole, and that nobody wrote all of it
anew, only a head proves that was noted elsewhere: chain, sequence and hash as GET /audit/chain tells them.
Exit codes: 0 all is as it was recorded, 1 it is not, 2 wrong usage.";

/// Arguments of `agent audit`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct AuditCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Name the first record of an export that was altered, removed or moved
    #[command(after_help = EXAMPLES)]
    Verify(Verify),
}

#[derive(Debug, Args)]
struct Verify {
    /// The exported records, one JSON object a line; `-` reads standard input
    file: PathBuf,
    /// A head that was noted: CHAIN:SEQUENCE:HASH, CHAIN being the number of the tenant or 0 for the server; may be
    /// given several times
    #[arg(long, value_name = "HEAD", value_parser = noted)]
    head: Vec<(ChainId, Head)>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl AuditCommand {
    pub(super) fn run(self, terminal: Terminal) -> Outcome {
        let Action::Verify(verify) = self.action;
        match verify.verify()? {
            Ok(summaries) => verify.show(&terminal, &summaries),
            Err(broken) => verify.show_broken(&terminal, &broken),
        }
    }
}

impl Verify {
    fn verify(&self) -> Result<Result<Vec<Summary>, VerifyError>, Failure> {
        let mut expected: BTreeMap<ChainId, Expected> = BTreeMap::new();
        for (chain, head) in &self.head {
            expected.entry(*chain).or_default().heads.push(*head);
        }
        let reader: Box<dyn BufRead> = if self.file.as_os_str() == "-" {
            Box::new(stdin().lock())
        } else {
            let unreadable =
                |error| Failure::usage(format!("{} cannot be read: {error}", self.file.display()));
            Box::new(BufReader::new(File::open(&self.file).map_err(unreadable)?))
        };
        Ok(verify_json_lines(reader, &expected))
    }

    fn show(&self, terminal: &Terminal, summaries: &[Summary]) -> Outcome {
        if self.json {
            terminal.json(&json!({"intact": true, "chains": summaries}))?;
            return Ok(Exit::Done);
        }
        for summary in summaries {
            let Summary { chain, records, head, .. } = summary;
            let proven = match summary.proven_to {
                Some(sequence) if sequence == head.sequence => "whole, as the noted head says".to_owned(),
                Some(sequence) => format!("as noted up to record {sequence}"),
                None => {
                    "unbroken; without a noted head nobody can tell whether its end is missing".to_owned()
                }
            };
            let word = terminal.paint(Style::Green, "intact");
            terminal.line(format!("{word}  {chain}: {records} records up to {}, {proven}", head.sequence));
        }
        if summaries.is_empty() {
            terminal.line("there is no record");
        }
        Ok(Exit::Done)
    }

    fn show_broken(&self, terminal: &Terminal, error: &VerifyError) -> Outcome {
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(error);
        while let Some(source) = cause {
            text = format!("{text}: {source}");
            cause = source.source();
        }
        if !self.json {
            return Err(Failure::work(text));
        }
        let broken = match error {
            VerifyError::Broken { broken, .. } => json!({
                "chain": broken.chain, "sequence": broken.sequence, "detail": broken.detail
            }),
            _ => json!(null),
        };
        terminal.json(&json!({"intact": false, "error": text, "broken": broken}))?;
        Ok(Exit::WorkFailed)
    }
}

fn noted(text: &str) -> Result<(ChainId, Head), String> {
    let wrong = || format!("{text:?} is not CHAIN:SEQUENCE:HASH");
    let (chain, rest) = text.split_once(':').ok_or_else(wrong)?;
    let (sequence, hash) = rest.split_once(':').ok_or_else(wrong)?;
    let chain: i64 = chain.parse().ok().filter(|chain| *chain >= 0).ok_or_else(wrong)?;
    let sequence = sequence.parse().ok().filter(|sequence| *sequence > 0).ok_or_else(wrong)?;
    let hash = hash.parse().map_err(|_no_hash| wrong())?;
    Ok((ChainId::from(chain), Head { sequence, hash }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_chain_sequence_and_hash() {
        let hash = "7d865e959b2466918c9863afca942d0fb89d7c9ac0c99bafc3749504ded97730";
        let (chain, head) = noted(&format!("3:42:{hash}")).unwrap();
        assert_eq!((chain.stored(), head.sequence, head.hash.to_string()), (3, 42, hash.to_owned()));
        for wrong in ["", "3", "3:42", "3:0:aa", "-1:1:aa", &format!("3:x:{hash}"), "3:42:beef"] {
            assert!(noted(wrong).is_err(), "{wrong}");
        }
    }
}
