//! What works on this machine's data and at a server, and answers alike.

use crate::fixture::{Ended, Workplace};
use crate::server::AtServer;
use agent_client::{CreatePlan, Policy, TaskKind, TaskSpec};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const GREET: &str = "\
--- a/greeting.txt
+++ b/greeting.txt
@@ -1,2 +1,2 @@
 hello
-world
+reader
";

fn greet() -> CreatePlan {
    let change = TaskSpec::new("Change the greeting", TaskKind::Patch { patch: GREET.to_owned() });
    let look = TaskSpec::new("Look around", TaskKind::Scan).after(&[1]);
    CreatePlan::new("Greet the reader").with_tasks([change, look])
}

/// The same plan carried out here and at a server: both are asked, with the same numbers.
struct Both {
    here: Workplace,
    at: AtServer,
}

impl Both {
    fn with_done_plan() -> Self {
        let here = Workplace::with_repository();
        let tasks = json!([
            {"description": "Change the greeting", "kind": "patch", "patch": GREET},
            {"description": "Look around", "kind": "scan", "depends_on": [1]}
        ]);
        let file = here.beside("plan.yaml", &json!({"goal": "Greet the reader", "tasks": tasks}).to_string());
        here.agent(&["run", "--plan", &file]).with_code(0);
        let at = AtServer::logged_in("admin", "admin123");
        assert_eq!(at.plan(&greet().execute()), "1");
        Self { here, at }
    }

    fn ask(&self, arguments: &[&str], code: i32) -> [Ended; 2] {
        [self.here.agent(arguments).with_code(code), self.at.agent(arguments).with_code(code)]
    }

    /// Asks for JSON both ways, and holds the names of all fields against each other.
    fn json(&self, arguments: &[&str]) -> Value {
        let [here, there] = self.ask(&[arguments, &["--json"]].concat(), 0).map(|ended| ended.json());
        assert_eq!(fields(&here), fields(&there), "{arguments:?}\n{here:#}\n{there:#}");
        there
    }
}

/// The paths of all fields, whatever their values.
fn fields(value: &Value) -> BTreeSet<String> {
    fn walk(value: &Value, path: &str, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(map) => {
                map.iter().for_each(|(name, value)| walk(value, &format!("{path}.{name}"), found))
            }
            Value::Array(list) => list.iter().for_each(|value| walk(value, &format!("{path}[]"), found)),
            _ => {
                found.insert(path.to_owned());
            }
        }
    }
    let mut found = BTreeSet::new();
    walk(value, "", &mut found);
    found
}

