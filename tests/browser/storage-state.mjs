// Opens APP in a context with each of the `storageState`s in STATES (JSON lines), which the fake upstream minted: the visitor
// is signed in without a sign-in. A context without one is signed out. Then the visitor signs out.
import assert from "node:assert/strict"
import { launch } from "./chromium.mjs"

const { APP, STATES } = process.env
const { browser } = await launch()

for (const state of STATES.split("\n")) {
  const context = await browser.newContext({ storageState: JSON.parse(state) })
  const page = await context.newPage()
  page.setDefaultTimeout(30_000)
  await page.goto(`${APP}/dashboard`)
  assert.match(await page.locator("main").innerText(), /signed in as Ada/)
  assert.equal(await page.evaluate(() => document.cookie), "", "scripts cannot read the cookie")
  await page.goto(`${APP}/`)
  await page.getByRole("link", { name: "Sign out" }).click()
  await page.getByRole("button", { name: "Sign out" }).click()
  await page.waitForSelector('h1:text("Hello, guest")')
  await context.close()
}

const page = await browser.newPage()
await page.goto(`${APP}/dashboard`)
assert.equal(new URL(page.url()).pathname, "/api/auth/signin")
await browser.close()
console.log("the cookies sign in")
