// Prints the conformance vectors of the cookie cache as JSON: the session cookie and the cache of a request, the verdict
// of the real library on them (`library`), and whether this project uses the cache (`ours`). Where the two differ on
// purpose, `why` has the reason.
import { createHmac, hkdfSync, createHash, generateKeyPairSync, sign as signWith } from "node:crypto"
import { exportSPKI, importJWK } from "jose"
import { b64, seal } from "../authjs/seal.mjs"
import { BASE_URL, at, server, verdict } from "./verdict.mjs"

const SECRET = "the newest secret, of more than 32 bytes"
const OLD = "an older secret, of more than 32 bytes, too"
// Half a second after a whole one, because tokens have whole seconds.
const NOW = 1_800_000_000_500 // 2027-01-15T08:00:00.500Z
const SECONDS = Math.floor(NOW / 1000)
const EXPIRES = NOW + 300_000
const TOKEN = "wBcsFmQhmMRm5M9b4Ylt6yVhRcC3XkZp"
const FORMATS = ["compact", "jwt", "jwe"]
const NAME = { token: "better-auth.session_token", data: "better-auth.session_data" }

const vectors = []

async function add(name, given) {
  const vector = { name, secrets: [SECRET], now: NOW, session_token: signed(TOKEN), ...given }
  vector.cookies ??= `${NAME.token}=${encodeURIComponent(vector.session_token)}; ${NAME.data}=${vector.session_data}`
  vector.library = await verdict(vector)
  // The last 1.6 checks less: it takes every cache that the current version takes.
  if (vector.format !== "public" && vector.library.ok && !(await verdict(vector, true)).ok) throw new Error(`1.6 refuses ${name}`)
  const { ok } = vector.library
  // `why` is given where this project differs from the library on purpose.
  vector.ours = vector.why === undefined ? ok : !ok
  // The answer is not compared where the cache is not used here (it may have a lone surrogate, which is not UTF-8), and
  // where JavaScript reads the data differently (`is_same` is false).
  if (!vector.ours || given.is_same === false) vector.library = { ok }
  delete vector.jwks
  vectors.push(vector)
}

/** The same vector in every format under a secret. `text` is the JSON of the data. */
async function each(name, text, given = {}) {
  for (const format of given.formats ?? FORMATS) {
    await add(`${format}, ${name}`, { format, session_data: caches[format](text), ...given })
  }
}

// What the library makes of its cookies.
const hmac = (text, secret, hash = "sha256") => createHmac(hash, secret).update(text).digest()
const signed = (value, secret = SECRET) => `${value}.${hmac(value, secret).toString("base64")}`

function compact(text, { secret = SECRET, expires = String(EXPIRES), envelope = (parts) => parts } = {}) {
  const signature = hmac(`${text.slice(0, -1)},"expiresAt":${expires}}`, secret).toString("base64url")
  return b64(envelope(`{"session":${text},"expiresAt":${expires},"signature":"${signature}"}`))
}

/** The claims of a token: the data with these times. */
const claims = (text, times = `"iat":${SECONDS},"exp":${SECONDS + 300}`) => `${text.slice(0, -1)},${times}}`

function jws(text, { secret = SECRET, header = { alg: "HS256" }, hash = "sha256", signature } = {}) {
  const message = `${b64(typeof header === "string" ? header : JSON.stringify(header))}.${b64(text)}`
  return `${message}.${signature?.(message) ?? hmac(message, secret, hash).toString("base64url")}`
}

const key = (secret = SECRET, bytes = 64, salt = "better-auth-session") =>
  Buffer.from(hkdfSync("sha256", secret, salt, "BetterAuth.js Generated Encryption Key", bytes))
const thumbprint = (key, hash = "sha256") =>
  createHash(hash).update(JSON.stringify({ k: b64(key), kty: "oct" })).digest("base64url")

function jwe(text, { secret = SECRET, bytes = 64, salt, header = {} } = {}) {
  const bits = key(secret, bytes, salt)
  const base = { alg: "dir", enc: bytes === 64 ? "A256CBC-HS512" : "A256GCM", kid: thumbprint(bits) }
  return seal(typeof header === "string" ? header : { ...base, ...header }, text, bits)
}

