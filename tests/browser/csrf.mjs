// A visitor who is signed in at APP opens OTHER, whose page tries to write at APP with the visitor's cookies: with a
// form, fetch and a WebSocket. These requests reach no handler. The same requests from a page of APP do.
import assert from "node:assert/strict"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { launch } from "./chromium.mjs"

const { APP, OTHER, SITE } = process.env
const profile = mkdtempSync(join(tmpdir(), "csrf-"))
// The profile of a visitor who allows third-party cookies.
mkdirSync(join(profile, "Default"))
writeFileSync(join(profile, "Default/Preferences"), JSON.stringify({ profile: { cookie_controls_mode: 0, block_third_party_cookies: false } }))
const { browser, page } = await launch({ profile })
const logPage = await page.context().newPage()
async function log() {
  await logPage.goto(`${APP}/written`)
  return JSON.parse(await logPage.locator("body").innerText())
}
const written = async () => (await log()).done

async function attempts() {
  const before = await written()
  await page.evaluate((app) => fetch(`${app}/write`, { method: "POST", credentials: "include", mode: "no-cors", body: "amount=1" }), APP)
  const fetched = await written()
  await page.evaluate(
    (app) =>
      new Promise((over) => {
        const socket = new WebSocket(`${app.replace("http", "ws")}/write`)
        socket.onerror = socket.onclose = over
      }),
    APP,
  )
  const opened = await written()
  await Promise.all([
    page.waitForURL(`${APP}/write`),
    page.evaluate((app) => {
      const form = document.createElement("form")
      Object.assign(form, { method: "post", action: `${app}/write` })
      document.body.append(form)
      form.submit()
    }, APP),
  ])
  return [fetched - before, opened - fetched, (await written()) - opened, await page.locator("body").innerText()]
}

await page.goto(`${APP}/page`)
const signedIn = await page.evaluate(async () => {
  const client = await import("/api/auth/client.js")
  return (await client.signIn("credentials", { username: "demo", password: "demo" }, {}, false)).ok
})
assert.equal(signedIn, true)
const own = await attempts()
assert.deepEqual(own, [1, 1, 1, "written"])

await page.goto(OTHER)
const other = await attempts()
assert.deepEqual(other.slice(0, 3), [0, 0, 0])
assert.match(other[3], /cross_origin_refused/)

// The browser did send every request, with cookies, `Origin` and `Sec-Fetch-Site`. For a WebSocket Chromium sends only
// `Origin`.
const { asked } = await log()
const of = (origin, site) => [site, "", site].map((site) => ({ cookie: true, origin, site: SITE && site }))
assert.deepEqual(asked, [...of(APP, "same-origin"), ...of(OTHER, SITE)])
await browser.close()
rmSync(profile, { recursive: true, force: true })
console.log("written from its own pages only")
