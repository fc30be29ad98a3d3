//! Feature `utoipa`: adds the security schemes and the responses of guards to an OpenAPI document.
//!
//! It writes the document, and decides nothing.
//!
//! Imports the rooms: `provider`.
//! Does without the crates: `axum`, `http`, `hyper`, `jsonwebtoken`, `tokio`, `tower`.

use std::collections::BTreeSet;

use serde_json::Value;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::schema::{Components, KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    Content, Header, HeaderBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder, Schema,
    SecurityRequirement,
};

use crate::provider::{AuthProxy, Proxy};

/// The schema of the body of an error (RFC 9457).
const PROBLEM: &str = "AuthProxyProblem";

/// The media type of that body.
const MEDIA_TYPE: &str = "application/problem+json";

/// The responses of a guard: the status, the name of the component, and what it means.
const RESPONSES: [(&str, &str, &str); 6] = [
    (
        "400",
        "AuthProxyBadRequest",
        "The request does not say for which host it is: `Host` is missing, repeated or invalid.",
    ),
    (
        "401",
        "AuthProxyUnauthorized",
        "Not signed in, or the credential is invalid; or a newer or stronger sign-in is needed (`step_up_required`). A \
         browser that loads a page is sent to the sign-in page.",
    ),
    ("403", "AuthProxyForbidden", "Signed in, but not allowed to do this."),
    (
        "502",
        "AuthProxyBadGateway",
        "The sign-in service cannot be reached, failed, or gave an invalid answer. This signs nobody out.",
    ),
    (
        "503",
        "AuthProxyServiceUnavailable",
        "The sign-in service is overloaded or not asked for a moment, or something else is unknown that decides.",
    ),
    ("504", "AuthProxyGatewayTimeout", "The sign-in service did not answer in time."),
];

impl<P: AuthProxy> Proxy<P> {
    /// Adds the security schemes and the responses of guards to an OpenAPI document.
    ///
    /// An operation is guarded if its `security`, or that of the whole document, has the name of the declared type, such as
    /// `security(("Auth" = []))`. Each guarded operation gets
    ///
    /// - the security schemes: the session cookie under each name that it may have here, and a Bearer token;
    /// - the responses 400, 401, 403, 502, 503 and 504 with a problem body (RFC 9457), unless it documents that status itself.
    ///
    /// Call it once for each proxy, when the document has all its operations. A second call changes nothing.
    ///
    /// ```
    /// use auth_proxy::{auth_proxy, require_session};
    /// use utoipa::OpenApi as _;
    ///
    /// auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
    ///
    /// #[require_session(Auth, role("admin"))]
    /// #[utoipa::path(get, path = "/users", security(("Auth" = [])), responses((status = 200, body = Vec<String>)))]
    /// async fn users() -> axum::Json<Vec<String>> {
    ///     axum::Json(Vec::new())
    /// }
    ///
    /// #[derive(utoipa::OpenApi)]
    /// #[openapi(paths(users))]
    /// struct Api;
    ///
    /// # let auth = Auth::from_env()?;
    /// let mut document = Api::openapi();
    /// auth.add_to_openapi(&mut document);
    /// let users = document.paths.paths["/users"].get.as_ref().unwrap();
    /// assert!(users.responses.responses.contains_key("401"));
    /// # Ok::<(), auth_proxy::ConfigError>(())
    /// ```
    pub fn add_to_openapi(&self, document: &mut OpenApi) {
        let name = P::SPEC.name;
        let schemes = self.schemes();
        let names: Vec<&str> = schemes.iter().map(|(name, _)| name.as_str()).collect();
        let is_all_guarded = document.security.as_mut().is_some_and(|security| offer(security, name, &names));
        let components = document.components.get_or_insert_with(Components::new);
        for item in document.paths.paths.values_mut() {
            for operation in operations(item) {
                let is_guarded = match &mut operation.security {
                    Some(security) => offer(security, name, &names),
                    None => is_all_guarded,
                };
                if is_guarded {
                    add_responses(operation);
                }
            }
        }
        for (name, scheme) in schemes {
            components.security_schemes.insert(name, RefOr::T(scheme));
        }
        components.schemas.entry(PROBLEM.to_owned()).or_insert_with(|| RefOr::T(problem()));
        for (status, name, description) in RESPONSES {
            let response = || RefOr::T(response(status, description));
            components.responses.entry(name.to_owned()).or_insert_with(response);
        }
    }

