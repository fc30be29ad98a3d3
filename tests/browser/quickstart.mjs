// The quickstart as a person tries it: signs in as demo on its page, sees the session, opens the
// protected page, signs out. Leaves screenshots in OUTPUT.
import assert from "node:assert/strict"
import { mkdirSync } from "node:fs"
import { launch } from "./chromium.mjs"

const { APP, OUTPUT } = process.env
mkdirSync(OUTPUT, { recursive: true })
const { browser, page } = await launch()
const heading = (text) => page.waitForSelector(`h1:text("${text}")`)

await page.goto(APP)
await heading("Hello, stranger")
await page.screenshot({ path: `${OUTPUT}/1-stranger.png` })
await page.fill("[name=username]", "demo")
await page.fill("[name=password]", "wrong")
await page.click("button")
await page.waitForURL(`${APP}/api/auth/signin?error=CredentialsSignin*`)
await page.screenshot({ path: `${OUTPUT}/2-wrong-password.png` })
await page.fill("[name=username]", "demo")
await page.fill("[name=password]", "demo")
await page.click("button")
await heading("Hello, Demo")
assert.match(await page.locator("pre").innerText(), /demo@example\.com/)
await page.screenshot({ path: `${OUTPUT}/3-session.png` })
await page.click("text=A protected page")
await heading("Dashboard")
await page.click("text=Back")
await page.click("text=Sign out")
await page.click("button")
await heading("Hello, stranger")
await page.goto(`${APP}/dashboard`)
assert.equal(new URL(page.url()).pathname, "/api/auth/signin")
await browser.close()
console.log("the quickstart works")
