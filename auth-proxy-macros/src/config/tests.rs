//! Tests of the expansion of `auth_proxy!` and of its mistakes.

use expect_test::expect_file;
use proc_macro2::TokenStream;

use super::*;

fn parse(source: &str) -> TokenStream {
    source.parse().unwrap()
}

/// The mistakes in a block, in the order in which they are reported.
fn mistakes(block: &str) -> Vec<String> {
    let mut errors = Errors::default();
    if let Some(declaration) = parse::declaration(parse(&format!("(krate) {block}")), &mut errors) {
        validate::check(&declaration, &mut errors);
    }
    errors.messages()
}

const WITHOUT_CLIENT_JS: &str = "| `client_js` | `false`, without the feature `client-js` |";

fn expanded(block: &str) -> String {
    let output = expand(parse(&format!("(::auth_proxy) {block}")));
    let code = prettyplease::unparse(&syn::parse2(output).unwrap());
    // The default of `client_js` depends on a feature. The snapshots have the feature.
    if cfg!(feature = "client-js") {
        code
    } else {
        code.replace(WITHOUT_CLIENT_JS, "| `client_js` | `true` |")
    }
}

#[test]
fn auth_proxy_expansion_matches_the_snapshot() {
    let minimal = "pub struct Auth { upstream: { base_url: env(\"AUTH_UPSTREAM_URL\") } }";
    expect_file!["../../snapshots/minimal.rs"].assert_eq(&expanded(minimal));
    let full = r#"
        /// Documented.
        #[must_use]
        pub(crate) struct Login<User = AppUser, Claims = Vec<AppClaims>> {
            base_path: "/auth",
            hosts: ["app.example.com", "app.example.com:8443"],
            upstream: {
                kind: authjs,
                audience: any,
                issuer: env("ISSUER", optional),
                public_origins: ["https://auth.example.com"],
                base_url: env("URL", default = "https://auth.example.com"),
                headers: { "x-api-key": env("KEY", optional), "x-tenant": "a" },
                secret: [env("A"), env("B", optional)],
                timeout: 500ms,
                body_limit: 64KiB,
                allow_http: true,
                fetch: client::<A, B>(1, 2),
            },
            session: { source: local, renew: 1h, expose_session_token: false },
        }"#;
    expect_file!["../../snapshots/full.rs"].assert_eq(&expanded(full));
}

#[test]
fn block_with_mistakes_still_declares_its_type() {
    let output = expanded("pub struct Auth<User = A> { bas_path: \"/a\", upstream: { timeout: 5 } }");
    expect_file!["../../snapshots/mistakes.rs"].assert_eq(&output);
}

#[test]
fn each_mistake_in_a_block_is_reported_once() {
    let block = r#"struct Auth { a: 1, upstream: { base_url: "http://auth", timeout: 5, secret: "x", b: 2 }, routes: x }"#;
    assert_eq!(mistakes(block).len(), 5);
    // A missing comma is one mistake and does not hide others.
    let block =
        r#"struct Auth { base_path: "x" upstream: { base_url: "http://auth" timeout: 5 kind: robo } }"#;
    assert_eq!(mistakes(block).len(), 5, "{:?}", mistakes(block));
}

#[test]
fn declaration_without_options_is_reported_once() {
    for block in ["struct Auth", "struct Auth;", "struct Auth<User = A>", "struct Auth<User = A>;"] {
        let expected = "the options are missing: write `struct Auth { upstream: { base_url: env(\"AUTH_UPSTREAM_URL\") } }`";
        assert_eq!(mistakes(block), [expected], "{block}");
    }
}

