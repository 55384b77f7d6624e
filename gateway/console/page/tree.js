// The supervision tree: a treegrid whose rows stay the same elements while they are to be seen, so
// that nothing flickers, the focus stays, and a screen reader reads on.
//
// Keys as the ARIA practices have them: up, down, Home, End, page up and page down move; right
// opens, left closes or goes to the parent; Enter shows the process.

import { bytes, make, number, put } from "./parts.js";
import { Rows } from "./rows.js";

const [SERIAL, PARENT, LABEL, NAME, MAILBOX, TAKEN, MEMORY, RESTARTS] = [0, 1, 2, 3, 4, 5, 6, 7];
const FLASH_MS = 4000;
const FEW = 150;
const OPEN_LEVELS = 3;
const PAGE = 15;
const LONG = 100;
const MOST_PLACES = 5000;

export class Tree {
  constructor(body, onChosen) {
    this.onChosen = onChosen;
    this.nodes = new Map();
    this.before = this.nodes;
    this.places = new Map();
    this.filter = "";
    this.calm = true;
    this.focused = null;
    this.chosen = 0;
    this.stale = true;
    this.asked = 0;
    this.rows = new Rows(body, (node) => this.#draw(node));
    this.rows.keep = (node) => node === this.focused;
    body.addEventListener("keydown", (event) => this.#key(event));
    body.addEventListener("click", (event) => this.#click(event));
  }

  clear() {
    // The same processes come again in a moment, and stay where and as they are.
    this.before = this.nodes;
    this.nodes = new Map();
    this.calm = true;
    this.#soon();
  }

  /** The first picture is whole: from now on what comes is news. */
  settled() {
    this.calm = false;
  }

  update(rows) {
    for (const row of rows) {
      const node = this.nodes.get(row[SERIAL]) ?? this.#add(row);
      const renamed = node.row[NAME] !== row[NAME];
      node.row = row;
      if (renamed || node.order == null) this.#place(node);
    }
    this.rows.soon();
  }

  gone(serials) {
    for (const serial of serials) {
      this.nodes.delete(serial);
    }
    this.#soon();
  }

  has(serial) {
    return this.nodes.has(serial);
  }

  /** The process with this serial is the one that is looked at. */
  mark(serial) {
    this.chosen = serial;
    this.rows.soon();
  }

  search(text) {
    this.filter = text.trim().toLowerCase();
    this.rows.box.scrollTop = 0;
    this.#soon();
  }

  #add(row) {
    const known = this.before.get(row[SERIAL]);
    const node = known ?? { row, open: null, level: 0, children: [], element: null, again: false };
    this.nodes.set(row[SERIAL], node);
    this.#soon();
    if (!this.calm && row[RESTARTS] > 0) this.#flash(node);
    return node;
  }

  /** A process that takes another one's place stands where that stood. */
  #place(node) {
    const { row } = node;
    const key = `${row[LABEL]} ${row[NAME]}`;
    if (row[NAME] && !this.places.has(key)) this.places.set(key, row[SERIAL]);
    if (this.places.size > MOST_PLACES) this.places.delete(this.places.keys().next().value);
    node.order = row[NAME] ? this.places.get(key) : row[SERIAL];
    this.#soon();
  }

  #flash(node) {
    node.again = true;
    setTimeout(() => {
      node.again = false;
      node.element?.classList.remove("again");
    }, FLASH_MS);
  }

