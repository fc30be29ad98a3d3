//! Rules of paths, and paths that a service may read in another way than the rules.

use auth_proxy::rules::role;
use auth_proxy::verdict::{PathRules, Requirement};
use auth_proxy_tests::LogCapture;
use axum::Router;

use super::{Question, builder};
use crate::support::Auth;

fn rules() -> PathRules<Auth> {
    let rules = PathRules::new().public("/assets/**").unwrap().guests("/").unwrap();
    let rules = rules.require("/admin/**", role("admin")).unwrap();
    rules.session("/files/*/mine").unwrap().require("/files/**", role("admin")).unwrap()
}

fn app() -> Router {
    builder().build().unwrap().verdict().rules(rules()).router()
}

async fn status(app: &Router, path: &str, token: &str) -> u16 {
    Question::nginx(path).cookie(token).ask(app).await.status
}

#[tokio::test]
async fn first_pattern_that_matches_counts_and_without_one_a_session_is_required() {
    let app = app();
    // Nobody, Bob, who is a user, and Ada, who is an admin.
    for (path, expected) in [
        ("/", [200, 200, 200]),
        ("/?a=/admin", [200, 200, 200]),
        ("/assets", [200, 200, 200]),
        ("/assets/a/b.css?v=1", [200, 200, 200]),
        ("/assetsx", [401, 200, 200]),
        ("/reports", [401, 200, 200]),
        ("/admin", [401, 403, 200]),
        ("/admin/", [401, 403, 200]),
        ("/admin/users/1?tab=2", [401, 403, 200]),
        ("/%61dmin", [401, 403, 200]),
        ("/administrator", [401, 200, 200]),
        ("/files/7/mine", [401, 200, 200]),
        ("/files/a%20b/mine/", [401, 200, 200]),
        ("/files/7/mine/x", [401, 403, 200]),
        ("/files/7", [401, 403, 200]),
    ] {
        for (token, expected) in ["nobody", "bob", "ada"].into_iter().zip(expected) {
            assert_eq!(status(&app, path, token).await, expected, "{path} {token}");
        }
    }
    let refused = Question::nginx("/admin").cookie("bob").ask(&app).await;
    assert_eq!(refused.outcome(), (403, "policy_refused".to_owned()));
    let page = Question::nginx("/admin").page().ask(&app).await;
    assert_eq!(page.header("x-auth-redirect"), Some("/api/auth/signin?callbackUrl=%2Fadmin"));
}

#[tokio::test]
async fn public_path_asks_nobody_and_names_nobody_and_guests_are_named_if_they_are_signed_in() {
    let app = app();
    for (token, outage) in [("ada", false), ("down", true)] {
        let verdict = Question::nginx("/assets/a.css").cookie(token).ask(&app).await;
        assert_eq!((verdict.status, verdict.identity().len()), (200, 0), "{token}");
        let verdict = Question::nginx("/").cookie(token).ask(&app).await;
        assert_eq!(verdict.status, if outage { 502 } else { 200 });
        assert_eq!(verdict.header("x-auth-subject"), (!outage).then_some("7"));
    }
    let app = builder().build().unwrap().verdict().rules(rules().guests("/**").unwrap()).router();
    assert_eq!(status(&app, "/reports", "nobody").await, 200);
    assert_eq!(status(&app, "/admin", "nobody").await, 401);
}

#[tokio::test]
async fn outage_is_no_permission_and_no_refusal() {
    for path in ["/admin", "/reports", "/files/1"] {
        assert_eq!(status(&app(), path, "down").await, 502, "{path}");
    }
}

