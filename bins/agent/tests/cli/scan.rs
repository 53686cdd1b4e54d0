use crate::fixture::Workplace;

#[test]
fn a_scan_as_json_has_the_fields_of_the_contract() {
    let place = Workplace::with_repository();
    place.write("main.py", "# Greets.\nprint('hello')\n");
    let document = place.agent(&["scan", "--json"]).with_code(0).json();
    let info = document["info"].as_object().unwrap();
    let fields = [
        "total_files",
        "total_directories",
        "total_lines",
        "total_code_lines",
        "total_bytes",
        "languages",
        "directory_tree",
        "git",
        "manifests",
        "skipped",
        "duration_ms",
    ];
    for field in fields {
        assert!(info.contains_key(field), "{field} is missing");
    }
    assert_eq!(info["languages"][0]["name"], "Python");
    assert_eq!(info["languages"][0]["code"], 1);
    assert_eq!(info["git"]["dirty"], true);
    assert!(document["repository"].as_str().unwrap().ends_with("/repository"));
}

#[test]
fn a_scan_for_people_names_languages_and_the_tree() {
    let place = Workplace::with_repository();
    place.write("src/main.py", "print('hello')\n");
    let ended = place.agent(&["scan", "."]).with_code(0);
    assert!(ended.stdout.contains("Python") && ended.stdout.contains("main.py"), "{}", ended.stdout);
}

#[test]
fn a_folder_that_does_not_exist_is_wrong_usage() {
    let ended = Workplace::new().agent(&["scan", "/nonexistent"]).with_code(2);
    assert!(ended.stderr.contains("/nonexistent"), "{}", ended.stderr);
}
