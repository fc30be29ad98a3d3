// Visits the quickstart at APP on a phone and on a desktop, in light and in dark, and once without JavaScript: opens
// the protected page, signs in as demo, sees the session, signs out. Every page fits its width, its links and buttons
// are large enough for a finger, and it does not violate its content security policy. HOSTILE is a quickstart whose
// user, with the session cookie COOKIE, has HTML in the name. DOWN is a quickstart whose upstream is down. Writes
// screenshots to OUTPUT.
import assert from "node:assert/strict"
import { mkdirSync } from "node:fs"
import { launch } from "./chromium.mjs"

const { APP, HOSTILE, DOWN, COOKIE, OUTPUT } = process.env
mkdirSync(OUTPUT, { recursive: true })
const { browser } = await launch()

/** Opens a window and records its console messages. Chromium reports violations of a content security policy there. */
async function open(options) {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  page.setDefaultTimeout(30_000)
  const complaints = []
  page.on("console", (message) => complaints.push(message.text()))
  page.on("pageerror", (error) => complaints.push(String(error)))
  page.on("request", (request) => assert.ok(!/password|s3cret/.test(request.url()), request.url()))
  return { context, page, complaints }
}

const luminance = (color) =>
  color.match(/[\d.]+/g).slice(0, 3).map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0)

/** Checks that a page can be read and used at its width. The contrast is that of WCAG 2.2, 1.4.3, for small text. */
async function readable(page, name) {
  const found = await page.evaluate(() => {
    const background = (element) => {
      for (; element; element = element.parentElement) {
        const color = getComputedStyle(element).backgroundColor
        if (color !== "rgba(0, 0, 0, 0)") return color
      }
      return matchMedia("(prefers-color-scheme: dark)").matches ? "rgb(18, 18, 18)" : "rgb(255, 255, 255)"
    }
    const texts = [...document.querySelectorAll("h1, h2, p, a, dt, dd, label, input, button, code, strong, .picture")]
    const targets = [...document.querySelectorAll("a, button, input:not([type=hidden])")]
    return {
      wide: document.documentElement.scrollWidth > innerWidth,
      scheme: getComputedStyle(document.documentElement).colorScheme,
      colors: texts.map((text) => [text.outerHTML.slice(0, 60), getComputedStyle(text).color, background(text)]),
      small: targets.filter((target) => target.getBoundingClientRect().height < 44).map((target) => target.outerHTML),
      unnamed: [...document.querySelectorAll("input:not([type=hidden])")].filter((input) => !input.labels.length).length,
      inline: document.querySelectorAll("[style], script").length,
    }
  })
  assert.equal(found.wide, false, `${name} is too wide`)
  assert.equal(found.scheme, "light dark", name)
  assert.deepEqual([found.small, found.unnamed, found.inline], [[], 0, 0], name)
  for (const [text, color, behind] of found.colors) {
    const [dark, light] = [luminance(color), luminance(behind)].sort((a, b) => a - b)
    assert.ok((light + 0.05) / (dark + 0.05) >= 4.5, `${name}: ${text} ${color} on ${behind}`)
  }
}

/** Checks that the Tab key reaches the element, and that the focused element has an outline. */
async function focused(page, selector) {
  for (let tabs = 0; tabs < 10; tabs++) {
    await page.keyboard.press("Tab")
    if (await page.locator(selector).evaluate((element) => element === document.activeElement)) break
  }
  const outline = await page.locator(selector).evaluate((element) => getComputedStyle(element).outlineStyle)
  assert.equal(outline, "solid", selector)
}

