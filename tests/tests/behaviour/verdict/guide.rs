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
