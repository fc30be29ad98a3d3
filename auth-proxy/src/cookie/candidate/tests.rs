//! Tests of `Candidate`: which session token of a request is chosen.

use http::HeaderValue;
use proptest::prelude::*;

use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE};

use super::*;
use crate::cookie::drop_stray_cookies;
use crate::cookie::scan::CHUNK_LIMIT;

const NAME: &str = "authjs.session-token";

fn cookies(lines: &[&str]) -> HeaderMap {
    lines.iter().map(|line| (COOKIE, HeaderValue::from_bytes(line.as_bytes()).unwrap())).collect()
}

fn read(headers: &HeaderMap, name: &str, opaque: bool) -> Result<Option<Credential>, CredentialError> {
    Candidate::of(headers, &[name], opaque)?
        .map(|candidate| candidate.into_credential(CompanionCookies::default()))
        .transpose()
}

fn found(lines: &[&str]) -> Vec<String> {
    let credential = read(&cookies(lines), NAME, false).unwrap();
    credential.iter().map(|credential| credential.token().to_owned()).collect()
}

#[test]
fn session_cookie_is_found_by_its_exact_name() {
    assert_eq!(found(&["a=1; authjs.session-token=x; b=2"]), ["x"]);
    assert_eq!(found(&["a=1;  authjs.session-token = x ;b"]), ["x"]);
    assert_eq!(found(&["a=1", "authjs.session-token=x"]), ["x"]);
    assert_eq!(found(&["authjs.session-token-old=y; authjs.session-token=x"]), ["x"]);
    assert_eq!(found(&["xauthjs.session-token=y"]), [""; 0]);
    assert_eq!(found(&["authjs.session-token=x; authjs.session-token=y"]), ["x"]);
    assert_eq!(found(&["authjs.session-token="]), [""; 0]);
    assert_eq!(found(&["authjs.session-token"]), [""; 0]);
    assert_eq!(found(&["authjs.session-token=a=b"]), ["a=b"]);
    // A cookie that is not UTF-8 is ignored.
    let mut headers = cookies(&[]);
    let line = b"authjs.session-token=\xff; a\xff=\xff; authjs.session-token=x";
    headers.append(COOKIE, HeaderValue::from_bytes(line).unwrap());
    let credential = read(&headers, NAME, false).unwrap().unwrap();
    assert_eq!(credential.token(), "x");
    assert_eq!(format!("{credential:?}"), "Credential { bearer: false, .. }");
    assert_eq!(found(&["__Secure-authjs.session-token=y"]), [""; 0]);
}

#[test]
fn contiguous_chunks_are_joined_in_any_order() {
    assert_eq!(
        found(&["authjs.session-token.1=b; authjs.session-token.0=a; authjs.session-token.2=c"]),
        ["abc"]
    );
    assert_eq!(found(&["authjs.session-token.0=a; authjs.session-token.2=c"]), ["a"]);
    assert_eq!(found(&["authjs.session-token.1=b"]), [""; 0]);
    assert_eq!(
        found(&["authjs.session-token.00=a; authjs.session-token.0=b; authjs.session-token.01=c"]),
        ["b"]
    );
    let many: Vec<String> = (0..14).rev().map(|n| format!("{NAME}.{n}={n};")).collect();
    assert_eq!(found(&[&many.concat()]), ["012345678910111213"]);
}

#[test]
fn token_shape_decides_between_whole_cookie_and_chunks() {
    let chunks = "authjs.session-token.0=a..b.; authjs.session-token.1=c.d";
    assert_eq!(found(&[&format!("authjs.session-token=stale; {chunks}")]), ["a..b.c.d"]);
    assert_eq!(found(&["authjs.session-token=a..b.c.d; authjs.session-token.0=stale"]), ["a..b.c.d"]);
    assert_eq!(found(&[&format!("authjs.session-token=1..2.3.4; {chunks}")]), ["1..2.3.4"]);
}

#[test]
fn cookie_value_is_decoded_as_in_auth_js() {
    assert_eq!(found(&["authjs.session-token=a%2Eb"]), ["a.b"]);
    assert_eq!(found(&["authjs.session-token=a%zz"]), ["a%zz"]);
    assert_eq!(found(&["authjs.session-token=%ff"]), ["%ff"]);
    assert_eq!(found(&["authjs.session-token=\"x\""]), ["\"x\""]);
}

#[test]
fn bearer_token_needs_the_exact_scheme_and_no_session_cookie() {
    let read = |cookie: Option<&str>, authorization: &str| {
        let mut headers = cookies(cookie.as_slice());
        headers.insert(AUTHORIZATION, authorization.parse().unwrap());
        read(&headers, NAME, false).map(|c| c.map(|c| (c.is_bearer(), c.token().to_owned())))
    };
    assert_eq!(read(None, "Bearer x%2Ey"), Ok(Some((true, "x.y".to_owned()))));
    assert_eq!(read(None, "bearer x"), Ok(None));
    assert_eq!(read(None, "Basic x"), Ok(None));
    assert_eq!(read(None, "Bearer %zz"), Err(CredentialError::BearerMalformed));
    for broken in ["Bearer", "Bearer ", "Bearer  ", "Bearer  x", "Bearer x y", "Bearer \tx", "Bearer %ff"] {
        assert_eq!(read(None, broken), Err(CredentialError::BearerMalformed), "{broken:?}");
    }
    assert_eq!(read(None, "Bearerx"), Ok(None));
    assert_eq!(read(None, "Bearer\tx"), Ok(None));
    assert_eq!(read(Some("authjs.session-token=c"), "Bearer x"), Ok(Some((false, "c".to_owned()))));
    assert_eq!(read(Some("authjs.session-token="), "Bearer x"), Ok(Some((true, "x".to_owned()))));
}

