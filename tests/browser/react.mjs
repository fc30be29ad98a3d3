// Calls every function of the unmodified next-auth/react on a page of the app, with a real server. CLIENT is v5 or v4.
// CALLBACK is the callback URL that the upstream gives to the provider.
import assert from "node:assert/strict"
import { launch } from "./chromium.mjs"

const { APP, CALLBACK, CLIENT } = process.env
const { browser, page } = await launch()
const who = (text) => page.waitForFunction((text) => document.querySelector("#who")?.textContent === text, text)
const call = (name, ...args) => page.evaluate(([name, args]) => globalThis.nextAuth[name](...args), [name, args])

// The page requests /session by itself, and each response sets a new cookie. A response that arrives after a sign-out
// signs in again, also without a proxy. So the test signs out only when no request has been open for half a second.
let [open, last] = [0, 0]
const counts = (step) => (request) => request.url().includes("/api/auth/session") && ([open, last] = [open + step, Date.now()])
page.on("request", counts(1)).on("requestfinished", counts(-1)).on("requestfailed", counts(-1))
async function waitUntilQuiet() {
  while (open > 0 || Date.now() - last < 500) await page.waitForTimeout(100)
}

await page.goto(`${APP}/react`)
await who("unauthenticated: nobody")
assert.equal(await call("getSession"), null)
assert.equal((await call("getProviders")).idp.callbackUrl, CALLBACK)
assert.match(await call("getCsrfToken"), /^[0-9a-f]{64}$/)

const wrong = await call("signIn", "credentials", { username: "demo", password: "no", redirect: false })
assert.equal(wrong.error, "CredentialsSignin")
const right = await call("signIn", "credentials", { username: "demo", password: "demo", redirect: false, callbackUrl: "/react" })
assert.deepEqual([right.ok, right.url], [true, `${APP}/react`])
assert.equal((await call("getSession")).user.email, "demo@example.com")
await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")))
await who("authenticated: demo@example.com")
const updated = await page.evaluate(() => globalThis.update({ theme: "dark" }))
assert.equal(updated.user.email, "demo@example.com")
await waitUntilQuiet()
await call("signOut", { redirect: false })
await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")))
await who("unauthenticated: nobody")

call("signIn", "idp", { callbackUrl: "/react?back" }).catch(() => {})
await page.waitForSelector("input[name=login]")
await page.fill("input[name=login]", "ada")
await page.fill("input[name=password]", "any")
await page.click("button[type=submit]")
await page.waitForSelector("input[name=prompt][value=consent]", { state: "attached" })
await page.click("button[type=submit]")
await page.waitForURL(`${APP}/react?back`).catch((error) => { throw new Error(`${CLIENT} is at ${page.url()}`, { cause: error }) })
await who("authenticated: ada@idp.example")
await waitUntilQuiet()
call("signOut", { callbackUrl: "/react?out" }).catch(() => {})
await page.waitForURL(`${APP}/react?out`)
await who("unauthenticated: nobody")
await browser.close()
console.log(`next-auth ${CLIENT} works unmodified`)
