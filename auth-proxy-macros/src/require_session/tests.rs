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
fn rule_is_a_type() {
    let text = |text: &str, length: usize| {
        let mut bytes = text.as_bytes().to_vec();
        bytes.resize(64, 0);
        let parts: Vec<String> = bytes
            .chunks(16)
            .map(|part| format!("{}u128", u128::from_be_bytes(part.try_into().unwrap())))
            .collect();
        format!("r::Text<{length}usize,{}>", parts.join(","))
    };
    let role = |name: &str| format!("r::Role<{}>", text(name, name.len()));
    for (args, rule) in [
        ("Auth, role(\"admin\")", role("admin")),
        ("Auth, role(\"\u{e4}\")", role("\u{e4}")),
        ("Auth, role(\"a role of more than sixteen bytes\")", role("a role of more than sixteen bytes")),
        ("Auth, signed_in()", "r::SignedIn".to_owned()),
        ("Auth, max_age(10m)", "r::MaxAge<600u64>".to_owned()),
        ("Auth, max_age(1h)", "r::MaxAge<3600u64>".to_owned()),
        ("Auth, not(role(\"a\"))", format!("r::Not<{}>", role("a"))),
        (
            "Auth, all(Admin, my::Gate<One, Two>)",
            "r::All<(r::Of<Admin>,(r::Of<my::Gate<One,Two>>,()))>".to_owned(),
        ),
        ("Auth, any([role(\"a\"), signed_in()],)", format!("r::Any<({},(r::SignedIn,()))>", role("a"))),
    ] {
        let output = guarded(args, "async fn page() {}");
        assert!(!output.contains("compile_error"), "{args}: {output}");
        let rule = format!("r::AttributeRule<{rule}>").replace("r::", "::auth_proxy::__private::rule::");
        assert_eq!(output.matches(&rule).count(), 1, "{args}: {rule} in {output}");
    }
    let output = guarded("Auth, any(Admin, role(\"a\"), Editor)", "async fn page() {}");
    let checked = |ty| format!("::auth_proxy::__private::policy::<Auth,{ty}>()");
    let both = format!("_:<[();{}*{}]as", checked("Admin"), checked("Editor"));
    assert!(output.contains(&both), "{output}");
    let named = guarded("role(\"a\"), crate = ::mine", "async fn page() {}");
    assert!(
        named.contains("_:::mine::RequireSession<Auth,::mine::__private::rule::AttributeRule<"),
        "{named}"
    );
}

/// A guard with a mistake refuses nobody by its rule, so it must not compile.
#[test]
fn mistake_in_a_rule_does_not_compile() {
    for (args, message) in [
        ("Auth, role(admin)", "write`\\\"admin\\\"`"),
        ("Auth, role()", "expectedatext"),
        ("Auth, role(\"\")", "atextof1to64bytes"),
        ("Auth, role(5)", "expectedatext"),
        ("Auth, role(\"a\", \"b\")", "takesonetext"),
        ("Auth, rol(\"a\")", "write`role`"),
        ("Auth, magic(\"a\")", "unknownrule`magic`:therulesare"),
        ("Auth, max_age(600)", "write`600s`"),
        ("Auth, max_age(\"10m\")", "write`10m`"),
        ("Auth, max_age(10 minutes)", "write`10m`"),
        ("Auth, max_age(500ms)", "wholeseconds"),
        ("Auth, max_age(0s)", "wholeseconds"),
        ("Auth, max_age()", "write`10m`"),
        ("Auth, signed_in(1)", "takesnothing:removeit"),
        ("Auth, all()", "needsarule"),
        ("Auth, all(())", "needsarule"),
        ("Auth, not(role(\"a\"), role(\"b\"))", "takesonerule"),
        ("Auth, all(\"admin\")", "write`role("),
        ("Auth, all(Admin())", "write`Admin`"),
        ("Auth, all(|session| true)", "aclosure"),
        ("Auth, role(\"a\"), max_age(10m)", "onlyonerulestandshere"),
        ("Auth, Admin, max_age(10m)", "onlyonerulestandshere"),
        ("role = \"admin\"", "write`role("),
        ("Auth, \"admin\"", "write`role("),
    ] {
        let output = guarded(args, "async fn page() {}");
        assert!(output.contains("compile_error") && output.contains(message), "{args}: {output}");
    }
    let long = format!("Auth, role(\"{}\")", "a".repeat(65));
    assert!(guarded(&long, "async fn page() {}").contains("compile_error"));
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
