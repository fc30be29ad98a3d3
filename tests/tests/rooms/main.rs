//! Checks the `use` lines of the source: a room imports only rooms below it, and neither rooms nor files import one
//! another in a cycle. A room is a top-level module of the runtime; `ARCHITECTURE.md` lists them. The first file of each
//! room names the rooms that it imports and the crates that it does not import; the tests compare both with the code.
//! To check another tree: `ROOMS_ROOT=/path/to/tree cargo test -p auth-proxy-tests --test rooms`.

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use source::{Crate, cycles};

/// The rooms of the runtime, the lowest first. A room imports only rooms of a lower level.
const LEVELS: &[&[&str]] = &[
    &["error"],
    &["attempts", "config", "json", "warnings", "page", "cache_control", "telemetry", "path", "fingerprint"],
    &["audit", "cookie", "forwarded"],
    &["dialect", "revocation"],
    &["token", "upstream", "editor"],
    &["session", "jwks"],
    &["provider"],
    &["extract", "cross_origin", "openapi"],
    &["proxy", "guard"],
    &["testing", "verdict", "doctor"],
    &["app"],
    // `lib.rs`: re-exports and the macro shim.
    &["lib"],
];

fn root() -> PathBuf {
    std::env::var_os("ROOMS_ROOT")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/..")), PathBuf::from)
}

fn runtime() -> Crate {
    Crate::read(&root().join("auth-proxy/src"))
}

/// The rooms that each room imports, with one import as an example.
fn imports_of_rooms(of: &Crate) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut imports: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for import in of.imports() {
        let (from, to) = (of.room(&import.from), of.room(&import.to));
        if from != to {
            imports.entry(from).or_default().entry(to).or_insert_with(|| import.to_string());
        }
    }
    imports
}

