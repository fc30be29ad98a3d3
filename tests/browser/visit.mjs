// Opens a protected page, signs in with the OpenID provider on the built-in pages, returns to the protected page, has
// the same session at OTHER if it is set, signs out, and is redirected to the sign-in page again. APP is the origin of
// the sign-in, and PAGES the URL of the app's pages if it differs. Writes a screenshot of each step to OUTPUT.
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
