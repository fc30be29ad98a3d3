// Calls the browser client in a page, from a script that the page's content security policy allows by its nonce.
/** Returns a function that runs the body of a function in the page, with the client module as `client`. */
export const inside = (page) => (body, argument) =>
  page.evaluate(async ([body, argument]) => {
    const client = await import("/api/auth/client.js")
    const { promise, resolve } = (() => { let resolve; const promise = new Promise((r) => (resolve = r)); return { promise, resolve } })()
    globalThis.__step = { client, argument, resolve }
    const script = document.createElement("script")
    script.type = "module"
    script.nonce = "test"
    script.textContent = `const { client, argument, resolve } = globalThis.__step
      try { resolve([await (async () => { ${body} })()]) } catch (error) { resolve([null, { name: error.name, code: error.code, status: error.status }]) }`
    document.body.append(script)
    return promise
  }, [body, argument]).then(([value, error]) => error ?? value)
