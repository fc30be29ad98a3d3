//! Per core: one runtime for each core, each with a listener, connections and a pool of upstream connections of its own. No
//! request moves between cores.
//!
//! There is one `Auth` for all cores. What it knows is true on each of them: cached sessions, sign-outs, limits of sign-in
//! attempts and the circuit breaker. With an `Auth` for each core, a sign-out on one core would not end the session that
//! another core remembers.
//!
//! The system distributes connections among the listeners by a hash (`SO_REUSEPORT`, Linux 3.9 or newer). A handler must not
//! block its thread: the other requests of that core wait then, and so do those of other cores that need a lookup, the keys
//! of an issuer or the store from it. Give long work to `tokio::task::spawn_blocking`.
//!
//! Run it with `AUTH_UPSTREAM_URL=http://localhost:3001 cargo run -p per-core`. If the login server is on the same machine,
//! it can listen on a Unix socket: `AUTH_UPSTREAM_URL=unix:/run/auth/auth.sock`. Behind TLS also set
//! `AUTH_PUBLIC_URL=https://app.example.com`.

use std::net::{SocketAddr, TcpListener};
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc;
use std::{io, thread};

use auth_proxy::{Session, auth_proxy, require_session};
use axum::{Router, routing::get};
use tokio::net::TcpSocket;
use tokio::runtime::Builder;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

/// How many connections may wait to be accepted, for each core.
const BACKLOG: u32 = 1024;

auth_proxy! {
    struct Auth {
        public_url: env("AUTH_PUBLIC_URL", optional),
        upstream: {
            kind: authjs,
            base_url: env("AUTH_UPSTREAM_URL"),
            session_strategy: env("AUTH_SESSION_STRATEGY", default = "jwt"),
        },
        session: { cache: 30s },
    }
}

#[require_session]
async fn home(session: Session<Auth>) -> String {
    format!("signed in as {}", session.user.email.as_deref().unwrap_or("a user without a name"))
}

/// Which thread answers.
async fn core() -> String {
    thread::current().name().unwrap_or_default().to_owned()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The log goes to stderr: the first line of stdout is the address. `RUST_LOG` sets the level.
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
    let auth = Auth::from_env()?;
    let app = auth.attach(Router::new().route("/", get(home)).route("/core", get(core))).with_state(auth);
    let host = std::env::var("HOST").ok().filter(|host| !host.is_empty()).unwrap_or("127.0.0.1".to_owned());
    let port = std::env::var("PORT").unwrap_or("3000".to_owned()).parse::<u16>()?;
    // With `SO_REUSEPORT`, a second start of the program would take a part of the connections without an error. This listener
    // has not that option, so it fails if any other one is there.
    let address = TcpListener::bind((host.as_str(), port))?.local_addr()?;
    let cores = thread::available_parallelism()?.get();
    // All listeners are open before the address is printed.
    let listeners = (0..cores).map(|_| listener(address)).collect::<io::Result<Vec<_>>>()?;
    println!("http://{address}");
    let (ended, ends) = mpsc::channel();
    for (n, listener) in listeners.into_iter().enumerate() {
        let (app, ended) = (app.clone(), ended.clone());
        thread::Builder::new().name(format!("core-{n}")).spawn(move || {
            let end = panic::catch_unwind(AssertUnwindSafe(|| serve(listener, app)));
            ended.send(end.unwrap_or_else(|_| Err(io::Error::other("a core has panicked"))))
        })?;
    }
    drop(ended);
    // The first thread that ends is an error: the program would go on with one core less.
    Ok(ends.recv()??)
}

fn listener(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    #[cfg(unix)]
    {
        socket.set_reuseaddr(true)?;
        socket.set_reuseport(true)?;
    }
    socket.bind(address)?;
    // `listen` registers the socket with a runtime. That of the core does so again.
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let _guard = runtime.enter();
    socket.listen(BACKLOG)?.into_std()
}

fn serve(listener: TcpListener, app: Router) -> io::Result<()> {
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await
    })
}