const caches = { compact, jwt: (text) => jws(claims(text)), jwe: (text) => jwe(claims(text)) }

const SESSION = {
  expiresAt: "2027-01-22T08:00:00.000Z", token: TOKEN, createdAt: "2027-01-15T07:00:00.000Z", updatedAt: "2027-01-15T07:00:00.000Z",
  ipAddress: "127.0.0.1", userAgent: "Mozilla/5.0", userId: "u1", id: "s1",
}
const USER = {
  name: "Ada Lovelace", email: "ada@example.com", emailVerified: true, image: null, createdAt: "2026-01-01T00:00:00.000Z",
  updatedAt: "2026-01-01T00:00:00.000Z", id: "u1",
}
/** The data as text. A field that is `undefined` is left out. */
const data = ({ session = {}, user = {}, ...more } = {}) =>
  JSON.stringify({ session: { ...SESSION, ...session }, user: { ...USER, ...user }, updatedAt: NOW, version: "1", ...more })
const GOOD = data()
const why = (why) => ({ why })

// Cookies of the real library, of a real sign-up.
for (const format of [...FORMATS, "public"]) {
  const store = { user: [], session: [], account: [], verification: [], jwks: [] }
  const body = { email: "ada@example.com", password: "correct horse battery", name: "Zoë 👩‍💻 שלום", note: "x".repeat(format === "compact" ? 6000 : 10) }
  const response = await at(NOW, () => server({ format, secrets: [SECRET], store }).handler(new Request(
    `${BASE_URL}/api/auth/sign-up/email`,
    { method: "POST", headers: { "content-type": "application/json", origin: BASE_URL }, body: JSON.stringify(body) },
  )))
  if (!response.ok) throw new Error(`sign-up: ${response.status}`)
  const pairs = response.headers.getSetCookie().map((line) => line.split(";")[0]).map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)])
  const token = decodeURIComponent(pairs.find(([name]) => name === NAME.token)[1])
  const chunks = pairs.filter(([name]) => name.startsWith(NAME.data))
  const genuine = {
    format, session_token: token, session_data: chunks.map(([, value]) => value).join(""),
    cookies: pairs.map((pair) => pair.join("=")).join("; "), jwks: store.jwks,
  }
  if (format === "public") await addPublic(genuine, store.jwks)
  else {
    if (format === "compact" && chunks.length < 2) throw new Error("the long cookie has no chunks")
    await add(`${format}, of a real sign-up`, genuine)
    await add(`${format}, of a real sign-up, after 4 minutes`, { ...genuine, now: NOW + 240_000 })
    await add(`${format}, of a real sign-up, after 6 minutes`, { ...genuine, now: NOW + 360_000 })
    if (!vectors.at(-3).ours || !vectors.at(-2).ours) throw new Error(`the library refuses its own cookies: ${format}`)
  }
}

// The session cookie.
for (const format of FORMATS) {
  const session_data = caches[format](GOOD)
  const cookie = (name, session_token, more = {}) => add(`${format}, session cookie ${name}`, { format, session_data, session_token, ...more })
  await cookie("good", signed(TOKEN))
  await cookie("of another visitor", signed("another-visitors-token-123456789"))
  await cookie("with the signature of another visitor", `${TOKEN}.${signed("x").split(".")[1]}`)
  await cookie("signed with another secret", signed(TOKEN, "another secret"))
  await cookie("signed with an older secret", signed(TOKEN, OLD), { secrets: [SECRET, OLD] })
  await cookie("without a signature", TOKEN)
  await cookie("with an empty signature", `${TOKEN}.`)
  await cookie("with a cut signature", signed(TOKEN).slice(0, -1))
  await cookie("in base64url", signed(TOKEN).replaceAll("+", "-").replaceAll("/", "_").replace("=", "") + "=", {})
  await cookie("in capitals", signed(TOKEN).toUpperCase())
  await cookie("empty", "")
}
{
  // The last digit of a signature has two bits that are not used. `atob` ignores them.
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  const session_token = signed(TOKEN).replace(/.=$/, (end) => `${digits[digits.indexOf(end[0]) + 1]}=`)
  await add("compact, session cookie in another spelling", {
    format: "compact", session_data: compact(GOOD), session_token, ...why("a signature and a cookie cache have one spelling"),
  })
  const session_token_with_plus = Array.from({ length: 99 }, (_, n) => `t${n}`).find((value) => /[+].*[/]|[/].*[+]/.test(signed(value)))
  await add("compact, session cookie with + and /", {
    format: "compact", session_data: compact(data({ session: { token: session_token_with_plus } })), session_token: signed(session_token_with_plus),
  })
  await add("compact, session cookie not percent-encoded", {
    format: "compact", session_data: compact(GOOD), cookies: `${NAME.token}=${signed(TOKEN)}; ${NAME.data}=${compact(GOOD)}`,
  })
  await add("compact, token with a dot", { format: "compact", session_data: compact(data({ session: { token: "a.b" } })), session_token: signed("a.b") })
}

