// What a page of somebody else's making has of next-auth for passkeys, unmodified.
import { signIn, signOut } from "next-auth/react"
import { signIn as passkey } from "next-auth/webauthn"

globalThis.nextAuth = { signIn, signOut, passkey }
