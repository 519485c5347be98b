// Puts the compiled program into a few files: loading some four hundred small ones is most of what a start would cost.
// dist/main.js becomes the bundle's entry; its parts lie in dist/chunks, at the same depth as the folders of src.
import { chmodSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { rolldown } from "rolldown";

const root = join(import.meta.dirname, "..");
const dist = join(root, "dist");

rmSync(join(dist, "chunks"), { recursive: true, force: true });
const bundle = await rolldown({
  input: join(dist, "main.js"),
  platform: "node",
  logLevel: "warn",
  // The same code without a look at the environment for each token, which is a quarter of reading a long file: with
  // LOG_TOKENS there, the whole of it would be printed, passwords included.
  resolve: { alias: { yaml: join(root, "node_modules/yaml/browser/index.js") } },
});
await bundle.write({
  dir: dist,
  format: "esm",
  entryFileNames: "[name].js",
  chunkFileNames: "chunks/[name]-[hash].js",
  // Names stay readable in stack traces.
  minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
  keepNames: false,
});
await bundle.close();
chmodSync(join(dist, "main.js"), 0o755);

// `npx viprd` in a checkout finds the program here.
const link = join(root, "node_modules/.bin/viprd");
rmSync(link, { force: true });
symlinkSync("../../dist/main.js", link);
