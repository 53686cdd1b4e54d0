//! The built-in templates, and how they are found.

use agent_core::plan::{Priority, TaskKind, graph};
use agent_templates::{Catalogue, Difficulty, Error, Filter, ParameterKind, Template};
use serde_json::{Map, Value, json};

const LARGE: [(&str, &str, &str); 8] = [
    ("rest_api", "Design", "Deployment"),
    ("web_scraper", "Planning", "Testing"),
    ("machine_learning", "Exploration", "Deployment"),
    ("react_app", "Setup", "Release"),
    ("ci_cd_pipeline", "Repository", "Monitoring"),
    ("mobile_app", "Design", "Distribution"),
    ("database_design", "Requirements", "Optimization"),
    ("documentation", "Planning", "Publishing"),
];

fn ids<'a>(templates: impl IntoIterator<Item = &'a Template>) -> Vec<&'a str> {
    templates.into_iter().map(|template| template.id.as_str()).collect()
}

fn found<'a>(catalogue: &'a Catalogue, query: &str) -> Vec<&'a str> {
    ids(catalogue.search(query).into_iter().map(|hit| hit.template))
}

/// Values for the required parameters; the rest by default.
fn required(template: &Template) -> Map<String, Value> {
    let value = |kind| match kind {
        ParameterKind::String => json!("true"),
        ParameterKind::Number => json!(7),
        ParameterKind::Boolean => json!(true),
        ParameterKind::Select => panic!("no built-in template requires a select"),
    };
    template.parameters.iter().filter(|p| p.required).map(|p| (p.name.clone(), value(p.kind))).collect()
}

#[test]
fn the_eight_large_templates_have_ten_tasks_from_the_first_phase_to_the_last() {
    let catalogue = Catalogue::builtin();
    for (id, first, last) in LARGE {
        let template = catalogue.find(id).unwrap();
        assert_eq!(template.tasks.len(), 10, "{id}");
        assert_eq!(template.difficulty, Difficulty::Hard, "{id}");
        assert_eq!(template.tasks[0].phase, first, "{id}");
        assert_eq!(template.tasks[9].phase, last, "{id}");
        let numbers: Vec<u32> = template.tasks.iter().map(|task| task.id).collect();
        assert_eq!(numbers, (1..=10).collect::<Vec<u32>>(), "{id}");
    }
}

#[test]
fn every_built_in_template_renders_to_a_valid_plan_without_open_places() {
    for template in Catalogue::builtin().list(&Filter::default()) {
        let plan = template.render(&required(template)).unwrap();
        graph::validate(&plan.tasks).unwrap();
        assert_eq!(plan.tasks.len(), template.task_count);
        assert!(!plan.goal.contains("{{"), "{}: {}", template.id, plan.goal);
        for (task, from) in plan.tasks.iter().zip(&template.tasks) {
            assert!(!task.description.contains("{{"), "{}: {}", template.id, task.description);
            assert_eq!((&task.depends_on, task.priority), (&from.depends_on, from.priority));
        }
    }
}

#[test]
fn every_large_template_lets_tasks_run_in_parallel() {
    let catalogue = Catalogue::builtin();
    for (id, _, _) in LARGE {
        let tasks = &catalogue.find(id).unwrap().tasks;
        let depends_on = |position: u32| tasks[position as usize - 1].depends_on.clone();
        let pairs = (1..=10).flat_map(|a| (a + 1..=10).map(move |b| (a, b)));
        let parallel = pairs.filter(|(a, b)| {
            !graph::ancestors(&depends_on, *b).contains(a) && !graph::ancestors(&depends_on, *a).contains(b)
        });
        assert!(parallel.count() >= 3, "{id} is hardly more than a chain");
        let roots = tasks.iter().filter(|task| task.depends_on.is_empty()).count();
        assert!(roots <= 2, "{id} starts in {roots} places");
    }
}

#[test]
fn every_agent_task_of_the_large_templates_says_how_it_is_verified() {
    let catalogue = Catalogue::builtin();
    for (id, _, _) in LARGE {
        let template = catalogue.find(id).unwrap();
        let unverified = template
            .tasks
            .iter()
            .filter(|task| task.kind == agent_templates::WorkKind::Agent && task.verify.is_none());
        assert_eq!(unverified.count(), 0, "{id}");
    }
}

#[test]
fn every_task_of_the_large_templates_says_what_it_touches_and_some_come_first() {
    let catalogue = Catalogue::builtin();
    for (id, _, _) in LARGE {
        let template = catalogue.find(id).unwrap();
        for task in template.tasks.iter().filter(|task| task.kind == agent_templates::WorkKind::Agent) {
            assert!(!task.writes.is_empty(), "{id}: task {} says what it writes", task.id);
            let begins = task.depends_on.is_empty();
            assert!(begins || !task.reads.is_empty(), "{id}: task {} says what it builds on", task.id);
        }
        let first = template.tasks.iter().filter(|task| task.priority == Priority::High).count();
        assert!((3..=8).contains(&first), "{id}: {first} of ten tasks come first");
    }
}

#[test]
fn every_large_template_asks_for_its_stack_with_types_and_defaults() {
    let catalogue = Catalogue::builtin();
    for (id, _, _) in LARGE {
        let parameters = &catalogue.find(id).unwrap().parameters;
        assert!(parameters.iter().any(|parameter| parameter.kind == ParameterKind::Select), "{id}");
        assert!(parameters.iter().any(|parameter| parameter.kind != ParameterKind::String), "{id}");
        for parameter in parameters {
            assert_eq!(parameter.default.is_none(), parameter.required, "{id}: {}", parameter.name);
        }
        let required = parameters.iter().filter(|parameter| parameter.required).count();
        assert!(required <= 2, "{id} asks for {required} things before it helps");
    }
}

