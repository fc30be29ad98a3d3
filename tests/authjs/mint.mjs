// Prints the conformance vectors as JSON: requests with session tokens, the verdict of the real library on each
// (`core`), and the expected verdict of this project (`ours`). Where the two differ on purpose, `why` has the reason.
import * as core041 from "@auth/core/jwt"
import * as core040 from "auth-core-040/jwt"
import v4 from "next-auth/jwt"
import { EncryptJWT, SignJWT, exportSPKI, generateKeyPair, jwtVerify } from "jose"
import { b64, seal, thumbprint, v4Key, v5Key } from "./seal.mjs"

const NAME = "authjs.session-token"
const SECURE = "__Secure-authjs.session-token"
const V4_NAME = "next-auth.session-token"
const SECRET = "the newest secret, of more than 32 bytes"
const OLD = "an older secret, of more than 32 bytes, too"
const OLDEST = "the oldest secret, of more than 32 bytes, too"
const NOW = Math.floor(Date.now() / 1000)
const CLAIMS = { name: "Ada Lovelace", email: "ada@example.com", picture: "https://example.com/a.png", sub: "42" }

const vectors = []

/** The verdict of the library's own `getToken`. */
async function ask(library, vector) {
  const headers = {}
  if (vector.cookies !== null) headers.cookie = vector.cookies
  if (vector.authorization !== null) headers.authorization = vector.authorization
  const name = vector.cookie_name
  const many = vector.secrets.length > 1 ? vector.secrets : vector.secrets[0]
  try {
    const claims = await library.getToken({
      req: library === v4 ? { headers, cookies: v4Cookies(vector.cookies ?? "") } : { headers: new Headers(headers) },
      secret: library === v4 ? vector.secrets[0] : many,
      cookieName: name,
      secureCookie: name.startsWith("__Secure-"),
      // v4 has no salt. The salt of v5 is the name of the cookie.
      ...(library === v4 ? {} : { salt: name }),
    })
    return claims === null ? { ok: false } : { ok: true, claims }
  } catch (error) {
    return { ok: false, error: String(error.message) }
  }
}

/** Parses cookies as Next.js does before it calls next-auth v4. */
function v4Cookies(line) {
  return Object.fromEntries(
    line.split(";").map((pair) => pair.trim()).filter((pair) => pair.includes("=")).map((pair) => {
      const at = pair.indexOf("=")
      return [pair.slice(0, at), decodeURIComponent(pair.slice(at + 1))]
    }),
  )
}

/** Runs a function while the library's clock shows `now`, for vectors at the edges of the tolerance. */
async function at(now, run) {
  if (now === null) return run()
  const Real = globalThis.Date
  globalThis.Date = class extends Real {
    constructor(...args) { args.length ? super(...args) : super(now * 1000) }
    static now() { return now * 1000 }
  }
  try { return await run() } finally { globalThis.Date = Real }
}

async function add(name, given) {
  const vector = {
    name, flavor: "encrypted", cookie_name: NAME, secrets: [SECRET], cookies: null, authorization: null, now: null, ...given,
  }
  if (given.token !== undefined) vector.cookies = `${vector.cookie_name}=${given.token}`
  delete vector.token
  const library = vector.flavor === "encrypted_v4" ? v4 : core041
  vector.core = await at(vector.now, () => ask(library, vector))
  if (library === core041) {
    const older = await at(vector.now, () => ask(core040, vector))
    if (JSON.stringify(older.claims) !== JSON.stringify(vector.core.claims)) throw new Error(`0.40 and 0.41 differ on ${name}`)
  }
  // `ours` is given where this project differs from the library on purpose.
  if (given.ours !== undefined) {
    if (given.ours.ok === vector.core.ok) throw new Error(`${name} does not differ from the library, but has a reason for a difference`)
  } else {
    vector.ours = vector.core
  }
  vectors.push(vector)
}

const v5 = (claims = CLAIMS, { secret = SECRET, salt = NAME, maxAge = 3600, library = core041 } = {}) =>
  library.encode({ token: claims, secret, salt, maxAge })
