// The rows of a long table: only those near what is to be seen stand in the document, so that a
// thousand of them cost no more than a screenful. All rows are equally high.
//
//     const rows = new Rows(body, (item) => item.element ?? …);
//     rows.show(items)           from now on these, in this order
//     rows.keep = (item) => …    items that stay in the document however far they are
//
// `element` of an item is made when it is near and let go of when it is not. What has the focus
// stays. The gaps are rows of their own without a meaning. `aria-rowcount` and `aria-rowindex` say
// how many there are and which.

import { make } from "./parts.js";

const AROUND = 40;

export class Rows {
  /** `draw`: makes an item's element, or brings it up to date. */
  constructor(body, draw) {
    this.body = body;
    this.table = body.closest("table");
    this.box = body.closest(".scroll");
    this.draw = draw;
    this.keep = () => false;
    this.items = [];
    this.drawn = new Set();
    this.gaps = [];
    this.asked = 0;
    this.box.addEventListener("scroll", () => this.soon(), { passive: true });
    new ResizeObserver(() => this.soon()).observe(this.box);
  }

  show(items) {
    this.items = items;
    this.soon();
  }

  soon() {
    this.asked ||= requestAnimationFrame(() => {
      this.asked = 0;
      this.now();
    });
  }

  /** Bring the document up to date. */
  now() {
    const { items, box } = this;
    const height = this.#height();
    const first = Math.floor(box.scrollTop / height) - AROUND;
    const last = Math.ceil((box.scrollTop + box.clientHeight) / height) + AROUND;
    const near = new Set();
    const elements = [];
    let gap = 0;
    let gaps = 0;
    const close = () => {
      if (gap) elements.push(this.#gap(gaps++, gap * height));
      gap = 0;
    };
    items.forEach((item, at) => {
      if ((at < first || at > last) && !this.#stays(item)) {
        gap += 1;
        return;
      }
      close();
      near.add(item);
      item.element = this.draw(item);
      const index = String(at + 2); // the heads of the columns are the first
      if (item.element.getAttribute("aria-rowindex") !== index) item.element.setAttribute("aria-rowindex", index);
      elements.push(item.element);
    });
    close();
    for (const item of this.drawn) {
      if (near.has(item)) continue;
      item.element?.remove();
      item.element = null;
    }
    this.drawn = near;
    while (this.gaps.length > gaps) this.gaps.pop().remove();
    this.#arrange(elements);
    const count = String(items.length + 1);
    if (this.table.getAttribute("aria-rowcount") !== count) this.table.setAttribute("aria-rowcount", count);
  }

  /** Bring an item into sight, and into the document. */
  reveal(item) {
    const height = this.#height();
    const top = this.items.indexOf(item) * height;
    const head = this.body.offsetTop;
    const { box } = this;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + height + head > box.scrollTop + box.clientHeight) {
      box.scrollTop = top + height + head - box.clientHeight;
    }
    this.now();
  }

  #stays(item) {
    return this.keep(item) || item.element?.contains(document.activeElement);
  }

  #height() {
    return parseFloat(getComputedStyle(this.table).getPropertyValue("--row")) || 28;
  }

  #gap(number, height) {
    const gap = (this.gaps[number] ??= make("tr", { class: "gap", "aria-hidden": "true" }, make("td")));
    const high = `${height}px`;
    if (gap.style.height !== high) gap.style.height = high;
    return gap;
  }

  #arrange(elements) {
    let cursor = this.body.firstChild;
    for (const element of elements) {
      if (cursor === element) cursor = element.nextSibling;
      else this.body.insertBefore(element, cursor);
    }
  }
}
