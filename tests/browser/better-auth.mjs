// Signs up, in and out with the unmodified clients of Better Auth on pages of APP, with a real server. CLIENT is 1.7 or
// 1.6. At OTHER, if it is set, a visitor who signed in at APP is signed in too (SHARED), or can sign in as well.
import assert from "node:assert/strict"
import { launch } from "./chromium.mjs"
import { passProvider } from "./provider.mjs"

const { APP, OTHER, SHARED, CLIENT } = process.env
const { browser, page } = await launch()
const shows = (client, text) =>
  page.waitForFunction(([id, text]) => document.getElementById(id)?.textContent === text, [client, text]).catch(async (error) => {
    throw new Error(`${client} at ${page.url()} shows ${await page.locator(`#${client}`).textContent()}, not ${text}`, { cause: error })
  })
/** Calls a function of a client, such as `signIn.email`. */
const call = (client, name, argument) =>
  page.evaluate(([client, name, argument]) => {
    const found = name.split(".").reduce((object, key) => object[key], globalThis[client])
    return found(argument)
  }, [client, name, argument])
const open = (app, query = "") => page.goto(`${app}/client/${CLIENT}${query}`)

async function signsInWithTheProvider(client, app) {
  await open(app)
  await shows(client, "nobody")
  const callbackURL = `${app}/client/${CLIENT}?back`
  const [name, id] = CLIENT === "1.7" ? ["signIn.social", { provider: "idp" }] : ["signIn.oauth2", { providerId: "idp" }]
  // The client follows the `url` of the answer by itself.
  call(client, name, { ...id, callbackURL }).catch(() => {})
  await passProvider(page, callbackURL)
  for (const shown of ["react", "plain"]) await shows(shown, "ada@idp.example")
  await page.goto(`${app}/me`)
  assert.equal(await page.locator("body").innerText(), "ada@idp.example")
}

for (const client of ["react", "plain"]) {
  const email = `${client}@example.com`
  await open(APP)
  for (const shown of ["react", "plain"]) await shows(shown, "nobody")
  assert.deepEqual(await call(client, "getSession"), { data: null, error: null })

  const taken = { name: client, email, password: "a good password" }
  const registered = await call(client, "signUp.email", taken)
  assert.deepEqual([registered.error, registered.data.user.email], [null, email])
  await shows(client, email)
  const session = await call(client, "getSession")
  assert.equal(session.data.user.name, client)
  // The proxy removes it.
  assert.equal(session.data.session.token, undefined)
  assert.equal((await call(client, "signUp.email", taken)).error.status, 422)
  await page.goto(`${APP}/me`)
  assert.equal(await page.locator("body").innerText(), email)
  await open(APP)
  await shows(client, email)

  // `useSession` follows without a reload.
  await call(client, "updateUser", { name: "another name" })
  assert.equal((await call(client, "getSession")).data.user.name, "another name")
  assert.deepEqual((await call(client, "signOut")).data, { success: true })
  await shows(client, "nobody")
  await isRefused(APP)

  const wrong = await call(client, "signIn.email", { email, password: "a wrong password" })
  assert.deepEqual([wrong.error.status, wrong.error.code], [401, "INVALID_EMAIL_OR_PASSWORD"])
  const right = await call(client, "signIn.email", { email, password: "a good password" })
  assert.deepEqual([right.error, right.data.user.email], [null, email])
  await shows(client, email)
  const { data: sessions } = await call(client, "listSessions")
  assert.equal(sessions.length, 1)
  await call(client, "signOut")
  await shows(client, "nobody")

  await signsInWithTheProvider(client, APP)
  if (OTHER) {
    if (SHARED) {
      await page.goto(`${OTHER}/me`)
      assert.equal(await page.locator("body").innerText(), "ada@idp.example")
    } else {
      // The cookies of one app are not sent to the other.
      await signsInWithTheProvider(client, OTHER)
      await signsOut(client, OTHER)
    }
  }
  await signsOut(client, APP)
  await isRefused(APP)
  if (SHARED) await isRefused(OTHER)
}
await browser.close()
console.log(`Better Auth ${CLIENT} works unmodified`)

async function isRefused(app) {
  await open(app)
  assert.equal(await page.evaluate(() => fetch("/protected").then((answer) => answer.status)), 401)
}

async function signsOut(client, app) {
  await open(app)
  await shows(client, "ada@idp.example")
  if (CLIENT === "1.7") {
    // The client goes on to the sign-out page of the provider by itself.
    call(client, "signOut").catch(() => {})
    await page.waitForURL((url) => url.pathname === "/session/end")
    await open(app)
  } else {
    await call(client, "signOut")
  }
  await shows(client, "nobody")
}
