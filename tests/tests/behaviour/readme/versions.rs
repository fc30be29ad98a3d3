//! Checks that the documents name the versions of servers that the tests run.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::root;

const AUTHJS: &str = include_str!("../../../../docs/authjs.md");
const BETTER_AUTH: &str = include_str!("../../../../docs/better-auth.md");
const COMPATIBILITY: &str = include_str!("../../../../docs/compatibility.md");

/// The versions of the packages that the tests and the examples run, by package.
fn tested_versions() -> BTreeMap<String, BTreeSet<String>> {
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for folder in ["tests/authjs", "tests/better-auth", "examples/nextjs/v4", "examples/nextjs/v5"] {
        let text = std::fs::read_to_string(root().join(folder).join("package.json")).expect(folder);
        let package: Value = serde_json::from_str(&text).unwrap();
        for (name, version) in package["dependencies"].as_object().unwrap() {
            let version = version.as_str().unwrap();
            // A second version of a package has an alias: `npm:@auth/core@0.40.0`.
            let (name, version) = match version.strip_prefix("npm:") {
                Some(alias) => alias.rsplit_once('@').unwrap(),
                None => (name.as_str(), version),
            };
            versions.entry(name.to_owned()).or_default().insert(version.to_owned());
        }
    }
    versions
}

/// The table of servers names the versions in the `package.json` files, and no other.
#[test]
fn compatibility_table_names_the_tested_versions() {
    let section = COMPATIBILITY.split("\n## ").find(|part| part.starts_with("Tested versions\n")).unwrap();
    let mut named: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in section.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let versions = cells[2].split(", ").map(str::to_owned);
        named.entry(cells[1].trim_matches('`').to_owned()).or_default().extend(versions);
    }
    // Robo's package is in no registry, so no test runs it.
    assert_eq!(named.remove("@robojs/auth"), Some(BTreeSet::from(["none".to_owned()])));
    let mut tested = tested_versions();
    let servers = ["@auth/core", "@auth/express", "next", "next-auth", "better-auth"];
    tested.retain(|name, _| servers.contains(&name.as_str()));
    assert_eq!(named, tested);
}

/// The pages of facts describe versions that the tests run.
#[test]
fn facts_are_about_the_tested_versions() {
    let tested = tested_versions();
    for (page, package) in
        [(AUTHJS, "`@auth/core` "), (AUTHJS, "next-auth "), (BETTER_AUTH, "`better-auth` ")]
    {
        let row = page.lines().find(|line| line.contains(&format!("| {package}"))).expect(package);
        let version = row.split_once(package).unwrap().1.split([' ', ',']).next().unwrap();
        let name = package.trim_matches(['`', ' ']);
        assert!(tested[name].contains(version), "{name} {version}, not {:?}", tested[name]);
    }
    let lock = std::fs::read_to_string(root().join("tests/better-auth/package-lock.json")).unwrap();
    let lock: Value = serde_json::from_str(&lock).unwrap();
    let installed =
        |name: &str| lock["packages"][format!("node_modules/{name}")]["version"].as_str().unwrap();
    for (name, repository) in
        [("better-auth", "better-auth"), ("@better-auth/core", "better-auth"), ("better-call", "better-call")]
    {
        let version = installed(name);
        assert!(BETTER_AUTH.contains(&format!("| `{name}` {version}")), "{name} {version}");
        let base = format!("https://github.com/better-auth/{repository}/");
        for link in BETTER_AUTH.split(&base).skip(1) {
            let tag = link.split('/').nth(1).unwrap().split(')').next().unwrap();
            assert_eq!(tag, format!("v{version}"), "{link:.120}");
        }
    }
}
