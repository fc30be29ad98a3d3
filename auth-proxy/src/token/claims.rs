use std::fmt;

use serde::Serialize;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

/// The default claims of a token: the ones that Auth.js sets, and every other one in `extra`.
///
/// `Debug` shows the subject, the expiry and the names of the extra claims, not their values.
#[derive(Clone, Default, PartialEq, Serialize)]
pub struct Claims {
    /// The user's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// The name to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The email address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The address of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    /// Every other claim: `iat`, `exp` and `jti` (RFC 7519, section 4.1), and the app's own.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims")
            .field("sub", &self.sub)
            .field("exp", &self.extra.get("exp"))
            .field("extra", &self.extra.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// As `derive` would, but straight into the fields: `flatten` reads everything into a buffer first.
impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ClaimsVisitor)
    }
}

struct ClaimsVisitor;

impl<'de> Visitor<'de> for ClaimsVisitor {
    type Value = Claims;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a claims set")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Claims, A::Error> {
        let (mut sub, mut name, mut email, mut picture) = (None, None, None, None);
        let mut extra = Map::new();
        while let Some(field) = map.next_key()? {
            let (place, field): (&mut Option<Option<String>>, _) = match field {
                Field::Sub => (&mut sub, "sub"),
                Field::Name => (&mut name, "name"),
                Field::Email => (&mut email, "email"),
                Field::Picture => (&mut picture, "picture"),
                Field::Extra(name) => {
                    extra.insert(name, map.next_value()?);
                    continue;
                }
            };
            if place.is_some() {
                return Err(de::Error::duplicate_field(field));
            }
            *place = Some(map.next_value()?);
        }
        let [sub, name, email, picture] = [sub, name, email, picture].map(Option::flatten);
        Ok(Claims { sub, name, email, picture, extra })
    }
}

/// The name of a claim.
enum Field {
    Sub,
    Name,
    Email,
    Picture,
    Extra(String),
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_identifier(FieldVisitor)
    }
}

struct FieldVisitor;

impl Visitor<'_> for FieldVisitor {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a claim")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Field, E> {
        Ok(match name {
            "sub" => Field::Sub,
            "name" => Field::Name,
            "email" => Field::Email,
            "picture" => Field::Picture,
            other => Field::Extra(other.to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_str, from_value, json, to_value};

    use super::*;

    #[test]
    fn every_claim_has_its_place_and_comes_back() {
        let set = json!({
            "sub": "1", "name": null, "email": "ada@example.com", "role": "admin", "exp": 4_102_444_800_u64,
            "user": { "name": "Ada" }, "": [],
        });
        let claims: Claims = from_value(set.clone()).unwrap();
        assert_eq!(claims.sub.as_deref(), Some("1"));
        assert_eq!((claims.name.as_ref(), claims.picture.as_ref()), (None, None));
        assert_eq!(claims.extra.len(), 4);
        assert_eq!(from_str::<Claims>(&set.to_string()).unwrap(), claims);
        let Value::Object(mut expected) = set else { unreachable!() };
        expected.remove("name");
        assert_eq!(to_value(&claims).unwrap(), Value::Object(expected));
        assert_eq!(from_str::<Claims>("{}").unwrap(), Claims::default());
    }

    #[test]
    fn what_does_not_fit_is_refused_by_name() {
        for (set, message) in [
            (r#"{"sub":1}"#, "invalid type: integer `1`, expected a string"),
            (r#"{"sub":"1","sub":"2"}"#, "duplicate field `sub`"),
            (r#"{"picture":null,"picture":null}"#, "duplicate field `picture`"),
            ("[]", "invalid type: sequence, expected a claims set"),
        ] {
            let error = from_str::<Claims>(set).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
