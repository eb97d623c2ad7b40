// The icons of OpenBridge that the page uses, out of the package as it is published: of each its paths alone, so that
// none of its code, which would be ten times the page, comes along.
import { readFile } from "node:fs/promises";
import { join } from "node:path";

const ICONS = [
  ...["alarm", "warning"].flatMap((priority) =>
    ["unacknowledged", "silenced", "acknowledged", "transferred", "rectified"].map((state) => `${priority}-${state}-iec`),
  ),
  "caution-color-iec",
  "silence-iec",
  "sound-fill",
  "sound-muted-fill",
];
const SPACE = "openbridge";

/** `import { ICONS } from "openbridge:icons"`: of each name a list of [path, whether it is a mark upon the ground, fill rule]. */
export function openbridge(modules) {
  return {
    name: SPACE,
    setup(build) {
      build.onResolve({ filter: /^openbridge:icons$/ }, ({ path }) => ({ path, namespace: SPACE }));
      build.onLoad({ filter: /.*/, namespace: SPACE }, async () => {
        const icons = {};
        for (const name of ICONS) icons[name] = await paths_of(modules, name);
        return { contents: `export const ICONS = ${JSON.stringify(icons)};`, loader: "js" };
      });
    },
  };
}

/** An icon that is drawn otherwise than these are stops the build: half an alert's sign is none. */
async function paths_of(modules, name) {
  const file = join(modules, "@oicl", "openbridge-webcomponents", "dist", "icons", `icon-${name}.js`);
  const [, svg] = /this\.iconCss = svg`([^`]*)`/.exec(await readFile(file, "utf8")) ?? [];
  const inner = /^<svg width="24" height="24" viewBox="0 0 24 24"[^>]*>([^]*)<\/svg>\s*$/.exec(svg ?? "")?.[1];
  if (inner === undefined || /<(?!path |\/?g\b)/.test(inner)) throw new Error(`${file}: not drawn as an icon of 0.0.17`);
  return [...inner.matchAll(/<path ([^>]*)\/>/g)].map(([, given]) => {
    const d = /(?:^| )d="([^"]+)"/.exec(given)?.[1];
    const colour = /fill: var\(--([a-z-]+)\)/.exec(given)?.[1];
    if (!d || !colour) throw new Error(`${file}: a path without form or colour`);
    return [d, colour.startsWith("on-"), /fill-rule="evenodd"/.test(given) ? "evenodd" : "nonzero"];
  });
}
