//! The event stream and the WebSocket. Both send the name of this instance every second, until the session ends.

use std::convert::Infallible;
use std::time::Duration;

use auth_proxy::Session;
use axum::Error;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use axum::response::sse::{Event, Sse};
use futures_util::{Stream, stream};
use tokio::time::interval;

use crate::{App, Auth};

const PERIOD: Duration = Duration::from_secs(1);

pub async fn events(
    session: Session<Auth>,
    State(app): State<App>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let ticks = stream::unfold(interval(PERIOD), move |mut interval| {
        let event = Event::default().data(&app.instance);
        async move {
            interval.tick().await;
            Some((Ok(event), interval))
        }
    });
    Sse::new(session.stream_until_ended(ticks))
}

pub async fn socket(session: Session<Auth>, State(app): State<App>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(async move |mut socket| {
        if session.until_ended(talk(&mut socket, &app.instance)).await.is_err() {
            let reason = CloseFrame { code: close_code::POLICY, reason: "the session ended".into() };
            // The browser may be gone already.
            socket.send(Message::Close(Some(reason))).await.ok();
        }
    })
}

/// Returns when the browser closes the connection.
async fn talk(socket: &mut WebSocket, instance: &str) -> Result<(), Error> {
    let mut interval = interval(PERIOD);
    loop {
        tokio::select! {
            _ = interval.tick() => socket.send(Message::text(instance)).await?,
            message = socket.recv() => match message {
                Some(message) => drop(message?),
                None => return Ok(()),
            },
        }
    }
}
