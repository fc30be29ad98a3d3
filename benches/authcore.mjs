// Measures `@auth/core/jwt`: reads tokens from standard input, one a line, decodes them repeatedly for SECONDS, and
// prints the nanoseconds for one token.
import { createInterface } from "node:readline/promises"

// The copy that the conformance tests install: the project has only one version of it.
const { decode } = await import(new URL("../tests/authjs/node_modules/@auth/core/jwt.js", import.meta.url))
const { SECRET: secret, SALT: salt, SECONDS } = process.env

const tokens = []
for await (const line of createInterface({ input: process.stdin })) tokens.push(line)
if ((await decode({ token: tokens[0], secret, salt }))?.name !== "Ada Lovelace") throw new Error("not decoded")

/** Decodes for this many seconds. Returns the nanoseconds for one token. */
async function run(seconds) {
  const start = process.hrtime.bigint()
  const end = start + BigInt(Math.round(seconds * 1e9))
  let count = 0
  while (process.hrtime.bigint() < end) {
    for (let n = 0; n < 16; n++) await decode({ token: tokens[count++ % tokens.length], secret, salt })
  }
  return Number(process.hrtime.bigint() - start) / count
}
// The first run lets V8 compile and optimise the code.
await run(Number(SECONDS) / 4)
console.log(await run(Number(SECONDS)))