async function visit(options, name) {
  const { context, page, complaints } = await open(options)
  let step = 0
  const look = async (step_name) => {
    // This comes before the screenshot, for which Playwright adds a style to form fields.
    await readable(page, `${name} ${step_name}`)
    await page.screenshot({ path: `${OUTPUT}/${name}-${++step}-${step_name}.png`, fullPage: true })
  }
  const lookup = () => page.locator("#lookup").innerText()

  const first = await page.goto(APP)
  assert.match(first.headers()["content-security-policy"], /^default-src 'none'; style-src 'self'; /)
  await page.waitForSelector('h1:text("Hello, guest")')
  assert.equal(await lookup(), "None: the browser sent no session cookie")
  await focused(page, ".button")
  await look("signed-out")

  await page.getByRole("link", { name: "A protected page" }).click()
  await page.waitForURL(`${APP}/api/auth/signin?callbackUrl=%2Fdashboard`)
  assert.match(await page.locator("main").innerText(), /demo with the password demo/)
  await look("sign-in")
  await page.getByLabel("Username").fill("demo")
  await page.getByLabel("Password").fill("s3cret")
  await page.getByRole("button", { name: "Sign in" }).click()
  await page.waitForURL(`${APP}/api/auth/signin?error=CredentialsSignin*`)
  await look("wrong-password")
  await page.getByLabel("Username").fill("demo")
  await page.getByLabel("Password").fill("demo")
  await page.getByRole("button", { name: "Sign in" }).click()
  await page.waitForSelector('h1:text("Dashboard")')
  assert.match(await page.locator("main").innerText(), /signed in as Demo/)
  assert.match(await lookup(), /^Answered by the upstream/)
  assert.match(await page.locator("#took").innerText(), /^\d+\.\d ms$/)
  await look("dashboard")

  await page.getByRole("link", { name: "Back" }).click()
  await page.waitForSelector('h1:text("Hello, Demo")')
  assert.match(await lookup(), /^Answered by the cache/)
  const card = await page.locator("section[aria-labelledby=session]").innerText()
  assert.match(card, /^Your session\s+D\s+Demo\s+demo@example\.com\s+Expires\s+in (29|30) days/)
  await look("session")
  await page.getByRole("link", { name: "Sign out" }).click()
  await page.waitForURL(`${APP}/api/auth/signout?callbackUrl=/`)
  await look("sign-out")
  await page.getByRole("button", { name: "Sign out" }).click()
  await page.waitForSelector('h1:text("Hello, guest")')
  await page.goto(`${APP}/dashboard`)
  assert.equal(new URL(page.url()).pathname, "/api/auth/signin")
  assert.deepEqual(complaints, [], name)
  await context.close()
}

const schemes = ["light", "dark"]
const sizes = [390, 1280].map((width) => ({ width, height: 800 }))
for (const viewport of sizes) {
  for (const colorScheme of schemes) {
    await visit({ viewport, colorScheme }, `${viewport.width}-${colorScheme}`)
  }
}
await visit({ viewport: sizes[0], javaScriptEnabled: false }, "without-javascript")

for (const viewport of sizes) {
  for (const colorScheme of schemes) {
    const { context, page, complaints } = await open({ viewport, colorScheme })
    const [name, value] = COOKIE.split("=")
    await context.addCookies([HOSTILE, DOWN].map((url) => ({ name, value, url })))
    const picture = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYPj/HwADAgH/p7FxVAAAAABJRU5ErkJggg==", "base64")
    await context.route("https://pictures.example/**", (route) => route.fulfill({ contentType: "image/png", body: picture }))

    // HTML in the user's name is shown as text, and creates no element.
    await page.goto(HOSTILE)
    assert.match(await page.locator("h1").innerText(), /^Hello, <img src=x onerror="alert\(1\)">/)
    assert.equal(await page.locator("script, img:not(.picture)").count(), 0)
    await page.waitForFunction(() => document.querySelector("img.picture").naturalWidth > 0)
    await readable(page, "hostile")
    await page.screenshot({ path: `${OUTPUT}/hostile-${viewport.width}-${colorScheme}.png`, fullPage: true })
    await page.goto(`${HOSTILE}/dashboard`)
    assert.match(await page.locator("main").innerText(), /<img src=x onerror="alert\(1\)">/)
    assert.equal(await page.locator("script, img").count(), 0)
    assert.deepEqual(complaints, [])

    const down = await page.goto(`${DOWN}/dashboard`)
    assert.equal(down.status(), 502)
    assert.match(await page.locator("h1").innerText(), /^Sign-in is not available/)
    await readable(page, "down")
    await page.screenshot({ path: `${OUTPUT}/down-${viewport.width}-${colorScheme}.png`, fullPage: true })
    // The console shows the status of the page, and nothing else.
    assert.deepEqual(complaints.filter((text) => !/status of 502/.test(text)), [])
    await context.close()
  }
}
await browser.close()
console.log("the quickstart works")
