// Loaded with `NODE_OPTIONS=--import=/path/end-with-input.mjs`: the program exits when its standard input is closed, so
// that no server outlives the test that started it.
process.stdin.resume()
process.stdin.on("end", () => process.exit(0))
