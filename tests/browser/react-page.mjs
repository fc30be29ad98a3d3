// A page of an app with React and the unmodified next-auth/react. The bundle decides the version. The page makes the
// functions global for the test, and shows the result of useSession.
import { createElement as h } from "react"
import { createRoot } from "react-dom/client"
import * as nextAuth from "next-auth/react"

globalThis.nextAuth = nextAuth

function Who() {
  const { data, status, update } = nextAuth.useSession()
  globalThis.update = update
  return h("p", { id: "who" }, `${status}: ${data?.user?.email ?? "nobody"}`)
}

// In seconds. Zero does not poll.
const refetchInterval = Number(new URLSearchParams(location.search).get("poll"))
const provider = h(nextAuth.SessionProvider, { refetchOnWindowFocus: true, refetchInterval }, h(Who))
createRoot(document.body.appendChild(document.createElement("div"))).render(provider)
