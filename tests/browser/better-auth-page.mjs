// A page of an app with the unmodified clients of Better Auth, `better-auth/react` and `better-auth/client`. The bundle
// decides the version. The page makes both global for the test, and shows the result of each useSession.
import { createElement as h } from "react"
import { createRoot } from "react-dom/client"
import { createAuthClient } from "better-auth/client"
import { createAuthClient as createReactClient } from "better-auth/react"

globalThis.react = createReactClient()
globalThis.plain = createAuthClient()

const who = ({ data, error, isPending }) => (isPending ? "pending" : error ? `error ${error.status}` : (data?.user.email ?? "nobody"))
const element = (id) => document.body.appendChild(Object.assign(document.createElement("div"), { id }))
const plain = element("plain")
globalThis.plain.useSession.subscribe((value) => (plain.textContent = who(value)))

function Who() {
  return who(globalThis.react.useSession())
}
createRoot(element("react")).render(h(Who))
