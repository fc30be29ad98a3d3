//! The session as an extractor of actix-web.
//!
//! `AUTH_UPSTREAM_URL=http://localhost:3001 cargo run -p actix`. It listens on `HOST` and `PORT`, 127.0.0.1:3000 by default.
//! Visitors sign in at another service of the same site, such as `front-door`.

mod visitor;

use std::net::TcpListener;

use actix_web::dev::Server;
use actix_web::{App, HttpServer, get, web};
use auth_proxy::auth_proxy;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};
use visitor::SignedIn;

auth_proxy! {
    struct Auth { upstream: { base_url: env("AUTH_UPSTREAM_URL") } }
}

#[get("/")]
async fn hello(SignedIn(session): SignedIn) -> String {
    format!("hello, {}", session.user.name.as_deref().unwrap_or("you"))
}

fn serve(listener: TcpListener, auth: Auth) -> std::io::Result<Server> {
    let app = move || App::new().app_data(web::Data::new(auth.clone())).service(hello);
    Ok(HttpServer::new(app).workers(2).listen(listener)?.run())
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The log goes to stderr: the first line of stdout is the address. `RUST_LOG` sets the level.
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let auth = Auth::from_env()?;
    let host = std::env::var("HOST").ok().filter(|host| !host.is_empty()).unwrap_or("127.0.0.1".to_owned());
    let port = std::env::var("PORT").unwrap_or("3000".to_owned()).parse::<u16>()?;
    let listener = TcpListener::bind((host.as_str(), port))?;
    println!("http://{}", listener.local_addr()?);
    Ok(serve(listener, auth)?.await?)
}

#[cfg(test)]
mod tests;