// Fields and their types.
const ONE_USER = "a cookie cache with the session of one user and the data of another is not used"
const DATE = "a date in a cookie cache has milliseconds and exists"
const TEXT = "an identifier in a cookie cache is a string that is not empty"
for (const [name, changes, more] of [
  ["as it should be", {}],
  ["session.token of another visitor", { session: { token: "another-visitors-token-123456789" } }],
  ["session.token in capitals", { session: { token: TOKEN.toUpperCase() } }],
  ["session.expiresAt past", { session: { expiresAt: "2027-01-15T07:59:59.000Z" } }],
  ["session.expiresAt one millisecond ago", { session: { expiresAt: "2027-01-15T08:00:00.499Z" } }],
  ["session.expiresAt now", { session: { expiresAt: "2027-01-15T08:00:00.500Z" } }, why("a cookie cache and a session end at the millisecond of their expiry")],
  ["session.expiresAt in one millisecond", { session: { expiresAt: "2027-01-15T08:00:00.501Z" } }],
  ["session.expiresAt without milliseconds", { session: { expiresAt: "2027-01-22T08:00:00Z" } }, { formats: ["jwt", "jwe"], ...why(DATE) }],
  ["session.expiresAt with one digit of a second", { session: { expiresAt: "2027-01-22T08:00:00.5Z" } }, { formats: ["jwt", "jwe"], ...why(DATE) }],
  ["session.expiresAt on 30 February", { session: { expiresAt: "2027-02-30T08:00:00.000Z" } }, { formats: ["jwt", "jwe"], ...why(DATE) }],
  ["session.expiresAt on 31 February", { session: { expiresAt: "2027-02-31T08:00:00.000Z" } }, { formats: ["compact"] }],
  ["session.expiresAt a day", { session: { expiresAt: "2027-01-22" } }],
  ["session.expiresAt a number", { session: { expiresAt: NOW + 1e6 } }],
  ["session.expiresAt null", { session: { expiresAt: null } }],
  ["session.expiresAt nonsense", { session: { expiresAt: "soon" } }],
  ["session.expiresAt of month 13", { session: { expiresAt: "2027-13-01T00:00:00.000Z" } }],
  ["session.expiresAt at second 60", { session: { expiresAt: "2027-06-30T23:59:60.000Z" } }],
  ["session.expiresAt in another zone", { session: { expiresAt: "2027-01-22T08:00:00.000+01:00" } }],
  ["without session.expiresAt", { session: { expiresAt: undefined } }],
  ["without session.token", { session: { token: undefined } }],
  ["session.token a number", { session: { token: 1 } }],
  ["without session.id", { session: { id: undefined } }],
  ["session.id a number", { session: { id: 1 } }],
  ["session.id empty", { session: { id: "" } }, why(TEXT)],
  ["session.userId null", { session: { userId: null } }, why(TEXT)],
  ["session.userId a number", { session: { userId: 1 }, user: { id: "1" } }, why(TEXT)],
  ["session.userId of another user", { session: { userId: "u2" } }, why(ONE_USER)],
  ["without user.id", { user: { id: undefined } }],
  ["user.id of another user", { user: { id: "u2" } }, why(ONE_USER)],
  ["without user.name", { user: { name: undefined } }],
  ["user.name null", { user: { name: null } }],
  ["user.name empty", { user: { name: "" } }],
  ["without user.email", { user: { email: undefined } }],
  ["user.email null", { user: { email: null } }],
  ["user.emailVerified a string", { user: { emailVerified: "true" } }],
  ["user.image a number", { user: { image: 1 } }],
  ["user.image a URL", { user: { image: "https://example.com/a.png" } }],
  ["user.createdAt a number", { user: { createdAt: 1 } }],
  ["session.ipAddress a number", { session: { ipAddress: 1 } }],
  ["session.userAgent null", { session: { userAgent: null } }],
  ["session.createdAt null", { session: { createdAt: null } }],
  ["version 2", { version: "2" }],
  ["version empty", { version: "" }, why("an empty version of a cookie cache is another version")],
  ["version a number", { version: 1 }],
  ["version null", { version: null }],
  ["without version", { version: undefined }],
  ["without updatedAt", { updatedAt: undefined }],
  ["updatedAt a string", { updatedAt: String(NOW) }],
  ["updatedAt long ago", { updatedAt: 0 }],
  ["more members", { more: { a: [1, null] } }],
  ["more fields", { user: { role: "admin", extra: { a: [1, null, { b: true }] }, banned: false }, session: { activeOrganizationId: "o1", impersonatedBy: null } }],
  ["unicode", { user: { name: "Zoë 👩‍💻 שלום \u202e \u2028 \u0000 \" \\ /" } }],
  ["a name like a date", { user: { name: "2026-01-01T00:00:00.000Z" } }],
  ["a name like a date, without milliseconds", { user: { name: "2026-01-01T00:00:00Z" } }],
  ["a user agent like a date", { session: { userAgent: "2026-01-01T00:00:00.000Z" } }],
  ["a field like a date", { user: { note: "2026-01-01T00:00:00.000Z" } }],
  ["half an emoji", { user: { name: "Ada 👩‍💻".slice(0, 5) } }, why("a lone surrogate in a cookie cache is left to the upstream")],
  ["1e21", { user: { extra: 1e21 } }],
  ["1e-7 and big integers", { user: { extra: [1e-7, 9007199254740991, -0.5, 1e20] } }],
  ["20 kB", { user: { note: "x".repeat(20_000) } }],
  ["70 kB", { user: { note: "x".repeat(70_000) } }, why("a cookie cache over 64 KiB is not read")],
  ["nested 60 deep", { user: { extra: JSON.parse(`${"[".repeat(60)}${"]".repeat(60)}`) } }],
  ["nested 100 deep", { user: { extra: JSON.parse(`${"[".repeat(100)}${"]".repeat(100)}`) } }, why("a cookie cache nested over 64 levels deep is not read")],
  // JavaScript sets the prototype.
  ["a field __proto__", { user: JSON.parse('{"__proto__":{"role":"admin"}}') }, { is_same: false }],
]) {
  await each(name, data(changes), more)
}
for (const [name, text, more] of [
  ["session null", JSON.stringify({ session: null, user: USER, updatedAt: NOW, version: "1" })],
  ["user an array", JSON.stringify({ session: SESSION, user: [USER], updatedAt: NOW, version: "1" })],
  ["no user", JSON.stringify({ session: SESSION, updatedAt: NOW, version: "1" })],
  ["members in another order", JSON.stringify({ version: "1", updatedAt: NOW, user: USER, session: SESSION })],
  ["a mail verification", JSON.stringify({ email: "ada@example.com", updateTo: "eve@example.com" })],
  ["empty", JSON.stringify({ a: 1 })],
]) await each(name, text, more)

