//! A real Node server as the upstream.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// A child process that is killed on drop.
pub(crate) struct Node {
    child: Child,
    pub(crate) url: String,
}

/// A script whose `session` route accepts every token with a dot or a hyphen, and whose other routes answer `{}`. Node
/// itself rejects a request head over 16 KiB with 431 and a reset.
pub(crate) const ANSWERS: &str = r#"
    const { createServer } = require('node:http');
    const server = createServer((request, response) => {
      if (!request.url.endsWith('/session')) return response.end('{}');
      if (/session-token(\.0)?=[^;]*(\.|-)/.test(request.headers.cookie ?? '')) return response.end('{"user":{"name":"Ada"}}');
      response.setHeader('set-cookie', 'authjs.session-token=; Max-Age=0');
      response.end('null');
    });
    server.listen(0, '127.0.0.1', () => console.log(server.address().port));
    process.stdin.on('end', () => process.exit()).resume();
"#;

/// A script that reads everything and never responds.
pub(crate) const HANGS: &str = r"
    const { createServer } = require('node:net');
    const server = createServer((socket) => socket.on('error', () => {}).resume());
    server.listen(0, '127.0.0.1', () => console.log(server.address().port));
    process.stdin.on('end', () => process.exit()).resume();
";

impl Node {
    pub(crate) fn start(script: &str) -> Self {
        let mut command = Command::new("node");
        command.args(["-e", script]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("cannot start node");
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
        Self { child, url: format!("http://127.0.0.1:{}", port.trim()) }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
