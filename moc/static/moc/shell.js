// The shell's small helps: the phone's menu, the account menu, and the focus on an error summary.
(function () {
  "use strict";

  const toggle = document.querySelector(".moc-nav-toggle");
  const nav = document.getElementById("moc-nav");
  if (toggle && nav) {
    toggle.addEventListener("click", function () {
      const open = nav.classList.toggle("is-open");
      toggle.setAttribute("aria-expanded", String(open));
    });
  }

  const menu = document.querySelector(".moc-menu");
  if (menu) {
    document.addEventListener("click", function (event) {
      if (!menu.contains(event.target)) menu.open = false;
    });
    menu.addEventListener("keydown", function (event) {
      if (event.key !== "Escape") return;
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  }

  const summary = document.querySelector(".moc-error-summary");
  if (summary) summary.focus();
})();
