//! Checks the documents against the code: options, cited tests, error codes, warnings, variables and install commands.

mod servers;
mod snippets;
mod versions;

use auth_proxy_rules::{Draft, OptionKey, Shape};

const OPTIONS: &str = include_str!("../../../auth-proxy/docs/guide/options.md");
const GUARANTEES: &str = include_str!("../../../docs/guarantees.md");

/// Each option has one row. The row lists its keyword values and a default that the rules accept.
#[test]
fn option_table_lists_every_option() {
    for option in OptionKey::ALL {
        let row = OPTIONS
            .lines()
            .find(|line| line.starts_with(&format!("| `{option}` |")))
            .unwrap_or_else(|| panic!("{option} is not in the table"));
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        if let Shape::Word(words) | Shape::WordOrText(words) = option.shape()
            && *option != OptionKey::Token
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
            && *option != OptionKey::Kind
        {
            assert!(Draft::default().set(*option, default).is_ok(), "{option}: {default}");
        }
    }
    let options = OPTIONS.split("\n# ").next().unwrap();
    let rows = options.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, OptionKey::ALL.len());
}

/// Setting an option to its documented default changes nothing.
#[test]
fn option_table_defaults_match_the_code() {
    let settings = |option: Option<(OptionKey, &str)>| {
        let mut draft = Draft::default();
        draft.set(OptionKey::BaseUrl, "https://auth.example.com").unwrap();
        if let Some((option, text)) = option {
            draft.set(option, text).unwrap_or_else(|error| panic!("{option}: {error}"));
        }
        draft.resolve().expect("the options fit together")
    };
    let unset = settings(None);
    let mut compared = 0;
    for option in OptionKey::ALL {
        let row = OPTIONS.lines().find(|line| line.starts_with(&format!("| `{option}` |"))).unwrap();
        let cell = row.split('|').nth(3).unwrap().trim();
        let Some(default) = cell.strip_prefix('`').and_then(|cell| cell.strip_suffix('`')) else {
            let is_described = ["none", "required", "from ", "by ", "a pooled ", "Auth.js v5 or "]
                .iter()
                .any(|word| cell.starts_with(word));
            assert!(is_described, "{option}: {cell}");
            continue;
        };
        let default = match default.trim_matches('"') {
            "{}" => continue,
            "base_path" => unset.base_path.clone(),
            text => text.trim_matches(['[', ']']).replace("{base_path}", &unset.base_path),
        };
        assert_eq!(settings(Some((*option, &default))), unset, "{option}: {default}");
        compared += 1;
    }
    assert_eq!(compared, 42, "options with a literal default");
}

/// Every row of docs/guarantees.md cites tests or fuzz targets that exist.
#[test]
fn guarantees_cite_existing_tests() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let tests = sources(&format!("{root}/tests/tests")) + &sources(&format!("{root}/auth-proxy/src"));
    let rows: Vec<&str> = GUARANTEES.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
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

/// The errors page of the guide lists every error code and the first words of every warning.
#[test]
fn guide_explains_every_error_code_and_warning() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let page = std::fs::read_to_string(format!("{root}/auth-proxy/docs/guide/errors.md")).unwrap();
    let errors = std::fs::read_to_string(format!("{root}/auth-proxy/src/error/reason.rs")).unwrap();
    let reasons = errors.split_once("\nreasons! {\n").unwrap().1.split_once("\n}").unwrap().0;
    let codes: Vec<&str> = reasons.lines().map(|line| line.split('"').nth(1).unwrap()).collect();
    assert!(codes.len() >= 37, "{codes:?}");
    for code in codes {
        assert!(page.contains(&format!("\n| `{code}` |")), "{code} is not explained");
    }
    // Joins the lines, since sentences are wrapped differently in the guide and in the source.
    let page = one_line(&page);
    let warnings = warnings(&sources(&format!("{root}/auth-proxy/src")));
    assert!(warnings.len() >= 18, "{warnings:?}");
    for warning in warnings {
        assert!(page.contains(&warning), "`{warning}` is not explained");
    }
}

/// Returns the first eight words of each warning and error message in the source.
fn warnings(source: &str) -> Vec<String> {
    let calls = source.split("tracing::warn!(").skip(1).chain(source.split("tracing::error!(").skip(1));
    let message = |call: &str| {
        let mut literals = call.split('"').skip(1).step_by(2);
        let text = literals.find(|text| !text.starts_with("auth_proxy::")).unwrap().replace('\\', " ");
        let words: Vec<_> = text.split_whitespace().take(8).map(str::to_owned).collect();
        words.join(" ")
    };
    calls.map(message).collect()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The guide lists every environment variable that the `from-env` example reads.
#[test]
fn guide_lists_every_from_env_variable() {
    let example = include_str!("../../../examples/from-env/src/main.rs");
    let names: Vec<&str> =
        example.split("env(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(names.len() >= 14, "{names:?}");
    let table =
        OPTIONS.split("\n# ").find(|part| part.starts_with("Settings from the environment\n")).unwrap();
    for name in names.into_iter().chain(["HOST", "PORT"]) {
        assert!(table.contains(&format!("`{name}`")), "{name} is not in the table");
    }
}

/// The package `auth-proxy` on crates.io is another project, so no document may tell readers to install it.
#[test]
fn no_document_installs_the_unrelated_auth_proxy_package() {
    let root = root();
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

/// The folder of the repository.
fn root() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Concatenates all Rust files below a folder.
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

/// Every test and file that SECURITY.md cites exists.
#[test]
fn security_md_cites_existing_tests() {
    let root = root();
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
    let is_repository_file = |code: &&str| {
        code.ends_with(".rs") && (code.starts_with("auth-proxy/") || code.starts_with("tests/"))
    };
    for file in text.split('`').filter(is_repository_file) {
        assert!(root.join(file).exists(), "{file}");
    }
}
