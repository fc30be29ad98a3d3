//! Tests of JWE decryption: the ciphers, and which keys a header selects.

mod vectors;

use auth_proxy_rules::TokenFormat;

use super::*;
use crate::dialect::token_key;

fn source(format: TokenFormat) -> TokenKeySource {
    token_key(format, "authjs.session-token").unwrap()
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|d| d as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// RFC 7518, appendix B.3: AES_256_CBC_HMAC_SHA_512.
#[test]
fn rfc_7518_vector_decrypts_and_changed_ones_are_refused() {
    let key: Vec<u8> = (0..64).collect();
    let iv = hex("1a f3 8c 2d c2 b9 6f fd d8 66 94 09 23 41 bc 04").try_into().unwrap();
    let tag: [u8; 32] = hex(
        "4d d3 b4 c0 88 a7 f4 5c 21 68 39 64 5b 20 12 bf 2e 62 69 a8 c5 6a 81 6d bc 1b 26 77 61 95 5b c5",
    )
    .try_into()
    .unwrap();
    let ciphertext = hex(
        "4a ff aa ad b7 8c 31 c5 da 4b 1b 59 0d 10 ff bd 3d d8 d5 d3 02 42 35 26 91 2d a0 37 ec bc c7 bd \
         82 2c 30 1d d6 7c 37 3b cc b5 84 ad 3e 92 79 c2 e6 d1 2a 13 74 b7 7f 07 75 53 df 82 94 10 44 6b \
         36 eb d9 70 66 29 6a e6 42 7e a7 5c 2e 08 46 a1 1a 09 cc f5 37 0d c8 0b fe cb ad 28 c7 3f 09 b3 \
         a3 b7 5e 66 2a 25 94 41 0a e4 96 b2 e2 e6 60 9e 31 e6 e0 2c c8 37 f0 53 d2 1f 37 ff 4f 51 95 0b \
         be 26 38 d0 9d d7 a4 93 09 30 80 6d 07 03 b1 f6",
    );
    let aad = b"The second principle of Auguste Kerckhoffs";
    let key = CbcHmac::new(&key).unwrap();
    let mut plain = ciphertext.clone();
    open_cbc(&key, key.start_mac(aad), aad.len(), iv, tag, &mut plain).unwrap();
    assert_eq!(
        std::str::from_utf8(&plain).unwrap(),
        "A cipher system must not be required to be secret, and it must be able to fall into the hands of \
         the enemy without inconvenience"
    );

    let refused = |aad: &[u8], iv, tag, text: &[u8]| {
        let opened = open_cbc(&key, key.start_mac(aad), aad.len(), iv, tag, &mut text.to_vec());
        opened == Err(TokenError::Tampered)
    };
    let (mut other_iv, mut other_tag, mut other_text): ([u8; 16], _, _) = (iv, tag, ciphertext.clone());
    other_iv[0] ^= 1;
    other_tag[31] ^= 1;
    other_text[0] ^= 1;
    assert!(refused(aad, other_iv, tag, &ciphertext));
    assert!(refused(aad, iv, other_tag, &ciphertext));
    assert!(refused(aad, iv, tag, &other_text));
    assert!(refused(&aad[1..], iv, tag, &ciphertext));
    assert!(refused(aad, iv, tag, b""));
}

/// A holder of the key can put a valid tag on any body. The body is refused if it is not a whole number of blocks or
/// has no valid padding.
#[test]
fn body_with_valid_tag_and_invalid_padding_is_refused() {
    let key: Vec<u8> = (0..64).collect();
    for body in [&b""[..], b"x", &[0; 15], &[0; 16], &[0; 17], &[0; 32]] {
        let aad = b"aad";
        let iv = [0; 16];
        let input = [&aad[..], &iv, body, &24_u64.to_be_bytes()].concat();
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA512, &key[..32]), &input);
        let tag = tag.as_ref()[..32].try_into().unwrap();
        let key = CbcHmac::new(&key).unwrap();
        let opened = open_cbc(&key, key.start_mac(aad), aad.len(), iv, tag, &mut body.to_vec());
        assert_eq!(opened, Err(TokenError::Tampered), "{}", body.len());
    }
}

