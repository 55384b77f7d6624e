// The supervision tree: a treegrid whose rows stay the same elements, so that nothing flickers,
// the focus stays, and a screen reader reads on.
//
// Keys as the ARIA practices have them: up, down, Home, End move; right opens, left closes or goes
// to the parent; Enter shows the process.

import { bytes, make, number, put } from "./parts.js";

const [SERIAL, PARENT, LABEL, NAME, MAILBOX, TAKEN, MEMORY, RESTARTS] = [0, 1, 2, 3, 4, 5, 6, 7];
const FLASH_MS = 4000;
const FEW = 150;
const OPEN_LEVELS = 3;

export class Tree {
  constructor(body, onChosen) {
    this.body = body;
    this.onChosen = onChosen;
    this.nodes = new Map();
    this.places = new Map();
    this.filter = "";
    this.calm = true;
    this.focused = null;
    this.drawn = 0;
    body.addEventListener("keydown", (event) => this.#key(event));
    body.addEventListener("click", (event) => this.#click(event));
  }

  clear() {
    this.nodes.clear();
    this.body.replaceChildren();
    this.calm = true;
  }

  /** The first picture is whole: from now on what comes is news. */
  settled() {
    this.calm = false;
  }

  find(serial) {
    return this.nodes.get(serial)?.row;
  }

  update(rows) {
    for (const row of rows) {
      const node = this.nodes.get(row[SERIAL]) ?? this.#add(row);
      const renamed = node.row[NAME] !== row[NAME];
      node.row = row;
      if (renamed) this.#place(node);
      this.#fill(node);
    }
    this.#soon();
  }

  gone(serials) {
    for (const serial of serials) {
      const node = this.nodes.get(serial);
      if (!node) continue;
      if (this.focused === node) this.focused = null;
      node.element.remove();
      this.nodes.delete(serial);
    }
    this.#soon();
  }

  search(text) {
    this.filter = text.trim().toLowerCase();
    this.#soon();
  }

  #add(row) {
    const cells = {
      name: make("td", { role: "gridcell", class: "name" }),
      mailbox: make("td", { role: "gridcell", class: "number" }),
      taken: make("td", { role: "gridcell", class: "number wide" }),
      memory: make("td", { role: "gridcell", class: "number wide" }),
      restarts: make("td", { role: "gridcell", class: "number" }),
    };
    const twist = make("span", { class: "twist", "aria-hidden": "true" });
    const label = make("span", { class: "label" });
    const name = make("span", { class: "own-name" });
    cells.name.append(twist, label, " ", name);
    const element = make("tr", { role: "row", tabindex: "-1" }, ...Object.values(cells));
    element.dataset.serial = row[SERIAL];
    const node = { row, cells, twist, label, name, element, open: null, level: 0, children: [] };
    this.nodes.set(row[SERIAL], node);
    this.#place(node);
    if (!this.calm && row[RESTARTS] > 0) this.#flash(node);
    return node;
  }

  /** A process that takes another one's place stands where that stood. */
  #place(node) {
    const { row } = node;
    const key = row[NAME] ? `${row[LABEL]} ${row[NAME]}` : `#${row[SERIAL]}`;
    if (!this.places.has(key)) this.places.set(key, row[SERIAL]);
    node.order = this.places.get(key);
  }

  #flash(node) {
    node.element.classList.add("again");
    setTimeout(() => node.element.classList.remove("again"), FLASH_MS);
  }

  #fill(node) {
    const { row, cells } = node;
    put(node.label, row[LABEL]);
    put(node.name, row[NAME]);
    put(cells.mailbox, row[MAILBOX] ? number(row[MAILBOX]) : "");
    put(cells.taken, number(row[TAKEN]));
    put(cells.memory, bytes(row[MEMORY]));
    put(cells.restarts, row[RESTARTS] ? number(row[RESTARTS]) : "");
    node.element.classList.toggle("long", row[MAILBOX] > 100);
  }

  #soon() {
    if (this.drawn) return;
    this.drawn = requestAnimationFrame(() => {
      this.drawn = 0;
      this.#arrange();
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
        const open = node.open ?? (!many || level < OPEN_LEVELS);
        const fits = this.filter ? this.#fits(node) : visible;
        shown.push([node, fits, open]);
        walk(node.children, level + 1, visible && open);
      }
    };
    walk(roots, 1, true);
    let cursor = this.body.firstChild;
    for (const [node, visible, open] of shown) {
      const { element } = node;
      if (cursor === element) cursor = element.nextSibling;
      else this.body.insertBefore(element, cursor);
      if (element.hidden === visible) element.hidden = !visible;
      const level = String(node.level);
      if (element.getAttribute("aria-level") !== level) {
        element.setAttribute("aria-level", level);
        element.style.setProperty("--level", level);
      }
      const has = node.children.length > 0;
      put(node.twist, has ? (open ? "▾" : "▸") : "");
      if (has) element.setAttribute("aria-expanded", String(open));
      else element.removeAttribute("aria-expanded");
      node.shownOpen = open;
    }
    if (!this.focused && shown.length) this.#focusable(shown[0][0]);
  }

  #fits(node) {
    const { row } = node;
    return `${row[LABEL]} ${row[NAME]} ${row[SERIAL]}`.toLowerCase().includes(this.filter);
  }

  #focusable(node) {
    this.focused?.element.setAttribute("tabindex", "-1");
    this.focused = node;
    node.element.setAttribute("tabindex", "0");
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
    this.#focusable(node);
    if (event.target === node.twist) this.#toggle(node, !node.shownOpen);
    else this.#choose(node);
  }

  #choose(node) {
    for (const old of this.body.querySelectorAll("[aria-selected]")) {
      old.removeAttribute("aria-selected");
    }
    node.element.setAttribute("aria-selected", "true");
    this.onChosen(node.row);
  }

  #key(event) {
    const node = this.#of(event.target);
    if (!node || event.altKey || event.ctrlKey || event.metaKey) return;
    const rows = [...this.body.children].filter((element) => !element.hidden);
    const at = rows.indexOf(node.element);
    const go = (element) => {
      if (!element) return;
      this.#focusable(this.#of(element));
      element.focus();
    };
    const acts = {
      ArrowDown: () => go(rows[at + 1]),
      ArrowUp: () => go(rows[at - 1]),
      Home: () => go(rows[0]),
      End: () => go(rows.at(-1)),
      ArrowRight: () => {
        if (node.children.length && !node.shownOpen) this.#toggle(node, true);
        else go(rows[at + 1]);
      },
      ArrowLeft: () => {
        if (node.children.length && node.shownOpen) this.#toggle(node, false);
        else go(this.nodes.get(node.row[PARENT])?.element);
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