// JSON that `JSON.stringify` does not write.
const TWICE = "a cookie cache that repeats a name is not used"
for (const [name, from, to] of [
  ["session.token twice", '"token":', '"token":"x","token":'],
  ["session.userId twice", '"userId":', '"userId":"u2","userId":'],
  ["session.expiresAt twice", '"expiresAt":', '"expiresAt":"2999-01-01T00:00:00.000Z","expiresAt":'],
  ["user.name twice", '"name":', '"name":"Eve","name":'],
  ["user twice", '"user":', '"user":{},"user":'],
  ["session twice", '"session":', '"session":{},"session":'],
]) {
  const text = GOOD.replace(from, to)
  await each(name, text, { formats: ["jwt", "jwe"], ...why(TWICE) })
  await each(name, text, { formats: ["compact"] })
}
await each("exp twice", `${GOOD.slice(0, -1)},"exp":${SECONDS + 9000}}`, { formats: ["jwt", "jwe"], ...why(TWICE) })
{
  const AS_SENT = "the text of a compact cookie cache is checked as it was signed; the library writes it again first"
  for (const [name, text] of [
    ["white space", GOOD.replace('"user":', '"user": ')],
    ["escapes", GOOD.replace("Ada", "\\u0041da")],
    ["1e21 without a sign", GOOD.replace('"id":"u1"}', '"id":"u1","extra":1e21}')],
    ["an integer with a fraction", GOOD.replace('"id":"u1"}', '"id":"u1","extra":1.0}')],
    ["a number as a name after others", GOOD.replace('"id":"u1"}', '"id":"u1","extra":{"b":1,"1":2}}')],
    ["a field like a date, without milliseconds", GOOD.replace('"id":"u1"}', '"id":"u1","note":"2026-01-01T00:00:00Z"}')],
  ]) await each(name, text, { formats: ["compact"], ...why(AS_SENT) })
  await each("an expiry in the data", `${GOOD.slice(0, -1)},"expiresAt":1}`, { formats: ["compact"] })
}

