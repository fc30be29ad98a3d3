// An app without sign-in, behind the gateway. Prints {"port":n} when it listens, and exits when its standard input is
// closed. It answers with what it received.
import { createHash } from "node:crypto"
import { createServer } from "node:http"

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" // RFC 6455, section 1.3

const server = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, "http://app")
  if (pathname.endsWith("/events")) {
    response.writeHead(200, { "content-type": "text/event-stream" })
    let n = 0
    const timer = setInterval(() => {
      response.write(`data: ${n}\n\n`)
      n += 1
      if (n > Number(searchParams.get("count") ?? 2)) response.end()
    }, Number(searchParams.get("ms") ?? 50))
    return response.on("close", () => clearInterval(timer))
  }
  if (pathname.endsWith("/upload")) {
    const hash = createHash("sha256")
    let bytes = 0
    try {
      for await (const chunk of request) {
        hash.update(chunk)
        bytes += chunk.length
      }
    } catch {
      return // The client broke off.
    }
    return response.end(JSON.stringify({ bytes, sha256: hash.digest("hex"), trailers: request.trailers }))
  }
  if (pathname.endsWith("/download")) {
    const chunk = Buffer.alloc(64 * 1024, "x")
    for (let sent = 0; sent < Number(searchParams.get("bytes")); sent += chunk.length) {
      if (!response.write(chunk)) await new Promise((resolve) => response.once("drain", resolve))
    }
    return response.end()
  }
  if (pathname.endsWith("/slow")) await new Promise((resolve) => setTimeout(resolve, Number(searchParams.get("ms"))))
  if (pathname.endsWith("/breaks")) {
    response.writeHead(200, { "content-length": "100" })
    response.write("part")
    return setTimeout(() => response.destroy(), 50)
  }
  if (pathname.endsWith("/resets")) return request.socket.destroy()
  if (pathname.endsWith("/redirect")) return response.writeHead(302, { location: "/elsewhere", "alt-svc": 'h3=":1"' }).end()
  if (pathname.endsWith("/sets")) response.setHeader("set-cookie", ["a=1; Path=/", "b=2; Path=/"])
  response.setHeader("content-type", "application/json")
  const headers = {}
  for (let n = 0; n < request.rawHeaders.length; n += 2) {
    const name = request.rawHeaders[n].toLowerCase()
    headers[name] = [...(headers[name] ?? []), request.rawHeaders[n + 1]]
  }
  response.end(JSON.stringify({ method: request.method, url: request.url, headers }))
})

// Echoes each WebSocket frame, unmasked. A path that ends with /no refuses the upgrade.
server.on("upgrade", (request, socket) => {
  socket.on("error", () => {})
  if (request.url.endsWith("/no")) {
    return socket.end("HTTP/1.1 426 Upgrade Required\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno")
  }
  const accept = createHash("sha1").update(request.headers["sec-websocket-key"] + GUID).digest("base64")
  const subject = request.headers["x-auth-subject"] ?? "nobody"
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${accept}\r\nx-subject: ${subject}\r\n\r\n`)
  let kept = Buffer.alloc(0)
  socket.on("data", (data) => {
    kept = Buffer.concat([kept, data])
    while (kept.length >= 6) {
      const length = kept[1] & 0x7f
      if (kept.length < 6 + length) return
      const mask = kept.subarray(2, 6)
      const text = kept.subarray(6, 6 + length).map((byte, n) => byte ^ mask[n % 4])
      socket.write(Buffer.concat([Buffer.from([kept[0], length]), text]))
      if ((kept[0] & 0x0f) === 8) return socket.end()
      kept = kept.subarray(6 + length)
    }
  })
})

server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })))
process.stdin.resume()
process.stdin.on("end", () => process.exit(0))
