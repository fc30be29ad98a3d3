//! Which program runs the macros.

/// Whether it is an editor. The name of the running program tells.
pub(crate) fn is_editor() -> bool {
    let program = std::env::current_exe().unwrap_or_default();
    let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    ["rust-analyzer", "intellij-rust"].iter().any(|editor| name.contains(editor))
}
