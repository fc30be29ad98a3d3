//! The files in `deploy`: each configuration is right, and each recipe is that of the guide.

use std::path::{Path, PathBuf};

use crate::support::command;

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy")
}

fn recipes() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(deploy().join("compose")).unwrap().map(|entry| entry.unwrap().path());
    let folders: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    assert!(folders.len() >= 2, "{folders:?}");
    folders
}

#[test]
fn configuration_of_each_recipe_has_no_mistake_and_no_warning() {
    let files = recipes().into_iter().map(|recipe| recipe.join("gateway.toml"));
    for file in files.chain([deploy().join("gateway.toml")]) {
        let output = command().arg("--check").arg("--config").arg(&file).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!((output.status.code(), text), (Some(0), format!("{}: no mistakes\n", file.display())));
    }
}

/// Every file that a recipe mounts or extends is there.
#[test]
fn recipes_name_files_that_exist() {
    for recipe in recipes() {
        let text = std::fs::read_to_string(recipe.join("compose.yaml")).unwrap();
        let mounts = text.lines().filter_map(|line| line.trim().strip_prefix("- ./")?.split(':').next());
        let mut count = 0;
        for file in
            mounts.chain(["../services.yaml", "../../login.mjs", "../../app.mjs", "../../../Dockerfile"])
        {
            assert!(recipe.join(file).is_file(), "{}: {file}", recipe.display());
            count += 1;
        }
        assert!(count > 4);
    }
}

/// nginx of the recipe is that of the example, which the tests run, apart from the addresses.
#[test]
fn nginx_of_the_recipe_is_that_of_the_example() {
    let without_comments = |text: &str| {
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#') && *line != "daemon off;");
        lines.collect::<Vec<_>>().join("\n")
    };
    let example = include_str!("../../../examples/verdict/nginx.conf")
        .replace("127.0.0.1:3000", "gateway:8080")
        .replace("127.0.0.1:8080", "app:3000")
        .replace("listen 127.0.0.1:8000", "listen 8000");
    let recipe = std::fs::read_to_string(deploy().join("compose/nginx/nginx.conf")).unwrap();
    assert_eq!(without_comments(&recipe), without_comments(&example));
}
