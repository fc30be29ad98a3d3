/** Where the sign-in routes are, if they are not next to this module, and how to send requests to them. */
export interface Where {
  /** An origin, such as `https://auth.example.com`; it must allow this page's origin with credentials. */
  baseUrl?: string
  /** Such as `/api/auth`. */
  basePath?: string
  headers?: HeadersInit
  fetch?: typeof fetch
}

/** `true` navigates. `false` and `'manual'` return the target in `Result.url`. */
export type Redirect = boolean | "manual"

export interface Result {
  /**
   * Whether the server accepted the request. For credentials, a session must exist too. A server may redirect instead of
   * returning a URL, which hides its error from scripts. Then `ok` is whether a session exists, or after `signOut`
   * whether none exists.
   */
  ok: boolean
  /** The status of the response; 302 if the server redirected. */
  status: number
  /** Where the server sends the visitor: the provider, the requested page, or the error page. Always http or https. */
  url: string
  /** Such as `CredentialsSignin`; `SessionMissing` if the server accepted the credentials but created no session. */
  error?: string
  /** What the server adds to the error. For Better Auth its code, such as `INVALID_EMAIL_OR_PASSWORD`. */
  code?: string
}

export interface Options {
  /**
   * Where to go afterwards, relative to this page. The default is this page. The server decides whether to go there.
   * A URL that is not http or https becomes the root of the sign-in routes' origin.
   */
  callbackUrl?: string
  /** Better Auth has no such token. */
  csrfToken?: string
  /** Fields of the form, such as `username`, `email` and `password`. Better Auth gets them as JSON. */
  [field: string]: string | boolean | undefined
}

export interface User {
  id?: string
  name?: string | null
  email?: string | null
  image?: string | null
  [field: string]: unknown
}

export interface Session {
  user: User
  /** An ISO 8601 date. */
  expires: string
  [field: string]: unknown
}

export interface Provider {
  id: string
  name: string
  type: string
  signinUrl: string
  callbackUrl: string
}

/** Thrown if the result is unknown: an outage, or a response that cannot be read. */
export class AuthError extends Error {
  status?: number
  code?: string
}

/**
 * Signs in. `credentials` are posted once, and a second time as a form if a Robo.js server accepted them but created no
 * session: with database sessions it sets its cookie on redirects only. Those of Better Auth are `email` and `password`.
 * @throws {AuthError}
 */
export function signIn(provider: string, options?: Options, where?: Where, redirect?: true): Promise<never>
export function signIn(provider: string, options: Options | undefined, where: Where | undefined, redirect: false | "manual"): Promise<Result>
export function signOut(options?: Pick<Options, "callbackUrl" | "csrfToken">, where?: Where, redirect?: true): Promise<never>
export function signOut(options: Pick<Options, "callbackUrl" | "csrfToken"> | undefined, where: Where | undefined, redirect: false | "manual"): Promise<Result>
/**
 * Registers at a Robo.js or Better Auth server, and signs in. Better Auth refuses with its codes, and the default of
 * `name` is what is before the `@` of the address. `error` is `SessionMissing` if it registered the user without a
 * session, such as before the address is verified. `url` is `callbackUrl` if it has the origin of this page or of the
 * sign-in routes, else the root of the sign-in routes' origin.
 */
export function signUp(fields: Record<string, string | undefined>, where?: Where): Promise<{ ok: boolean; status: number; url?: string; error?: string }>
/**
 * The session, or null for a signed-out visitor. Better Auth's has `session` beside the user, and no `expires` if the
 * plugin `customSession` leaves that out.
 * @throws {AuthError}
 */
export function getSession<T extends Session = Session>(where?: Where): Promise<T | null>
/** `{}` with Better Auth, which does not list its providers. */
export function getProviders(where?: Where): Promise<Record<string, Provider>>
/** `""` with Better Auth, which checks the `Origin` instead. */
export function getCsrfToken(where?: Where): Promise<string>
