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
  ok: boolean
  status: number
  /** Where Auth.js sends the visitor: the provider, the page that was asked for, or the error page. */
  url: string
  /** Such as `CredentialsSignin`. */
  error?: string
  code?: string
}

export interface Options {
  /** Where to go afterwards; this page unless set. */
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

export class AuthError extends Error {
  status?: number
  code?: string
}

export function signIn(provider: string, options?: Options, where?: Where, redirect?: true): Promise<never>
export function signIn(provider: string, options: Options | undefined, where: Where | undefined, redirect: false | "manual"): Promise<Result>
export function signOut(options?: Pick<Options, "callbackUrl" | "csrfToken">, where?: Where, redirect?: true): Promise<never>
export function signOut(options: Pick<Options, "callbackUrl" | "csrfToken"> | undefined, where: Where | undefined, redirect: false | "manual"): Promise<Result>
export function signUp(fields: Record<string, string | undefined>, where?: Where): Promise<{ ok: boolean; status: number; url?: string; error?: string }>
export function getSession<T extends Session = Session>(where?: Where): Promise<T | null>
export function getProviders(where?: Where): Promise<Record<string, Provider>>
export function getCsrfToken(where?: Where): Promise<string>
