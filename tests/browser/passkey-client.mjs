// A passkey with next-auth/webauthn as it comes from npm (BUNDLE), in a page under a content security
// policy: somebody who is signed in adds one, signs out, and signs in with it. Leaves screenshots in OUTPUT.
import assert from "node:assert/strict"
import { mkdirSync, readFileSync } from "node:fs"
import { authenticatorOf } from "./authenticator.mjs"
import { launch } from "./chromium.mjs"

const { APP, BUNDLE, OUTPUT } = process.env
const bundle = readFileSync(BUNDLE, "utf8")
mkdirSync(OUTPUT, { recursive: true })
const { browser, page } = await launch()
const authenticator = await authenticatorOf(page)
let step = 0
const text = () => page.locator("body").innerText()

/** Calls a function of the client from a page without it, and comes back. */
async function call(name, ...args) {
  await page.goto(`${APP}/page`)
  await page.evaluate(bundle)
  return page.evaluate(([name, args]) => globalThis.nextAuth[name](...args), [name, args])
}

async function is(who) {
  await page.goto(`${APP}/me`)
  const said = await text()
  assert.ok(who ? said === who : said.includes("session_absent"), said)
  await page.screenshot({ path: `${OUTPUT}/${++step}-${who ?? "nobody"}.png` })
}

await call("signIn", "credentials", { username: "demo", password: "demo", redirect: false })
await is("demo@example.com")

const added = await call("passkey", "passkey", { action: "register", redirect: false, callbackUrl: "/page?added" })
assert.deepEqual([added.ok, added.error, added.url], [true, null, `${APP}/page?added`])
assert.equal((await authenticator.passkeys()).length, 1)
await is("demo@example.com")

await call("signOut", { redirect: false })
await is(null)
// Nobody registers with the name of somebody else: there is no answer but an error on the console.
assert.equal(await call("passkey", "passkey", { action: "register", email: "demo@example.com", redirect: false }), undefined)
assert.equal((await authenticator.passkeys()).length, 1)
await is(null)

call("passkey", "passkey", { action: "authenticate", callbackUrl: "/page?back" }).catch(() => {})
await page.waitForURL(`${APP}/page?back`)
await is("demo@example.com")
await browser.close()
console.log("added, signed out, signed in")