#[test]
fn rooms_import_only_rooms_below_them() {
    let level = |room: &str| LEVELS.iter().position(|level| level.contains(&room));
    let mut wrong = Vec::new();
    for (from, imports) in imports_of_rooms(&runtime()) {
        for (to, example) in imports {
            match (level(&from), level(&to)) {
                (Some(own), Some(other)) if other < own => {}
                (Some(_), Some(_)) => {
                    wrong.push(format!("`{from}` imports `{to}`, which is not below it: {example}"));
                }
                _ => wrong.push(format!("`{from}` or `{to}` has no level in LEVELS: {example}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rooms_have_no_import_cycle() {
    let imports = imports_of_rooms(&runtime());
    let edges = imports.iter().flat_map(|(from, to)| to.keys().map(|to| (from.clone(), to.clone())));
    let cycles: Vec<_> = cycles(edges).iter().map(|cycle| cycle.join(", ")).collect();
    assert!(cycles.is_empty(), "rooms that import one another in a cycle:\n{}", cycles.join("\n"));
}

#[test]
fn files_have_no_import_cycle() {
    let mut cycles = Vec::new();
    for folder in ["auth-proxy/src", "auth-proxy-macros/src", "auth-proxy-redis/src", "auth-proxy-rules/src"]
    {
        let root = root().join(folder);
        // In an older checkout, given by `ROOMS_ROOT`, the crate of the rules is in another folder.
        if !root.exists() && std::env::var_os("ROOMS_ROOT").is_some() {
            continue;
        }
        for cycle in Crate::read(&root).cycles() {
            cycles.push(format!("{folder}: {}", cycle.join(", ")));
        }
    }
    assert!(cycles.is_empty(), "files that import one another in a cycle:\n{}", cycles.join("\n"));
}

#[test]
fn import_list_of_every_room_matches_its_use_lines() {
    let runtime = runtime();
    let imports = imports_of_rooms(&runtime);
    let mut wrong = Vec::new();
    for (room, place) in runtime.rooms() {
        let docs = runtime.docs_of(&room);
        let Some(listed_rooms) = listed(&docs, "Imports the rooms: ") else {
            wrong.push(format!("{place} has no line `Imports the rooms: `"));
            continue;
        };
        let imported_rooms: BTreeSet<String> =
            imports.get(&room).into_iter().flat_map(|of| of.keys().cloned()).collect();
        if listed_rooms != imported_rooms {
            wrong.push(format!(
                "{place} lists the imports {listed_rooms:?}, but the room imports {imported_rooms:?}"
            ));
        }
        let Some(without) = listed(&docs, "Does without the crates: ") else {
            wrong.push(format!("{place} has no line `Does without the crates: `"));
            continue;
        };
        for (file, name) in runtime.foreign_imports(&room) {
            if without.contains(&name) {
                wrong
                    .push(format!("{place} says that the room does without `{name}`, but {file} imports it"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The names in backticks between `start` and the end of the sentence.
fn listed(docs: &str, start: &str) -> Option<BTreeSet<String>> {
    let rest = docs.split_once(start)?.1;
    let list = rest.split_once('.').map_or(rest, |(list, _)| list);
    Some(list.split('`').skip(1).step_by(2).map(str::to_owned).collect())
}

#[test]
fn import_cycles_and_imports_of_rooms_are_found() {
    let folder = std::env::temp_dir().join(format!("rooms-{}", std::process::id()));
    let file = |path: &str, text: &str| {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    file("lib.rs", "mod a; mod b; mod c; pub use a::A;");
    // `lib.rs` imports `a/deep.rs` through the re-export in `a/mod.rs`, which is not an import itself.
    file("a/mod.rs", "//! Imports the rooms: `b`.\nmod deep; pub use self::deep::A; use crate::b::B;");
    file("a/deep.rs", "pub struct A; fn f() { crate::c::run() }");
    file("b.rs", "use crate::{c::{self, C}}; pub struct B; #[cfg(test)] mod tests { use crate::a::A; }");
    file("c.rs", "use crate::a::A as Other; pub struct C; pub fn run() {}");
    let found = Crate::read(&folder);
    let cycles = found.cycles();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(cycles, [["a/deep.rs", "c.rs"]]);
    let imports = imports_of_rooms(&found);
    let of = |room: &str| imports[room].keys().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(of("a"), ["b", "c"]);
    assert_eq!(of("b"), ["c"]);
    assert_eq!(of("c"), ["a"]);
    let rooms = found.rooms();
    let rooms: Vec<_> = rooms.iter().map(|(room, place)| (room.as_str(), place.as_str())).collect();
    assert_eq!(rooms, [("a", "a/mod.rs"), ("b", "b.rs"), ("c", "c.rs")]);
    assert_eq!(listed(&found.docs_of("a"), "Imports the rooms: "), Some(BTreeSet::from(["b".to_owned()])));
}

/// A counter and the event of the same thing cannot differ, because one call makes both.
#[test]
fn only_audit_counts_what_it_tells_the_observer() {
    const COUNTERS: [&str; 5] = ["signed_in", "signed_out", "guard_decided", "revoked", "open_breaker"];
    let source = root().join("auth-proxy/src");
    let mut calls = 0;
    for file in rust_files(&source) {
        let place = file.strip_prefix(&source).unwrap().display().to_string();
        let text = std::fs::read_to_string(&file).unwrap();
        let imports = text.split("use crate::telemetry::").skip(1).filter_map(|rest| rest.split(';').next());
        let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
        let imported: Vec<&str> =
            imports.flat_map(|import| import.split(|letter| !is_word(letter))).collect();
        for counter in COUNTERS {
            let is_used = imported.contains(&counter)
                || ["telemetry", "Raised"].iter().any(|of| text.contains(&format!("{of}::{counter}(")));
            if place.starts_with("audit/") {
                calls += usize::from(is_used);
            } else {
                assert!(!is_used, "{place} uses `{counter}` of `telemetry`: call that of `audit`");
            }
        }
    }
    assert_eq!(calls, COUNTERS.len());
}

/// Operators filter logs by target, so a target must not change when code moves to another module.
#[test]
fn every_log_event_has_a_stable_target() {
    const TARGETS: [&str; 10] =
        ["app", "audit", "config", "guard", "jwks", "lookup", "proxy", "store", "token", "testing"];
    let mut events = 0;
    for file in rust_files(&root().join("auth-proxy/src")) {
        let source = std::fs::read_to_string(&file).unwrap();
        for level in ["error", "warn", "info", "debug", "trace"] {
            for event in source.split(&format!("tracing::{level}!(")).skip(1) {
                events += 1;
                let target = event.trim_start().strip_prefix("target: \"auth_proxy::");
                let target = target.and_then(|target| target.split('"').next()).unwrap_or_default();
                assert!(TARGETS.contains(&target), "{}: `tracing::{level}!` has no target", file.display());
            }
        }
    }
    assert!(events > 20, "{events} events");
}

/// What is special about one family of upstreams is in `dialect` (and in the rules of the options). The fake upstream of
/// `testing` plays families, and `editor.rs` and `guide.rs` are documentation.
#[test]
fn no_room_but_dialect_names_a_family() {
    const NAMES: [&str; 21] = [
        "NextAuthV4",
        "Kind::Robo",
        "Kind::Authjs",
        "next-auth",
        "next_auth",
        "authjs.",
        "Auth.js",
        "sessionToken",
        "NEXTAUTH",
        "AUTH_SECRET",
        "AUTH_TRUST_HOST",
        "skipCSRFCheck",
        "BetterAuth",
        "better-auth",
        "Better Auth",
        "baseURL",
        "allowedHosts",
        "trustedOrigins",
        "activeOrganizationId",
        "impersonatedBy",
        "plugin `",
    ];
    let source = root().join("auth-proxy/src");
    let mut named = Vec::new();
    for file in rust_files(&source) {
        let place = file.strip_prefix(&source).unwrap().display().to_string();
        let exempt = ["dialect/", "testing/", "editor.rs", "guide.rs"];
        let is_exempt = exempt.iter().any(|exempt| place.starts_with(exempt)) || place.contains("/tests");
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let lines = code.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
        for (number, line) in lines.filter(|_| !is_exempt) {
            if NAMES.iter().any(|name| line.contains(name)) {
                named.push(format!("{place}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    assert!(named.is_empty(), "{}", named.join("\n"));
}

fn rust_files(folder: &std::path::Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                rust_files(&path)
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                vec![path]
            } else {
                Vec::new()
            }
        })
        .collect()
}
