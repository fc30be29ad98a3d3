//! What to change if the upstream does not answer, or its answer is not that of a login server.

use std::path::Path;

use auth_proxy_rules::{Origin, Settings, origin};
use bytes::Bytes;
use http::header::LOCATION;
use http::{Response, StatusCode, Uri};
use memchr::memmem;

use super::address::address;
use super::code::Code;
use super::finding::{Finding, seen};
use crate::dialect::{ALLOWED_HOSTS, misconfigured};
use crate::error::AuthError;
use crate::upstream::Fault;

/// The finding for a request that got no answer.
pub(super) fn no_answer(settings: &Settings, error: &AuthError) -> Finding {
    let fault = Fault::of(error);
    if let Some(socket) = &settings.base_url.socket
        && let Some((code, change)) = no_connection_to_socket(socket, fault)
    {
        return Finding::new(code, seen(error), change);
    }
    let url = &settings.base_url.origin;
    let host = url.host();
    let at = address(settings);
    let (code, change) = match fault {
        Fault::NoAddress => (
            Code::HOST_UNRESOLVED,
            format!(
                "correct `{host}` in `upstream.base_url`, or make the name known to this machine: in containers that is the \
                 name of the service, and both have to be in one network"
            ),
        ),
        Fault::Refused | Fault::NoSocket | Fault::Denied => (
            Code::CONNECTION_REFUSED,
            format!(
                "start the server, or correct host and port of `upstream.base_url`: in a container, `{host}` has to be the \
                 other container and not `localhost`"
            ),
        ),
        Fault::ConnectTimeout => (
            Code::CONNECTION_TIMEOUT,
            format!(
                "let this machine reach port {} of `{host}` (firewall, security group, network policy), or raise \
                 `upstream.connect_timeout`, which is {:?}",
                url.port(),
                settings.connect_timeout
            ),
        ),
        Fault::CertificateExpired => (
            Code::CERTIFICATE_EXPIRED,
            format!("renew the certificate of `{host}`, or correct the clock of this machine"),
        ),
        Fault::CertificateNotYetValid => (
            Code::CERTIFICATE_NOT_YET_VALID,
            "correct the clock of this machine, or replace the certificate".to_owned(),
        ),
        Fault::CertificateUntrusted => (
            Code::CERTIFICATE_UNTRUSTED,
            format!(
                "add the authority to the certificates that the operating system trusts (in a container install \
                 `ca-certificates`, or set SSL_CERT_FILE), or let `{host}` send the intermediate certificates too"
            ),
        ),
        Fault::CertificateForAnotherHost => (
            Code::CERTIFICATE_WRONG_HOST,
            format!(
                "write a host of the certificate in `upstream.base_url`, or add `{host}` to the certificate"
            ),
        ),
        Fault::NoTls => (
            Code::UPSTREAM_SPEAKS_HTTP,
            format!("write `upstream.base_url: \"http://{}{}\"`", url.authority, settings.base_url.prefix),
        ),
        Fault::Tls => (
            Code::TLS_FAILED,
            format!("let `{host}` offer TLS 1.2 or 1.3 with a certificate, without one of the client"),
        ),
        Fault::Timeout => (
            Code::RESPONSE_TIMEOUT,
            format!(
                "find out why the server at {at} is slow, or raise `upstream.timeout`, which is {:?}",
                settings.timeout
            ),
        ),
        Fault::Broken => (
            Code::RESPONSE_BROKEN,
            format!(
                "write the address of the login server's HTTP port in `upstream.base_url`, with `https://` if it speaks TLS; \
                 if {at} is right, the log of the server says why it closes the connection"
            ),
        ),
    };
    Finding::new(code, seen(error), change)
}

/// The finding for a Unix socket to which there is no connection. `None` for the other faults, which TCP has too.
fn no_connection_to_socket(socket: &str, fault: Fault) -> Option<(Code, String)> {
    Some(match fault {
        // Linux refuses a connection to a file of another kind, as if it were a socket without a server.
        Fault::Refused if Path::new(socket).is_dir() => (
            Code::SOCKET_MISSING,
            format!(
                "`{socket}` is a folder: name the socket in it, or, if a container engine made the folder because the socket \
                 was not there when it was mounted, remove it and mount the folder that the server makes its socket in"
            ),
        ),
        Fault::Refused if Path::new(socket).is_file() => (
            Code::SOCKET_MISSING,
            format!(
                "`{socket}` is a file and no socket: correct it in `upstream.base_url`, or remove the file and start the server"
            ),
        ),
        Fault::NoSocket => (
            Code::SOCKET_MISSING,
            format!(
                "start the server, or correct `{socket}` in `upstream.base_url`: in a container, mount the folder of the socket \
                 and not the socket itself, which the server makes anew"
            ),
        ),
        Fault::Denied => (
            Code::SOCKET_DENIED,
            format!(
                "give the user of this app permission to write to `{socket}` and to enter its folders, for example by a group \
                 that both processes have"
            ),
        ),
        Fault::Refused => (
            Code::CONNECTION_REFUSED,
            format!("start the server: `{socket}` is there, and no process listens at it"),
        ),
        Fault::ConnectTimeout => (
            Code::CONNECTION_TIMEOUT,
            format!(
                "find out why the server accepts no connections at `{socket}`: its queue is full for as long as \
                 `upstream.connect_timeout`"
            ),
        ),
        Fault::Broken => (
            Code::RESPONSE_BROKEN,
            format!(
                "let the login server speak plain HTTP at `{socket}`, without TLS; if it does, its log says why it closes the \
                 connection"
            ),
        ),
        _ => return None,
    })
}

