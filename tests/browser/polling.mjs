// The unmodified next-auth/react polls for the session, and the app answers. Prints how often it polled, and how often the
// server was asked meanwhile.
import assert from "node:assert/strict"
import { launch } from "./chromium.mjs"

const { APP } = process.env
const { browser, page } = await launch()
const who = (text) => page.waitForFunction((text) => document.querySelector("#who")?.textContent === text, text)
const call = (name, ...args) => page.evaluate(([name, args]) => globalThis.nextAuth[name](...args), [name, args])
const asked = async () => Number(await page.evaluate(async () => (await fetch("/asked")).text()))

await page.goto(`${APP}/react`)
await who("unauthenticated: nobody")
await call("signIn", "credentials", { username: "demo", password: "demo", redirect: false })
await page.goto(`${APP}/react?poll=1`)
await who("authenticated: demo@example.com")

let polls = 0
page.on("response", (response) => {
  if (!response.url().endsWith("/api/auth/session")) return
  assert.equal(response.status(), 200)
  polls += 1
})
const before = await asked()
while (polls < 5) await page.waitForTimeout(100)
assert.equal((await call("getSession")).user.email, "demo@example.com")
await who("authenticated: demo@example.com")
console.log(`${polls >= 6 ? "polled" : polls}, and the server was asked ${(await asked()) - before} times`)
await browser.close()
