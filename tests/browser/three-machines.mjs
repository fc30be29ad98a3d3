// Visits three instances of the example three-machines through nginx at APP. PORTS are those of the instances, in the
// order of nginx. Tab one opens the page, with an event stream and a WebSocket. Tab two signs out at an instance that
// serves neither. Both connections close, and tab one says so. Then an instance and Redis are killed by requests to
// CONTROL: tab one stays signed in until the next sign-out. Writes screenshots to OUTPUT, and prints how long the
// connections stayed open after the click.
import assert from "node:assert/strict"
import { mkdirSync } from "node:fs"
import { launch } from "./chromium.mjs"

const { APP, CONTROL, OUTPUT } = process.env
const PORTS = process.env.PORTS.split(" ")
mkdirSync(OUTPUT, { recursive: true })
const { browser } = await launch()
const ids = ["events", "socket"]

/** A private window of a size. It records every text of both cards with its time, and the time of the last submit. */
async function open(options) {
  const context = await browser.newContext(options)
  context.setDefaultTimeout(20_000)
  await context.addInitScript(() => {
    addEventListener("submit", () => localStorage.setItem("submitted", Date.now()))
    addEventListener("DOMContentLoaded", () => {
      globalThis.seen = { events: [], socket: [] }
      for (const [id, texts] of Object.entries(globalThis.seen)) {
        const status = document.getElementById(id)
        if (!status) return
        new MutationObserver(() => texts.push({ text: status.textContent, at: Date.now() })).observe(status, { childList: true })
      }
    })
  })
  return context
}

async function signIn(page) {
  await page.goto(APP)
  await fits(page, "signed-out")
  await page.getByRole("link", { name: "Sign in" }).click()
  await page.getByLabel("Username").fill("demo")
  await page.getByLabel("Password").fill("demo")
  await page.getByRole("button", { name: "Sign in" }).click()
  await page.waitForSelector('h1:text("Signed in as Demo")')
  await bothOpen(page)
}

const bothOpen = async (page) => {
  for (const id of ids) await page.waitForSelector(`#${id}[data-state=open]`)
}

/** The port of the instance that a card names. */
const instanceOf = async (page, id) => (await page.locator(`#${id}`).innerText()).match(/at instance (\d+)/)[1]

async function bothInstances(page) {
  return Promise.all(ids.map((id) => instanceOf(page, id)))
}

/** The instance that sent a response. nginx adds the header. */
const sender = (response) => response.headers()["x-instance"].split(":").pop()

/** Sends requests until the next one goes to this instance, if the browser sends none of its own in between. */
async function turnTo(context, port) {
  for (let n = 0; n < 9; n++) {
    const last = sender(await context.request.get(`${APP}/style.css`))
    if (PORTS[(PORTS.indexOf(last) + 1) % PORTS.length] === port) return
  }
  assert.fail(`nginx sends nothing to ${port}`)
}

/** Signs out in a second tab, at this instance if possible. Returns the time of the click, and which instance it was. */
async function signOut(context, port) {
  const tab = await context.newPage()
  await tab.goto(`${APP}/api/auth/signout?callbackUrl=/`)
  if (port) await turnTo(context, port)
  const answer = tab.waitForResponse((response) => response.request().method() === "POST")
  await tab.getByRole("button", { name: "Sign out" }).click()
  const at = sender(await answer)
  await tab.waitForSelector('h1:text("Signed out")')
  const submitted = await tab.evaluate(() => Number(localStorage.getItem("submitted")))
  await tab.close()
  return { submitted, at }
}

/** Loads the page until each of these instances answered, and checks its title. */
async function eachShows(context, ports, title) {
  const tab = await context.newPage()
  const left = new Set(ports)
  for (let n = 0; left.size > 0; n++) {
    assert.ok(n < 40, `no page from ${[...left]}`)
    await tab.goto(APP)
    assert.equal(await tab.locator("h1").innerText(), title)
    left.delete(await tab.locator("#instance").innerText())
  }
  await tab.close()
}

/** How many milliseconds after `since` each card of the page said that the visitor is signed out. */
async function closedAfter(page, since) {
  const times = []
  for (const id of ids) {
    await page.waitForSelector(`#${id}[data-state=ended]`)
    const [end] = (await texts(page, id)).filter(({ text }) => text === "closed: signed out")
    times.push(end.at - since)
  }
  assert.equal(await page.locator("h1").innerText(), "Signed out")
  return times
}