  #make(node) {
    const { row } = node;
    const cells = {
      name: make("td", { role: "gridcell", class: "name" }),
      mailbox: make("td", { role: "gridcell", class: "number" }),
      taken: make("td", { role: "gridcell", class: "number wide" }),
      memory: make("td", { role: "gridcell", class: "number wide" }),
      restarts: make("td", { role: "gridcell", class: "number" }),
    };
    node.cells = cells;
    node.twist = make("span", { class: "twist", "aria-hidden": "true" });
    node.label = make("span", { class: "label" });
    node.name = make("span", { class: "own-name" });
    cells.name.append(node.twist, node.label, " ", node.name);
    const element = make("tr", { role: "row", tabindex: "-1" }, ...Object.values(cells));
    element.dataset.serial = row[SERIAL];
    element.classList.toggle("again", node.again);
    return element;
  }

  /** The row of a process, as it is now. */
  #draw(node) {
    node.element ??= this.#make(node);
    const { row, cells, element } = node;
    put(node.label, row[LABEL]);
    put(node.name, row[NAME]);
    set(cells.name, "title", `${row[LABEL]} ${row[NAME]}`);
    put(cells.mailbox, row[MAILBOX] ? number(row[MAILBOX]) : "");
    put(cells.taken, number(row[TAKEN]));
    put(cells.memory, bytes(row[MEMORY]));
    put(cells.restarts, row[RESTARTS] ? number(row[RESTARTS]) : "");
    element.classList.toggle("long", row[MAILBOX] > LONG);
    const has = node.children.length > 0;
    put(node.twist, has ? (node.shownOpen ? "▾" : "▸") : "");
    set(element, "aria-expanded", has ? String(node.shownOpen) : null);
    set(element, "aria-selected", row[SERIAL] === this.chosen ? "true" : null);
    set(element, "tabindex", node === this.focused ? "0" : "-1");
    if (set(element, "aria-level", String(node.level))) {
      element.style.setProperty("--level", String(node.level));
    }
    return element;
  }

  /** What stands below what has changed. */
  #soon() {
    this.asked ||= requestAnimationFrame(() => {
      this.asked = 0;
      const had = this.focused?.element?.contains(document.activeElement);
      this.#arrange();
      this.rows.now();
      if (had && !this.focused?.element.contains(document.activeElement)) {
        this.focused?.element.focus({ preventScroll: true });
      }
    });
  }

  #arrange() {
    const roots = [];
    for (const node of this.nodes.values()) node.children = [];
    for (const node of this.nodes.values()) {
      const parent = this.nodes.get(node.row[PARENT]);
      if (parent) parent.children.push(node);
      else roots.push(node);
    }
    const shown = [];
    const many = this.nodes.size > FEW;
    const walk = (nodes, level, visible) => {
      nodes.sort((one, other) => one.order - other.order);
      for (const node of nodes) {
        node.level = level;
        node.shownOpen = node.open ?? (!many || level < OPEN_LEVELS);
        if (this.filter ? this.#fits(node) : visible) shown.push(node);
        walk(node.children, level + 1, visible && node.shownOpen);
      }
    };
    walk(roots, 1, true);
    if (!shown.includes(this.focused)) {
      // Whoever stood on a process that is gone stands on its neighbour.
      const at = this.rows.items.indexOf(this.focused);
      this.focused = shown[Math.max(0, Math.min(at, shown.length - 1))] ?? null;
    }
    this.rows.show(shown);
  }

  #fits(node) {
    const { row } = node;
    return `${row[LABEL]} ${row[NAME]} ${row[SERIAL]}`.toLowerCase().includes(this.filter);
  }

  #of(target) {
    const element = target.closest("tr[data-serial]");
    return element ? this.nodes.get(Number(element.dataset.serial)) : null;
  }

  #toggle(node, open) {
    node.open = open;
    this.#soon();
  }

  #click(event) {
    const node = this.#of(event.target);
    if (!node) return;
    this.focused = node;
    if (event.target === node.twist) this.#toggle(node, !node.shownOpen);
    else this.#choose(node);
  }

  #choose(node) {
    this.mark(node.row[SERIAL]);
    this.onChosen(node.row);
  }

  #go(node) {
    if (!node) return;
    this.focused = node;
    this.rows.reveal(node);
    node.element.focus({ preventScroll: true });
  }

  #key(event) {
    // Whoever stands on a process that has just gone, and is still drawn, goes on from there.
    const node = this.#of(event.target) ?? this.focused;
    if (!node || event.altKey || event.ctrlKey || event.metaKey) return;
    const { items } = this.rows;
    const at = items.indexOf(node);
    const acts = {
      ArrowDown: () => this.#go(items[at + 1]),
      ArrowUp: () => this.#go(items[at - 1]),
      PageDown: () => this.#go(items[Math.min(items.length - 1, at + PAGE)]),
      PageUp: () => this.#go(items[Math.max(0, at - PAGE)]),
      Home: () => this.#go(items[0]),
      End: () => this.#go(items.at(-1)),
      ArrowRight: () => {
        if (node.children.length && !node.shownOpen) this.#toggle(node, true);
        else this.#go(items[at + 1]);
      },
      ArrowLeft: () => {
        if (node.children.length && node.shownOpen) this.#toggle(node, false);
        else this.#go(this.nodes.get(node.row[PARENT]));
      },
      Enter: () => this.#choose(node),
      " ": () => this.#choose(node),
    };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }
}

/** Give an element an attribute, or take it from it (null); whether it had another. */
function set(element, name, value) {
  if (element.getAttribute(name) === value) return false;
  if (value === null) element.removeAttribute(name);
  else element.setAttribute(name, value);
  return true;
}