#[test]
fn every_built_in_template_comes_back_from_yaml_as_it_was() {
    for template in Catalogue::builtin().list(&Filter::default()) {
        let text = template.to_yaml().unwrap();
        assert_eq!(&Template::from_yaml(&text).unwrap(), template, "{text}");
    }
}

#[test]
fn an_empty_test_command_leaves_the_task_without_verification() {
    let catalogue = Catalogue::builtin();
    let template = catalogue.find("rest_api").unwrap();
    let mut parameters = required(template);
    let verify_of =
        |parameters: &Map<String, Value>| match &template.render(parameters).unwrap().tasks[5].kind {
            TaskKind::Agent { verify } => verify.as_ref().map(ToString::to_string),
            other => panic!("{other:?}"),
        };
    assert_eq!(verify_of(&parameters), None);
    parameters.insert("test_command".to_owned(), json!("pytest -q"));
    assert_eq!(verify_of(&parameters).as_deref(), Some("pytest -q"));
}

#[test]
fn difficulty_and_tag_narrow_the_list() {
    let catalogue = Catalogue::builtin();
    let of = |difficulty| Filter { difficulty: Some(difficulty), tag: None };
    assert_eq!(ids(catalogue.list(&of(Difficulty::Easy))), ["fix_failing_test", "review_diff"]);
    assert_eq!(ids(catalogue.list(&of(Difficulty::Medium))), ["add_endpoint", "upgrade_dependency"]);
    assert_eq!(catalogue.list(&of(Difficulty::Hard)).len(), 8);
    let tagged = Filter { difficulty: None, tag: Some("API".to_owned()) };
    assert_eq!(ids(catalogue.list(&tagged)), ["rest_api", "add_endpoint"]);
    let both = Filter { difficulty: Some(Difficulty::Easy), tag: Some("api".to_owned()) };
    assert!(catalogue.list(&both).is_empty());
}

#[test]
fn a_template_that_does_not_exist_is_named() {
    let error = Catalogue::builtin().find("rest-api").unwrap_err();
    assert!(matches!(&error, Error::NotFound(id) if id == "rest-api"), "{error}");
}

#[test]
fn searching_for_web_finds_the_scraper_and_nothing_else() {
    let large = LARGE.map(|(id, _, _)| Catalogue::builtin().find(id).unwrap().clone());
    assert_eq!(found(&Catalogue::new(large.to_vec()).unwrap(), "web"), ["web_scraper"]);
    assert_eq!(found(&Catalogue::builtin(), "web"), ["web_scraper"]);
    assert_eq!(found(&Catalogue::builtin(), " WEB "), ["web_scraper"]);
}

#[test]
fn a_name_counts_more_than_a_tag_and_a_tag_more_than_the_tasks() {
    let catalogue = Catalogue::builtin();
    let api = found(&catalogue, "api");
    assert_eq!(api[..2], ["rest_api", "add_endpoint"], "name, then tag");
    assert!(api.len() > 2, "and those whose text speaks of one");
    assert_eq!(found(&catalogue, "database")[0], "database_design");
    assert_eq!(found(&catalogue, "openapi contract")[0], "rest_api");
    assert_eq!(found(&catalogue, "review_diff")[0], "review_diff");
}

#[test]
fn a_query_means_its_characters_and_nothing_else() {
    let catalogue = Catalogue::builtin();
    for query in ["", "   ", "%", "\\", "(a+)+$", ".*", "🦀", "' or 1=1 --", "web%scraper"] {
        assert_eq!(found(&catalogue, query), Vec::<&str>::new(), "{query:?}");
    }
    assert_eq!(found(&catalogue, "b_s"), ["web_scraper"], "an underscore is an underscore");
    let long = "no_such_word ".repeat(800);
    assert!(found(&catalogue, &long).is_empty());
}

#[test]
fn templates_of_others_stand_behind_the_built_in_ones_and_may_not_hide_them() {
    let catalogue = Catalogue::builtin();
    let own = r#"
        id = "tidy_up"
        name = "Tidy up"
        description = "Removes what nobody uses."
        goal = "Tidy up"
        [[tasks]]
        phase = "Tidying"
        description = "Remove dead code."
    "#;
    let own = Template::from_toml(own).unwrap();
    let both = catalogue.with(vec![own]).unwrap();
    assert_eq!(ids(both.list(&Filter::default())).last(), Some(&"tidy_up"));
    let again = vec![catalogue.find("rest_api").unwrap().clone()];
    assert!(matches!(catalogue.with(again), Err(Error::DuplicateId(id)) if id == "rest_api"));
}

#[test]
fn a_template_is_shown_with_the_fields_of_the_contract() {
    let shown = serde_json::to_value(Catalogue::builtin().find("fix_failing_test").unwrap()).unwrap();
    assert_eq!(shown["difficulty"], "easy");
    assert_eq!(shown["task_count"], 3);
    assert_eq!(shown["tasks"][1]["id"], 2);
    assert_eq!(shown["tasks"][1]["priority"], "high");
    assert_eq!(shown["tasks"][1]["depends_on"], json!([1]));
    assert_eq!(shown["parameters"][0]["name"], "test_command");
    assert_eq!(shown["parameters"][0]["kind"], "string");
}
