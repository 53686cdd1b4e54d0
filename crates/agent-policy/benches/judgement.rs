//! How long one judgement takes: `cargo bench -p agent-policy`.

#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "it measures time and tells it")]

use agent_core::policy::{Demand, Judge, Judged, Permission, Policy, Rule};
use agent_policy::{PolicyJudge, RuleSet};
use std::hint::black_box;
use std::time::Instant;

const ROUNDS: u32 = 2_000;
const HEREDOC: &str =
    "cat > src/a.rs <<'EOF'\nfn main() { println!(\"{}\", 1); }\nEOF\ncargo build && ./target/debug/a";

fn main() {
    let words =
        ["git push", "git reset", "npm publish", "cargo publish", "curl", "sudo", "docker push", "rm -rf"];
    let rules = words.map(|words| Rule::command(Permission::Ask, words.split(' ')));
    let judge = PolicyJudge::new(RuleSet::new(rules.to_vec()).unwrap_or_default(), []);
    let policy = Policy::default();
    let shell = |script: &str| Demand::Command(vec!["sh".into(), "-c".into(), script.into()]);
    let calls = [
        ("argv", Demand::Command(vec!["cargo".into(), "test".into(), "-p".into(), "agent-core".into()])),
        ("script", shell("cd crates/core && cargo test 2>&1 | tail -20")),
        ("here-document", shell(HEREDOC)),
        ("long script", shell(&"if [ -f a ]; then env A=b git status | head; fi\n".repeat(50))),
        ("write", Demand::Write(vec!["src/lib.rs".into(), "docs/a.md".into()])),
    ];
    for (name, demand) in &calls {
        let began = Instant::now();
        for _ in 0..ROUNDS {
            black_box(judge.judge(Judged {
                tool: "run_command",
                demand: black_box(demand),
                policy: &policy,
            }));
        }
        println!("{name}: {:.1} µs", began.elapsed().as_secs_f64() * 1e6 / f64::from(ROUNDS));
    }
}
