// Build the page into daemon/web/static, or into the folder that is named: the same bytes from the same sources.
import { build } from "esbuild";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { openbridge } from "./openbridge.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const to = process.argv[2] ?? join(here, "..", "static");
await mkdir(to, { recursive: true });
await build({
  absWorkingDir: here,
  entryPoints: { page: "src/main.js", first: "src/first.js", style: "page.css", review: "review.css" },
  bundle: true,
  minify: true,
  format: "esm",
  target: ["chrome110", "firefox115", "safari16"],
  charset: "utf8",
  legalComments: "none",
  outdir: to,
  entryNames: "[name]",
  logLevel: "warning",
  plugins: [openbridge(join(here, "node_modules"))],
});

// Whose work is in the bundle: MQTT.js as it is published for browsers has its own dependencies in it, so that all of
// them are named, with their licences as they stand there. A licence that would bind ours stops the build.
const FREE = ["MIT", "ISC", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "0BSD"];
const TOOLS = ["axe-core", "esbuild", "@esbuild", "@types", "undici-types"];
// Of OpenBridge nothing but the form of its icons is in the bundle: it has a notice of its own, and what it needs has none.
const ICONS_ALONE = ["@oicl", "@lit", "@lit-labs", "lit", "lit-element", "lit-html"];
const modules = join(here, "node_modules");
const names = readdirSync(modules)
  .filter((name) => !name.startsWith(".") && ![...TOOLS, ...ICONS_ALONE].includes(name))
  .flatMap((name) => (name.startsWith("@") ? readdirSync(join(modules, name)).map((each) => `${name}/${each}`) : [name]));
const notices = [await readFile(join(here, "notices-openbridge.txt"), "utf8")];
for (const name of names.sort()) {
  const folder = join(modules, name);
  const about = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  if (!FREE.includes(about.license)) throw new Error(`${name}: licence ${about.license}`);
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  const words = file ? await readFile(join(folder, file), "utf8") : `Licence: ${about.license}\n`;
  notices.push(`${name} ${about.version} (${about.license})\n\n${words.replaceAll("\r\n", "\n").trim()}\n`);
}
await writeFile(join(to, "notices.txt"), notices.join(`\n${"-".repeat(78)}\n\n`));
for (const file of ["index.html", "icon.svg"]) await copyFile(join(here, file), join(to, file));
