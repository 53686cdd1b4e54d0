//! What a template may hold, and what becomes of the values it is given.

#![expect(clippy::unwrap_used, reason = "what a test needs and lacks fails the test")]

use agent_core::plan::{CommandLine, Priority, TaskKind};
use agent_templates::{Error, MAX_DOCUMENT, RenderedPlan, Template, read_yaml};
use serde_json::{Value, json};

const GREETING: &str = r#"
id = "greeting"
name = "Greeting"
description = "Says hello."
goal = "Greet {{who}} {{times}} times, {{tone}}, loud: {{loud}}"

[[parameters]]
name = "who"
kind = "string"
description = "Whom to greet"
required = true

[[parameters]]
name = "times"
kind = "number"
description = "How often"
default = 2

[[parameters]]
name = "tone"
kind = "select"
description = "In which tone"
options = ["warm", "cool"]
default = "warm"

[[parameters]]
name = "loud"
kind = "boolean"
description = "Whether it is loud"
default = false

[[tasks]]
phase = "Writing"
description = "Write a greeting for {{who}}."
priority = "high"
writes = ["greetings/{{who}}.txt"]
verify = ["test", "-s", "greetings/{{who}}.txt"]

[[tasks]]
phase = "Counting"
kind = "command"
description = "Count."
depends_on = [1]
command = "grep -c {{who}} greetings/*"

[[tasks]]
phase = "Approval"
kind = "approval"
description = "Somebody looks at it."
depends_on = [2]
requires_approval = true
"#;

fn render(parameters: Value) -> Result<RenderedPlan, Error> {
    Template::from_toml(GREETING).unwrap().render(parameters.as_object().unwrap())
}

fn refused(parameters: Value) -> Vec<(String, String)> {
    match render(parameters) {
        Err(Error::Parameters(defects)) => defects.into_iter().map(|d| (d.pointer, d.detail)).collect(),
        other => panic!("{other:?}"),
    }
}

