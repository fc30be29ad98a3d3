// Bundles react-page.mjs with the next-auth of PACKAGE into OUTPUT.
import { build } from "esbuild"

const { PACKAGE, OUTPUT } = process.env
await build({
  entryPoints: ["react-page.mjs"],
  bundle: true,
  format: "esm",
  outfile: OUTPUT,
  logLevel: "error",
  alias: { "next-auth/react": `${PACKAGE}/react` },
  define: { "process.env.NODE_ENV": '"production"', "process.env": "{}" },
})
console.log("bundled")
