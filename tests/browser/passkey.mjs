// A newcomer's passkey on Auth.js's own sign-in page: registers with it, signs out, signs in with it by
// name, and then without one. Leaves a screenshot of each step in OUTPUT.
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

// The page has its script from a public host: the same file as npm has it.
await page.route(`${SCRIPT}**`, (route) =>
  route.fulfill({
    path: route.request().url().replace(SCRIPT, "node_modules/@simplewebauthn/browser/"),
    headers: { "access-control-allow-origin": "*" },
  }))

/** Loads a sign-in page, which asks for options as soon as it is there. Each ask is another challenge. */
async function load(go) {
  const [offer] = await Promise.all([page.waitForResponse(OFFER), go()])
  const { action, options } = await offer.json()
  assert.deepEqual([action, options.rpId], ["authenticate", "localhost"])
  // The answer is no good without what it was asked.
  assert.match(await offer.headerValue("set-cookie"), /^authjs\.challenge=[^;]+; Max-Age=900; Path=\/; .*HttpOnly/m)
  assert.equal(new URL(page.url()).pathname, "/api/auth/signin")
}

/** Uses the form, which does what the server says that there is to do for this name. */
async function submit(action) {
  await page.fill("#passkey-form [name=email]", "grace@example.com")
  const [callback] = await Promise.all([
    page.waitForRequest(`${APP}/api/auth/callback/passkey`),
    page.click("#passkey-form button"),
  ])
  assert.equal(new URLSearchParams(callback.postData()).get("action"), action)
  await arrive()
}

/** Is let in, and is who they said. Nothing but the session is left of the way there. */
async function arrive() {
  await page.waitForURL(`${APP}/protected`)
  assert.equal(await text(), "ok")
  assert.deepEqual(await cookies(), ["authjs.callback-url", "authjs.csrf-token", "authjs.session-token"])
}

async function signOut() {
  await page.goto(`${APP}/api/auth/signout`)
  // Back where they came from, and from there to the sign-in page.
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

// An owner who agrees is signed in by the page itself: not yet.
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
