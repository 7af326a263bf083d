// What can be seen to be wrong with a page without judging it: run in the page by checks.py.
(() => {
  // A calendar's boxes are as long as the appointment, not as the words; the whole of them is in the box's name (C6).
  const skipped = ".visually-hidden, .skip-link, [aria-hidden=true], dialog:not([open]), template, script, style, noscript, [data-calendar]";
  const shown = (element) =>
    element.checkVisibility({ opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true }) &&
    !element.closest(skipped) && !forEarsOnly(element);
  /** Text of a box of one pixel is read out, not seen. */
  const forEarsOnly = (element) => {
    for (let holder = element; holder; holder = holder.parentElement)
      if (holder.offsetWidth <= 1 && holder.offsetHeight <= 1 && clipsX(getComputedStyle(holder))) return true;
    return false;
  };
  const named = (element) => {
    const classes = [...element.classList].slice(0, 2).map((name) => "." + name).join("");
    const words = (element.innerText || element.value || "").trim().replace(/\s+/g, " ").slice(0, 60);
    return `<${element.localName}${classes}> “${words}”`;
  };
  const wholeIsTold = (element) => {
    const title = element.closest("[title]")?.title ?? "";
    return Boolean(title) && title.includes(element.textContent.trim());
  };
  const clipsX = (style) => style.overflowX === "hidden" || style.overflowX === "clip";
  const scrollsX = (style) => style.overflowX === "auto" || style.overflowX === "scroll";

  /** Text that somebody cuts off, that leaves the window, or that sticks out of a box with an edge. */
  const cutTexts = () => {
    const found = new Map();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const range = document.createRange();
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const parent = node.parentElement;
      if (!node.data.trim() || !parent || found.has(parent) || !shown(parent)) continue;
      range.selectNodeContents(node);
      const box = range.getBoundingClientRect();
      if (!box.width || !box.height) continue;
      let held = false;
      for (let holder = parent; holder && holder !== document.documentElement; holder = holder.parentElement) {
        const style = getComputedStyle(holder);
        if (style.textOverflow === "ellipsis" && wholeIsTold(holder)) held = true; // the whole of it can be read
        if (style.display === "inline") continue;
        const edges = holder.getBoundingClientRect();
        if (held || scrollsX(style)) {
          held = true;
          break;
        }
        const aside = box.right > edges.right + 2 || box.left < edges.left - 2;
        const below = box.bottom > edges.bottom + 3 && (style.overflowY === "hidden" || style.overflowY === "clip");
        if (clipsX(style) && aside) found.set(parent, `is cut off at the side by ${named(holder)}`);
        else if (below) found.set(parent, `is cut off below by ${named(holder)}`);
        else if (aside && (parseFloat(style.borderLeftWidth) || style.borderRadius !== "0px") && holder === parent)
          found.set(parent, "sticks out of its box");
        if (found.has(parent)) break;
      }
      if (!held && !found.has(parent) && (box.right > innerWidth + 1 || box.left < -1))
        found.set(parent, "leaves the window");
    }
    return [...found].map(([element, what]) => `text ${what}: ${named(element)}`);
  };

  const wide = () => {
    const root = document.documentElement;
    if (root.scrollWidth <= innerWidth) return [];
    const culprits = [...document.body.querySelectorAll("*")].filter((element) => {
      const box = element.getBoundingClientRect();
      return box.width && shown(element) && (box.right > innerWidth + 1 || box.left < -1);
    });
    return [`wider than its window by ${root.scrollWidth - innerWidth}: ${culprits.slice(-1).map(named)}`];
  };

  const broken = () =>
    [...document.images].filter((image) => image.complete && !image.naturalWidth && shown(image))
      .map((image) => `picture that does not load: ${image.currentSrc || image.src}`);

  const look = (element) => {
    const parts = [[element], [element, "::before"], [element, "::after"], [element.nextElementSibling]];
    for (let holder = element.parentElement; holder && parts.length < 9; holder = holder.parentElement) parts.push([holder]);
    return parts.map(([part, pseudo]) => {
      if (!part) return "";
      const s = getComputedStyle(part, pseudo);
      const ring = s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0 ? s.outlineColor + s.outlineWidth : "";
      return [ring, s.boxShadow, s.borderColor, s.backgroundColor, s.textDecorationLine].join();
    }).join("|");
  };
  const focusable = "a[href], button:not([disabled]), input:not([type=hidden], [disabled]), select, textarea, summary, [tabindex='0']";

  /** Controls that look the same with the keyboard's focus on them. */
  const ringless = () => {
    const wrong = new Set();
    for (const element of [...document.querySelectorAll(focusable)].slice(0, 150)) {
      if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
      document.activeElement?.blur();
      const before = look(element);
      element.focus({ focusVisible: true, preventScroll: true });
      if (document.activeElement !== element) continue;
      if (look(element) === before) wrong.add(`no focus ring: ${named(element)}`);
    }
    document.activeElement?.blur();
    return [...wrong];
  };

  /** Whether something stays at the window's lower edge: in a picture of the whole page it would lie across the middle. */
  const hasBar = () =>
    [...document.querySelectorAll("body *")].some((element) => {
      const style = getComputedStyle(element);
      return ["fixed", "sticky"].includes(style.position) && parseFloat(style.bottom) < 40 && element.clientHeight > 0;
    });

  window.looks = { hasBar, faults: () => [...wide(), ...cutTexts(), ...broken()], ringless };
})();
