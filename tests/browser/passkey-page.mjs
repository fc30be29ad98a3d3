// A page of an app with the unmodified functions of next-auth for passkeys. The test calls them.
import { signIn, signOut } from "next-auth/react"
import { signIn as passkey } from "next-auth/webauthn"

globalThis.nextAuth = { signIn, signOut, passkey }
