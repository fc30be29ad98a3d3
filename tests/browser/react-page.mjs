// A page of somebody else's making: React with next-auth/react, unmodified. The bundle decides which
// version. It leaves the functions where the test finds them, and shows what useSession says.
import { createElement as h } from "react"
import { createRoot } from "react-dom/client"
import * as nextAuth from "next-auth/react"

globalThis.nextAuth = nextAuth

function Who() {
  const { data, status, update } = nextAuth.useSession()
  globalThis.update = update
  return h("p", { id: "who" }, `${status}: ${data?.user?.email ?? "nobody"}`)
}

const provider = h(nextAuth.SessionProvider, { refetchOnWindowFocus: true }, h(Who))
createRoot(document.body.appendChild(document.createElement("div"))).render(provider)
