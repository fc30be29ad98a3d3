// Passkeys with the unmodified next-auth/webauthn (BUNDLE), on a page with a content security policy: a signed-in
// visitor adds a passkey, signs out, and signs in with it. Writes screenshots to OUTPUT.
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

/** Opens the page, loads the bundle into it, and calls a function of the client. */
async function call(name, ...args) {
  await page.goto(`${APP}/page`)
  await page.evaluate(bundle)
  return page.evaluate(([name, args]) => globalThis.nextAuth[name](...args), [name, args])
}

async function expectUser(who) {
  await page.goto(`${APP}/me`)
  const said = await text()
  assert.ok(who ? said === who : said.includes("session_absent"), said)
  await page.screenshot({ path: `${OUTPUT}/${++step}-${who ?? "guest"}.png` })
}

await call("signIn", "credentials", { username: "demo", password: "demo", redirect: false })
await expectUser("demo@example.com")

const added = await call("passkey", "passkey", { action: "register", redirect: false, callbackUrl: "/page?added" })
assert.deepEqual([added.ok, added.error, added.url], [true, null, `${APP}/page?added`])
assert.equal((await authenticator.passkeys()).length, 1)
await expectUser("demo@example.com")

await call("signOut", { redirect: false })
await expectUser(null)
// A visitor cannot register a passkey for another user's address: the client returns undefined and logs an error.
assert.equal(await call("passkey", "passkey", { action: "register", email: "demo@example.com", redirect: false }), undefined)
assert.equal((await authenticator.passkeys()).length, 1)
await expectUser(null)

call("passkey", "passkey", { action: "authenticate", callbackUrl: "/page?back" }).catch(() => {})
await page.waitForURL(`${APP}/page?back`)
await expectUser("demo@example.com")
await browser.close()
console.log("added, signed out, signed in")