/// Each of these is `/admin/users` to some server: Express ignores the case, Tomcat removes parameters, IIS removes dots and
/// reads a backslash as a slash, others decode slashes, or decode twice, or collapse segments.
#[tokio::test]
async fn path_that_some_server_reads_as_a_protected_one_is_never_let_pass() {
    let app = app();
    let aliases = [
        "/ADMIN/users",
        "/Admin",
        "/%41dmin/users",
        "/adm%C4%B0n",
        "/admin;x=1/users",
        "/admin;/users",
        "/;/admin/users",
        "/;x/admin",
        "/admin%3Bx/users",
        "/admin%2Fusers",
        "/admin%2fusers",
        "/x%2F..%2Fadmin",
        "/x/..%2Fadmin",
        "//admin/users",
        "/x//admin",
        "///admin",
        "/./admin/users",
        "/x/../admin/users",
        "/x/%2e%2e/admin",
        "/x/..;/admin/users",
        "/assets/../admin/users",
        "/assets/..%2fadmin",
        "/assets/..;/admin",
        "/assets/%2e%2e/admin",
        "/assets\\..\\admin",
        "/assets/..\\admin",
        "/\\admin",
        "/admin\\users",
        "/assets%5C..%5Cadmin",
        "/admin%00/users",
        "/admin%0a",
        "/%61%64min",
        "/%2561dmin",
        "/%25%36%31dmin",
        "/admin.",
        "/admin./users",
        "/admin%20",
        "/admin%20/users",
        "/admin...",
        "/admin%2e",
        "/%c0%ae%c0%ae/admin",
        "/%u0061dmin",
        "/admin%",
        "/admin%3Fx",
        "/admin%23x",
        "/admin/%3F",
        "/assets/%3F/../../admin",
        "/%2e/admin",
        "/%20admin",
    ];
    for path in aliases {
        let verdict = Question::nginx(path).cookie("bob").ask(&app).await;
        assert!(matches!(verdict.status, 400 | 403), "{path}: {}", verdict.status);
        let code = verdict.code();
        assert!(
            ["path_ambiguous", "policy_refused", "original_request_invalid"].contains(&code.as_str()),
            "{code}"
        );
        let guest = Question::nginx(path).ask(&app).await;
        assert!(matches!(guest.status, 400 | 401), "{path}: {}", guest.status);
    }
}

/// Fastify 4 and restify end the path at a `;`, so they serve `/files/7` and `/account`.
#[tokio::test]
async fn path_is_ambiguous_if_it_needs_less_than_the_part_before_a_semicolon() {
    let rules = PathRules::new().require("/account", role("admin")).unwrap().guests("/**").unwrap();
    let other = builder().build().unwrap().verdict().rules(rules).router();
    for (app, path) in [
        (&app(), "/files/7;/mine"),
        (&app(), "/files/7;x=1/mine"),
        (&app(), "/files/7%3B/mine"),
        (&other, "/account;/x"),
        (&other, "/account;x/y/z"),
    ] {
        let verdict = Question::nginx(path).cookie("bob").ask(app).await;
        assert_eq!(verdict.outcome(), (400, "path_ambiguous".to_owned()), "{path}");
    }
}

/// Where the service is the login server too, these would sign visitors in, without the limit of the sign-in routes.
#[tokio::test]
async fn path_that_some_server_reads_as_a_sign_in_route_is_ambiguous() {
    let auth = builder().base_path("/login").upstream_base_path("/api/auth").build().unwrap();
    let rules = PathRules::new().guests("/**").unwrap();
    let without_rules = auth.verdict().router();
    let app = auth.verdict().rules(rules).router();
    for app in [&app, &without_rules] {
        for path in [
            "/API/AUTH/callback/credentials",
            "/api%2Fauth/session",
            "/api%2fauth",
            "/api;x/auth/session",
            "/api/auth;x",
            "/api/auth.",
            "/%61pi/auth/session",
            "/Login",
            "/login%2Fx",
            "/login;/x",
        ] {
            let verdict = Question::nginx(path).ask(app).await;
            assert_eq!(verdict.outcome(), (400, "path_ambiguous".to_owned()), "{path}");
        }
        // The proxy in front sends these elsewhere, or means it so.
        for path in ["/api/auth", "/api/auth/session", "/login/", "/login/x", "/logins", "/api/authors/x"] {
            assert_eq!(status(app, path, "bob").await, 200, "{path}");
        }
    }
}

/// The corpus of paths, with `/admin` for the base path of the sign-in routes.
#[tokio::test]
async fn no_path_of_the_corpus_below_a_protected_one_is_let_pass() {
    let corpus = include_str!("../../../corpus/paths.txt");
    let paths: Vec<_> = corpus.lines().filter(|line| line.starts_with("/api/auth")).collect();
    assert!(paths.len() > 150, "{}", paths.len());
    let app = app();
    for path in paths {
        let path = path.replacen("/api/auth", "/admin", 1);
        // `\xNN` cannot be in a header.
        let verdict = Question::nginx(&path.replace("\\\\", "\\")).cookie("bob").ask(&app).await;
        let is_elsewhere = path.starts_with("/adminx") || path.starts_with("/admin.x");
        assert!(matches!(verdict.status, 400 | 403) || is_elsewhere, "{path}: {}", verdict.status);
    }
}

