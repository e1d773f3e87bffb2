"use strict";
// The buttons that copy lines; without scripts they stay hidden.
(function () {
  function prepare() {
    document.querySelectorAll(".imagecycle-recipe").forEach(function (frame) {
      const button = frame.querySelector(".imagecycle-copy");
      const lines = frame.querySelector("pre");
      button.hidden = false;
      button.setAttribute("aria-describedby", lines.getAttribute("aria-labelledby"));
      button.addEventListener("click", function () {
        const copied = navigator.clipboard ? navigator.clipboard.writeText(lines.textContent) : Promise.reject();
        copied.then(
          function () { button.textContent = button.dataset.copied; },
          function () { getSelection().selectAllChildren(lines); }
        );
      });
    });
  }
  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", prepare);
  } else {
    prepare();
  }
})();