#[test]
fn precomputed_jwe_headers_parse_to_their_own_key() {
    let secrets = [Zeroizing::new("secret".to_owned())];
    let v5 = JweDecoder::v5(&secrets, &source(TokenFormat::Encrypted)).unwrap();
    let v4 = JweDecoder::v4(&secrets, &source(TokenFormat::EncryptedV4)).unwrap();
    for known in v5.keys.iter().chain(&v4.keys).map(|key| &key.usual_header).chain(&v4.v4_header) {
        let text = URL_SAFE_NO_PAD.decode(known).unwrap();
        assert!(text.starts_with(br#"{"alg":"dir","enc":"#));
        assert!(read_header(known).is_ok(), "{known}");
    }
    assert_eq!(v5.keys[0].usual_header.len(), 174);
    let read = read_header(&v5.keys[0].usual_header);
    assert_eq!(read, Ok((Enc::CbcHmac, Some(v5.keys[0].kid.clone()))));
}

#[test]
fn token_header_decides_which_keys_are_tried() {
    let secrets = ["new", "old"].map(|secret| Zeroizing::new(secret.to_owned()));
    let v5 = JweDecoder::v5(&secrets, &source(TokenFormat::Encrypted)).unwrap();
    let v4 = JweDecoder::v4(&secrets, &source(TokenFormat::EncryptedV4)).unwrap();
    // The keys in order: new CBC, new GCM, old CBC, old GCM.
    let kid = |at: usize| v5.keys[at].kid.as_str();
    #[derive(Debug, PartialEq)]
    enum Tried<'k> {
        Only(&'k str),
        Each(Enc),
    }
    use TokenError::{Malformed, UnknownKey, Unsupported};
    let cases: Vec<(&JweDecoder, String, Result<Tried<'_>, TokenError>)> = vec![
        (
            &v5,
            format!(r#"{{"alg":"dir","enc":"A256CBC-HS512","kid":"{}"}}"#, kid(0)),
            Ok(Tried::Only(kid(0))),
        ),
        (
            &v5,
            format!(r#"{{"alg":"dir","enc":"A256CBC-HS512","kid":"{}"}}"#, kid(2)),
            Ok(Tried::Only(kid(2))),
        ),
        (&v5, format!(r#"{{"kid":"{}","enc":"A256GCM","alg":"dir"}}"#, kid(3)), Ok(Tried::Only(kid(3)))),
        // This `kid` names a key of the other encryption.
        (&v5, format!(r#"{{"alg":"dir","enc":"A256GCM","kid":"{}"}}"#, kid(0)), Err(UnknownKey)),
        (&v5, r#"{"alg":"dir","enc":"A256GCM","kid":""}"#.to_owned(), Err(UnknownKey)),
        (&v5, r#"{"alg":"dir","enc":"A256GCM","kid":null}"#.to_owned(), Err(Malformed)),
        (&v5, r#"{"alg":"dir","enc":"A256CBC-HS512"}"#.to_owned(), Ok(Tried::Each(Enc::CbcHmac))),
        (&v5, r#"{"alg":"dir","enc":"A256GCM"}"#.to_owned(), Ok(Tried::Each(Enc::Gcm))),
        (&v4, r#"{"alg":"dir","enc":"A256GCM"}"#.to_owned(), Ok(Tried::Each(Enc::Gcm))),
        (&v4, r#"{"enc":"A256GCM","alg":"dir"}"#.to_owned(), Ok(Tried::Each(Enc::Gcm))),
        // next-auth v4 has no key for A256CBC-HS512.
        (&v4, r#"{"alg":"dir","enc":"A256CBC-HS512"}"#.to_owned(), Err(Unsupported)),
        (&v5, r#"{"alg":"none","enc":"A256GCM"}"#.to_owned(), Err(Unsupported)),
        (&v5, r#"{"alg":"dir","enc":"A128GCM"}"#.to_owned(), Err(Unsupported)),
        (&v5, r#"{"alg":"dir","enc":"A256GCM","zip":"DEF"}"#.to_owned(), Err(Unsupported)),
        (&v5, r#"{"alg":"dir","enc":"A256GCM","crit":null}"#.to_owned(), Err(Unsupported)),
        (&v5, r#"{"alg":"dir","enc":"A256GCM","b64":true}"#.to_owned(), Err(Unsupported)),
        (&v5, r#"["dir","A256GCM"]"#.to_owned(), Err(Malformed)),
        (&v5, r#"{"alg":"dir"}"#.to_owned(), Err(Malformed)),
        (&v5, " ".repeat(1024), Err(Malformed)),
        (&v5, String::new(), Err(Malformed)),
    ];
    for (decoder, header, expected) in cases {
        let choice = decoder.choose(&URL_SAFE_NO_PAD.encode(&header));
        let tried = choice.map(|choice| match choice {
            Choice::Named(key) => Tried::Only(&key.kid),
            Choice::Each(enc) => Tried::Each(enc),
        });
        assert_eq!(tried, expected, "{header}");
    }
    assert!(matches!(v5.choose("not base64url!"), Err(Malformed)));
}
