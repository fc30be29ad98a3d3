// The browser client that the router serves, called from a page under a strict content security policy:
// every function, every way to redirect, against the real server behind APP. CODE is what that says of a
// wrong password beside the error, if anything.
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

// Credentials, without leaving the page.
const wrong = await run(`return client.signIn("credentials", { username: "demo", password: "no" }, {}, false)`)
assert.deepEqual([wrong.ok, wrong.error, wrong.code], [false, "CredentialsSignin", CODE || undefined])
const right = await run(`return client.signIn("credentials", { username: "demo", password: "demo", callbackUrl: "/me" }, {}, false)`)
assert.deepEqual([right.ok, right.url], [true, `${APP}/me`])
assert.equal((await run("return client.getSession()")).user.email, "demo@example.com")
assert.equal((await run("return client.signOut({}, {}, false)")).ok, true)
assert.equal(await run("return client.getSession()"), null)

// 'manual' answers where to go, and going there completes.
const manual = await run(`return client.signIn("idp", { callbackUrl: "/protected" }, {}, "manual")`)
assert.equal(manual.ok, true)
await page.goto(manual.url)
await login()
await page.waitForURL(`${APP}/protected`)

// `true` goes there by itself, and leaves nothing of the page to run.
await page.goto(`${APP}/page`)
run("await client.signOut({ callbackUrl: '/page?out' }); document.title = 'ran on'").catch(() => {})
await page.waitForURL(`${APP}/page?out`)
assert.notEqual(await page.title(), "ran on")
assert.equal(await run("return client.getSession()"), null)
run(`await client.signIn("idp", { callbackUrl: "/protected" })`).catch(() => {})
// The provider knows the visitor by now, and sends them straight back.
await page.waitForURL(`${APP}/protected`)

// Nobody can tell: an error with a code, and never null.
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
