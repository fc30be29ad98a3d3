//! Repeats the connection tests over https, in a separate process that trusts a certificate authority of the tests. The
//! proxy has no option for trusted authorities, so `SSL_CERT_FILE` makes the whole process trust it.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, server};

/// The variable with the folder of the certificates. It is set only in the process that runs over https.
const VARIABLE: &str = "CONNECTIONS_OVER_HTTPS";

/// Whether the upstreams of this process are https.
pub(super) fn is_on() -> bool {
    folder().is_some()
}

fn folder() -> Option<PathBuf> {
    std::env::var_os(VARIABLE).map(PathBuf::from)
}

/// The TLS acceptor of an upstream, with a certificate that the proxy trusts. `None` over http.
pub(super) fn acceptor() -> Option<TlsAcceptor> {
    folder().map(|folder| acceptor_of(folder, "trusted"))
}

/// A TLS acceptor with one of the certificates `trusted`, `other_host` and `other_authority`.
pub(super) fn acceptor_with(name: &str) -> TlsAcceptor {
    acceptor_of(folder().expect("the process runs over https"), name)
}

fn acceptor_of(folder: PathBuf, name: &str) -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_file(folder.join(format!("{name}.pem"))).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join(format!("{name}.key"))).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    // Most servers prefer HTTP/2.
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.session_storage = server::ServerSessionMemoryCache::new(16);
    TlsAcceptor::from(Arc::new(config))
}

/// Writes a trusted authority, certificates that it signed, and one that another authority signed.
fn write_certificates(folder: &std::path::Path) {
    let authority = || {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    };
    let (trusted, other) = (authority(), authority());
    std::fs::write(folder.join("authority.pem"), trusted.pem()).unwrap();
    for (name, host, authority) in [
        ("trusted", "127.0.0.1", &trusted),
        ("other_host", "auth.example.com", &trusted),
        ("other_authority", "127.0.0.1", &other),
    ] {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([host.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, authority).unwrap();
        std::fs::write(folder.join(format!("{name}.pem")), certificate.pem()).unwrap();
        std::fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    }
}

/// Runs all tests of `connections` over https, in a new process.
#[test]
fn connections_behave_the_same_over_https() {
    if is_on() {
        return;
    }
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    write_certificates(&folder);
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["connections::", "--test-threads=2"])
        .env(VARIABLE, &folder)
        .env("SSL_CERT_FILE", folder.join("authority.pem"))
        .env_remove("SSL_CERT_DIR")
        .output()
        .unwrap();
    std::fs::remove_dir_all(&folder).ok();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    assert!(
        out.contains("test connections::table::only_reads_are_retried_after_an_upstream_failure ... ok"),
        "{out}"
    );
}
