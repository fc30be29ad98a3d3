//! What the README says is so, and what SECURITY.md says is tested.

use auth_proxy_rules::{Draft, Opt, Shape};

const README: &str = include_str!("../../../README.md");

/// Each option has one row, which names its words and a default that the rules take.
#[test]
fn the_table_of_options_is_complete() {
    for option in Opt::ALL {
        let row = README
            .lines()
            .find(|line| line.starts_with(&format!("| `{option}` |")))
            .unwrap_or_else(|| panic!("{option} is not in the table"));
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        if let Shape::Word(words) | Shape::WordOrText(words) = option.shape()
            && *option != Opt::Token
        {
            for word in words {
                assert!(cells[2].contains(&format!("`{word}`")), "{option}: {word}");
            }
        }
        let default = cells[3].trim_matches('`').trim_matches('"');
        if matches!(
            option.shape(),
            Shape::Word(_)
                | Shape::WordOrText(_)
                | Shape::Duration
                | Shape::DurationOrOff
                | Shape::Size
                | Shape::Count
                | Shape::CountOrOff
                | Shape::Bool
        ) && !default.starts_with("by ")
        {
            assert!(Draft::default().set(*option, default).is_ok(), "{option}: {default}");
        }
    }
    let options = README.split("\n## ").find(|part| part.starts_with("Options\n")).unwrap();
    let rows = options.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, Opt::ALL.len());
}

#[test]
fn defaults_are_those_of_the_table() {
    let mut draft = Draft::default();
    draft.set(Opt::BaseUrl, "https://auth.example.com").unwrap();
    let settings = draft.resolve().unwrap();
    for (option, default) in [
        (Opt::BasePath, settings.base_path.clone()),
        (Opt::Strategy, settings.strategy.word().to_owned()),
        (Opt::Timeout, format!("{}s", settings.timeout.as_secs())),
        (Opt::ConnectTimeout, format!("{}s", settings.connect_timeout.as_secs())),
        (Opt::BodyLimit, format!("{}MiB", settings.body_limit >> 20)),
        (Opt::Source, settings.source.word().to_owned()),
        (Opt::Unauthenticated, settings.unauthenticated.word().to_owned()),
        (Opt::Routes, settings.routes.word().to_owned()),
    ] {
        let row = README.lines().find(|line| line.starts_with(&format!("| `{option}` |"))).unwrap();
        assert!(
            row.contains(&format!("| `{default}` |")) || row.contains(&format!("| `\"{default}\"` |")),
            "{row}"
        );
    }
}

/// Every promise names tests that there are.
#[test]
fn promises_are_held_by_tests() {
    let promises = README.split("\n## ").find(|part| part.starts_with("What it promises\n")).unwrap();
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let tests = sources(&format!("{root}/tests/tests")) + &sources(&format!("{root}/auth-proxy/src"));
    let rows: Vec<&str> = promises.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(rows.len() >= 15);
    for row in rows {
        let cell = row.split('|').nth(2).unwrap();
        let names: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "{row}");
        for name in names {
            let is_target = cell.contains(&format!("fuzz target `{name}`"));
            let target = format!("{root}/fuzz/fuzz_targets/{name}.rs");
            let is_test = tests.contains(&format!("fn {name}("));
            assert!(is_test || is_target && std::path::Path::new(&target).is_file(), "no test `{name}`");
        }
    }
}

