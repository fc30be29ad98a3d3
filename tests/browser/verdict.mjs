// Opens a page of a service behind a reverse proxy, signs in with the OpenID provider, and returns to the page, which names
// the visitor. Then a script fetches from the service, the visitor signs out, and both are refused. APP is the origin of the
// proxy. Writes a screenshot of each step to OUTPUT.
import assert from "node:assert/strict"
import { mkdirSync } from "node:fs"
import { launch } from "./chromium.mjs"

const { APP, OUTPUT } = process.env
mkdirSync(OUTPUT, { recursive: true })
const { browser, page } = await launch()
let step = 0
const shoot = (name) => page.screenshot({ path: `${OUTPUT}/${++step}-${name}.png` })
const text = async () => (await page.locator("body").innerText()).trim()
const fetched = () => page.evaluate(async () => (await fetch("/data?x=1", { redirect: "manual" })).status)

await page.goto(`${APP}/reports?year=1&q=%2F`)
assert.equal(new URL(page.url()).pathname, "/api/auth/signin")
await shoot("sent-to-sign-in")
assert.equal(await fetched(), 401)
await page.getByRole("button", { name: "Sign in with IdP" }).click()
await page.waitForSelector("input[name=login]")
await page.fill("input[name=login]", "ada")
await page.fill("input[name=password]", "any")
await page.click("button[type=submit]")
await page.waitForSelector("input[name=prompt][value=consent]", { state: "attached" })
await page.click("button[type=submit]")
await page.waitForURL(`${APP}/reports?year=1&q=%2F`)
assert.match(await text(), /^hello, .*ada@idp\.example\)$/)
await shoot("signed-in")
assert.equal(await fetched(), 200)
await page.goto(`${APP}/api/auth/signout`)
await page.getByRole("button", { name: "Sign out" }).click()
await page.waitForLoadState()
await page.goto(`${APP}/reports`)
assert.equal(new URL(page.url()).pathname, "/api/auth/signin")
assert.equal(await fetched(), 401)
await shoot("refused")
await browser.close()
console.log("sent to sign in, back, known, signed out, refused")
