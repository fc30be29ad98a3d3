// Bundles the script PAGE with the next-auth of the npm package PACKAGE into the file OUTPUT.
import { build } from "esbuild"

const { PAGE, PACKAGE, OUTPUT } = process.env
await build({
  entryPoints: [PAGE],
  bundle: true,
  format: "esm",
  outfile: OUTPUT,
  logLevel: "error",
  alias: { "next-auth/react": `${PACKAGE}/react` },
  define: { "process.env.NODE_ENV": '"production"', "process.env": "{}" },
})
console.log("bundled")
