//! The ciphers of JWE and the headers that are known in advance.

mod vectors;

use super::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|d| d as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// RFC 7518, appendix B.3: AES_256_CBC_HMAC_SHA_512.
#[test]
fn the_vector_of_the_rfc() {
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
    open_cbc(&key, key.begin(aad), aad.len(), iv, tag, &mut plain).unwrap();
    assert_eq!(
        std::str::from_utf8(&plain).unwrap(),
        "A cipher system must not be required to be secret, and it must be able to fall into the hands of \
         the enemy without inconvenience"
    );

    let refused = |aad: &[u8], iv, tag, text: &[u8]| {
        let opened = open_cbc(&key, key.begin(aad), aad.len(), iv, tag, &mut text.to_vec());
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

/// Whoever has the key can put a tag on anything: a body that is no whole number of blocks, or that
/// is not padded, is refused all the same.
#[test]
fn a_good_tag_over_a_bad_body_is_refused() {
    let key: Vec<u8> = (0..64).collect();
    for body in [&b""[..], b"x", &[0; 15], &[0; 16], &[0; 17], &[0; 32]] {
        let aad = b"aad";
        let iv = [0; 16];
        let input = [&aad[..], &iv, body, &24_u64.to_be_bytes()].concat();
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA512, &key[..32]), &input);
        let tag = tag.as_ref()[..32].try_into().unwrap();
        let key = CbcHmac::new(&key).unwrap();
        let opened = open_cbc(&key, key.begin(aad), aad.len(), iv, tag, &mut body.to_vec());
        assert_eq!(opened, Err(TokenError::Tampered), "{}", body.len());
    }
}

#[test]
fn the_known_headers_are_those_that_are_parsed() {
    let secrets = [Zeroizing::new("secret".to_owned())];
    let v5 = JweDecoder::v5(&secrets, "authjs.session-token").unwrap();
    let v4 = JweDecoder::v4(&secrets).unwrap();
    for known in v5.keys.iter().chain(&v4.keys).map(|key| &key.header).chain(&v4.nameless) {
        let text = URL_SAFE_NO_PAD.decode(known).unwrap();
        let header: Header<'_> = json::object(utf8(&text).unwrap()).unwrap();
        assert!(header.alg == "dir" && !header.zip && !header.crit && !header.b64);
    }
    assert_eq!(v5.keys[0].header.len(), 174);
    let text = URL_SAFE_NO_PAD.decode(&v5.keys[0].header).unwrap();
    let kid =
        json::object::<Header<'_>>(utf8(&text).unwrap()).map(|header| (header.enc.into_owned(), header.kid));
    assert_eq!(kid, Ok(("A256CBC-HS512".to_owned(), Some(v5.keys[0].kid.clone()))));
}
