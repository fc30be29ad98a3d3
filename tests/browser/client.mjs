// Calls every function of the browser client that the router serves, with every way to redirect, from a page with a
// strict content security policy. A real server is behind APP. CODE is the `code` that the server sends for a wrong
// password, or empty.
import assert from "node:assert/strict"
import { launch } from "./chromium.mjs"
import { inside } from "./inside.mjs"

const { APP, CODE } = process.env
const { browser, page } = await launch()
const run = inside(page)

await page.goto(`${APP}/page`)
assert.equal(await run("return client.getSession()"), null)
const providers = await run("return client.getProviders()")
assert.equal(providers.idp.callbackUrl, `${APP}/api/auth/callback/idp`)
assert.match(await run("return client.getCsrfToken()"), /^[0-9a-f]{64}$/)

// `false`: a sign-in with credentials that stays on the page.
const wrong = await run(`return client.signIn("credentials", { username: "demo", password: "no" }, {}, false)`)
assert.deepEqual([wrong.ok, wrong.error, wrong.code], [false, "CredentialsSignin", CODE || undefined])
const right = await run(`return client.signIn("credentials", { username: "demo", password: "demo", callbackUrl: "/me" }, {}, false)`)
assert.deepEqual([right.ok, right.url], [true, `${APP}/me`])
assert.equal((await run("return client.getSession()")).user.email, "demo@example.com")
assert.equal((await run("return client.signOut({}, {}, false)")).ok, true)
assert.equal(await run("return client.getSession()"), null)

// 'manual' returns the URL of the provider, and a visit to that URL completes the sign-in.
const manual = await run(`return client.signIn("idp", { callbackUrl: "/protected" }, {}, "manual")`)
assert.equal(manual.ok, true)
await page.goto(manual.url)
await login()
await page.waitForURL(`${APP}/protected`)

// `true` navigates by itself, and the rest of the script does not run.
await page.goto(`${APP}/page`)
run("await client.signOut({ callbackUrl: '/page?out' }); document.title = 'ran on'").catch(() => {})
await page.waitForURL(`${APP}/page?out`)
assert.notEqual(await page.title(), "ran on")
assert.equal(await run("return client.getSession()"), null)
run(`await client.signIn("idp", { callbackUrl: "/protected" })`).catch(() => {})
// The visitor has a session at the provider now, so the provider redirects back at once.
await page.waitForURL(`${APP}/protected`)

// When the session cannot be looked up, the client throws an error and does not return null.
await page.goto(`${APP}/page`)
const lost = await run(`return client.getSession({ basePath: "/nowhere" })`)
assert.equal(lost.name, "AuthError")
await browser.close()
console.log("every function works")

async function login() {
  if (await page.locator("input[name=login]").count()) {
    await page.fill("input[name=login]", "ada")
    await page.fill("input[name=password]", "any")
    await page.click("button[type=submit]")
    await page.waitForSelector("input[name=prompt][value=consent]", { state: "attached" })
  }
  if (await page.locator("input[name=prompt]").count()) await page.click("button[type=submit]")
}
