//! The manual pages.

use crate::fixture::Workplace;

#[test]
fn the_manual_is_a_page_and_with_a_folder_one_for_each_command() {
    let place = Workplace::new();
    let page = place.agent(&["man"]).with_code(0).stdout;
    assert!(page.contains(".TH agent 1") && page.contains(".SH SYNOPSIS"), "{page}");
    let folder = place.path("man1").display().to_string();
    place.agent(&["man", "--dir", &folder]).with_code(0);
    for name in ["agent", "agent-run", "agent-plans", "agent-plans-list", "agent-users-set-role"] {
        let page = std::fs::read_to_string(place.path("man1").join(format!("{name}.1"))).unwrap();
        assert!(page.contains(&format!(".TH {name} 1")), "{name}: {page}");
        assert!(page.contains("Examples:"), "{name}: {page}");
    }
    place.agent(&["man", "--dir", "/proc/nothing"]).with_code(1);
}
