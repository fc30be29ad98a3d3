//! WebSockets: connects the client with the app once the app has switched protocols.

use axum::body::Body;
use axum::response::Response;
use http::header::{CONNECTION, UPGRADE};
use http::request::Parts;
use http::{HeaderValue, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::time::timeout;

use super::destination::App;
use super::request::WEBSOCKET;
use super::response::clean;
use super::until::Until;
use crate::error::{AuthError, Reason};
use crate::upstream::of_app;

/// Asks the app for a WebSocket. Any answer other than 101 is an ordinary response, after which nothing is tunnelled.
///
/// # Errors
/// `app_unreachable`, `app_failed`, `app_timeout`.
pub(super) async fn open(app: &App, parts: Parts, outgoing: Request<Body>) -> Result<Response, AuthError> {
    let until = parts.extensions.get::<Until>().and_then(Until::take);
    let mut request = Request::from_parts(parts, ());
    let client = hyper::upgrade::on(&mut request);
    let mut response = timeout(app.timeout, app.client.upgrade(outgoing))
        .await
        .map_err(|elapsed| AuthError::new(Reason::APP_TIMEOUT).because(elapsed))?
        .map_err(of_app)?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        clean(&mut response);
        return Ok(response.map(Body::new));
    }
    let is_websocket = response
        .headers()
        .get(UPGRADE)
        .is_some_and(|protocol| protocol.as_bytes().eq_ignore_ascii_case(WEBSOCKET.as_bytes()));
    if !is_websocket {
        return Err(
            AuthError::new(Reason::APP_FAILED).because("it switched to another protocol than WebSocket")
        );
    }
    let server = hyper::upgrade::on(&mut response);
    tokio::spawn(async move {
        let (Ok(client), Ok(server)) = tokio::join!(client, server) else { return };
        let (mut client, mut server) = (TokioIo::new(client), TokioIo::new(server));
        let copied = tokio::io::copy_bidirectional(&mut client, &mut server);
        // An error ends both connections, as does the end of both, and that of the session.
        match until {
            Some(until) => tokio::select! { _ = copied => {}, () = until => {} },
            None => {
                let _ = copied.await;
            }
        }
    });
    clean(&mut response);
    let mut response = response.map(|_| Body::empty());
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
    response.headers_mut().insert(UPGRADE, WEBSOCKET);
    Ok(response)
}
