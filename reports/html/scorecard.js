// Enhancements only: the page reads the same without this script, and nothing here leaves a name behind.
(() => {
  "use strict";
  const root = document.documentElement;
  const all = (selector) => [...document.querySelectorAll(selector)];
  const button = (id, press) => {
    const found = document.getElementById(id);
    if (!(found instanceof HTMLButtonElement)) return null; // an item may bear the same id
    found.hidden = false;
    found.addEventListener("click", () => press(found));
    return found;
  };

  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  const say = (theme) => { if (theme) theme.textContent = isDark() ? "Light" : "Dark"; };
  say(button("theme", (theme) => {
    root.dataset.theme = isDark() ? "light" : "dark";
    say(theme);
  }));

  button("unfold", (unfold) => {
    const open = unfold.textContent === "Unfold all";
    all("main details").forEach((part) => { part.open = open; });
    unfold.textContent = open ? "Fold all" : "Unfold all";
  });
  button("print", () => print());

  // A permalink unfolds its item and everything around it, and gives it the keyboard.
  const openTarget = () => {
    let id = "";
    try { id = decodeURIComponent(location.hash.slice(1)); } catch { return; }
    const target = id && document.getElementById(id);
    if (!target) return;
    for (let part = target; part; part = part.parentElement) if (part instanceof HTMLDetailsElement) part.open = true;
    const item = target.closest("details.item");
    if (!item) return;
    item.scrollIntoView();
    item.querySelector("summary").focus({ preventScroll: true });
  };
  addEventListener("hashchange", openTarget);
  openTarget();

  // j and k go from item to item, as in many readers; a folded group is passed over.
  addEventListener("keydown", (event) => {
    if (!["j", "k"].includes(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
    const items = all("main .item > summary").filter((summary) => summary.checkVisibility());
    const here = items.indexOf(document.activeElement);
    const next = items[event.key === "j" ? here + 1 : Math.max(0, here - 1)];
    if (next) next.focus();
  });
})();
