//! A client of the language server rust-analyzer, over its standard input and output (LSP 3.17, base protocol).

use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// The longest wait for one answer. Loading the project builds its dependencies first.
const PATIENCE: Duration = Duration::from_secs(300);

pub(crate) struct Editor {
    server: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    uri: String,
    version: u64,
    requests: u64,
}

/// The rust-analyzer of the toolchain in use.
///
/// # Panics
/// If it is not installed.
fn rust_analyzer() -> PathBuf {
    let found = Command::new("rustup").args(["which", "rust-analyzer"]).output();
    let found = found.ok().filter(|output| output.status.success());
    let path = found.map(|output| PathBuf::from(String::from_utf8(output.stdout).unwrap().trim()));
    path.expect("rust-analyzer is not installed: run `rustup component add rust-analyzer`")
}

impl Editor {
    /// Opens `src/main.rs` of a package, and waits until rust-analyzer has loaded it.
    pub(crate) fn open(package: &Path, text: &str) -> Self {
        let mut server = Command::new(rust_analyzer())
            .current_dir(package)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (input, output) = (server.stdin.take().unwrap(), server.stdout.take().unwrap());
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            let mut output = BufReader::new(output);
            while let Some(message) = read(&mut output) {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let root = format!("file://{}", package.display());
        let uri = format!("{root}/src/main.rs");
        let mut editor = Self { server, input, messages, uri, version: 1, requests: 0 };
        let target = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/editor");
        editor.request(
            "initialize",
            &json!({
                "processId": null,
                "rootUri": root,
                "capabilities": {
                    "experimental": { "serverStatusNotification": true },
                    "textDocument": {
                        "hover": { "contentFormat": ["markdown"] },
                        "codeAction": {
                            "codeActionLiteralSupport": { "codeActionKind": { "valueSet": ["quickfix"] } },
                        },
                    },
                },
                "initializationOptions": { "cargo": { "targetDir": target }, "checkOnSave": true },
            }),
        );
        editor.notify("initialized", &json!({}));
        let document =
            json!({ "uri": editor.uri, "languageId": "rust", "version": editor.version, "text": text });
        editor.notify("textDocument/didOpen", &json!({ "textDocument": document }));
        editor.wait_for(|message| {
            message["method"] == "experimental/serverStatus" && message["params"]["quiescent"] == true
        });
        editor
    }

    /// Replaces the text of the file, unsaved.
    pub(crate) fn change(&mut self, text: &str) {
        self.version += 1;
        let document = json!({ "uri": self.uri, "version": self.version });
        let params = json!({ "textDocument": document, "contentChanges": [{ "text": text }] });
        self.notify("textDocument/didChange", &params);
    }

    /// Saves the text, and returns the error of the build with this start.
    pub(crate) fn build(&mut self, text: &str, start: &str) -> Value {
        self.change(text);
        std::fs::write(self.uri.trim_start_matches("file://"), text).unwrap();
        self.notify("textDocument/didSave", &json!({ "textDocument": { "uri": self.uri } }));
        let is_error = |diagnostic: &Value| {
            diagnostic["source"] == "rustc"
                && diagnostic["message"].as_str().is_some_and(|message| message.starts_with(start))
        };
        let errors = |message: &Value| {
            let diagnostics = message["params"]["diagnostics"].as_array().cloned().unwrap_or_default();
            diagnostics.into_iter().find(is_error)
        };
        let uri = self.uri.clone();
        let message = self.wait_for(|message| {
            message["method"] == "textDocument/publishDiagnostics"
                && message["params"]["uri"] == uri.as_str()
                && errors(message).is_some()
        });
        errors(&message).unwrap()
    }

    /// The quick fixes that are offered for a diagnostic.
    pub(crate) fn quick_fixes(&mut self, diagnostic: &Value) -> Vec<Value> {
        let params = json!({
            "textDocument": { "uri": self.uri },
            "range": diagnostic["range"],
            "context": { "diagnostics": [diagnostic], "only": ["quickfix"] },
        });
        self.request("textDocument/codeAction", &params).as_array().cloned().unwrap_or_default()
    }

    /// The text after the edits of a quick fix.
    pub(crate) fn apply(&self, action: &Value, text: &str) -> String {
        let edit = &action["edit"];
        let mut edits = edit["changes"][&self.uri].as_array().cloned().unwrap_or_default();
        for document in edit["documentChanges"].as_array().into_iter().flatten() {
            edits.extend(document["edits"].as_array().cloned().unwrap_or_default());
        }
        let offset = |position: &Value| {
            let line = usize::try_from(position["line"].as_u64().unwrap()).unwrap();
            let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
            start + usize::try_from(position["character"].as_u64().unwrap()).unwrap()
        };
        let [edit] = edits.as_slice() else { panic!("one edit: {action}") };
        let (start, end) = (offset(&edit["range"]["start"]), offset(&edit["range"]["end"]));
        format!("{}{}{}", &text[..start], edit["newText"].as_str().unwrap(), &text[end..])
    }

    /// The result of a request about a position of the file.
    pub(crate) fn at(&mut self, method: &str, text: &str, offset: usize) -> Value {
        let before = &text[..offset];
        let line = before.matches('\n').count();
        let character = before.len() - before.rfind('\n').map_or(0, |newline| newline + 1);
        let position = json!({ "line": line, "character": character });
        let document = json!({ "uri": self.uri });
        self.request(method, &json!({ "textDocument": document, "position": position }))
    }

    fn request(&mut self, method: &str, params: &Value) -> Value {
        self.requests += 1;
        let id = self.requests;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        let mut answer = self.wait_for(|message| message["id"] == id && message.get("method").is_none());
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].take()
    }

    fn notify(&mut self, method: &str, params: &Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    fn send(&mut self, message: &Value) {
        let body = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        self.input.flush().unwrap();
    }

    /// The next message of this kind. Requests of the server are answered with null.
    fn wait_for(&mut self, is_expected: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let patience = deadline.saturating_duration_since(Instant::now());
            let message = self.messages.recv_timeout(patience).expect("rust-analyzer answers");
            if is_expected(&message) {
                return message;
            }
            if message.get("method").is_some() && message.get("id").is_some() {
                self.send(&json!({ "jsonrpc": "2.0", "id": message["id"], "result": null }));
            }
        }
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        // The test is over: it does not matter whether the server still runs.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// The next message. `None` at the end of the output.
fn read(output: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim() {
            "" => break,
            header => {
                if let Some(value) = header.strip_prefix("Content-Length:") {
                    length = value.trim().parse().ok()?;
                }
            }
        }
    }
    let mut body = vec![0; length];
    output.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}
