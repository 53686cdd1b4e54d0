//! Pages of every list stay as they are while entries are added: nothing comes twice, and nothing that was there at the
//! beginning is skipped.

use agent_testkit::{Client, TestServer};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Numbers that are the same each time; their order is what is tried.
struct Dice(u64);

impl Dice {
    /// A number below the limit.
    fn roll(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// One list: where it is, how its entries are called and named, and how one is added.
struct List {
    path: &'static str,
    entries: &'static str,
    id: &'static str,
    add: (&'static str, Value),
}

fn lists() -> Vec<List> {
    let plan = json!({"goal": "Count me", "tasks": [{"description": "a", "kind": "scan"}]});
    let waiting =
        json!({"goal": "Ask", "auto_execute": true, "tasks": [{"description": "a", "kind": "approval"}]});
    let message = json!({"role": "user", "content": "Count me, please"});
    vec![
        List { path: "/plans?", entries: "plans", id: "id", add: ("/plans", plan.clone()) },
        List { path: "/plans?q=count+me&", entries: "plans", id: "id", add: ("/plans", plan.clone()) },
        List { path: "/plans?status=created&", entries: "plans", id: "id", add: ("/plans", plan) },
        List {
            path: "/conversation?",
            entries: "messages",
            id: "id",
            add: ("/conversation", message.clone()),
        },
        List {
            path: "/conversation?q=please&",
            entries: "messages",
            id: "id",
            add: ("/conversation", message),
        },
        List { path: "/approvals?", entries: "approvals", id: "id", add: ("/plans", waiting.clone()) },
        List { path: "/audit?", entries: "records", id: "sequence", add: ("/plans", waiting.clone()) },
        List { path: "/audit?order=oldest&", entries: "records", id: "sequence", add: ("/plans", waiting) },
        List {
            path: "/webhooks?",
            entries: "webhooks",
            id: "id",
            add: ("/webhooks", json!({"url": "https://example.com/hook", "events": ["plan_updated"]})),
        },
    ]
}

async fn add(client: &Client, list: &List) {
    let (path, body) = &list.add;
    let added = client.post(path, body.clone()).await.expect(201).json;
    if body["auto_execute"] == true {
        // Its question opens once the executor has come to it.
        client.wait_for_plan(added["plan_id"].as_i64().unwrap(), &["awaiting_approval"]).await;
    }
}

/// The ids of a list, page by page; some are added between pages, as the dice say.
async fn walk(client: &Client, list: &List, dice: &mut Dice, adds: bool) -> Vec<i64> {
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for _ in 0..200 {
        let limit = 1 + dice.roll(4);
        let page = client.get(&format!("{}limit={limit}{cursor}", list.path)).await.expect(200).json;
        let entries = page[list.entries].as_array().unwrap();
        assert!(entries.len() as u64 <= limit && page["total"].as_u64().unwrap() >= entries.len() as u64);
        seen.extend(entries.iter().map(|entry| entry[list.id].as_i64().unwrap()));
        // No longer than until the end of what there was can be seen.
        let next = page["next_cursor"].as_str().filter(|_| !adds || seen.len() < 60);
        let Some(next) = next else { return seen };
        cursor = format!("&cursor={next}");
        for _ in 0..if adds { dice.roll(3) } else { 0 } {
            add(client, list).await;
        }
    }
    panic!("{} never ends", list.path);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_skips_or_repeats_what_was_there_while_more_is_added() {
    for (index, list) in lists().into_iter().enumerate() {
        for seed in [1, 2] {
            let server = TestServer::start().await;
            let admin = server.admin().await;
            let mut dice = Dice(0x9e37_79b9 + seed + 100 * index as u64);
            for _ in 0..5 + dice.roll(8) {
                add(&admin, &list).await;
            }
            let before = walk(&admin, &list, &mut dice, false).await;
            assert!(before.len() >= 5, "{}", list.path);
            let seen = walk(&admin, &list, &mut dice, true).await;
            let distinct: BTreeSet<i64> = seen.iter().copied().collect();
            assert_eq!(distinct.len(), seen.len(), "{} repeats with seed {seed}: {seen:?}", list.path);
            let skipped: Vec<&i64> = before.iter().filter(|id| !distinct.contains(id)).collect();
            assert!(skipped.is_empty(), "{} skips {skipped:?} with seed {seed}: {seen:?}", list.path);
            server.stop().await;
        }
    }
}
