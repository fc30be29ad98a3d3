//! Runs the compiler on many small programs at once, and reads its messages.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// One message of the compiler about a program.
#[derive(Clone, Debug)]
pub(crate) struct Diagnostic {
    pub message: String,
    /// The text at the place of the error, and then the notes.
    pub notes: Vec<String>,
    /// The place of the error in the program. `None` if it is elsewhere, such as in a macro of another crate.
    pub span: Option<Range<usize>>,
    pub line: usize,
    pub column: usize,
    /// The replacements of the first suggestion of rustc that can be applied.
    pub suggestion: Vec<(Range<usize>, String)>,
}

/// The errors of each program, by its name. A program that compiles has none.
pub(crate) type Errors = BTreeMap<String, Vec<Diagnostic>>;

/// Checks the programs as binaries of one package, so that the dependencies are compiled once.
pub(crate) fn check(package: &str, programs: &BTreeMap<String, String>) -> Errors {
    let folder = write_package(package, programs);
    let output = Command::new(env!("CARGO"))
        .args(["check", "--bins", "--keep-going", "--offline", "--quiet", "--message-format=json"])
        .arg("--manifest-path")
        .arg(folder.join("Cargo.toml"))
        .env("CARGO_TARGET_DIR", root().join("target"))
        .output()
        .expect("cargo runs");
    let mut errors: Errors = programs.keys().map(|name| (name.clone(), Vec::new())).collect();
    let mut checked = 0;
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Ok(line) = serde_json::from_str::<Value>(line) else { continue };
        let Some(program) = line["target"]["name"].as_str().and_then(|name| errors.get_mut(name)) else {
            continue;
        };
        match line["reason"].as_str() {
            Some("compiler-artifact") => checked += 1,
            Some("compiler-message") => program.extend(diagnostic(&line["message"])),
            _ => {}
        }
    }
    let refused = errors.values().filter(|errors| !errors.is_empty()).count();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(checked + refused, programs.len(), "some programs were not checked:\n{stderr}");
    errors
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("advice")
}

fn write_package(package: &str, programs: &BTreeMap<String, String>) -> PathBuf {
    let folder = root().join(package);
    let bin = folder.join("src/bin");
    let _ = fs::remove_dir_all(&bin);
    fs::create_dir_all(&bin).unwrap();
    for (name, source) in programs {
        fs::write(bin.join(format!("{name}.rs")), source).unwrap();
    }
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    // The versions of the workspace, which are downloaded already.
    fs::copy(workspace.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let krate = workspace.join("auth-proxy");
    let manifest = format!(
        "[package]\n\
         name = \"{package}\"\n\
         edition = \"2024\"\n\
         [workspace]\n\
         [dependencies]\n\
         axum-auth-proxy = {{ path = {krate:?}, features = [\"redis\", \"reqwest\", \"testing\"] }}\n\
         axum = {{ version = \"0.8\", default-features = false, features = [\"http1\", \"json\", \"macros\", \"query\", \"tokio\"] }}\n\
         http = \"1\"\n\
         serde = {{ version = \"1\", features = [\"derive\"] }}\n\
         tokio = {{ version = \"1\", features = [\"full\"] }}\n\
         tower = {{ version = \"0.5\", features = [\"util\"] }}\n",
    );
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    folder
}

fn diagnostic(message: &Value) -> Option<Diagnostic> {
    if message["level"] != "error" {
        return None;
    }
    let spans = message["spans"].as_array()?;
    let primary = || spans.iter().filter(|span| span["is_primary"] == true);
    let text = message["message"].as_str()?.to_owned();
    if text.starts_with("aborting due to") {
        return None;
    }
    let children = message["children"].as_array()?;
    let labels = primary().filter_map(|span| span["label"].as_str());
    let notes = children.iter().filter_map(|child| child["message"].as_str());
    let first = primary().next().map(written);
    Some(Diagnostic {
        notes: labels.chain(notes).map(str::to_owned).collect(),
        span: first.and_then(in_program),
        line: first.and_then(|span| span["line_start"].as_u64()).unwrap_or(0) as usize,
        column: first.and_then(|span| span["column_start"].as_u64()).unwrap_or(0) as usize,
        suggestion: children.iter().map(suggestion).find(|edits| !edits.is_empty()).unwrap_or_default(),
        message: text,
    })
}

/// The replacements that a note suggests, if a tool may apply them.
fn suggestion(note: &Value) -> Vec<(Range<usize>, String)> {
    let spans = note["spans"].as_array().map(Vec::as_slice).unwrap_or_default();
    // rustc marks all suggestions of variants as placeholders, also those that can be applied.
    let is_similar = note["message"].as_str().is_some_and(|text| text.contains("with a similar name"));
    spans
        .iter()
        .filter(|span| match span["suggestion_applicability"].as_str() {
            Some("MachineApplicable" | "MaybeIncorrect") => true,
            Some("HasPlaceholders") => is_similar,
            _ => false,
        })
        .filter_map(|span| Some((in_program(span)?, span["suggested_replacement"].as_str()?.to_owned())))
        .collect()
}

/// The place in the program that a place in a macro comes from.
fn written(mut span: &Value) -> &Value {
    while !is_in_program(span) && span["expansion"].is_object() {
        span = &span["expansion"]["span"];
    }
    span
}

fn is_in_program(span: &Value) -> bool {
    span["file_name"].as_str().is_some_and(|name| name.starts_with("src/bin/"))
}

fn in_program(span: &Value) -> Option<Range<usize>> {
    if !is_in_program(span) {
        return None;
    }
    Some(span["byte_start"].as_u64()? as usize..span["byte_end"].as_u64()? as usize)
}
