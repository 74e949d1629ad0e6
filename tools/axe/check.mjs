// Checks each page of a running report with axe-core and by keyboard: node check.mjs URL PATH...
//
// Purpose: nobody is kept out of the report. Every rule of axe-core counts, in light and
// dark, on a wide and on a narrow screen; Tab alone reaches every control, and shows where
// it is. It exits with 1 unless there are 0 violations.
//
// It will not: start a report, or download a browser (CHROMIUM names one, else Debian's).
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const [base, ...paths] = process.argv.slice(2);
if (!base || paths.length === 0) {
  console.error("usage: node check.mjs URL PATH... (http://127.0.0.1:8080 / /cases)");
  process.exit(2);
}
const axe = readFileSync(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");

// byKeyboard tabs through the page and returns what is wrong.
async function byKeyboard(page) {
  const wrong = [];
  await page.keyboard.press("Tab");
  if ((await page.evaluate(() => document.activeElement.className)) !== "skip") wrong.push("the first Tab does not reach the skip link");
  await page.keyboard.press("Enter");
  if ((await page.evaluate(() => document.activeElement.id)) !== "content") wrong.push("the skip link does not lead to the content");
  await page.evaluate(() => { document.activeElement.blur(); window.getSelection().removeAllRanges(); });
  await page.goto(page.url().split("#")[0]);
  const wanted = await page.evaluate(() => {
    const all = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, summary")];
    const shown = all.filter((e) => e.matches("summary") || e.classList.contains("skip") || e.checkVisibility());
    shown.forEach((e, i) => { e.dataset.stop = i; });
    return shown.length;
  });
  const reached = new Set();
  // A field for a day has several stops of its own.
  for (let i = 0; i < wanted * 4 + 20 && reached.size < wanted; i++) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const e = document.activeElement, s = getComputedStyle(e);
      return { stop: e.dataset.stop, seen: s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0, html: e.outerHTML.slice(0, 120) };
    });
    if (at.stop === undefined) continue;
    reached.add(at.stop);
    if (!at.seen) wrong.push("the focus is not shown on " + at.html);
  }
  if (reached.size < wanted) wrong.push(`Tab reaches ${reached.size} of ${wanted} controls`);
  return wrong;
}

let violations = 0, checks = 0, rules = 0;
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-quic"] });
for (const colorScheme of ["light", "dark"]) {
  for (const width of [1280, 390]) {
    const page = await (await browser.newContext({ colorScheme, viewport: { width, height: 900 } })).newPage();
    for (const path of paths) {
      await page.goto(base + path);
      await page.evaluate(() => document.querySelectorAll("details").forEach((d) => { d.open = true; }));
      await page.evaluate(axe); // as the debugger does it: the page's own policy forbids scripts
      const result = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
      checks++;
      rules = Math.max(rules, result.passes.length + result.violations.length + result.inapplicable.length + result.incomplete.length);
      const found = result.violations.flatMap((v) => v.nodes.map((n) => `${v.id} (${v.impact}): ${v.help}: ${n.html.slice(0, 160)}`));
      if (colorScheme === "light") found.push(...(await byKeyboard(page)));
      for (const f of found) console.log(`${path} ${colorScheme} ${width}: ${f}`);
      violations += found.length;
    }
  }
}
await browser.close();
console.log(`${paths.length} pages, ${checks} checks by up to ${rules} rules: ${violations} violations`);
process.exit(violations === 0 ? 0 : 1);
