// A page at PAGE, on another site than APP, imports the client from APP, signs in and reads the session. A page at
// FOREIGN, an origin that APP does not list, cannot use the sign-in routes.
import assert from "node:assert/strict"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { launch } from "./chromium.mjs"

const { APP, PAGE, FOREIGN } = process.env
const profile = mkdtempSync(join(tmpdir(), "another-site-"))
// The profile of a visitor who allows third-party cookies.
mkdirSync(join(profile, "Default"))
writeFileSync(join(profile, "Default/Preferences"), JSON.stringify({ profile: { cookie_controls_mode: 0, block_third_party_cookies: false } }))
const { browser, page } = await launch({ profile })
const run = (body) =>
  page.evaluate(
    async ([app, body]) => {
      const client = await import(`${app}/api/auth/client.js`)
      return new (async () => {}).constructor("client", "app", body)(client, app)
    },
    [APP, body],
  )

await page.goto(PAGE)
assert.equal(await run("return client.getSession()"), null)
const wrong = await run(`return client.signIn("credentials", { username: "demo", password: "no" }, {}, false)`)
assert.deepEqual([wrong.ok, wrong.error], [false, "CredentialsSignin"])
const right = await run(`return client.signIn("credentials", { username: "demo", password: "demo" }, {}, false)`)
assert.equal(right.ok, true)
assert.equal((await run("return client.getSession()")).user.email, "demo@example.com")
const cookies = await page.context().cookies(APP)
const session = cookies.find(({ name }) => name === "__Secure-authjs.session-token")
assert.deepEqual([session.sameSite, session.secure, session.httpOnly], ["None", true, true])

// The browser sends the cookies of APP with requests of this site too.
await page.goto(FOREIGN)
await assert.rejects(run("return client.getSession()"))
const read = await page.evaluate((app) => fetch(`${app}/api/auth/session`, { credentials: "include" }).then(() => "read", () => "refused"), APP)
assert.equal(read, "refused")

await page.goto(PAGE)
assert.equal((await run("return client.signOut({}, {}, false)")).ok, true)
assert.equal(await run("return client.getSession()"), null)
await browser.close()
rmSync(profile, { recursive: true, force: true })
console.log("signed in from another site")
