//! Looking for words in goals and messages.

use super::World;
use crate::world::{at, change, make, new_plan, user};
use agent_core::ids::{Owner, PlanId, TenantId};
use agent_core::plan::{NewPlan, PlanStatus};
use agent_core::ports::{
    Conversations, MessageFilter, NewMessage, NewVersion, PlanFilter, PlanReader, PlanStore, Visibility,
};
use agent_core::search::{MAX_WORDS, Search};

const TEXTS: [&str; 12] = [
    "Mend the parser of dates",
    "Reach 100% coverage in snake_case modules",
    "Say \"hello\" to O'Neil; DROP TABLE plans; --",
    "Le café de l'ÉTÉ est fermé",
    "Исправить разбор дат",
    "日本語のテストを直す",
    "Ship it 🎉 (a+)+$ NEAR* OR NOT -x",
    "C:\\temp\\x and ~/.config & <tag> | col:on ^1",
    "naïve façade, Ωmega, straße",
    "parser parser parser",
    "v1.2.3 10k 2nd 1e5 a1b2",
    "",
];

const QUERIES: [&str; 58] = [
    "parser",
    "PARSER",
    "pars",
    "arser",
    "the parser",
    "parser the",
    "parser  dates ",
    "dat",
    "date ",
    "dates",
    "100%",
    "100",
    "100 %",
    "snake_case",
    "snake",
    "case modules",
    "%",
    "_",
    "\\",
    "\"",
    "\"hello\"",
    "hello",
    "'",
    "O'Neil",
    "o'neil;",
    "DROP TABLE",
    "--",
    "café",
    "CAFÉ",
    "cafe",
    "été",
    "fermé",
    "разбор",
    "РАЗБОР",
    "разб",
    "日本",
    "テスト",
    "本 直",
    "🎉",
    "(a+)+$",
    "NEAR*",
    "near",
    "or not",
    "OR",
    "AND",
    "NOT parser",
    "-x",
    "c:\\temp",
    "col:on",
    "^1",
    "&",
    "|",
    "<tag>",
    ":*",
    "v1.2.3",
    "10k 2nd",
    "1e5",
    "a1b2",
];

fn plans(visibility: Visibility, text: &str, before: Option<PlanId>, limit: u32) -> PlanFilter {
    PlanFilter { visibility, status: None, text: Some(text.into()), before, limit }
}

fn messages(visibility: Visibility, text: &str) -> MessageFilter {
    MessageFilter { visibility, plan_id: None, role: None, text: Some(text.into()), after: None, limit: 200 }
}

async fn goals(world: &World, visibility: Visibility, text: &str) -> Vec<String> {
    let page = world.store.list(&plans(visibility, text, None, 200)).await.unwrap();
    assert_eq!(page.total, page.plans.len() as u64, "{text}");
    page.plans.into_iter().map(|found| found.plan.goal).collect()
}

async fn contents(world: &World, visibility: Visibility, text: &str) -> Vec<String> {
    let (page, total) = world.store.messages(&messages(visibility, text)).await.unwrap();
    assert_eq!(total, page.len() as u64, "{text}");
    page.into_iter().map(|found| found.content).collect()
}

async fn add_plan(world: &World, owner: Owner, goal: &str) -> PlanId {
    let new = NewPlan { goal: goal.into(), ..new_plan(owner, 1) };
    make(&world.store, &new, PlanStatus::Created, at(0)).await.unwrap().plan.id
}

async fn say(world: &World, owner: Owner, content: &str) {
    let role = "user".to_owned();
    let said = NewMessage { owner, role, content: content.into(), plan_id: None, idempotency: None };
    world.store.add(&said, at(0)).await.unwrap();
}

#[tokio::test]
async fn every_search_finds_what_its_words_say_and_nothing_else() {
    let Some(world) = World::new().await else { return };
    for text in TEXTS {
        add_plan(&world, world.owner, text).await;
        say(&world, world.owner, text).await;
    }
    let own = Visibility::Owner(world.owner);
    for query in QUERIES {
        let found = |text: &&&str| Search::of(query).is_found_in(text);
        let oldest: Vec<&str> = TEXTS.iter().filter(found).copied().collect();
        let newest: Vec<&str> = TEXTS.iter().rev().filter(found).copied().collect();
        assert_eq!(goals(&world, own, query).await, newest, "goals with {query}");
        assert_eq!(contents(&world, own, query).await, oldest, "messages with {query}");
    }
}

#[tokio::test]
async fn no_search_is_too_strange() {
    let Some(world) = World::new().await else { return };
    add_plan(&world, world.owner, "Mend the parser").await;
    let own = Visibility::Owner(world.owner);
    let many: Vec<String> = (0..2 * MAX_WORDS).map(|n| format!("w{n}")).collect();
    let strange = [
        "a".repeat(10_240),
        "%".repeat(10_240),
        "é".repeat(5_000),
        "\" ".repeat(500),
        many.join(" "),
        "{goal}: parser".into(),
        "goal:parser".into(),
        "parser AND".into(),
        "* parser".into(),
        "\u{1f600}\u{200d}\u{1f469}\u{202e}".into(),
        "e\u{301}".into(),
    ];
    for query in &strange {
        assert_eq!(goals(&world, own, query).await, Vec::<String>::new(), "{query:.80}");
        assert_eq!(contents(&world, own, query).await, Vec::<String>::new(), "{query:.80}");
    }
    assert_eq!(goals(&world, own, " \t ").await.len(), 1);
}

#[tokio::test]
async fn what_is_found_is_the_searcher_s_own_and_comes_in_pages() {
    let Some(world) = World::new().await else { return };
    let eve = user(&world.store, "eve").await;
    let mut mine = Vec::new();
    for number in 0..7 {
        mine.insert(0, add_plan(&world, world.owner, &format!("secret number {number}")).await);
        add_plan(&world, eve, "secret of eve").await;
        say(&world, eve, "secret of eve").await;
    }
    let (own, all) = (Visibility::Owner(world.owner), Visibility::Tenant(TenantId::DEFAULT));
    assert_eq!(contents(&world, own, "secret").await.len(), 0);
    assert_eq!(
        (contents(&world, all, "secret").await.len(), goals(&world, all, "secret").await.len()),
        (7, 14)
    );
    assert_eq!(goals(&world, Visibility::Tenant(TenantId(77)), "secret").await.len(), 0);
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let page = world.store.list(&plans(own, "secret num", before, 3)).await.unwrap();
        seen.extend(page.plans.iter().map(|found| found.plan.id));
        add_plan(&world, world.owner, "secret number, later").await;
        match page.next {
            Some(next) => before = Some(next),
            None => break,
        }
    }
    assert_eq!(seen, mine);
}

#[tokio::test]
async fn a_goal_that_was_edited_is_found_by_its_new_words_only() {
    let Some(world) = World::new().await else { return };
    let id = add_plan(&world, world.owner, "Mend the parser").await;
    let mut state = world.store.load(None, id).await.unwrap();
    let before = state.definition();
    let mut next = change(&state);
    next.plan.goal = "Write a lexer".into();
    next.plan.version += 1;
    state.plan = next.plan.clone();
    let after = state.definition();
    next.version = Some(NewVersion { before, after, changes: Vec::new(), by: "ada".into() });
    world.store.commit(&next, None).await.unwrap();
    let own = Visibility::Owner(world.owner);
    assert_eq!(goals(&world, own, "parser").await, Vec::<String>::new());
    assert_eq!(goals(&world, own, "lexer").await, ["Write a lexer"]);
}
