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

/// What differs between an example, which the tests of the library run, and a recipe: the addresses.
type Changes = &'static [(&'static str, &'static str)];

const RECIPES: [(&str, &str, Changes); 4] = [
    (
        "nginx/nginx.conf",
        "nginx.conf",
        &[
            // The image says so on its command line.
            ("daemon off;\n", ""),
            ("127.0.0.1:3000", "gateway:8080"),
            ("127.0.0.1:8080", "app:3000"),
            ("listen 127.0.0.1:8000", "listen 8000"),
        ],
    ),
    (
        "caddy/Caddyfile",
        "Caddyfile",
        &[
            ("http://127.0.0.1:8000 {\n\tbind 127.0.0.1\n", "http://:8000 {\n"),
            ("127.0.0.1:3000", "gateway:8080"),
            ("127.0.0.1:8080", "app:3000"),
        ],
    ),
    (
        "traefik/routes.yaml",
        "traefik.yml",
        &[
            ("auth.internal:3000", "gateway:8080"),
            ("app.internal:8080", "app:3000"),
            ("Host(`app.example.com`)", "Host(`localhost`)"),
            ("[websecure]", "[web]"),
            ("- __Secure-authjs", "- authjs"),
        ],
    ),
    (
        "envoy/envoy.yaml",
        "envoy.yaml",
        &[
            ("uri: http://auth.internal:3000", "uri: http://gateway:8080"),
            ("address: auth.internal, port_value: 3000", "address: gateway, port_value: 8080"),
            ("address: app.internal, port_value: 8080", "address: app, port_value: 3000"),
            ("domains: [\"app.example.com\"]", "domains: [localhost, \"localhost:*\"]"),
        ],
    ),
];

/// The proxy of each recipe is that of the example `verdict`, apart from the addresses. `UPDATE_RECIPES=1` writes them.
#[test]
fn proxies_of_the_recipes_are_those_of_the_example() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/verdict");
    for (recipe, example, changes) in RECIPES {
        let text = std::fs::read_to_string(examples.join(example)).unwrap();
        // The first comment says how to start the example.
        let body = text.lines().skip_while(|line| line.starts_with('#')).map(|line| format!("{line}\n"));
        let body = changes.iter().fold(body.collect::<String>(), |body, (from, to)| {
            assert!(body.contains(from), "{example} has no {from:?}");
            body.replace(from, to)
        });
        let expected =
            format!("# As examples/verdict/{example}, with the addresses of the containers.\n{body}");
        let file = deploy().join("compose").join(recipe);
        if std::env::var_os("UPDATE_RECIPES").is_some() {
            std::fs::write(&file, &expected).unwrap();
        }
        let is_same = std::fs::read_to_string(&file).unwrap_or_default() == expected;
        assert!(
            is_same,
            "{recipe} differs from examples/verdict/{example}: run this test with UPDATE_RECIPES=1"
        );
    }
}
