//! The page of the guide has every option, and the files that the tests run.

use std::collections::HashMap;
use std::path::Path;

use toml::de::DeTable;

use super::own;
use super::reader::{Reader, Table};
use super::text::Sources;

const PAGE: &str = include_str!("../../../auth-proxy/docs/guide/gateway.md");

#[test]
fn page_has_each_option_of_the_gateway_and_no_other() {
    let rows = PAGE.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    let written: Vec<&str> =
        rows.map(|(name, _)| name).filter(|name| name.contains("listen") || name.contains('.')).collect();
    let names = names();
    for name in &names {
        assert!(written.contains(&name.as_str()), "{name} is not in the table");
    }
    let extra: Vec<_> = written.iter().filter(|name| !names.iter().any(|own| own == *name)).collect();
    assert!(extra.is_empty(), "{extra:?}");
}

/// The full name of each option of the gateway itself: those that are asked for.
fn names() -> Vec<String> {
    let source = "[app]\n[verdict]\ntoken_key = \"x\"\n[[rules]]\n[server]\n[log]\n";
    let document = DeTable::parse(source).unwrap();
    let mut reader = Reader::new(Sources { folder: Path::new(""), variable: &|_| None }, true);
    let mut top = Table::new("", document.get_ref());
    own::read(&mut reader, &mut top, &mut HashMap::new());
    let addresses = top.known().iter().filter(|name| name.contains("listen")).map(|name| (*name).to_owned());
    addresses.chain(reader.known).collect()
}

#[test]
fn files_in_the_page_are_those_that_the_tests_run() {
    for (name, file) in [
        ("login.mjs", include_str!("../../deploy/login.mjs")),
        ("app.mjs", include_str!("../../deploy/app.mjs")),
        ("gateway.toml", include_str!("../../deploy/gateway.toml")),
        ("nginx.conf", include_str!("../../deploy/nginx.conf")),
    ] {
        let indented = |width: usize| {
            let lines = file.trim_end().lines();
            let lines =
                lines.map(|line| if line.is_empty() { String::new() } else { " ".repeat(width) + line });
            lines.collect::<Vec<_>>().join("\n")
        };
        assert!([0, 3].iter().any(|width| PAGE.contains(&indented(*width))), "{name} is not in the page");
    }
}
