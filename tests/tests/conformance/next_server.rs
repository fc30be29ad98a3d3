//! Runs the Next.js servers of examples/nextjs: `next build` when the sources have changed, then `next start`.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use auth_proxy::options::UpstreamKind;
use auth_proxy_tests::free_port;

use crate::server::{SECRET, Server};
use auth_proxy_tests::process::{Process, authjs};

/// The key that the proxy sends as `x-api-key`, and that the server has as `AUTH_PROXY_KEY`.
pub(crate) const KEY: &str = "the key of a proxy that Next.js trusts";

/// The app of `examples/nextjs` for this kind of next-auth.
fn folder(kind: UpstreamKind) -> PathBuf {
    let version = if kind == UpstreamKind::NextAuthV4 { "v4" } else { "v5" };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/nextjs").join(version);
    assert!(
        folder.join("node_modules").is_dir(),
        "Next.js is not installed: run `npm ci` in examples/nextjs/{version}"
    );
    folder
}

/// The port of the Rust app. The rewrites of `next build` contain it, so it is fixed for each folder, and below the
/// ports that `free_port` returns.
pub(crate) fn rust_port(kind: UpstreamKind) -> u16 {
    let mut hasher = DefaultHasher::new();
    (env!("CARGO_MANIFEST_DIR"), kind == UpstreamKind::NextAuthV4).hash(&mut hasher);
    20_000 + u16::try_from(hasher.finish() % 10_000).unwrap()
}

/// Runs `next build` unless the current state of the sources is already built.
fn build(kind: UpstreamKind) -> PathBuf {
    static ONE_BUILD_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_BUILD_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let folder = folder(kind);
    let rust_url = format!("http://127.0.0.1:{}", rust_port(kind));
    // `next build` removes this file, so a build by hand, whose rewrites may differ, is built again.
    let stamp = folder.join(".next/auth-proxy-tests");
    let state = format!("{rust_url} {:x}", state_of(&folder));
    if std::fs::read_to_string(&stamp).is_ok_and(|built| built == state) {
        return folder;
    }
    let built = next(&folder, &["build"]).env("RUST_URL", rust_url).output().expect("node runs");
    let output = [built.stdout, built.stderr].concat();
    assert!(built.status.success(), "next build: {}", String::from_utf8_lossy(&output));
    std::fs::write(stamp, state).unwrap();
    folder
}

/// A hash of all files that `next build` reads, in a fixed order.
fn state_of(folder: &Path) -> u64 {
    fn read(folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name == "node_modules" || name.starts_with('.') || name.starts_with("next-env") {
                continue;
            }
            if path.is_dir() {
                read(&path, files);
            } else {
                files.push((path.clone(), std::fs::read(path).unwrap()));
            }
        }
    }
    let mut files = Vec::new();
    read(folder, &mut files);
    files.sort();
    let mut hasher = DefaultHasher::new();
    files.hash(&mut hasher);
    hasher.finish()
}

/// The command line of Next.js with telemetry off.
fn next(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("node");
    command.arg("node_modules/next/dist/bin/next").args(arguments).current_dir(folder);
    command.env("NEXT_TELEMETRY_DISABLED", "1");
    // Variables of the environment must not change the test.
    for name in
        ["AUTH_URL", "NEXTAUTH_URL", "AUTH_TRUST_HOST", "AUTH_PROXY_KEY", "ISSUER", "RUST_URL", "VERCEL"]
    {
        command.env_remove(name);
    }
    command
}

impl Server {
    /// A real Next.js server with next-auth, run by `next start` with these variables.
    pub(crate) fn next(kind: UpstreamKind, vars: &[(&str, &str)]) -> Self {
        Self::next_at(free_port(), kind, vars)
    }

    pub(crate) fn next_at(port: u16, kind: UpstreamKind, vars: &[(&str, &str)]) -> Self {
        let mut command = next(&build(kind), &["start", "-H", "127.0.0.1", "-p", &port.to_string()]);
        // The server exits when its standard input is closed, so it does not outlive a killed test.
        let end = format!("--import={}", authjs().join("end-with-input.mjs").display());
        command.env("NODE_OPTIONS", end);
        command.env("AUTH_SECRET", SECRET).envs(vars.iter().copied());
        Self::at(Process::answering(&mut command, port, "/"), port)
    }
}
