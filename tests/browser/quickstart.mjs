// The quickstart as a person tries it: signs in as demo on its page, sees the session, opens the
// protected page, signs out. The same without JavaScript, and with a script that does not come. Leaves screenshots in
// OUTPUT.
import assert from "node:assert/strict"
import { mkdirSync } from "node:fs"
import { launch } from "./chromium.mjs"

const { APP, OUTPUT } = process.env
mkdirSync(OUTPUT, { recursive: true })
const { browser, page } = await launch()

/** Every URL that a page asks for, whose password never is in one. */
function watched(page) {
  page.on("request", (request) => {
    assert.ok(!/password|s3cret/.test(request.url()), request.url())
  })
  const heading = (text) => page.waitForSelector(`h1:text("${text}")`)
  return { page, heading }
}

async function sees(page, heading) {
  await heading("Hello, Demo")
  assert.match(await page.locator("pre").innerText(), /demo@example\.com/)
  await page.click("text=A protected page")
  await heading("Dashboard")
  await page.click("text=Back")
  await page.click("text=Sign out")
  await page.click("button")
  await heading("Hello, stranger")
  await page.goto(`${APP}/dashboard`)
  assert.equal(new URL(page.url()).pathname, "/api/auth/signin")
}

{
  const { heading } = watched(page)
  await page.goto(APP)
  await heading("Hello, stranger")
  await page.fill("[name=username]", "demo")
  await page.screenshot({ path: `${OUTPUT}/1-stranger.png` })
  await page.fill("[name=password]", "s3cret")
  await page.click("button")
  await page.waitForURL(`${APP}/api/auth/signin?error=CredentialsSignin*`)
  await page.screenshot({ path: `${OUTPUT}/2-wrong-password.png` })
  await page.goto(APP)
  await page.fill("[name=username]", "demo")
  await page.fill("[name=password]", "demo")
  await page.click("button")
  await heading("Hello, Demo")
  await page.screenshot({ path: `${OUTPUT}/3-session.png` })
  await sees(page, heading)
}

{
  const context = await browser.newContext({ javaScriptEnabled: false })
  const { page, heading } = watched(await context.newPage())
  await page.goto(APP)
  await heading("Hello, stranger")
  // A form that could not be sent is not shown.
  assert.equal(await page.locator("[name=password]").isVisible(), false)
  await page.screenshot({ path: `${OUTPUT}/4-without-javascript.png` })
  await page.getByRole("link", { name: "Sign in" }).click()
  await page.fill("[name=username]", "demo")
  await page.fill("[name=password]", "s3cret")
  await page.click("button")
  await page.waitForURL(`${APP}/api/auth/signin?error=CredentialsSignin*`)
  await page.fill("[name=username]", "demo")
  await page.fill("[name=password]", "demo")
  await page.click("button")
  await heading("Hello, Demo")
  await page.screenshot({ path: `${OUTPUT}/5-session-without-javascript.png` })
  await sees(page, heading)
}

{
  // Something submits the form before its script is there, as an extension or a password manager can.
  const context = await browser.newContext()
  const { page, heading } = watched(await context.newPage())
  await page.route("**/client.js", (route) => route.abort())
  await page.goto(APP)
  await heading("Hello, stranger")
  assert.equal(await page.locator("[name=password]").isVisible(), false)
  const [request] = await Promise.all([
    page.waitForRequest((request) => request.isNavigationRequest()),
    page.evaluate(() => {
      document.querySelector("[name=username]").value = "demo"
      document.querySelector("[name=password]").value = "s3cret"
      document.querySelector("form").submit()
    }),
  ])
  assert.equal(request.method(), "POST")
  await page.waitForURL(`${APP}/api/auth/signin?*`)
}
await browser.close()
console.log("the quickstart works")
