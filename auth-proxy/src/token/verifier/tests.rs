//! Which keys are tried for the session token of a request, and what the cache of verified tokens may answer.

use auth_proxy_rules::{Draft, OptionKey, TokenFormat};
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::*;
use crate::cookie::SessionNames;
use crate::token::encrypt::{Enc, encrypt_v5};
use crate::token::{Demands, VerifiedTokens};

const SECURE: &str = "__Secure-authjs.session-token";
const PLAIN: &str = "authjs.session-token";
const SECRET: &str = "the secret of the tests";
const NOW: u64 = 1_800_000_000;

/// How a token is sent.
#[derive(Clone, Copy, Debug)]
enum Sent {
    Cookie(&'static str),
    Chunks(&'static str),
    Bearer,
}

impl Sent {
    fn headers(self, token: &str) -> HeaderMap {
        let (name, value): (HeaderName, String) = match self {
            Self::Cookie(name) => (COOKIE, format!("{name}={token}")),
            Self::Chunks(name) => {
                let (first, second) = token.split_at(token.len() / 2);
                (COOKIE, format!("{name}.0={first}; {name}.1={second}"))
            }
            Self::Bearer => (AUTHORIZATION, format!("Bearer {token}")),
        };
        [(name, HeaderValue::try_from(value).unwrap())].into_iter().collect()
    }
}

/// Names of the session cookie where a trusted proxy tells the scheme of each request.
fn names() -> SessionNames {
    let mut draft = Draft::default();
    draft.set(OptionKey::BaseUrl, "http://auth").unwrap();
    draft.set(OptionKey::TrustedProxies, "10.0.0.1").unwrap();
    let names = SessionNames::new(&draft.resolve().unwrap());
    assert_eq!(names.all().iter().map(AsRef::as_ref).collect::<Vec<_>>(), [SECURE, PLAIN]);
    names
}

fn verifier() -> Verifier {
    let secrets = [Zeroizing::new(SECRET.to_owned())];
    let decoders = [SECURE, PLAIN]
        .map(|name| Decoder::new(TokenFormat::Encrypted, &secrets, name, Demands::NONE).unwrap());
    Verifier::new(decoders.into(), VerifiedTokens::new(64).unwrap())
}

/// A token whose key is derived from the secret and the name of the cookie.
fn token(secret: &str, name: &str) -> String {
    let claims: Map<String, Value> =
        [("sub".to_owned(), json!(name)), ("exp".to_owned(), json!(NOW + 60))].into_iter().collect();
    encrypt_v5(&claims, secret, name, Enc::A256CbcHs512, false)
}

/// The `sub` of the token, or the code of the error.
fn verify(
    verifier: &Verifier,
    names: NamesInPlay<'_>,
    headers: &HeaderMap,
    now: u64,
) -> Result<String, &'static str> {
    let candidate = names.find(headers, false).unwrap().expect("a token was sent");
    let verified = verifier.verify(&candidate, names, now).map_err(|error| error.code())?;
    let claims = verified.claims::<Value>().unwrap();
    Ok(claims["sub"].as_str().unwrap().to_owned())
}

#[test]
fn cookie_is_verified_with_the_key_of_its_name_and_bearer_with_any_in_play() {
    let names = names();
    let (https, http, unknown) = (Some(true), Some(false), None);
    let (secure, plain) = (token(SECRET, SECURE), token(SECRET, PLAIN));
    let refused = Err("token_tampered");
    let table = [
        // A cookie, whole or in chunks, of a request whose scheme is known.
        (https, Sent::Cookie(SECURE), &secure, Ok(SECURE)),
        (https, Sent::Chunks(SECURE), &secure, Ok(SECURE)),
        (http, Sent::Cookie(PLAIN), &plain, Ok(PLAIN)),
        (http, Sent::Chunks(PLAIN), &plain, Ok(PLAIN)),
        // A token moved into the cookie of the other name.
        (https, Sent::Cookie(SECURE), &plain, refused),
        (http, Sent::Cookie(PLAIN), &secure, refused),
        (http, Sent::Chunks(PLAIN), &secure, refused),
        // The scheme is unknown: each cookie is still bound to its own name.
        (unknown, Sent::Cookie(SECURE), &secure, Ok(SECURE)),
        (unknown, Sent::Cookie(PLAIN), &plain, Ok(PLAIN)),
        (unknown, Sent::Cookie(PLAIN), &secure, refused),
        (unknown, Sent::Chunks(SECURE), &plain, refused),
        // A Bearer token has no name: the keys of the names in play are tried.
        (https, Sent::Bearer, &secure, Ok(SECURE)),
        // An upstream that ignores the scheme sets the plain name over https too.
        (https, Sent::Bearer, &plain, Ok(PLAIN)),
        (https, Sent::Cookie(PLAIN), &plain, Ok(PLAIN)),
        (http, Sent::Bearer, &plain, Ok(PLAIN)),
        (http, Sent::Bearer, &secure, refused),
        (unknown, Sent::Bearer, &secure, Ok(SECURE)),
        (unknown, Sent::Bearer, &plain, Ok(PLAIN)),
    ];
    let forward = verifier();
    let backward = verifier();
    let check = |verifier: &Verifier, (https, sent, token, expected): (_, Sent, &String, Result<&str, _>)| {
        let answer = verify(verifier, names.in_play(https), &sent.headers(token), NOW);
        assert_eq!(answer, expected.map(str::to_owned), "https {https:?}, sent as {sent:?}");
    };
    // In both orders and twice: no row may be answered with what the cache knows from another row.
    for row in table.into_iter().chain(table) {
        check(&forward, row);
    }
    for row in table.into_iter().chain(table).rev() {
        check(&backward, row);
    }
    for sent in [Sent::Cookie(SECURE), Sent::Chunks(SECURE), Sent::Bearer] {
        let foreign = sent.headers(&token("another secret", SECURE));
        assert_eq!(
            verify(&forward, names.in_play(unknown), &foreign, NOW),
            refused.map(str::to_owned),
            "{sent:?}"
        );
    }
}

#[test]
fn cached_token_expires() {
    let (names, verifier) = (names(), verifier());
    let headers = Sent::Cookie(SECURE).headers(&token(SECRET, SECURE));
    let at = |now| verify(&verifier, names.in_play(Some(true)), &headers, now);
    assert_eq!(at(NOW), Ok(SECURE.to_owned()));
    assert_eq!(at(NOW + 600), Err("token_expired"));
    assert_eq!(at(NOW), Ok(SECURE.to_owned()));
}
