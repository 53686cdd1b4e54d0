use crate::fixture::Workplace;
use std::collections::BTreeSet;

#[test]
fn the_demo_tells_its_story_and_leaves_nothing_behind() {
    let place = Workplace::new();
    let ended = place.agent(&["demo", "--scripted"]).with_code(0);
    let story = &ended.stdout;
    let place_of =
        |text: &str| story.find(text).unwrap_or_else(|| panic!("{text:?} is not told in\n{story}"));
    let order = [
        "A throwaway repository",
        "Its tests, before",
        "test_keeps_the_longer_end_of_a_nested_interval",
        "FAILED (failures=5)",
        "The server",
        "a script says what a model would say",
        "The plan",
        "1. [scan]",
        "2. [agent]",
        "3. [agent]",
        "4. [command]",
        "4 of 4 tasks completed",
        "What changed",
        "max(merged[-1].end, interval.end)",
        "2 files changed",
        "Its tests, after",
        "Ran 11 tests",
        "100 % successful",
        "/docs",
        "/redoc",
    ];
    let places: Vec<usize> = order.iter().map(|text| place_of(text)).collect();
    assert!(story[places[15]..].contains(": OK"), "{story}");
    assert!(places.iter().collect::<BTreeSet<_>>().len() == order.len(), "{story}");
    assert!(ended.stderr.contains("apply_patch roombook/pricing.py"), "{}", ended.stderr);
    assert!(!story.contains('\u{1b}'), "no colours where nobody sees them");
    assert_eq!(place.left_behind(), Vec::<std::path::PathBuf>::new());
    assert!(!place.path("data").exists(), "the demo keeps to its own folder");
}

#[test]
fn the_demo_as_json_is_one_document_with_red_before_and_green_after() {
    let place = Workplace::new();
    let document = place.agent(&["demo", "--scripted", "--json"]).with_code(0).json();
    assert_eq!(
        (&document["tests_before"]["green"], &document["tests_after"]["green"]),
        (&false.into(), &true.into())
    );
    assert_eq!(document["llm_provider"], "scripted");
    assert_eq!(document["plan"]["plan"]["status"], "completed");
    assert_eq!(document["analytics"]["total_executions"], 4);
    assert!(document["events"].as_u64().unwrap() > 30);
    let tasks = document["plan"]["tasks"].as_array().unwrap();
    let started = |index: usize| tasks[index]["started_at"].as_str().unwrap().to_owned();
    let finished = |index: usize| tasks[index]["finished_at"].as_str().unwrap().to_owned();
    assert!(started(1) < finished(2) && started(2) < finished(1), "the agents work in parallel: {tasks:?}");
    assert_eq!(place.left_behind(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_configured_model_that_cannot_be_reached_fails_honestly_and_leaves_nothing_behind() {
    let place = Workplace::new();
    let model = ["--provider", "openai", "--base-url", "http://127.0.0.1:9/v1", "--model", "none"];
    let arguments: Vec<&str> = ["demo"].into_iter().chain(model).collect();
    let ended = place.agent(&arguments).with_code(1);
    assert!(ended.stdout.contains("The configured language model answers (provider: openai)"));
    assert!(ended.stderr.contains("agent demo --scripted"), "{}", ended.stderr);
    assert_eq!(place.left_behind(), Vec::<std::path::PathBuf>::new());
}
