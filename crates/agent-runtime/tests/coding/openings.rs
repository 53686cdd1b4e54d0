//! What the model is told before it begins, and what it never loses while it works.

use crate::fixture::{
    Fitting, Recorded, Repository, Workshop, about, agent_task, call, finish, in_order, patch,
};
use agent_core::model::Message;
use agent_core::policy::Policy;
use serde_json::json;

const FIXED: &str = "--- a/cart.py\n+++ b/cart.py\n@@ -3 +3 @@\n-    return subtotal(prices) + SHIPPING\n+    return subtotal(prices) + shipping(prices)\n";

/// A small shop: what matters for the task stands in cart.py, and shipping.py is only mentioned there.
fn shop() -> Repository {
    Repository::of(&[
        ("AGENTS.md", "# For agents\n\nIndent with four blanks. Never add a dependency.\n"),
        ("pyproject.toml", "[project]\nname = \"shop\"\nversion = \"1\"\n"),
        (
            "cart.py",
            "def total(prices):\n    \"\"\"What a customer pays.\"\"\"\n    return subtotal(prices) + SHIPPING\n\n\ndef subtotal(prices):\n    return sum(prices)\n",
        ),
        ("shipping.py", "def shipping(prices):\n    return 0 if sum(prices) > 50 else 5\n"),
        ("notes.txt", "nothing of interest\n"),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn the_opening_tells_guidance_map_commands_files_task_and_check() {
    let turns = vec![patch(FIXED), finish()];
    let workshop = Workshop::open(shop(), turns).await;
    let mut task = agent_task("Let total charge what shipping says", "grep -q 'shipping(prices)' cart.py");
    (task.reads, task.writes) = (vec!["shipping.py".to_owned()], vec!["cart.py".to_owned()]);
    workshop.tasks([task], Policy::default()).await.assert_completed();
    let opening = workshop.model.opening("Let total charge");
    let in_order = [
        "Goal of the plan: Get the work done",
        "as its AGENTS.md says",
        "Never add a dependency.",
        "The definitions that matter most",
        "cart.py",
        "def total(prices)",
        "What builds and tests it: python3 -m",
        "Your task: Let total charge what shipping says",
        "It is expected to look at: shipping.py",
        "It is expected to change: cart.py",
        "this command exits with 0: grep -q 'shipping(prices)' cart.py",
    ];
    let mut rest = opening.as_str();
    for text in in_order {
        rest =
            rest.split_once(text).unwrap_or_else(|| panic!("{text:?} is not where it belongs: {opening}")).1;
    }
    assert!(
        opening.contains("def shipping(prices)") && !opening.contains("nothing of interest"),
        "{opening}"
    );
    let offered: Vec<String> =
        workshop.model.prompts()[0].tools.iter().map(|tool| tool.name.clone()).collect();
    for tool in ["list_files", "read_file", "search", "outline", "apply_patch", "write_file", "run_command"] {
        assert!(offered.iter().any(|name| name == tool), "{tool}: {offered:?}");
    }
    assert!(offered.ends_with(&["take_note", "ask_person", "finish"].map(str::to_owned)), "{offered:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_opening_is_the_first_message_of_the_plans_conversation() {
    let turns = vec![patch(FIXED), finish()];
    let workshop = Workshop::open(shop(), turns).await;
    let done = workshop.task("Let total charge what shipping says", "").await;
    let system = workshop.said(&done, "system").await;
    assert_eq!(system.len(), 1);
    assert!(
        system[0].contains("Your task: Let total charge") && system[0].contains("Never add a dependency")
    );
    let said = workshop.said(&done, "assistant").await;
    assert!(said[0].starts_with("→ apply_patch") && said[1].starts_with("→ finish"), "{said:?}");
    assert!(workshop.said(&done, "tool").await[0].starts_with("apply_patch: "));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_task_sees_the_repository_as_the_one_before_left_it() {
    let named = "def shipping(prices):\n    return 0\n\n\ndef insurance(prices):\n    return 1\n";
    let turns = [
        about(
            "Add insurance",
            [call("write_file", json!({"path": "shipping.py", "content": named})), finish()],
        ),
        about("Charge insurance", [finish().told("def insurance(prices)")]),
    ];
    let workshop = Workshop::with_model(shop(), Recorded::new(turns.concat())).await;
    let tasks = [agent_task("Add insurance", ""), agent_task("Charge insurance", "").after(&[1])];
    workshop.tasks(tasks, Policy::default()).await.assert_completed();
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_stay_when_a_small_window_loses_what_was_read() {
    let long = (1..=400).map(|line| format!("CONSTANT_{line} = {line}\n")).collect::<String>();
    let repository = Repository::of(&[("constants.py", long.as_str()), ("limit.txt", "?\n")]);
    let read = |first: usize| {
        call("read_file", json!({"path": "constants.py", "first_line": first, "last_line": first + 150}))
    };
    let mut turns = vec![
        call("search", json!({"pattern": "CONSTANT_377"})),
        call("take_note", json!({"note": "The limit is CONSTANT_377, which is 377."})).seeing("= 377"),
    ];
    turns.extend((0..12).map(|page| read(1 + page * 20)));
    turns.push(call("write_file", json!({"path": "limit.txt", "content": "377\n"})));
    turns.push(finish());
    let count = turns.len();
    // The number of an answer counts those that are left out no more, so it is no condition here.
    let model = Recorded::new(turns).with_window(8_192);
    let workshop = Workshop::with_model(repository, model).await;
    workshop.task("Write the limit down", "grep -qx 377 limit.txt").await.assert_completed();
    let prompts = workshop.model.prompts();
    assert_eq!(prompts.len(), count);
    let last = serde_json::to_string(&prompts[count - 1].messages).unwrap();
    assert!(last.len() < 40 * 1024, "{} bytes", last.len());
    let Message::User { content: opening } = &prompts[count - 1].messages[0] else { panic!("no opening") };
    assert!(opening.contains("Your note: The limit is CONSTANT_377, which is 377."), "{opening}");
    assert!(opening.contains("What you have done so far, in short"), "{opening}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_person_says_meanwhile_reaches_the_model_with_its_next_turn() {
    let turns = vec![
        call("read_file", json!({"path": "cart.py"})),
        patch(FIXED).told("The person whose plan this is says:\nLeave the tests alone."),
        finish(),
    ];
    let model = Recorded::new(in_order(turns)).pausing_after(0);
    let workshop = Workshop::with_model(shop(), model).await;
    let plan =
        workshop.begin([agent_task("Let total charge what shipping says", "")], Policy::default()).await;
    workshop.model.asked(1).await;
    let remark = "Leave the tests alone.".to_owned();
    let conversation = workshop.agent.conversation();
    conversation.add(&workshop.me, "user".to_owned(), remark, Some(plan), None).await.unwrap();
    workshop.model.allow(3);
    workshop.end_of(plan).await.assert_completed();
}
