// The pages that APP answers at PATHS, each with its status and its code (`path status code`, with commas between), to a
// visitor with COOKIE: they load nothing, fit a phone and a desktop, and follow the colours that the visitor wants.
// BARE is the same app under `default-src 'none'`. Leaves a screenshot of each in OUTPUT.
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
// The page's own status is in the console, and so is that of the icon that Chromium asks for.
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
      // Light text on dark, or the other way round.
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
  // That the style was refused.
  complaints.length = 0
}
await browser.close()
console.log("readable")
