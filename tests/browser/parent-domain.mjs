// Relative `callbackUrl`s when the sign-in pages are on another host than APP: a visitor who signs in with the provider
// returns to APP, both with the client and with a plain link.
import assert from "node:assert/strict"
import { launch } from "./chromium.mjs"
import { inside } from "./inside.mjs"

const { APP, AUTH } = process.env
const { browser, page } = await launch()
const run = inside(page)
const known = async () => {
  await page.goto(`${APP}/me`)
  assert.equal(await page.locator("body").innerText(), "ada@idp.example")
}
/** Logs in and consents at the provider where it asks for that: after the first time it may redirect back at once. */
async function arrive(path) {
  const form = page.waitForSelector("input[name=login], input[name=prompt]", { state: "attached" }).catch(() => {})
  await Promise.race([form, page.waitForURL(`${APP}${path}`).catch(() => {})])
  if (await page.locator("input[name=login]").count()) {
    await page.fill("input[name=login]", "ada")
    await page.fill("input[name=password]", "any")
    await page.click("button[type=submit]")
    await page.waitForSelector("input[name=prompt][value=consent]", { state: "attached" })
  }
  if (await page.locator("input[name=prompt]").count()) await page.click("button[type=submit]")
  await page.waitForURL(`${APP}${path}`)
}

await page.goto(`${APP}/page`)
run(`await client.signIn("idp", { callbackUrl: "/protected?by=client" })`).catch(() => {})
await arrive("/protected?by=client")
await known()

await page.goto(`${APP}/page`)
run(`await client.signOut({ callbackUrl: "/page?out" })`).catch(() => {})
await page.waitForURL(`${APP}/page?out`)
assert.equal(await run("return client.getSession()"), null)

await page.goto(`${APP}/api/auth/signin?callbackUrl=/protected`)
await page.getByRole("button", { name: "Sign in with IdP" }).click()
await arrive("/protected")
await known()

await page.goto(`${APP}/api/auth/signout?callbackUrl=%2Fpage%3Fbye`)
await Promise.all([page.waitForURL((url) => !url.pathname.endsWith("/signout")), page.getByRole("button", { name: "Sign out" }).click()])
assert.equal(page.url(), `${APP}/page?bye`)

// A `callbackUrl` that is not a path of the app is forwarded unchanged, and Auth.js redirects to its own root instead.
for (const evil of ["//evil.example", "/\\evil.example", "https://evil.example/"]) {
  await page.goto(`${APP}/api/auth/signin?callbackUrl=${encodeURIComponent(evil)}`)
  assert.equal(await page.locator("input[name=callbackUrl]").first().inputValue(), evil)
  await page.getByRole("button", { name: "Sign in with IdP" }).click()
  // The provider redirects at once, or after one click.
  const consent = page.waitForSelector("input[name=prompt]", { state: "attached" }).then(() => page.click("button[type=submit]"))
  consent.catch(() => {})
  await page.waitForURL(`${AUTH}/`)
}
await browser.close()
console.log("back at the app")
