// Keeps an event stream and a WebSocket open, and shows the state of both.

/** Opens a connection, and opens it again when it is lost. `connect` calls `heard` with the name of the instance. */
function keep(id, connect) {
  const status = document.getElementById(id)
  const show = (state, text) => {
    status.dataset.state = state
    if (status.textContent !== text) status.textContent = text
  }
  const open = () => connect({ heard: (instance) => show("open", `open, at instance ${instance}`), closed })
  async function closed() {
    // The end of a connection does not say why it ended: the instance may have stopped. `/me` says whether the visitor
    // is still signed in. Any answer other than 401 is an outage, which signs nobody out.
    const answer = await fetch("/me").catch(() => null)
    if (answer?.status === 401) {
      show("ended", "closed: signed out")
      document.title = document.querySelector("h1").textContent = "Signed out"
      const link = document.querySelector(".button")
      link.textContent = "Sign in"
      link.href = "/api/auth/signin?callbackUrl=/"
      link.target = ""
    } else {
      show("lost", "connection lost, connecting again")
      setTimeout(open, 500)
    }
  }
  open()
}

keep("events", ({ heard, closed }) => {
  const source = new EventSource("/events")
  source.onmessage = (event) => heard(event.data)
  source.onerror = () => {
    source.close() // Otherwise the browser would connect again by itself, also after a sign-out.
    closed()
  }
})

keep("socket", ({ heard, closed }) => {
  const socket = new WebSocket("/socket")
  socket.onmessage = (event) => heard(event.data)
  socket.onclose = closed
})
