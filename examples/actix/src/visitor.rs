//! Takes the session from a request of actix-web, whose types are those of an older version of the crate `http`.

use std::fmt;
use std::pin::Pin;

use actix_web::body::BoxBody;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpRequest, HttpResponse, ResponseError, web};
use auth_proxy::{AuthError, Session};
use axum::extract::{ConnectInfo, FromRequestParts as _};
use http::request::Parts;

use crate::Auth;

/// A signed-in visitor, as an argument of a handler.
pub struct SignedIn(pub Session<Auth>);

impl FromRequest for SignedIn {
    type Error = Refused;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Refused>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let auth = request.app_data::<web::Data<Auth>>().cloned();
        let parts = parts(request);
        Box::pin(async move {
            let auth = auth.ok_or(Refused::NotConfigured)?;
            let mut parts = parts.map_err(|_| Refused::Malformed)?;
            let session = Session::<Auth>::from_request_parts(&mut parts, &**auth).await;
            session.map(Self).map_err(Refused::Auth)
        })
    }
}

/// The head of the request in the types of `http` 1.
fn parts(request: &HttpRequest) -> http::Result<Parts> {
    let mut head = http::Request::builder().method(request.method().as_str()).uri(request.uri().to_string());
    for (name, value) in request.headers() {
        head = head.header(name.as_str(), value.as_bytes());
    }
    // `trusted_proxies` needs the address of the client.
    if let Some(peer) = request.peer_addr() {
        head = head.extension(ConnectInfo(peer));
    }
    Ok(head.body(())?.into_parts().0)
}

/// Why there is no session.
#[derive(Debug)]
pub enum Refused {
    Auth(AuthError),
    Malformed,
    NotConfigured,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auth(error) => error.fmt(f),
            Self::Malformed => f.write_str("the head of the request is malformed"),
            Self::NotConfigured => f.write_str("call `app_data(web::Data::new(auth))`"),
        }
    }
}

impl ResponseError for Refused {
    fn error_response(&self) -> HttpResponse<BoxBody> {
        let error = match self {
            Self::Auth(error) => error.clone().into_http(),
            Self::Malformed => return HttpResponse::BadRequest().finish(),
            Self::NotConfigured => return HttpResponse::InternalServerError().finish(),
        };
        let status =
            StatusCode::from_u16(error.status().as_u16()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::build(status);
        for (name, value) in error.headers() {
            response.append_header((name.as_str(), value.as_bytes()));
        }
        response.body(error.into_body())
    }
}
