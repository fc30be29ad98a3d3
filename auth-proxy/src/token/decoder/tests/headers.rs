//! Tests of the decoder with hostile protected headers, under a valid key: no header changes how a token is read.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::super::*;
use crate::dialect::token_key;
use crate::token::encrypt::{Enc, encrypt_v5, seal, seal_with_header};
use crate::token::keys::{derive_key, thumbprint};

const NAME: &str = "authjs.session-token";
const NOW: u64 = 1_800_000_000;
const PLAIN: &[u8] = br#"{"sub":"ada"}"#;

struct Setup {
    decoder: Decoder,
    /// The keys of the newest secret and of the one before, for A256CBC-HS512.
    new: Vec<u8>,
    old: Vec<u8>,
}

impl Setup {
    fn new() -> Self {
        let secrets = ["new", "old"].map(|secret| Zeroizing::new(secret.to_owned()));
        let key = |secret: &str| {
            derive_key(secret, &token_key(TokenFormat::Encrypted, NAME).unwrap(), 64).unwrap().to_vec()
        };
        let decoder = Decoder::new(TokenFormat::Encrypted, &secrets, NAME, Demands::NONE).unwrap();
        Self { decoder, new: key("new"), old: key("old") }
    }

    fn decode(&self, token: &str) -> Result<Value, TokenError> {
        self.decoder.decode(token, NOW).map(Value::Object)
    }

    /// Decodes a token with this header, encrypted under the newest key.
    fn decode_with_header(&self, header: &str) -> Result<Value, TokenError> {
        self.decode(&seal_with_header(header, PLAIN, &self.new).unwrap())
    }
}

fn accepted() -> Result<Value, TokenError> {
    Ok(json!({ "sub": "ada" }))
}