const texts = (page, id) => page.evaluate((id) => globalThis.seen[id], id)

const luminance = (color) =>
  color.match(/[\d.]+/g).slice(0, 3).map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0)

/** Checks that the page fits its width, can be read (WCAG 2.2, 1.4.3), and used with a finger. Writes a screenshot. */
async function fits(page, name) {
  const found = await page.evaluate(() => {
    const background = (element) => {
      for (; element; element = element.parentElement) {
        const color = getComputedStyle(element).backgroundColor
        if (color !== "rgba(0, 0, 0, 0)") return color
      }
    }
    const shown = [...document.querySelectorAll("h1, h2, p, a, strong")]
    return {
      wide: document.documentElement.scrollWidth > innerWidth,
      small: [...document.querySelectorAll("a")].filter((a) => a.getBoundingClientRect().height < 44).length,
      colors: shown.map((element) => [element.outerHTML, getComputedStyle(element).color, background(element)]),
    }
  })
  assert.deepEqual([found.wide, found.small], [false, 0], name)
  for (const [text, color, behind] of found.colors) {
    const [dark, light] = [luminance(color), luminance(behind)].sort((a, b) => a - b)
    assert.ok((light + 0.05) / (dark + 0.05) >= 4.5, `${name}: ${text} ${color} on ${behind}`)
  }
  const { width } = page.viewportSize()
  await page.screenshot({ path: `${OUTPUT}/${name}-${width}.png`, fullPage: true })
}

const kill = async (what) => assert.ok((await fetch(`${CONTROL}/kill/${what}`, { method: "POST" })).ok)

/** Signs in and out in two tabs. Returns whether the sign-out was at an instance that serves neither connection. */
async function visit(width, colorScheme) {
  const context = await open({ viewport: { width, height: 800 }, colorScheme })
  const page = await context.newPage()
  const complaints = []
  page.on("console", (message) => complaints.push(message.text()))
  page.on("pageerror", (error) => complaints.push(String(error)))
  await signIn(page)
  await fits(page, "signed-in")
  const ports = await bothInstances(page)
  const { submitted, at } = await signOut(context, PORTS.find((port) => !ports.includes(port)))
  const times = await closedAfter(page, submitted)
  await fits(page, "ended")
  await page.getByRole("link", { name: "Sign in" }).waitFor()
  for (const time of times) assert.ok(time >= 0 && time < 1000, `closed ${time} ms after the click`)
  // The page asks `/me` once for each connection, and Chromium reports the answer 401 to the console.
  assert.deepEqual(complaints.filter((text) => !/status of 401/.test(text)), [])
  await context.close()
  if (ports.includes(at)) return false
  console.log(
    `${width} pixels: signed out at instance ${at}. The event stream at ${ports[0]} closed after ${times[0]} ms, ` +
      `the WebSocket at ${ports[1]} after ${times[1]} ms`,
  )
  return true
}

for (const [width, colorScheme] of [[390, "light"], [1280, "dark"]]) {
  let visits = 0
  while (!(await visit(width, colorScheme))) assert.ok(++visits < 8, "no sign-out was at the third instance")
}

// An instance is killed: its connections move to the others, and nobody is signed out.
const context = await open({ viewport: { width: 1280, height: 800 }, colorScheme: "light" })
const page = await context.newPage()
await signIn(page)
const [dead] = await bothInstances(page)
await kill(dead)
await page.waitForFunction((dead) => {
  const status = document.getElementById("events")
  return status.dataset.state === "open" && !status.textContent.endsWith(dead)
}, dead)
await bothOpen(page)
const alive = PORTS.filter((port) => port !== dead)

// Redis is killed: both connections stay open, and the session is known at each instance.
const before = await bothInstances(page)
await kill("redis")
await new Promise((resolve) => setTimeout(resolve, 3000))
await bothOpen(page)
assert.deepEqual(await bothInstances(page), before)
await eachShows(context, alive, "Signed in as Demo")
for (const id of ids) {
  const wrong = (await texts(page, id)).filter(({ text }) => /signed out/.test(text))
  assert.deepEqual(wrong, [], id)
}
await fits(page, "without-redis")

// Without Redis a sign-out still counts at once at every instance for every new request.
await signOut(context)
await eachShows(context, alive, "Signed out")
await context.close()
await browser.close()
console.log("an instance and Redis were killed: nobody was signed out")
