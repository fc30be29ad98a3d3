//! The recipes of the guide are parts of the files that are tested.

const GUIDE: &str = include_str!("../../../../auth-proxy/docs/guide/reverse_proxies.md");

/// The first code block in this language after a heading.
fn block(heading: &str, language: &str) -> &'static str {
    let (_, section) = GUIDE.split_once(&format!("\n# {heading}\n")).unwrap();
    let (_, block) = section.split_once(&format!("```{language}\n")).unwrap();
    block.split("\n```").next().unwrap()
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

/// The recipes remove the headers for shared caches that the library removes.
#[test]
fn recipes_of_nginx_and_caddy_remove_each_header_for_shared_caches() {
    let source = include_str!("../../../../auth-proxy/src/cache_control.rs");
    let (_, list) = source.split_once("const FOR_SHARED_CACHES: &[&str] = &[\n").unwrap();
    let names = list.split("];").next().unwrap().lines().filter_map(|line| line.trim().strip_prefix('"'));
    let names: Vec<_> = names.map(|line| line.split('"').next().unwrap()).collect();
    assert!(names.len() >= 10, "{names:?}");
    let nginx = lines(include_str!("../../../../examples/verdict/nginx.conf"));
    let hidden = nginx.iter().filter_map(|line| line.strip_prefix("proxy_hide_header ")?.strip_suffix(';'));
    let mut hidden: Vec<_> = hidden.map(str::to_lowercase).collect();
    hidden.sort_unstable();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(hidden, sorted, "nginx");
    let caddy = lines(include_str!("../../../../examples/verdict/Caddyfile"));
    for name in names {
        let wildcard = name.ends_with("-cache-control").then_some("-*-cache-control".to_owned());
        let removed = wildcard.unwrap_or_else(|| format!("-{name}"));
        assert!(caddy.iter().any(|line| line.eq_ignore_ascii_case(&removed)), "Caddy: {name}");
    }
}

#[test]
fn recipes_of_the_guide_are_parts_of_the_tested_files() {
    for (section, language, file) in [
        ("nginx", "nginx", include_str!("../../../../examples/verdict/nginx.conf")),
        ("Caddy", "text", include_str!("../../../../examples/verdict/Caddyfile")),
        ("Traefik", "yaml", include_str!("../../../../examples/verdict/traefik.yml")),
        ("Envoy", "yaml", include_str!("../../../../examples/verdict/envoy.yaml")),
        ("Signed tokens", "js", include_str!("../../../authjs/verify-identity.mjs")),
    ] {
        let (block, file) = (lines(block(section, language)), lines(file));
        assert!(block.len() >= 2 && file.windows(block.len()).any(|part| part == block), "{section}");
    }
}