const sealed = (claims, { header = {}, secret = SECRET, salt = NAME, bytes = 64, kid = true } = {}) => {
  const key = v5Key(secret, salt, bytes)
  const base = { alg: "dir", enc: bytes === 64 ? "A256CBC-HS512" : "A256GCM", ...(kid ? { kid: thumbprint(key) } : {}) }
  return seal({ ...base, ...header }, typeof claims === "string" ? claims : JSON.stringify(claims), key)
}
const differ = (ok, why, claims = CLAIMS) => ({ ours: ok ? { ok, claims } : { ok }, why })

// Tokens that the libraries issue.
await add("v5 of 0.41", { token: await v5() })
await add("v5 of 0.40", { token: await v5(CLAIMS, { library: core040 }) })
await add("v5 with a __Secure- name", { cookie_name: SECURE, token: await v5(CLAIMS, { salt: SECURE }) })
await add("v5 with a name of its own", { cookie_name: "sid", token: await v5(CLAIMS, { salt: "sid" }) })
{
  const key = v5Key(SECRET, NAME, 32)
  const jwt = () => new EncryptJWT(CLAIMS).setExpirationTime("1h")
  const enc = { alg: "dir", enc: "A256GCM" }
  await add("A256GCM by jose, with kid", { token: await jwt().setProtectedHeader({ ...enc, kid: thumbprint(key) }).encrypt(key) })
  await add("A256GCM by jose, without kid", { token: await jwt().setProtectedHeader(enc).encrypt(key) })
}
await add("v4", { flavor: "encrypted_v4", cookie_name: V4_NAME, token: await v4.encode({ token: CLAIMS, secret: SECRET }) })
await add("v4 with a __Secure- name", {
  flavor: "encrypted_v4", cookie_name: `__Secure-${V4_NAME}`, token: await v4.encode({ token: CLAIMS, secret: SECRET }),
})
await add("v4 of another secret", { flavor: "encrypted_v4", cookie_name: V4_NAME, token: await v4.encode({ token: CLAIMS, secret: OLD }) })
await add("v4 of an older secret", {
  flavor: "encrypted_v4", cookie_name: V4_NAME, secrets: [SECRET, OLD], token: seal({ alg: "dir", enc: "A256GCM" }, JSON.stringify(CLAIMS), v4Key(OLD)),
  ...differ(true, "v4 has one secret; here older secrets are tried too"),
})
await add("v4 read as v5", { token: await v4.encode({ token: CLAIMS, secret: SECRET }) })
await add("v5 read as v4", { flavor: "encrypted_v4", cookie_name: V4_NAME, token: await v5(CLAIMS, { salt: V4_NAME }) })

// Rotation of secrets.
const three = [SECRET, OLD, OLDEST]
for (const [n, secret] of three.entries()) await add(`rotated, secret ${n}`, { secrets: three, token: await v5(CLAIMS, { secret }) })
await add("rotated, none of them", { secrets: [OLD, OLDEST], token: await v5() })
await add("no kid, first secret", { secrets: three, token: sealed(CLAIMS, { kid: false }) })
await add("no kid, second secret", {
  secrets: three, token: sealed(CLAIMS, { kid: false, secret: OLD }),
  ...differ(true, "without a kid the library tries the first secret only; here every secret is tried"),
})
await add("no kid, unknown secret", { secrets: [OLD, OLDEST], token: sealed(CLAIMS, { kid: false }) })
await add("a kid that is not the key's", { token: sealed(CLAIMS, { header: { kid: "x" } }) })
await add("a kid of another secret", { secrets: [SECRET, OLD], token: sealed(CLAIMS, { header: { kid: thumbprint(v5Key(OLD, NAME)) } }) })
await add("rotated, GCM", { secrets: [SECRET, OLD], token: sealed(CLAIMS, { bytes: 32, secret: OLD }) })
await add("GCM with the kid of the longer key", { token: sealed(CLAIMS, { bytes: 32, header: { kid: thumbprint(v5Key(SECRET, NAME)) } }) })
await add("wrong salt", { token: await v5(CLAIMS, { salt: SECURE }) })
await add("wrong secret", { secrets: [OLD], token: await v5() })
await add("wrong secret, GCM", { secrets: [OLD], token: sealed(CLAIMS, { bytes: 32, kid: false }) })

