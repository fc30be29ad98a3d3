//! The smallest proxy with hyper and hyper-util, without axum and reqwest. It shows what the other sides add.

use http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

use super::strip;
use crate::Error;

pub(super) async fn serve(listener: TcpListener, upstream: &str) -> Result<(), Error> {
    let upstream: Uri = upstream.parse()?;
    let authority = upstream.authority().ok_or("an upstream without a host")?.clone();
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    // Idle connections are kept without a limit, which is the default here and in reqwest.
    let client: Client<_, Incoming> = Client::builder(TokioExecutor::new()).build(connector);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (client, authority) = (client.clone(), authority.clone());
        let service = service_fn(move |request| forward(client.clone(), authority.clone(), request));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn forward(
    client: Client<HttpConnector, Incoming>,
    authority: http::uri::Authority,
    mut request: Request<Incoming>,
) -> Result<Response<Incoming>, Error> {
    let mut uri = std::mem::take(request.uri_mut()).into_parts();
    uri.scheme = Some(http::uri::Scheme::HTTP);
    uri.authority = Some(authority);
    *request.uri_mut() = Uri::from_parts(uri)?;
    strip(request.headers_mut());
    let mut response = client.request(request).await.map_err(|error: ClientError| Error::from(error))?;
    strip(response.headers_mut());
    Ok(response)
}
