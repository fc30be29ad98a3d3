//! The rooms of the source: a room imports only rooms below it, and no two files import one another.
//!
//! `ARCHITECTURE.md` says what lives in which room. Each room's `mod.rs` says which rooms it imports and which crates it
//! does without; these tests hold it to that. To look at another tree: `ROOMS_ROOT=/path/to/tree cargo test -p
//! auth-proxy-tests --test rooms`.

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use source::{Crate, circles};

/// The rooms of the runtime, the lowest first. A room imports only rooms of a lower level.
const LEVELS: &[&[&str]] = &[
    &["error"],
    &["config", "json", "warnings", "page", "cache_control"],
    &["cookie", "forwarded"],
    &["token", "upstream"],
    &["session"],
    &["provider"],
    &["extract", "cross_origin"],
    &["proxy", "guard"],
    &["testing"],
    // The door: re-exports and the macro shim.
    &["lib"],
];

fn root() -> PathBuf {
    std::env::var_os("ROOMS_ROOT")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/..")), PathBuf::from)
}

fn runtime() -> Crate {
    Crate::read(&root().join("auth-proxy/src"))
}

/// What each room imports of the others.
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
fn no_circle_of_rooms() {
    let imports = imports_of_rooms(&runtime());
    let edges = imports.iter().flat_map(|(from, to)| to.keys().map(|to| (from.clone(), to.clone())));
    let circles: Vec<_> = circles(edges).iter().map(|circle| circle.join(", ")).collect();
    assert!(circles.is_empty(), "rooms that import one another:\n{}", circles.join("\n"));
}

#[test]
fn no_circle_of_files() {
    let mut circles = Vec::new();
    for folder in ["auth-proxy/src", "auth-proxy-macros/src", "auth-proxy-rules/src"] {
        let root = root().join(folder);
        // An older tree has the rules elsewhere.
        if !root.exists() && std::env::var_os("ROOMS_ROOT").is_some() {
            continue;
        }
        for circle in Crate::read(&root).circles() {
            circles.push(format!("{folder}: {}", circle.join(", ")));
        }
    }
    assert!(circles.is_empty(), "files that import one another:\n{}", circles.join("\n"));
}

#[test]
fn every_door_says_what_its_room_imports() {
    let runtime = runtime();
    let imports = imports_of_rooms(&runtime);
    let mut wrong = Vec::new();
    for room in runtime.rooms_with_a_door() {
        let door = runtime.docs_of(&room);
        let Some(printed) = listed(&door, "Imports the rooms: ") else {
            wrong.push(format!("{room}/mod.rs has no line `Imports the rooms: `"));
            continue;
        };
        let real: BTreeSet<String> =
            imports.get(&room).into_iter().flat_map(|of| of.keys().cloned()).collect();
        if printed != real {
            wrong.push(format!("{room}/mod.rs says that it imports {printed:?}; it imports {real:?}"));
        }
        let Some(without) = listed(&door, "Does without the crates: ") else {
            wrong.push(format!("{room}/mod.rs has no line `Does without the crates: `"));
            continue;
        };
        for (file, name) in runtime.foreign_imports(&room) {
            if without.contains(&name) {
                wrong.push(format!("{room}/mod.rs says that it does without `{name}`, which {file} imports"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The names in backticks after this start, up to the end of the sentence.
fn listed(door: &str, start: &str) -> Option<BTreeSet<String>> {
    let rest = door.split_once(start)?.1;
    let list = rest.split_once('.').map_or(rest, |(list, _)| list);
    Some(list.split('`').skip(1).step_by(2).map(str::to_owned).collect())
}

#[test]
fn circles_and_upward_imports_are_found() {
    let folder = std::env::temp_dir().join(format!("rooms-{}", std::process::id()));
    let file = |path: &str, text: &str| {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    file("lib.rs", "mod a; mod b; mod c; pub use a::A;");
    // By way of a re-export, which is no import of its own.
    file("a/mod.rs", "//! Imports the rooms: `b`.\nmod deep; pub use self::deep::A; use crate::b::B;");
    file("a/deep.rs", "pub struct A; fn f() { crate::c::run() }");
    file("b.rs", "use crate::{c::{self, C}}; pub struct B; #[cfg(test)] mod tests { use crate::a::A; }");
    file("c.rs", "use crate::a::A as Other; pub struct C; pub fn run() {}");
    let found = Crate::read(&folder);
    let circles = found.circles();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(circles, [["a/deep.rs", "c.rs"]]);
    let imports = imports_of_rooms(&found);
    let of = |room: &str| imports[room].keys().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(of("a"), ["b", "c"]);
    assert_eq!(of("b"), ["c"]);
    assert_eq!(of("c"), ["a"]);
    assert_eq!(listed(&found.docs_of("a"), "Imports the rooms: "), Some(BTreeSet::from(["b".to_owned()])));
}
