// Bundles editor.js for the page, with its sha256 and the licenses of what is in it. Usage: node build.js FOLDER
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const folder = resolve(process.argv[2] ?? join(here, "../engine/workbench/pages"));
const bundle = join(folder, "codemirror.js");

const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: ["editor.js"],
  outfile: bundle,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  legalComments: "none",
  metafile: true,
});

const sum = createHash("sha256").update(readFileSync(bundle)).digest("hex");
writeFileSync(`${bundle}.sha256`, `${sum}  codemirror.js\n`);

const packages = new Set(
  Object.keys(metafile.inputs)
    .map((path) => path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1])
    .filter((name) => name !== undefined),
);
const licenses = [...packages].sort().map((name) => {
  const root = join(here, "node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const file = readdirSync(root).find((one) => /^licen[cs]e/i.test(one));
  if (!file) throw new Error(`${name} has no license file`);
  return `${name} ${version}, ${license}\n\n${readFileSync(join(root, file), "utf8").trim()}\n`;
});
writeFileSync(join(folder, "LICENSES.txt"), `codemirror.js contains:\n\n${licenses.join(`\n${"-".repeat(72)}\n\n`)}`);
console.log(`${bundle}: ${readFileSync(bundle).length} bytes, ${packages.size} packages`);
