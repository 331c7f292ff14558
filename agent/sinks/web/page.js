(function () {
  "use strict";
  // Without an answer for this long the page says so itself: an old picture must not look like the present.
  var LIMIT = 15000, EVERY = 5000, root = document.documentElement;
  var heard = Date.now(), asked = heard, title = document.title, busy = false;
  function show(text) {
    var fresh = new DOMParser().parseFromString(text, "text/html"), main = fresh.querySelector("main");
    if (!main) { throw new Error("no page"); }
    heard = Date.now();
    title = fresh.title;
    document.querySelector("main").replaceWith(document.adoptNode(main));
  }
  function ask() {
    if (busy) { return; }
    busy = true;
    asked = Date.now();
    var stop = new AbortController(), late = setTimeout(function () { stop.abort(); }, 8000);
    fetch(location.pathname, { cache: "no-store", credentials: "omit", signal: stop.signal })
      .then(function (answer) { if (!answer.ok) { throw new Error(answer.status); } return answer.text(); })
      .then(show)
      .catch(function () {})
      .then(function () { clearTimeout(late); busy = false; tick(); });
  }
  function tick() {
    var now = Date.now(), gone = now - heard > LIMIT || now < heard;
    root.classList.toggle("gone", gone);
    document.title = gone ? "✗ " + document.getElementById("dead").dataset.title : title;
    document.getElementById("last").textContent = new Date(heard).toLocaleTimeString();
    document.querySelectorAll("[data-left]").forEach(function (clock) {
      var left = Math.max(0, Math.ceil(clock.dataset.left - (now - heard) / 1000));
      clock.textContent = Math.floor(left / 60) + ":" + String(left % 60).padStart(2, "0");
    });
    if (now - asked >= EVERY || now < asked) { ask(); }
  }
  setInterval(tick, 1000);
  document.addEventListener("visibilitychange", tick);
  window.addEventListener("pageshow", tick);
})();
