//! Tokens as the fake issues them, and the cookies that they travel in.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::cookies::random_hex;
use super::fake::{Fake, FakeUpstream};
use super::mint::{self, mint};
use super::routes::now;
use crate::config::Strategy;

/// Characters of a cookie's value (`core/lib/utils/cookie.ts:26-29`).
const CHUNK: usize = 3936;

impl FakeUpstream {
    /// The `Cookie` header of a visitor who is signed in with these claims, a JSON object: the session cookie, in
    /// chunks where a browser would have them.
    ///
    /// A token has `iat`, `exp` and `jti` as from a sign-in now, unless the claims say otherwise: with an `exp` in
    /// the past it is over. With [`Strategy::Database`] a session is added to the fake's database, and the
    /// claims are its user's.
    ///
    /// ```
    /// # use auth_proxy::{auth_proxy, testing::FakeUpstream};
    /// # use serde_json::json;
    /// # auth_proxy! { struct Auth { upstream: { base_url: env("AUTH_UPSTREAM_URL") } } }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let upstream = FakeUpstream::start().await?;
    /// let auth = Auth::builder().upstream_base_url(upstream.url()).build()?;
    /// let request = http::Request::get("/me").header("cookie", upstream.cookie(&json!({ "sub": "1", "name": "Ada" })));
    /// let session = auth.session(request.body(())?.headers()).await?.expect("she is signed in");
    /// assert_eq!(session.user.name.as_deref(), Some("Ada"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// When the claims do not serialise to a JSON object.
    #[must_use]
    pub fn cookie(&self, claims: &impl Serialize) -> String {
        let (fake, claims) = (self.fake(), mint::object(claims));
        let value = match fake.strategy {
            Strategy::Jwt => {
                let mut whole = fake.registered();
                whole.extend(claims);
                fake.encrypted(&whole)
            }
            _ => fake.new_session(claims),
        };
        let pairs = fake.cookie_pairs(&value);
        pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }
}

impl Fake {
    /// A fresh token of these claims: older times and ids are overwritten (`core/jwt.ts:57-73`).
    pub(super) fn token(&self, claims: &Map<String, Value>) -> String {
        let mut claims = claims.clone();
        claims.extend(self.registered());
        self.encrypted(&claims)
    }

    fn registered(&self) -> Map<String, Value> {
        let now = now();
        let exp = now + self.max_age.as_secs();
        [("iat", json!(now)), ("exp", json!(exp)), ("jti", json!(random_hex()))]
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect()
    }

    fn encrypted(&self, claims: &Map<String, Value>) -> String {
        mint(claims, &self.secret, &self.cookie_name)
    }

    /// Adds a session of this user to the database, and answers the value of its cookie.
    pub(super) fn new_session(&self, user: Map<String, Value>) -> String {
        let token = random_hex();
        self.memory().sessions.insert(token.clone(), user);
        token
    }

    /// The session cookie, in chunks where it must be (`core/lib/utils/cookie.ts:180-204`).
    pub(super) fn cookie_pairs(&self, value: &str) -> Vec<(String, String)> {
        let name = &self.cookie_name;
        if value.len() <= CHUNK {
            return vec![(name.clone(), value.to_owned())];
        }
        let chunks = value.as_bytes().chunks(CHUNK).enumerate();
        chunks
            .map(|(n, chunk)| (format!("{name}.{n}"), String::from_utf8_lossy(chunk).into_owned()))
            .collect()
    }
}