/// A `kid` is compared with the names of the configured keys. It is never a path, a URL or a query.
#[test]
fn kid_selects_a_configured_key_only() {
    let setup = Setup::new();
    let (new, old) = (thumbprint(&setup.new), thumbprint(&setup.old));
    let with = |kid: &str| {
        setup.decode_with_header(&format!(r#"{{"alg":"dir","enc":"A256CBC-HS512","kid":{kid}}}"#))
    };
    assert_eq!(with(&json!(new).to_string()), accepted());
    let escaped: String = new.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
    assert_eq!(with(&format!("\"{escaped}\"")), accepted());
    // This `kid` names another key, and only that key is tried.
    assert_eq!(with(&json!(old).to_string()), Err(TokenError::Tampered));
    for kid in [
        "",
        " ",
        "0",
        "../../../../dev/null",
        "/dev/null",
        "..\\..\\windows\\win.ini",
        "file:///etc/passwd",
        "http://127.0.0.1:9/key",
        "' OR '1'='1",
        "x' UNION SELECT 'key';--",
        "\"; DROP TABLE keys; --",
        "${jndi:ldap://127.0.0.1:9/}",
        "{{7*7}}",
        "$(id)",
        "\0",
        "*",
        "%",
        &format!("{new} "),
        &format!(" {new}"),
        &format!("{new}="),
        &format!("{new}\0"),
        &format!("{new},{old}"),
        &new[1..],
        &new[..new.len() - 1],
        &new.to_lowercase(),
        &new.replace(['-', '_'], "+"),
        "secret",
        "new",
        NAME,
    ] {
        assert_eq!(with(&json!(kid).to_string()), Err(TokenError::UnknownKey), "{kid:?}");
    }
    for kid in
        ["null", "true", "0", "1.5", "[]", "{}", &format!("[\"{new}\"]"), &format!("{{\"kid\":\"{new}\"}}")]
    {
        assert_eq!(with(kid), Err(TokenError::Malformed), "{kid}");
    }
    // A `kid` that occurs twice, in any spelling, is refused, because another parser might use the other one.
    for twice in [
        format!(r#"{{"kid":"{old}","alg":"dir","enc":"A256CBC-HS512","kid":"{new}"}}"#),
        format!(r#"{{"kid":"{new}","alg":"dir","enc":"A256CBC-HS512","kid":"{new}"}}"#),
        format!(r#"{{"\u006bid":"{old}","alg":"dir","enc":"A256CBC-HS512","kid":"{new}"}}"#),
        format!(r#"{{"kid":null,"alg":"dir","enc":"A256CBC-HS512","kid":"{new}"}}"#),
    ] {
        assert_eq!(setup.decode_with_header(&twice), Err(TokenError::Malformed), "{twice}");
    }
    // Other members are not `kid`, even if they look like it.
    for member in ["KID", "Kid", "kid ", "\\u0000kid", "x5t", "x5t#S256"] {
        let header = format!(r#"{{"alg":"dir","enc":"A256CBC-HS512","{member}":"{old}"}}"#);
        assert_eq!(setup.decode_with_header(&header), accepted(), "{member}");
    }
}

#[test]
fn keys_and_key_urls_in_the_header_are_ignored() {
    let setup = Setup::new();
    let mine = [7; 64];
    let jwk = json!({ "kty": "oct", "k": URL_SAFE_NO_PAD.encode(mine), "alg": "dir" });
    for member in [
        json!({ "jwk": jwk }),
        json!({ "jku": "http://127.0.0.1:9/keys" }),
        json!({ "x5u": "file:///etc/passwd", "x5c": ["AAAA"] }),
        json!({ "epk": jwk, "apu": "AA", "apv": "AA" }),
        json!({ "p2s": "AAAAAAAA", "p2c": u32::MAX }),
    ] {
        let mut header = json!({ "alg": "dir", "enc": "A256CBC-HS512" });
        header.as_object_mut().unwrap().extend(member.as_object().unwrap().clone());
        assert_eq!(
            setup.decode(&seal(&header, PLAIN, &mine).unwrap()),
            Err(TokenError::Tampered),
            "{header}"
        );
        assert_eq!(setup.decode(&seal(&header, PLAIN, &setup.new).unwrap()), accepted(), "{header}");
    }
}

/// `zip`, `crit` and `b64` are refused if present, in any spelling and with any value.
#[test]
fn header_with_zip_crit_or_b64_is_refused() {
    let setup = Setup::new();
    for name in ["zip", "crit", "b64", "\\u007aip", "c\\u0072it", "b\\u00364"] {
        for value in ["\"DEF\"", "\"\"", "null", "false", "true", "[]", "[\"exp\"]", "[\"zip\"]", "{}", "0"] {
            for header in [
                format!(r#"{{"alg":"dir","enc":"A256CBC-HS512","{name}":{value}}}"#),
                format!(r#"{{"{name}":{value},"enc":"A256CBC-HS512","alg":"dir"}}"#),
            ] {
                assert_eq!(setup.decode_with_header(&header), Err(TokenError::Unsupported), "{header}");
            }
        }
        let twice = format!(r#"{{"alg":"dir","enc":"A256CBC-HS512","{name}":1,"{name}":1}}"#);
        assert_eq!(setup.decode_with_header(&twice), Err(TokenError::Malformed), "{twice}");
    }
    // These names in upper case, or inside of other members, have no meaning.
    for member in [r#""ZIP":"DEF""#, r#""x":{"zip":"DEF","crit":["x"]}"#, r#""x":["zip","b64"]"#] {
        assert_eq!(
            setup.decode_with_header(&format!(r#"{{"alg":"dir","enc":"A256CBC-HS512",{member}}}"#)),
            accepted(),
            "{member}"
        );
    }
}

/// A body of 64 KiB that inflates to ten megabytes of zeros (RFC 1951) is refused because its header has `zip`.
/// Without `zip`, its bytes are not claims.
#[test]
fn compressed_token_body_is_not_inflated() {
    let setup = Setup::new();
    // A DEFLATE block with fixed codes: a zero, then "repeat 258 bytes" in 13 bits each. Eight of these are 13 bytes.
    let again = [0x14, 0x8c, 0x82, 0x51, 0x30, 0x0a, 0x46, 0xc1, 0x28, 0x18, 0x05, 0xa3, 0x60];
    let bomb = [&[0x63, 0x60, 0x18, 0x05, 0xa3, 0x60][..], &again.repeat(5_000)].concat();
    let packed =
        seal_with_header(r#"{"alg":"dir","enc":"A256CBC-HS512","zip":"DEF"}"#, &bomb, &setup.new).unwrap();
    assert_eq!(setup.decode(&packed), Err(TokenError::Unsupported));
    let plain = seal_with_header(r#"{"alg":"dir","enc":"A256CBC-HS512"}"#, &bomb, &setup.new).unwrap();
    assert_eq!(setup.decode(&plain), Err(TokenError::Malformed));
}

/// A header is the text of one JSON object (RFC 7515, section 4).
#[test]
fn token_header_must_be_exactly_one_json_object() {
    let setup = Setup::new();
    for good in [
        r#"{"alg":"dir","enc":"A256CBC-HS512"}"#,
        r#"{"enc":"A256CBC-HS512","alg":"dir"}"#,
        " \t\r\n{ \"alg\" : \"dir\" ,\n\t\"enc\":\"A256CBC-HS512\" } \r\n",
        r#"{"\u0061lg":"\u0064ir","enc":"\u00412\u00356CBC-HS512"}"#,
        r#"{"alg":"dir","enc":"A256CBC-HS512","x":[[[{"alg":"none"}]]],"y":null}"#,
        r#"{"alg":"dir","enc":"A256CBC-HS512","typ":"JWT","cty":"JWT"}"#,
        r#"{"alg":"dir","enc":"A256CBC-HS512","x":1,"x":2}"#,
    ] {
        assert_eq!(setup.decode_with_header(good), accepted(), "{good}");
    }
    for bad in [
        "",
        " ",
        "null",
        "true",
        "1",
        "\"dir\"",
        "[]",
        "{}",
        r#"["dir","A256CBC-HS512"]"#,
        r#"[{"alg":"dir","enc":"A256CBC-HS512"}]"#,
        r#"{"alg":"dir"}"#,
        r#"{"enc":"A256CBC-HS512"}"#,
        r#"{"alg":null,"enc":"A256CBC-HS512"}"#,
        r#"{"alg":["dir"],"enc":"A256CBC-HS512"}"#,
        r#"{"alg":{"alg":"dir"},"enc":"A256CBC-HS512"}"#,
        r#"{"alg":"dir","enc":1}"#,
        r#"{"alg":"dir","alg":"dir","enc":"A256CBC-HS512"}"#,
        r#"{"alg":"none","alg":"dir","enc":"A256CBC-HS512"}"#,
        r#"{"alg":"dir","\u0061lg":"none","enc":"A256CBC-HS512"}"#,
        r#"{"alg":"dir","enc":"A256GCM","enc":"A256CBC-HS512"}"#,
        "\u{feff}{\"alg\":\"dir\",\"enc\":\"A256CBC-HS512\"}",
        "{\"alg\":\"dir\",\"enc\":\"A256CBC-HS512\"}\u{feff}",
        "{\"alg\":\"dir\",\"enc\":\"A256CBC-HS512\"}\0",
        "\0{\"alg\":\"dir\",\"enc\":\"A256CBC-HS512\"}",
        "{\"alg\":\"dir\n\",\"enc\":\"A256CBC-HS512\"}",
        "{\"alg\":\"dir\0\",\"enc\":\"A256CBC-HS512\"}",
        "\u{a0}{\"alg\":\"dir\",\"enc\":\"A256CBC-HS512\"}",
        r#"{"alg":"dir","enc":"A256CBC-HS512",}"#,
        r#"{"alg":"dir" "enc":"A256CBC-HS512"}"#,
        r#"{alg:"dir",enc:"A256CBC-HS512"}"#,
        r#"{'alg':'dir','enc':'A256CBC-HS512'}"#,
        r#"{"alg":"dir","enc":"A256CBC-HS512"}x"#,
        r#"{"alg":"dir","enc":"A256CBC-HS512"}{"alg":"none"}"#,
        r#"{"alg":"dir","enc":"A256CBC-HS512"}//"#,
        r#"/**/{"alg":"dir","enc":"A256CBC-HS512"}"#,
        r#"{"alg":"dir","enc":"A256CBC-HS512""#,
        r#"{"alg":"dir","enc":"A256CBC-HS512","x":"\ud800"}"#,
        r#"{"alg":"dir","enc":"A256CBC-HS512","x":NaN}"#,
    ] {
        // A lone surrogate in a member that is not read is accepted.
        let expected = if bad.contains("ud800") { accepted() } else { Err(TokenError::Malformed) };
        assert_eq!(setup.decode_with_header(bad), expected, "{bad:?}");
    }
    for unsupported in [
        r#"{"alg":"DIR","enc":"A256CBC-HS512"}"#,
        r#"{"alg":"dir ","enc":"A256CBC-HS512"}"#,
        r#"{"alg":"dir\u0000","enc":"A256CBC-HS512"}"#,
        r#"{"alg":"","enc":"A256CBC-HS512"}"#,
        r#"{"alg":"none","enc":"none"}"#,
        r#"{"alg":"None","enc":"A256CBC-HS512"}"#,
        r#"{"alg":"HS256","enc":"A256CBC-HS512"}"#,
        r#"{"alg":"dir","enc":""}"#,
        r#"{"alg":"dir","enc":"none"}"#,
        r#"{"alg":"dir","enc":"A256CBC-HS512 "}"#,
        r#"{"alg":"dir","enc":"A256CBC+HS512"}"#,
        r#"{"alg":"PBES2-HS256+A128KW","enc":"A256CBC-HS512","p2c":4294967295,"p2s":"AA"}"#,
        r#"{"alg":"ECDH-ES","enc":"A256CBC-HS512","epk":{}}"#,
        r#"{"alg":"RSA1_5","enc":"A256CBC-HS512"}"#,
    ] {
        assert_eq!(setup.decode_with_header(unsupported), Err(TokenError::Unsupported), "{unsupported}");
    }
    // Headers that are not UTF-8, and headers over the limit.
    let token = seal_with_header("x", PLAIN, &setup.new).unwrap();
    let (_, rest) = token.split_once('.').unwrap();
    for header in [&b"\xff{}"[..], b"{\"alg\":\"dir\xff\"}", &[b'{'; 3000], &[b' '; 3000]] {
        let token = format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header));
        assert_eq!(setup.decode(&token), Err(TokenError::Malformed), "{header:?}");
    }
    // A member that is not read may be deeply nested.
    for (open, close) in [("[", "]"), ("{\"x\":", "}")] {
        let deep =
            format!(r#"{{"alg":"dir","enc":"A256CBC-HS512","x":{}0{}}}"#, open.repeat(90), close.repeat(90));
        assert_eq!(setup.decode_with_header(&deep), accepted(), "{deep}");
    }
    for length in [1000, 10_000, 1_000_000] {
        let huge = format!(r#"{{"alg":"dir","enc":"A256CBC-HS512","x":"{}"}}"#, "y".repeat(length));
        assert_eq!(setup.decode_with_header(&huge), Err(TokenError::Malformed), "{length}");
    }
}

/// The plaintext of a token must be claims. A token in the plaintext is not decrypted.
#[test]
fn token_inside_a_token_is_not_decrypted() {
    let setup = Setup::new();
    let claims = json!({ "sub": "mallory" });
    let inner = encrypt_v5(claims.as_object().unwrap(), "new", NAME, Enc::A256CbcHs512, true);
    let unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtYWxsb3J5In0.";
    for plain in [
        inner.as_str(),
        unsigned,
        &format!("\"{inner}\""),
        &format!("[{claims}]"),
        &format!("{claims}{claims}"),
    ] {
        for header in
            [r#"{"alg":"dir","enc":"A256CBC-HS512","cty":"JWT"}"#, r#"{"alg":"dir","enc":"A256CBC-HS512"}"#]
        {
            let token = seal_with_header(header, plain.as_bytes(), &setup.new).unwrap();
            assert_eq!(setup.decode(&token), Err(TokenError::Malformed), "{plain}");
        }
    }
    // A token that is the value of a claim stays text.
    let token = seal_with_header(
        r#"{"alg":"dir","enc":"A256CBC-HS512"}"#,
        json!({ "sub": inner }).to_string().as_bytes(),
        &setup.new,
    );
    assert_eq!(setup.decode(&token.unwrap()), Ok(json!({ "sub": inner })));
}
