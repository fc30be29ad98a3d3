//! Tests of the expansion of `#[require_session]`.

use proc_macro2::TokenStream;

use super::expand;

fn guarded(args: &str, item: &str) -> String {
    let args: TokenStream = args.parse().unwrap();
    expand(args, item.parse().unwrap()).to_string().replace(' ', "")
}

#[test]
fn require_session_adds_only_the_guard_argument() {
    let item =
        "#[doc = \"d\"] pub(crate) async fn page<T: A>(#[cfg(x)] b: B) -> C where T: D { not rust at all = }";
    let plain: TokenStream = item.parse().unwrap();
    let plain = plain.to_string().replace(' ', "");
    for (args, guard) in [
        ("", "_:::auth_proxy::RequireSession<Auth>,"),
        ("my::Login", "_:::auth_proxy::RequireSession<my::Login>,"),
        ("Auth, Policy<A, B>", "_:::auth_proxy::RequireSession<Auth,Policy<A,B>>,"),
        ("Auth, Gate<fn() -> A, B>", "_:::auth_proxy::RequireSession<Auth,Gate<fn()->A,B>>,"),
        ("crate = ::mine::auth", "_:::mine::auth::RequireSession<Auth>,"),
        ("Auth, crate = crate::auth", "_:crate::auth::RequireSession<Auth>,"),
    ] {
        assert_eq!(guarded(args, item).replacen(guard, "", 1), plain, "{args}");
    }
}

#[test]
fn guard_is_inserted_despite_mistakes_in_the_arguments() {
    for args in ["role = \"admin\"", "\"Auth\"", "Auth, A, B", "5", "&Auth", "crate = auth"] {
        let output = guarded(args, "async fn page() {}");
        assert!(
            output.contains("RequireSession<Auth") && output.contains("compile_error"),
            "{args}: {output}"
        );
    }
}

#[test]
fn items_that_cannot_be_guarded_do_not_compile() {
    for item in [
        "struct A;",
        "mod a {}",
        "async fn f(&self) {}",
        "fn f();",
        "",
        "fn",
        "async fn f(",
        "let a = 1;",
        "const A: u8 = 1;",
    ] {
        let Ok(item) = item.parse::<TokenStream>() else { continue };
        assert!(expand(TokenStream::new(), item.clone()).to_string().contains("compile_error"), "{item}");
    }
}
