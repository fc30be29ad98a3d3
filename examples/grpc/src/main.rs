//! gRPC services of tonic behind the guard, and the sign-in routes for browsers on the same port.
//!
//! `AUTH_UPSTREAM_URL=http://localhost:3001 cargo run -p grpc`. It listens on `HOST` and `PORT`, 127.0.0.1:3000 by default. A
//! client sends its session token as the metadata `authorization: Bearer ..` or `cookie: ..`. A refused call has the status
//! `UNAUTHENTICATED`, `PERMISSION_DENIED` or `UNAVAILABLE`, whose message ends with the error code.

use std::net::SocketAddr;

use auth_proxy::rules::role;
use auth_proxy::{Session, auth_proxy};
use axum::Router;
use tonic::service::{LayerExt as _, Routes};
use tonic::{Request, Response, Status};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

mod greeter {
    include!(concat!(env!("OUT_DIR"), "/example.Greeter.rs"));
}
mod reports {
    include!(concat!(env!("OUT_DIR"), "/example.Reports.rs"));
}
use greeter::greeter_server::{Greeter, GreeterServer};
use reports::reports_server::{Reports, ReportsServer};

#[derive(Clone, PartialEq, prost::Message)]
struct Nothing {}

#[derive(Clone, PartialEq, prost::Message)]
struct Text {
    #[prost(string, tag = "1")]
    text: String,
}

auth_proxy! {
    struct Auth { upstream: { base_url: env("AUTH_UPSTREAM_URL") } }
}

struct Service;

#[tonic::async_trait]
impl Greeter for Service {
    async fn hello(&self, request: Request<Nothing>) -> Result<Response<Text>, Status> {
        // `with_session()` has put the session there.
        let session = request.extensions().get::<Session<Auth>>().ok_or(Status::internal("no guard"))?;
        let name = session.user.name.as_deref().unwrap_or("you");
        Ok(Response::new(Text { text: format!("hello, {name}") }))
    }
}

#[tonic::async_trait]
impl Reports for Service {
    async fn figures(&self, _: Request<Nothing>) -> Result<Response<Text>, Status> {
        Ok(Response::new(Text { text: "the figures".to_owned() }))
    }
}

fn app(auth: &Auth) -> Router {
    let members = auth.require_any_session().with_session().grpc();
    let admins = auth.require(role("admin")).grpc();
    let greeter = tower::ServiceBuilder::new().layer(members).named_layer(GreeterServer::new(Service));
    let reports = tower::ServiceBuilder::new().layer(admins).named_layer(ReportsServer::new(Service));
    auth.attach(Routes::new(greeter).add_service(reports).into_axum_router())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The log goes to stderr: the first line of stdout is the address. `RUST_LOG` sets the level.
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let app = app(&Auth::from_env()?);
    let host = std::env::var("HOST").ok().filter(|host| !host.is_empty()).unwrap_or("127.0.0.1".to_owned());
    let port = std::env::var("PORT").unwrap_or("3000".to_owned()).parse::<u16>()?;
    let listener = tokio::net::TcpListener::bind((host.as_str(), port)).await?;
    println!("http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?)
}

#[cfg(test)]
mod tests;
