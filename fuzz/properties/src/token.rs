use std::sync::LazyLock;

use auth_proxy::options::{Expected, TokenFormat, UpstreamKind};
use auth_proxy::testing::{Opener, mint, mint_v4};
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use crate::world::{self, Auth, SECRET};

/// The claims of every genuine token.
static CLAIMS: LazyLock<Value> =
    LazyLock::new(|| json!({ "sub": "1", "name": "Ada", "exp": 4_102_444_800_u64 }));

static OPENER: LazyLock<Opener> = LazyLock::new(|| Opener::new(SECRET, world::COOKIE).unwrap());

/// One proxy for each format, and a genuine token of it.
static FORMATS: LazyLock<Vec<(Auth, String)>> = LazyLock::new(|| {
    let build = |builder: auth_proxy::options::Builder<Auth>| {
        builder.upstream_secret([SECRET]).session_cache_entries(1).build().unwrap()
    };
    let v4 = world::builder().upstream_kind(UpstreamKind::NextAuthV4).upstream_cookie_name(world::COOKIE);
    let signed = world::builder()
        .upstream_token(TokenFormat::Hs256)
        .upstream_audience(Expected::Any)
        .upstream_issuer(Expected::Any);
    vec![
        (build(world::builder()), mint(&*CLAIMS, SECRET, world::COOKIE)),
        (build(v4), mint_v4(&*CLAIMS, SECRET)),
        (build(signed), HS256.to_owned()),
    ]
});

/// `{"sub":"1","name":"Ada","exp":4102444800}`, signed with [`SECRET`].
const HS256: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIiwibmFtZSI6IkFkYSIsImV4cCI6NDEwMjQ0NDgwMH0.OnTSk-8YahFYDM0c-0Jl6fTJ9XYLJXL2BZdRNB4Vq_U";

/// Input: a token, or `=`, the number of a format, and edits of the genuine token of that format. An edit has three
/// bytes: a position and a byte.
///
/// Property: only the genuine tokens are accepted, byte for byte, and each only in its own format.
pub fn token(data: &[u8]) {
    let text = match data {
        [b'=', format, edits @ ..] => {
            let mut token = FORMATS[usize::from(*format) % FORMATS.len()].1.clone().into_bytes();
            for edit in edits.chunks_exact(3) {
                if token.is_empty() {
                    break;
                }
                let at = usize::from(u16::from_be_bytes([edit[0], edit[1]])) % token.len();
                match edit[2] {
                    0 => drop(token.remove(at)),
                    1 => token.insert(at, b'A'),
                    2 => token.truncate(at.max(1)),
                    byte => token[at] = byte,
                }
            }
            token
        }
        data => data.to_vec(),
    };
    let Ok(text) = String::from_utf8(text) else { return };
    let is_genuine = |n: usize| FORMATS[n].1 == text;
    // Cookie parsing is tested by the target `cookies`.
    if !text.contains(['%', ';', ' ', '"', ',']) && text.trim() == text {
        let cookie = format!("{}={text}", world::COOKIE);
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            let headers: HeaderMap = [(COOKIE, cookie)].into_iter().collect();
            for (n, (auth, _)) in FORMATS.iter().enumerate() {
                let token = world::wait(auth.token(&headers));
                assert_eq!(matches!(token, Ok(Some(_))), is_genuine(n), "format {n}");
            }
        }
    }
    let opened = OPENER.claims(&text);
    assert_eq!(opened.is_some(), is_genuine(0));
    if let Some(claims) = opened {
        assert_eq!(serde_json::from_str::<Value>(&claims).unwrap(), *CLAIMS);
    }
}
