// Writes static/built/: the style sheet compiled from frontend/main.scss, and the two libraries' scripts.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { compile } from "sass";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const modules = join(root, "node_modules");
const built = join(root, "static", "built");

rmSync(built, { recursive: true, force: true });
mkdirSync(built, { recursive: true });

// MoJ Frontend names GOV.UK Frontend by its path from the folder above node_modules.
const { css } = compile(join(root, "frontend", "main.scss"), {
  loadPaths: [root, modules],
  style: "compressed",
});
writeFileSync(join(built, "main.css"), css);

// A source map's address without its file makes the manifest storage refuse the script.
const script = readFileSync(join(modules, "govuk-frontend/dist/govuk/govuk-frontend.min.js"), "utf8");
writeFileSync(join(built, "govuk-frontend.min.js"), script.replace(/\/\/# sourceMappingURL=.*\s*$/, "\n"));
cpSync(join(modules, "htmx.org/dist/htmx.min.js"), join(built, "htmx.min.js"));