#[test]
fn plans_are_looked_at_both_ways_and_answer_alike() {
    let both = Both::with_done_plan();
    let listed = both.json(&["plans", "list", "--status", "completed", "--search", "reader"]);
    assert_eq!((&listed["total"], &listed["plans"][0]["goal"]), (&json!(1), &json!("Greet the reader")));
    let shown = both.json(&["plans", "show", "1"]);
    assert_eq!(
        (&shown["statistics"]["completed_tasks"], &shown["diff_statistics"]["files"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(both.json(&["plans", "tasks", "1"])["tasks"][1]["description"], "Look around");
    assert_eq!(both.json(&["plans", "diff", "1"])["plan_id"], 1);
    for ended in both.ask(&["plans", "list"], 0) {
        assert!(ended.stdout.contains("completed") && ended.stdout.contains("2/2"), "{}", ended.stdout);
    }
    for ended in both.ask(&["plans", "tasks", "1"], 0) {
        assert!(ended.stdout.contains("Change the greeting"), "{}", ended.stdout);
    }
    let [here, there] = both.ask(&["plans", "diff", "1"], 0);
    assert!(there.stdout.contains("\n+reader\n"), "{}", there.stdout);
    assert_eq!(here.stdout, there.stdout);
    for ended in both.ask(&["plans", "events", "1", "--follow"], 0) {
        assert!(ended.stdout.lines().last().unwrap().contains("completed"), "{}", ended.stdout);
    }
    let say = ["plans", "say", "1", "Thank you"];
    both.here.agent(&say).with_code(0);
    // Administrators read what was said to the plans of others, and say nothing to them.
    both.at.agent(&say).with_code(2);
    let token = both.at.token();
    both.at.agent(&[&say[..], &["--token", &token]].concat()).with_code(0);
    for ended in both.ask(&["plans", "conversation", "1", "--search", "thank"], 0) {
        assert!(ended.stdout.contains("Thank you"), "{}", ended.stdout);
    }
    for arguments in
        [["show", "99"], ["tasks", "99"], ["diff", "99"], ["events", "99"], ["conversation", "99"]]
    {
        both.ask(&["plans", arguments[0], arguments[1]], 2);
    }
}

#[test]
fn history_tells_outcome_duration_tasks_and_tokens_in_pages() {
    let both = Both::with_done_plan();
    let told = both.json(&["history"]);
    assert_eq!((&told["total"], &told["plans"][0]["plan"]["status"]), (&json!(1), &json!("completed")));
    assert!(
        told["plans"][0]["duration_ms"].is_u64() && told["plans"][0]["statistics"]["tokens"] == 0,
        "{told}"
    );
    let attempts = both.json(&["history", "--plan", "1"]);
    assert_eq!(attempts["tasks"][0]["executions"][0]["status"], "completed");
    for ended in both.ask(&["history", "--plan", "1"], 0) {
        assert!(ended.stdout.contains("Look around"), "{}", ended.stdout);
    }
    both.ask(&["history", "--plan", "99"], 2);
    both.at.plan(&CreatePlan::new("Second").with_tasks([TaskSpec::new("Look", TaskKind::Scan)]).execute());
    let first = both.at.agent(&["history", "--limit", "1"]).with_code(0);
    assert!(first.stdout.contains("Second") && !first.stdout.contains("Greet"), "{}", first.stdout);
    let cursor = first.stderr.split("--cursor ").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    let second = both.at.agent(&["history", "--limit", "1", "--cursor", &cursor]).with_code(0);
    assert!(second.stdout.contains("Greet") && !second.stdout.contains("Second"), "{}", second.stdout);
    both.ask(&["history", "--cursor", "nonsense"], 2);
}

#[test]
fn figures_are_shown_as_tables_and_bars() {
    let both = Both::with_done_plan();
    let told = both.json(&["analytics"]);
    assert_eq!(
        (&told["total_executions"], &told["performance_report"]["totals"]["successes"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(told["hourly_summary"].as_array().unwrap().len(), 24);
    assert_eq!(both.json(&["analytics", "--plan", "1"])["execution_count"], 2);
    assert_eq!(both.json(&["analytics", "--task", "1"])["success_rate"], 100.0);
    for ended in both.ask(&["analytics"], 0) {
        let text = &ended.stdout;
        assert!(text.contains("2 executions of 2 tasks") && text.contains("Slowest tasks"), "{text}");
        let bars = text.lines().find(|line| line.starts_with("last 24 hours")).unwrap();
        assert!(bars.contains('█') && bars.contains("2 executions, 0 failed"), "{text}");
    }
    for ended in both.ask(&["analytics", "--plan", "1"], 0) {
        assert!(ended.stdout.contains("Look around"), "{}", ended.stdout);
    }
    for ended in both.ask(&["analytics", "--task", "1"], 0) {
        assert!(ended.stdout.contains("100 %"), "{}", ended.stdout);
    }
    let users = both.json(&["analytics", "--by", "users"]);
    assert_eq!((&users["total"], &users["figures"][0]["execution_count"]), (&json!(1), &json!(2)));
    for ended in both.ask(&["analytics", "--by", "users"], 0) {
        assert!(ended.stdout.contains("user") && ended.stdout.contains("100 %"), "{}", ended.stdout);
    }
    for ended in both.ask(&["analytics", "--by", "models"], 0) {
        assert!(ended.stdout.contains("nothing was executed yet that counts for models"), "{}", ended.stdout);
    }
    both.ask(&["analytics", "--by", "colours"], 2);
    both.ask(&["analytics", "--task", "99"], 2);
    both.ask(&["analytics", "--plan", "99"], 2);
    assert!(Workplace::new().agent(&["analytics"]).with_code(0).stdout.contains("nothing was executed yet"));
}

#[test]
fn templates_are_listed_shown_and_searched() {
    let here = Workplace::with_repository();
    let at = AtServer::logged_in("demo", "demo123");
    let both = Both { here, at };
    let easy = both.json(&["templates", "list", "--difficulty", "easy"]);
    assert!(easy.as_array().unwrap().iter().all(|template| template["difficulty"] == "easy"), "{easy}");
    assert!(both.json(&["templates", "list"]).as_array().unwrap().len() >= 12);
    assert_eq!(both.json(&["templates", "show", "rest_api"])["tasks"].as_array().unwrap().len(), 10);
    assert_eq!(both.json(&["templates", "search", "web"])["results"][0]["id"], "web_scraper");
    let [here, there] = both.ask(&["templates", "show", "rest_api"], 0);
    assert!(here.stdout.contains("goal: ") && here.stdout.contains("10. ["), "{}", here.stdout);
    assert_eq!(here.stdout, there.stdout);
    both.ask(&["templates", "show", "no_such_template"], 2);
    both.ask(&["templates", "list", "--difficulty", "impossible"], 2);
}

#[test]
fn a_plan_at_a_server_is_executed_watched_and_tried_again() {
    let at = AtServer::logged_in("demo", "demo123");
    let gate = TaskSpec::new("Pass the gate", TaskKind::shell("test -e open"));
    let plan = at.plan(&CreatePlan::new("Pass").with_tasks([gate]));
    let failed = at.agent(&["plans", "execute", &plan]).with_code(1);
    assert!(failed.stdout.contains("task 1 failed"), "{}", failed.stdout);
    assert!(failed.stderr.contains("Pass the gate"), "progress is shown: {}", failed.stderr);
    at.place.write("open", "");
    let done = at.agent(&["plans", "retry", &plan, "--json"]).with_code(0).json();
    assert_eq!((&done["plan"]["status"], &done["tasks"][0]["attempts"]), (&json!("completed"), &json!(2)));
    at.agent(&["plans", "execute", &plan]).with_code(2);
    let other = at.plan(&greet());
    let accepted = at.agent(&["plans", "execute", &other, "--no-follow", "--json"]).with_code(0).json();
    assert_eq!((&accepted["success"], &accepted["status"]), (&json!(true), &json!("running")));
    at.agent(&["plans", "events", &other, "--follow"]).with_code(0);
}

#[test]
fn a_plan_is_paused_resumed_and_cancelled_both_ways() {
    let here = Workplace::with_repository();
    let file = here.beside("plan.yaml", "goal: Ask\ntasks:\n  - {description: May I?, kind: approval}\n");
    here.agent(&["run", "--plan", &file]).with_code(3);
    let at = AtServer::logged_in("demo", "demo123");
    let ask = CreatePlan::new("Ask").with_tasks([TaskSpec::new("May I?", TaskKind::Approval)]);
    assert_eq!(at.plan(&ask.execute()), "1");
    let both = Both { here, at };
    for ended in both.ask(&["plans", "pause", "1"], 0) {
        assert_eq!(ended.stdout, "plan 1 is paused\n");
    }
    both.ask(&["plans", "resume", "1"], 3);
    assert_eq!(both.json(&["plans", "cancel", "1"])["success"], true);
    both.ask(&["plans", "resume", "1"], 2);
    both.ask(&["plans", "pause", "1"], 2);
    let refused = both.here.agent(&["plans", "retry", "1", "--no-follow"]).with_code(2);
    assert!(refused.stderr.contains("this process does the work"), "{}", refused.stderr);
}

#[test]
fn a_plan_that_was_only_made_is_executed_here_too() {
    let place = Workplace::with_repository();
    let script = json!({"turns": [{"when": {"structured": true}, "json": {"tasks": [
        {"description": "Look around", "kind": "scan", "priority": "high", "depends_on": []}
    ]}}]});
    let script = place.beside("script.json", &script.to_string());
    place.agent(&["plan", "Look", "--script", &script]).with_code(0);
    let done = place.agent(&["plans", "execute", "1", "--json"]).with_code(0).json();
    assert_eq!(done["plan"]["status"], "completed");
}

#[test]
fn questions_are_listed_and_answered_at_a_server() {
    let at = AtServer::logged_in("demo", "demo123");
    let policy: Policy = serde_json::from_value(json!({"approval": "commands"})).unwrap();
    let mark = || {
        CreatePlan::new("Mark").with_tasks([TaskSpec::new("Leave a mark", TaskKind::argv(["touch", "mark"]))])
    };
    let plan = at.plan(&mark().under(policy.clone()).execute());
    let listed = at.agent(&["approvals", "list", "--plan", &plan, "--json"]).with_code(0).json();
    let id = listed["approvals"][0]["id"].to_string();
    assert!(at.agent(&["approvals", "list"]).with_code(0).stdout.contains("Leave a mark"));
    let shown = at.agent(&["approvals", "show", &id]).with_code(0).stdout;
    assert!(shown.contains("covers sha256:"), "{shown}");
    let other = format!("sha256:{}", "0".repeat(64));
    at.agent(&["approvals", "approve", &id, "--args-hash", &other]).with_code(2);
    let done = at.agent(&["approvals", "approve", &id, "--note", "go ahead"]).with_code(0);
    assert!(done.stdout.contains("completed"), "{}", done.stdout);
    assert!(at.place.repository().join("mark").exists());
    at.agent(&["approvals", "approve", &id]).with_code(2);
    let plan = at.plan(&mark().under(policy).execute());
    let listed = at.agent(&["approvals", "list", "--plan", &plan, "--json"]).with_code(0).json();
    let id = listed["approvals"][0]["id"].to_string();
    let decided =
        at.agent(&["approvals", "reject", &id, "--cancel", "--no-follow", "--json"]).with_code(0).json();
    assert_eq!(decided["decision"], "cancel");
    at.agent(&["approvals", "show", "4711"]).with_code(2);
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_stored_login() {
    let both = Both::with_done_plan();
    let token = both.at.token();
    let here = |arguments: &[&str], environment: &[(&str, &str)]| {
        both.here.agent_in(environment, arguments).with_code(0).json()["server"].clone()
    };
    assert!(here(&["whoami", "--json"], &[]).is_null());
    let server = [("AGENT_SERVER", both.at.url.as_str()), ("AGENT_TOKEN", token.as_str())];
    assert_eq!(here(&["whoami", "--json"], &server), both.at.url.as_str());
    assert!(here(&["whoami", "--json", "--local"], &server).is_null());
    let refused = both.here.agent_in(&server, &["whoami", "--server", "http://127.0.0.1:9"]);
    refused.with_code(4);
    both.here.agent(&["plans", "list", "--server", "nonsense"]).with_code(2);
}

#[test]
fn what_only_works_here_does_not_take_a_number_of_the_server_for_one_of_this_machine() {
    let both = Both::with_done_plan();
    for arguments in [["merge", "1"], ["discard", "1"], ["versions", "1"]] {
        let refused = both.at.agent(&["plans", arguments[0], arguments[1]]).with_code(2);
        assert!(refused.stderr.contains("--local"), "{}", refused.stderr);
    }
}

#[test]
fn a_run_at_a_server_takes_the_flag_and_nothing_less() {
    let at = AtServer::logged_in("demo", "demo123");
    let repository = at.place.repository().display().to_string();
    let plan = at.place.beside(
        "plan.yaml",
        "goal: Mark\ntasks:\n  - {description: Leave a mark, kind: command, command: [touch, mark]}\n",
    );
    let ended = at.agent(&["run", "--plan", &plan, "--server", &at.url, "--repo", &repository]).with_code(0);
    assert!(ended.stdout.contains("plan 1 completed") && ended.stderr.contains("Leave a mark"), "{ended:?}");
    assert_eq!(at.agent(&["plans", "list", "--json"]).with_code(0).json()["total"], 1);
    // With a login and in this environment, but without the flag, work stays on this machine.
    at.place.agent_in(&[("AGENT_SERVER", &at.url)], &["run", "--plan", &plan]).with_code(0);
    assert_eq!(at.agent(&["plans", "list", "--json"]).with_code(0).json()["total"], 1);
    let refused = at.agent(&["run", "--plan", &plan, "--server", &at.url, "--repo", "/etc"]).with_code(2);
    assert!(refused.stderr.contains("/etc"), "{}", refused.stderr);
    at.agent(&["run", "--resume", "1", "--server", &at.url]).with_code(2);
}

#[test]
fn a_template_gives_the_tasks_once_it_is_told_what_it_asks() {
    let both = Both { here: Workplace::with_repository(), at: AtServer::logged_in("demo", "demo123") };
    let run = ["run", "Look at the last change", "--template", "review_diff"];
    let told = ["--parameter", "base=HEAD~1"];
    // Without a language model the work fails; that there are tasks is what the template did.
    both.here.agent(&[&run[..], &told[..]].concat());
    both.at.agent(&[&run[..], &told[..], &["--server", &both.at.url]].concat());
    let tasks = both.json(&["plans", "tasks", "1"])["tasks"].as_array().unwrap().len();
    assert_eq!(tasks, 2);
    let unknown = [&run[..], &["--parameter", "colour=red"]].concat();
    assert!(both.here.agent(&unknown).with_code(2).stderr.contains("colour"));
    both.here.agent(&["run", "x", "--template", "nothing"]).with_code(2);
    both.here.agent(&["run", "x", "--parameter", "a=b"]).with_code(2);
}