#[test]
fn misspelled_key_is_reported_once() {
    assert_eq!(
        mistakes(r#"struct Auth { upstream: { baseUrl: "http://auth" } }"#),
        ["`baseUrl` is spelled `base_url`"]
    );
    assert_eq!(
        mistakes(r#"struct Auth { upstream: { base_ulr: "http://auth", base_url: "http://auth" } }"#),
        ["unknown option `base_ulr`, did you mean `base_url`?"]
    );
}

#[test]
fn other_name_of_a_kind_is_reported_once() {
    for kind in ["nextauth", "next-auth", "auth.js", "@auth/core", "\"next-auth\""] {
        let block = format!("struct Auth {{ upstream: {{ kind: {kind}, base_url: \"http://auth\" }} }}");
        let found = mistakes(&block);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("`authjs`") && found[0].contains("`next_auth_v4`"), "{found:?}");
    }
    // A missing comma is another mistake and does not hide the first.
    let found = mistakes(r#"struct Auth { upstream: { kind: auth.js base_url: "http://auth" } }"#);
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn misspelled_word_is_not_read_as_text() {
    for option in ["host: presrve", "audience: ayn", "token: encrypted-v4"] {
        let block = format!("struct Auth {{ upstream: {{ {option}, base_url: \"http://auth\" }} }}");
        assert_eq!(mistakes(&block).len(), 1, "{option}: {:?}", mistakes(&block));
    }
}

#[test]
fn fetch_expressions_may_contain_commas() {
    for fetch in ["a::<B, C>()", "::a::b()", "::a::<B, C>()", "|a, b| a", "[a, b]", "x"] {
        let block = format!("struct Auth {{ upstream: {{ fetch: {fetch}, base_url: \"http://auth\" }} }}");
        assert_eq!(mistakes(&block), [""; 0], "{fetch}");
    }
}

#[test]
fn value_with_a_mistake_is_reported_once() {
    for option in [
        "kind: Kind::AuthJs",
        "body_limit: 10 * 1024 * 1024",
        "cookie_name: \"a\".to_string()",
        "host: env(\"A\").unwrap_or(\"b\")",
        "timeout: env!(\"A\").parse().unwrap()",
        "secret: vec![env(\"A\")]",
        "secret: std::env::var(\"A\").unwrap()",
        "public_origins: vec![\"https://a\"]",
        "headers: { \"a\": \"b\".into() }",
        "headers: { \"a\": \"${A}\" }",
        "headers: { \"authorization\": \"Bearer a\" }",
        "base_path: env(\"A\", default = \"${B}\")",
        "pub timeout: 5s",
        "tim",
    ] {
        let block = format!("struct Auth {{ upstream: {{ {option}, base_url: \"http://auth\" }} }}");
        assert_eq!(mistakes(&block).len(), 1, "{option}: {:?}", mistakes(&block));
    }
}

#[test]
fn base_url_in_the_wrong_place_is_not_missing_too() {
    for block in [
        "base_url: \"http://auth\"",
        "base_url: \"http://auth\", upstream: { kind: robo }",
        "url: \"http://auth\"",
        "upstream: { url: \"http://auth\" }",
        "upstream: { base_u }",
        "upstream: { base_url }",
        "upstream: { kind: robo, b }",
        "session: { base_url: \"http://auth\" }",
        "server: { base_url: \"http://auth\" }",
        "upstream",
        "ups",
    ] {
        let block = format!("struct Auth {{ {block} }}");
        let found = mistakes(&block);
        assert!(found.len() == 1 && !found[0].contains("is missing"), "{block}: {found:?}");
    }
}

/// Editors expand the macro while its block is being typed.
#[test]
fn half_typed_blocks_never_panic() {
    let whole = r#"/// D
        pub struct Auth<User = A<B>, Claims = C> { base_path: "/a", upstream: { base_url: env("A", default = "b"),
        headers: { "a": env("B", optional) }, secret: [env("S")], timeout: -5s, body_limit: 1 * 2,
        kind: Kind::A, host: env("H").unwrap_or("a"), public_origins: vec!["a", b.c], pub token: HS256, fetch: f(|a| a, 1) }, session: { source: local } }"#;
    let tokens: Vec<_> = parse(whole).into_iter().collect();
    for end in 0..=tokens.len() {
        let part: TokenStream = tokens.iter().take(end).cloned().collect();
        expand(quote::quote!((::auth_proxy) #part));
    }
    // The same with each single token removed, at any depth.
    let mut variants = Vec::new();
    remove_each_token(&parse(whole), &mut variants);
    assert!(variants.len() > 60);
    for variant in variants {
        expand(quote::quote!((::auth_proxy) #variant));
    }
    expand(TokenStream::new());
}

fn remove_each_token(tokens: &TokenStream, out: &mut Vec<TokenStream>) {
    let all: Vec<_> = tokens.clone().into_iter().collect();
    for at in 0..all.len() {
        let around = |middle: Option<proc_macro2::TokenTree>| -> TokenStream {
            all[..at].iter().cloned().chain(middle).chain(all[at + 1..].iter().cloned()).collect()
        };
        out.push(around(None));
        if let proc_macro2::TokenTree::Group(group) = &all[at] {
            let mut inner = Vec::new();
            remove_each_token(&group.stream(), &mut inner);
            out.extend(
                inner
                    .into_iter()
                    .map(|inner| around(Some(proc_macro2::Group::new(group.delimiter(), inner).into()))),
            );
        }
    }
}
