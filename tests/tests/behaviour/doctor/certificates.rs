//! Certificates that are expired, not yet valid, of another host or of another authority. In a separate process that trusts
//! an authority of the test: the proxy has no option for that, so `SSL_CERT_FILE` makes the whole process trust it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use auth_proxy_tests::doctor::codes;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::{at, check};

/// The variable with the folder of the certificates. It is set only in the separate process.
const VARIABLE: &str = "DOCTOR_CERTIFICATES";

/// Each certificate, and the code of its finding.
const CERTIFICATES: [(&str, &str); 5] = [
    ("expired", "certificate_expired"),
    ("not_yet_valid", "certificate_not_yet_valid"),
    ("other_host", "certificate_wrong_host"),
    ("other_authority", "certificate_untrusted"),
    // The server answers nothing over a good connection.
    ("trusted", "response_broken"),
];

fn write_certificates(folder: &Path) {
    let authority = || {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    };
    let (trusted, other) = (authority(), authority());
    std::fs::write(folder.join("authority.pem"), trusted.pem()).unwrap();
    for (name, _) in CERTIFICATES {
        let host = if name == "other_host" { "auth.example.com" } else { "127.0.0.1" };
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        match name {
            "expired" => params.not_after = date_time_ymd(2020, 1, 1),
            "not_yet_valid" => params.not_before = date_time_ymd(2100, 1, 1),
            _ => {}
        }
        let issuer = if name == "other_authority" { &other } else { &trusted };
        std::fs::write(folder.join(format!("{name}.pem")), params.signed_by(&key, issuer).unwrap().pem())
            .unwrap();
        std::fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    }
}

/// A server with this certificate, which closes each connection after the handshake.
async fn serve(folder: &Path, name: &str) -> String {
    let certificate = CertificateDer::from_pem_file(folder.join(format!("{name}.pem"))).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join(format!("{name}.key"))).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let (acceptor, listener) =
        (TlsAcceptor::from(Arc::new(config)), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            acceptor.accept(stream).await.ok();
        }
    });
    format!("https://{address}")
}

/// Runs in the separate process only.
#[tokio::test]
async fn certificates_have_codes_of_their_own_where_an_authority_is_trusted() {
    let Some(folder) = std::env::var_os(VARIABLE).map(PathBuf::from) else { return };
    for (name, code) in CERTIFICATES {
        let report = check(at(&serve(&folder, name).await)).await;
        assert_eq!(codes(&report), [code], "{name}: {report}");
    }
}

#[test]
fn wrong_certificates_are_told_apart() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("doctor-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    write_certificates(&folder);
    let test = "doctor::certificates::certificates_have_codes_of_their_own_where_an_authority_is_trusted";
    let output = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact"])
        .env(VARIABLE, &folder)
        .env("SSL_CERT_FILE", folder.join("authority.pem"))
        .env_remove("SSL_CERT_DIR")
        .output()
        .unwrap();
    std::fs::remove_dir_all(&folder).ok();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    assert!(out.contains(&format!("test {test} ... ok")), "{out}");
}
