// Checks the error pages of APP at PATHS (`path status code`, separated by commas) for a visitor with COOKIE: they load
// no resource, fit a phone and a desktop, and follow the colour scheme of the visitor. BARE is the same app with the
// content security policy `default-src 'none'`. Writes a screenshot of each page to OUTPUT.
import assert from "node:assert/strict"
import { mkdirSync } from "node:fs"
import { launch } from "./chromium.mjs"

const { APP, BARE, PATHS, COOKIE, OUTPUT } = process.env
mkdirSync(OUTPUT, { recursive: true })
const { browser, page } = await launch()
const [name, value] = COOKIE.split("=")
await page.context().addCookies([APP, BARE].map((url) => ({ name, value, url })))
let asked = []
page.on("request", (request) => asked.push(request.url()))
// Chromium logs the status of the page and of the icon to the console. These messages are expected.
const complaints = []
page.on("console", (message) => /status of (403|404|50[234])/.test(message.text()) || complaints.push(message.text()))

const brightness = (color) => color.match(/[\d.]+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) / 3
for (const entry of PATHS.split(",")) {
  const [path, status, code] = entry.split(" ")
  for (const width of [390, 1280]) {
    for (const colorScheme of ["light", "dark"]) {
      await page.setViewportSize({ width, height: 800 })
      await page.emulateMedia({ colorScheme })
      asked = []
      const answer = await page.goto(APP + path)
      assert.equal(answer.status(), Number(status), path)
      assert.deepEqual(asked.filter((url) => !url.endsWith("/favicon.ico")), [APP + path])
      assert.equal(await page.locator("code").innerText(), code)
      assert.ok(await page.locator("h1").isVisible())
      const layout = await page.evaluate(() => {
        const style = (selector) => getComputedStyle(document.querySelector(selector))
        return {
          wide: document.documentElement.scrollWidth > innerWidth,
          text: parseFloat(style("p").fontSize),
          line: document.querySelector("p").getBoundingClientRect().width,
          left: document.querySelector("main").getBoundingClientRect().left,
          color: style("p").color,
          title: document.title,
        }
      })
      assert.ok(!layout.wide && layout.text >= 16 && layout.line <= 640 && layout.left >= 16, JSON.stringify(layout))
      assert.equal(layout.title, await page.locator("h1").innerText())
      // Light text on a dark background, or dark text on a light one.
      assert.equal(brightness(layout.color) > 128, colorScheme === "dark", layout.color)
      await page.screenshot({ path: `${OUTPUT}/${code}-${width}-${colorScheme}.png` })
    }
  }
  assert.deepEqual(complaints, [])
  await page.setViewportSize({ width: 390, height: 800 })
  await page.goto(BARE + path)
  assert.ok(await page.locator("h1").isVisible())
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth))
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).maxWidth + getComputedStyle(document.body).margin), "none8px")
  await page.screenshot({ path: `${OUTPUT}/${code}-without-style.png` })
  // Drops the expected message that the policy refused the style.
  complaints.length = 0
}
await browser.close()
console.log("readable")
