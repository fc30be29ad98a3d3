//! Every dependency is under a licence that deny.toml allows. Needs no network.

use std::process::Command;

#[test]
fn every_dependency_is_under_an_allowed_licence() {
    // Only the packages for this platform: cargo may not have downloaded the others.
    let version = Command::new("rustc").arg("-vV").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--filter-platform",
            host,
            "--format-version=1",
            "--all-features",
            "--locked",
            "--offline",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let deny = include_str!("../../deny.toml");
    let list = deny.split("allow = [").nth(1).and_then(|rest| rest.split(']').next()).unwrap();
    let allowed: Vec<&str> = list.split('"').skip(1).step_by(2).collect();
    assert!(allowed.contains(&"MIT"));
    let mut checked = 0;
    for package in metadata["packages"].as_array().unwrap() {
        let licence = package["license"].as_str().unwrap_or_default();
        assert!(is_allowed(licence, &allowed), "{} is under `{licence}`", package["name"]);
        checked += 1;
    }
    assert!(checked > 100);
}

/// Whether the allowed licences satisfy an SPDX expression: one side of every `OR`, both sides of every `AND`.
fn is_allowed(expression: &str, allowed: &[&str]) -> bool {
    // `/` is the old notation for `OR`.
    let expression = expression.replace('/', " OR ");
    let mut depth = 0;
    let mut split = |word: &str| -> Option<(String, String)> {
        let pattern = format!(" {word} ");
        (0..expression.len()).find_map(|at| {
            match expression.as_bytes()[at] {
                b'(' => depth += 1,
                b')' => depth -= 1,
                _ => {}
            }
            let is_operator = depth == 0 && expression[at..].starts_with(&pattern);
            is_operator.then(|| (expression[..at].to_owned(), expression[at + pattern.len()..].to_owned()))
        })
    };
    if let Some((left, right)) = split("OR") {
        return is_allowed(&left, allowed) || is_allowed(&right, allowed);
    }
    if let Some((left, right)) = split("AND") {
        return is_allowed(&left, allowed) && is_allowed(&right, allowed);
    }
    let inner = expression.trim();
    match inner.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        Some(inner) => is_allowed(inner, allowed),
        None => allowed.contains(&inner),
    }
}
