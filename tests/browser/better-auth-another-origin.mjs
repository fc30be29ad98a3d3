// A page at PAGE, on another port than APP, imports the client for Better Auth from APP, registers, signs in and signs
// out. A page at FOREIGN, an origin that APP does not list, cannot.
import assert from "node:assert/strict"
import { launch } from "./chromium.mjs"

const { APP, PAGE, FOREIGN } = process.env
const { browser, page } = await launch()
const run = (body) =>
  page.evaluate(
    async ([app, body]) => {
      const client = await import(`${app}/api/auth/client.js`)
      return new (async () => {}).constructor("client", "app", body)(client, app)
    },
    [APP, body],
  )
const signIn = (password) =>
  run(`return client.signIn("credentials", { email: "ada@example.com", password: "${password}", callbackUrl: app + "/me" }, {}, false)`)

await page.goto(PAGE)
assert.equal(await run("return client.getSession()"), null)
const registered = await run(`return client.signUp({ email: "ada@example.com", password: "a good password" })`)
assert.deepEqual(registered, { ok: true, status: 200, url: `${APP}/` })
assert.equal((await run("return client.getSession()")).user.name, "ada")
const out = await run("return client.signOut({}, {}, false)")
assert.deepEqual(out, { ok: true, status: 200, url: `${PAGE}/` })
assert.equal(await run("return client.getSession()"), null)
const wrong = await signIn("a wrong password")
assert.deepEqual([wrong.ok, wrong.error, wrong.code], [false, "CredentialsSignin", "INVALID_EMAIL_OR_PASSWORD"])
assert.deepEqual(await signIn("a good password"), { ok: true, status: 200, url: `${APP}/me` })
const provider = await run(`return client.signIn("idp", {}, {}, false)`)
assert.deepEqual([provider.ok, new URL(provider.url).pathname], [true, "/auth"])

// The browser sends the cookies of APP with requests of this page too. It may not read the answers, and Better Auth does
// not trust its origin.
await page.goto(FOREIGN)
await assert.rejects(run("return client.getSession()"))
await page.evaluate((app) => fetch(`${app}/api/auth/sign-out`, { method: "POST", mode: "no-cors", credentials: "include" }), APP)
await page.goto(PAGE)
assert.equal((await run("return client.getSession()")).user.name, "ada")
await browser.close()
console.log("signed in from another origin")
