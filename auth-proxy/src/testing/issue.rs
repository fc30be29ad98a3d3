//! The tokens and database sessions that the fake issues, and the cookies that carry them.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::better_auth::Visitor;
use super::cookies::random_hex;
use super::fake::FakeUpstream;
use super::mint::{self, mint, mint_v4, unix_now};
use super::state::Fake;
use crate::config::Strategy;

/// The longest cookie value that is not split (`docs/authjs.md#chunk-size`), in characters.
const CHUNK: usize = 3936;

impl FakeUpstream {
    /// The `Cookie` header of a visitor who is signed in with these claims, a JSON object. A long session cookie is
    /// split into chunks, as in a browser.
    ///
    /// The token has `iat`, `exp` and `jti` of a sign-in now, unless the claims set them: an `exp` in the past makes an
    /// expired token. With [`Strategy::Database`] this adds a session to the fake's database instead, for a user with
    /// these claims. So it does for Better Auth, where [`visitor`](Self::visitor) has more to choose from.
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
    /// When the claims do not serialise to a JSON object, or the cryptography fails.
    #[must_use]
    #[track_caller]
    pub fn cookie(&self, claims: &impl Serialize) -> String {
        let (fake, claims) = (self.fake(), mint::object(claims));
        if fake.settings.is_better_auth() {
            return Visitor::new(fake, &claims).cookie();
        }
        let value = match fake.settings.strategy {
            Strategy::Jwt => {
                let mut all = fake.registered_claims();
                all.extend(claims);
                fake.encrypted(&all)
            }
            Strategy::Database | _ => fake.new_session(claims),
        };
        let pairs = fake.cookie_pairs(&value);
        pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }
}

impl Fake {
    /// A new token with these claims. Their times and id are overwritten (`docs/authjs.md#token-issue`).
    pub(super) fn token(&self, claims: &Map<String, Value>) -> String {
        let mut claims = claims.clone();
        claims.extend(self.registered_claims());
        self.encrypted(&claims)
    }

    /// `iat`, `exp` and `jti` of a token that is issued now.
    fn registered_claims(&self) -> Map<String, Value> {
        let now = unix_now();
        let exp = now + self.settings.max_age.as_secs();
        [("iat", json!(now)), ("exp", json!(exp)), ("jti", json!(random_hex()))]
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect()
    }

    fn encrypted(&self, claims: &Map<String, Value>) -> String {
        let settings = &self.settings;
        if settings.is_next_auth_v4() {
            return mint_v4(claims, &settings.secret);
        }
        mint(claims, &settings.secret, &settings.cookie_name)
    }

    /// Adds a session of this user to the database and returns the value of its cookie.
    pub(super) fn new_session(&self, user: Map<String, Value>) -> String {
        let token = random_hex();
        self.memory().sessions.insert(token.clone(), user);
        token
    }

    /// Names and values of the session cookie. A long value is split into chunks (`docs/authjs.md#chunk-write`).
    pub(super) fn cookie_pairs(&self, value: &str) -> Vec<(String, String)> {
        let name = &self.settings.cookie_name;
        if value.len() <= CHUNK {
            return vec![(name.clone(), value.to_owned())];
        }
        let chunks = value.as_bytes().chunks(CHUNK).enumerate();
        chunks
            .map(|(n, chunk)| (format!("{name}.{n}"), String::from_utf8_lossy(chunk).into_owned()))
            .collect()
    }
}
