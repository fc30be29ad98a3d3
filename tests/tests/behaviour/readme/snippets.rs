//! Checks that the guide shows the files of an example word for word. Tests with real servers run these files.

use super::root;

const CACHING: &str = include_str!("../../../../auth-proxy/docs/guide/caching.md");

#[test]
fn guide_shows_the_files_that_revoke() {
    let folder = root().join("examples/revoke");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let (before, _) = CACHING
            .split_once(&format!("\n```js\n{text}```\n"))
            .unwrap_or_else(|| panic!("the guide does not show {name} as it is"));
        let introduction = before.trim_end().rsplit("\n\n").next().unwrap();
        assert!(
            introduction.contains(&format!("`{name}`")),
            "the guide does not name {name}: {introduction}"
        );
        files += 1;
    }
    assert!(files >= 4);
    assert_eq!(CACHING.matches("```js\n").count(), files, "a block of the guide is in no file");
}

#[test]
fn guide_shows_the_trace_context_of_the_example() {
    let guide = include_str!("../../../../auth-proxy/docs/guide/telemetry.md");
    let shown = guide.split("```text\n").nth(1).unwrap().split("```").next().unwrap();
    let example = std::fs::read_to_string(root().join("examples/traces/src/main.rs")).unwrap();
    assert!(example.contains(shown), "the example has another function than the guide:\n{shown}");
}
