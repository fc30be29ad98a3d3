use super::*;

/// Sources as they are pasted. Each becomes a block without mistakes, and the block holds these texts.
const PASTED: [(&str, &[&str]); 14] = [
    (
        "import type { AuthPluginOptions } from '@robojs/auth'
        export default <AuthPluginOptions>{
            basePath: '/api/auth',
            upstream: {
                baseUrl: process.env.AUTH_UPSTREAM_URL!,
                headers: { 'x-api-key': process.env.AUTH_PROXY_KEY! }
            }
        }",
        &[
            "    base_path: \"/api/auth\",\n",
            "        base_url: env(\"AUTH_UPSTREAM_URL\"),\n",
            "        headers: { \"x-api-key\": env(\"AUTH_PROXY_KEY\") },\n",
        ],
    ),
    (
        "upstream: {
            baseUrl: 'https://auth.myapp.com',
            secret: process.env.AUTH_SECRET,
            sessionStrategy: 'jwt'
        }",
        &["base_url: \"https://auth.myapp.com\"", "secret: env(\"AUTH_SECRET\")", "session_strategy: jwt"],
    ),
    (
        "export const auth = authProxy({
            // A comment.
            upstream: { baseUrl: process.env.URL ?? \"http://localhost:3000\", headers: { 'x-tenant': `frontend-app` } },
        })",
        &["base_url: env(\"URL\", default = \"http://localhost:3000\")", "\"x-tenant\": \"frontend-app\""],
    ),
    (
        "struct Auth { upstream: { baseUrl: `${process.env.URL}`, headers: { a: `Bearer ${process.env['KEY']}` } } }",
        &["base_url: env(\"URL\")", "\"a\": env(\"KEY\")"],
    ),
    (
        "export default { baseUrl: Bun.env.URL as string, cookieName: 'authjs.session-token' as const }",
        &["upstream: {\n        base_url: env(\"URL\"),\n        cookie_name: \"authjs.session-token\""],
    ),
    ("export default { upstream: { baseUrl: Deno.env.get('URL')! } } satisfies Options", &["env(\"URL\")"]),
    (
        "export default { upstream: { baseUrl: import.meta.env.URL, timeout: 5 * 1000, bodyLimit: 65536, retries: 0 } }",
        &["timeout: 5000ms", "body_limit: 65536B", "retries: off"],
    ),
    (
        "export default { upstream: { baseUrl: process.env.URL, secret: [process.env.A!, process.env.B!] } }",
        &["secret: [env(\"A\"), env(\"B\")]"],
    ),
    (
        "export default { upstream: { baseUrl: process.env.URL, secret: 'hunter2', fetch: (input, init) => fetch(input, { ...init, cache: 'no-store' }) } }",
        &["secret: env(\"AUTH_SECRET\")", "// upstream.fetch: write it by hand, such as `my_client()`"],
    ),
    (
        "export default { providers: [Discord({ clientId: process.env.ID! })], ...others, session: { strategy: 'jwt', maxAge: 60 }, upstream: { baseUrl: process.env.URL! } }",
        &["// providers: no option here", "// max_age: no option here", "session_strategy: jwt"],
    ),
    (
        "export default { upstream: { baseUrl: process.env.URL, secret: process.env.S, sessionStrategy: 'database' } }",
        &["base_url: env(\"URL\")", "// upstream."],
    ),
    (
        "export default { trustedProxies: ['10.0.0.0/8'], basePath: process.env.BASE ?? '/auth', clientJs: false }",
        &["trusted_proxies: [\"10.0.0.0/8\"]", "base_path: \"/auth\"", "client_js: false", "base_url: env("],
    ),
    ("export default { upstream: { baseUrl: 'no address', host: 'preserve' } }", &["host: preserve", "base_url: env("]),
    ("export default { upstream: { baseUrl: process.env.URL, headers: { 'Host': 'a' } } }", &["// upstream.headers"]),
];

#[test]
fn pasted_typescript_becomes_a_block_without_mistakes() {
    for (source, expected) in PASTED {
        let Some(block) = rewritten(source, "pub struct Auth") else { panic!("not rewritten: {source}") };
        for text in expected {
            assert!(block.contains(text), "{text}\n{block}");
        }
        assert_eq!(mistakes(&block), [""; 0], "{block}");
    }
}

#[test]
fn pasted_store_is_written_with_its_kind_and_without_a_password() {
    for (store, expected) in [
        ("process.env.CACHE_URL", "redis(env(\"CACHE_URL\"))"),
        ("process.env.CACHE_URL!", "redis(env(\"CACHE_URL\"))"),
        (
            "process.env.CACHE_URL ?? 'redis://cache'",
            "redis(env(\"CACHE_URL\", default = \"redis://cache\"))",
        ),
        ("process.env.CACHE_URL ?? 'redis://:hunter2@cache'", "redis(env(\"CACHE_URL\"))"),
        ("'redis://cache:6379'", "redis(\"redis://cache:6379\")"),
        ("'redis://:hunter2@cache:6379'", "redis(env(\"REDIS_URL\"))"),
    ] {
        let source = format!(
            "export default {{ upstream: {{ baseUrl: process.env.URL }}, session: {{ cache: 30000, store: {store} }} }}"
        );
        let Some(block) = rewritten(&source, "pub struct Auth") else { panic!("not rewritten: {source}") };
        assert!(!block.contains("hunter2"), "{block}");
        // Without the feature, the option is a mistake: the block has a comment in its place.
        let expected = if cfg!(feature = "redis") {
            format!("store: {expected}")
        } else {
            "// session.store".to_owned()
        };
        assert!(block.contains(&expected), "{expected}\n{block}");
        assert_eq!(mistakes(&block), [""; 0], "{block}");
    }
}

#[test]
fn rust_is_not_taken_for_typescript() {
    for source in [
        "pub struct Auth { upstream: { base_url: \"http://auth\", timeout: 5 } }",
        "pub struct Auth { upstream: { baseUrl: \"http://auth\" } }",
        "pub struct Auth { upstream: { base_url: process.env.URL } }",
        "pub struct Auth { upstream: { fetch: { let a = b()??; a } } }",
        "",
    ] {
        assert_eq!(rewritten(source, "pub struct Auth"), None, "{source}");
    }
}

/// Editors expand the macro while its block is being typed.
#[test]
fn half_pasted_typescript_never_panics() {
    for (source, _) in PASTED {
        for (end, _) in source.char_indices() {
            let _ = rewritten(&source[..end], "pub struct Auth");
        }
    }
}