// `exp`, `nbf` and `iat`.
for (const late of [-3600, 0, 14, 15, 16, 3600]) {
  await add(`exp ${late} s ago`, { now: NOW, token: sealed({ ...CLAIMS, exp: NOW - late }) })
}
for (const early of [0, 14, 15, 16, 20, 3600]) {
  await add(`nbf in ${early} s`, { now: NOW, token: sealed({ ...CLAIMS, nbf: NOW + early }) })
}
await add("exp in the past, on the real clock", { token: sealed({ ...CLAIMS, exp: NOW - 60 }) })
for (const late of [14.5, 15.5]) await add(`exp ${late} s ago`, { now: NOW, token: sealed({ ...CLAIMS, exp: NOW - late }) })
for (const early of [14.5, 15.5]) await add(`nbf in ${early} s`, { now: NOW, token: sealed({ ...CLAIMS, nbf: NOW + early }) })
await add("v4 expired", {
  flavor: "encrypted_v4", cookie_name: V4_NAME, now: NOW, token: seal({ alg: "dir", enc: "A256GCM" }, JSON.stringify({ ...CLAIMS, exp: NOW - 15 }), v4Key(SECRET)),
})
await add("v4 within the tolerance", {
  flavor: "encrypted_v4", cookie_name: V4_NAME, now: NOW, token: seal({ alg: "dir", enc: "A256GCM" }, JSON.stringify({ ...CLAIMS, exp: NOW - 14 }), v4Key(SECRET)),
})
await add("no exp", { token: sealed(CLAIMS) })
await add("exp with a fraction", { token: sealed({ ...CLAIMS, exp: NOW + 60.5 }) })
await add("iat in the future", { token: sealed({ ...CLAIMS, iat: NOW + 3600 }) })
for (const name of ["exp", "nbf", "iat"]) await add(`${name} as text`, { token: sealed({ ...CLAIMS, [name]: String(NOW) }) })
await add("exp twice", {
  token: sealed(`{"sub":"42","exp":${NOW - 3600},"exp":${NOW + 3600}}`), ...differ(false, "a token that repeats a time or another registered claim that is checked is refused"),
})
await add("exp null", { token: sealed({ ...CLAIMS, exp: null }) })
for (const [name, plain] of Object.entries({
  "exp of a far future": '"exp":1e300', "exp wider than 64 bits": `"exp":1${"0".repeat(30)}`, "exp negative": '"exp":-1',
  "exp zero": '"exp":0', "exp true": '"exp":true', "nbf negative": '"nbf":-1',
})) await add(name, { token: sealed(`{"sub":"42",${plain}}`) })

