for (const figure of document.querySelectorAll(".slider")) {
  const range = figure.querySelector("input"), frame = figure.querySelector(".frame");
  const show = () => figure.style.setProperty("--at", range.value + "%");
  const follow = (event) => {
    const box = frame.getBoundingClientRect();
    range.value = (100 * (event.clientX - box.left)) / box.width;
    show();
  };
  range.addEventListener("input", show);
  frame.addEventListener("pointerdown", (event) => { frame.setPointerCapture(event.pointerId); follow(event); });
  frame.addEventListener("pointermove", (event) => { if (event.buttons) follow(event); });
  show();
}
