// Checks the token in TOKEN as a service behind the verdict endpoint does, and prints its claims. The guide shows the same lines.
import { createRemoteJWKSet, jwtVerify } from "jose"

const { KEYS, TOKEN, ISSUER, AUDIENCE } = process.env

const keys = createRemoteJWKSet(new URL(KEYS))
const { payload } = await jwtVerify(TOKEN, keys, { issuer: ISSUER, audience: AUDIENCE })
console.log(JSON.stringify(payload))
