//! A fake login server for the tests of an app, in whatever language. It answers as Auth.js, Robo.js, next-auth 4 or Better
//! Auth, and needs no Node. `cargo run -p fake-upstream -- --help` lists the options.

mod arguments;
mod storage_state;

use std::io;
use std::process::ExitCode;

use arguments::{Arguments, Command, USAGE};
use auth_proxy::options::{SessionStrategy, UpstreamKind};
use auth_proxy::testing::{FakeUpstream, FakeUpstreamBuilder};
use storage_state::storage_state;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Arguments::parse(lexopt::Parser::from_env()) {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("fake-upstream: {error}\n`fake-upstream --help` lists the options.");
            return ExitCode::from(2);
        }
    };
    let done = match arguments.command {
        Command::Help => {
            print!("{USAGE}");
            Ok(())
        }
        Command::Serve => serve(&arguments).await,
        Command::Cookie => cookie(&arguments).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fake-upstream: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Starts the server, prints what the app needs, and runs until it is killed.
async fn serve(arguments: &Arguments) -> io::Result<()> {
    let address = arguments.address;
    let upstream = builder(arguments).address(address).start().await;
    let upstream = upstream.map_err(|error| {
        io::Error::new(error.kind(), format!("cannot listen on {address} ({error}): choose another `--port`"))
    })?;
    if let (Some(file), Some(claims)) = (&arguments.storage_state, &arguments.claims) {
        std::fs::write(file, storage_state(&upstream.cookie(claims), &arguments.app)).map_err(|error| {
            io::Error::new(error.kind(), format!("cannot write {}: {error}", file.display()))
        })?;
    }
    let users: Vec<_> =
        arguments.users.iter().map(|user| format!("{} / {}", user.login, user.password)).collect();
    let users = if users.is_empty() { "demo / demo".to_owned() } else { users.join(" or ") };
    println!("{} (sign in as {users})", upstream.url());
    println!("{}", variables(arguments, &upstream));
    std::future::pending().await
}

/// Prints the cookie of a visitor. The token needs no server, so this one is gone before anybody uses the cookie.
async fn cookie(arguments: &Arguments) -> io::Result<()> {
    let upstream = builder(arguments).start().await?;
    if let Some(claims) = &arguments.claims {
        println!("{}", storage_state(&upstream.cookie(claims), &arguments.app));
    }
    Ok(())
}

fn builder(arguments: &Arguments) -> FakeUpstreamBuilder {
    let mut builder = FakeUpstream::builder()
        .strategy(arguments.strategy)
        .session_claims(&arguments.session_claims)
        .trusted_origins(&arguments.trusted_origins);
    builder = match arguments.kind {
        UpstreamKind::Robo => builder.robo(),
        UpstreamKind::NextAuthV4 => builder.next_auth_v4(),
        UpstreamKind::BetterAuth => builder.better_auth(),
        _ => builder,
    };
    if let Some(secret) = &arguments.secret {
        builder = builder.secret(secret);
    }
    if let Some(name) = &arguments.cookie_name {
        builder = builder.cookie_name(name);
    }
    arguments
        .users
        .iter()
        .fold(builder, |builder, user| builder.user(&user.login, &user.password, user.claims.clone().into()))
}

/// The variables of an app such as `from-env`, as a line for a shell.
fn variables(arguments: &Arguments, upstream: &FakeUpstream) -> String {
    let is_database =
        arguments.strategy == SessionStrategy::Database && arguments.kind != UpstreamKind::BetterAuth;
    let rest = if is_database {
        // The cookie is a key into a database, so the app needs no secret.
        " AUTH_SESSION_STRATEGY=database".to_owned()
    } else {
        format!(" AUTH_SECRET='{}'", upstream.secret().replace('\'', r"'\''"))
    };
    format!("export AUTH_UPSTREAM_URL={} AUTH_UPSTREAM_KIND={}{rest}", upstream.url(), arguments.kind)
}
