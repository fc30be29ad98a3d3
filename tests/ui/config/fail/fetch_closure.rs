use auth_proxy::auth_proxy;
use axum::extract::Request;
use axum::response::Response;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth", fetch: |request| async move { send(request).await } },
    }
}

auth_proxy! {
    pub struct Function {
        upstream: { base_url: "http://auth", fetch: send },
    }
}

// As the note says: no error.
auth_proxy! {
    pub struct Service {
        upstream: {
            base_url: "http://auth",
            fetch: tower::service_fn(|request: http::Request<axum::body::Body>| async move { send(request).await }),
        },
    }
}

async fn send(_: Request) -> Result<Response, std::io::Error> {
    Ok(Response::default())
}

fn main() {}

// first: 7:53 `|request| async move { send(request).await }`