    /// The security schemes with their names. The first one has the name of the declared type.
    fn schemes(&self) -> Vec<(String, SecurityScheme)> {
        let (shared, name) = (self.shared(), P::SPEC.name);
        let mut schemes = Vec::new();
        if shared.settings.has_sign_in() {
            // With two names, the scheme of the request decides which one a browser has. The second has a prefix.
            let mut cookies: Vec<&str> =
                shared.names.all().iter().map(|name| name.browser.as_str()).collect();
            cookies.sort_by_key(|cookie| cookie.starts_with('_'));
            cookies.dedup();
            for (number, cookie) in cookies.into_iter().enumerate() {
                let description = "The session cookie, which the sign-in routes set.";
                let value = ApiKeyValue::with_description(cookie, description);
                let suffix = if number == 0 { "" } else { "SecureCookie" };
                schemes.push((format!("{name}{suffix}"), SecurityScheme::ApiKey(ApiKey::Cookie(value))));
            }
        }
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A session token, or a token that the sign-in service issued."));
        let suffix = if schemes.is_empty() { "" } else { "Bearer" };
        schemes.push((format!("{name}{suffix}"), SecurityScheme::Http(bearer.build())));
        schemes
    }
}

/// Offers each of these schemes where the first of them is required. Returns whether it is.
fn offer(security: &mut Vec<SecurityRequirement>, name: &str, schemes: &[&str]) -> bool {
    let Some(at) = security.iter().position(|required| names_of(required).contains(name)) else {
        return false;
    };
    let is_new = |other: &&&str| !security.iter().any(|required| names_of(required).contains(**other));
    let new: Vec<_> = schemes
        .iter()
        .skip(1)
        .filter(is_new)
        .map(|other| SecurityRequirement::new(*other, Vec::<String>::new()))
        .collect();
    let after = at + 1;
    security.splice(after..after, new);
    true
}

/// The schemes that a requirement names. It shows them only as JSON.
fn names_of(required: &SecurityRequirement) -> BTreeSet<String> {
    match serde_json::to_value(required) {
        Ok(Value::Object(schemes)) => schemes.into_iter().map(|(name, _)| name).collect(),
        _ => BTreeSet::new(),
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut item.get,
        &mut item.put,
        &mut item.post,
        &mut item.delete,
        &mut item.options,
        &mut item.head,
        &mut item.patch,
        &mut item.trace,
        &mut item.query,
    ]
    .into_iter()
    .filter_map(Option::as_mut)
}

/// Adds the responses of a guard. What the app documents itself stays.
fn add_responses(operation: &mut Operation) {
    for (status, name, _) in RESPONSES {
        let response = || RefOr::Ref(Ref::from_response_name(name));
        operation.responses.responses.entry(status.to_owned()).or_insert_with(response);
    }
}

fn response(status: &str, description: &str) -> Response {
    let content = Content::new(Some(Ref::from_schema_name(PROBLEM)));
    let response = ResponseBuilder::new().description(description).content(MEDIA_TYPE, content);
    let response = match status {
        "401" => response
            .header("WWW-Authenticate", header("The challenge for a Bearer token (RFC 6750, RFC 9470).")),
        "400" | "403" => response,
        _ => response.header("Retry-After", header("Seconds after which to try again, or a date.")),
    };
    response.build()
}

fn header(description: &str) -> Header {
    let text = ObjectBuilder::new().schema_type(Type::String);
    HeaderBuilder::new().schema(Some(text)).description(Some(description)).build()
}

/// The body of an error, as `AuthError` writes it.
fn problem() -> Schema {
    let text =
        |description: &str| ObjectBuilder::new().schema_type(Type::String).description(Some(description));
    let status = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
        .description(Some("The status of the response."));
    let object = ObjectBuilder::new()
        .description(Some("Why a request was refused (RFC 9457)."))
        .property("type", text("Always `about:blank`."))
        .property("title", text("The name of the status."))
        .property("status", status)
        .property(
            "code",
            text("A stable name of the reason, such as `session_absent`. New ones may be added."),
        )
        .property("detail", text("A sentence for people."))
        .required("type")
        .required("title")
        .required("status")
        .required("code")
        .required("detail");
    Schema::Object(object.build())
}