// The compact form.
{
  const add_ = (name, session_data, more = {}) => add(`compact, ${name}`, { format: "compact", session_data, ...more })
  const edit = (from, to) => compact(GOOD, { envelope: (text) => text.replace(from, to) })
  const ONE = why("a signature and a cookie cache have one spelling")
  const EDGE = why("a cookie cache and a session end at the millisecond of their expiry")
  await add_("another user", edit("Ada", "Eve"))
  await add_("a longer life", edit(`"expiresAt":${EXPIRES}`, `"expiresAt":${EXPIRES + 1}`))
  await add_("another secret", compact(GOOD, { secret: "another secret" }))
  await add_("an older secret", compact(GOOD, { secret: OLD }), { secrets: [SECRET, OLD] })
  await add_("no secret", compact(GOOD, { secret: "" }))
  await add_("no signature", edit(/,"signature":"[^"]*"/, ""))
  await add_("an empty signature", edit(/"signature":"[^"]*"/, '"signature":""'))
  await add_("a signature of null", edit(/"signature":"[^"]*"/, '"signature":null'))
  await add_("the signature of the session cookie", edit(/"signature":"[^"]*"/, `"signature":"${signed(TOKEN).split(".")[1]}"`))
  await add_("a signature with padding", edit(/"}$/, '="}'), ONE)
  await add_("members in another order in the envelope", compact(GOOD, { envelope: (text) => {
    const { session, expiresAt, signature } = JSON.parse(text)
    return JSON.stringify({ signature, expiresAt, session })
  } }))
  await add_("another member in the envelope", edit('{"session":', '{"more":1,"session":'))
  await add_("white space in the envelope", edit('{"session":', ' { "session" : '))
  await add_("signature twice in the envelope", edit(',"signature":', ',"signature":"x","signature":'), why(TWICE))
  await add_("session twice in the envelope", edit('{"session":', '{"session":{},"session":'), why(TWICE))
  await add_("expired", compact(GOOD, { expires: String(NOW - 1) }))
  await add_("expires now", compact(GOOD, { expires: String(NOW) }), EDGE)
  await add_("expires in one millisecond", compact(GOOD, { expires: String(NOW + 1) }))
  await add_("never expires", compact(GOOD, { expires: "9007199254740991" }))
  await add_("expires beyond the integers", compact(GOOD, { expires: "1e+300" }), why("the expiry of a compact cookie cache is a whole number"))
  await add_("expires with a fraction", compact(GOOD, { expires: `${EXPIRES}.5` }), why("the expiry of a compact cookie cache is a whole number"))
  await add_("expires as text", compact(GOOD, { expires: `"${EXPIRES}"` }))
  await add_("expires never", compact(GOOD, { expires: "null" }))
  await add_("padding", compact(GOOD, { envelope: (text) => text + " ".repeat((4 - (text.length % 3)) % 3 || 2) }).padEnd(9999, "=").replace(/=+$/, "=="), ONE)
  const odd = data({ user: { name: "~~~???>>>" } })
  await add_("base64 instead of base64url", compact(odd).replaceAll("-", "+").replaceAll("_", "/"), ONE)
  await add_("cut", compact(GOOD).slice(0, -8))
  await add_("not UTF-8", b64(Buffer.concat([Buffer.from(compact(GOOD), "base64url"), Buffer.from([0xff])])))
  await add_("not JSON", b64("session"))
  await add_("a list", b64("[]"))
  await add_("not base64", "%%%")
  await add_("the data without an envelope", b64(GOOD))
  for (const at of [0, 7, 40, 200, 400]) {
    const bytes = Buffer.from(compact(GOOD), "base64url")
    bytes[at] ^= 1
    await add_(`a changed bit at ${at}`, b64(bytes))
  }
  const chunks = compact(GOOD).match(/.{1,200}/g)
  await add_("in chunks, last first", compact(GOOD), {
    cookies: [`${NAME.token}=${signed(TOKEN)}`, ...chunks.map((chunk, n) => `${NAME.data}.${n}=${chunk}`).reverse()].join("; "),
  })
  await add_("in chunks, one missing", chunks.toSpliced(1, 1).join(""))
}

// Tokens.
for (const [format, make] of [["jwt", jws], ["jwe", jwe]]) {
  const token = (name, session_data, more = {}) => add(`${format}, ${name}`, { format, session_data, ...more })
  const timed = (times) => make(claims(GOOD, times))
  await token("exp past", timed(`"exp":${SECONDS - 1}`))
  await token("exp in this second", timed(`"exp":${SECONDS}`))
  await token("exp in the next second", timed(`"exp":${SECONDS + 1}`))
  await token("exp with a fraction, past", timed(`"exp":${SECONDS}.25`))
  await token("exp with a fraction, to come", timed(`"exp":${SECONDS}.75`))
  await token("no exp", timed('"iat":1'), why("a cookie cache must expire"))
  await token("exp null", timed('"exp":null'))
  await token("exp as text", timed(`"exp":"${SECONDS + 60}"`))
  await token("exp far away", timed('"exp":1e300'))
  await token("exp beyond a double", timed('"exp":1e999'), why("a number beyond a double is not read"))
  await token("nbf to come", timed(`"exp":${SECONDS + 60},"nbf":${SECONDS + 60}`))
  await token("nbf in this second", timed(`"exp":${SECONDS + 60},"nbf":${SECONDS}`))
  await token("nbf in one second", timed(`"exp":${SECONDS + 60},"nbf":${SECONDS + 1}`), format === "jwe" ? why("the times of a cookie cache have no tolerance") : {})
  await token("iat to come", timed(`"exp":${SECONDS + 60},"iat":${SECONDS + 60}`))
  await token("iat as text", timed(`"exp":${SECONDS + 60},"iat":"x"`))
  await token("white space around the claims", make(` ${claims(GOOD)} `))
  await token("claims a list", make("[1]"))
  await token("claims not UTF-8", make(Buffer.concat([Buffer.from(claims(GOOD)), Buffer.from([0xff])])))
}
{
  const token = (name, given, more = {}) => add(`jwt, ${name}`, { format: "jwt", session_data: jws(claims(GOOD), given), ...more })
  const FIXED = why("a signed cookie cache has HS256")
  await token("another secret", { secret: "another secret" })
  await token("an older secret", { secret: OLD }, { secrets: [SECRET, OLD] })
  await token("HS512", { header: { alg: "HS512" }, hash: "sha512" }, FIXED)
  await token("HS384", { header: { alg: "HS384" }, hash: "sha384" }, FIXED)
  await token("HS512 signed as HS256", { header: { alg: "HS512" } })
  await token("none", { header: { alg: "none" }, signature: () => "" })
  await token("HS256 unsigned", { signature: () => "" })
  await token("no alg", { header: {} })
  await token("RS256 with the secret", { header: { alg: "RS256" } })
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
  await token("RS256 with a key of its own", { header: { alg: "RS256" }, signature: (message) => signWith("sha256", Buffer.from(message), privateKey).toString("base64url") })
  await token("a kid and a typ", { header: { alg: "HS256", typ: "JWT", kid: "x" } })
  await token("crit", { header: { alg: "HS256", crit: ["x"], x: 1 } })
  await token("b64", { header: { alg: "HS256", b64: true } }, why("a header with `crit` or `b64` is refused"))
  await token("alg twice", { header: '{"alg":"none","alg":"HS256"}' }, why("a header that repeats a member is refused"))
  const good = jws(claims(GOOD))
  const raw = (name, session_data, more) => add(`jwt, ${name}`, { format: "jwt", session_data, ...more })
  const parts = good.split(".")
  await raw("other claims", parts.with(1, b64(claims(data({ user: { name: "Eve" } })))).join("."))
  await raw("padding", `${good}=`, why("a signature and a cookie cache have one spelling"))
  await raw("four parts", `${good}.x`)
  await raw("a cut signature", good.slice(0, -2))
  await raw("an empty payload", parts.with(1, "").join("."))
  await raw("jwe as jwt", jwe(claims(GOOD)))
  await raw("compact as jwt", compact(GOOD))
}
{
  const token = (name, given, more = {}) => add(`jwe, ${name}`, { format: "jwe", session_data: jwe(claims(GOOD), given), ...more })
  const both = { secrets: [SECRET, OLD] }
  await token("another secret", { secret: "another secret" })
  await token("an older secret", { secret: OLD }, both)
  await token("no kid", { header: { kid: undefined } })
  await token("no kid, older secret", { secret: OLD, header: { kid: undefined } }, both)
  await token("no kid, another secret", { secret: "another secret", header: { kid: undefined } }, both)
  await token("unknown kid", { header: { kid: "x" } })
  await token("empty kid", { header: { kid: "" } })
  await token("kid null", { header: { kid: null } })
  await token("kid of the older secret", { header: { kid: thumbprint(key(OLD)) } }, both)
  await token("kid with SHA-512", { header: { kid: thumbprint(key(), "sha512") } })
  await token("A256GCM", { bytes: 32 })
  await token("A256GCM, no kid", { bytes: 32, header: { kid: undefined } })
  await token("A256GCM with the kid of the longer key", { bytes: 32, header: { kid: thumbprint(key()) } })
  await token("the key of account_data", { salt: "better-auth-account" })
  await token("the key of account_data, no kid", { salt: "better-auth-account", header: { kid: undefined } })
  await token("crit", { header: { crit: ["x"], x: 1 } })
  await token("zip", { header: { zip: "DEF" } })
  await token("typ and cty", { header: { typ: "JWT", cty: "x" } })
  await token("alg twice", { header: `{"alg":"none","alg":"dir","enc":"A256CBC-HS512"}` }, why("a header that repeats a member is refused"))
  const good = jwe(claims(GOOD)).split(".")
  const raw = (name, session_data, more) => add(`jwe, ${name}`, { format: "jwe", session_data, ...more })
  const flip = (text) => (text.startsWith("A") ? "B" : "A") + text.slice(1)
  for (const [n, part] of ["header", "key", "iv", "ciphertext", "tag"].entries()) {
    await raw(`tampered ${part}`, good.with(n, n === 1 ? "AAAA" : flip(good[n])).join("."))
  }
  await raw("a short tag", good.with(4, b64(Buffer.from(good[4], "base64url").subarray(0, 16))).join("."))
  await raw("padding", `${good.join(".")}=`, why("a signature and a cookie cache have one spelling"))
  await raw("jwt as jwe", jws(claims(GOOD)))
  await raw("compact as jwe", compact(GOOD))
}

/** The form that is signed with a private key. `genuine` is of a real sign-up. */
async function addPublic(genuine, jwks) {
  const [row] = jwks
  const publicKey = await importJWK(JSON.parse(row.publicKey), "EdDSA")
  const privateKey = await importJWK(JSON.parse(row.privateKey), "EdDSA")
  const base = { format: "public", jwks, key: { kid: row.id, format: "eddsa", pem: await exportSPKI(publicKey), issuer: BASE_URL } }
  await add("public, of a real sign-up", { ...genuine, ...base })
  await add("public, of a real sign-up, after 6 minutes", { ...genuine, ...base, now: NOW + 360_000 })
  if (!vectors.at(-2).ours || vectors.at(-1).ours) throw new Error("the library refuses its own cookies: public")
  const own = { sid: TOKEN, iss: BASE_URL, aud: "better-auth:session-cache", sub: "u1", iat: SECONDS, exp: SECONDS + 300 }
  const usual = { alg: "EdDSA", kid: row.id, typ: "better-auth.session-cache+jwt" }
  const make = async (changes = {}, header = {}, text = data()) => {
    const message = `${b64(JSON.stringify({ ...usual, ...header }))}.${b64(JSON.stringify({ ...JSON.parse(text), ...own, ...changes }))}`
    return `${message}.${b64(Buffer.from(await crypto.subtle.sign("Ed25519", privateKey, Buffer.from(message))))}`
  }
  const token = async (name, changes, header, more) => add(`public, ${name}`, { ...base, session_data: await make(changes, header), ...more })
  await token("good")
  for (const [name, changes, more] of [
    ["aud of another", { aud: BASE_URL }], ["no aud", { aud: undefined }], ["aud a list", { aud: ["x", own.aud] }], ["aud an empty list", { aud: [] }],
    ["iss of another", { iss: "https://other.test" }], ["iss with a slash", { iss: `${BASE_URL}/` }], ["no iss", { iss: undefined }], ["iss a list", { iss: [BASE_URL] }],
    ["sub of another", { sub: "u2" }], ["no sub", { sub: undefined }], ["sid of another", { sid: "x" }], ["no sid", { sid: undefined }],
    ["exp past", { exp: SECONDS }], ["no exp", { exp: undefined }, why("a cookie cache must expire")], ["exp in the next second", { exp: SECONDS + 1 }],
    ["version 2", { version: "2" }], ["no user", { user: undefined }], ["another user", { user: { ...USER, id: "u2" } }],
  ]) await token(name, changes, {}, more)
  for (const [name, header] of [
    ["no typ", { typ: undefined }], ["typ JWT", { typ: "JWT" }], ["typ in capitals", { typ: usual.typ.toUpperCase() }],
    ["no kid", { kid: undefined }], ["unknown kid", { kid: "x" }], ["alg ES256", { alg: "ES256" }], ["alg none", { alg: "none" }], ["crit", { crit: ["x"], x: 1 }],
  ]) await token(name, {}, header)
  const good = await make()
  await add("public, tampered", { ...base, session_data: good.split(".").with(1, b64(JSON.stringify({ ...JSON.parse(data({ user: { name: "Eve" } })), ...own }))).join(".") })
  // Algorithm confusion: the public key as the secret of an HMAC.
  const confused = jws(JSON.stringify({ ...JSON.parse(data()), ...own }), { secret: base.key.pem, header: { ...usual, alg: "HS256" } })
  await add("public, HS256 with the public key", { ...base, session_data: confused })
  await add("public, session cookie of another visitor", { ...base, session_data: good, session_token: signed("x") })
  await add("public, session cookie without a signature", { ...base, session_data: good, session_token: TOKEN })
}

process.stdout.write(JSON.stringify({ vectors }))
