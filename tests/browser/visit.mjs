// One person's visit: opens a protected page of APP, signs in with the OpenID provider on the pages as
// they are, lands where they wanted, is known at OTHER where there is one, signs out, and is sent to
// sign in again. Leaves a screenshot of each step in OUTPUT.
import assert from "node:assert/strict"
import { mkdirSync } from "node:fs"
import { chromium } from "playwright-core"

const { APP, OTHER, OUTPUT, CHROMIUM = "/usr/bin/chromium" } = process.env
mkdirSync(OUTPUT, { recursive: true })
const browser = await chromium.launch({
  executablePath: CHROMIUM,
  args: [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP *.localtest 127.0.0.1",
  ],
})
const page = await browser.newPage({ viewport: { width: 800, height: 600 } })
page.setDefaultTimeout(30_000)
let step = 0
const shoot = (name) => page.screenshot({ path: `${OUTPUT}/${++step}-${name}.png` })
const text = () => page.locator("body").innerText()

await page.goto(`${APP}/protected`)
await shoot("sent-to-sign-in")
await page.getByRole("button", { name: "Sign in with IdP" }).click()
await page.waitForSelector("input[name=login]")
await shoot("provider-login")
await page.fill("input[name=login]", "ada")
await page.fill("input[name=password]", "any")
await page.click("button[type=submit]")
await page.waitForSelector("input[name=prompt][value=consent]", { state: "attached" })
await shoot("provider-consent")
await page.click("button[type=submit]")
await page.waitForURL(`${APP}/protected`)
assert.equal(await text(), "ok")
await shoot("signed-in")
await page.goto(`${APP}/me`)
assert.equal(await text(), "ada@idp.example")
await shoot("session")
if (OTHER) {
  await page.goto(`${OTHER}/me`)
  assert.equal(await text(), "ada@idp.example")
  await shoot("known-elsewhere")
}
await page.goto(`${APP}/api/auth/signout`)
await shoot("sign-out")
await page.getByRole("button", { name: "Sign out" }).click()
await page.waitForLoadState()
const again = await page.goto(`${APP}/protected`)
assert.equal(new URL(again.url()).pathname, "/api/auth/signin")
await shoot("refused")
await browser.close()
console.log("signed in, known, signed out, refused")