// Damaged tokens.
const good = await v5()
const parts = good.split(".")
const flip = (text) => (text.startsWith("A") ? "B" : "A") + text.slice(1)
for (const [n, part] of ["header", "key", "iv", "ciphertext", "tag"].entries()) {
  const damaged = parts.with(n, n === 1 ? "AAAA" : flip(parts[n]))
  await add(`tampered ${part}`, { token: damaged.join(".") })
  if (n !== 1) await add(`empty ${part}`, { token: parts.with(n, "").join(".") })
}
await add("tag cut to 16 bytes", { token: parts.with(4, b64(Buffer.from(parts[4], "base64url").subarray(0, 16))).join(".") })
await add("tag one byte short", { token: parts.with(4, b64(Buffer.from(parts[4], "base64url").subarray(0, 31))).join(".") })
await add("iv one byte short", { token: parts.with(2, b64(Buffer.from(parts[2], "base64url").subarray(0, 15))).join(".") })
await add("ciphertext one block short", { token: parts.with(3, b64(Buffer.from(parts[3], "base64url").subarray(0, -16))).join(".") })
await add("iv and tag swapped", { token: parts.with(2, parts[4]).with(4, parts[2]).join(".") })
{
  const gcm = sealed(CLAIMS, { bytes: 32 }).split(".")
  const bytes = (n) => Buffer.from(gcm[n], "base64url")
  for (const [n, part] of ["header", "key", "iv", "ciphertext", "tag"].entries()) {
    await add(`GCM, tampered ${part}`, { token: gcm.with(n, n === 1 ? "AAAA" : flip(gcm[n])).join(".") })
  }
  // AES-GCM itself allows tags this short.
  for (const size of [0, 4, 8, 12, 15]) await add(`GCM, tag of ${size} bytes`, { token: gcm.with(4, b64(bytes(4).subarray(0, size))).join(".") })
  for (const size of [0, 11, 16]) {
    await add(`GCM, iv of ${size} bytes`, { token: gcm.with(2, b64(Buffer.concat([bytes(2), Buffer.alloc(4)]).subarray(0, size))).join(".") })
  }
}
await add("four parts", { token: parts.slice(0, 4).join(".") })
await add("six parts", { token: `${good}.AAAA` })
await add("no parts", { token: "garbage" })
await add("only dots", { token: "...." })
{
  const tag = parts[4]
  const unpadded = Buffer.from(tag, "base64url")
  // The last base64url character of 32 bytes has two unused bits.
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
  const last = alphabet[alphabet.indexOf(tag.at(-1)) ^ 1]
  if (!Buffer.from(tag.slice(0, -1) + last, "base64url").equals(unpadded)) throw new Error("the two bits are not unused")
  await add("base64url with stray bits", {
    token: parts.with(4, tag.slice(0, -1) + last).join("."), ...differ(false, "base64url is read strictly: a token has one spelling"),
  })
  delete vectors.at(-1).ours.claims
}
await add("base64url with padding", { cookies: `${NAME}=${parts.with(4, `${parts[4]}=`).join(".")}`, ...differ(false, "base64url has no padding (RFC 7515, section 2)") })
{
  let token
  do token = sealed(CLAIMS).split("."); while (!/[-_]/.test(token[3]))
  const strict = differ(false, "base64url is read strictly: a token has one spelling")
  // With a newer Node jose uses Node's own strict decoder, and rejects this token too.
  await add("base64 of the other alphabet", {
    token: token.with(3, token[3].replaceAll("-", "+").replaceAll("_", "/")).join("."), ...(Uint8Array.fromBase64 ? {} : strict),
  })
  await add("base64url with a space", { token: token.with(3, `${token[3].slice(0, 4)}%20${token[3].slice(4)}`).join("."), ...strict })
  await add("base64url with a newline", { token: `${token.join(".")}%0A`, ...strict })
}

// Protected headers.
for (const [name, header] of Object.entries({
  "alg A256KW": { alg: "A256KW" },
  "alg RSA-OAEP": { alg: "RSA-OAEP" },
  "alg none": { alg: "none" },
  "no alg": { alg: undefined },
  "enc A128CBC-HS256": { enc: "A128CBC-HS256" },
  "enc A192GCM": { enc: "A192GCM" },
  "enc in small letters": { enc: "a256cbc-hs512" },
  "no enc": { enc: undefined },
  "enc of the other key": { enc: "A256GCM" },
  "zip DEF": { zip: "DEF" },
  "zip null": { zip: null },
  "crit unknown": { crit: ["b64"], b64: false },
  "crit without its member": { crit: ["exp"] },
  "crit with its member": { crit: ["exp"], exp: NOW + 3600 },
  "crit empty": { crit: [] },
  "crit a string": { crit: "exp" },
  "crit null": { crit: null },
  "kid a number": { kid: 5 },
  "kid null": { kid: null },
  "typ and cty": { typ: "JWT", cty: "JWT" },
  "members of other algorithms": { p2c: 1e9, jku: "https://example.com", epk: {} },
})) await add(name, { token: sealed(CLAIMS, { header }) })
await add("a header that is no object", { token: seal("[]", "{}", v5Key(SECRET, NAME)) })
await add("a header that is an array", { token: seal('["dir","A256CBC-HS512"]', JSON.stringify(CLAIMS), v5Key(SECRET, NAME)) })
await add("a header that is no JSON", { token: seal("nope", "{}", v5Key(SECRET, NAME)) })
await add("v4 under A128CBC-HS256", {
  flavor: "encrypted_v4", cookie_name: V4_NAME,
  token: await new EncryptJWT(CLAIMS).setProtectedHeader({ alg: "dir", enc: "A128CBC-HS256" }).encrypt(v4Key(SECRET)),
  ...differ(false, "v4 issues A256GCM, so no other encryption is accepted"),
})
{
  const V4 = { flavor: "encrypted_v4", cookie_name: V4_NAME }
  const key = v4Key(SECRET)
  const v4Sealed = (claims, header = {}) => seal({ alg: "dir", enc: "A256GCM", ...header }, typeof claims === "string" ? claims : JSON.stringify(claims), key)
  for (const [name, header] of Object.entries({ "zip DEF": { zip: "DEF" }, "crit unknown": { crit: ["x"], x: 1 }, "alg none": { alg: "none" } })) {
    await add(`v4, ${name}`, { ...V4, token: v4Sealed(CLAIMS, header) })
  }
  for (const plain of ["[1]", '"a"']) await add(`v4, claims ${plain}`, { ...V4, token: v4Sealed(plain) })
  await add("v4 with a salt", { ...V4, token: await v4.encode({ token: CLAIMS, secret: SECRET, salt: V4_NAME }) })
  const pieces = v4Sealed({ ...CLAIMS, pad: "x".repeat(300) }).match(/.{1,150}/g).map((chunk, n) => `${V4_NAME}.${n}=${chunk}`)
  await add("v4 in chunks", { ...V4, cookies: pieces.join("; ") })
  await add("v4 in chunks, last first", { ...V4, cookies: pieces.toReversed().join("; ") })
  await add("v4 and a sibling", { ...V4, cookies: `${V4_NAME}=${v4Sealed(CLAIMS)}; ${V4_NAME}-old=zzz`, ...differ(true, "cookies are read by exact name, never by prefix") })
  await add("v4, Bearer", { ...V4, authorization: `Bearer ${v4Sealed(CLAIMS)}` })
  await add("v4, bearer in small letters", { ...V4, authorization: `bearer ${v4Sealed(CLAIMS)}` })
  await add("v4, Bearer, percent-encoded", { ...V4, authorization: `Bearer ${v4Sealed(CLAIMS).replaceAll(".", "%2E")}` })
}
await add("an unsigned JWT", { token: `${b64('{"alg":"none"}')}.${b64(JSON.stringify(CLAIMS))}.` })

