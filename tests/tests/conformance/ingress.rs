//! A real nginx before a server: it routes by host, and has a port for https.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use auth_proxy_tests::free_port;

/// nginx that answers for one host, and 404 for any other one.
pub(crate) struct Nginx {
    child: Child,
    folder: PathBuf,
    /// The port for http.
    pub(crate) port: u16,
    /// The port for https, with a certificate that nobody trusts.
    pub(crate) tls_port: u16,
}

impl Nginx {
    pub(crate) async fn start(upstream: &str, host: &str) -> Self {
        let [port, tls_port] = [free_port(), free_port()];
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("ingress-{port}"));
        std::fs::create_dir_all(&folder).unwrap();
        let pair = rcgen::generate_simple_self_signed([host.to_owned()]).unwrap();
        std::fs::write(folder.join("certificate.pem"), pair.cert.pem()).unwrap();
        std::fs::write(folder.join("key.pem"), pair.signing_key.serialize_pem()).unwrap();
        let path = folder.display();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|kind| format!("{kind}_temp_path {path}/{kind};\n"))
            .collect();
        let configuration = format!(
            "daemon off; master_process off; pid {path}/pid; error_log {path}/error.log;
            events {{}}
            http {{
              access_log off; {temporary}
              ssl_certificate {path}/certificate.pem; ssl_certificate_key {path}/key.pem;
              server {{ listen 127.0.0.1:{port} default_server; return 404; }}
              server {{
                listen 127.0.0.1:{port}; listen 127.0.0.1:{tls_port} ssl;
                server_name {host};
                location / {{ proxy_pass {upstream}; proxy_set_header Host $http_host; }}
              }}
            }}"
        );
        let file = folder.join("nginx.conf");
        std::fs::write(&file, configuration).unwrap();
        let mut command = Command::new("nginx");
        command.arg("-p").arg(&folder).arg("-c").arg(&file).arg("-e").arg(folder.join("error.log"));
        let child = command.stdin(Stdio::null()).spawn().expect("nginx is installed");
        let nginx = Self { child, folder, port, tls_port };
        for _ in 0..200 {
            if tokio::net::TcpStream::connect(("127.0.0.1", tls_port)).await.is_ok() {
                return nginx;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!(
            "nginx does not start: {}",
            std::fs::read_to_string(nginx.folder.join("error.log")).unwrap_or_default()
        );
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        std::fs::remove_dir_all(&self.folder).ok();
    }
}
