//! The public API of each published package, compared with the listing beside this package's Cargo.toml.
//!
//! A change of the API changes a listing, so that a review sees it. After an intended change update the listings:
//! `UPDATE_PUBLIC_API=1 cargo test -p auth-proxy-public-api`.

use std::{
    collections::HashSet,
    env, fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

const UPDATE: &str = "UPDATE_PUBLIC_API=1 cargo test -p auth-proxy-public-api";

#[test]
fn public_api_of_auth_proxy_matches_the_listing() {
    check("axum-auth-proxy", "auth_proxy");
}

#[test]
fn public_api_of_auth_proxy_rules_matches_the_listing() {
    check("axum-auth-proxy-rules", "auth_proxy_rules");
}

#[test]
fn public_api_of_auth_proxy_macros_matches_the_listing() {
    check("axum-auth-proxy-macros", "auth_proxy_macros");
}

#[test]
fn differences_name_removed_and_added_lines() {
    let listed = "pub fn a()\npub fn b()\npub fn d()\n";
    let found = "pub fn a()\npub fn c()\npub fn d()\n";
    assert_eq!(differences(listed, found), ["- pub fn b()", "+ pub fn c()"]);
    assert!(differences(listed, listed).is_empty());
}

#[test]
fn listing_leaves_out_methods_of_standard_traits() {
    let items = [
        "pub struct a::A",
        "impl a::A",
        "pub fn a::A::new() -> a::A",
        "impl<T> core::clone::Clone for a::A<T>",
        "pub fn a::A::clone(&self) -> a::A",
        "impl core::marker::StructuralPartialEq for a::A",
        "impl core::convert::From<core::fmt::Error> for a::A",
        "pub fn a::A::from(core::fmt::Error) -> Self",
        "impl a::A",
        "pub fn a::b()",
    ];
    let kept = shortened(items.iter().map(ToString::to_string));
    assert_eq!(
        kept.lines().collect::<Vec<_>>(),
        [items[0], items[1], items[2], items[3], items[6], items[7], items[9]]
    );
}

/// Compares the API of a package with its listing, or writes the listing.
fn check(package: &str, library: &str) {
    let found = format!("{}{}", features(package), api(package, library));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("{library}.txt"));
    if env::var_os("UPDATE_PUBLIC_API").is_some() {
        fs::write(&path, found).unwrap();
        return;
    }
    // A checkout on Windows may have CRLF line ends.
    let listed = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    let differences = differences(&listed, &found);
    assert!(
        differences.is_empty(),
        "the public API of {package} is not the one listed in tests/public-api/{library}.txt\n\n{}\n\n\
         `-` is listed and gone, `+` is new. If that is intended, update the listing and commit it:\n    {UPDATE}\n",
        differences.join("\n"),
    );
}

/// Standard traits. The listing has their implementations, but not the methods, which are always the same.
const STANDARD: [&str; 5] = ["core::clone::", "core::cmp::", "core::error::", "core::fmt::", "core::hash::"];

/// One line per item. Auto traits, blanket implementations and the methods of `STANDARD` are left out.
fn api(package: &str, library: &str) -> String {
    let json = rustdoc_json(package, library);
    let api = public_api::Builder::from_rustdoc_json(json)
        .omit_auto_trait_impls(true)
        .omit_blanket_impls(true)
        .build()
        .unwrap();
    shortened(api.items().map(ToString::to_string))
}

fn shortened(items: impl Iterator<Item = String>) -> String {
    let mut seen = HashSet::new();
    let mut of_standard_trait = false;
    let mut text = String::new();
    for item in items {
        if let Some(implementation) = item.strip_prefix("impl") {
            let of_trait = implementation.split_once(" for ").map_or("", |(of_trait, _)| of_trait);
            of_standard_trait = STANDARD.iter().any(|path| of_trait.contains(&format!(" {path}")));
        } else if !item.starts_with("pub fn ") {
            of_standard_trait = false;
        }
        let is_method = of_standard_trait && item.starts_with("pub fn ");
        // `#[derive(PartialEq)]` adds this trait.
        let is_derived = item.contains("core::marker::StructuralPartialEq");
        // rustdoc lists the implementations of an item again for every re-export, so each line is kept once.
        if !is_method && !is_derived && seen.insert(item.clone()) {
            text.push_str(&item);
            text.push('\n');
        }
    }
    text
}

/// The features of a package, one a line. The removal of a feature breaks users too.
fn features(package: &str) -> String {
    let output = cargo(&["metadata", "--no-deps", "--format-version=1", "--locked"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|found| found["name"] == package).unwrap();
    let features = package["features"].as_object().unwrap();
    let mut lines: Vec<_> = features
        .iter()
        .map(|(name, enables)| {
            if name == "default" {
                format!("feature default = {enables}\n")
            } else {
                format!("feature {name}\n")
            }
        })
        .collect();
    lines.sort();
    lines.concat()
}

/// Lets rustdoc write its JSON. Returns the path of the file.
fn rustdoc_json(package: &str, library: &str) -> PathBuf {
    // Cargo's target directory, so that dependencies are not built again: `CARGO_TARGET_TMPDIR` is the folder `tmp` in
    // it.
    let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let mut checkout = DefaultHasher::new();
    env!("CARGO_MANIFEST_DIR").hash(&mut checkout);
    let directory = temporary.join(format!("public-api-{:016x}", checkout.finish()));
    fs::create_dir_all(&directory).unwrap();
    let output = cargo(&["rustdoc", "--package", package, "--lib", "--all-features", "--locked"])
        .arg("--target-dir")
        .arg(temporary.parent().unwrap())
        .args(["--", "-Z", "unstable-options", "--output-format", "json"])
        .env("RUSTDOC", env!("CARGO_BIN_EXE_unstable-rustdoc"))
        .env("REAL_RUSTDOC", env::var_os("RUSTDOC").unwrap_or_else(|| "rustdoc".into()))
        .env("JSON_DIRECTORY", &directory)
        // `cargo doc` denies warnings. Here they must not fail the test.
        .env_remove("RUSTDOCFLAGS")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    directory.join(format!("{library}.json"))
}

fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

/// Lines that only one of the two texts has, in alphabetical order.
fn differences(listed: &str, found: &str) -> Vec<String> {
    let mut removed: Vec<_> = listed.lines().collect();
    let mut added = Vec::new();
    for line in found.lines() {
        match removed.iter().position(|listed| *listed == line) {
            Some(at) => {
                removed.remove(at);
            }
            None => added.push(line),
        }
    }
    let mut lines: Vec<_> = removed
        .into_iter()
        .map(|line| (line, '-'))
        .chain(added.into_iter().map(|line| (line, '+')))
        .collect();
    lines.sort();
    lines.into_iter().map(|(line, sign)| format!("{sign} {line}")).collect()
}
