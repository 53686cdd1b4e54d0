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

const CART: &str = "pub struct Cart;\n\nimpl Cart {\n    pub fn total(&self) -> u32 {\n        price()\n    }\n}\n\nfn price() -> u32 {\n    1\n}\n";

#[test]
fn symbols_are_listed_on_request() {
    let place = Workplace::with_repository();
    place.write("src/cart.rs", CART);
    let info = &place.agent(&["scan", "--json"]).with_code(0).json()["info"];
    assert!(info.get("symbols").is_none());
    let info = place.agent(&["scan", "--symbols", "--json"]).with_code(0).json()["info"].clone();
    let total = info["symbols"].as_array().unwrap().iter().find(|symbol| symbol["name"] == "total").unwrap();
    assert_eq!(
        (&total["kind"], &total["file"], &total["line"]),
        (&"method".into(), &"src/cart.rs".into(), &4.into())
    );
    let told = place.agent(&["scan", "--symbols"]).with_code(0).stdout;
    assert!(told.contains("method total in Cart") && told.contains("function price"), "{told}");
}

#[test]
fn a_map_shows_what_matters_within_its_budget() {
    let place = Workplace::with_repository();
    place.write("src/cart.rs", CART);
    let map = place.agent(&["scan", "--map", "200", "--focus", "why is total wrong?"]).with_code(0);
    assert!(map.stdout.contains("src/cart.rs") && map.stdout.contains("pub fn total"), "{}", map.stdout);
    assert!(map.stderr.contains("tokens"), "{}", map.stderr);
    let small = place.agent(&["scan", "--map", "1", "--json"]).with_code(0).json();
    assert!(small["map"]["tokens"].as_u64().unwrap() <= 1 && small["map"]["left_out"].as_u64().unwrap() > 0);
}