// Claims.
for (const [name, plain] of Object.entries({
  "claims an array": "[1]", "claims a string": '"a"', "claims a number": "1", "claims null": "null", "claims nothing": "",
  "claims half": '{"a":', "claims twice": "{}{}",
})) await add(name, { token: sealed(plain) })
{
  // `name.slice(0, 5)` cuts an emoji in half. The rest is a lone surrogate, which UTF-8 cannot encode.
  const token = await v5({ ...CLAIMS, name: "Ada 👩‍💻".slice(0, 5) })
  await add("half a character", { token })
  vectors.at(-1).ours = vectors.at(-1).core = { ok: true, claims: { ...vectors.at(-1).core.claims, name: "Ada \ufffd" } }
}
const NO_USER = "a token without `sub`, `email` or `name` is not a session"
await add("claims empty", { token: sealed({}), ...differ(false, NO_USER) })
await add("claims of a state", { token: sealed({ state: "x" }), ...differ(false, NO_USER) })
await add("sub twice", { token: sealed('{"sub":"41","sub":"42"}'), ...differ(false, "a token that repeats a time or another registered claim that is checked is refused") })
await add("claims nested 100 deep", { token: sealed(`{"sub":"42","deep":${"[".repeat(99)}${"]".repeat(99)}}`), ...differ(false, "nested over 64 levels deep or with a number beyond a double are refused") })
await add("claims with a prototype", { token: sealed('{"__proto__":{"role":"admin"},"sub":"42"}') })
await add("claims among spaces", { token: sealed(' \n{"sub":"42"} ') })
await add("a claim of the app's own twice", { token: sealed('{"sub":"42","role":"user","role":"admin"}') })
await add("claims nested 64 deep", { token: sealed(`{"sub":"42","deep":${"[".repeat(63)}${"]".repeat(63)}}`) })
await add("unicode", { token: await v5({ ...CLAIMS, name: "Zoë 👩‍💻 שלום \u202e", "ключ": "値" }) })
await add("nested claims", { token: await v5({ ...CLAIMS, role: "admin", nested: { a: [1, null, { b: true }], big: 9007199254740991, float: 1.5 } }) })

