// Keeps an open page true: patches what changed, and says so when nothing comes any more.
"use strict";
(() => {
  const STALE = 30000, RENEW = 30000, QUIET = 10000, HIDDEN = 5000; // ms
  const body = document.body, say = body.dataset, $ = (id) => document.getElementById(id);
  let source, heard = Date.now(), skew = 0, title = document.title;
  let busy = false, again = false, renewed = Date.now(), spoke = 0, leaving, later;

  const name = (node) => node.id || (node.dataset && node.dataset.key) || "";
  const alike = (a, b) => a.nodeName === b.nodeName && name(a) === name(b);

  function patch(old, fresh) {
    if (old.isEqualNode(fresh)) return;
    if (old.nodeType !== 1) { old.data = fresh.data; return; }
    if (old.hasAttribute("data-own")) return; // a script's own
    for (const { name: key, value } of [...fresh.attributes])
      if (old.getAttribute(key) !== value && !(key === "open")) old.setAttribute(key, value);
    for (const { name: key } of [...old.attributes])
      if (!fresh.hasAttribute(key) && key !== "open") old.removeAttribute(key);
    if (old.hasAttribute("data-order")) keepOrder(old, fresh);
    patchChildren(old, fresh);
  }

  function patchChildren(old, fresh) {
    const known = new Map([...old.children].filter(name).map((node) => [name(node), node]));
    // Between named parts blanks mean nothing, and would make every part move.
    const named = [...fresh.children].some(name);
    const after = (node) => (named ? node.nextElementSibling : node.nextSibling);
    let at = named ? old.firstElementChild : old.firstChild;
    for (const want of [...(named ? fresh.children : fresh.childNodes)]) {
      const have = name(want) ? known.get(name(want)) : at && !name(at) && alike(at, want) ? at : null;
      if (have && alike(have, want)) {
        patch(have, want);
        if (have === at) at = after(at);
        else old.insertBefore(have, at);
      } else old.insertBefore(document.importNode(want, true), at);
    }
    while (at) { const next = after(at); at.remove(); at = next; }
  }

  // Rows don't move under a pointer or the focus: cells change, the order waits for a click.
  function keepOrder(old, fresh) {
    const held = old.matches(":hover") || old.contains(document.activeElement);
    const was = [...old.children].map(name), want = [...fresh.children].map(name);
    const moved = want.filter((key, place) => was[place] !== key).length;
    $("urut").hidden = !(held && moved);
    if (!held || !moved) return;
    $("urut").firstElementChild.textContent = say.sort.replace("{}", moved);
    const place = (row) => { const i = was.indexOf(name(row)); return i < 0 ? was.length : i; };
    fresh.append(...[...fresh.children].sort((a, b) => place(a) - place(b)));
  }

  async function renew() {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const reply = await fetch(location.pathname + location.search, { cache: "no-store" });
      if (!reply.ok) return;
      const fresh = new DOMParser().parseFromString(await reply.text(), "text/html");
      if (fresh.body.dataset.build !== say.build) { location.reload(); return; }
      for (const part of ["header", "main", "footer"]) patch(document.querySelector(part), fresh.querySelector(part));
      patch(document.querySelector("link[rel=icon]"), fresh.querySelector("link[rel=icon]"));
      body.classList.toggle("stale", fresh.body.classList.contains("stale"));
      if (fresh.title !== title) { title = fresh.title; document.title = title; spoke = spoke || 1; }
      renewed = Date.now();
    } catch { /* the clock below says how old the data is */ } finally {
      busy = false;
      if (again) { again = false; renew(); }
    }
  }

  const two = (n) => String(n).padStart(2, "0");
  function clock(ms, hours) {
    const t = new Date(ms + hours * 3600000);
    return [t.getUTCHours(), t.getUTCMinutes(), t.getUTCSeconds()].map(two).join(say.colon);
  }

  function beat() {
    const now = Date.now();
    for (const span of document.querySelectorAll("[data-hours]"))
      span.textContent = clock(now + skew, +span.dataset.hours);
    const old = now - heard > STALE;
    body.classList.toggle("silent", old);
    if (old) {
      $("basi").lastElementChild.textContent = clock(heard + skew, 7) + " WIB";
      body.classList.add("stale");
      document.title = "(?) " + title;
    } else document.title = title;
    if (spoke === 1 || (spoke && now - spoke > QUIET && $("kabar").textContent !== title)) {
      $("kabar").textContent = title; // at most one polite message in ten seconds
      spoke = now;
    }
    if (source && now - renewed > RENEW) { renewed = now; renew(); }
  }

  function open() {
    source = new EventSource("/api/v1/events");
    const change = (event) => {
      heard = Date.now();
      document.dispatchEvent(new CustomEvent("vcmon", { detail: JSON.parse(event.data) }));
      renew();
      if (say.later) { clearTimeout(later); later = setTimeout(renew, +say.later); } // what the memory then has
    };
    source.addEventListener("snapshot", change);
    source.addEventListener("delta", change);
    // A browser gives up on an answer that is no stream (a proxy's 502 while we restart): we don't.
    source.addEventListener("error", () => {
      if (source && source.readyState === 2) { source = null; renew(); setTimeout(() => source || document.hidden || open(), 5000); }
    });
    source.addEventListener("alive", (event) => {
      heard = Date.now();
      skew = Date.parse(JSON.parse(event.data).now) - heard;
    });
  }

  // Browsers allow six connections to one host: a tab that nobody sees gives its own back.
  document.addEventListener("visibilitychange", () => {
    clearTimeout(leaving);
    if (document.hidden) leaving = setTimeout(() => { if (source) source.close(); source = null; }, HIDDEN);
    else if (!source) open();
  });
  const order = $("urut"); // only a page with a table has it
  if (order) order.addEventListener("click", () => { order.firstElementChild.blur(); renew(); });
  body.classList.add("live"); // the style's own clock may rest
  setInterval(beat, 1000);
  open();
})();