fn defects_of(text: &str) -> Vec<(String, String)> {
    match Template::from_toml(text) {
        Err(Error::Invalid { defects, .. }) => defects.into_iter().map(|d| (d.pointer, d.detail)).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn values_and_defaults_are_filled_in_everywhere() {
    let plan = render(json!({"who": "Ada", "times": 3})).unwrap();
    assert_eq!(plan.goal, "Greet Ada 3 times, warm, loud: false");
    assert_eq!(plan.tasks[0].description, "Writing: Write a greeting for Ada.");
    assert_eq!(
        (plan.tasks[0].reads.len(), plan.tasks[0].writes.as_slice()),
        (0, &["greetings/Ada.txt".to_owned()][..])
    );
    let verify = CommandLine::Argv(vec!["test".into(), "-s".into(), "greetings/Ada.txt".into()]);
    assert_eq!(plan.tasks[0].kind, TaskKind::Agent { verify: Some(verify) });
    assert_eq!(plan.tasks[0].priority, Priority::High);
    assert_eq!(plan.tasks[2].kind, TaskKind::Approval);
    assert!(plan.tasks[2].requires_approval);
    assert_eq!(plan.tasks[2].depends_on, [2]);
}

#[test]
fn a_value_never_becomes_shell_code_or_another_placeholder() {
    let plan = render(json!({"who": "$(touch x); {{tone}}'"})).unwrap();
    assert!(plan.goal.starts_with("Greet $(touch x); {{tone}}' 2"));
    assert_eq!(plan.tasks[1].kind, TaskKind::shell(r"grep -c '$(touch x); {{tone}}'\''' greetings/*"));
}

#[test]
fn every_parameter_that_does_not_fit_is_named_with_what_would() {
    let found = refused(json!({"times": "3", "tone": "hot", "loud": "yes", "a/b": 1}));
    let pointers: Vec<&str> = found.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(
        pointers,
        ["/parameters/a~1b", "/parameters/who", "/parameters/times", "/parameters/tone", "/parameters/loud"]
    );
    assert!(found[0].1.contains("who, times, tone, loud"), "{}", found[0].1);
    assert!(found[1].1.contains("Whom to greet"), "{}", found[1].1);
    assert!(found[3].1.contains("warm, cool"), "{}", found[3].1);
}

#[test]
fn null_is_no_value_and_a_required_one_may_not_be_blank() {
    assert_eq!(refused(json!({"who": null}))[0].0, "/parameters/who");
    assert_eq!(refused(json!({"who": "  "}))[0].0, "/parameters/who");
}

#[test]
fn text_that_hides_something_is_refused() {
    for hidden in ["Ada\u{202E}", "A\u{200B}da", "\u{FEFF}Ada", "Ada\u{E0067}", "A\u{2066}da", "A\u{0}da"] {
        let found = refused(json!({"who": hidden}));
        assert!(found[0].1.contains("invisible character U+"), "{:?}", found[0]);
    }
    assert!(render(json!({"who": "Åda 👍"})).is_ok());
    let found = defects_of(&GREETING.replace("Says hello.", "Says \u{202E}hello."));
    assert_eq!(found[0].0, "/description");
}

#[test]
fn a_value_longer_than_four_kibibytes_is_refused() {
    let without_path = GREETING.replace("writes = [\"greetings/{{who}}.txt\"]", "");
    let longest = json!({"who": "x".repeat(4096)});
    assert!(Template::from_toml(&without_path).unwrap().render(longest.as_object().unwrap()).is_ok());
    assert!(refused(longest)[0].1.contains("a path has more than 1024 bytes"));
    assert!(refused(json!({"who": "x".repeat(4097)}))[0].1.contains("4096"));
}

#[test]
fn a_template_is_refused_with_every_defect_and_its_place() {
    let cases = [
        ("id = \"greeting\"", "id = \"Greeting!\"", "/id"),
        ("name = \"times\"", "name = \"who\"", "/parameters/1/name"),
        ("default = 2", "default = \"two\"", "/parameters/1/default"),
        ("default = 2", "required = false", "/parameters/1/default"),
        ("required = true", "required = true\ndefault = \"me\"", "/parameters/0/default"),
        ("options = [\"warm\", \"cool\"]", "", "/parameters/2/options"),
        (", loud: {{loud}}", "", "/parameters/3"),
        ("Count.", "Count {{what}}.", "/tasks/1/description"),
        ("command = \"grep -c {{who}} greetings/*\"", "", "/tasks/1/command"),
        ("kind = \"approval\"", "kind = \"scan\"\nverify = \"true\"", "/tasks/2/verify"),
        ("writes = [\"greetings/{{who}}.txt\"]", "writes = [\"../x\"]", "/tasks/0/writes"),
        ("depends_on = [1]", "depends_on = [4]", "/tasks/1/depends_on"),
        ("depends_on = [1]", "depends_on = [3]", "/tasks/1/depends_on"),
        ("phase = \"Counting\"", "phase = \"\"", "/tasks/1/phase"),
    ];
    for (from, to, pointer) in cases {
        let changed = GREETING.replacen(from, to, 1);
        assert_ne!(changed, GREETING, "{from}");
        let found = defects_of(&changed);
        assert!(found.iter().any(|(p, _)| p == pointer), "{to}: {found:?}");
    }
}

#[test]
fn a_field_that_nobody_knows_is_refused() {
    let error = Template::from_toml(&format!("colour = 1\n{GREETING}")).unwrap_err();
    let Error::Unreadable(source) = error else { panic!("{error}") };
    assert!(source.to_string().contains("colour"));
}

#[test]
fn tasks_that_may_run_at_once_must_not_touch_the_same_file() {
    let two = |second: &str| {
        let head = "id = \"two\"\nname = \"Two\"\ndescription = \"Two tasks.\"\ngoal = \"Two\"\n";
        let first = "[[tasks]]\nphase = \"One\"\ndescription = \"One.\"\nwrites = [\"src/a/\"]\n";
        format!("{head}{first}[[tasks]]\nphase = \"Two\"\ndescription = \"Two.\"\n{second}")
    };
    for second in ["writes = [\"src/a/x.rs\"]", "reads = [\"src/\"]", "writes = [\"src/*\"]"] {
        let found = defects_of(&two(second));
        assert_eq!(found[0].0, "/tasks/1/depends_on", "{second}");
        assert!(Template::from_toml(&two(&format!("depends_on = [1]\n{second}"))).is_ok());
    }
    assert!(Template::from_toml(&two("writes = [\"src/b/\"]")).is_ok());
}

#[test]
fn a_template_that_is_too_large_or_called_like_the_search_is_refused() {
    let large = GREETING.replace("Count.", &"x".repeat(MAX_DOCUMENT));
    assert_eq!(defects_of(&large)[0].0, "");
    assert_eq!(defects_of(&GREETING.replace("id = \"greeting\"", "id = \"search\""))[0].0, "/id");
}

#[test]
fn yaml_says_what_toml_says() {
    let template = Template::from_toml(GREETING).unwrap();
    let text = template.to_yaml().unwrap();
    assert!(text.starts_with("id: greeting\n"), "{text}");
    assert_eq!(Template::from_yaml(&text).unwrap(), template);
    let commented = format!("# Says hello.\n---\n{text}");
    assert_eq!(Template::from_yaml(&commented).unwrap(), template);
}

#[test]
fn yaml_is_refused_with_its_place() {
    let text = Template::from_toml(GREETING).unwrap().to_yaml().unwrap();
    for (from, to) in
        [("name: Greeting", "nam: Greeting"), ("tags:", "tags: 7\nold:"), ("id: greeting", "id: [")]
    {
        let error = Template::from_yaml(&text.replacen(from, to, 1)).unwrap_err();
        let Error::UnreadableYaml(detail) = &error else { panic!("{error:?}") };
        assert!(detail.contains("line"), "{detail}");
    }
}

#[test]
fn yaml_that_grows_or_goes_too_deep_is_refused() {
    let levels: Vec<String> =
        (1..9).map(|n| format!("l{n}: &l{n} [{}]", vec![format!("*l{}", n - 1); 9].join(", "))).collect();
    let laughs = format!("l0: &l0 [lol]\n{}", levels.join("\n"));
    let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
    let long = format!("a: &a {}\nb: [{}]", "x".repeat(60_000), vec!["*a"; 100].join(", "));
    for text in [laughs, deep, long, "a: 1\n---\nb: 2".to_owned(), "a: 1\na: 2".to_owned()] {
        let error = read_yaml::<Value>(&text).unwrap_err();
        assert!(matches!(error, Error::UnreadableYaml(_)), "{error:?}");
    }
    let shared = "a: &a {b: 1}\nc: *a\nd: *a";
    assert_eq!(read_yaml::<Value>(shared).unwrap()["d"]["b"], 1);
}

#[test]
fn the_example_of_the_documentation_is_a_template() {
    let page = include_str!("../../../docs/templates.md");
    let example = page.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let template = Template::from_yaml(example).unwrap();
    let plan = template.render(json!({"version": "1.4.0"}).as_object().unwrap()).unwrap();
    assert_eq!(plan.goal, "Write the notes of release 1.4.0 for users");
    assert_eq!(plan.tasks.len(), 3);
    assert_eq!(plan.tasks[1].writes, ["CHANGELOG.md"]);
    let everything = template.render(json!({"version": "1.4.0", "check": "make docs"}).as_object().unwrap());
    let TaskKind::Agent { verify } = &everything.unwrap().tasks[1].kind else { panic!("{plan:?}") };
    assert_eq!(verify.as_ref().unwrap().to_string(), "make docs");
}

/// A template with one `select` of these options, and these tasks.
fn hostile(options: &Value, tasks: &[Value]) -> agent_templates::NewTemplate {
    let parameter =
        json!({"name": "p", "kind": "select", "description": "P", "options": options, "required": true});
    let (goal, about) = ("Use {{p}}", "Grows.");
    let template = json!({
        "id": "grows", "name": "Grows", "description": about, "goal": goal, "parameters": [parameter], "tasks": tasks
    });
    serde_json::from_value(template).unwrap()
}

fn hostile_defects(new: agent_templates::NewTemplate) -> Vec<agent_core::error::Defect> {
    match Template::new(new) {
        Err(error) => {
            assert!(error.to_string().len() < 1_000, "{} bytes", error.to_string().len());
            let Error::Invalid { defects, .. } = error else { panic!("{error:?}") };
            assert!(defects.len() <= 100, "{}", defects.len());
            assert!(defects.iter().all(|defect| defect.detail.len() < 1_000));
            defects
        }
        Ok(template) => panic!("{template:?}"),
    }
}

#[test]
fn a_template_that_would_make_endless_defects_is_refused_with_few() {
    let task = |path: &str| json!({"phase": "A", "description": "A", "writes": [path]});
    let long = hostile(&json!(["x".repeat(35_000)]), &vec![task("{{p}}"); 200]);
    assert_eq!(hostile_defects(long)[0].pointer, "/parameters/0/options");
    let collisions = hostile_defects(hostile(&json!(["x".repeat(1_000)]), &vec![task("{{p}}"); 200]));
    assert_eq!((collisions.len(), collisions[0].pointer.as_str()), (100, "/tasks/1/depends_on"));
    let filled = hostile_defects(hostile(&json!(["x".repeat(1_025)]), &[task("{{p}}")]));
    assert!(filled[0].detail.contains("1024"), "{filled:?}");
    let written = hostile_defects(hostile(&json!(["a"]), &[task(&"x".repeat(1_025))]));
    assert_eq!(written[0].pointer, "/tasks/0/writes");
    let unknown = hostile(&json!(["a"]), &[task(&"{{q}}".repeat(10_000))]);
    assert_eq!(hostile_defects(unknown).len(), 100);
}

#[test]
fn a_template_has_so_many_paths() {
    let task = |n: usize, paths: usize| {
        let writes: Vec<String> = (0..paths).map(|path| format!("{n}/{path}")).collect();
        json!({"phase": "A", "description": "A", "writes": writes})
    };
    let tasks: Vec<Value> = (0..10).map(|n| task(n, 100)).collect();
    assert!(Template::new(hostile(&json!(["a"]), &tasks)).is_ok());
    let one_more: Vec<Value> = tasks.into_iter().chain([task(10, 1)]).collect();
    assert_eq!(hostile_defects(hostile(&json!(["a"]), &one_more))[0].pointer, "/tasks");
    assert_eq!(hostile_defects(hostile(&json!(["a"]), &[task(0, 101)]))[0].pointer, "/tasks/0/writes");
}

#[test]
fn a_plan_does_not_grow_beyond_its_bounds_when_it_is_filled_in() {
    let options = json!(["a", "x".repeat(4_096)]);
    let task = |uses: usize| json!({"phase": "A", "description": "{{p}}".repeat(uses)});
    let chosen = |value: &Value| json!({"p": value}).as_object().unwrap().clone();
    for (tasks, bound) in [(vec![task(6_000)], "65536"), (vec![task(7); 100], "1048576")] {
        let template = Template::new(hostile(&options, &tasks)).unwrap();
        assert!(template.render(&chosen(&options[0])).is_ok());
        let refused = template.render(&chosen(&options[1])).unwrap_err();
        let Error::Parameters(defects) = &refused else { panic!("{refused:?}") };
        assert!(defects.len() == 1 && defects[0].detail.contains(bound), "{refused}");
    }
}

#[test]
fn what_is_told_of_parameters_that_do_not_fit_is_short() {
    let given: serde_json::Map<_, _> = (0..8_000).map(|n| (format!("k{n}"), json!(1))).collect();
    let template = Template::new(hostile(
        &json!(vec!["x".repeat(200); 200]),
        &[json!({"phase": "A", "description": "A"})],
    ));
    let refused = template.unwrap().render(&given).unwrap_err();
    let Error::Parameters(defects) = &refused else { panic!("{refused:?}") };
    assert_eq!(defects.len(), 100);
    assert!(refused.to_string().len() < 1_000);
}