// Cookies with tokens.
const big = await v5({ ...CLAIMS, pad: "x".repeat(7000) })
const chunks = (token, size = 3936) => token.match(new RegExp(`.{1,${size}}`, "g")).map((chunk, n) => `${NAME}.${n}=${chunk}`)
await add("12 KB in one cookie", { token: await v5({ ...CLAIMS, pad: "x".repeat(9000) }) })
await add("three chunks", { cookies: chunks(big).join("; ") })
await add("three chunks, last first", { cookies: chunks(big).reverse().join("; ") })
await add("fourteen chunks, shuffled", { cookies: chunks(big, Math.ceil(big.length / 14)).sort().reverse().join("; ") })
await add("a chunk is missing", { cookies: chunks(big).toSpliced(1, 1).join("; ") })
await add("chunks and a sibling", {
  cookies: `${NAME}-old=zzz; ${chunks(big).join("; ")}`, ...differ(true, "cookies are read by exact name, never by prefix", vectors.find((v) => v.name === "three chunks").core.claims),
})
await add("a token and a sibling", { cookies: `${NAME}=${sealed(CLAIMS)}; ${NAME}-old=zzz`, ...differ(true, "cookies are read by exact name, never by prefix") })
await add("a stale plain cookie beside chunks", {
  cookies: `${NAME}=stale; ${chunks(sealed(CLAIMS), 100).join("; ")}`, ...differ(true, "a stale cookie does not have the form of a token, and is ignored"),
})
await add("a stale chunk after a gap", {
  cookies: `${chunks(sealed(CLAIMS), 100).join("; ")}; ${NAME}.40=stale`, ...differ(true, "chunks end at the first gap"),
})
await add("a stale chunk beside a plain token", { cookies: `${NAME}=${sealed(CLAIMS)}; ${NAME}.3=stale`, ...differ(true, "chunks without a first chunk are ignored") })
await add("other cookies around", { cookies: `a=1;  ${NAME}=${good} ;b; c=2` })
await add("percent-encoded", { cookies: `${NAME}=${good.replaceAll(".", "%2E")}` })
await add("a broken percent-escape", { cookies: `${NAME}=${good}%zz` })
await add("quoted", { cookies: `${NAME}="${good}"` })
await add("twice, the first is good", { cookies: `${NAME}=${good}; ${NAME}=zzz` })
await add("twice, the second is good", { cookies: `${NAME}=zzz; ${NAME}=${good}` })
await add("quoted in single quotes", { cookies: `${NAME}='${good}'` })
await add("half quoted", { cookies: `${NAME}="${good}` })
await add("spaces around the equals sign", { cookies: `${NAME} = ${good}` })
await add("tabs around", { cookies: `a=1;\t${NAME}=${good}\t; b` })
await add("semicolons around", { cookies: `;;; ${NAME}=${good};;` })
await add("no spaces", { cookies: `a=b;${NAME}=${good};c` })
await add("the name in capitals", { cookies: `${NAME.toUpperCase()}=${good}` })
await add("the name percent-encoded", { cookies: `authjs%2Esession-token=${good}` })
await add("an empty cookie, then a good one", { cookies: `${NAME}=; ${NAME}=${good}` })
{
  const plain = sealed(CLAIMS)
  const [first, second] = [plain.slice(0, 100), plain.slice(100)]
  const none = differ(false, "chunks end at the first gap; chunks without a first chunk are ignored")
  await add("chunks and an empty one", { cookies: `${NAME}.0=${first}; ${NAME}.1=${second}; ${NAME}.2=` })
  await add("chunks and an empty plain cookie", { cookies: `${NAME}=; ${NAME}.0=${first}; ${NAME}.1=${second}` })
  await add("chunks and a stale next one", { cookies: `${NAME}.0=${first}; ${NAME}.1=${second}; ${NAME}.2=zzz` })
  await add("a chunk twice, the first is good", { cookies: `${NAME}.0=${first}; ${NAME}.0=zzz; ${NAME}.1=${second}` })
  await add("chunks, percent-encoded", { cookies: `${NAME}.0=${first.replaceAll(".", "%2E")}; ${NAME}.1=${second.replaceAll(".", "%2E")}` })
  await add("chunks from 1", { cookies: `${NAME}.1=${first}; ${NAME}.2=${second}`, ...none })
  await add("chunks 00 and 01", { cookies: `${NAME}.00=${first}; ${NAME}.01=${second}`, ...none })
}
await add("no cookie", { cookies: "a=1" })
await add("an empty cookie", { cookies: `${NAME}=` })
await add("another name", { cookies: `${SECURE}=${good}` })

