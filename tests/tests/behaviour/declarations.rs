//! Proxy declarations by `auth_proxy!`: under strict lints, with shadowed names in scope, inside other macros, and
//! several in one app. A renamed dependency is tested in tests/renamed.

/// Generated code must compile without warnings under all lints that a strict crate enables.
#[deny(warnings, missing_docs, unused_qualifications, missing_debug_implementations)]
#[allow(unreachable_pub, reason = "a crate of its own would export them")]
#[deny(clippy::all, clippy::pedantic, clippy::nursery)]
#[allow(clippy::missing_const_for_fn, reason = "the user's own handlers")]
mod strict_lints {
    use auth_proxy::{auth_proxy, require_session};

    auth_proxy! {
        pub struct Auth {
            upstream: { base_url: "http://localhost", secret: [env("A"), env("B", optional)], headers: { "x-a": "b" } },
        }
    }

    auth_proxy! {
        /// Documented.
        pub struct Documented<User = auth_proxy::User, Claims = auth_proxy::Claims> {
            upstream: { base_url: "http://localhost", fetch: axum::Router::new() },
        }
    }

    #[require_session]
    pub async fn handler() -> &'static str {
        "ok"
    }

    pub fn builds() -> bool {
        let _: (Option<Documented>, axum::routing::MethodRouter<Auth>) = (None, axum::routing::get(handler));
        Auth::builder().vars([("A", "a")]).build().is_ok() && Documented::from_env().is_ok()
    }
}

/// These names shadow names of the prelude, so generated code must use absolute paths.
#[allow(dead_code, non_camel_case_types, non_upper_case_globals, reason = "they only shadow other names")]
pub(crate) mod shadowed_names {
    pub(crate) const f: u8 = 1;
    pub(crate) const inner: u8 = 1;
    pub(crate) const proxy: u8 = 1;
    pub(crate) struct Result;
    pub(crate) struct Option;
    pub(crate) struct Some;
    pub(crate) struct None;
    pub(crate) struct Ok;
    pub(crate) struct Err;
    pub(crate) struct String;
    pub(crate) struct Vec;
    pub(crate) struct Box;
    pub(crate) struct str;
    pub(crate) trait Send {}
    pub(crate) trait Clone {}
    pub(crate) trait Debug {}
    pub(crate) trait Deref {}
    pub(crate) mod std {}
    pub(crate) mod core {}
    pub(crate) mod axum {}

    auth_proxy::auth_proxy! {
        pub(crate) struct Auth {
            upstream: {
                base_url: "http://localhost",
                secret: env("A", optional),
                timeout: env("T", default = "5s"),
                fetch: ::axum::Router::new(),
            },
        }
    }

    #[auth_proxy::require_session]
    pub(crate) async fn handler() -> &'static ::core::primitive::str {
        "ok"
    }
}

macro_rules! declare {
    ($(#[$attr:meta])* $vis:vis $name:ident, $url:literal, $timeout:expr, $user:ty) => {
        auth_proxy::auth_proxy! {
            $(#[$attr])*
            $vis struct $name<User = $user> {
                upstream: { base_url: $url, timeout: $timeout },
            }
        }
    };
}

declare!(
    /// From a macro.
    pub(crate) FromMacro, "http://localhost", 3s, serde_json::Value
);

#[test]
fn generated_code_compiles_under_strict_lints_and_shadowed_names() {
    assert!(strict_lints::builds());
    assert!(shadowed_names::Auth::from_env().is_ok());
    assert!(FromMacro::from_env().is_ok());
    let _: axum::routing::MethodRouter<shadowed_names::Auth> = axum::routing::get(shadowed_names::handler);
}

#[test]
fn proxy_declaration_inside_a_function_compiles() {
    auth_proxy::auth_proxy! {
        struct Inner { upstream: { base_url: "http://localhost" } }
    }
    assert!(Inner::from_env().is_ok());
}

/// Two proxies of one type serve one request: one guards, the other extracts the session. Each looks it up at its own
/// upstream.
#[tokio::test]
async fn two_proxies_of_one_type_make_separate_lookups() {
    use crate::support::{Auth, upstream};
    use auth_proxy::Session;

    let (first, second) = (upstream().await, upstream().await);
    let outer = Auth::builder().upstream_base_url(first.url()).build().unwrap();
    let inner = Auth::builder().upstream_base_url(second.url()).build().unwrap();
    async fn handler(session: Option<Session<Auth>>) -> String {
        session.is_some().to_string()
    }
    let router = axum::Router::new().route("/", axum::routing::get(handler)).with_state(inner);
    let app = auth_proxy_tests::App::start(outer.attach(router.layer(outer.require_any_session()))).await;
    let browser = auth_proxy_tests::Browser::of(&app);
    browser.sign_in("demo", "demo").await;
    // Both upstreams have the same secret, so the session of one is valid at the other. Each must get one lookup.
    assert_eq!((browser.get("/").await.body.as_str(), first.lookups(), second.lookups()), ("true", 1, 1));
}

/// One app with one state has two proxies, each with its own cookie and base path.
#[tokio::test]
async fn two_proxies_in_one_state_use_separate_cookies() {
    use auth_proxy::{Session, auth_proxy, require_session, testing::FakeUpstream};
    use axum::extract::FromRef;

    auth_proxy! { struct Staff { base_path: "/staff", upstream: { base_url: env("A"), base_path: "/api/auth", cookie_name: "staff" } } }
    auth_proxy! { struct Customers { base_path: "/login", upstream: { base_url: env("B"), base_path: "/api/auth" } } }

    #[derive(Clone, FromRef)]
    struct State {
        staff: Staff,
        customers: Customers,
    }

    #[require_session(Staff)]
    async fn both(staff: Session<Staff>, customer: Option<Session<Customers>>) -> String {
        format!("{:?} {}", staff.user.name, customer.is_some())
    }

    let staff = FakeUpstream::builder().cookie_name("staff").start().await.unwrap();
    let customers = FakeUpstream::start().await.unwrap();
    let state = State {
        staff: Staff::builder().upstream_base_url(staff.url()).build().unwrap(),
        customers: Customers::builder().upstream_base_url(customers.url()).build().unwrap(),
    };
    let router = axum::Router::new().route("/both", axum::routing::get(both));
    let router = state.customers.attach(state.staff.attach(router)).with_state(state.clone());
    let app = auth_proxy_tests::App::start(router).await;
    let browser = auth_proxy_tests::Browser::of(&app);
    assert_eq!(browser.get("/both").await.status, 401);
    browser.clone().with_base("/staff").sign_in("demo", "demo").await;
    assert_eq!(browser.get("/both").await.body, "Some(\"Demo\") false");
}
