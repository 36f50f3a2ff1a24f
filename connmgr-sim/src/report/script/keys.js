// Theme, help, and the rows of tables: what works on every page.
const root = document.documentElement;
root.classList.add("live");
const find = (id) => document.getElementById(id);
const all = (what) => [...document.querySelectorAll(what)];

// Light or dark: the system's choice, until the reader chooses.
const isDark = () =>
  root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
const turnTheme = () => { root.dataset.theme = isDark() ? "light" : "dark"; };

const help = find("help");
const turnHelp = () => (help.open ? help.close() : help.showModal());

// The next row that is shown, or the one before.
const step = (by) => {
  const rows = all(".step").filter((row) => !row.hidden);
  const at = rows.indexOf(document.activeElement);
  const next = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : at + by];
  if (!next) return;
  next.focus();
  next.scrollIntoView({ block: "nearest" });
};

const filter = find("filter");
const sift = () => {
  const words = filter.value.toLowerCase().split(/\s+/);
  const rows = all("tr.step, li.step");
  for (const row of rows) {
    // A name that is cut short is whole in its title.
    const text = (row.textContent + (row.cells?.[0].title ?? "")).toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
  }
  for (const group of all("tr.group")) {
    group.hidden = [...group.parentElement.rows].every((row) => row === group || row.hidden);
  }
  find("found").value = filter.value ? `${rows.filter((row) => !row.hidden).length} of ${rows.length}` : "";
};

const keys = {
  t: turnTheme,
  "?": turnHelp,
  j: () => step(1),
  k: () => step(-1),
  "/": () => filter?.focus(),
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target === filter) {
    if (event.key === "Escape" || event.key === "Enter") filter.blur();
    return;
  }
  if (event.target.classList?.contains("step") && event.key.startsWith("Arrow")) {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) { event.preventDefault(); step(by); }
    return;
  }
  const act = keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
find("theme").onclick = turnTheme;
find("ask").onclick = turnHelp;
filter?.addEventListener("input", sift);

// What came last is what one looks for.
const toEnd = (log) => { log.scrollTop = log.scrollHeight; };
all(".log").forEach(toEnd);
for (const it of all("details")) it.addEventListener("toggle", () => it.querySelectorAll(".log").forEach(toEnd));

// `#dark` and `#light` choose a theme.
if (location.hash === "#dark" || location.hash === "#light") root.dataset.theme = location.hash.slice(1);