/// The page of what does not work has every code of an error, and every warning by its first words.
#[test]
fn every_code_and_every_warning_is_explained() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let page = std::fs::read_to_string(format!("{root}/auth-proxy/docs/troubleshooting.md")).unwrap();
    assert!(
        README.contains("][troubleshooting]")
            && README.contains("\n[troubleshooting]: auth-proxy/docs/troubleshooting.md\n")
    );
    let errors = std::fs::read_to_string(format!("{root}/auth-proxy/src/error.rs")).unwrap();
    let reasons = errors.split_once("\nreasons! {\n").unwrap().1.split_once("\n}").unwrap().0;
    let codes: Vec<&str> = reasons.lines().map(|line| line.split('"').nth(1).unwrap()).collect();
    assert!(codes.len() >= 37, "{codes:?}");
    for code in codes {
        assert!(page.contains(&format!("\n| `{code}` |")), "{code} is not explained");
    }
    // One line, since sentences are wrapped in both.
    let page = one_line(&page);
    let warnings = warnings(&sources(&format!("{root}/auth-proxy/src")));
    assert!(warnings.len() >= 18, "{warnings:?}");
    for warning in warnings {
        assert!(page.contains(&warning), "`{warning}` is not explained");
    }
}

/// The first words of each message that is logged as a warning or an error, as they stand in the source.
fn warnings(source: &str) -> Vec<String> {
    let calls = source.split("tracing::warn!(").skip(1).chain(source.split("tracing::error!(").skip(1));
    let message = |call: &str| {
        // The target of the event is a string too, and comes first.
        let at = if call.trim_start().starts_with("target:") { 3 } else { 1 };
        let text = call.split('"').nth(at).unwrap().replace('\\', " ");
        let words: Vec<_> = text.split_whitespace().take(8).map(str::to_owned).collect();
        words.join(" ")
    };
    calls.map(message).collect()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Every variable that `from-env` reads is in the README.
#[test]
fn the_variables_of_from_env_are_listed() {
    let example = include_str!("../../../examples/from-env/src/main.rs");
    let names: Vec<&str> =
        example.split("env(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(names.len() >= 14, "{names:?}");
    let table =
        README.split("\n## ").find(|part| part.starts_with("Settings from the environment\n")).unwrap();
    for name in names.into_iter().chain(["HOST", "PORT"]) {
        assert!(table.contains(&format!("`{name}`")), "{name} is not in the table");
    }
}

/// The package `auth-proxy` on crates.io is another project: no text may have anybody install it.
#[test]
fn no_text_installs_the_package_of_another_project() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let list = std::process::Command::new("git").arg("ls-files").current_dir(&root).output().unwrap();
    let files = String::from_utf8(list.stdout).unwrap();
    let files: Vec<_> =
        files.lines().filter(|file| file.ends_with(".md") || file.ends_with(".toml")).collect();
    assert!(files.len() > 20, "{files:?}");
    for file in files {
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        for line in text.lines() {
            let line = line.trim_start_matches(['#', ' ', '`']);
            let installs =
                ["auth-proxy =", "auth-proxy.", "cargo add auth-proxy", "cargo install auth-proxy"];
            assert!(!installs.iter().any(|start| line.starts_with(start)), "{file}: {line}");
            assert!(!line.contains("package = \"auth-proxy\""), "{file}: {line}");
        }
    }
}

/// What stands in all Rust files below a folder.
fn sources(folder: &str) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text += &sources(path.to_str().unwrap());
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text += &std::fs::read_to_string(path).unwrap();
        }
    }
    text
}

/// A claim about security names its test, and the test is there.
#[test]
fn the_tests_that_security_md_names() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = std::fs::read_to_string(root.join("SECURITY.md")).unwrap();
    let named: Vec<_> = text.split('`').filter_map(|code| code.split_once(".rs::")).collect();
    assert!(named.len() > 20, "{named:?}");
    for (file, test) in named {
        let source = ["tests/tests", "auth-proxy/src"]
            .into_iter()
            .find_map(|folder| std::fs::read_to_string(root.join(folder).join(format!("{file}.rs"))).ok())
            .unwrap_or_else(|| panic!("there is no {file}.rs"));
        assert!(source.contains(&format!("fn {test}() ")), "{file} has no test {test}");
    }
    let ours = |code: &&str| {
        code.ends_with(".rs") && (code.starts_with("auth-proxy/") || code.starts_with("tests/"))
    };
    for file in text.split('`').filter(ours) {
        assert!(root.join(file).exists(), "{file}");
    }
}
