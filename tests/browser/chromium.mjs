// Chromium, started the way every script here wants it.
import { chromium } from "playwright-core"

export async function launch() {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP *.localtest 127.0.0.1",
    ],
  })
  // The certificates of tests are signed by themselves.
  const page = await browser.newPage({ viewport: { width: 800, height: 600 }, ignoreHTTPSErrors: true })
  page.setDefaultTimeout(30_000)
  return { browser, page }
}
