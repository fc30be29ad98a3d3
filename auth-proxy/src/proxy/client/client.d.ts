/** Where the sign-in routes are, if not next to this module, and how to reach them. */
export interface Where {
  /** An origin, such as `https://auth.example.com`; it must allow this page's origin with credentials. */
  baseUrl?: string
  /** Such as `/api/auth`. */
  basePath?: string
  headers?: HeadersInit
  fetch?: typeof fetch
}

/** `true` navigates, `false` and `'manual'` answer where to. */
export type Redirect = boolean | "manual"

export interface Result {
  /**
   * Whether the server took it. For credentials also that there is a session. Where a server redirects instead of
   * saying where to go, its error is hidden from scripts, and `ok` is whether there is a session: after `signOut`,
   * that there is none.
   */
  ok: boolean
  /** The status of the answer; 302 where the server redirected. */
  status: number
  /** Where Auth.js sends the visitor: the provider, the page that was asked for, or the error page. Always http or https. */
  url: string
  /** Such as `CredentialsSignin`; `SessionMissing` when the server accepted the credentials and signed nobody in. */
  error?: string
  code?: string
}

export interface Options {
  /**
   * Where to go afterwards; this page unless set. Relative to this page. The server decides whether it goes there.
   * What is no http or https URL becomes the root of the sign-in routes' origin.
   */
  callbackUrl?: string
  csrfToken?: string
  [field: string]: string | undefined
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

/** Nobody can tell: an outage, or an answer that is none. */
export class AuthError extends Error {
  status?: number
  code?: string
}

/**
 * Signs in. `credentials` are posted once; a second time, as a form, when the server accepted them and there is no
 * session, since a Robo.js server with database sessions signs in by a redirect only.
 * @throws {AuthError}
 */
export function signIn(provider: string, options?: Options, where?: Where, redirect?: true): Promise<never>
export function signIn(provider: string, options: Options | undefined, where: Where | undefined, redirect: false | "manual"): Promise<Result>
export function signOut(options?: Pick<Options, "callbackUrl" | "csrfToken">, where?: Where, redirect?: true): Promise<never>
export function signOut(options: Pick<Options, "callbackUrl" | "csrfToken"> | undefined, where: Where | undefined, redirect: false | "manual"): Promise<Result>
/**
 * Registers at a Robo.js server, and signs in. `url` is `callbackUrl` where that is of this page's origin or of the
 * sign-in routes', else the root of the latter.
 */
export function signUp(fields: Record<string, string | undefined>, where?: Where): Promise<{ ok: boolean; status: number; url?: string; error?: string }>
export function getSession<T extends Session = Session>(where?: Where): Promise<T | null>
export function getProviders(where?: Where): Promise<Record<string, Provider>>
export function getCsrfToken(where?: Where): Promise<string>
