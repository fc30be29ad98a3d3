// One person's visit: opens a protected page of APP, signs in with the OpenID provider on the pages as
// they are, lands where they wanted, is known at OTHER where there is one, signs out, and is sent to
// sign in again. Leaves a screenshot of each step in OUTPUT. The sign-in is on the origin APP; PAGES is where the pages
// are, where that is not APP.
import assert from "node:assert/strict"
import { mkdirSync } from "node:fs"
import { launch } from "./chromium.mjs"

const { APP, PAGES = APP, OTHER, OUTPUT } = process.env
mkdirSync(OUTPUT, { recursive: true })
const { browser, page } = await launch()
let step = 0
const shoot = (name) => page.screenshot({ path: `${OUTPUT}/${++step}-${name}.png` })
const text = () => page.locator("body").innerText()

await page.goto(`${PAGES}/protected`)
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
await page.waitForURL(`${PAGES}/protected`)
assert.equal(await text(), "ok")
await shoot("signed-in")
await page.goto(`${PAGES}/me`)
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
const again = await page.goto(`${PAGES}/protected`)
assert.equal(new URL(again.url()).pathname, "/api/auth/signin")
await shoot("refused")
await browser.close()
console.log("signed in, known, signed out, refused")
