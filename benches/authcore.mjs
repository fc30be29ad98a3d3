// What `@auth/core/jwt` takes for a token: reads tokens from standard input, a line each, decodes them over
// and over for SECONDS, and prints the nanoseconds of one.
import { createInterface } from "node:readline/promises"

// From where the conformance tests install it, so that there is one version of it in the project.
const { decode } = await import(new URL("../tests/authjs/node_modules/@auth/core/jwt.js", import.meta.url))
const { SECRET: secret, SALT: salt, SECONDS } = process.env

const tokens = []
for await (const line of createInterface({ input: process.stdin })) tokens.push(line)
if ((await decode({ token: tokens[0], secret, salt }))?.name !== "Ada Lovelace") throw new Error("not decoded")

/** Nanoseconds of a decode, over so many seconds. */
async function run(seconds) {
  const start = process.hrtime.bigint()
  const end = start + BigInt(Math.round(seconds * 1e9))
  let count = 0
  while (process.hrtime.bigint() < end) {
    for (let n = 0; n < 16; n++) await decode({ token: tokens[count++ % tokens.length], secret, salt })
  }
  return Number(process.hrtime.bigint() - start) / count
}
// The compiler of V8 gets its time first.
await run(Number(SECONDS) / 4)
console.log(await run(Number(SECONDS)))
