// Starts Chromium with the options that all scripts use.
import { chromium } from "playwright-core"

/** Opens a page in a private window, which blocks third-party cookies. With `profile`, a folder, in a normal window. */
export async function launch({ profile } = {}) {
  const options = {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP *.localtest 127.0.0.1",
    ],
  }
  // The certificates of the tests are self-signed.
  const window = { viewport: { width: 800, height: 600 }, ignoreHTTPSErrors: true }
  const browser = profile
    ? await chromium.launchPersistentContext(profile, { ...options, ...window })
    : await chromium.launch(options)
  const page = await (profile ? browser.newPage() : browser.newPage(window))
  page.setDefaultTimeout(30_000)
  return { browser, page }
}
