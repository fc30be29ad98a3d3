// Signs in at APP, whose page /recent wants a sign-in of the last ten seconds, waits, and signs in once more on the way to
// the page. Then waits again, leaves the sign-in page without a sign-in, and gets the error page. Writes a screenshot of
// each step to OUTPUT.
import assert from "node:assert/strict"
import { mkdirSync } from "node:fs"
import { launch } from "./chromium.mjs"

const { APP, OUTPUT } = process.env
mkdirSync(OUTPUT, { recursive: true })
const { browser, page } = await launch()
let step = 0
const shoot = (name) => page.screenshot({ path: `${OUTPUT}/${++step}-${name}.png` })
const signIn = async () => {
  await page.waitForURL(`${APP}/api/auth/signin?callbackUrl=%2Frecent`)
  await page.fill("input[name=username]", "demo")
  await page.fill("input[name=password]", "demo")
  await page.getByRole("button", { name: "Sign in with Credentials" }).click()
  await page.waitForURL(`${APP}/recent`)
  assert.equal(await page.locator("p").innerText(), "the page")
}

await page.goto(`${APP}/recent`)
await signIn()
await shoot("signed-in")
await page.waitForTimeout(12_000)
await page.goto(`${APP}/recent`)
await shoot("asked-to-sign-in-again")
await signIn()
await shoot("signed-in-again")
await page.waitForTimeout(12_000)
await page.goto(`${APP}/recent`)
await page.waitForURL(/signin/)
const stopped = await page.goto(`${APP}/recent`)
assert.equal(stopped.status(), 401)
assert.equal(await page.locator("code").innerText(), "step_up_required")
await shoot("stopped")
// As the page says, loading it once more leads to the form.
await page.reload()
await signIn()
await browser.close()
console.log("signed in again, back on the page, stopped without a new sign-in")
