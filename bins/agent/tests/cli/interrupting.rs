use crate::fixture::{Ended, Workplace, line_with};
use std::path::PathBuf;

const SLOW: &str = "\
goal: Slow work
tasks:
  - {description: Wait for a file, kind: command, effect: idempotent, command: \"until [ -e go ]; do sleep 0.05; done\"}
  - {description: Leave a mark, kind: command, command: \"echo done >> mark.txt\", depends_on: [1]}
";

#[test]
fn a_demo_that_is_interrupted_leaves_nothing_behind() {
    let place = Workplace::new();
    let mut demo = place.start(&["demo", "--scripted"]);
    line_with(demo.stdout.as_mut().unwrap(), "The work, live");
    place.signal("INT", &demo);
    let ended = Ended::of(demo).with_code(1);
    assert!(ended.stderr.contains("interrupted"), "{}", ended.stderr);
    assert_eq!(place.left_behind(), Vec::<PathBuf>::new());
}

#[test]
fn a_demo_that_stays_up_ends_well_when_it_is_told_to() {
    let place = Workplace::new();
    let mut demo = place.start(&["demo", "--scripted", "--keep"]);
    line_with(demo.stderr.as_mut().unwrap(), "Ctrl-C");
    assert_eq!(place.left_behind().len(), 1);
    place.signal("TERM", &demo);
    Ended::of(demo).with_code(0);
    assert_eq!(place.left_behind(), Vec::<PathBuf>::new());
}

#[test]
fn a_run_that_was_killed_goes_on_where_it_was() {
    let place = Workplace::with_repository();
    let plan = place.beside("plan.yaml", SLOW);
    let mut run = place.start(&["run", "--plan", &plan]);
    line_with(run.stderr.as_mut().unwrap(), "Wait for a file");
    run.kill().unwrap();
    run.wait().unwrap();
    place.write("go", "");
    let done = place.agent(&["run", "--resume", "1", "--json"]).with_code(0).json();
    assert_eq!(done["plan"]["status"], "completed");
    assert_eq!(place.read("mark.txt"), "done\n");
}

#[test]
fn a_run_that_is_interrupted_says_how_it_goes_on() {
    let place = Workplace::with_repository();
    let plan = place.beside("plan.yaml", SLOW);
    let mut run = place.start(&["run", "--plan", &plan]);
    line_with(run.stderr.as_mut().unwrap(), "Wait for a file");
    place.signal("INT", &run);
    let ended = Ended::of(run).with_code(1);
    assert!(ended.stderr.contains("agent run --resume 1"), "{}", ended.stderr);
    place.write("go", "");
    place.agent(&["run", "--resume", "1"]).with_code(0);
    assert_eq!(place.read("mark.txt"), "done\n");
}