/// A path that can be read in several ways passes if the same is required for all of them.
#[tokio::test]
async fn unusual_path_passes_if_the_same_rule_holds_for_every_reading() {
    let app = app();
    let unusual =
        ["/Reports/A.PDF", "/tags/c%23", "/wiki/What%3F", "/group%2Fproject", "/a;b=c", "/reports."];
    for path in unusual {
        assert_eq!(status(&app, path, "bob").await, 200, "{path}");
    }
    for path in ["/admin/Users", "/admin/c%23", "/admin/a%2Fb", "/assets/A.css"] {
        assert_eq!(status(&app, path, "ada").await, 200, "{path}");
    }
    let log = LogCapture::start();
    for (path, cause) in [
        ("/ADMIN", "the readings of the path match different rules"),
        ("/reports//a", "the path has a dot segment, an empty segment, a backslash"),
    ] {
        let verdict = Question::nginx(path).cookie("ada").ask(&app).await;
        assert_eq!(verdict.outcome(), (400, "path_ambiguous".to_owned()), "{path}");
        assert!(log.text().contains(cause), "{}", log.text());
    }
}

/// Without rules too: servers that remove empty and dot segments would sign visitors in there.
#[tokio::test]
async fn path_that_some_server_resolves_to_a_sign_in_route_is_ambiguous_without_rules() {
    let app = builder().build().unwrap().verdict().router();
    for path in ["//api/auth/x", "/y/../api/auth/x", "/API//auth", "/y/..%2fapi/auth/x", "/%2561pi/auth/x"] {
        let verdict = Question::nginx(path).cookie("bob").ask(&app).await;
        assert_eq!(verdict.outcome(), (400, "path_ambiguous".to_owned()), "{path}");
    }
}

/// Rules have to read a path, and refuse one that servers read in different ways. Where nothing depends on the path, a
/// service behind the proxy keeps all of its paths.
#[tokio::test]
async fn every_path_is_let_pass_where_none_needs_more_than_another() {
    let verdict = || builder().build().unwrap().verdict();
    let with = |rules: PathRules<Auth>| verdict().rules(rules).router();
    let sessions = verdict().router();
    let guests = with(PathRules::new().guests("/**").unwrap());
    let admins = with(PathRules::new().require("/**", role("admin")).unwrap());
    let differs = with(PathRules::new().public("/assets/**").unwrap().guests("/**").unwrap());
    for path in ["/a//b", "/a/../b", "/a%00", "/100%", "/resized/https://example.com/a.png"] {
        assert_eq!(status(&sessions, path, "bob").await, 200, "{path}");
        assert_eq!(status(&guests, path, "nobody").await, 200, "{path}");
        assert_eq!(
            [status(&admins, path, "ada").await, status(&admins, path, "bob").await],
            [200, 403],
            "{path}"
        );
        let refused = Question::nginx(path).cookie("bob").ask(&differs).await;
        assert_eq!(refused.outcome(), (400, "path_ambiguous".to_owned()), "{path}");
    }
    for path in ["//api/auth/x", "/y/../api/auth/x"] {
        assert_eq!(status(&guests, path, "nobody").await, 400, "{path}");
    }
}

#[test]
fn mistakes_in_rules_are_errors_that_say_what_to_write() {
    let error = |pattern: &str| rules().add(pattern, Requirement::Session).unwrap_err().to_string();
    assert!(error("admin").contains("starts with `/`"));
    assert!(error("/x/").contains("write `/admin` for this path, or `/admin/**`"));
    let unreachable = "no path reaches this rule, because `/admin/**` before it matches all of its paths";
    assert!(error("/admin/users").contains(unreachable), "{}", error("/admin/users"));
    assert!(error("/admin/**").contains(unreachable));
    assert!(rules().session("/**").is_ok());
}
