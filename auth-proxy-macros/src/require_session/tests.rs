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
        ("", "_:::auth_proxy::RequireSession<Auth>,".to_owned()),
        ("my::Login", checked("::auth_proxy", "my::Login", None)),
        ("Auth, my::Admin", checked("::auth_proxy", "Auth", Some("my::Admin"))),
        ("Auth, Policy<Abc, Bcd>", checked("::auth_proxy", "Auth", Some("Policy<Abc,Bcd>"))),
        ("crate = ::mine::auth", "_:::mine::auth::RequireSession<Auth>,".to_owned()),
        ("Auth, crate = crate::auth", checked("crate::auth", "Auth", None)),
    ] {
        assert_eq!(guarded(args, item).replacen(&guard, "", 1), plain, "{args}");
    }
}

/// The argument with a check of the types.
fn checked(krate: &str, proxy: &str, policy: Option<&str>) -> String {
    let any = format!("{krate}::guards::AnySession");
    let check =
        policy.map_or_else(|| format!("proxy::<{proxy}>"), |policy| format!("policy::<{proxy},{policy}>"));
    let policy = policy.unwrap_or(&any);
    format!("_:<[();{krate}::__private::{check}()]as{krate}::__private::Guarded<{proxy},{policy}>>::Guard,")
}

#[test]
fn types_that_may_be_generic_parameters_are_not_in_a_constant() {
    let item = "async fn page<Proxy: A, const LIMIT: usize>() {}";
    for args in [
        "Proxy",
        "Proxy, Admin",
        "P",
        "Auth, A",
        "Auth, Gate<T>",
        "Auth, Self",
        "Auth, Self::Rule",
        "Auth, Gate<'a>",
        "Auth, Gate<LIMIT>",
        "Auth, Gate<fn() -> A, B>",
    ] {
        let guard = format!("_:::auth_proxy::RequireSession<{}>", args.replace(" ", ""));
        assert!(guarded(args, item).contains(&guard), "{args}: {}", guarded(args, item));
    }
}

#[test]
fn guard_is_inserted_despite_mistakes_in_the_arguments() {
    for args in [
        "role = \"admin\"",
        "\"Auth\"",
        "\"\"",
        "\"Auth",
        "Auth, A, B",
        "5",
        "&Auth",
        "&",
        "crate = auth",
        "crate",
        "=",
        "policy =",
        "policy = Admin",
        "Auth Admin",
        "Auth, Admin()",
        "Auth, Admin::new()",
        "Auth, |session| true",
        "()",
        "{}",
        "::",
        "Auth,, 'a",
    ] {
        if args.parse::<TokenStream>().is_err() {
            continue;
        }
        let output = guarded(args, "async fn page() {}");
        assert!(
            (output.contains("RequireSession<") || output.contains("Guarded<"))
                && output.contains("compile_error"),
            "{args}: {output}"
        );
    }
}

#[test]
fn function_that_axum_would_refuse_is_mended_after_the_error() {
    for (item, mended) in [
        ("fn page() -> String {}", "asyncfnpage("),
        ("fn page() -> impl IntoResponse + use<> {}", "asyncfnpage("),
        ("const fn page() {}", "asyncfnpage("),
        ("unsafe fn page() {}", "asyncfnpage("),
        ("async unsafe extern fn page() {}", "asyncexternfnpage("),
    ] {
        let output = guarded("", item);
        assert!(output.contains(mended) && output.contains("compile_error"), "{item}: {output}");
    }
    let item = format!("async fn page({} last: L) {{}}", "a: A, ".repeat(17));
    let output = guarded("", &item);
    assert!(output.contains("(a,a,a,last):(A,A,A,L))") && output.contains("compile_error"), "{output}");
    assert_eq!(output.matches(":A,").count(), 14, "{output}");
    for item in ["fn page() -> impl Future<Output = ()> {}", "fn page() -> BoxFuture {}"] {
        assert!(!guarded("", item).contains("compile_error"), "{item}");
    }
}

#[test]
fn error_on_a_closure_stands_alone() {
    for item in [
        "|| 1",
        "|a| a",
        "move || 1",
        "async || 1",
        "async move |a: A| 1",
        "get(page)",
        "self::page()",
        "a.b()",
    ] {
        let output = guarded("", item);
        assert!(output.starts_with("::core::compile_error!"), "{item}: {output}");
    }
    for item in ["async fn page(", "struct A;", "async fn page();", "union A {}"] {
        let Ok(_) = item.parse::<TokenStream>() else { continue };
        assert!(!guarded("", item).starts_with("::core::compile_error!"), "{item}");
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