// The header `Authorization`.
await add("Bearer", { authorization: `Bearer ${good}` })
await add("bearer in small letters", { authorization: `bearer ${good}` })
await add("Bearer, percent-encoded", { authorization: `Bearer ${good.replaceAll(".", "%2E")}` })
await add("Bearer with a broken escape", { authorization: `Bearer ${good}%zz` })
await add("Bearer beside an empty cookie", { cookies: `${NAME}=`, authorization: `Bearer ${good}` })
await add("Bearer beside an invalid cookie", { cookies: `${NAME}=zzz`, authorization: `Bearer ${good}` })
{
  const authorization = `Bearer ${sealed(CLAIMS)}`
  await add("Bearer beside a sibling", { cookies: `${NAME}-old=zzz`, authorization, ...differ(true, "cookies are read by exact name, never by prefix") })
  await add("Bearer beside a stale chunk", { cookies: `${NAME}.3=zzz`, authorization, ...differ(true, "chunks without a first chunk are ignored") })
}
await add("Bearer in capitals", { authorization: `BEARER ${good}` })
await add("Bearer and two spaces", { authorization: `Bearer  ${good}` })
await add("Bearer and nothing", { authorization: "Bearer " })
await add("Basic", { authorization: `Basic ${good}` })

// Signed tokens, for servers with their own session encoding. The verdict is that of jose.
async function signed(format, name, { key, pem, algorithm, expect = algorithm, token }) {
  token ??= await new SignJWT(CLAIMS).setProtectedHeader({ alg: algorithm }).sign(key.privateKey ?? key)
  const verdict = await jwtVerify(token, key.publicKey ?? key, { algorithms: [expect], clockTolerance: 15 }).then(
    ({ payload }) => ({ ok: true, claims: payload }), (error) => ({ ok: false, error: error.message }))
  vectors.push({
    name, flavor: format, cookie_name: NAME, secrets: [pem], cookies: `${NAME}=${token}`, authorization: null, now: null,
    core: verdict, ours: verdict,
  })
  return token
}
for (const algorithm of ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]) {
  const key = await generateKeyPair(algorithm, { extractable: true })
  const other = await generateKeyPair(algorithm, { extractable: true })
  const pem = await exportSPKI(key.publicKey)
  const format = algorithm.toLowerCase()
  const token = await signed(format, `signed ${algorithm}`, { key, pem, algorithm })
  const forged = await new SignJWT(CLAIMS).setProtectedHeader({ alg: algorithm }).sign(other.privateKey)
  await signed(format, `${algorithm} by another key`, { key, pem, algorithm, token: forged })
  // Algorithm confusion: the public key is used as the secret of an HMAC.
  const confused = await new SignJWT(CLAIMS).setProtectedHeader({ alg: "HS256" }).sign(new TextEncoder().encode(pem))
  await signed(format, `${algorithm} confused with HS256`, { key, pem, algorithm, token: confused })
  const [head, body, signature] = token.split(".")
  await signed(format, `${algorithm} with other claims`, { key, pem, algorithm, token: [head, flip(body), signature].join(".") })
  await signed(format, `${algorithm} unsigned`, { key, pem, algorithm, token: `${head}.${body}.` })
}
for (const algorithm of ["HS256", "HS384", "HS512"]) {
  const secret = SECRET.padEnd(64, "!")
  const key = new TextEncoder().encode(secret)
  for (const expect of ["HS256", "HS384", "HS512"]) {
    await signed(expect.toLowerCase(), `${algorithm} where ${expect} is configured`, { key, pem: secret, algorithm, expect })
  }
}

// These vectors use the real clock and its tolerance of 15 s. They come last: generating keys takes seconds.
const last = Math.floor(Date.now() / 1000)
await add("exp 5 s ago, on the real clock", { token: sealed({ ...CLAIMS, exp: last - 5 }) })
await add("exp 25 s ago, on the real clock", { token: sealed({ ...CLAIMS, exp: last - 25 }) })

process.stdout.write(JSON.stringify({ now: NOW, vectors }))
