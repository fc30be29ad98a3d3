//! The key endpoint of an issuer, on a real socket. It counts its requests, and can fail in several ways.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth_proxy_tests::App;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode, Uri};
use serde_json::Value;

pub(super) struct KeyEndpoint {
    app: App,
    state: Arc<Mutex<Endpoint>>,
}

/// How the endpoint answers.
#[derive(Clone)]
pub(super) enum Mode {
    Keys(Value),
    Body(String),
    Status(StatusCode),
    Redirect(String),
    /// It answers after this time.
    Late(Duration, Value),
    Hang,
}

struct Endpoint {
    mode: Mode,
    requests: Vec<(Uri, HeaderMap)>,
}

impl KeyEndpoint {
    pub(super) async fn start(mode: Mode) -> Self {
        let state = Arc::new(Mutex::new(Endpoint { mode, requests: Vec::new() }));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&state));
        Self { app: App::start(router).await, state }
    }

    /// An endpoint that publishes these keys.
    pub(super) async fn of(keys: Value) -> Self {
        Self::start(Mode::Keys(keys)).await
    }

    pub(super) fn url(&self) -> String {
        self.app.url("/keys?app=1")
    }

    pub(super) fn set(&self, mode: Mode) {
        self.state.lock().unwrap().mode = mode;
    }

    /// The number of requests so far.
    pub(super) fn count(&self) -> usize {
        self.state.lock().unwrap().requests.len()
    }

    pub(super) fn requests(&self) -> Vec<(Uri, HeaderMap)> {
        self.state.lock().unwrap().requests.clone()
    }
}

async fn answer(State(state): State<Arc<Mutex<Endpoint>>>, request: Request) -> Response {
    let mode = {
        let mut state = state.lock().unwrap();
        state.requests.push((request.uri().clone(), request.headers().clone()));
        state.mode.clone()
    };
    match mode {
        Mode::Keys(keys) => axum::Json(keys).into_response(),
        Mode::Body(body) => body.into_response(),
        Mode::Status(status) => status.into_response(),
        Mode::Redirect(to) => (StatusCode::FOUND, [("location", to)]).into_response(),
        Mode::Late(pause, keys) => {
            tokio::time::sleep(pause).await;
            axum::Json(keys).into_response()
        }
        Mode::Hang => {
            std::future::pending::<()>().await;
            Response::new(Body::empty())
        }
    }
}