/// The finding for an upstream that answers for its own host only.
pub(super) fn host_not_served(settings: &Settings, told: &str, answer: &Response<Bytes>) -> Finding {
    let own = &settings.base_url.origin.authority;
    Finding::new(
        Code::HOST_NOT_SERVED,
        format!(
            "with `Host: {told}` the answer is {}, and with `Host: {own}` it is the login",
            answer.status()
        ),
        format!(
            "write `upstream.host: upstream`, or let the server (or the proxy before it) answer for `{told}` too: an ingress \
             by a rule for that host, {ALLOWED_HOSTS}"
        ),
    )
}

/// The finding for an answer that is not that of a login server. `tried` are the paths below which it was looked for.
pub(super) fn no_login(settings: &Settings, answer: &Response<Bytes>, tried: &[String]) -> Finding {
    let (status, at) = (answer.status(), address(settings));
    let answers = format!("{at} answers with {status}");
    match status {
        StatusCode::LOOP_DETECTED if has(answer, b"\"loop_detected\"") => Finding::new(
            Code::UPSTREAM_IS_THIS_APP,
            format!("a request to {at} came back to this app"),
            "write the address of the login server in `upstream.base_url`, and not that of this app or of the proxy before it",
        ),
        StatusCode::BAD_REQUEST if has(answer, b"HTTPS") || has(answer, b"SSL-enabled") => Finding::new(
            Code::UPSTREAM_SPEAKS_HTTPS,
            format!("{answers}, and says that this port is for https"),
            match &settings.base_url.socket {
                Some(socket) => format!("let the login server speak plain HTTP at `{socket}`"),
                None => format!(
                    "write `upstream.base_url: \"https://{}{}\"`",
                    settings.base_url.origin.authority, settings.base_url.prefix
                ),
            },
        ),
        _ if status.is_redirection() => redirects(settings, answer),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            Finding::new(
                Code::UPSTREAM_REFUSES,
                answers,
                "add the key that the server (or the proxy before it) requires, such as \
             `upstream.headers: { \"x-api-key\": env(\"AUTH_PROXY_KEY\") }`, or let requests of this machine pass",
            )
        }
        StatusCode::TOO_MANY_REQUESTS => Finding::new(
            Code::UPSTREAM_RATE_LIMITED,
            answers,
            "raise the limit of the server for this app, and let the limit count the address in `X-Forwarded-For`: without \
             that, all visitors share one limit",
        ),
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
            Finding::new(
                Code::UPSTREAM_UNAVAILABLE,
                answers,
                "start the login server, or correct its address in the proxy before it",
            )
        }
        _ if status.is_server_error() => match misconfigured(answer.body()) {
            Some(change) => Finding::new(
                Code::UPSTREAM_MISCONFIGURED,
                format!("{answers}, and names its configuration"),
                change,
            ),
            None => Finding::new(
                Code::UPSTREAM_FAILING,
                answers,
                "the log of the server has the reason. If it names the host, the server accepts no other host than its own: \
                 write `upstream.host: upstream`, or add this app's host at the server",
            ),
        },
        _ => Finding::new(
            Code::LOGIN_NOT_FOUND,
            format!("{answers}, and there is no login below {} either", tried.join(", ")),
            "write the address of the login server in `upstream.base_url`, and the path of its routes in `upstream.base_path`",
        ),
    }
}

/// Only the origin is shown: a path or a query may hold a secret.
fn redirects(settings: &Settings, answer: &Response<Bytes>) -> Finding {
    let status = answer.status();
    let own = &settings.base_url.origin;
    let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let target: Option<Origin> = location.parse::<Uri>().ok().and_then(|uri| {
        let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
        origin(&format!("{scheme}://{authority}")).ok()
    });
    let same_host = |target: &Origin| target.host().eq_ignore_ascii_case(own.host());
    let (to, change) = match &target {
        Some(target)
            if target.https && !own.https && same_host(target) && settings.base_url.socket.is_none() =>
        {
            (
                target.to_string(),
                format!("write `upstream.base_url: \"{target}{}\"`", settings.base_url.prefix),
            )
        }
        Some(target) if !target.is_same(own) => (
            target.to_string(),
            format!(
                "write `upstream.base_url: \"{target}\"` if that is the login server; if it is a login in front of it, let \
                 requests of this app pass without"
            ),
        ),
        _ => (
            "another path of the same server".to_owned(),
            format!(
                "let the server answer at {} itself: without a slash at the end (in Next.js `trailingSlash: false`), without a \
                 language before the path, and without a middleware that requires a session",
                address(settings)
            ),
        ),
    };
    Finding::new(
        Code::UPSTREAM_REDIRECTS,
        format!("{} answers with {status} to {to}", address(settings)),
        change,
    )
}

fn has(answer: &Response<Bytes>, text: &[u8]) -> bool {
    memmem::find(answer.body(), text).is_some()
}
