// Passkeys on the sign-in page of Auth.js: a new visitor registers with a passkey, signs out, signs in with it by name,
// and then without a name. Writes a screenshot of each step to OUTPUT.
import assert from "node:assert/strict"
import { mkdirSync } from "node:fs"
import { authenticatorOf } from "./authenticator.mjs"
import { launch } from "./chromium.mjs"

const { APP, OUTPUT } = process.env
const SCRIPT = "https://unpkg.com/@simplewebauthn/browser@v9.0.1/"
const OFFER = `${APP}/api/auth/webauthn-options/passkey?action=authenticate&email=`
mkdirSync(OUTPUT, { recursive: true })
const { browser, page } = await launch()
const authenticator = await authenticatorOf(page)
let step = 0
const shoot = (name) => page.screenshot({ path: `${OUTPUT}/${++step}-${name}.png` })
const text = () => page.locator("body").innerText()
const cookies = async () => (await page.context().cookies(APP)).map(({ name }) => name).sort()

// The page loads its script from a public host. The test serves the same file from npm.
await page.route(`${SCRIPT}**`, (route) =>
  route.fulfill({
    path: route.request().url().replace(SCRIPT, "node_modules/@simplewebauthn/browser/"),
    headers: { "access-control-allow-origin": "*" },
  }))

/** Opens a sign-in page, which requests options at once. Each request gets a new challenge. */
async function load(go) {
  const [offer] = await Promise.all([page.waitForResponse(OFFER), go()])
  const { action, options } = await offer.json()
  assert.deepEqual([action, options.rpId], ["authenticate", "localhost"])
  // The options are useless without the challenge, which is in this cookie.
  assert.match(await offer.headerValue("set-cookie"), /^authjs\.challenge=[^;]+; Max-Age=900; Path=\/; .*HttpOnly/m)
  assert.equal(new URL(page.url()).pathname, "/api/auth/signin")
}

/** Submits the form. The server decides whether this name is registered or signed in. */
async function submit(action) {
  await page.fill("#passkey-form [name=email]", "grace@example.com")
  const [callback] = await Promise.all([
    page.waitForRequest(`${APP}/api/auth/callback/passkey`),
    page.click("#passkey-form button"),
  ])
  assert.equal(new URLSearchParams(callback.postData()).get("action"), action)
  await arrive()
}

/** Checks that the visitor reaches the protected page, and that the challenge cookie is gone. */
async function arrive() {
  await page.waitForURL(`${APP}/protected`)
  assert.equal(await text(), "ok")
  assert.deepEqual(await cookies(), ["authjs.callback-url", "authjs.csrf-token", "authjs.session-token"])
}

async function signOut() {
  await page.goto(`${APP}/api/auth/signout`)
  // After the sign-out the browser opens the protected page, which redirects to the sign-in page.
  await load(() => page.getByRole("button", { name: "Sign out" }).click())
  assert.ok(!(await cookies()).includes("authjs.session-token"))
}

await load(() => page.goto(`${APP}/protected`))
await shoot("sent-to-sign-in")
await submit("register")
await shoot("registered")
const [passkey, ...others] = await authenticator.passkeys()
assert.deepEqual([passkey.rpId, passkey.isResidentCredential, others], ["localhost", true, []])
await page.goto(`${APP}/me`)
assert.equal(await text(), "grace@example.com")
await shoot("session")

// The page signs the visitor in by itself when the authenticator confirms, so it must not confirm yet.
await authenticator.agrees(false)
await signOut()
await shoot("signed-out")
await authenticator.agrees(true)
await submit("authenticate")
await shoot("signed-in-by-name")

await authenticator.agrees(false)
await signOut()
await authenticator.agrees(true)
await page.reload()
await arrive()
await page.goto(`${APP}/me`)
assert.equal(await text(), "grace@example.com")
await shoot("signed-in-without-a-name")
assert.equal((await authenticator.passkeys()).length, 1)
await browser.close()
console.log("registered, signed out, signed in")
