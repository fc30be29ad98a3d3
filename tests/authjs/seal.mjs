// Encrypts compact JWE tokens (RFC 7516, RFC 7518) with headers and bodies that no library would issue.
import { createCipheriv, createHash, createHmac, hkdfSync, randomBytes } from "node:crypto"

export const b64 = (data) => Buffer.from(data).toString("base64url")

/** The key of Auth.js v5: 64 bytes for A256CBC-HS512, 32 for A256GCM. */
export function v5Key(secret, salt, bytes = 64) {
  return Buffer.from(hkdfSync("sha256", secret, salt, `Auth.js Generated Encryption Key (${salt})`, bytes))
}

/** The key of next-auth v4. */
export function v4Key(secret) {
  return Buffer.from(hkdfSync("sha256", secret, "", "NextAuth.js Generated Encryption Key", 32))
}

/** The thumbprint of a key (RFC 7638). */
export function thumbprint(key) {
  const json = JSON.stringify({ k: b64(key), kty: "oct" })
  return createHash(key.length === 64 ? "sha512" : "sha256").update(json).digest("base64url")
}

/** Encrypts with any header. The length of the key decides the cipher. */
export function seal(header, plain, key, { encryptedKey = "", gcmBits = 256 } = {}) {
  const aad = b64(typeof header === "string" ? header : JSON.stringify(header))
  const [iv, text, tag] = key.length === 64 ? cbc(aad, plain, key) : gcm(aad, plain, key, gcmBits)
  return [aad, encryptedKey, b64(iv), b64(text), b64(tag)].join(".")
}

function cbc(aad, plain, key) {
  const iv = randomBytes(16)
  const cipher = createCipheriv("aes-256-cbc", key.subarray(32), iv)
  const text = Buffer.concat([cipher.update(plain), cipher.final()])
  const bits = Buffer.alloc(8)
  bits.writeBigUInt64BE(BigInt(aad.length * 8))
  const mac = createHmac("sha512", key.subarray(0, 32)).update(aad).update(iv).update(text).update(bits).digest()
  return [iv, text, mac.subarray(0, 32)]
}

function gcm(aad, plain, key, bits) {
  const iv = randomBytes(12)
  const cipher = createCipheriv(`aes-${bits}-gcm`, key, iv)
  cipher.setAAD(Buffer.from(aad))
  const text = Buffer.concat([cipher.update(plain), cipher.final()])
  return [iv, text, cipher.getAuthTag()]
}
