use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_proxy::options::{Expected, TokenFormat};
use auth_proxy::testing::{CookieCacheOpener, mint_cookie_cache, mint_signed_cookie};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
struct Vectors {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    format: String,
    secrets: Vec<String>,
    key: Option<Key>,
    session_token: String,
    session_data: String,
    now: u64,
    library: Verdict,
    ours: bool,
    why: Option<String>,
}

/// A public key of the upstream.
#[derive(Deserialize)]
struct Key {
    kid: String,
    format: String,
    pem: String,
    issuer: String,
}

/// What the real library answers to a lookup with the cookies.
#[derive(Deserialize, Debug)]
struct Verdict {
    ok: bool,
    session: Option<Map<String, Value>>,
    user: Option<Map<String, Value>>,
}

fn node(script: &str) -> Command {
    auth_proxy_tests::process::node_in("better-auth", script)
}

impl Vector {
    fn open(&self) -> Result<Map<String, Value>, String> {
        let opener = match &self.key {
            Some(key) => CookieCacheOpener::with_public_key(
                (&key.kid, key.format.parse().unwrap(), &key.pem),
                Expected::Is(key.issuer.clone()),
            ),
            None => {
                let secrets: Vec<&str> = self.secrets.iter().map(String::as_str).collect();
                CookieCacheOpener::new(self.format.parse().unwrap(), &secrets)
            }
        };
        let now = UNIX_EPOCH + Duration::from_millis(self.now);
        opener.unwrap().open(&self.session_token, &self.session_data, now)
    }

    /// What differs between the answer of the library and the cache that was read here.
    fn difference(&self, opened: &Map<String, Value>) -> Option<String> {
        // `mint.mjs` leaves the session out where it cannot be compared.
        let mut session = self.library.session.clone()?;
        session.remove("token").expect("the library shows the token");
        let theirs = (Value::Object(session), Value::Object(self.library.user.clone()?));
        let ours = (opened["session"].clone(), opened["user"].clone());
        (ours != theirs).then(|| format!("{}: {ours:?}, not {theirs:?}", self.name))
    }
}

/// A cache is used only if the real library uses it, and then with the same session. docs/compatibility.md lists the
/// exceptions.
#[test]
fn every_cookie_cache_vector_is_read_as_by_the_real_library() {
    let output = node("mint.mjs").stderr(Stdio::piped()).output().expect("cannot run node");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let Vectors { vectors } = serde_json::from_slice(&output.stdout).unwrap();
    assert!(vectors.len() >= 430, "{}", vectors.len());
    let compared = vectors.iter().filter(|vector| vector.ours && vector.library.session.is_some()).count();
    assert!(compared >= 70, "{compared}");
    let (mut wrong, mut differences) = (Vec::new(), BTreeSet::new());
    for vector in &vectors {
        let opened = vector.open();
        if opened.is_ok() != vector.ours {
            let Verdict { ok, .. } = vector.library;
            wrong.push(format!("{}: {:?}, while the library says {ok}", vector.name, opened.err()));
        } else if let Ok(opened) = opened {
            wrong.extend(vector.difference(&opened));
        }
        if vector.library.ok != vector.ours {
            differences.insert(vector.why.clone().expect("the difference has no reason"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // docs/compatibility.md contains the reason for each difference word for word.
    let documented = include_str!("../../../docs/compatibility.md").replace("\n  ", " ");
    for why in differences {
        assert!(documented.contains(&why), "docs/compatibility.md does not say: {why}");
    }
}

/// A request of `verdict.mjs`.
#[derive(Serialize)]
struct Request {
    format: String,
    secrets: [&'static str; 1],
    cookies: String,
    now: u64,
}

/// The cookies that the tools for tests issue are those of the real library: it takes them.
#[test]
fn minted_cookies_are_accepted_by_the_real_library() {
    const SECRET: &str = "a secret of the tests, of more than 32 bytes";
    let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let date = "2026-01-01T00:00:00.000Z";
    let session = json!({
        "session": {
            "id": "s1", "userId": "u1", "token": "token of the tests", "expiresAt": "2999-01-01T00:00:00.000Z",
            "createdAt": date, "updatedAt": date,
        },
        "user": {
            "id": "u1", "name": "Zoë 👩‍💻", "email": "zoe@example.com", "emailVerified": true, "createdAt": date,
            "updatedAt": date, "role": "admin",
        },
    });
    let cookies = |format, secret: &str| {
        let token = mint_signed_cookie("token of the tests", secret);
        let cache = mint_cookie_cache(format, &session, Duration::from_secs(300), secret);
        let token = percent_encoding::utf8_percent_encode(&token, percent_encoding::NON_ALPHANUMERIC);
        format!("better-auth.session_token={token}; better-auth.session_data={cache}")
    };
    let formats = [TokenFormat::Compact, TokenFormat::Jwt, TokenFormat::Jwe];
    let mut requests = Vec::new();
    for (secret, at) in
        [(SECRET, now), ("another secret of the tests, 32 bytes", now), (SECRET, now + 301_000)]
    {
        for format in formats {
            let cookies = cookies(format, secret);
            requests.push(Request { format: format.to_string(), secrets: [SECRET], cookies, now: at });
        }
    }
    let mut child = node("verdict.mjs").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&serde_json::to_vec(&requests).unwrap()).unwrap();
    let output = child.wait_with_output().unwrap();
    let verdicts: Vec<Verdict> = serde_json::from_slice(&output.stdout).unwrap();
    for (index, verdict) in verdicts.iter().enumerate() {
        assert_eq!(verdict.ok, index < 3, "request {index}: {verdict:?}");
        if verdict.ok {
            assert_eq!(Value::Object(verdict.user.clone().unwrap()), session["user"]);
            assert_eq!(Value::Object(verdict.session.clone().unwrap()), session["session"]);
        }
    }
    assert_eq!(verdicts.len(), 9);
}
