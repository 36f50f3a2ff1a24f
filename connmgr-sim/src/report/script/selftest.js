// `#selftest` presses every key and button, and writes down what came of it.
const failed = [];
const expect = (what, holds) => { if (!holds) failed.push(what); };
const press = (key, target = document.activeElement ?? document.body) =>
  target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));

const testKeys = () => {
  const before = isDark();
  press("t");
  expect("t turns the theme", isDark() !== before && getComputedStyle(root).colorScheme === root.dataset.theme);
  press("t");
  press("?");
  expect("? opens the help", help.open);
  press("?");
  expect("? closes the help", !help.open);
  const rows = all(".step");
  if (rows.length > 1) {
    press("j");
    expect("j goes to the first row", document.activeElement === rows[0]);
    press("j");
    expect("j goes on", document.activeElement === rows[1]);
    press("k");
    expect("k goes back", document.activeElement === rows[0]);
    press("ArrowDown");
    expect("arrows go on", document.activeElement === rows[1]);
  }
};

const testFilter = () => {
  press("/");
  expect("/ goes to the filter", document.activeElement === filter);
  filter.value = "nothing has this in it";
  filter.dispatchEvent(new Event("input"));
  expect("the filter hides", all("tr.step, li.step").every((row) => row.hidden));
  const groups = all("[aria-labelledby=lanes] tr.group");
  expect("a group without rows is hidden", groups.every((row) => row.hidden));
  filter.value = "";
  filter.dispatchEvent(new Event("input"));
  expect("an empty filter shows all", all(".step, tr.group").every((row) => !row.hidden));
  press("Escape", filter);
  expect("Escape leaves the filter", document.activeElement !== filter);
};

// From where to where the first chart is drawn, in shares of its width; not numbers if nothing is drawn.
const reach = () => {
  const stack = [...document.querySelector("svg.plot.time").querySelectorAll("path[class^=kind]")];
  const xs = stack.flatMap((it) => pieces(it.getAttribute("d"))).map(([, x]) => x ?? 0);
  return stack.length ? [Math.min(...xs) / VIEW, Math.max(...xs) / VIEW] : [NaN, NaN];
};
const testZoom = (opening) => {
  const isAll = () => shown.from === 0 && shown.to === end;
  const text = () => find("part").value;
  expect("it opens on what its button says", Number(opening.dataset.from) === shown.from);
  const linear = ticks({ ...shown, unit: 0 }, 8).map(([, text]) => text);
  expect(`the script labels the axis as the page does: ${linear}, ${printed.labels}`, `${linear}` === `${printed.labels}`);
  if (!shown.unit) expect(`it says what the page does: ${text()}, ${printed.part}`, text() === printed.part);
  testLabels("as opened");
  find("whole").click();
  expect("the button shows all", isAll() && text().startsWith("Showing all"));
  expect("all of the drawing is in the picture", !(reach()[0] < -0.0001 || reach()[1] > 1.0001));
  press("+");
  expect("+ shows half", shown.to === end / 2 && text().includes(" of "));
  expect("what is later is drawn outside", !(reach()[1] <= 1));
  press("l");
  expect("l goes on", shown.from === end / 4);
  expect("what is earlier is drawn outside", !(reach()[0] >= 0));
  press("0");
  expect("0 shows all", isAll());
  const before = shown.unit;
  press("g");
  expect("g changes the scale", (shown.unit > 0) !== (before > 0) && text().includes("log") === shown.unit > 0);
  testLabels("on the other scale");
  press("g");
  for (const button of all("[data-from]")) {
    button.click();
    expect("a part is shown and its button pressed", button.getAttribute("aria-pressed") === "true");
    expect("one button is pressed", all("[data-from][aria-pressed=true]").length === 1);
    testLabels(button.textContent);
  }
  opening.click();
};

// Labels of an axis that lie on each other can't be read.
const testLabels = (when) => {
  for (const axis of all(".labels, .levels")) {
    const boxes = [...axis.children].map((it) => it.getBoundingClientRect()).filter((box) => box.width > 0);
    const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom - 2 && b.top < a.bottom - 2;
    const isFree = boxes.every((box, place) => boxes.slice(place + 1).every((other) => !meet(box, other)));
    expect(`no labels overlap ${when}: ${axis.textContent}`, isFree);
  }
};

const testPage = () => {
  expect("nothing is fetched", performance.getEntriesByType("resource").length === 0);
  expect("ids are unique", new Set(all("[id]").map((it) => it.id)).size === all("[id]").length);
  expect("every link leads somewhere", all("a[href^='#']").every((link) => find(link.hash.slice(1))));
  const isNamed = (svg) => svg.getAttribute("aria-label") || svg.querySelector(":scope > title")?.textContent;
  expect("every picture has a name", all("svg[role=img]").every(isNamed));
  expect("the page is no wider than the window", root.scrollWidth <= innerWidth);
};

if (location.hash === "#selftest") {
  const opening = document.querySelector("[data-from][aria-pressed=true]");
  testKeys();
  if (filter) testFilter();
  if (opening) testZoom(opening);
  testPage();
  root.dataset.selftest = failed.length ? `failed: ${failed.join("; ")}` : "passed";
}
