// Copies what the pages load from node_modules to where the server finds it. Run after `npm ci`.
import { copyFile, mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const vendor = join(root, "src/shipmend/web/static/vendor");
const files = {
  "htmx.min.js": "htmx.org/dist/htmx.min.js",
  "htmx.LICENSE": "htmx.org/LICENSE",
};

await rm(vendor, { recursive: true, force: true });
await mkdir(vendor, { recursive: true });
for (const [name, source] of Object.entries(files)) {
  await copyFile(join(root, "node_modules", source), join(vendor, name));
}
console.log(`${Object.keys(files).length} files in src/shipmend/web/static/vendor`);
