// Asks the real library whether it takes a session from the cookies of a request. The sessions are unknown to its store,
// so a session in its answer comes from the cookie cache.
//
// As a program: reads a JSON array of requests from standard input, and prints an array of verdicts.
import { betterAuth } from "better-auth"
import { memoryAdapter } from "better-auth/adapters/memory"
import { jwt } from "better-auth/plugins/jwt"
import { betterAuth as olderBetterAuth } from "better-auth-16"
import { memoryAdapter as olderMemoryAdapter } from "better-auth-16/adapters/memory"

// Standard output is for the result only.
for (const method of ["log", "info", "debug"]) console[method] = (...text) => console.error(...text)

export const BASE_URL = "https://app.test"

/** Runs a function while the clock of the library shows `now`, in milliseconds. */
export async function at(now, run) {
  const Real = globalThis.Date
  globalThis.Date = class extends Real {
    constructor(...given) { given.length ? super(...given) : super(now) }
    static now() { return now }
  }
  try { return await run() } finally { globalThis.Date = Real }
}

/** A store without sessions. `jwks` are rows of the jwt plugin. */
const emptyStore = (jwks = []) => ({ user: [], session: [], account: [], verification: [], jwks })

/** A server of the current version or of the last 1.6. */
export function server({ format, secrets, store = emptyStore(), older = false }) {
  const [create, adapter] = older ? [olderBetterAuth, olderMemoryAdapter] : [betterAuth, memoryAdapter]
  const isPublic = format === "public"
  const rotated = secrets.map((value, index) => ({ version: secrets.length - index, value }))
  return create({
    baseURL: BASE_URL,
    ...(secrets.length > 1 ? { secrets: rotated } : { secret: secrets[0] }),
    database: adapter(store),
    emailAndPassword: { enabled: true },
    user: { additionalFields: { extra: { type: "json", required: false }, note: { type: "string", required: false } } },
    session: { cookieCache: { enabled: true, maxAge: 300, strategy: isPublic ? "jwt" : format } },
    // Plain names, which `advanced` fixes whatever the scheme of the URL.
    advanced: { useSecureCookies: false },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    logger: { disabled: true },
    plugins: isPublic ? [jwt({ sessionCookieCache: true, jwks: { disablePrivateKeyEncryption: true } })] : [],
  })
}

const servers = new Map()

/** The answer to a lookup with these cookies. */
export async function verdict({ format, secrets, cookies, now, jwks }, older = false) {
  const key = JSON.stringify([format, secrets, older, jwks?.length])
  if (!servers.has(key)) servers.set(key, server({ format, secrets, older, store: emptyStore(jwks) }))
  const request = new Request(`${BASE_URL}/api/auth/get-session`, { headers: { cookie: cookies } })
  return at(now, async () => {
    const response = await servers.get(key).handler(request)
    if (!response.ok) return { ok: false, error: response.status }
    const answer = await response.json()
    return answer === null ? { ok: false } : { ok: true, session: answer.session, user: answer.user }
  })
}

if (import.meta.main ?? process.argv[1] === new URL(import.meta.url).pathname) {
  const chunks = []
  for await (const chunk of process.stdin) chunks.push(chunk)
  const verdicts = []
  for (const request of JSON.parse(Buffer.concat(chunks))) verdicts.push(await verdict(request))
  process.stdout.write(JSON.stringify(verdicts))
}