#[test]
fn first_authorization_header_counts() {
    let mut headers = HeaderMap::new();
    headers.append(AUTHORIZATION, "Bearer x".parse().unwrap());
    headers.append(AUTHORIZATION, "Bearer y".parse().unwrap());
    let credential = read(&headers, NAME, true).unwrap().unwrap();
    assert_eq!(credential.token(), "x");
}

#[test]
fn first_cookie_name_that_was_sent_counts() {
    let names = ["__Secure-a", "a"];
    let name_and_token = |line: &str| {
        let headers = cookies(&[line]);
        let found = Candidate::of(&headers, &names, false).unwrap().unwrap();
        (found.name(), found.token().unwrap().into_owned())
    };
    assert_eq!(name_and_token("a=1; __Secure-a=2"), (0, "2".to_owned()));
    assert_eq!(name_and_token("a=1..2.3.4; __Secure-a.0=garbage"), (0, "garbage".to_owned()));
    assert_eq!(name_and_token("a=1; __Secure-a="), (1, "1".to_owned()));
    assert_eq!(name_and_token("a.0=1; a.1=2"), (1, "12".to_owned()));
}

/// The cache of verified tokens uses these bytes as its key, so each way to send a token needs its own bytes.
#[test]
fn each_way_to_send_a_token_has_its_own_bytes() {
    let names = ["__Secure-a", "a"];
    let mut seen = std::collections::HashSet::new();
    for (cookie, authorization) in [
        ("__Secure-a=x", ""),
        ("a=x", ""),
        ("__Secure-a.0=x", ""),
        ("a.0=x", ""),
        ("", "Bearer x"),
        ("a.0=x; a.1=y", ""),
        ("", "Bearer x;y"),
        ("a=xy", ""),
        ("a.0=xy", ""),
    ] {
        let mut headers = cookies(&[cookie]);
        headers.insert(AUTHORIZATION, authorization.parse().unwrap());
        let found = Candidate::of(&headers, &names, false).unwrap().unwrap();
        let (form, bytes) = found.as_sent();
        assert!(seen.insert((found.name(), form, bytes.into_owned())), "{cookie} {authorization}");
    }
}

#[test]
fn stray_session_cookies_are_not_forwarded() {
    let left = |line: &str, opaque: bool| {
        let mut headers = cookies(&[line]);
        drop_stray_cookies(&mut headers, "s", opaque);
        headers.get(COOKIE).map(|line| line.to_str().unwrap().to_owned()).unwrap_or_default()
    };
    for (line, kept) in [
        ("a=1;  s=x ; b = 2", "a=1;  s=x ; b = 2"),
        ("s=x; s.1=y; s-old=z; a=1", "s=x; a=1"),
        ("s=x; s=y", "s=x"),
        ("s.1=b; s.0=a; s.01=x; s.3=y; s.0=z", "s.1=b; s.0=a"),
        ("s.1=b; sx=a", ""),
        ("s=; s.0=a", "s.0=a"),
        ("s=a..b.c.d; s.0=e..f.g.h", "s=a..b.c.d"),
        ("s=stale; s.0=e..f.; s.1=g.h", "s.0=e..f.; s.1=g.h"),
        ("s; s=x", "s=x"),
        ("xs=1; __Secure-s=2", "xs=1; __Secure-s=2"),
    ] {
        assert_eq!(left(line, false), kept, "{line}");
    }
    assert_eq!(left("s=x; s.0=a", true), "s=x");
    assert_eq!(left("s.0=a; s.1=b; c=d", true), "c=d");
}

#[test]
fn session_cookies_are_read_within_their_limits() {
    let huge = format!("{NAME}={}", "x".repeat(1 << 20));
    assert_eq!(read(&cookies(&[&huge]), NAME, false).map(drop), Err(CredentialError::TooLarge));
    let numbers: String = (0..100).map(|n| format!("{NAME}.{n}=a;")).collect();
    assert_eq!(found(&[&numbers]), ["a".repeat(CHUNK_LIMIT)]);
    let names: String = (0..10_000).map(|n| format!("{NAME}.{n}=;")).collect();
    assert_eq!(read(&cookies(&[&names]), NAME, false).map(drop), Err(CredentialError::TooLarge));
    let opaque =
        read(&cookies(&["authjs.session-token=a; authjs.session-token.0=b"]), NAME, true).unwrap().unwrap();
    assert_eq!(opaque.token(), "a");
}

proptest! {
    #[test]
    fn reading_random_bytes_never_panics(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..4)) {
        let mut headers = HeaderMap::new();
        for line in lines {
            if let Ok(value) = HeaderValue::from_bytes(&line) {
                headers.append(COOKIE, value.clone());
                headers.append(AUTHORIZATION, value);
            }
        }
        let _ = read(&headers, "a", false);
        let _ = read(&headers, NAME, true);
    }

    #[test]
    fn reading_almost_valid_cookies_never_panics(text in r"( ?;?authjs\.session-token[.=-]?[0-9%a-f=.]{0,8};?){0,8}") {
        let _ = read(&cookies(&[&text]), NAME, false);
    }

    #[test]
    fn random_chunks_in_any_order_join_to_the_token(token in "[a-zA-Z0-9_-]{1,400}", size in 8_usize..100, seed in any::<u64>()) {
        let pieces = token.as_bytes().chunks(size).enumerate();
        let mut pairs: Vec<String> =
            pieces.map(|(n, piece)| format!("{NAME}.{n}={}", String::from_utf8_lossy(piece))).collect();
        let turn = usize::try_from(seed % pairs.len() as u64).unwrap();
        pairs.rotate_left(turn);
        prop_assert_eq!(found(&[&pairs.join("; ")]), [token]);
    }
}
